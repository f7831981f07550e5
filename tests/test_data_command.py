"""`ddb data`: what there is, what is registered where it lies, what is pulled and deleted."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import duckdb
import pytest
from hub import LoopbackHub, Truncate

import ddb_query
from ddb_query.catalog import Catalog
from ddb_query.errors import BadTableError, MissingDataError
from ddb_query.opening import open_engine
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

NAME = "00000000-0000-4000-8000-00000000000"


class Line(NamedTuple):
    """One line of `ddb data status`."""

    rows: str
    where: str


def status(ran: Ran) -> dict[str, Line]:
    assert (ran.code, ran.err) == (0, "")
    title, *lines = ran.text.splitlines()
    assert title.split() == ["dataset", "rows", "megabytes", "row_groups", "where"]
    begin, end = title.index("where"), title.index("rows") + 4
    return {
        line[: end - 4].strip(): Line(line[:end].split()[-1], line[begin:].strip())
        for line in lines
    }


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
    found = status(ddb("data", "status", DDB_CACHE_DIR=str(home / "cache")))
    assert {name: line.where for name, line in found.items()} == {
        "2m": "missing; get it with `ddb data pull 2m`",
        "large": "missing; get it with `ddb data pull large`",
        "demo": "missing; get it with `ddb data demo`",
    }


def test_status_tells_rows_and_where_of_what_is_there(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    found = status(ddb("--data-dir", tables, "data", "status", "-q"))
    assert found["2m"] == Line("3000", str(tables / "metadata.parquet"))
    assert found["large"] == Line("5000", str(tables / "metadata-large.parquet"))


def test_status_tells_of_damaged_tables_and_stays_calm(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    (data / "metadata.parquet").write_bytes((tables / "metadata.parquet").read_bytes()[:5000])
    rewritten(tables / "metadata.parquet", data / "metadata-large.parquet", "* exclude (seed)")
    found = status(ddb("data", "status", "-q", "--data-dir", data))
    assert found["2m"].where == f"{data / 'metadata.parquet'}: a truncated parquet file"
    assert found["large"].where.endswith("column seed: expected UINTEGER, found no such column")


@pytest.mark.slow
def test_add_registers_tables_in_place_and_knows_which_is_which(
    ddb: Callable[..., Ran], tables: Path, home: Path, tmp_path: Path
) -> None:
    for name in ("metadata.parquet", "metadata-large.parquet"):
        shutil.copy(tables / name, tmp_path / f"my-{name}")
    mine = [tmp_path / "my-metadata-large.parquet", tmp_path / "my-metadata.parquet"]
    ran = ddb("data", "add", mine[0], mine[1].name)
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == (
        f"note: added {mine[0]}: metadata table of large\n"
        f"note: added {mine[1]}: metadata table of 2m\n"
        "note: using dataset 2m; --dataset large has the other\n"
    )
    assert not list((home / "data").glob("*.parquet"))
    ran = ddb("sql", "select (select count(*) from metadata) as a, count(*) as b"
              " from metadata_large", "--format", "csv", "--quiet")  # fmt: skip
    assert (ran.code, ran.text, ran.err) == (0, "a,b\n3000,5000\n", "")

    mine[1].rename(tmp_path / "elsewhere.parquet")
    ran = ddb("sql", "select count(*) as n from images", "--format", "csv")
    assert (ran.code, ran.text) == (0, "n\n5000\n")


def test_as_says_which_dataset_a_table_is_of(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    odd = rewritten(
        tables / "metadata.parquet", tmp_path / "odd.parquet", "* replace ('x' as image_name)"
    )
    ran = ddb("data", "add", odd)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == (
        f"ddb: {odd}: cannot tell which dataset this is: of 3000 image names 0 end in .png and 0 in"
        " .webp\nhint: say it with --as 2m or --as large\n"
    )
    ran = ddb("data", "add", odd, "--as", "large")
    assert (ran.code, ran.err) == (0, f"note: added {odd}: metadata table of large\n")


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
    assert ran.err.splitlines()[1] == "note: columns left out: aesthetic, caption"
    sql = "from metadata order by image_name"
    asked = ("sql", "--format", "csv", "--dataset", "2m", sql)
    assert ddb(*asked).text == ddb("--data-dir", tables, *asked).text


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
        f"note: added {tmp_path / 'zips'}: part zips of 2m\n"
        f"note: added {extracted.parent}: extracted parts of large\n"
    )
    found = status(ddb("data", "status"))
    assert found["2m zips"].where == str(tmp_path / "zips")
    assert found["large folders"].where == str(extracted.parent)
    assert [entry["kind"] for entry in json.loads((home / "data/added.json").read_text())] == [
        "zips", "folders",
    ]  # fmt: skip


def test_one_part_zip_stands_for_its_folder(
    ddb: Callable[..., Ran], tmp_path: Path, home: Path
) -> None:
    part_zip(tmp_path / "zips", 3, "webp")
    ran = ddb("data", "add", "zips/part-000003.zip")
    assert (ran.code, ran.err) == (0, f"note: added {tmp_path / 'zips'}: part zips of large\n")
    assert status(ddb("data", "status"))["large zips"].where == str(tmp_path / "zips")
    (tmp_path / "zips" / "part-000003.zip").rename(tmp_path / "mine.zip")
    ran = ddb("data", "add", "mine.zip")
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err.startswith(
        f"ddb: {tmp_path / 'mine.zip'}: a zip that is not named like a part\nhint: a part is called"
    )


def test_what_was_added_and_is_gone_is_shown_with_its_path(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    mine = tmp_path / "mine.parquet"
    shutil.copy(tables / "metadata.parquet", mine)
    assert ddb("data", "add", mine).code == 0
    mine.unlink()
    found = status(ddb("data", "status"))
    assert found["2m"].where == "missing; get it with `ddb data pull 2m`"
    assert found["2m table"].where == f"{mine} is gone; `ddb data remove {mine}` forgets it"
    for args in ([], ["--dataset", "2m"]):
        ran = ddb(*args, "sql", "select 1")
        assert ran.code == 3
        assert ran.err.startswith(f"ddb: {mine} was added, and is not there any more\nhint: ")
    assert ddb("data", "remove", mine).code == 0
    assert "2m table" not in status(ddb("data", "status"))


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("missing", "no such file"),
        ("text", "not a parquet file"),
        ("empty", "the file is empty"),
        ("folder", "a folder without part-NNNNNN.zip files or part-NNNNNN folders"),
        ("broken zip", "not a zip file that can be read"),
        ("zip without images", "its first part holds no `<uuid>.png` or `<uuid>.webp`"),
    ],
)
def test_add_refuses_anything_else_with_a_reason(
    kind: str, problem: str, tmp_path: Path, home: Path
) -> None:
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
    with closing(open_engine(settings)) as engine, pytest.raises(BadTableError) as caught:
        Catalog(settings).add(engine, path)
    assert caught.value.problem == problem
    assert str(caught.value.path).startswith(str(path))
    assert not (home / "data/added.json").exists()


def test_add_says_what_it_refuses_and_keeps_what_it_took_before(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path, home: Path
) -> None:
    wrong = tmp_path / "notes.parquet"
    wrong.write_text("not parquet")
    ran = ddb("data", "add", tables / "metadata.parquet", wrong)
    assert (ran.code, ran.out) == (3, b"")
    added, refused, hint = ran.err.splitlines()
    assert added.startswith("note: added ")
    assert refused == f"ddb: {wrong}: not a parquet file"
    assert hint.startswith("hint: `ddb data pull 2m`")
    assert len(json.loads((home / "data/added.json").read_text())) == 1


def test_remove_forgets_what_was_added_and_leaves_the_files(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path, home: Path
) -> None:
    part_zip(tmp_path / "zips", 1, "png")
    table = tables / "metadata.parquet"
    assert ddb("data", "add", table, "zips").code == 0
    ran = ddb("data", "remove", "zips", "2m")
    assert (ran.code, ran.out) == (0, b"")
    assert ran.err == (
        f"note: to forget: {tmp_path / 'zips'} (the file stays)\n"
        f"note: to forget: {table} (the file stays)\n"
    )
    assert json.loads((home / "data/added.json").read_text()) == []
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


@pytest.mark.parametrize("text", ["{", '{"a": 1}', "[1]", "\udcff"])
def test_a_damaged_registry_is_an_error_that_names_it(text: str, home: Path) -> None:
    registry = home / "data" / "added.json"
    registry.parent.mkdir()
    registry.write_text(text, "utf-8", errors="surrogateescape")
    with pytest.raises(MissingDataError) as caught:
        ddb_query.open()
    assert caught.value.message == f"{registry} is damaged"
    assert caught.value.hint == "delete it, then `ddb data add PATH` again"
