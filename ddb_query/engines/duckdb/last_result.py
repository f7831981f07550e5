"""The last result of a session, kept so that SQL can ask it: the view `_`.

A result of up to `KEPT_ROWS` rows becomes a table. A larger one stays a query, which runs again
when it is asked, unless it might then give other rows: that one becomes a table as well, which
DuckDB spills to disk when it must.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from ddb_query.engines.duckdb.determinism import why_not_repeatable
from ddb_query.engines.duckdb.inspect import parsed_select
from ddb_query.engines.duckdb.rows import DuckDBRows
from ddb_query.queries.library import VIEWS
from ddb_query.util.sql_tokens import LAST_RESULT, reads_last, tokens

if TYPE_CHECKING:
    import duckdb

    from ddb_query.engines.base import Relation
    from ddb_query.engines.duckdb.rows import Running

KEPT_ROWS = 10_000
_SCHEMA = "kept"

# The results of all connections lie in one schema.
_numbers = itertools.count(1)

_OWN_VIEWS = {*VIEWS, LAST_RESULT, "source.images", "source.metadata", "source.published"}


class LastResult:
    """The view `_` of one connection, and the tables and views that it is made of."""

    def __init__(
        self, connection: duckdb.DuckDBPyConnection, running: Running, table_views: set[str]
    ) -> None:
        self._table_views = table_views
        self._connection = connection
        self._running = running
        self._kept: list[str] = []
        # What views among them read.
        self._held: list[object] = []

    def keep(self, answer: DuckDBRows) -> tuple[DuckDBRows, int | None]:
        """Keep the rows of a statement as `_`.

        Returns:
            Its first rows, at least `KEPT_ROWS` where there are so many; and how many rows there
            are, None when that is not known.

        Raises:
            SqlError: The statement fails while it runs.

        """
        with self._running():
            table = f"r{next(_numbers)}"
            rows: int | None = self._store(answer.relation.limit(KEPT_ROWS + 1), table)
            made = [f"table {_SCHEMA}.{table}"]
            if rows == KEPT_ROWS + 1:
                rows = None if self._can_run_again(answer) else self._store(answer.relation, table)
            if rows is None:
                made.append(f"view {_SCHEMA}.{self._view(answer, f'{table}_all')}")
            self._name(made[-1].rpartition(" ")[2])
            self._forget(answer if rows is None else None)
            self._kept += made
            self._held.append(answer.held)
            first = self._connection.sql(f"from {_SCHEMA}.{table}")
            return DuckDBRows(self._running, first, statement=answer.statement), rows

    def _store(self, rows: duckdb.DuckDBPyRelation, table: str) -> int:
        """Run a statement into a table; how many rows it gave."""
        run = self._connection.execute
        run(f"create schema if not exists {_SCHEMA}")
        run(f"drop table if exists {_SCHEMA}.{table}")
        rows.create(f"{_SCHEMA}.{table}")
        (count,) = self._connection.table(f"{_SCHEMA}.{table}").count("*").fetchall()[0]
        return int(count)

    def _can_run_again(self, answer: DuckDBRows) -> bool:
        """Whether a statement gives the same rows when `_` is read, as far as its names tell."""
        if answer.statement is None or not _can_be_renamed(answer.statement.sql):
            return False
        return repeats(self._connection, answer.statement, self._table_views)

    def _view(self, answer: DuckDBRows, view: str) -> str:
        """A view of all rows of a SELECT; what it calls `_` is the result before it."""
        rows = answer.relation
        if answer.statement is not None and self._kept and reads_last(answer.statement.sql):
            earlier = self._kept[-1].rpartition(" ")[2]
            sql = _renamed(answer.statement.sql, earlier)
            values = dict(answer.statement.values)
            rows = self._connection.sql(sql, params=values or None) or rows
        # A view made by DuckDB's method has its values in it, and lies where tables now lie.
        self._connection.execute(f"set schema = '{_SCHEMA}'")
        try:
            rows.create_view(view)
        finally:
            self._connection.execute("set schema = 'main'")
        return view

    def _name(self, whole: str) -> None:
        self._connection.execute(f"create or replace temp view {LAST_RESULT} as from {whole}")

    def _forget(self, reader: DuckDBRows | None) -> None:
        """Drop what was kept before, unless a view made of it stays."""
        if reader is not None and reader.statement and reads_last(reader.statement.sql):
            return
        for kept in reversed(self._kept):
            kind, name = kept.split(" ")
            # Somebody's own statement may have dropped it.
            self._connection.execute(f"drop {kind} if exists {name}")
        self._kept.clear()
        self._held.clear()


def repeats(
    connection: duckdb.DuckDBPyConnection, statement: Relation, table_views: set[str]
) -> bool:
    """Whether a SELECT gives the same rows again, as far as its names tell.

    Temporary tables that ddb itself keeps are written once: they are called `ddb_…`.
    """
    found = parsed_select(connection, statement.sql)
    if found is None:
        return False
    kept = {name for name in found.tables if name.startswith("ddb_")}
    return why_not_repeatable(found, _OWN_VIEWS | table_views | kept) is None


def _can_be_renamed(sql: str) -> bool:
    """Whether every `_` in SQL is the last result, and not an alias of that name."""
    found = list(tokens(sql))
    for before, token, behind in zip([None, *found], found, [*found[1:], None], strict=False):
        qualifies = behind is not None and behind.text == "."
        named = before is not None and before.text.lower() in ("from", "join", ",")
        if token.names_last and not (named or qualifies):
            return False
    return True


def _renamed(sql: str, name: str) -> str:
    """SQL that reads something else where it reads `_`."""
    pieces, end = [], 0
    for token in tokens(sql):
        if token.names_last:
            pieces += [sql[end : token.start], name]
            end = token.end
    return "".join([*pieces, sql[end:]])
