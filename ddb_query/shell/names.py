"""What a session's SQL can name: relations with their columns, functions, canned queries."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.datasets import Catalog
from ddb_query.diffusiondb import DATASETS
from ddb_query.engines.base import Column
from ddb_query.errors import DamagedRegistryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.api.corpus import Corpus
    from ddb_query.queries.canned_query import CannedQuery

_RELATIONS = """
select table_name, column_name, data_type
from duckdb_columns()
where not internal and schema_name not in ('source', 'kept', 'searches')
    and table_name not like 'ddb\\_%' escape '\\'
order by table_name, column_index
"""
# Our own first; operators and DuckDB's inner functions are left out.
_FUNCTIONS = """
select function_name
from duckdb_functions()
where regexp_full_match(function_name, '[a-z][a-z0-9_]*')
group by function_name
order by bool_and(internal), function_name
"""


@dataclass(frozen=True)
class Names:
    """The names of one corpus; empty until it has been opened.

    Attributes:
        relations: Views and tables by name, with their columns.
        functions: Functions and macros, our own first.
        queries: The canned queries.
        datasets: Names of all datasets.

    """

    relations: dict[str, tuple[Column, ...]] = field(default_factory=dict)
    functions: tuple[str, ...] = ()
    queries: tuple[CannedQuery, ...] = ()
    datasets: tuple[str, ...] = ()

    @classmethod
    def of(cls, corpus: Corpus, note: Callable[[str], None]) -> Names:
        """Ask a corpus for its names.

        Args:
            corpus: The one to ask.
            note: Told why there are no canned queries, when their folder cannot be read.

        Raises:
            SqlError: It does not answer.

        """
        relations: dict[str, list[Column]] = {}
        for relation, name, kind in _cells(corpus, _RELATIONS):
            relations.setdefault(relation, []).append(Column(name, kind))
        functions = [name for (name,) in _cells(corpus, _FUNCTIONS)]
        return cls(
            {name: tuple(columns) for name, columns in relations.items()},
            tuple(dict.fromkeys(["search", *functions])),
            _queries(corpus, note),
            _datasets(corpus),
        )


def _queries(corpus: Corpus, note: Callable[[str], None]) -> tuple[CannedQuery, ...]:
    try:
        return tuple(corpus.queries())
    except UsageError as error:
        note(error.message)
        return ()


def _datasets(corpus: Corpus) -> tuple[str, ...]:
    try:
        return tuple(Catalog(corpus.workspace.source.settings).names())
    except DamagedRegistryError:
        return tuple(DATASETS)


def _cells(corpus: Corpus, sql: str) -> list[tuple[str, ...]]:
    answer = corpus.sql(sql).answer
    rows = answer.cells() if answer else ()
    return [tuple(cell or "" for cell in row) for row in rows]
