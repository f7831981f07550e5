"""Opens a corpus: chooses the dataset, opens the engine, defines the views, finds the store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.api.corpus import Corpus
from ddb_query.datasets import Catalog
from ddb_query.diffusiondb import DATASETS, PUBLISHED
from ddb_query.engines.open import open_engine
from ddb_query.errors import BadTableError, SqlError, UsageError
from ddb_query.hub.cache import commit_of
from ddb_query.hub.provenance import read_source
from ddb_query.queries.library import QueryLibrary
from ddb_query.settings import Settings
from ddb_query.store.paths import store_of
from ddb_query.store.searcher import Searcher
from ddb_query.workspace.search_function import SearchTables
from ddb_query.workspace.workspace import Source, Workspace

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.util.progress import Progress


# What DuckDB may use for a build when nothing else is said; the index and the writer need as much.
BUILD_MEMORY = "1GB"


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
        dataset: 2m, large, demo, or the name of an added table (`ddb data add`); None for
            `DDB_DATASET`, else 2m if present, else large.
        data_dir: Folder of the metadata tables; None for `DDB_DATA_DIR`, else the platform's.
            When it is given, 2m and large are those of that folder and no others.
        sql_dir: A folder of canned queries of one's own; None for `DDB_SQL_DIR`.
        engine: duckdb.
        threads: Number of threads; None for one a core.
        memory_limit: For example `8GB`; None for a quarter of the machine's, at least 1 GB.
        timeout: Seconds that one statement may run; None for ever.
        progress: Called while long work goes on.
        note: Called with what a person should know: a dataset chosen, a demo generated. Without
            it, names of a list of images that the dataset does not have are a Python warning.

    Raises:
        MissingDataError: The dataset's table is not there.
        BadTableError: It is damaged, or not a metadata table.
        UsageError: An argument makes no sense.

    """
    if engine != "duckdb":
        raise UsageError(f"no engine named {engine}", hint="there is duckdb")
    settings = Settings.from_environment(data_dir=data_dir, sql_dir=sql_dir)
    catalog = Catalog(settings)
    name, _ = catalog.choose(dataset)
    opened = open_engine(settings, threads, memory_limit, timeout, progress)
    try:
        source = _define(opened, settings, name, note)
        source.progress, source.settings, source.warns = progress, settings, note is None
    except BaseException:
        opened.close()
        raise

    def open_over(store: Path | None) -> DuckDBEngine:
        other = open_engine(settings, threads, memory_limit or BUILD_MEMORY)
        other.define(*source.definition, store)
        return other

    source.searcher = Searcher(
        source.store, source.table, open_over, opened.cursor, progress=progress, note=note
    )
    source.search_tables = SearchTables(source.hits, source.searcher.engine)
    return Corpus(Workspace(opened, source), QueryLibrary(settings.sql_dir, note))


def _define(
    engine: DuckDBEngine,
    settings: Settings,
    name: str,
    note: Callable[[str], None] | None,
) -> Source:
    from ddb_query.datasets.duplicates import repeated_rows, told

    catalog = Catalog(settings)
    if name == "demo" and catalog.ensure_demo(engine) and note:
        note("generated the demo dataset: its rows are made up")
    current = catalog.table(engine, name)
    dataset = catalog.dataset(name)
    place = store_of(settings.cache_dir, dataset, current.path)
    problem = place.problem()
    store = None if problem else place.folder
    if problem and problem != "missing":
        _tell_of_store(note, name, problem)
    suffix = dataset.image_suffix
    columns = current.columns(suffix)
    engine.add_table(dataset.view, current.path, dataset.command, columns)
    repeated = repeated_rows(engine, current, suffix, settings.cache_dir)
    if repeated and note:
        note(f"{current.path}: {told(repeated)}")
    for other in PUBLISHED:
        if catalog.locate(other) and DATASETS[other].view != dataset.view:
            _add_other(engine, catalog, other, note)
    definition = (dataset, current.path, columns, repeated)
    try:
        engine.define(*definition, store)
    except SqlError as error:
        if store is None:
            raise
        _tell_of_store(note, name, error.message)
        engine.define(*definition)
    engine.add_members(settings.directories)
    pulled = read_source(current.path)
    commit = pulled.commit if pulled else commit_of(current.path)
    return Source(dataset, current.path, place, definition, commit)


def _tell_of_store(note: Callable[[str], None] | None, dataset: str, problem: str) -> None:
    if note:
        note(
            f"the store of dataset {dataset} is not used: {problem}; `ddb data build` makes it anew"
        )


def _add_other(
    engine: DuckDBEngine, catalog: Catalog, name: str, note: Callable[[str], None] | None
) -> None:
    """Show the table of another dataset than the one asked for; a bad one is no obstacle."""
    dataset = DATASETS[name]
    try:
        table = catalog.table(engine, name)
        columns = table.columns(dataset.image_suffix)
        engine.add_table(dataset.view, table.path, dataset.command, columns)
    except BadTableError as error:
        if note:
            note(f"no view {dataset.view}: {error.message}")
