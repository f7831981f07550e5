"""Which rows can be made again: decided by ddb's own list of functions, not by DuckDB's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest

import ddb_query
from ddb_query.engines.duckdb.determinism import function_rules, why_not_repeatable
from ddb_query.engines.duckdb.inspect import Call, parsed_select

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query import Corpus

VIEWS = {"images", "prompts"}


@pytest.fixture
def corpus(tables: Path) -> Iterator[Corpus]:
    with ddb_query.open("2m", data_dir=tables) as opened:
        yield opened


def reason(sql: str) -> str | None:
    with duckdb.connect() as connection:
        found = parsed_select(connection, sql)
    assert found is not None
    return why_not_repeatable(found, VIEWS)


def test_every_function_of_the_installed_duckdb_is_classified() -> None:
    with duckdb.connect() as connection:
        names = connection.execute(
            "select distinct function_name from duckdb_functions()"
            " where function_type in ('scalar', 'aggregate', 'macro', 'window')"
            " and not starts_with(function_name, '__internal')"
            # These are comparisons, for which the parser has nodes of their own.
            " and function_name not like 'IS %'"
        ).fetchall()
    rules = function_rules()
    assert len(names) > 500
    unknown = [
        name
        for (name,) in names
        if (why := rules.why_not(Call(name.lower(), 2))) and "does not know" in why
    ]
    assert not unknown, f"sql/determinism.toml has no word of {unknown}"


def test_no_function_is_classified_twice() -> None:
    rules = function_rules()
    assert not rules.deterministic & rules.changing.keys()


# One overload of each of these is not constant in DuckDB 2.0.1, which tells it by name.
@pytest.mark.parametrize(
    "sql",
    [
        "select seed + 1 - 2 from images", "select date_trunc('day', timestamp) from images",
        "select month(timestamp), strftime(timestamp, '%Y'), weekofyear(timestamp) from images",
        "select i from range(3) t(i)", "select unnest(generate_series(1, 3))",
        "select age(timestamp, timestamp '2022-08-06') from images",
        "select row_number() over (order by seed), sum(step), string_agg(prompt) from images",
        "select prompt from prompts order by prompt collate de limit 3",
        "select normalise(prompt), hash60(prompt) from images",
        "select * from images semi join search('castle') using (prompt_id)",
    ],
)  # fmt: skip
def test_functions_of_their_arguments_alone_can_be_called(sql: str) -> None:
    assert reason(sql) is None


@pytest.mark.parametrize(
    ("sql", "why"),
    [
        ("select RANDOM()", "it calls random(), which is random"),
        ("select age(timestamp) from images", "it calls age(), whose value changes with time"),
        ("select localtime", "it calls localtime(), whose value changes with time"),
        ("select getvariable('x')", "it calls getvariable(), whose value is of this session"),
        ("select reservoir_quantile(cfg, 0.5) from images", "it calls reservoir_quantile()"),
        ("select uuidv7()", "it calls uuidv7(), which is random"),
        ("select hash(1)", "it calls hash(), whose value is another in another version of DuckDB"),
        ("select noise(1)", "it calls noise(), which this version of ddb does not know"),
        ("select * from images where x in (select now())", "it calls now()"),
        ("select * from read_text('x')", "it reads read_text, which is no view of ddb's"),
        ("select * from 'x.csv'", "it reads x.csv, which is no view of ddb's"),
    ],
)
def test_what_may_change_is_named_with_the_reason(sql: str, why: str) -> None:
    assert (reason(sql) or "").startswith(why)


def test_the_version_of_the_list_is_kept_in_the_manifest(corpus: Corpus, tmp_path: Path) -> None:
    made = corpus.export(tmp_path / "x.parquet", sql="select seed + 1 as s from images")
    assert made.manifest.versions["function_rules"] == str(function_rules().version)
    assert made.manifest.replayable


def test_a_large_result_of_a_macro_of_the_session_is_stored(corpus: Corpus) -> None:
    corpus.sql("create macro twice(x) as 2 * x")
    assert corpus.keep(corpus.sql("select twice(i) as j from range(11_000) t(i)"))[1] == 11_000
    assert corpus.keep(corpus.sql("select 2 * i as j from range(11_000) t(i)"))[1] is None
