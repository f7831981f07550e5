"""`Corpus.keep`: the last result as `_`, stored when it is small or would change, else a query."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ddb_query

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query import Corpus

MANY = "select i, i % $k as r from range(30_000) t(i)"


@pytest.fixture
def corpus(tables: Path) -> Iterator[Corpus]:
    with ddb_query.open("2m", data_dir=tables) as opened:
        yield opened


def keep(corpus: Corpus, sql: str, **values: object) -> int | None:
    return corpus.keep(corpus.sql(sql, values))[1]


def one(corpus: Corpus, sql: str) -> object:
    return corpus.sql(sql).rows()[0][0]


def kept(corpus: Corpus) -> set[str]:
    """What is kept behind `_`."""
    found = corpus.sql(
        "select table_name from duckdb_tables() where schema_name = 'kept'"
        " union all select view_name from duckdb_views() where schema_name = 'kept'"
    )
    return {name for (name,) in found.rows()}


def test_a_small_result_is_stored_with_its_types_and_names(corpus: Corpus) -> None:
    first, rows = corpus.keep(
        corpus.sql("select 1 as a, 2 as a, [1.5::decimal(3, 1)] as b, null as c, 'x' as \"d e\"")
    )
    assert rows == 1
    assert [column.name for column in first.columns] == ["a", "a_1", "b", "c", "d e"]
    assert one(corpus, 'select "d e" from _') == "x"
    assert one(corpus, "select typeof(b) from _") == "DECIMAL(3,1)[]"


def test_a_large_result_is_a_query_whose_values_are_kept(corpus: Corpus) -> None:
    first, rows = corpus.keep(corpus.sql(MANY, {"k": 7}))
    assert rows is None
    assert len(first.rows()) == 10_001
    assert one(corpus, "select count(*) from _ where r = 6") == 4285


def test_results_of_the_last_result_go_back_to_the_first(corpus: Corpus) -> None:
    keep(corpus, MANY, k=3)
    assert keep(corpus, 'select i, "_".r from _ where r < 2') is None
    keep(corpus, "with few as (select * from _) select few.i, '_' as s from few where r = 1")
    assert one(corpus, "select count(*) from _") == 10_000
    keep(corpus, "select max(i) as m, any_value(s) as s from _")
    assert corpus.sql("from _").rows() == [(29_998, "_")]
    assert len(kept(corpus)) == 1


def test_an_alias_of_that_name_is_no_trouble(corpus: Corpus) -> None:
    assert keep(corpus, "select _.i from range(20_000) as _(i)") == 20_000
    assert keep(corpus, "select x.i from _ as x join _ using (i)") is None
    assert one(corpus, "select count(*) from _") == 20_000


def test_what_would_differ_when_it_runs_again_is_stored_whole(corpus: Corpus) -> None:
    assert keep(corpus, "select random() as x from range(12_000)") == 12_000
    assert one(corpus, "select sum(x) from _") == one(corpus, "select sum(x) from _")
    corpus.sql("create temp table mine as select i from range(15_000) t(i)")
    assert keep(corpus, "select i from mine") == 15_000
    corpus.sql("drop table mine")
    assert one(corpus, "select max(i) from _") == 14_999
    corpus.sql("create macro noise(x) as x + random()")
    assert keep(corpus, "select noise(i) from range(11_000) t(i)") == 11_000


def test_statements_that_are_no_select_are_kept_too(corpus: Corpus) -> None:
    assert keep(corpus, "call duckdb_keywords()") == one(corpus, "select count(*) from _")
    corpus.sql("create temp table t(a integer)")
    assert keep(corpus, "insert into t values (1), (2) returning a") == 2
    assert keep(corpus, "create temp table u(a integer)") == 0
    assert corpus.sql("from _").rows() == [(1,), (2,)]


def test_earlier_results_are_let_go(corpus: Corpus) -> None:
    for number in range(5):
        keep(corpus, f"select {number} as a")
        keep(corpus, MANY, k=2)
    assert len(kept(corpus)) == 2
    assert {name for (name,) in corpus.sql("show tables").rows()} >= {"_", "images"}
    assert not {name for (name,) in corpus.sql("show tables").rows()} & kept(corpus)


def test_a_statement_that_fails_leaves_the_last_result_as_it_was(corpus: Corpus) -> None:
    keep(corpus, "select 42 as a")
    with pytest.raises(ddb_query.DdbError):
        keep(corpus, "select error('no') from range(3)")
    assert one(corpus, "select a from _") == 42


def test_a_cursor_has_a_last_result_of_its_own(corpus: Corpus) -> None:
    keep(corpus, "select 1 as a")
    other = corpus.cursor()
    assert keep(other, "select 2 as a") == 1
    assert (one(corpus, "select a from _"), one(other, "select a from _")) == (1, 2)
    other.close()
