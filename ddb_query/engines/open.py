"""Opens an engine without a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.settings import Settings
    from ddb_query.util.progress import Progress


def open_engine(
    settings: Settings,
    threads: int | None = None,
    memory_limit: str | None = None,
    timeout: float | None = None,
    progress: Progress | None = None,
) -> DuckDBEngine:
    """Open the engine without a dataset, to look at files with."""
    from ddb_query.engines.duckdb.connection import DuckDBEngine, Limits

    return DuckDBEngine.open(settings.cache_dir, Limits(threads, memory_limit, timeout), progress)
