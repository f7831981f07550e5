"""The tables behind `search('…')` in SQL: one table of hits for each text that is searched for.

`search` is a table macro that reads the table of its words. A statement that calls it is looked
through before it runs, and the tables that it needs are filled. DuckDB could call a Python function
instead, but wants numpy for that, and would then search once for each row of a join.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from itertools import pairwise
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from ddb_query.engines.base import Relation
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.search.index import Hits
    from ddb_query.util.sql_tokens import Token


class SearchTable:
    """A table of hits, which is dropped some time after nobody holds this any more."""

    def __init__(self, name: str, unused: deque[str]) -> None:
        self.name = name
        self._unused = unused

    def __del__(self) -> None:
        # This may happen in any thread and in the middle of a statement: it only leaves a word.
        self._unused.append(self.name)


class SearchTables:
    """The hits of the searches that statements call; shared by all cursors of a dataset.

    Args:
        hits: All prompts that match, for what was typed.
        engine: A cursor of its own, since a search may be needed while a result is read.
    """

    def __init__(self, hits: Callable[[str], Hits], engine: Callable[[], DuckDBEngine]) -> None:
        self._hits = hits
        self._engine = engine
        self._tables: WeakValueDictionary[str, SearchTable] = WeakValueDictionary()
        self._unused: deque[str] = deque()
        self._lock = threading.Lock()

    def of(self, words: Sequence[str]) -> list[SearchTable]:
        """The tables of these texts, filled; they stay as long as what is returned is held.

        Raises:
            SearchSyntaxError: A text is not of the search language.
        """
        with self._lock:
            found = [self._table(typed) for typed in words]
            self._drop_unused()
            return found

    def _table(self, words: str) -> SearchTable:
        name = f"search_{hashlib.md5(words.encode(), usedforsecurity=False).hexdigest()}"
        table = self._tables.get(name)
        if table is None:
            hits = self._hits(words)
            self._engine().fill_search_table(name, hits)
            self._tables[name] = table = SearchTable(name, self._unused)
        return table

    def _drop_unused(self) -> None:
        while self._unused:
            name = self._unused.popleft()
            if name not in self._tables:
                self._engine().drop_search_table(name)


def searched_words(relation: Relation) -> tuple[list[str], list[Relation]]:
    """What a statement searches for.

    Only a single text or parameter is an argument of `search`: for anything else the macro has no
    table, and the statement is refused.

    Returns:
        The values of the parameters, and for texts the SELECT that gives their value.
    """
    bound, written = [], []
    for token in _arguments(relation.sql):
        if token.kind == "text":
            written.append(Relation(f"select {token.text}"))
        elif isinstance(value := relation.values.get(token.text[1:]), str):
            bound.append(value)
    return bound, written


def calls_search(sql: str) -> bool:
    """Whether SQL calls `search(…)`, for which the index is then prepared."""
    return "search" in sql.lower() and next(_calls(sql), None) is not None


def _calls(sql: str) -> Iterator[list[Token]]:
    """For each `search(` the tokens that follow it, as many as an argument may have."""
    found = [token for token in tokens(sql) if token.kind != "comment"]
    for at, (name, bracket) in enumerate(pairwise(found)):
        if name.text.strip('"').lower() == "search" and bracket.text == "(":
            yield found[at + 2 : at + 7]


def _arguments(sql: str) -> Iterator[Token]:
    for call in _calls(sql):
        named = [token.text.lower() for token in call[:3]] == ["words", ":", "="]
        match call[3:] if named else call:
            case [argument, end, *_] if end.text == ")" and argument.kind in ("text", "parameter"):
                yield argument
