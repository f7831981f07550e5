"""Every result meant for a program has all of its rows; only a screen shows the first ones."""

from __future__ import annotations

import csv
import inspect
import io
import json
import shlex
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from commands import Run, commands, runner
from test_streams import on_a_terminal

import ddb_query
from ddb_query.api.corpus import Corpus
from ddb_query.api.selection import Selection
from ddb_query.queries.library import QueryLibrary

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

QUERIES = QueryLibrary().names()
GIVEN = {"user-profile": ["--user"], "prompt-search": ["--words", "castle"]}

MATCHES = "join search('a') using (prompt_id)"
LIKE = "join search('a OR castle OR made OR of OR glass') using (prompt_id)"
# What each command that gives rows is asked, and SQL for as many rows.
ASKED = {
    "sql": {"select image_name, prompt from images": "from images"},
    "search": {
        "a": "from search('a')",
        "a --images": f"select 1 from images {MATCHES}",
        "a --facet user": f"select distinct user_name from images {MATCHES}",
        "a --facet term": "select distinct term from (select unnest(string_split(clauses, ','))"
        f" as term from clauses {MATCHES}) where term <> ''",
        "a --max-image-nsfw 1": f"select distinct prompt_id from images {MATCHES}"
        " where image_nsfw <= 1",
        "--like 'a castle made of glass'": f"select 1 from prompts {LIKE}",
        "--like 'a castle made of glass' --images": f"select 1 from images {LIKE}",
    },
    "export": {"--columns image_name,prompt": "from images"},
    "queries": {"": f"from range({len(QUERIES)})"},
    "data status": {"": ""},
}
CASES = [
    pytest.param([*name.split(), *([words] if name == "sql" else shlex.split(words))], sql,
                 id=f"{name} {words}")
    for name, asked in ASKED.items()
    for words, sql in asked.items()
]  # fmt: skip
NO_ROWS = {
    "verify", "replay", "report", "fetch", "gallery", "shell", "data add", "data pull",
    "data demo", "data mend", "data build", "data remove",
}  # fmt: skip

pytestmark = pytest.mark.installed


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


@pytest.fixture
def run() -> Run:
    return runner()


@pytest.fixture
def corpus(tables: Path) -> Iterator[Corpus]:
    with ddb_query.open("2m", data_dir=tables) as opened:
        yield opened


def count(corpus: Corpus, sql: str) -> int:
    return int(corpus.sql(f"select count(*) from ({sql})").rows()[0][0])


def test_every_command_is_known_to_these_tests() -> None:
    """A new command is asked here for all of its rows, or named as one that gives none."""
    assert {*ASKED, *NO_ROWS} == {*commands()}


@pytest.mark.parametrize(("args", "sql"), CASES)
def test_a_program_gets_all_rows_of_every_command(
    args: list[str], sql: str, corpus: Corpus, run: Run, tmp_path: Path
) -> None:
    # What lies where is a list of a few lines.
    expected = count(corpus, sql) if sql else run(*args).text.count("\n") - 1
    as_csv, as_lines = ([*args, "--format", form, "-o", "-"] for form in ("csv", "jsonl"))
    assert len(list(csv.reader(io.StringIO(run(*as_csv).text)))) == expected + 1
    assert len(run(*as_lines).text.splitlines()) == expected
    target = tmp_path / "rows.parquet"
    assert run(*args, "-o", target).code == 0
    assert pq.read_table(target).num_rows == expected
    if args[0] not in ("export", "queries", "data"):
        assert run(*args).text.count("\n") == expected + 4
        assert run(*args, "-o", tmp_path / "rows.md").code == 0
        assert (tmp_path / "rows.md").read_text("utf-8").count("\n") == expected + 2


@pytest.mark.parametrize("name", QUERIES)
def test_a_program_gets_all_rows_of_every_canned_query(name: str, corpus: Corpus, run: Run) -> None:
    given = GIVEN.get(name, [])
    if given == ["--user"]:
        given = ["--user", str(corpus.sql("select user_name from users limit 1").rows()[0][0])]
    query = corpus.query(name)
    values = query.values({given[0].lstrip("-"): given[1]} if given else {})
    (expected,) = corpus.sql(f"select count(*) from ({query.sql})", values).rows()[0]
    ran = run("run", name, *given, "--format", "json")
    assert (ran.code, len(json.loads(ran.out))) == (0, expected)
    table = run("run", name, *given)
    assert (table.text.count("\n"), table.err) == (expected + 4, "")
    parameters: dict[str, Any] = {given[0].lstrip("-"): given[1]} if given else {}
    assert len(corpus.run(name, **parameters).rows()) == expected


def test_no_method_of_python_has_a_limit_of_its_own() -> None:
    methods = [
        one
        for kind in (Corpus, Selection)
        for one in vars(kind).values()
        if callable(one) and one.__name__[0] != "_"
    ]
    limits = [
        inspect.signature(method).parameters["limit"].default
        for method in methods
        if "limit" in inspect.signature(method).parameters
    ]
    assert len(limits) >= 5
    assert set(limits) == {None}


def test_a_file_of_a_table_is_as_wide_as_its_text(run: Run, tmp_path: Path) -> None:
    # More than is kept in memory; characters of two cells are slow to measure.
    sql = """
        select if(i = 7, repeat('城', 30000), repeat('c', 60000)) as long, i
        from range(1200) as t(i)
    """
    assert run("sql", sql, "-o", tmp_path / "long.txt").code == 0
    lines = (tmp_path / "long.txt").read_text("utf-8").splitlines()
    assert len(lines) == 1204
    wide = [(line.count("城"), line.count("c")) for line in lines[3:-1]]
    assert wide == [(30_000, 0) if i == 7 else (0, 60_000) for i in range(1200)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("args", "note", "sql"),
    [
        (["run", "prompt-top"], "20 of {} rows", "from prompts"),
        (["search", "a"], "20 of {} rows", ASKED["search"]["a"]),
        (["search", "a", "--facet", "user"], "20 of {} rows", ASKED["search"]["a --facet user"]),
        (["sql", "from images", "--format", "markdown"], "100 of {} rows", "from images"),
        (["sql", "select seed from images where random() < 2"], "the first 100 rows of more", ""),
    ],
)
def test_a_screen_shows_the_first_rows_and_tells_of_how_many(
    args: list[str], note: str, sql: str, corpus: Corpus
) -> None:
    total = f"{count(corpus, sql):,}" if sql else ""
    seen = on_a_terminal(*args)
    assert seen.text.splitlines()[-1] == f"note: {note.format(total)}; --limit 0 shows all"
    assert seen.text.count("\n") < 106
