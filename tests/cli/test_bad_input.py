"""Bad input of every kind: an exit code, one clear line with a hint, and nothing lost."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import duckdb
import installed
import pytest

import ddb_query
from ddb_query.errors import BadTableError, OutputError, SqlError
from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

AS_PUBLISHED = "`ddb data pull 2m` or `ddb data pull large` gets the table as published"
COUNT = "select count(*) as n, count(distinct image_name) as names from images"


@pytest.fixture
def data(home: Path) -> Path:
    """The data folder, which is empty."""
    folder = home / "data"
    folder.mkdir()
    return folder


def broken(kind: str, good: Path, target: Path) -> None:
    content = good.read_bytes()
    match kind:
        case "text":
            target.write_text("image_name,prompt\n" * 10)
        case "truncated":
            target.write_bytes(content[: len(content) // 2])
        case "empty":
            target.touch()
        case "tiny":
            target.write_bytes(b"PAR1")
        case "folder":
            target.mkdir()
        case "footer":
            target.write_bytes(content[:4] + b"\xff" * 1000 + b"PAR1")
        case _:
            with duckdb.connect() as connection:
                connection.execute("set TimeZone = 'UTC'")
                connection.execute(f"copy (select {kind} from '{good}') to '{target}'")


def told(ran: Ran) -> tuple[str, str]:
    """The error's line and its hint."""
    assert ran.out == b""
    assert "Traceback" not in ran.err
    first, hint = ran.err.splitlines()
    assert first.startswith("ddb: ")
    assert hint.startswith("hint: ")
    return first.removeprefix("ddb: "), hint.removeprefix("hint: ")


def test_no_metadata_at_all_offers_a_download_and_the_demo(
    ddb: Callable[..., Ran], home: Path
) -> None:
    for command in (("sql", "select 1"), ("run", "user-stats")):
        ran = ddb(*command)
        assert ran.code == 3
        assert told(ran) == (
            f"no metadata table in {home / 'data'}",
            "`ddb data pull 2m` gets one; --dataset demo needs no download",
        )


def test_a_dataset_that_is_not_there_offers_the_command_that_gets_it(
    ddb: Callable[..., Ran], tables: Path, data: Path
) -> None:
    shutil.copy(tables / "metadata.parquet", data)
    ran = ddb("--dataset", "large", "sql", "select 1")
    assert ran.code == 3
    assert told(ran) == (
        f"metadata-large.parquet is not in {data}",
        "`ddb data pull large` gets it; --dataset demo needs no download",
    )


def test_a_dataset_of_another_name_is_a_usage_error(ddb: Callable[..., Ran]) -> None:
    said = ('there is no dataset called "3m"', "did you mean 2m? there are 2m, large, demo")
    for ran in (
        ddb("--dataset", "3m", "sql", "select 1"), ddb("sql", "select 1", DDB_DATASET="3m")
    ):  # fmt: skip
        assert (ran.code, ran.out) == (2, b"")
        assert told(ran) == said
    ran = ddb("--dataset", "my castles.parquet", "sql", "select 1")
    assert told(ran)[1].endswith("; `ddb data add 'my castles.parquet'` gives a table a name")


@pytest.mark.parametrize(
    ("kind", "problem"),
    [
        ("text", "not a parquet file"),
        ("truncated", "a truncated parquet file"),
        ("empty", "the file is empty"),
        ("tiny", "a truncated parquet file"),
        ("folder", "a folder without a parquet file"),
        ("footer", "a damaged parquet file: "),
        ("* exclude (prompt_nsfw)", "column prompt_nsfw: expected FLOAT, found no such column"),
    ],
)
def test_a_table_that_is_none_is_named_with_what_is_wrong(
    kind: str, problem: str, tables: Path, data: Path
) -> None:
    table = data / "metadata.parquet"
    broken(kind, tables / "metadata.parquet", table)
    with pytest.raises(BadTableError) as caught:
        ddb_query.open()
    assert caught.value.message.startswith(f"{table}: {problem}")
    assert (caught.value.hint, caught.value.exit_code) == (AS_PUBLISHED, 3)


