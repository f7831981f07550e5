"""A fetch reads its rows with little memory, and leaves the limit as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import ddb_query
from ddb_query.engines.base import Relation
from ddb_query.errors import OutOfMemoryError
from ddb_query.fetch import selected

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus

SETTING = "select parse_formatted_bytes(current_setting('memory_limit'))"
MILLION = 1_000_000
ALL_SORTED = Relation("select * from images order by md5(image_name)")


def limit(corpus: Corpus) -> int:
    return int(corpus.sql(SETTING).rows()[0][0])


def test_the_limit_is_lower_for_as_long_as_rows_are_read() -> None:
    with ddb_query.open("demo") as corpus:
        usual = limit(corpus)
        for _ in range(3):
            with corpus.workspace.engine.frugal(100 * MILLION):
                assert 90 * MILLION < limit(corpus) <= 100 * MILLION
            assert limit(corpus) == usual


def test_a_statement_for_which_that_is_too_little_says_so_and_the_limit_is_usual_again() -> None:
    with ddb_query.open("demo") as corpus:
        usual = limit(corpus)
        with pytest.raises(OutOfMemoryError), corpus.workspace.engine.frugal(MILLION):
            corpus.workspace.answer(ALL_SORTED).reader().read_all()
        assert limit(corpus) == usual
        assert corpus.workspace.answer(ALL_SORTED).reader().read_all().num_rows == 100_000


def test_a_limit_that_somebody_set_stays() -> None:
    with ddb_query.open("demo") as corpus:
        corpus.sql("set memory_limit = '3GB'").rows()
        usual = limit(corpus)
        with corpus.workspace.engine.frugal(100 * MILLION):
            assert limit(corpus) == usual
        assert limit(corpus) == usual


@pytest.mark.parametrize("given", ["50MB", None])
def test_a_lower_limit_stays_and_so_does_that_of_other_cursors(given: str | None) -> None:
    with ddb_query.open("demo", memory_limit=given) as corpus:
        other = None if given else corpus.cursor()
        usual = limit(corpus)
        with corpus.workspace.engine.frugal(100 * MILLION):
            assert limit(corpus) == usual
        if other:
            other.close()
            with corpus.workspace.engine.frugal(100 * MILLION):
                assert limit(corpus) < usual


def test_the_command_loads_no_pandas(ddb: Callable[..., Ran], tmp_path: Path) -> None:
    fetch = ("--dataset", "demo", "fetch", "--limit", "3", "-o", "images")
    ran = ddb(*fetch, PYTHONPROFILEIMPORTTIME="1")
    assert ran.code == 0
    loaded = {line.rpartition("|")[2].strip() for line in ran.err.splitlines()}
    assert "pyarrow" in loaded
    assert not loaded & {"pandas.core", "polars"}


def test_a_selection_that_needs_more_memory_gets_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selected, "_LITTLE_MEMORY", MILLION)
    with ddb_query.open("demo") as corpus:
        usual = limit(corpus)
        sample = corpus.select(sample=3, seed=7, max_image_nsfw=0.1, order_by="md5(prompt)")
        assert sample.plan().images == 3
        assert sample.fetch(tmp_path / "images").complete
        assert limit(corpus) == usual
