"""A corpus in a process that was forked from the one that opened it, and on its way to another."""

from __future__ import annotations

import contextlib
import copy
import gc
import os
import pickle
import select
import subprocess
import sys
import time
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import ddb_query
from ddb_query.errors import (
    BadColumnError,
    NotPicklableError,
    OtherProcessError,
    RangeRefusedError,
    SearchSyntaxError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddb_query import Corpus, Result

# The longest that a forked process may take; an error at once takes milliseconds.
PATIENCE_SECONDS = 20


def forked(work: Callable[[], object]) -> str:
    """What work gives in a forked process, or the error that it raises; "hangs" if neither."""
    reads, writes = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of forks beside threads, which is what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        process = os.fork()
    if process == 0:
        try:
            os.write(writes, repr(work()).encode())
        except (ddb_query.DdbError, OSError, RuntimeError) as error:
            os.write(writes, type(error).__name__.encode())
        finally:
            os._exit(0)
    os.close(writes)
    try:
        if not select.select([reads], [], [], PATIENCE_SECONDS)[0]:
            return "hangs"
        return os.read(reads, 10_000).decode()
    finally:
        # It may still wait for something after what it has said.
        for _ in range(PATIENCE_SECONDS * 100):
            if os.waitpid(process, os.WNOHANG)[0]:
                break
            time.sleep(0.01)
        else:
            os.kill(process, 9)
            os.waitpid(process, 0)
            pytest.fail("the forked process never ends")
        os.close(reads)


@pytest.fixture(scope="module")
def corpus(demo_cache: Path) -> Iterator[Corpus]:
    """A corpus that has answered already, so that DuckDB's threads are there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(demo_cache))
        with ddb_query.open("demo") as corpus:
            assert corpus.sql("select count(*) from images where prompt like '%a%'").rows()
            assert corpus.search("castle").rows()
            yield corpus


ASKED: dict[str, Callable[[Corpus, Path], object]] = {
    "sql": lambda c, _: c.sql("select 1").rows(),
    "sql that is not read": lambda c, _: c.sql("select 1"),
    "set": lambda c, _: c.sql("set threads = 1"),
    "run": lambda c, _: c.run("sampler-stats").pl(),
    "search": lambda c, _: c.search("castle"),
    "search without an index": lambda c, _: c.search("castle", images=True, count=True),
    "like": lambda c, _: c.like("a castle"),
    "count": lambda c, _: c.select(match="castle").count(),
    "head": lambda c, _: c.select().head(),
    "a notebook": lambda c, _: c.select()._repr_html_(),
    "sql of a selection": lambda c, _: c.select(where="width > 512").sql,
    "plan": lambda c, _: c.select(limit=3).plan(),
    "fetch": lambda c, path: c.select(limit=3).fetch(path / "out"),
    "export": lambda c, path: c.select(limit=3).export(path / "x.csv"),
    "export of sql": lambda c, path: c.export(path / "x.csv", sql="select 1"),
    "report": lambda c, _: c.select().report(sections=["settings"]),
    "build": lambda c, _: c.build(),
    "cursor": lambda c, _: c.cursor(),
    "keep": lambda c, _: c.keep(c.sql("select 1")),
    "interrupt": lambda c, _: c.interrupt(),
}


@pytest.mark.parametrize("name", ASKED)
def test_asked_in_a_forked_process_is_an_error_at_once(
    corpus: Corpus, tmp_path: Path, name: str
) -> None:
    assert forked(lambda: ASKED[name](corpus, tmp_path)) == OtherProcessError.__name__


READ: dict[str, Callable[[Result], object]] = {
    "rows": lambda r: r.rows(),
    "arrow": lambda r: r.arrow(),
    "pl": lambda r: r.pl(),
    "reader": lambda r: next(r.reader()),
    "lines": lambda r: list(r.lines("csv")),
    "cells": lambda r: list(r.answer.cells()) if r.answer else None,
    "a notebook": lambda r: r._repr_html_(),
}


@pytest.mark.parametrize("name", READ)
def test_a_result_is_not_read_in_a_forked_process(corpus: Corpus, name: str) -> None:
    result = corpus.sql("select image_name, cfg from images")
    assert forked(lambda: READ[name](result)) == OtherProcessError.__name__


def test_a_stream_is_not_read_on_in_a_forked_process(corpus: Corpus) -> None:
    with corpus.cursor() as cursor:
        reader = cursor.sql("select image_name from images").reader(1000)
        assert next(reader).num_rows
        assert forked(reader.read_next_batch) == OtherProcessError.__name__
        assert next(reader).num_rows


def test_what_was_read_before_the_fork_stays_readable(corpus: Corpus) -> None:
    result = corpus.sql("select 7 as seven")
    result.rows()
    assert forked(result.rows) == "[(7,)]"


def test_rows_become_a_polars_frame_in_a_process_that_was_forked_beside_polars(
    corpus: Corpus,
) -> None:
    with contextlib.closing(corpus.cursor()) as cursor:
        result = cursor.sql("select image_name, seed, timestamp, sampler from images limit 5000")
        frame = result.pl()
    assert frame.group_by("sampler").len().height  # starts polars' own threads
    assert forked(lambda: result.pl().rows() == frame.rows()) == "True"
    assert forked(lambda: result.pl().schema == frame.schema) == "True"


def test_a_block_ends_in_a_forked_process_and_the_parent_goes_on(demo_cache: Path) -> None:
    with ddb_query.open("demo") as own:
        spill = demo_cache / "spill" / str(os.getpid())
        spill.mkdir(parents=True, exist_ok=True)

        def leave() -> None:
            with own:
                pass

        assert forked(leave) == "None"
        assert spill.is_dir()
        assert own.sql("select 1").rows() == [(1,)]


def test_a_corpus_of_its_own_answers_in_a_forked_process(corpus: Corpus) -> None:
    def ask() -> object:
        with ddb_query.open("demo") as own:
            return own.sql("select count(*) from images").rows(), own.search("castle").rows() != []

    assert corpus.sql("select 1").rows()
    assert forked(ask) == "([(100000,)], True)"


@pytest.mark.parametrize("send", [pickle.dumps, copy.copy, copy.deepcopy])
def test_nothing_of_a_corpus_is_pickled_or_copied(
    corpus: Corpus, send: Callable[[Any], object]
) -> None:
    for thing in (corpus, corpus.select(match="castle"), corpus.sql("select 1")):
        with pytest.raises(NotPicklableError) as caught:
            send(thing)
        assert isinstance(caught.value, TypeError)
        assert type(thing).__name__ in caught.value.message
        assert "docs/python.md" in str(caught.value.hint)


def test_rows_and_names_are_pickled(corpus: Corpus) -> None:
    with contextlib.closing(corpus.cursor()) as cursor:
        table = cursor.sql("select image_name from images limit 3").arrow()
    assert pickle.loads(pickle.dumps(table)) == table


def test_an_error_reaches_the_parent_of_a_worker_as_it_was(corpus: Corpus) -> None:
    for error in (
        OtherProcessError(7),
        BadColumnError(Path("a"), "cfg", "FLOAT", "BLOB"),
        RangeRefusedError("images/part-000001.zip", 9),
        SearchSyntaxError("odd", "a b", 1),
        NotPicklableError("Corpus", "open one"),
    ):
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), str(back), vars(back)) == (type(error), str(error), vars(error))


# In a process of its own: where a worker of a pool dies, the pool waits for ever.
POOL = """
import multiprocessing, os, sys, warnings
import ddb_query
warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads, from Python 3.12 on
held = []

def ask():
    return held[0].sql("select 1").rows()

with ddb_query.open("demo") as corpus:
    corpus.sql("select count(*) from images where prompt like '%a%'").rows()
    with multiprocessing.get_context("fork").Pool(1, held.append, (corpus,)) as pool:
        try:
            pool.apply_async(ask).get(20)
        except ddb_query.DdbError as error:
            print(type(error).__name__, error.process == os.getpid(), error.message)
"""


@pytest.mark.slow
def test_the_error_of_a_worker_in_a_pool_reaches_its_parent() -> None:
    ran = subprocess.run(
        [sys.executable, "-c", POOL], capture_output=True, check=True, timeout=60, text=True
    )
    assert ran.stdout.startswith("OtherProcessError True this corpus was opened by another process")


DROPPED: dict[str, Callable[[Corpus], object]] = {
    "corpus": lambda c: c,
    "cursor": lambda c: c.cursor(),
    "result": lambda c: c.sql("select image_name from images"),
    "reader": lambda c: begun(c.sql("select image_name from images").reader(1000)),
    "lines": lambda c: begun(c.sql("select image_name from images").lines("csv")),
    "cells": lambda c: begun(c.sql("select image_name from images").answer.cells()),  # type: ignore[union-attr]
}


def begun(rows: Iterator[object]) -> Iterator[object]:
    next(rows)
    next(rows)
    return rows


@pytest.mark.parametrize("what", DROPPED)
def test_a_forked_process_may_drop_what_its_parent_opened(demo_cache: Path, what: str) -> None:
    with ddb_query.open("demo") as corpus:
        # Whether DuckDB's threads are at work at that moment differs from time to time.
        for _ in range(5):
            assert corpus.sql("select count(*) from images where prompt like '%a%'").rows()
            cursor = corpus.cursor()
            held: list[object] = [cursor, DROPPED[what](cursor)]
            held.append(held)
            del cursor

            def drop(held: list[object] = held) -> str:
                held.clear()
                gc.collect()
                return "dropped"

            assert forked(drop) == "'dropped'"
            held.clear()
