"""Corpus: an opened dataset with its engine and its views, the object that all of ddb serves."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.catalog import Catalog
from ddb_query.dataset import DATASETS
from ddb_query.engines.base import Relation, Result
from ddb_query.errors import ParameterError, QueryFileError, UsageError
from ddb_query.query_library import QueryLibrary
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path
    from typing import Self

    from ddb_query.engines.duckdb import DuckDBEngine
    from ddb_query.progress import Progress
    from ddb_query.query_file import CannedQuery


class Corpus:
    """An opened dataset.

    One corpus serves one thread; `cursor` gives another. Close it, or open it in `with`.

    Attributes:
        dataset: 2m, large or demo.

    """

    def __init__(self, engine: DuckDBEngine, library: QueryLibrary, dataset: str) -> None:
        self._engine = engine
        self._library = library
        self.dataset = dataset

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

    def run(self, name: str, *, limit: int | None = None, **parameters: object) -> Result:
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
        return Corpus(self._engine.cursor(), self._library, self.dataset)

    def interrupt(self) -> None:
        """Stop what runs now; may be called from another thread."""
        self._engine.interrupt()

    def close(self) -> None:
        """Let go of the engine and its files."""
        self._engine.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _result(self, relation: Relation, limit: int | None) -> Result:
        if limit is not None and limit < 0:
            raise UsageError("limit is a number of rows from 0, and 0 is all")
        answer = self._engine.answer(relation)
        return Result(answer.head(limit) if answer and limit else answer)


def open_corpus(
    dataset: str | None = None,
    *,
    data_dir: Path | str | None = None,
    sql_dir: Path | str | None = None,
    engine: str = "duckdb",
    threads: int | None = None,
    memory_limit: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
    note: Callable[[str], None] | None = None,
) -> Corpus:
    """Open a dataset.

    Args:
        dataset: 2m, large or demo; None for `DDB_DATASET`, else 2m if present, else large.
        data_dir: Folder of the metadata tables; None for `DDB_DATA_DIR`, else the platform's.
        sql_dir: A folder of canned queries of one's own; None for `DDB_SQL_DIR`.
        engine: duckdb.
        threads: Number of threads; None for one a core.
        memory_limit: For example `8GB`; None for a quarter of the machine's, at least 1 GB.
        timeout: Seconds that one statement may run; None for ever.
        progress: Called while long work goes on.
        note: Called with what a person should know: a dataset chosen, a demo generated.

    Raises:
        MissingDataError: The dataset's table is not there.
        BadTableError: It is damaged, or not a metadata table.
        UsageError: An argument makes no sense.

    """
    if engine != "duckdb":
        raise UsageError(f"no engine named {engine}", hint="there is duckdb")
    settings = Settings.from_environment(data_dir=data_dir, sql_dir=sql_dir)
    catalog = Catalog(settings)
    name, choice = catalog.choose(dataset)
    if choice and note:
        note(choice)
    opened = open_engine(settings, threads, memory_limit, timeout, progress)
    try:
        _define(opened, catalog, name, note)
    except BaseException:
        opened.close()
        raise
    return Corpus(opened, QueryLibrary(settings.sql_dir), name)


def open_engine(
    settings: Settings,
    threads: int | None = None,
    memory_limit: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> DuckDBEngine:
    """Open the engine without a dataset, to look at files with."""
    from ddb_query.engines.duckdb import DuckDBEngine, Limits

    return DuckDBEngine.open(settings.cache_dir, Limits(threads, memory_limit, timeout), progress)


def _define(
    engine: DuckDBEngine, catalog: Catalog, name: str, note: Callable[[str], None] | None
) -> None:
    from ddb_query.catalog.tables import PUBLISHED_TYPES

    if name == "demo" and catalog.ensure_demo(engine) and note:
        note("generated the demo dataset: its rows are made up")
    current = catalog.table(engine, name)
    engine.add_table(DATASETS[name].view, current.path, PUBLISHED_TYPES)
    for other in ("2m", "large"):
        path = catalog.locate(other)
        if path and DATASETS[other].view != DATASETS[name].view:
            engine.add_table(DATASETS[other].view, path)
    engine.define(name, current.path, PUBLISHED_TYPES)


def _bound(parts: list[Relation], params: Mapping[str, object]) -> Iterator[Relation]:
    named = {name for part in parts for name in part.values}
    for name in params:
        if name not in named:
            raise ParameterError(name, "the SQL has no such parameter")
    for name in sorted(named):
        if name not in params:
            raise ParameterError(name, "has no value", hint=f"-p {name}=VALUE gives it one")
    for part in parts:
        yield Relation(part.sql, {name: params[name] for name in part.values})


def _check_columns(query: CannedQuery, result: Result) -> None:
    found = {column.name for column in result.columns}
    for name, _ in query.columns:
        if name not in found:
            raise QueryFileError(query.path, 1, f"column {name} is described but not in the result")