def test_the_command_line_says_the_same_of_a_table_that_is_none(
    ddb: Callable[..., Ran], tables: Path, data: Path
) -> None:
    for kind, problem in (
        ("truncated", "a truncated parquet file"),
        ("* exclude (seed)", "column seed: expected UINTEGER, found no such column"),
    ):
        table = data / "metadata.parquet"
        broken(kind, tables / "metadata.parquet", table)
        ran = ddb("sql", "select 1")
        assert ran.code == 3
        assert told(ran) == (f"{table}: {problem}", AS_PUBLISHED)


@pytest.mark.parametrize("kind", ["truncated", "folder", "* exclude (seed)"])
def test_a_bad_table_beside_the_one_that_is_asked_is_noted_and_left_out(
    kind: str, tables: Path, data: Path
) -> None:
    shutil.copy(tables / "metadata.parquet", data)
    bad = data / "metadata-large.parquet"
    broken(kind, tables / "metadata-large.parquet", bad)
    notes: list[str] = []
    with ddb_query.open("2m", note=notes.append) as corpus:
        assert corpus.sql(COUNT).rows() == [(3000, 3000)]
        with pytest.raises(SqlError, match="metadata_large does not exist"):
            corpus.sql("from metadata_large")
    (note,) = notes
    assert note.startswith(f"no view metadata_large: {bad}: ")


def test_the_command_line_notes_a_bad_table_beside_a_good_one(
    ddb: Callable[..., Ran], tables: Path, data: Path
) -> None:
    shutil.copy(tables / "metadata.parquet", data)
    bad = data / "metadata-large.parquet"
    bad.touch()
    ran = ddb("--dataset", "2m", "sql", "select 1 as a", "--format", "markdown")
    assert (ran.code, ran.text) == (0, "| a |\n| --: |\n| 1 |\n")
    assert ran.err == f"note: no view metadata_large: {bad}: the file is empty\n"


def test_a_file_given_for_the_data_folder_offers_to_add_it(
    ddb: Callable[..., Ran], tables: Path
) -> None:
    table = tables / "metadata.parquet"
    ran = ddb("--data-dir", table, "sql", "select 1")
    assert ran.code == 3
    assert told(ran) == (
        f"no metadata table in {table}",
        f"--data-dir takes a folder; `ddb data add {table}` registers a table",
    )


@pytest.mark.parametrize("name", ["[a]*?", "it's ünï 城", "two\nlines"])
def test_a_folder_of_any_name_is_read(name: str, tables: Path, tmp_path: Path) -> None:
    folder = tmp_path / name
    folder.mkdir()
    shutil.copy(tables / "metadata.parquet", folder)
    with ddb_query.open(data_dir=folder) as corpus:
        assert corpus.sql(COUNT).rows() == [(3000, 3000)]


@pytest.fixture
def good(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


def test_a_syntax_error_is_shown_in_duckdb_s_words_with_its_caret(
    good: None, ddb: Callable[..., Ran]
) -> None:
    ran = ddb("sql", "select prompt from images\nwere width > 512")
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err == (
        'ddb: Parser Error: syntax error at or near "width"\n'
        "\n"
        "LINE 2: were width > 512\n"
        "             ^^^^^\n"
    )


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select 5 // 0", "Invalid Input Error: Division by zero in expression (5 // 0). "),
        ("insert into images select * from images", "Catalog Error: images is not an table\n"),
    ],
)
def test_sql_that_duckdb_refuses_is_an_error_in_its_words(
    sql: str, error: str, good: None, ddb: Callable[..., Ran]
) -> None:
    ran = ddb("sql", sql)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith(f"ddb: {error}")
    assert "Traceback" not in ran.err


