"""`ddb queries` and `ddb run`: canned queries as commands with options of their own."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest

from ddb_query.queries.library import QueryLibrary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


def write_query(folder: Path, name: str, body: str) -> None:
    text = f"-- name: {name}\n-- description: My own [red]query[/red].\n{body}\n"
    (folder / f"{name}.sql").write_text(text, "utf-8")


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A user's folder of queries."""
    folder = tmp_path / "own"
    folder.mkdir()
    write_query(
        folder,
        "every-type",
        "-- param: word text\n-- choices: a, b\n-- help: One of two.\n"
        "-- param: number integer = 3\n-- param: share float = 0.5\n-- param: all boolean = false\n"
        "-- param: day date = 2022-08-06\n-- param: since timestamp = null\n"
        "-- limit: 2\n-- column: word: what was asked for\n"
        "-- example: ddb run every-type --word a\n"
        "select $word as word, $share as share, $all as every, $day as day, $since as since\n"
        "from range($number) as t(i) order by i",
    )
    return folder


def test_queries_lists_all_of_them_with_parameters_and_description(ddb: Callable[..., Ran]) -> None:
    ran = ddb("queries")
    assert (ran.code, ran.err) == (0, "")
    title, *lines = ran.text.splitlines()
    assert title.split() == ["name", "parameters", "description"]
    library = QueryLibrary()
    assert [line.split()[0] for line in lines] == library.names()
    for line, query in zip(lines, library.all(), strict=True):
        assert line.endswith(query.description)
        assert all(parameter.option in line for parameter in query.parameters)


def test_queries_marks_those_of_a_user(ddb: Callable[..., Ran], own: Path) -> None:
    ran = ddb("queries", "--sql-dir", own)
    assert (ran.code, ran.err) == (0, "")
    (line,) = (line for line in ran.text.splitlines() if "(yours)" in line)
    assert line.startswith("every-type (yours)  --word [--number] [--share] [--all] [--day]")
    assert line.endswith("My own [red]query[/red].")


def test_queries_with_a_name_shows_that_one_whole(ddb: Callable[..., Ran], own: Path) -> None:
    ran = ddb("--sql-dir", own, "queries", "every-type")
    assert (ran.code, ran.err) == (0, "")
    for part in (
        "every-type\n\nMy own [red]query[/red].\n",
        "  --word TEXT (required, one of a, b)\n      One of two.\n",
        "  --number N (default 3)\n",
        "  --share X (default 0.5)\n",
        "  --all, --no-all (default false)\n",
        "  --day YYYY-MM-DD (default 2022-08-06)\n",
        "  --since TIME (default null)\n",
        "  word: what was asked for\n",
        "$ ddb run every-type --word a\n",
        "from range($number) as t(i) order by i\n",
    ):
        assert part in ran.text


def test_help_of_a_query_shows_its_parameters(ddb: Callable[..., Ran], own: Path) -> None:
    ran = ddb("run", "every-type", "--help", DDB_SQL_DIR=str(own))
    assert (ran.code, ran.err) == (0, "")
    for part in (
        "run every-type [OPTIONS]",
        "My own [red]query[/red].",
        "word: what was asked for",
        "ddb run every-type --word a",
        "--word <a|b>",
        "One of two. [required]",
        "--number N",
        "[default: 3]",
        "--all / --no-all",
        "--since TIME",
        "[default: null]",
        "--dataset NAME",
        "--limit N",
    ):
        assert part in ran.text


def test_help_of_run_lists_the_queries(ddb: Callable[..., Ran]) -> None:
    ran = ddb("run", "--help")
    assert (ran.code, ran.err) == (0, "")
    commands = ran.text.partition("Commands:\n")[2].splitlines()
    names = [line.split()[0] for line in commands if not line.startswith("   ")]
    assert names == QueryLibrary().names()


def test_a_table_without_a_screen_has_every_row_whatever_the_query_says(
    ddb: Callable[..., Ran], own: Path
) -> None:
    given = ("--sql-dir", own, "run", "every-type", "--word", "a")
    for form in ("table", "markdown", "csv"):
        ran = ddb(*given, "--format", form, "--number", "5")
        head, tail = {"table": (3, 1), "markdown": (2, 0), "csv": (1, 0)}[form]
        assert (ran.code, ran.text.count("\n") - head - tail, ran.err) == (0, 5, "")
    ran = ddb(*given, "--limit", "1")
    assert (ran.code, ran.text.count("│ a "), ran.err) == (0, 1, "")


def test_values_arrive_with_their_types(ddb: Callable[..., Ran], own: Path) -> None:
    ran = ddb(
        "run", "every-type", "--word=b", "--number", "1", "--share", "1e-3", "--all",
        "--day", "2022-08-20", "--since", "2022-08-06T23:59+02:00", "--sql-dir", own,
        "--format", "json",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == [
        {"word": "b", "share": 0.001, "every": True, "day": "2022-08-20",
         "since": "2022-08-06T21:59:00Z"}
    ]  # fmt: skip


def test_run_writes_a_file_in_the_format_of_its_ending(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("-o", "samplers.csv", "run", "sampler-stats", "--limit", "2")
    assert (ran.code, ran.out, ran.err) == (0, b"", "")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "samplers.csv").read_text())))
    assert [row["sampler_name"] for row in rows] == ["k_lms", "k_euler_ancestral"]


