"""The public object: `ddb_query.open`, `Corpus` and `Result`, as a program uses them."""

from __future__ import annotations

import datetime
import decimal
import shutil
import signal
import threading
from typing import TYPE_CHECKING

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import ddb_query
from ddb_query.errors import (
    BadColumnError,
    InterruptedByUserError,
    MissingDataError,
    ParameterError,
    SqlError,
    TimedOutError,
    UnknownDatasetError,
    UnknownQueryError,
    UsageError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

ENDLESS = "select count(*) as n from range(100_000_000_000) as t(i) where i % 7 = 1"
STREAM = "select i, md5(i::varchar) as h from range(100_000_000_000) as t(i)"
ROWS = 300_000
MANY = f"select i from range({ROWS}) as t(i)"


@pytest.fixture
def corpus(tables: Path, home: Path) -> Iterator[ddb_query.Corpus]:
    with ddb_query.open("2m", data_dir=tables) as opened:
        yield opened


def test_open_takes_the_dataset_that_is_there_and_says_which_when_asked(
    tables: Path, home: Path
) -> None:
    notes: list[str] = []
    with ddb_query.open(data_dir=tables, note=notes.append) as corpus:
        assert corpus.dataset == "2m"
    assert not notes
    (home / "data").mkdir()
    shutil.copy(tables / "metadata-large.parquet", home / "data")
    notes.clear()
    with ddb_query.open(note=notes.append) as corpus:
        assert (corpus.dataset, notes) == ("large", [])
        assert corpus.sql("select count(*) from images").rows() == [(5000,)]


def test_every_form_of_a_result_has_the_same_rows(corpus: ddb_query.Corpus) -> None:
    result = corpus.sql("select i, i::varchar as t from range(3) as r(i) order by i")
    assert result.rows() == [(0, "0"), (1, "1"), (2, "2")]
    assert list(result) == result.rows()
    assert isinstance(result.arrow(), pa.Table)
    assert result.arrow().to_pydict() == {"i": [0, 1, 2], "t": ["0", "1", "2"]}
    assert result.pl().equals(pl.DataFrame({"i": [0, 1, 2], "t": ["0", "1", "2"]}))
    assert isinstance(result.df(), pd.DataFrame)
    assert result.df()["t"].tolist() == ["0", "1", "2"]
    assert result.reader().read_all().equals(result.arrow())
    assert [(column.name, column.type) for column in result.columns] == [
        ("i", "BIGINT"), ("t", "VARCHAR"),
    ]  # fmt: skip


def test_values_come_out_as_their_python_types(corpus: ddb_query.Corpus) -> None:
    at = datetime.datetime(2022, 8, 6, 21, 59)
    (row,) = corpus.sql(
        "select timestamp '2022-08-06 21:59' as a, timestamptz '2022-08-06 23:59+02' as b,"
        " 1.50::decimal(5, 2) as c, [1, null] as d, {'k': 'v'} as e, '\\xFF'::blob as f"
    ).rows()
    assert row == (
        at, at.replace(tzinfo=datetime.UTC), decimal.Decimal("1.50"), [1, None], {"k": "v"},
        b"\xff",
    )  # fmt: skip


def test_a_result_runs_once_however_often_it_is_read(corpus: ddb_query.Corpus) -> None:
    result = corpus.sql("select random() as x from range(5)")
    first = result.rows()
    assert result.rows() == first
    assert result.pl().rows() == first
    assert [(x,) for x in result.df()["x"]] == first
    assert [(x,) for x in result.arrow()["x"].to_pylist()] == first
    assert [(x,) for batch in result.reader() for x in batch["x"].to_pylist()] == first


def test_a_select_runs_when_it_is_read_and_everything_else_at_once(
    corpus: ddb_query.Corpus,
) -> None:
    assert corpus.sql("create temp table t as select 1 as a; insert into t values (2)").rows() == []
    late = corpus.sql("select count(*) from t")
    assert corpus.sql("insert into t values (3); select 5 // 0 as x; from t").rows() == [
        (1,), (2,), (3,),
    ]  # fmt: skip
    assert late.rows() == [(3,)]


def test_a_reader_streams_batches_of_the_size_asked_for(corpus: ddb_query.Corpus) -> None:
    reader = corpus.sql(MANY).reader(1000)
    assert isinstance(reader, pa.RecordBatchReader)
    first = reader.read_next_batch()
    assert first["i"].to_pylist() == list(range(first.num_rows))
    assert first.num_rows <= 2048
    assert first.num_rows + sum(batch.num_rows for batch in reader) == ROWS


def test_a_result_that_was_streamed_cannot_be_read_again(corpus: ddb_query.Corpus) -> None:
    result = corpus.sql(MANY)
    assert sum(batch.num_rows for batch in result.reader()) == ROWS
    for again in (result.reader, result.arrow, result.rows, result.pl):
        with pytest.raises(UsageError, match="this result was streamed already") as caught:
            again()
        assert caught.value.hint == "ask for it again"


def test_one_result_at_a_time_is_streamed_and_a_cursor_gives_another(
    corpus: ddb_query.Corpus,
) -> None:
    reader = corpus.sql(MANY).reader(1000)
    reader.read_next_batch()
    with pytest.raises(UsageError, match="an earlier result is still being read") as caught:
        corpus.sql("select 1").rows()
    assert "corpus.cursor()" in (caught.value.hint or "")
    assert corpus.cursor().sql("select 1").rows() == [(1,)]
    del reader
    assert corpus.sql("select 1").rows() == [(1,)]


def wakeup() -> int:
    """Where Python tells of signals, as ddb does while a result is on its way."""
    descriptor = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(descriptor)
    return descriptor


def test_results_streamed_side_by_side_end_in_any_order(corpus: ddb_query.Corpus) -> None:
    before = wakeup()
    readers = [corpus.cursor().sql(MANY).reader(1000) for _ in range(3)]
    counts = [reader.read_next_batch().num_rows for reader in readers]
    for place in (1, 2, 0):
        assert wakeup() != before
        counts[place] += sum(batch.num_rows for batch in readers[place])
    assert counts == [ROWS] * 3
    assert wakeup() == before


def test_a_limit_caps_any_result_and_zero_is_all(corpus: ddb_query.Corpus) -> None:
    assert corpus.sql(MANY, limit=3).rows() == [(0,), (1,), (2,)]
    assert corpus.sql(MANY, limit=0).arrow().num_rows == ROWS
    assert corpus.run("user-stats", limit=2).arrow().num_rows == 2
    for limit in (-1, 2**63):
        with pytest.raises(UsageError, match="limit is a number of rows"):
            corpus.sql(MANY, limit=limit)


def test_run_takes_values_as_text_or_as_their_types(corpus: ddb_query.Corpus) -> None:
    typed = corpus.run("user-stats", min_images=50, include_deleted=False).rows()
    assert typed
    assert corpus.run("user-stats", min_images="50", include_deleted="no").rows() == typed
    assert corpus.run("timeline", grain="day").columns[0].type == "TIMESTAMP"


def test_queries_describe_themselves(corpus: ddb_query.Corpus) -> None:
    names = [query.name for query in corpus.queries()]
    assert names == sorted(names)
    assert corpus.query("user-stats") in corpus.queries()
    assert corpus.query("user-stats").limit == 20


def test_a_user_folder_of_queries_is_opened_with_the_corpus(tables: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.sql").write_text(
        "-- name: mine\n-- description: x\n-- param: name text\n-- param: self text = s\n"
        "select $name as n, $self as s\n"
    )
    with ddb_query.open("2m", data_dir=tables, sql_dir=tmp_path) as corpus:
        assert corpus.run("mine", name="x").rows() == [("x", "s")]


def test_parameters_are_bound_with_their_types(corpus: ddb_query.Corpus) -> None:
    at = datetime.datetime(2022, 8, 6, 21, 59)
    given = {"text": "x' or '1'='1", "number": 7, "real": 0.5, "yes": True, "nothing": None,
             "at": at, "items": [1, 2], "price": decimal.Decimal("1.50")}  # fmt: skip
    shown = ", ".join(f"${name} as {name}_" for name in given)
    assert corpus.sql(f"select {shown}", given).rows() == [tuple(given.values())]


@pytest.mark.parametrize(
    ("call", "error", "code", "data"),
    [
        (lambda c: c.sql("selec 1"), SqlError, 1, {}),
        (lambda c: c.sql("select 5 // i from range(3) t(i)").rows(), SqlError, 1, {}),
        (lambda c: c.sql(""), UsageError, 2, {}),
        (lambda c: c.sql("select $a"), ParameterError, 2, {"name": "a"}),
        (lambda c: c.sql("select 1", {"a": 1}), ParameterError, 2, {"name": "a"}),
        (lambda c: c.run("user-profile"), ParameterError, 2, {"name": "user"}),
        (lambda c: c.run("user-stats", min_images=2.5), ParameterError, 2, {"name": "min_images"}),
        (lambda c: c.run("user-stats", min_images=None), ParameterError, 2, {"name": "min_images"}),
        (lambda c: c.run("user-stats", nope=1), ParameterError, 2, {"name": "nope"}),
        (lambda c: c.run("user-statz"), UnknownQueryError, 2, {"name": "user-statz"}),
        (lambda _: ddb_query.open("3m"), UnknownDatasetError, 2, {"name": "3m"}),
        (lambda _: ddb_query.open("2m", engine="abacus"), UsageError, 2, {}),
        (lambda _: ddb_query.open("demo", threads=0), UsageError, 2, {}),
        (lambda _: ddb_query.open("demo", memory_limit="lots"), UsageError, 2, {}),
        (lambda _: ddb_query.open("2m"), MissingDataError, 3, {}),
    ],
)  # fmt: skip
def test_errors_are_of_one_family_and_carry_their_data_and_exit_code(
    call: Callable[[ddb_query.Corpus], object],
    error: type[ddb_query.DdbError],
    code: int,
    data: dict[str, str],
    corpus: ddb_query.Corpus,
) -> None:
    with pytest.raises(ddb_query.DdbError) as caught:
        call(corpus)
    assert type(caught.value) is error
    assert caught.value.exit_code == code
    hint = f"\nhint: {caught.value.hint}" if caught.value.hint else ""
    assert str(caught.value) == caught.value.message + hint
    assert {name: getattr(caught.value, name) for name in data} == data
    assert corpus.sql("select 1").rows() == [(1,)]


def test_a_table_with_a_wrong_column_says_which_expected_and_found(
    tables: Path, tmp_path: Path, corpus: ddb_query.Corpus
) -> None:
    path = tmp_path / "metadata.parquet"
    corpus.sql("select * exclude (seed) from metadata").pl().write_parquet(path)
    with pytest.raises(BadColumnError) as caught:
        ddb_query.open("2m", data_dir=tmp_path)
    error = caught.value
    assert (error.path, error.column, error.expected, error.found) == (
        path, "seed", "UINTEGER", "no such column",
    )  # fmt: skip


def test_a_cursor_serves_another_thread(corpus: ddb_query.Corpus) -> None:
    found: list[object] = []

    def work(cursor: ddb_query.Corpus) -> None:
        found.append(cursor.run("sampler-stats", limit=1).rows()[0][:3])

    threads = [threading.Thread(target=work, args=(corpus.cursor(),)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(found)) == 1
    assert len(found) == 3


def test_a_cursor_shares_views_and_no_temporary_tables(corpus: ddb_query.Corpus) -> None:
    corpus.sql("create temp table mine as select 1 as a")
    cursor = corpus.cursor()
    assert cursor.dataset == "2m"
    assert cursor.sql("select count(*) from images").rows() == [(3000,)]
    with pytest.raises(SqlError):
        cursor.sql("from mine")


@pytest.mark.parametrize(
    "read",
    [
        lambda corpus: corpus.sql(ENDLESS).rows(),
        lambda corpus: corpus.sql(STREAM).arrow(),
        lambda corpus: [batch.num_rows for batch in corpus.sql(STREAM).reader()],
        lambda corpus: corpus.sql(f"create temp table t as {ENDLESS}"),
    ],
    ids=["rows", "arrow", "reader", "create"],
)
def test_interrupt_from_another_thread_stops_what_runs(
    read: Callable[[ddb_query.Corpus], object], corpus: ddb_query.Corpus
) -> None:
    stopped = threading.Event()

    def stop() -> None:
        # Again and again, since at the first time the statement may not have begun.
        while not stopped.wait(0.2):
            corpus.interrupt()

    stopper = threading.Thread(target=stop)
    stopper.start()
    try:
        with pytest.raises(InterruptedByUserError) as caught:
            read(corpus)
    finally:
        stopped.set()
        stopper.join()
    assert caught.value.exit_code == 130
    assert corpus.sql("select 1").rows() == [(1,)]


@pytest.mark.parametrize("sql", [ENDLESS, STREAM])
def test_a_timeout_is_an_error_with_its_seconds(sql: str, tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables, timeout=0.3) as corpus:
        with pytest.raises(TimedOutError) as caught:
            corpus.sql(sql).arrow()
        assert (caught.value.seconds, caught.value.exit_code) == (0.3, 1)
        assert corpus.sql("select 1").rows() == [(1,)]


@pytest.mark.slow
def test_progress_is_told_while_a_statement_runs(tables: Path) -> None:
    told: list[tuple[int, int | None, str, str]] = []

    def progress(done: int, total: int | None, unit: str, label: str) -> None:
        told.append((done, total, unit, label))

    with ddb_query.open("2m", data_dir=tables, progress=progress) as corpus:
        corpus.sql("select count(sleep_ms(1)) from range(600)").rows()
    assert len(told) > 2
    assert {call[1:] for call in told} == {(100, "%", "query")}
    assert told[-1][0] == 100


def test_long_work_names_each_of_its_steps(
    tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path))
    began: list[str] = []
    ended: list[str] = []

    def progress(done: int, total: int | None, unit: str, label: str) -> None:
        if unit != "%" and total is not None and done >= total:
            ended.append(label)
        elif unit != "%" and label not in began:
            began.append(label)

    with ddb_query.open("2m", data_dir=tables, progress=progress) as corpus:
        corpus.search("castle")
        steps = [label for label in began if label.startswith("building the store: ")]
        assert [label.partition(": ")[2] for label in steps] == [
            "images", "activity", "prompts", "clauses", "terms", "prompt_artists",
            "users", "repeats", "artists",
        ]  # fmt: skip
        assert "building the search index" in began
        assert set(began) <= set(ended)
        began.clear()
        corpus.select(sampler="ddim").report(versus="rest", sections=["settings", "terms"])
        assert [label for label in began if "section" in label] == [
            f"selection {selection} of 2, section {place} of 2: {name}"
            for selection in (1, 2)
            for place, name in enumerate(("terms", "settings"), 1)
        ]
        assert set(began) <= set(ended)


def test_a_closed_corpus_refuses_and_may_be_closed_again(tables: Path) -> None:
    corpus = ddb_query.open("2m", data_dir=tables)
    late = corpus.sql("select 1")
    corpus.close()
    corpus.close()
    corpus.interrupt()
    for call in (late.rows, lambda: corpus.sql("select 1"), corpus.cursor):
        with pytest.raises(ddb_query.DdbError, match="closed"):
            call()


def test_an_error_inside_with_closes_the_corpus(tables: Path) -> None:
    with pytest.raises(ZeroDivisionError), ddb_query.open("2m", data_dir=tables) as corpus:
        1 / 0  # noqa: B018
    with pytest.raises(ddb_query.DdbError, match="closed"):
        corpus.sql("select 1")


def test_a_notebook_shows_twenty_rows_at_most_all_text_escaped(corpus: ddb_query.Corpus) -> None:
    page = corpus.sql(
        "select '<script>alert(1)</script>' as \"<b>&\", null as n, i from range($n) as t(i)",
        {"n": 21},
    )._repr_html_()
    assert page.count("<tr>") == 21
    assert "<th>&lt;b&gt;&amp;</th>" in page
    assert "<td>&lt;script&gt;alert(1)&lt;/script&gt;</td><td><i>NULL</i></td><td>19</td>" in page
    assert "<script>" not in page
    assert page.endswith("<p>20 of 21 rows</p>")
    whole = corpus.sql("select i from range(20) as t(i)")._repr_html_()
    assert (whole.count("<tr>"), "20 of" in whole) == (21, False)


def test_a_notebook_shows_what_was_read_and_does_not_ask_again(corpus: ddb_query.Corpus) -> None:
    result = corpus.sql("select random() as x, null as n from range(3)")
    assert result._repr_html_() == result._repr_html_()
    rows = result.rows()
    assert all(f"<td>{x}</td><td><i>NULL</i></td>" in result._repr_html_() for x, _ in rows)


def test_text_that_is_not_unicode_is_an_error_of_ddb(corpus: ddb_query.Corpus) -> None:
    with pytest.raises(ddb_query.DdbError):
        corpus.sql("\udcff")
    with pytest.raises(ddb_query.DdbError):
        corpus.sql("select $x", {"x": "\udcff"})


def test_a_result_tells_its_columns_without_running(corpus: ddb_query.Corpus) -> None:
    assert repr(corpus.sql(ENDLESS)) == "<Result: n BIGINT>"
    assert repr(corpus.sql("create temp table t as select 1 as a")) == "<Result: no rows>"


def test_the_package_names_what_is_public_and_nothing_else() -> None:
    names = ["Corpus", "DdbError", "Report", "Result", "Selection", "open"]
    assert sorted(ddb_query.__all__) == names
    assert all(hasattr(ddb_query, name) for name in ddb_query.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'opne'"):
        ddb_query.opne  # noqa: B018
