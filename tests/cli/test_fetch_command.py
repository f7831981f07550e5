"""`ddb fetch`, `ddb gallery` and `Selection.fetch`, on the demo dataset and a loopback Hub."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urljoin, urlsplit

import pyarrow.parquet as pq
import pytest
from conftest import write_table
from hub import LoopbackHub, Status
from PIL import Image

import ddb_query
from ddb_query.cli._plan_table import plan_lines
from ddb_query.errors import MissingDataError, UsageError
from ddb_query.fetch.parts.demo import draw
from ddb_query.fetch.plan import Plan
from ddb_query.gallery.page import write_gallery
from ddb_query.gallery.preview import kind_of_terminal, preview
from ddb_query.util.escape import size_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from conftest import Ran

FETCH = ("--dataset", "demo", "fetch", "--max-image-nsfw", "0.1", "--sample", "6", "--seed", "7")

# A test that would go out asks nobody.
NOWHERE = {"HF_ENDPOINT": "http://127.0.0.1:1"}


def plain_picture(row: dict[str, Any]) -> bytes:
    """The file of an image of the size that its row says."""
    sink = io.BytesIO()
    Image.new("RGB", (row["width"], row["height"]), "teal").save(sink, "PNG", compress_level=1)
    return sink.getvalue()


@pytest.fixture
def castles(tmp_path: Path) -> Path:
    """A folder of nine demo images, of which some have a high score or none."""
    with ddb_query.open("demo") as corpus:
        where = "part_id = 1 and (image_nsfw > 0.6 or image_blurred or prompt_nsfw < 0.001)"
        chosen = corpus.select(
            where=where, include_blurred=True, order_by="image_nsfw desc", limit=9
        )
        chosen.fetch(tmp_path / "castles")
    return tmp_path / "castles"


class TestTheDemo:
    def test_is_fetched_without_a_network(self, ddb: Callable[..., Ran], tmp_path: Path) -> None:
        ran = ddb(*FETCH, "-o", "castles", HF_HUB_OFFLINE="1")
        assert (ran.code, ran.out) == (0, b"")
        assert "6 images fetched" in ran.err
        table = pq.read_table(tmp_path / "castles" / "metadata.parquet").to_pylist()
        assert len(table) == 6
        for r in table:
            with Image.open(tmp_path / "castles" / r["file_name"]) as image:
                assert image.size == (r["width"], r["height"])
        again = ddb(*FETCH, "-o", "castles", HF_HUB_OFFLINE="1")
        assert again.code == 0
        assert "0 images fetched (0 bytes) into castles; 6 were there" in again.err

    def test_draws_the_same_image_twice_and_blurs_what_is_blurred(self) -> None:
        row = {"prompt": "a castle", "seed": 1, "width": 64, "height": 96, "image_nsfw": 0.1}
        assert draw(row) == draw(row)
        assert draw(row) != draw({**row, "seed": 2})
        assert draw(row) != draw({**row, "image_nsfw": 2.0})

    def test_is_all_on_disk(self) -> None:
        with ddb_query.open("demo") as corpus:
            everything = corpus.sql("select count(*) from images").rows()[0][0]
            assert corpus.select(on_disk=True).count() == everything
            with pytest.raises(UsageError, match="on disk"):
                _ = corpus.select(on_disk=True).sql

    def test_shows_its_directories_as_members(self, castles: Path) -> None:
        names = [path.name for path in castles.glob("*.png")]
        with ddb_query.open("demo") as corpus:
            found = corpus.sql(
                "select size, source, crc32 from members join images using (image_name, part_id)"
                " where image_name = $name and dataset = 'demo'", {"name": names[0]},
            ).rows()  # fmt: skip
        size = (castles / names[0]).stat().st_size
        assert [(r[0], r[1]) for r in found] == [(size, "drawn")]


class TestAPlan:
    def test_goes_to_standard_output_and_writes_nothing(
        self, ddb: Callable[..., Ran], tmp_path: Path
    ) -> None:
        ran = ddb(*FETCH, "--plan", "-o", "castles")
        assert ran.code == 0
        lines = dict(line.split(maxsplit=1) for line in ran.text.splitlines())
        assert lines["images"] == "6, 6 that need no network"
        assert lines["parts"] == "0"
        assert not (tmp_path / "castles").exists()

    def test_says_what_it_costs_and_what_would_be_cheaper(
        self, ddb: Callable[..., Ran], tables: Path
    ) -> None:
        ran = ddb("--data-dir", tables, "--dataset", "large", "fetch", "--sample", "10", "--plan")
        lines = dict(line.split(maxsplit=1) for line in ran.text.splitlines())
        assert lines["parts"] == "4"
        assert lines["requests"].startswith("18: 4 resolves (the Hub allows about 3,000")
        assert lines["network"].startswith("about")
        assert "from 1 instead of 4 parts for 67% of the requests" in lines["cheaper"]

    def test_has_a_form_for_other_programs(self, ddb: Callable[..., Ran]) -> None:
        (found,) = json.loads(ddb(*FETCH, "--plan", "--format", "json").out)
        assert (found["images"], found["nearby"], found["resolves"]) == (6, 6, 0)

    def test_that_is_large_wants_a_yes(
        self, ddb: Callable[..., Ran], tables: Path, tmp_path: Path
    ) -> None:
        ran = ddb(
            "--data-dir", tables, "--dataset", "2m", "fetch", "--sample", "40", "-o", "x",
            "--confirm-above", "10MB", DDB_CACHE_DIR=str(tmp_path / "cache"), **NOWHERE,
        )  # fmt: skip
        assert (ran.code, ran.out) == (2, b"")
        assert "network: about" in ran.err
        assert "more than 10.0 MB" in ran.err
        assert "--yes" in ran.err
        assert not (tmp_path / "x").exists()

    @pytest.mark.parametrize(
        ("size", "text"),
        [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2.5e9, "2.5 GB"), (4e12, "4.0 TB")],
    )
    def test_has_sizes_that_people_read(self, size: float, text: str) -> None:
        assert size_text(size) == text

    def test_is_not_made_for_those_who_said_yes(
        self, ddb: Callable[..., Ran], tmp_path: Path
    ) -> None:
        loaded = {
            args: "ddb_query.fetch.plan" in ddb(
                *FETCH, "-o", "castles", *args, PYTHONPROFILEIMPORTTIME="1"
            ).err
            for args in ((), ("--yes",))
        }  # fmt: skip
        assert loaded == {(): True, ("--yes",): False}
        assert len(list((tmp_path / "castles").glob("*.png"))) == 6

    def test_reads_no_ledger_through_a_link(self, ddb: Callable[..., Ran], tmp_path: Path) -> None:
        ledger = tmp_path / "castles" / ".ddb" / "ledger.sqlite"
        ledger.parent.mkdir(parents=True)
        outside = tmp_path / "outside"
        outside.write_text("not to be read")
        ledger.symlink_to(outside)
        assert ddb(*FETCH, "-o", "castles", "--plan").code == 0
        ran = ddb(*FETCH, "-o", "castles")
        assert (ran.code, "it is a link" in ran.err) == (3, True)
        assert outside.read_text() == "not to be read"

    def test_says_when_the_disk_is_too_small(self) -> None:
        lines = dict(plan_lines(Plan(disk=2_000, free=1_000)))
        assert lines["disk"] == "about 2.0 kB, 1.0 kB are free: not enough"


class TestFromAHub:
    @pytest.fixture
    def hub(self, tables: Path) -> Iterator[LoopbackHub]:
        """The first two parts of the small 2m table, of which only some images are there."""
        from fetching import zipped

        rows = pq.read_table(tables / "metadata.parquet").to_pylist()
        data = {
            part: zipped(
                (r["image_name"], plain_picture(r)) for n, r in enumerate(rows)
                if r["part_id"] == part and n % 1000 < 50
            )
            for part in (1, 2)
        }  # fmt: skip
        with LoopbackHub({f"images/part-{n:06d}.zip": part for n, part in data.items()}) as hub:
            yield hub

    @pytest.fixture
    def names(self, tables: Path, tmp_path: Path) -> Path:
        """A file of the first 20 names of part 1 that are not blurred."""
        rows = pq.read_table(tables / "metadata.parquet").slice(0, 40).to_pylist()
        path = tmp_path / "names.csv"
        chosen = [r["image_name"] for r in rows if r["image_nsfw"] != 2.0][:20]
        path.write_text("image_name\n" + "\n".join(chosen) + "\n")
        return path

    def fetch(self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path, *args: object) -> Ran:
        return ddb(
            "--data-dir", tables, "--dataset", "2m", "fetch", "-o", "out", *args,
            HF_ENDPOINT=hub.endpoint, HF_TOKEN="hf_secretToken", HF_HUB_DOWNLOAD_TIMEOUT="5",
        )  # fmt: skip

    def test_the_images_of_a_subset_file_come(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path, names: Path, tmp_path: Path
    ) -> None:
        ran = self.fetch(ddb, hub, tables, "--from", names)
        assert (ran.code, ran.out) == (0, b"")
        wanted = names.read_text().split()[1:]
        assert sorted(p.name for p in (tmp_path / "out").glob("*.png")) == sorted(wanted)
        assert len(hub.asked("hub")) == 1
        assert "secret" not in ran.err

    def test_what_is_missing_ends_in_exit_4_and_one_line(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path
    ) -> None:
        ran = self.fetch(ddb, hub, tables, "--where", "part_id = 1", "--limit", "60")
        assert ran.code == 4
        assert "does not hold it" in ran.err
        assert ran.err.splitlines()[-2].startswith("ddb: ")
        assert "--retry-failed" in ran.err.splitlines()[-1]

    def test_a_part_that_is_not_there_ends_in_exit_3_when_nothing_else_is(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path
    ) -> None:
        ran = self.fetch(ddb, hub, tables, "--part", "3", "--limit", "5")
        assert ran.code == 3
        assert "has no images/part-000003.zip" in ran.err

    def test_a_damaged_part_is_told_when_its_json_was_to_be_compared(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path, names: Path
    ) -> None:
        # These parts have no JSON; then one has no directory either, but its images are here.
        assert self.fetch(ddb, hub, tables, "--from", names).code == 0
        ran = self.fetch(ddb, hub, tables, "--from", names, "--check-json")
        assert ran.code == 4
        assert "images/part-000001.zip on 127.0.0.1 does not hold it" in ran.err
        hub.files["images/part-000001.zip"] = bytes(1000)
        ran = self.fetch(ddb, hub, tables, "--from", names, "--check-json")
        assert ran.code == 4
        assert "it does not end like a zip" in ran.err
        assert "the JSON of 1 parts could not be compared" in ran.err.splitlines()[-2]
        assert self.fetch(ddb, hub, tables, "--from", names).code == 0

    @pytest.mark.parametrize("patience", [[], ["--patience", "0"]], ids=["as usual", "none"])
    def test_no_network_is_told_soon(
        self, ddb: Callable[..., Ran], tables: Path, names: Path, patience: list[str]
    ) -> None:
        ran = ddb(
            "--data-dir", tables, "--dataset", "2m", "fetch", "-o", "out", "--from", names,
            *patience, **NOWHERE,
        )  # fmt: skip
        assert ran.code == 3
        *_, told, hint = ran.err.splitlines()
        assert told == "ddb: cannot reach 127.0.0.1: Connection refused"
        assert "--patience SECONDS" in hint
        assert ("trying again" in ran.err) == (not patience)

    def test_a_hub_that_refuses_ends_in_exit_3(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path, names: Path
    ) -> None:
        hub.faults.append(Status(401, times=100, on="hub"))
        ran = self.fetch(ddb, hub, tables, "--from", names)
        assert ran.code == 3
        assert "does not accept the token" in ran.err
        assert "hf_secretToken" not in ran.err

    @pytest.mark.parametrize(
        "args",
        [["--layout", "webdataset", "--class-by", "sampler"], ["--confirm-above", "much"],
         ["--prefer-parts"], ["--local", "nowhere"]],
        ids=" ".join,
    )  # fmt: skip
    def test_what_makes_no_sense_is_said(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path, args: list[str]
    ) -> None:
        ran = self.fetch(ddb, hub, tables, "--limit", "2", *args)
        assert ran.code in (2, 3)
        assert len(ran.err.splitlines()) == 2
        assert hub.requests == []

    def test_only_what_is_on_disk_is_selected(
        self, ddb: Callable[..., Ran], hub: LoopbackHub, tables: Path, tmp_path: Path
    ) -> None:
        import shutil

        data = tmp_path / "data"
        shutil.copytree(tables, data)
        zips = tmp_path / "zips"
        zips.mkdir()
        (zips / "part-000002.zip").write_bytes(hub.files["images/part-000002.zip"])
        assert ddb("--data-dir", data, "data", "add", zips).code == 0
        ran = ddb(
            "--data-dir", data, "--dataset", "2m", "fetch", "--on-disk", "-o", "out",
            "--limit", "9", "--where", "not image_blurred", HF_HUB_OFFLINE="1",
        )  # fmt: skip
        assert "into out" in ran.err
        found = pq.read_table(tmp_path / "out" / "metadata.parquet")
        assert set(found["part_id"].to_pylist()) == {2}
        assert hub.requests == []
        # Of the 1,000 images of the part only those that are in the zip are on the disk.
        ran = ddb("--data-dir", data, "--dataset", "2m", "export", "--on-disk", "-o", "on.csv")
        assert (ran.code, (tmp_path / "on.csv").read_text().count(".png")) == (0, 50)


def test_a_folder_that_cannot_be_made_is_named_with_what_helps(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for folder in ("file", "file/below"):
        ran = ddb("--dataset", "demo", "fetch", "--limit", "3", "-o", folder)
        assert ran.code == 3
        assert ran.err.splitlines()[-2].startswith(f"ddb: cannot write {folder}: ")
        assert ran.err.splitlines()[-1] == "hint: -o DIR names another folder"


def test_no_folder_is_a_usage_error(ddb: Callable[..., Ran]) -> None:
    ran = ddb("--dataset", "demo", "fetch", "--limit", "3")
    assert (ran.code, "-o DIR" in ran.err) == (2, True)


def test_a_sample_from_fewest_parts_is_of_the_same_size(tables: Path) -> None:
    with ddb_query.open("large", data_dir=tables) as corpus:
        sample = corpus.select(sample=40, seed=3)
        few = sample.from_fewest_parts()
        assert few.count() == 40
        assert len(set(few.arrow()["part_id"].to_pylist())) == 1
        with pytest.raises(UsageError, match="only a sample"):
            corpus.select().from_fewest_parts()


def test_a_weight_goes_along_with_the_metadata(tmp_path: Path) -> None:
    with ddb_query.open("demo") as corpus:
        corpus.select(part=1, sample=4, stratify="sampler").fetch(tmp_path / "out")
    assert "weight" in pq.read_schema(tmp_path / "out" / "metadata.parquet").names


def test_a_corpus_answers_after_a_fetch_that_was_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with ddb_query.open("demo") as corpus:
        with pytest.raises(ddb_query.DdbError):
            corpus.select(limit=3).fetch(tmp_path / "file")
        assert corpus.select(limit=3).count() == 3


@pytest.mark.parametrize("name", ["metadata.parquet", "images-000000.tar"])
def test_a_fetch_replaces_no_file_of_somebody_elses(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("mine")
    with ddb_query.open("demo") as corpus, pytest.raises(UsageError, match="no fetch has written"):
        corpus.select(limit=3).fetch(tmp_path)
    assert [path.name for path in tmp_path.iterdir() if path.name != "home"] == [name]
    assert (tmp_path / name).read_text() == "mine"


class TestAGallery:
    def test_is_one_file_that_loads_nothing(self, castles: Path) -> None:
        (page,) = write_gallery(castles, force=True)
        assert page == castles.with_name("castles.html")
        html = page.read_text()
        assert not re.findall(r'src="(?!data:image/webp;base64,)', html)
        policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
        assert policy
        style = re.search("<style>(.*?)</style>", html, re.DOTALL)
        script = re.search("<script>(.*?)</script>", html, re.DOTALL)
        assert style
        assert script
        for kind, text in (("style", style[1]), ("script", script[1])):
            digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
            assert f"{kind}-src 'sha256-{digest}'" in policy[1]
        assert policy[1].startswith("default-src 'none'; img-src data:;")

    def test_has_a_thumbnail_of_each_image_with_its_prompt(self, castles: Path) -> None:
        (page,) = write_gallery(castles, force=True)
        found = re.findall(r'<figure.*?base64,([^"]+)".*?</figure>', page.read_text(), re.DOTALL)
        assert len(found) == 9
        with Image.open(io.BytesIO(base64.b64decode(found[0]))) as image:
            assert max(image.size) <= 288

    def test_blurs_what_is_over_the_threshold_unknown_or_blurred(self, castles: Path) -> None:
        rows = pq.read_table(castles / "metadata.parquet").to_pylist()
        high = sum(max(r["image_nsfw"], r["prompt_nsfw"]) > 0.5 for r in rows)
        assert high
        (page,) = write_gallery(castles, force=True)
        assert page.read_text().count("class=veiled") == high
        write_gallery(castles, veil_above=0.0, force=True)
        assert page.read_text().count("class=veiled") == 9

    def test_pages_are_linked(self, castles: Path, tmp_path: Path) -> None:
        pages = write_gallery(castles, tmp_path / "a b.html", page_images=4)
        assert [page.name for page in pages] == ["a b.html", "a b-2.html", "a b-3.html"]
        html = pages[1].read_text()
        links = re.findall('href="([^"]+[.]html)"', html)
        assert links == 2 * ["a%20b.html", "a%20b-3.html"]
        assert html.count("<figure") == 4

    @pytest.mark.parametrize("layout", ["webdataset", "parquet"])
    def test_is_made_of_shards_too(self, tmp_path: Path, layout: str) -> None:
        with ddb_query.open("demo") as corpus:
            corpus.select(part=1, limit=3).fetch(tmp_path / "out", layout=layout)
        (page,) = write_gallery(tmp_path / "out")
        html = page.read_text()
        assert html.count("<figure") == 3
        assert "href=" not in html
        assert len(re.findall(r"in [\w-]+[.](?:tar|parquet)", html)) == 3

    @pytest.mark.parametrize("where", ["sheets/x.html", "x.html", "images #1/x.html"])
    def test_links_each_image_to_its_file_from_wherever_the_page_is(
        self, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = tmp_path / "images #1" / "50% a:b"
        with ddb_query.open("demo") as corpus:
            corpus.select(part=1, limit=3).fetch(folder)
        (tmp_path / where).parent.mkdir(exist_ok=True)
        monkeypatch.chdir(tmp_path)
        (page,) = write_gallery(folder, Path(where))
        links = re.findall('href="([^"]+)"', page.read_text())
        files = {Path(unquote(urlsplit(urljoin(page.absolute().as_uri(), a)).path)) for a in links}
        assert files == set(folder.glob("*.png"))
        assert len(files) == 3

    def test_names_no_user_and_hides_no_caption(self, castles: Path) -> None:
        rows = pq.read_table(castles / "metadata.parquet").to_pylist()
        (page,) = write_gallery(castles)
        html = page.read_text()
        for user in {r["user_name"] for r in rows} - {None}:
            assert user[:8] not in html
        assert "user" not in re.sub(r"base64,[^\"]*|Content-Security[^>]*", "", html).lower()
        style = html[html.index("<style>") : html.index("</style>")]
        assert "hover" not in style
        assert "opacity" not in style

    def test_shows_text_of_the_data_as_text(self, tmp_path: Path) -> None:
        nasty = '"><script>alert(1)</script>\u202e\x1b[31m'
        table = write_table(tmp_path / "metadata.parquet", rows=50)
        rows = pq.read_table(table)
        place = rows.schema.get_field_index("prompt")
        import pyarrow as pa

        pq.write_table(rows.set_column(place, "prompt", pa.array([nasty] * 50)), table)
        for r in rows.to_pylist():
            folder = tmp_path / "extracted" / f"part-{r['part_id']:06d}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / r["image_name"]).write_bytes(plain_picture(r))
        with ddb_query.open("2m", data_dir=tmp_path) as corpus:
            corpus.select(limit=2).fetch(tmp_path / "out", local=tmp_path / "extracted")
        html = write_gallery(tmp_path / "out", title=nasty)[0].read_text()
        assert html.count("<script>") == 1
        assert "\u202e" not in html
        assert "\x1b" not in html
        assert "&lt;script&gt;" in html

    def test_of_a_folder_without_images_says_how_to_get_some(
        self, ddb: Callable[..., Ran], tmp_path: Path
    ) -> None:
        with pytest.raises(MissingDataError):
            write_gallery(tmp_path)
        ran = ddb("gallery", "nowhere")
        assert (ran.code, "ddb fetch -o nowhere" in ran.err) == (3, True)

    def test_is_a_command(self, ddb: Callable[..., Ran], castles: Path, tmp_path: Path) -> None:
        ran = ddb("gallery", castles, "-o", "sheet.html", "--title", "Castles", "--page", "5")
        assert (ran.code, ran.out) == (0, b"")
        assert "<h1>Castles</h1>" in (tmp_path / "sheet-2.html").read_text()
        (tmp_path / "sheet.html").unlink()
        kept = (tmp_path / "sheet-2.html").read_text()
        ran = ddb("gallery", castles, "-o", "sheet.html", "--page", "5")
        assert (ran.code, "sheet-2.html exists already\nhint: --force" in ran.err) == (2, True)
        assert not (tmp_path / "sheet.html").exists()
        assert (tmp_path / "sheet-2.html").read_text() == kept
        assert ddb("gallery", castles, "-o", "sheet.html", "--page", "5", "--force").code == 0
        assert ddb("gallery", castles, "-o", "-").text.startswith("<!DOCTYPE html>")
        assert ddb("gallery", castles, "-o", "-", "--page", "5").code == 2


class TestAPreview:
    @pytest.mark.parametrize(
        ("environment", "kind"),
        [
            ({"TERM": "xterm-kitty"}, "kitty"), ({"TERM_PROGRAM": "ghostty"}, "kitty"),
            ({"TERM_PROGRAM": "iTerm.app"}, "iterm"), ({"COLORTERM": "truecolor"}, "blocks"),
            ({"TERM": "xterm"}, None), ({}, None),
        ],
    )  # fmt: skip
    def test_is_what_the_terminal_knows(
        self, environment: dict[str, str], kind: str | None
    ) -> None:
        assert kind_of_terminal(environment) == kind

    def test_is_a_picture_in_the_terminals_own_form(self, tmp_path: Path) -> None:
        castles = tmp_path / "castles"
        with ddb_query.open("demo") as corpus:
            corpus.select(part=1, max_image_nsfw=0.1, limit=4).fetch(castles)
        kitty = preview(castles, "kitty", 100)
        data = "".join(re.findall(r"\x1b_G[^;]*;([^\x1b]*)\x1b\\", kitty))
        with Image.open(io.BytesIO(base64.b64decode(data))) as image:
            assert image.format == "PNG"
        assert preview(castles, "iterm", 100).startswith("\x1b]1337;File=inline=1;size=")
        lines = preview(castles, "blocks", 40).splitlines()
        assert {line.count("▀") for line in lines} == {len(lines[0].split("▀")) - 1}
        assert len(lines[0].split("▀")) - 1 <= 40

    def test_shows_no_image_with_a_high_score(self, tmp_path: Path) -> None:
        with ddb_query.open("demo") as corpus:
            unsafe = corpus.select(where="image_nsfw > 0.6", include_blurred=True, limit=3)
            unsafe.fetch(tmp_path / "out")
        assert preview(tmp_path / "out", "kitty", 100) == ""


def test_the_ledger_says_where_each_image_came_from(castles: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(castles / ".ddb" / "ledger.sqlite")) as ledger:
        rows = ledger.execute("select file, bytes, sha256, source, state from images").fetchall()
    for file, size, sha256, source, state in rows:
        data = (castles / file).read_bytes()
        assert (len(data), hashlib.sha256(data).hexdigest()) == (size, sha256)
        assert (source, state) == ("drawn", "fetched")
    assert json.dumps(rows)
