"""The values of small columns, fetched on a thread of their own when they are first wanted."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING

from ddb_query.errors import DdbError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.api.corpus import Corpus

# A column with more values than this is not worth a menu.
SMALL = 50
# So many rows tell whether it may be a small one.
_TRIED_ROWS = 50_000

_VALUES = """
select value from (select {column} as value from {relation}{limit}) where value is not null
group by value order by count(*) desc, value limit {most}
"""


class ColumnValues:
    """The values of the columns of one corpus.

    Args:
        corpus: Gives a cursor for the other thread.
        arrived: Called on that thread when values have arrived.

    """

    def __init__(self, corpus: Corpus, arrived: Callable[[], None]) -> None:
        self._corpus = corpus.cursor(silent=True)
        self._arrived = arrived
        self._known: dict[tuple[str, str], tuple[str, ...]] = {}
        self._wanted: queue.SimpleQueue[tuple[str, str] | None] = queue.SimpleQueue()
        self._asked: set[tuple[str, str]] = set()
        self._thread = threading.Thread(target=self._fetch_all, name="ddb-values", daemon=True)
        self._thread.start()

    def of(self, relation: str, column: str) -> tuple[str, ...]:
        """The values of a column, the most frequent first; empty until they have arrived."""
        key = (relation.lower(), column.lower())
        if key not in self._asked:
            self._asked.add(key)
            self._wanted.put(key)
        return self._known.get(key, ())

    def close(self) -> None:
        """End the thread and what it runs."""
        self._wanted.put(None)
        while self._thread.is_alive():
            self._corpus.interrupt()
            self._thread.join(0.05)
        self._corpus.close()

    def _fetch_all(self) -> None:
        while (key := self._wanted.get()) is not None:
            # A relation that this cursor does not see, or an end in the middle.
            with contextlib.suppress(DdbError):
                self._fetch(*key)

    def _fetch(self, relation: str, column: str) -> None:
        """Values of the first rows, which are there at once; of all rows if these are few."""
        for limit in (f" limit {_TRIED_ROWS}", ""):
            found = self._values(relation, column, limit)
            if len(found) > SMALL:
                self._known.pop((relation, column), None)
                return
            self._known[relation, column] = found
            self._arrived()

    def _values(self, relation: str, column: str, limit: str) -> tuple[str, ...]:
        sql = _VALUES.format(
            column=_quoted(column), relation=_quoted(relation), limit=limit, most=SMALL + 1
        )
        answer = self._corpus.sql(sql).answer
        return tuple(row[0] or "" for row in answer.cells()) if answer else ()


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
