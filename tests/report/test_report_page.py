"""The page of a report in a real browser: safe with any text, drawn, readable, reachable."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import axe_core_python
import pytest
from browser import Page, browser
from query_truth import published, write

import ddb_query

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

HOSTILE = (
    "<script>alert('prompt')</script>, by </script><script>alert(1)</script>",
    "</style><style>*{display:none}</style>, </title>",
    "<img src=x onerror=alert(2)>, <svg onload=alert(3)>",
    "{{constructor.constructor('alert(4)')()}}, ${alert(5)}, {images}",
    '"><a href="javascript:alert(6)">, \'quotes\' `ticks` & entities &lt; &#x3c;',
    "\N{RIGHT-TO-LEFT OVERRIDE}gnp.exe, \N{LEFT-TO-RIGHT ISOLATE}bidi, \x1b[31m control \x07",
)
TITLE = "</title><script>alert('title')</script> & co."
# What is inside a picture is none of axe's business, and the rows of a table are all alike.
FOUND_SERIOUS = """
document.querySelectorAll('tbody tr:nth-child(n + 4)').forEach(row => row.remove());
axe.run({exclude: [['svg > *']]}, {resultTypes: ['violations']}).then(found => found.violations
  .filter(one => ['serious', 'critical'].includes(one.impact))
  .map(one => one.id + ': ' + one.nodes.map(node => node.html).join('; ').slice(0, 600)))
"""


@pytest.fixture(scope="module")
def reports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the page of one selection and of two compared, of hostile prompts."""
    folder = tmp_path_factory.mktemp("pages")
    rows = [
        {
            "prompt": HOSTILE[place % len(HOSTILE)], "user_name": HOSTILE[place % 5],
            "seed": place // 2, "sampler": place % 9 + 1, "width": 512 + 64 * (place % 3),
            "part_id": place % 4 + 1, "image_nsfw": (place % 21) / 10, "cfg": float(place % 30),
        }
        for place in range(240)
    ]  # fmt: skip
    data = write(published(*rows), folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(folder / "cache"))
        with ddb_query.open("2m", data_dir=data) as corpus:
            every = corpus.select()
            every.report(title=TITLE, users=True).save(folder / "one.html")
            wide = corpus.select(where="width > 512")
            wide.report(versus="rest", users=True).save(folder / "two.html")
    return folder


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("chromium")) as page:
        yield page


@pytest.fixture(params=["one.html", "two.html"])
def page(request: pytest.FixtureRequest, reports: Path, chromium: Page) -> Page:
    chromium.shown(1280, "light")
    chromium.open(reports / request.param)
    return chromium


def test_nothing_runs_nothing_is_asked_and_nothing_is_complained_of(
    page: Page, reports: Path
) -> None:
    asked = {request["request"]["url"] for request in page.of("Network.requestWillBeSent")}
    assert {Path(url).parent.name for url in asked} == {reports.name}
    assert len(asked) == 1
    assert page.of("Page.javascriptDialogOpening") == []
    assert page.of("Runtime.exceptionThrown") == []
    assert page.of("Runtime.consoleAPICalled") == []
    assert page.of("Log.entryAdded") == []


def test_prompts_are_shown_as_the_text_that_they_are(page: Page) -> None:
    text = page.value("document.body.textContent")
    for prompt in HOSTILE[:5]:
        assert prompt in text
    assert "\\u202egnp.exe" in text
    assert "\\x1b[31m control \\x07" in text
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in page.value("document.documentElement.outerHTML")
    assert (
        page.value("document.querySelectorAll('main script, main img, main a[href^=j]').length")
        == 0
    )


def test_a_title_is_text_too(page: Page, reports: Path) -> None:
    page.open(reports / "one.html")
    assert page.value("document.title") == TITLE
    assert page.value("document.querySelector('h1').textContent") == TITLE


