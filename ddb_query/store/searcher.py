"""Finds prompts by words: through the store's index, or by scanning where there is none."""

from __future__ import annotations

import os
from array import array
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation
from ddb_query.errors import DamagedIndexError, DdbError, OutputError
from ddb_query.search.ast import names_artists
from ddb_query.search.highlight import highlights
from ddb_query.search.index import Hits, Index
from ddb_query.search.index import build as build_index
from ddb_query.search.parser import parse
from ddb_query.search.to_sql import predicate
from ddb_query.store.build import build, index_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from ddb_query.engines.base import Spans
    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.search.ast import Node
    from ddb_query.store.paths import Store
    from ddb_query.util.progress import Progress


class Searcher:
    """Searches the prompts of one dataset.

    The store is built when the first search needs it, unless `DDB_NO_BUILD` is set: then prompts
    are scanned, and what is found has no rank but its number of images. Where nothing can be
    written, the index lives in memory.
    """

    def __init__(
        self,
        store: Store,
        source: Path,
        open_over: Callable[[Path | None], DuckDBEngine],
        cursor: Callable[[], DuckDBEngine],
        *,
        progress: Progress | None = None,
        note: Callable[[str], None] | None = None,
    ) -> None:
        self._store = store
        self._source = source
        self._open_over = open_over
        self._cursor = cursor
        self._progress = progress
        self._note = note
        self._index: Index | None = None
        self._scanner: DuckDBEngine | None = None

    def prepare(self, *, even_if_told_not_to: bool = False) -> bool:
        """Open the index, and build the store before if that is needed and allowed.

        Args:
            even_if_told_not_to: Whether `DDB_NO_BUILD` is disregarded.

        Returns:
            Whether the store was built just now.
        """
        if self._index is not None or (_no_build() and not even_if_told_not_to):
            return False
        built = False
        if not self._store.whole:
            self._say(f"building the store of dataset {self._store.dataset}, once")
            try:
                built = build(self._store, self._source, self._open_over, self._progress)
            except OutputError as error:
                self._index_in_memory(error)
                return False
        try:
            self._index = Index.open(self._store.index)
        except DamagedIndexError as error:
            self._store.discard()
            if self._store.whole:
                # Somebody else's, which cannot be written to.
                self._index_in_memory(error)
                return False
            self._say(f"{error.message}; building the store anew")
            return self.prepare()
        return built

    def parse(self, words: str, *, exact_syntax: bool = False) -> Node:
        """The tree of what was typed.

        Raises:
            SearchSyntaxError: It has no meaning.
        """
        return parse(words, self._normalise, exact_syntax=exact_syntax)

    def top(self, tree: Node, limit: int | None) -> Hits:
        """The best matches, or all: by score, then images descending, then prompt_id."""
        self.prepare()
        if self._index is None:
            return self._scanned(tree, limit)
        return self._index.all(tree) if limit is None else self._index.search(tree, limit)

    def all(self, tree: Node) -> Hits:
        """All matches, the best first."""
        return self.top(tree, None)

    def count(self, tree: Node) -> int:
        """How many prompts match."""
        self.prepare()
        if self._index is not None:
            return self._index.count(tree)
        return len(self._scanned(tree, None).prompt_ids)

    def like(self, prompt: str, limit: int | None) -> Hits:
        """Prompts similar to this one, or all; itself among them if it is in the dataset."""
        return self._any_index().like(self._normalise([prompt])[0], limit)

    def count_like(self, prompt: str) -> int:
        """How many prompts are similar to this one at all."""
        return self._any_index().count_like(self._normalise([prompt])[0])

    def highlights(self, tree: Node, prompts: Sequence[str]) -> list[Spans]:
        """For each prompt, as it is written, the spans that match."""
        return highlights(tree, prompts, self._normalise)

    def close(self) -> None:
        """Let go of its engine."""
        if self._scanner is not None:
            self._scanner.close()

    def _index_in_memory(self, why: DdbError) -> None:
        self._say(f"{why.message}; the search index lives in memory for now")
        self._index = build_index(None, index_rows(self.engine()), progress=self._progress)

    def _any_index(self) -> Index:
        """The index, or one in memory where none is to be built."""
        self.prepare()
        if self._index is None:
            self._index = build_index(None, index_rows(self.engine()))
        return self._index

    def _normalise(self, texts: list[str]) -> list[str]:
        answer = self.engine().answer(
            Relation("select normalise(unnest(cast($texts as varchar[])))", {"texts": texts})
        )
        return [row[0] or "" for row in answer.cells()] if answer else []

    def _scanned(self, tree: Node, limit: int | None) -> Hits:
        condition, values = predicate(tree)
        artists = " inner join prompt_artists using (prompt_id)" if names_artists(tree) else ""
        # The condition is ours, made of columns, functions and parameters; the values are bound.
        sql = (
            f"select prompt_id from prompts{artists} where {condition}"  # noqa: S608
            " order by images desc, prompt_id"
        )
        answer = self.engine().answer(Relation(sql, values))
        if answer is None:
            return Hits(array("q"), array("d"))
        rows = (answer if limit is None else answer.head(limit)).cells()
        ids = array("q", (int(row[0] or 0) for row in rows))
        return Hits(ids, array("d", [0.0]) * len(ids))

    def engine(self) -> DuckDBEngine:
        """An engine of its own: a search may be asked for in the middle of a statement."""
        if self._scanner is None:
            self._scanner = self._cursor()
        return self._scanner

    def _say(self, words: str) -> None:
        if self._note:
            self._note(words)


def _no_build() -> bool:
    return os.environ.get("DDB_NO_BUILD", "") not in ("", "0")
