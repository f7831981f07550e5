"""Whether a statement gives the same rows whenever it is asked of the same dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.engines.duckdb.determinism import why_not_repeatable
from ddb_query.errors import UsageError
from ddb_query.queries.library import VIEWS

if TYPE_CHECKING:
    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.selection.criteria import Criteria

# Canned queries read some of `source` too.
_OURS = frozenset({
    "source.images", "source.metadata", "source.published", *VIEWS,
})  # fmt: skip
_LOCAL = "which images are on disk differs from machine to machine"


def unrepeatable(engine: DuckDBEngine, sql: str) -> str | None:
    """Why the rows of a SELECT cannot be made again; None when they can.

    Raises:
        UsageError: It is not one SELECT that only reads.
    """
    found = engine.parsed(sql)
    if found is None or found.writes:
        raise UsageError("only one SELECT can be exported", hint="`ddb sql` runs anything")
    return why_not_repeatable(found, _OURS | engine.table_views)


def unrepeatable_criteria(engine: DuckDBEngine, criteria: Criteria) -> str | None:
    """Why the images of a selection cannot be selected again; None when they can.

    Raises:
        UsageError: Its condition or its order would do more than read.
    """
    local = _LOCAL if criteria.on_disk else None
    if criteria.where is None and criteria.order_by is None:
        return local
    where = f" where ({criteria.where}\n)" if criteria.where is not None else ""
    order = f" order by {criteria.order_by}" if criteria.order_by is not None else ""
    found = engine.parsed(f"select 1 from images{where}{order}")
    if found is None or found.writes:
        raise UsageError("a condition can only read")
    return local or why_not_repeatable(found, _OURS | engine.table_views)
