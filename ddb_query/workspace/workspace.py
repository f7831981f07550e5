"""Workspace: the engine over one dataset with its searches and temporary tables."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation, Result
from ddb_query.engines.table_files import table_files
from ddb_query.errors import MissingNamesWarning, SqlError, UsageError
from ddb_query.workspace.search_function import calls_search, searched_words

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.diffusiondb import Dataset
    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.engines.duckdb.rows import DuckDBRows
    from ddb_query.errors import PartlyDoneError
    from ddb_query.search.ast import Node
    from ddb_query.search.index import Hits
    from ddb_query.settings import Settings
    from ddb_query.store.paths import Store
    from ddb_query.store.searcher import Searcher
    from ddb_query.util.progress import Progress
    from ddb_query.workspace.search_function import SearchTable, SearchTables

_HITS = """
select unnest(cast($ids as bigint[])) as prompt_id, unnest(cast($scores as double[])) as score
"""


@dataclass
class Source:
    """What a corpus and its cursors share.

    Attributes:
        dataset: Which one.
        table: Its metadata table.
        store: Its store, which may not have been built.
        definition: What the engine needs to define the views.
        revision: Commit of the repository that the table came from, if it is known.
        progress: Called while long work goes on.
        settings: Folders of the machine.
        searcher: Searches the prompts.
        search_tables: What `search()` in SQL reads.
        held: Of these, what must stay as long as the dataset is open.
        warns: Whether names that are missing are told as warnings, where nobody else tells them.
        missing: For each list of images that was read, that names some which are not there, what
            is to be told of it.
    """

    dataset: Dataset
    table: Path
    store: Store
    definition: tuple[Dataset, Path, dict[str, str], int]
    revision: str | None = None
    progress: Progress | None = None
    settings: Settings = field(init=False)
    searcher: Searcher = field(init=False)
    search_tables: SearchTables = field(init=False)
    held: list[SearchTable] = field(default_factory=list)
    warns: bool = False
    missing: list[PartlyDoneError] = field(default_factory=list)

    def hits(self, words: str) -> Hits:
        """All prompts that match, for `search()` in SQL."""
        return self.searcher.all(self.searcher.parse(words))

    def lacks(self, error: PartlyDoneError) -> None:
        """Have it told that a list names images that are not there."""
        if self.warns:
            warnings.warn(error.message, MissingNamesWarning, stacklevel=2)
        else:
            self.missing.append(error)


class Workspace:
    """Where one thread asks one dataset.

    Attributes:
        engine: Runs the SQL.
        source: What is asked.
    """

    def __init__(self, engine: DuckDBEngine, source: Source) -> None:
        self.engine = engine
        self.source = source
        self._kept = 0

    def ask(self, relation: Relation, limit: int | None = None) -> Result:
        """The rows of a statement, of which a SELECT runs when they are read.

        Args:
            relation: One statement; `search(…)` in it is prepared for.
            limit: At most so many rows; None or 0 for all.

        Raises:
            SqlError: The engine refuses it.
            UsageError: The limit is negative or too large.
        """
        if limit is not None and not 0 <= limit < 2**63:
            raise UsageError("limit is a number of rows from 0, and 0 is all")
        answer = self._answer(relation)
        return Result(answer.head(limit) if answer and limit else answer)

    def answer(self, relation: Relation) -> DuckDBRows:
        """The engine's side of a SELECT, for writers.

        Raises:
            SqlError: The engine refuses it, or it gives no rows.
        """
        answer = self._answer(relation)
        if answer is None:
            raise SqlError("the statement gives no rows")
        return answer

    def _answer(self, relation: Relation) -> DuckDBRows | None:
        tables = self.prepare_calls(relation)
        answer = self.engine.answer(relation)
        if answer is None or answer.statement is None:
            # It may have made a view, which reads its tables whenever it is asked.
            self.source.held += tables
        else:
            answer.held = tables
        return answer

    def keep(self, relation: Relation, kind: str) -> str:
        """Keep rows in a temporary table, for later statements; gives the table's name.

        Args:
            relation: A SELECT.
            kind: What the rows are, as a part of the name.
        """
        self._kept += 1
        table = f"ddb_{kind}_{self._kept}"
        self.ask(Relation(f"create temp table {table} as {relation.sql}", relation.values))
        return table

    def keep_hits(self, hits: Hits) -> str:
        """Keep hits of a search in a temporary table of `prompt_id` and `score`, the best first.

        A table, not a subquery, so that the engine knows how few they are when it plans a join.
        """
        values = {"ids": hits.prompt_ids.tolist(), "scores": hits.scores.tolist()}
        return self.keep(Relation(_HITS, values), "hits")

    def parse(self, words: str, *, exact_syntax: bool = False) -> Node:
        """The tree of a search.

        Raises:
            SearchSyntaxError: The words have no meaning.
        """
        self.prepare_search()
        return self.source.searcher.parse(words, exact_syntax=exact_syntax)

    def prepare_search(self) -> None:
        """Have the index at hand, and the views over the store that was built for it."""
        self.engine.check_process()
        if self.source.searcher.prepare():
            self.engine.define(*self.source.definition, self.source.store.folder)

    def first(self, relation: Relation) -> tuple[int, ...]:
        """The only row of a SELECT of whole numbers."""
        answer = self.engine.answer(relation)
        row = next(answer.cells(), ()) if answer else ()
        return tuple(int(cell or 0) for cell in row)

    def lock(self) -> None:
        """Let the engine read nothing from now on but the dataset's own files."""
        store = self.source.store.folder
        self.engine.lock([*table_files(self.source.table), *sorted(store.glob("*.parquet"))])

    def cursor(self, *, silent: bool = False) -> Workspace:
        """The same dataset for another thread; temporary tables are not shared."""
        return Workspace(self.engine.cursor(silent=silent), self.source)

    def close(self) -> None:
        """Let go of the engine and its files."""
        self.source.searcher.close()
        self.engine.close()

    def prepare_calls(self, relation: Relation) -> list[SearchTable]:
        """Have ready what each `search(…)` in a statement reads.

        Returns:
            What must be held for as long as the statement may run.

        Raises:
            SearchSyntaxError: A text is not of the search language.
        """
        if not calls_search(relation.sql):
            return []
        self.prepare_search()
        words, written = searched_words(relation)
        for text in written:
            answer = self.engine.answer(text)
            words += [row[0] for row in answer.cells() if row[0] is not None] if answer else []
        return self.source.search_tables.of(words)
