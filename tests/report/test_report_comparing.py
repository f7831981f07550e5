"""What a report shows of two selections, and what each number of it is of: nothing misleads."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
from query_truth import published, write

import ddb_query
from ddb_query.report import charts
from ddb_query.report.formatting import StandIn, difference, is_share, spelled
from ddb_query.report.render import cells
from ddb_query.report.render.files import rendered

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query.report.model import Chart, Report, Table

# Of A: 3 of 4 images in the last bin, which is open; B has none there.
A_STEPS, B_STEPS = [10, 150, 200, 999], [10, 10, 50, 70]
FACES = ("table", "markdown", "html")


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Report]:
    folder = tmp_path_factory.mktemp("compared")
    rows: list[dict[str, object]] = [
        {"step": step, "width": 512, "prompt": f"castle {step}, by wlop, oil", "image_nsfw": 0.01}
        for step in A_STEPS
    ]
    rows += [
        {"step": step, "width": 640, "prompt": f"ship {place}, by artgerm", "image_nsfw": 0.9}
        for place, step in enumerate(B_STEPS)
    ]
    rows += [{"width": 640, "prompt": prompt, "step": 70} for prompt in ("", "", " \t", "–", "–")]  # noqa: RUF001
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(folder / "cache"))
        with ddb_query.open("2m", data_dir=write(published(*rows), folder)) as corpus:
            yield corpus.select(where="width = 512").report(versus="rest")


def table_of(report: Report, name: str) -> Table:
    return next(t for s in report.sections for t in s.tables if f"{s.name}/{t.name}" == name)


def chart_of(report: Report, name: str) -> Chart:
    chart = table_of(report, name).chart
    assert chart is not None
    return chart


def line_of(chart: Chart, series: str, **group: str) -> list[tuple[float, float]]:
    """The points that are drawn of one selection."""
    spec = charts.specification(chart)
    assert spec["mark"] == {"type": "line", "interpolate": "step-after"}
    x, y = (spec["encoding"][axis]["field"] for axis in "xy")
    of = {"selection": series, **group}
    points = spec["data"]["values"]
    return [(p[x], p[y]) for p in points if all(p[k] == v for k, v in of.items())]


# --- charts ---


def test_every_bin_of_a_step_chart_is_as_wide_as_the_others_the_open_one_too(
    report: Report,
) -> None:
    points = line_of(chart_of(report, "settings/steps"), "A")
    assert points[-3:] == [(150, 0.75), (160, 0.75), (160, 0)]
    # From the left end of each bin its height holds to the left end of the next.
    drawn = {x: next(b for b, _ in points[i:] if b > x) - x for i, (x, _) in enumerate(points[:-2])}
    assert set(drawn.values()) == {10}


def test_a_step_chart_lies_at_nothing_where_a_bin_is_empty(report: Report) -> None:
    points = dict(line_of(chart_of(report, "settings/steps"), "B")[1:-1])
    assert points[10] == pytest.approx(2 / 9, abs=1e-6)
    assert [points[x] for x in (20, 30, 40, 60, 80, 140, 150)] == [0] * 7


def test_an_open_bin_says_on_the_axis_what_it_holds(report: Report) -> None:
    spec = charts.specification(chart_of(report, "settings/steps"))
    assert spec["encoding"]["x"]["axis"]["title"] == "steps (last bin: 150 or more)"


def test_two_selections_of_different_size_are_drawn_in_shares(report: Report) -> None:
    for name, _, chart in report.charts():
        if chart.series:
            columns = {chart.fields[axis] for axis in ("x", "y", "y2") if axis in chart.fields}
            columns |= {chart.fields["color"]} if chart.kind == "heatmap" else set()
            assert any(is_share(c) for names in columns for c in names.split(",")), name


def test_a_logarithmic_axis_draws_empty_bins_at_its_end(report: Report) -> None:
    points = line_of(chart_of(report, "nsfw/scores"), "A", score="image")
    assert dict(points[1:-1])[0.0] == 1.0
    assert points[-2] == (0.9, 0.1)
    assert {y for _, y in points} == {0.1, 1.0}


def test_a_line_over_time_lies_at_nothing_between_two_hours(tmp_path: Path) -> None:
    times = ("2022-08-07 01:10", "2022-08-07 01:20", "2022-08-07 09:00")
    folder = write(published(*({"timestamp": t} for t in _times(times))), tmp_path)
    with ddb_query.open("2m", data_dir=folder) as corpus:
        found = corpus.select().report(sections=["time"])
    points = charts.specification(chart_of(found, "time/hours"))["data"]["values"]
    drawn = [(p["hour"][11:13], p["images"]) for p in points]
    assert drawn == [("01", 2), ("02", 0), ("08", 0), ("09", 1)]


def _times(texts: tuple[str, ...]) -> list[Any]:
    import datetime

    return [datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC) for text in texts]


def test_bands_stand_in_their_order_whichever_selection_has_them(tmp_path: Path) -> None:
    prompts = [("a", 512), *[("b", 512)] * 7, *[("c", 640)] * 2, *[("d", 640)] * 3]
    rows = [{"prompt": prompt, "width": width} for prompt, width in prompts]
    with ddb_query.open("2m", data_dir=write(published(*rows), tmp_path)) as corpus:
        found = corpus.select(where="width = 512").report(versus="rest", sections=["prompts"])
    names = [row[0] for row in table_of(found, "prompts/reuse").rows]
    assert names == ["1", "2", "3–4", "5–9"]  # noqa: RUF001
    axis = charts.specification(chart_of(found, "prompts/reuse"))["encoding"]["x"]
    assert axis["sort"][:4] == names


# --- tables ---


def test_columns_of_one_thing_stand_together(report: Report) -> None:
    assert table_of(report, "terms/pairs").columns == (
        "rank", "a_term", "a_with_term", "a_share", "b_term", "b_with_term", "b_share",
    )  # fmt: skip
    assert table_of(report, "settings/samplers").columns[:4] == (
        "sampler", "a_share", "b_share", "difference_share",
    )  # fmt: skip


def test_what_one_selection_has_none_of_is_0_where_the_table_holds_all(report: Report) -> None:
    last = table_of(report, "settings/steps").records()[-1]
    assert last == {
        "low": 150, "high": None, "a_share": 0.75, "b_share": 0, "difference_share": 0.75,
    }  # fmt: skip


def test_artists_have_their_difference_and_log_odds_as_terms_have(report: Report) -> None:
    for what, name, a in (("terms", "oil", 4), ("artists", "wlop", 4)):
        table = table_of(report, f"terms/telling-{what}-a")
        record = next(r for r in table.records() if r[what[:-1]] == name)
        assert (record["a_prompts"], record["b_prompts"]) == (a, 0)
        assert (record["a_share"], record["b_share"], record["difference_share"]) == (1.0, 0.0, 1.0)
        assert record["log_odds"] > 0
        assert record["z_score"] > 0
    others = [r["artist"] for r in table_of(report, "terms/telling-artists-b").records()]
    assert others == ["artgerm"]


def test_counts_of_scores_have_their_shares_beside_them(report: Report) -> None:
    facts = {row[0]: row[1:] for row in table_of(report, "nsfw/summary").rows}
    assert facts["image_score_over_half"][:2] == (0, 4)
    # Nine images of B, four of which have a score over a half.
    assert facts["image_score_over_half_share"][1] == pytest.approx(4 / 9, abs=1e-6)
    for name in ("blurred", "image_scored", "prompt_scored", "prompt_score_over_half"):
        assert f"{name}_share" in facts


def test_an_empty_prompt_is_told_from_data(report: Report) -> None:
    shown = {form: rendered(report, form) for form in FACES}
    assert "<i>(empty prompt)</i>" in shown["html"]
    assert "<i>(white space alone)</i>" in shown["html"]
    assert r"| *(empty prompt)* |" in shown["markdown"].replace("\\(", "(").replace("\\)", ")")
    assert "(empty prompt)" in shown["table"]
    assert "\x1b[2m(empty prompt)" in rendered(report, "table", styled=True)
    prompts = json.loads(rendered(report, "json"))["sections"]["prompts"]["tables"]["most-used"]
    assert "" in [row["b_prompt"] for row in prompts["rows"]]


def test_a_prompt_that_looks_like_nothing_is_data() -> None:
    assert isinstance(spelled("prompt", ""), StandIn)
    assert isinstance(spelled("prompt", None), StandIn)
    for text in ("(empty prompt)", "\N{EN DASH}", "null"):
        assert not isinstance(spelled("prompt", text), StandIn)


@pytest.mark.parametrize(
    ("column", "value", "words"),
    [
        ("members_bytes", -116_819_200_000, "\N{MINUS SIGN}116.8 GB"),
        ("members_bytes", 2_400_000_000_000, "+2.4 TB"), ("images", -0.0, "0"),
        ("members_bytes", -999, "\N{MINUS SIGN}999 bytes"),
        ("members_bytes", 0, "0 bytes"), ("whole_parts_bytes", None, "\N{EN DASH}"),
    ],
)  # fmt: skip
def test_differences_of_bytes_are_in_readable_units(column: str, value: Any, words: str) -> None:
    assert difference(column, value) == words


# --- what shares are of ---


@pytest.mark.parametrize("compared", [False, True])
def test_every_share_says_in_every_face_what_it_is_of(
    compared: bool, report: Report, tmp_path: Path
) -> None:
    if not compared:
        with ddb_query.open("2m", data_dir=write(published({}, {}), tmp_path)) as corpus:
            report = corpus.select().report()
    shown = {form: " ".join(rendered(report, form).replace("\\", "").split()) for form in FACES}
    said = json.loads(rendered(report, "json"))["sections"]
    seen = 0
    for section in report.sections:
        for table in section.tables:
            names = [row[0] for row in table.rows] if table.facts else table.columns
            for name in {cells.parted(str(name))[1] for name in names}:
                if is_share(name):
                    seen += 1
                    of = table.meanings[name]
                    assert of.startswith("of ")
                    assert said[section.name]["tables"][table.name]["meanings"][name] == of
                    for form, text in shown.items():
                        words = of.replace("'", "&#x27;") if form == "html" else of
                        assert words in text, (form, table.name, name)
    assert seen > 25


def test_every_share_of_a_canned_query_says_what_it_is_of() -> None:
    from ddb_query.queries.library import QueryLibrary

    for query in QueryLibrary().all():
        whole = QueryLibrary().find(query.name)
        named = set(
            re.findall(r"\bas (\w*share)\b|\b(\w*_share)\b", whole.sql.rpartition("select")[2])
        )
        meanings = dict(query.columns)
        for name in {one or other for one, other in named}:
            assert meanings.get(name, "").startswith("of "), (query.name, name)


def test_an_axis_of_shares_says_what_they_are_of(report: Report) -> None:
    for name, table, chart in report.charts():
        text = charts.svg(chart)
        for column in (
            c for axis in ("x", "y", "y2") for c in chart.fields.get(axis, "").split(",")
        ):
            if is_share(column) and chart.kind != "ranking":
                assert table.meanings[column] in text.replace("&#39;", "'").replace(
                    "&apos;", "'"
                ), name


# --- the terminal ---


def test_no_number_and_no_heading_is_cut_in_a_terminal(report: Report) -> None:
    for line in rendered(report, "table", 80).splitlines():
        assert not re.search(r"\b(share|mean|median|p\d+)…|\d…", line), line


def test_a_table_that_is_too_wide_stands_in_blocks_that_begin_with_its_key(report: Report) -> None:
    text = rendered(report, "table", 80)
    start = text.index("How long prompts are")
    block = text[start : text.index("Characters of a prompt")]
    heads = [line.split() for line in block.splitlines() if line.startswith("measure")]
    assert len(heads) > 1
    for heading in heads:
        words = "".join(heading[1:])
        # Each measure has its A, its B and their difference in one block.
        assert words.count("A") == words.count("B") == 2 * words.count("A\N{MINUS SIGN}B")
    assert all(len(line) <= 80 for line in block.splitlines())