@pytest.mark.parametrize(
    ("args", "problem", "hint"),
    [
        (
            ["user-statz"],
            "no canned query named user-statz",
            "did you mean user-stats or step-stats or size-stats? `ddb queries` lists all",
        ),
        (["xyzzy"], "no canned query named xyzzy", "`ddb queries` lists all"),
        (
            ["user-profile"],
            "parameter user: user-profile needs a value for it",
            "ddb run user-profile --user VALUE",
        ),
        (
            ["user-stats", "--min-images", "many"],
            "parameter min_images: expected an integer, found 'many'",
            "for example --min-images 5",
        ),
        (
            ["nsfw-filter", "--max-image-nsfw", "0,2"],
            "parameter max_image_nsfw: expected a float, found '0,2'",
            "for example --max-image-nsfw 0.2",
        ),
        *(
            (
                ["nsfw-filter", "--max-prompt-nsfw", score],
                f"parameter max_prompt_nsfw: expected at least 0 and at most 1, found '{score}'",
                "for example --max-prompt-nsfw 0.2",
            )
            for score in ("1.5", "-1")
        ),
        (
            ["timeline", "--grain", "week"],
            "invalid value for '--grain': 'week' is not one of 'hour', 'day'",
            "`ddb run timeline --help` lists its options",
        ),
        (
            ["timeline", "--grain", "days"],
            "invalid value for '--grain': 'days' is not one of 'hour', 'day'",
            "did you mean day? `ddb run timeline --help` lists its options",
        ),
        (
            ["user-stats", "--min-image", "5"],
            "no such option: --min-image",
            "did you mean --min-images? `ddb run user-stats --help` lists its options",
        ),
        (
            ["user-stats", "--limit", "-1"],
            "invalid value for '--limit': -1 is not in the range x>=0",
            "`ddb run user-stats --help` lists its options",
        ),
        (
            ["user-stats", "more"],
            "got unexpected extra argument(s) (more)",
            "`ddb run user-stats --help` lists its options",
        ),
    ],
)
def test_a_wrong_name_or_value_is_a_usage_error_with_a_hint(
    args: list[str], problem: str, hint: str, ddb: Callable[..., Ran]
) -> None:
    ran = ddb("run", *args)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == f"ddb: {problem}\nhint: {hint}\n"


def test_a_value_never_becomes_part_of_the_query(ddb: Callable[..., Ran]) -> None:
    ran = ddb("run", "prompt-search", "--words", "x' or '1'='1", "--format", "csv", "-q")
    assert (ran.code, ran.err) == (0, "")
    assert ran.text.count("\n") == 1
    ran = ddb("run", "user-profile", "--user", "x' or '1'='1")
    assert (ran.code, ran.out) == (2, b"")
    assert "no user named x' or '1'='1" in ran.err