def test_an_unknown_name_offers_the_commands_that_list_names(
    good: None, ddb: Callable[..., Ran]
) -> None:
    ran = ddb("sql", "select promt from images")
    assert (ran.code, ran.out) == (1, b"")
    first, *_, hint = ran.err.splitlines()
    assert first == 'ddb: Binder Error: Referenced column "promt" not found in FROM clause!'
    assert hint == (
        'hint: `ddb sql "show tables"` lists the views, `ddb sql "describe images"` their columns'
    )


@pytest.mark.parametrize("kind", ["not utf-8", "missing", "folder"])
def test_an_sql_file_that_cannot_be_read_is_a_usage_error(
    kind: str, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    path = tmp_path / "ask.sql"
    if kind == "not utf-8":
        path.write_bytes(b"select 'caf\xe9' as a")
    elif kind == "folder":
        path.mkdir()
    ran = ddb("sql", "-f", "ask.sql")
    assert ran.code == 2
    assert (
        told(ran)[0]
        == {
            "not utf-8": "ask.sql is not UTF-8 text",
            "missing": "cannot read ask.sql: No such file or directory",
            "folder": "cannot read ask.sql: Is a directory",
        }[kind]
    )


def test_standard_input_and_arguments_that_are_not_utf8_are_usage_errors(
    ddb: Callable[..., Ran],
) -> None:
    ran = ddb("sql", stdin=b"select 'caf\xe9' as a")
    assert (ran.code, told(ran)[0]) == (2, "standard input is not UTF-8 text")
    ran = ddb("sql", os.fsdecode(b"select 'caf\xe9' as a"))
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == "ddb: not UTF-8 text: select 'caf\\udce9' as a\n"


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        (["--limit", "99999999999999999999"], "limit is a number of rows"),
        (["--memory-limit", "lots"], "Memory must have a number"),
        (["--timeout", "0"], "0.0 is not in the range x>=0.001"),
        (["--threads", "0"], "0 is not in the range x>=1"),
        (["--format", "xlsx"], "'xlsx' is not one of 'table', 'csv'"),
        (["-o", "x.xlsx"], "cannot tell a format from the ending of x.xlsx"),
        (["--data-dir", "~nobody-of-this-name/x"], "there is no such home folder"),
    ],
)
def test_an_option_that_makes_no_sense_is_a_usage_error(
    options: list[str], problem: str, good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("sql", "select 1", *options)
    assert (ran.code, ran.out) == (2, b"")
    assert problem in ran.err
    assert "Traceback" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


@pytest.mark.parametrize(
    ("target", "problem"),
    [
        ("no/folder/x.csv", "cannot write no/folder/x.csv: there is no folder no/folder"),
        ("folder.csv", "cannot write folder.csv: a folder has that name"),
        ("file.txt/x.csv", "cannot write file.txt/x.csv: there is no folder file.txt"),
    ],
)
def test_an_output_that_cannot_be_is_an_error(
    target: str, problem: str, good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file.txt").write_text("old")
    ran = ddb("sql", "select 1 as a", "-o", target)
    assert ran.code == 3
    assert told(ran)[0] == problem
    assert (tmp_path / "file.txt").read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "folder.csv", "file.txt"}


FULL_DISK = """
import resource, runpy
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
runpy.run_module("ddb_query", run_name="__main__", alter_sys=True)
"""


def full_disk(*args: str | Path, folder: Path) -> subprocess.CompletedProcess[bytes]:
    """Run ddb where no file can grow beyond 64 KiB, as on a disk that is full."""
    return subprocess.run(
        [installed.python(), "-c", FULL_DISK, *map(str, args)],
        capture_output=True, timeout=60, check=False, cwd=folder,
    )  # fmt: skip


@pytest.mark.parametrize("ending", ["csv", "parquet", "txt"])
def test_on_a_full_disk_the_old_file_stays_and_no_other(
    ending: str, good: None, tmp_path: Path
) -> None:
    target = tmp_path / f"x.{ending}"
    target.write_text("old")
    sql = "select i, md5(i::varchar) as h from range(20_000) as t(i)"
    done = full_disk("sql", sql, "--force", "-o", target, folder=tmp_path)
    assert (done.returncode, done.stdout) == (3, b"")
    assert done.stderr.decode() == f"ddb: cannot write {target}: File too large\n"
    assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"home", target.name}


