"""The versions that a fault, or a doubt, is reported with."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

# Those whose version can change an answer.
LIBRARIES = ("duckdb", "polars", "pyarrow", "tantivy")


def versions() -> str:
    """The versions of ddb, Python and the libraries, in one line."""
    return ", ".join(
        [
            f"ddb {_version('ddb-query')}",
            f"Python {platform.python_version()}",
            *(f"{name} {_version(name)}" for name in LIBRARIES),
        ]
    )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