def test_the_policy_of_the_page_lets_nothing_load_and_no_other_script_run(page: Page) -> None:
    page.value("""(() => {
        const added = document.createElement('script');
        added.textContent = 'window.ran = true';
        document.body.append(added);
        const image = document.createElement('img');
        image.src = 'http://127.0.0.1:9/x.png';
        document.body.append(image);
    })()""")
    assert page.value("window.ran === undefined") is True
    refused = " ".join(entry["entry"]["text"] for entry in page.of("Log.entryAdded"))
    assert "script-src" in refused
    assert "img-src" in refused or "default-src" in refused


@pytest.mark.parametrize("width", [1280, 390])
def test_every_chart_has_drawn_and_says_what_it_shows(page: Page, width: int) -> None:
    page.shown(width, "light")
    drawn = json.loads(page.value("""JSON.stringify([...document.querySelectorAll('figure svg')]
        .filter(svg => svg.checkVisibility())
        .map(svg => ({label: svg.getAttribute('aria-label'),
            width: svg.getBoundingClientRect().width, height: svg.getBoundingClientRect().height,
            marks: [...svg.querySelectorAll('path, text')].filter(mark => mark.getBBox().width > 0)
                .length})))"""))  # fmt: skip
    assert len(drawn) >= 17
    for chart in drawn:
        assert chart["width"] > 150, chart
        assert chart["height"] > 60, chart
        assert chart["marks"] > 5, chart
        assert "highest" in chart["label"], chart
    ids = "[...document.querySelectorAll('[id]')].map(one => one.id)"
    assert page.value(f"{ids}.length === new Set({ids}).size") is True


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_axe_finds_no_serious_fault(page: Page, width: int, scheme: str) -> None:
    page.shown(width, scheme)
    page.value("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    source = Path(axe_core_python.__file__).with_name("axe.min.js").read_text("utf-8")
    page.value(f"{source}; 0")
    assert page.value(FOUND_SERIOUS) == []


def test_the_page_never_scrolls_sideways(page: Page) -> None:
    page.value("document.querySelectorAll('details').forEach(part => { part.open = true; })")
    for width in (1280, 768, 390, 320):
        page.shown(width, "light")
        assert page.value("document.documentElement.scrollWidth") <= width


def test_dark_is_dark_in_charts_too(page: Page) -> None:
    def colors() -> Any:
        return json.loads(
            page.value("""JSON.stringify([
            getComputedStyle(document.body).backgroundColor,
            getComputedStyle(document.querySelector('figure svg text')).fill,
            getComputedStyle(document.querySelector('figure svg path[fill^="var"]')).fill])""")
        )

    light = colors()
    page.shown(1280, "dark")
    assert all(one != other for one, other in zip(light, colors(), strict=True))
    assert light[0] == "rgb(255, 255, 255)"


def test_all_is_reached_and_unfolded_with_the_keyboard(page: Page) -> None:
    page.press("Tab")
    assert page.value("document.activeElement.className") == "skip"
    page.value("document.querySelector('summary').focus()")
    page.press("Enter")
    assert page.value("document.querySelector('details').open") is True
    page.value("document.querySelector('button').focus()")
    page.press("Enter")
    assert page.value("[...document.querySelectorAll('details')].every(part => part.open)") is True
    assert page.value("document.querySelector('button').getAttribute('aria-pressed')") == "true"


def test_every_number_has_its_sql_and_every_chart_its_table(page: Page) -> None:
    assert (
        page.value("""[...document.querySelectorAll('article')].every(article =>
        article.querySelector('details.sql pre').textContent.includes('select'))""")
        is True
    )
    assert (
        page.value("""[...document.querySelectorAll('figure')].every(figure =>
        figure.parentElement.querySelector('details.data tbody tr') !== null)""")
        is True
    )


def test_the_page_is_small(reports: Path) -> None:
    assert all(0 < path.stat().st_size < 3_000_000 for path in reports.glob("*.html"))