def test_a_demo_that_does_not_fit_on_the_disk_is_an_error_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    done = full_disk("data", "demo", "--rows", "5000", folder=tmp_path)
    assert (done.returncode, done.stdout) == (3, b"")
    folder = tmp_path / "cache" / "demo"
    assert done.stderr.decode() == f"ddb: cannot write {folder}: File too large\n"
    assert list(folder.glob("*.parquet*")) == []


def test_a_cache_that_cannot_be_is_in_nobody_s_way_but_the_demo_s(
    good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file")
    ran = ddb("sql", "select 1 as a", "--format", "csv", DDB_CACHE_DIR=str(blocked))
    assert (ran.code, ran.text) == (0, "a\n1\n")
    ran = ddb("--dataset", "demo", "sql", "select 1 as a", DDB_CACHE_DIR=str(blocked))
    assert ran.code == 3
    assert told(ran)[0] == f"cannot write {blocked / 'demo'}: Not a directory"


def test_a_statement_that_fails_on_the_way_leaves_the_old_file(
    good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = "select 5 // (i - 400_000) as x from range(500_000) as t(i)"
    for ending in ("csv", "parquet"):
        target = tmp_path / f"x.{ending}"
        target.write_text("old")
        ran = ddb("sql", sql, "--force", "-o", target.name)
        assert (ran.code, ran.out) == (1, b"")
        assert ran.err.startswith("ddb: Invalid Input Error: Division by zero")
        assert target.read_text() == "old"
    assert {path.name for path in tmp_path.iterdir()} == {"home", "x.csv", "x.parquet"}


def test_a_new_file_has_the_mode_of_any_other_new_file(
    good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "other").touch()
    assert ddb("sql", "select 1 as a", "-o", "x.csv").code == 0
    assert (tmp_path / "x.csv").stat().st_mode == (tmp_path / "other").stat().st_mode


def test_debugging_shows_the_traceback_and_keeps_the_exit_code(
    ddb: Callable[..., Ran], home: Path
) -> None:
    ran = ddb("sql", "select 1", DDB_DEBUG="1")
    assert (ran.code, ran.out) == (3, b"")
    assert ran.err.startswith("Traceback (most recent call last):\n")
    assert "MissingDataError" in ran.err
    assert ran.err.splitlines()[-2] == f"ddb: no metadata table in {home / 'data'}"


def test_a_command_that_is_none_is_a_usage_error(ddb: Callable[..., Ran]) -> None:
    ran = ddb("querys")
    assert (ran.code, ran.out) == (2, b"")
    assert "no command named querys\nhint: did you mean queries?" in ran.err


def test_a_pipe_given_for_a_file_is_written_to_and_never_replaced(
    good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    with subprocess.Popen(["cat", str(pipe)], stdout=subprocess.PIPE) as reader:
        ran = ddb("sql", "select 1 as a", "-o", pipe)
        assert reader.stdout
        assert (ran.code, ran.err, reader.stdout.read()) == (0, "", b"a\n1\n")
    assert pipe.is_fifo()
    with pytest.raises(OutputError), replacing(pipe):
        pass
    assert pipe.is_fifo()


def test_a_link_given_for_a_file_stays_a_link(
    good: None, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "there.csv").write_text("old")
    link = tmp_path / "link.csv"
    link.symlink_to("there.csv")
    assert ddb("sql", "select 1 as a", "--force", "-o", link).code == 0
    assert link.is_symlink()
    assert (tmp_path / "there.csv").read_text() == "a\n1\n"