def test_a_parameter_may_have_any_name_that_no_option_has(
    own: Path, ddb: Callable[..., Ran]
) -> None:
    names = ["from", "class", "session", "ctx", "name", "self", "given", "file", "param", "version"]
    declared = "\n".join(f"-- param: {name} integer" for name in names)
    write_query(own, "odd", f"{declared}\nselect [{', '.join(f'${name}' for name in names)}] as x")
    given = [f"--{name}={place}" for place, name in enumerate(names)]
    ran = ddb("--sql-dir", own, "run", "odd", *given, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == [{"x": list(range(len(names)))}]


@pytest.mark.parametrize("place", ["behind", "environment"])
def test_a_folder_of_queries_is_named_behind_the_query_or_in_the_environment(
    place: str, own: Path, ddb: Callable[..., Ran]
) -> None:
    run = ("run", "every-type", "--word", "a", "--number", "1", "--format", "tsv")
    where = {"DDB_SQL_DIR": str(own)} if place == "environment" else {}
    ran = ddb(*run, *([] if where else ["--sql-dir", own]), **where)
    assert (ran.code, ran.err) == (0, "")
    assert ran.text == "word\tshare\tevery\tday\tsince\na\t0.5\tfalse\t2022-08-06\t\n"


@pytest.mark.parametrize(
    ("body", "code", "problem"),
    [
        ("-- colour: red\nselect 1", 2, "broken.sql:3: unknown key colour; known are "),
        ("-- column: b: what\nselect 1 as a", 2, "broken.sql:1: column b is described but not in"),
        ("select a from nowhere", 1, "Catalog Error: Table with name nowhere does not exist!"),
    ],
)
def test_a_broken_query_is_an_error_that_names_file_and_line_or_duckdb_s_own(
    body: str, code: int, problem: str, own: Path, ddb: Callable[..., Ran]
) -> None:
    write_query(own, "broken", body)
    ran = ddb("run", "broken", "--sql-dir", own)
    assert (ran.code, ran.out) == (code, b"")
    assert problem in ran.err.splitlines()[0]
    assert ran.err.startswith("ddb: ")
    assert "Traceback" not in ran.err


def test_a_user_query_with_a_shipped_name_is_an_error(own: Path, ddb: Callable[..., Ran]) -> None:
    write_query(own, "user-stats", "select 1 as a")
    ran = ddb("--sql-dir", own, "run", "user-stats")
    assert (ran.code, ran.out) == (2, b"")
    first, hint = ran.err.splitlines()
    assert first == f"ddb: {own}/user-stats.sql:1: user-stats is the name of a shipped query"
    assert hint.startswith("hint: ")


def test_a_folder_of_queries_that_is_not_there_is_an_error(ddb: Callable[..., Ran]) -> None:
    ran = ddb("--sql-dir", "nowhere", "queries")
    assert (ran.code, ran.out) == (2, b"")
    first, hint = ran.err.splitlines()
    assert first.endswith("nowhere is not a folder of queries: No such file or directory")
    assert hint == "hint: --sql-dir DIR holds one .sql file a query"


@pytest.mark.parametrize("body", ["select nothing from images", "select from where"])
def test_sql_that_is_refused_names_the_query_s_file(
    body: str, ddb: Callable[..., Ran], own: Path
) -> None:
    write_query(own, "refused", body)
    ran = ddb("run", "refused", "--sql-dir", own)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith(f"ddb: {own / 'refused.sql'}: ")


@pytest.mark.parametrize(
    ("query", "option"),
    [("nsfw-histogram", "--bins"), ("nsfw-retention", "--steps"), ("prompt-lengths", "--bins")],
)
def test_no_bins_at_all_is_a_usage_error(query: str, option: str, ddb: Callable[..., Ran]) -> None:
    for given in ("0", "-1"):
        ran = ddb("run", query, option, given)
        assert (ran.code, ran.out) == (2, b"")
        assert f"expected at least 1, found '{given}'" in ran.err
    assert f"{option} N (default" in ddb("queries", query).text
    assert "at least 1" in " ".join(ddb("run", query, "--help").text.split())


def test_a_malformed_file_ends_neither_the_list_nor_the_help_nor_a_session(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "broken.sql").write_text("-- name: broken\n-- descriptn: x\nselect 1 as one\n")
    (tmp_path / "user-stats.sql").write_text("-- name: user-stats\n")
    first = "note: left out of the canned queries: "
    for command in (("queries",), ("run", "--help")):
        ran = ddb("--sql-dir", tmp_path, *command)
        assert ran.code == 0
        assert "user-stats" in ran.text
        (note,) = ran.err.splitlines()
        assert note.startswith(f"{first}{tmp_path / 'broken.sql'}:2: unknown key descriptn")
    for name in ("broken", "user-stats"):
        ran = ddb("--sql-dir", tmp_path, "run", name)
        assert (ran.code, ran.out) == (2, b"")
        assert ran.err.startswith(f"ddb: {tmp_path / name}.sql:")
    script = b".mode csv\n.queries\n.queries\n.run sampler-stats\nselect 42 as a;"
    ran = ddb("--dataset", "demo", "--sql-dir", tmp_path, stdin=script)
    assert (ran.code, ran.text[-5:]) == (0, "a\n42\n")
    assert ran.err.count(first) == 1


def test_a_boolean_is_a_flag_and_has_an_opposite(ddb: Callable[..., Ran]) -> None:
    counted = [
        len(ddb("run", "nsfw-filter", *said, "--limit", "0", "--format", "csv").text.splitlines())
        for said in (["--include-blurred"], ["--no-include-blurred"], [])
    ]
    assert counted[0] > counted[1] == counted[2]


# The words of a command line of which the last is to be completed, and what is offered.
OFFERED = [
    ("ddb report --section t", {"terms", "time"}),
    ("ddb report --sampler k_dpm", {"k_dpm_2", "k_dpm_2_ancestral"}),
    ("ddb export --policy ", {"strict", "moderate", "open"}),
    ("ddb queries nsfw-h", {"nsfw-histogram"}),
    ("ddb export --query nsfw-h", {"nsfw-histogram"}),
    ("ddb run nsfw-h", {"nsfw-histogram"}),
    ("ddb run nsfw-filter --no", {"--no-include-blurred"}),
]


@pytest.mark.parametrize(("typed", "offered"), OFFERED)
def test_names_are_offered_at_tab_rather_than_files(
    typed: str, offered: set[str], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "broken.sql").write_text("select")
    asked = {"_DDB_COMPLETE": "complete_bash", "COMP_WORDS": typed}
    ran = ddb(**asked, COMP_CWORD=str(typed.count(" ")), DDB_SQL_DIR=str(tmp_path))
    assert (set(ran.text.split()), ran.err) == (offered, "")
