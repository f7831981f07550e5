"""Corpus: an opened dataset with its engine and its views, the object that all of ddb serves."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from ddb_query import searching
from ddb_query.dataset import is_image_name
from ddb_query.engines.base import Relation, Result
from ddb_query.errors import (
    ParameterError,
    QueryFileError,
    SearchSyntaxError,
    UsageError,
)
from ddb_query.search.tree import only_negative
from ddb_query.selection import Filters
from ddb_query.sql_text import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from ddb_query.dataset import Dataset
    from ddb_query.engines.duckdb import DuckDBEngine
    from ddb_query.query_file import CannedQuery
    from ddb_query.query_library import QueryLibrary
    from ddb_query.search.index import Hits
    from ddb_query.store.finder import Finder
    from ddb_query.store.place import Store


NO_FILTERS = Filters()
# How many similar prompts are looked at for their images.
_SIMILAR = 1000


@dataclass
class Source:
    """What a corpus and its cursors share.

    Attributes:
        dataset: 2m, large or demo.
        table: Its metadata table.
        store: Its store, which may not have been built.
        definition: What the engine needs to define the views.
        finder: Searches the prompts.
        searchable: Whether `search()` is defined in SQL.
    """

    dataset: str
    table: Path
    store: Store
    definition: tuple[Dataset, Path, dict[str, str]]
    finder: Finder = field(init=False)
    searchable: bool = False

    def hits(self, words: str) -> Hits:
        """All prompts that match, for `search()` in SQL."""
        return self.finder.all(self.finder.parse(words))


class Corpus:
    """An opened dataset.

    One corpus serves one thread; `cursor` gives another. Close it, or open it in `with`.

    Attributes:
        dataset: 2m, large or demo.

    """

    def __init__(self, engine: DuckDBEngine, library: QueryLibrary, source: Source) -> None:
        self._engine = engine
        self._library = library
        self._source = source
        self._searches_kept = 0
        self.dataset = source.dataset

    def sql(
        self, sql: str, params: Mapping[str, object] | None = None, *, limit: int | None = None
    ) -> Result:
        """Run SQL over the views; the rows of the last statement are the result.

        Args:
            sql: One statement or several, parted by `;`. A SELECT at the end runs when its
                result is read, all others run now.
            params: Values of the `$name` parameters, bound, never spliced in.
            limit: At most so many rows; None or 0 for all.

        Raises:
            SqlError: The engine refuses it.
            ParameterError: A parameter has no value, or a value no parameter.

        """
        result = Result(None)
        for found in self.statements(sql, params, limit=limit):
            result = found
        return result

    def statements(
        self, sql: str, params: Mapping[str, object] | None = None, *, limit: int | None = None
    ) -> Iterator[Result]:
        """Run SQL statement by statement, giving the result of each before the next one runs."""
        parts = self._engine.statements(sql)
        if not parts:
            raise UsageError("no SQL to run", hint="ddb sql 'select count(*) from images'")
        for part in _bound(parts, params or {}):
            yield self._result(part, limit)

    def run(self, name: str, /, *, limit: int | None = None, **parameters: object) -> Result:
        """Run a canned query.

        Args:
            name: Its name, as `ddb queries` lists it.
            limit: At most so many rows; None or 0 for all.
            parameters: Values of its parameters, as text or of their Python types.

        Raises:
            UnknownQueryError: There is none of that name.
            ParameterError: A parameter is missing, unknown or does not fit.
            SqlError: The engine refuses it.

        """
        query = self._library.find(name)
        values = query.values(parameters)
        if len(self._engine.statements(query.sql)) != 1:
            raise QueryFileError(query.path, 1, "one statement only")
        result = self._result(Relation(query.sql, values), limit)
        _check_columns(query, result)
        return result

    def search(
        self,
        words: str,
        filters: Filters = NO_FILTERS,
        *,
        limit: int | None = 20,
        images: bool = False,
        count: bool = False,
        facet: str | None = None,
        exact_syntax: bool = False,
    ) -> Result:
        """Search the prompts; docs/search.md has the language.

        Args:
            words: What to search for.
            filters: Only the images that pass these count.
            limit: At most so many rows, the best first; None or 0 for all.
            images: One row per image rather than per prompt.
            count: Only how many prompts match, and how many images they have.
            facet: Count all matches by sampler, user, term or day.
            exact_syntax: Whether stray quotes and brackets are errors rather than text.

        Raises:
            SearchSyntaxError: The words have no meaning, or none that has a rank.
            SqlError: The engine refuses `filters.where`.
        """
        self._prepare_search()
        finder = self._source.finder
        tree = finder.parse(words, exact_syntax=exact_syntax)
        if only_negative(tree):
            raise SearchSyntaxError(
                "a search of -not words alone has no ranking", words,
                hint="add a word to find, or use it as a filter: where prompt_id not in (…)",
            )  # fmt: skip
        self._check(filters)
        whole = images or count or facet or not filters.empty or not limit
        hits = finder.all(tree) if whole else finder.top(tree, limit or 0)
        table = self._keep(hits)
        if count:
            return self._result(searching.counted(table, filters), None)
        if facet:
            return self._result(searching.facet(table, filters, facet), limit)
        ranked = searching.ranked_images if images else searching.ranked_prompts
        result = self._result(ranked(table, filters), limit)
        result.emphasis = {"prompt": lambda prompts: finder.highlights(tree, prompts)}
        return result

    def like(
        self, prompt: str, filters: Filters = NO_FILTERS, *, limit: int = 20, images: bool = False
    ) -> Result:
        """Prompts similar to one, by the rarer words that they share.

        Args:
            prompt: A prompt, or the name of an image whose prompt is meant.
            filters: Only the images that pass these count.
            limit: At most so many rows, the most similar first.
            images: One row per image rather than per prompt.

        Raises:
            UsageError: There is no image of that name.
        """
        self._prepare_search()
        self._check(filters)
        hits = self._source.finder.like(self._prompt_of(prompt), _SIMILAR if images else limit)
        ranked = searching.ranked_images if images else searching.ranked_prompts
        return self._result(ranked(self._keep(hits), filters), limit)

    def keep(self, result: Result) -> tuple[Result, int | None]:
        """Run a result and keep its rows as the view `_`, which replaces the one before.

        A large result is kept as its query, and runs again when `_` is read.

        Returns:
            Its first rows, 10,000 where there are so many; and how many rows there are, None when
            that is not known. A statement without rows is given back, with 0.

        Raises:
            SqlError: The engine failed on the way.

        """
        if result.answer is None:
            return result, 0
        first, rows = self._engine.keep(result.answer)
        return Result(first, result.emphasis), rows

    def build(self) -> bool:
        """Build the store, which makes everything faster; returns whether it had to be built."""
        return self._source.finder.prepare(even_if_told_not_to=True)

    def query(self, name: str) -> CannedQuery:
        """A canned query by its name.

        Raises:
            UnknownQueryError: There is none of that name.

        """
        return self._library.find(name)

    def queries(self) -> list[CannedQuery]:
        """All canned queries, by name."""
        return self._library.all()

    def cursor(self) -> Corpus:
        """The same corpus for another thread; temporary tables are not shared."""
        return Corpus(self._engine.cursor(), self._library, self._source)

    def interrupt(self) -> None:
        """Stop what runs now; may be called from another thread."""
        self._engine.interrupt()

    def close(self) -> None:
        """Let go of the engine and its files."""
        self._source.finder.close()
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _prepare_search(self) -> None:
        """Have the index at hand, and the views over the store that was built for it."""
        if self._source.finder.prepare():
            self._engine.define(*self._source.definition, self._source.store.folder)

    def _keep(self, hits: Hits) -> str:
        """Keep hits in a temporary table; earlier results may still read theirs."""
        self._searches_kept += 1
        table = f"ddb_hits_{self._searches_kept}"
        self._engine.answer(searching.kept(hits, table))
        return table

    def _prompt_of(self, prompt: str) -> str:
        if not is_image_name(prompt):
            return prompt
        found = self._result(
            Relation("select prompt from images where image_name = $name", {"name": prompt}), 1
        )
        rows = list(found.answer.cells()) if found.answer else []
        if not rows or rows[0][0] is None:
            raise UsageError(f"no image named {prompt} with a prompt")
        return rows[0][0]

    def _check(self, filters: Filters) -> None:
        if filters.where is not None:
            self._engine.check_condition("images", filters.where)

    def _result(self, relation: Relation, limit: int | None) -> Result:
        if limit is not None and not 0 <= limit < 2**63:
            raise UsageError("limit is a number of rows from 0, and 0 is all")
        if _searches(relation.sql):
            self._prepare_search()
            if not self._source.searchable:
                self._engine.add_search(self._source.hits)
                self._source.searchable = True
        answer = self._engine.answer(relation)
        return Result(answer.head(limit) if answer and limit else answer)


def _bound(parts: list[Relation], params: Mapping[str, object]) -> Iterator[Relation]:
    named = {name for part in parts for name in part.values}
    for name in params:
        if name not in named:
            raise ParameterError(name, "the SQL has no such parameter", hint=f"write ${name} in it")
    for name in sorted(named):
        if name not in params:
            raise ParameterError(name, "has no value", hint=f"-p {name}=VALUE gives it one")
    for part in parts:
        yield Relation(part.sql, {name: params[name] for name in part.values})


def _searches(sql: str) -> bool:
    """Whether SQL calls `search(…)`, for which the index is then prepared."""
    if "search" not in sql.lower():
        return False
    words = [token.text.lower() for token in tokens(sql) if token.kind != "comment"]
    return any(pair == ("search", "(") for pair in pairwise(words))


def _check_columns(query: CannedQuery, result: Result) -> None:
    found = {column.name for column in result.columns}
    for name, _ in query.columns:
        if name not in found:
            raise QueryFileError(query.path, 1, f"column {name} is described but not in the result")
