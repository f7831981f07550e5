"""`ddb data`: what there is, what is registered where it lies, what is pulled and deleted."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import pytest
from hub import LoopbackHub, Truncate

from ddb_query.datasets import Catalog
from ddb_query.datasets.adding import add_parts, add_table, is_parts
from ddb_query.datasets.registry import Added, AddedParts
from ddb_query.engines.open import open_engine
from ddb_query.errors import BadTableError
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

NAME = "00000000-0000-4000-8000-00000000000"


# Said where both tables are there and none was named.
CHOICE = "note: using dataset 2m; --dataset large has the other\n"


class Line(NamedTuple):
    """One line of `ddb data status`."""

    rows: int | None
    origin: str | None
    where: str | None
    problem: str | None


def status(ran: Ran) -> dict[str, Line]:
    """What `ddb data status --format json` says, by name."""
    assert (ran.code, ran.err.replace(CHOICE, "")) == (0, "")
    return {
        line["dataset"]: Line(*(line[name] for name in Line._fields))
        for line in json.loads(ran.text)
    }


STATUS = ("data", "status", "--format", "json")
MISSING_2M = Line(None, None, None, "missing; get it with `ddb data pull 2m`")


def rewritten(table: Path, target: Path, select: str) -> Path:
    """A table with other columns or types."""
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(f"copy (select {select} from '{table}') to '{target}'")
    return target


def part_zip(folder: Path, number: int, suffix: str) -> None:
    folder.mkdir(exist_ok=True)
    with zipfile.ZipFile(folder / f"part-{number:06d}.zip", "w") as archive:
        archive.writestr(f"part-{number:06d}.json", "{}")
        archive.writestr(f"{NAME}{number}.{suffix}", b"image")


def test_status_tells_what_is_missing_and_the_command_that_gets_it(
    ddb: Callable[..., Ran], home: Path
) -> None:
    found = status(ddb(*STATUS, DDB_CACHE_DIR=str(home / "cache")))
    assert found == {
        "2m": MISSING_2M,
        "large": Line(None, None, None, "missing; get it with `ddb data pull large`"),
        "demo": Line(None, None, None, "missing; get it with `ddb data demo`"),
    }


def test_status_tells_rows_and_origin_and_where_in_each_form(
    ddb: Callable[..., Ran], tables: Path
) -> None:
    found = status(ddb("--data-dir", tables, *STATUS))
    assert found["2m"] == Line(3000, "found", str(tables / "metadata.parquet"), None)
    assert found["large"] == Line(5000, "found", str(tables / "metadata-large.parquet"), None)
    title, first, *_ = ddb("--data-dir", tables, "data", "status").text.splitlines()
    assert title.split() == [
        "dataset", "rows", "megabytes", "row_groups", "origin", "images_from", "where", "problem",
    ]  # fmt: skip
    assert first.split() == [
        "2m", "3000", "0.3", "1", "found", "2m", str(tables / "metadata.parquet"),
    ]  # fmt: skip
    csv = ddb("--data-dir", tables, "data", "status", "--format", "csv").text.splitlines()
    assert csv[1] == f"2m,3000,0.3,1,found,2m,{tables / 'metadata.parquet'},"


def test_status_tells_of_damaged_tables_and_stays_calm(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "metadata.parquet").write_bytes((tables / "metadata.parquet").read_bytes()[:5000])
    rewritten(tables / "metadata.parquet", data / "metadata-large.parquet", "* exclude (seed)")
    found = status(ddb(*STATUS, "--data-dir", data))
    assert found["2m"].problem == "a truncated parquet file"
    assert found["large"].problem == "column seed: expected UINTEGER, found no such column"


@pytest.mark.slow
def test_wider_types_are_taken_and_extra_columns_noted_and_left_out(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    wider = rewritten(
        tables / "metadata.parquet",
        tmp_path / "wider.parquet",
        "1 as aesthetic, * replace (part_id::integer as part_id, seed::bigint as seed,"
        " cfg::double as cfg, sampler::usmallint as sampler, width::bigint as width,"
        " timestamp::timestamp_ns as timestamp, image_nsfw::double as image_nsfw),"
        " 'x' as caption",
    )
    ran = ddb("data", "add", wider)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err.splitlines()[0] == "note: columns left out: aesthetic, caption"
    asked = ("sql", "--format", "csv", "--dataset")
    mine = ddb(*asked, "wider", "from wider order by image_name")
    published = ("2m", "from metadata order by image_name")
    assert mine.text == ddb("--data-dir", tables, *asked, *published).text


def test_add_recognises_part_zips_and_extracted_parts(
    ddb: Callable[..., Ran], tmp_path: Path, home: Path
) -> None:
    part_zip(tmp_path / "zips", 1, "png")
    part_zip(tmp_path / "zips", 2, "png")
    extracted = tmp_path / "extracted" / "part-000007"
    extracted.mkdir(parents=True)
    (extracted / f"{NAME}7.webp").write_bytes(b"image")
    ran = ddb("data", "add", "zips", extracted)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == (
        f"note: added part zips of 2m: {tmp_path / 'zips'}\n"
        f"note: added extracted parts of large: {extracted.parent}\n"
    )
    found = status(ddb(*STATUS))
    assert found["2m zips"] == Line(None, "added", str(tmp_path / "zips"), None)
    assert found["large folders"] == Line(None, "added", str(extracted.parent), None)
    assert not (home / "data").exists()


def test_one_part_zip_stands_for_its_folder(tmp_path: Path) -> None:
    part_zip(tmp_path / "zips", 3, "webp")
    catalog = Catalog(Settings.from_environment())
    added = add_parts(catalog, tmp_path / "zips/part-000003.zip")
    assert added == AddedParts("zips", tmp_path / "zips", "large")
    assert catalog.registry.read().parts == (added,)
    (tmp_path / "zips" / "part-000003.zip").rename(tmp_path / "mine.zip")
    with pytest.raises(BadTableError) as caught:
        add_parts(catalog, tmp_path / "mine.zip")
    assert caught.value.problem == "a zip that is not named like a part"


def test_parts_take_no_name_and_say_whose_images_they_are(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    part_zip(tmp_path / "zips", 1, "txt")
    named = ddb("data", "add", "zips", "--as", "mine")
    assert named.code == 2
    assert named.err == (
        "ddb: --as names one metadata table\nhint: add tables one by one; parts have no name,"
        " --images-from says whose they are\n"
    )
    unknown = ddb("data", "add", "zips")
    assert unknown.code == 3
    assert unknown.err.endswith(
        "hint: --images-from 2m or --images-from large says whose parts these are\n"
    )
    ran = ddb("data", "add", "zips", "--images-from", "large")
    assert (ran.code, ran.err) == (0, f"note: added part zips of large: {tmp_path / 'zips'}\n")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("missing", "no such file"),
        ("text", "not a parquet file"),
        ("empty", "the file is empty"),
        ("folder", "a folder without part zips and without images"),
        ("broken zip", "not a zip file that can be read"),
        ("zip without images", "its first part holds no `<uuid>.png` or `<uuid>.webp`"),
    ],
)
def test_add_refuses_anything_else_with_a_reason(kind: str, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "thing"
    match kind:
        case "text":
            path.write_text("image_name,prompt\n")
        case "empty":
            path.touch()
        case "folder":
            path.mkdir()
        case "broken zip":
            path.mkdir()
            (path / "part-000001.zip").write_text("junk")
        case "zip without images":
            part_zip(path, 1, "txt")
    settings = Settings.from_environment()
    catalog = Catalog(settings)
    with closing(open_engine(settings)) as engine:
        add = add_parts if is_parts(path) else partial(add_table, engine=engine)
        with pytest.raises(BadTableError) as caught:
            add(catalog, path=path)
    assert caught.value.problem == problem
    assert str(caught.value.path).startswith(str(path))
    assert not catalog.registry.path.exists()


def test_add_says_what_it_refuses_and_keeps_what_it_took_before(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    wrong = tmp_path / "notes.parquet"
    wrong.write_text("not parquet")
    ran = ddb("data", "add", tables / "metadata.parquet", wrong)
    assert (ran.code, ran.out) == (3, b"")
    _, added, refused, hint = ran.err.splitlines()
    assert added.startswith("note: added dataset 2m: ")
    assert refused == f"ddb: {wrong}: not a parquet file"
    assert hint.startswith("hint: `ddb data pull 2m`")
    assert [
        table.name for table in Catalog(Settings.from_environment()).registry.read().tables
    ] == ["2m"]


def test_remove_forgets_what_was_added_and_leaves_the_files(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    part_zip(tmp_path / "zips", 1, "png")
    table = tables / "metadata.parquet"
    assert ddb("data", "add", table, "zips").code == 0
    ran = ddb("data", "remove", "zips", "2m")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == (
        f"note: forgot part zips of 2m; the files stay: {tmp_path / 'zips'}\n"
        f"note: forgot dataset 2m; its file stays: {table}\n"
    )
    assert Catalog(Settings.from_environment()).registry.read() == Added()
    assert table.exists()
    assert (tmp_path / "zips" / "part-000001.zip").exists()


def test_remove_does_not_delete_a_table_that_ddb_did_not_write(
    ddb: Callable[..., Ran], tables: Path, home: Path
) -> None:
    own = home / "data" / "metadata.parquet"
    own.parent.mkdir()
    shutil.copy(tables / "metadata.parquet", own)
    for what in ("2m", own):
        ran = ddb("data", "remove", what, "--yes")
        assert (ran.code, ran.out) == (2, b"")
        assert ran.err == (
            f"ddb: nothing of ddb's own and nothing added is called {what}\n"
            "hint: `ddb data status` shows what there is\n"
        )
    assert own.exists()


@pytest.mark.slow
def test_demo_is_generated_and_removed_only_with_a_yes(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    cache = str(tmp_path / "cache")
    table = tmp_path / "cache" / "demo" / "metadata-demo.parquet"
    ran = ddb("data", "demo", "--rows", "2500", "--seed", "7", DDB_CACHE_DIR=cache)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == f"note: generated 2,500 made-up rows: {table}\n"
    before = table.read_bytes()

    ran = ddb(
        "data", "demo", "--rows", "2500", "--seed", "7", "--threads", "1", DDB_CACHE_DIR=cache
    )
    assert (ran.code, table.read_bytes() == before) == (0, True)
    ran = ddb("--dataset", "demo", "sql", "select count(*) as n from images", "--format", "csv",
              DDB_CACHE_DIR=cache)  # fmt: skip
    assert (ran.code, ran.text, ran.err) == (0, "n\n2500\n", "")

    ran = ddb("data", "remove", "demo", DDB_CACHE_DIR=cache)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == (
        f"note: to delete: {table}\n"
        "ddb: deleting needs a yes\nhint: --yes says it without a terminal\n"
    )
    assert table.exists()
    ran = ddb("data", "remove", "demo", "--yes", DDB_CACHE_DIR=cache)
    assert (ran.code, ran.out, ran.err) == (0, b"", f"note: to delete: {table}\n")
    assert not table.exists()


@pytest.mark.parametrize("given", [["--rows", "0"], ["--rows", "99999999999"], ["--seed", "-1"]])
def test_a_demo_of_an_impossible_size_is_a_usage_error(
    given: list[str], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("data", "demo", *given, DDB_CACHE_DIR=str(tmp_path / "cache"))
    assert (ran.code, ran.out) == (2, b"")
    assert "rows" in ran.err or "seed" in ran.err
    assert "Traceback" not in ran.err
    assert not list(tmp_path.rglob("*.parquet"))


@pytest.mark.slow
def test_pull_gets_a_table_and_goes_on_after_a_break_and_remove_deletes_it(
    ddb: Callable[..., Ran], tables: Path, home: Path
) -> None:
    content = (tables / "metadata.parquet").read_bytes()
    target = home / "data" / "metadata.parquet"
    with LoopbackHub({"metadata.parquet": content}) as hub:
        hub.faults.append(Truncate(after=100_000))
        ran = ddb("data", "pull", "2m", "--revision", "v1", HF_ENDPOINT=hub.endpoint)
        assert (ran.code, ran.out) == (0, b"")
        assert hub.ranges()[:2] == [None, "bytes=100000-"]
        assert all("/resolve/v1/" in request.path for request in hub.asked("hub"))
        assert ran.err.splitlines()[-1] == (
            f"note: downloaded: {target} ({len(content) / 1e6:.1f} MB) at commit {hub.commit}"
        )
        assert target.read_bytes() == content
        again = ddb("data", "pull", "2m", "--revision", "v1", HF_ENDPOINT=hub.endpoint)
        assert (again.code, again.out) == (0, b"")
        assert again.err.startswith(f"note: already there: {target}")

    ran = ddb("run", "sampler-stats", "--limit", "1", "--format", "csv")
    assert (ran.code, ran.text.count("\n"), ran.err) == (0, 2, "")
    ran = ddb("data", "remove", "2m", "--yes")
    assert (ran.code, ran.out) == (0, b"")
    assert f"note: to delete: {target}\n" in ran.err
    assert {path.suffix for path in target.parent.iterdir()} <= {".lock"}


def test_pull_keeps_an_old_table_when_what_comes_is_no_metadata_table(
    ddb: Callable[..., Ran], tables: Path, home: Path
) -> None:
    target = home / "data" / "metadata-large.parquet"
    target.parent.mkdir()
    shutil.copy(tables / "metadata-large.parquet", target)
    before = target.read_bytes()
    with LoopbackHub({"metadata-large.parquet": b"PAR1" + b"not parquet" * 50 + b"PAR1"}) as hub:
        ran = ddb("data", "pull", "large", HF_ENDPOINT=hub.endpoint)
    assert (ran.code, ran.out) == (3, b"")
    assert ": a damaged parquet file: " in ran.err
    assert "Traceback" not in ran.err
    assert target.read_bytes() == before


def test_pull_offline_asks_nobody_and_says_why(ddb: Callable[..., Ran]) -> None:
    ran = ddb("data", "pull", "2m", HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err.startswith("ddb: HF_HUB_OFFLINE is set: nothing is asked of the Hub\nhint: ")
