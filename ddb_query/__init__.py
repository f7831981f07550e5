"""ddb-query: the terminal workbench for DiffusionDB.

import ddb_query

with ddb_query.open("demo") as corpus:
    corpus.run("sampler-stats").pl()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddb_query.api.corpus import Corpus
    from ddb_query.api.open import open_corpus as open  # noqa: A004 - the name users know
    from ddb_query.api.report import Report
    from ddb_query.api.selection import Selection
    from ddb_query.engines.base import Result
    from ddb_query.errors import DdbError

__version__ = "0.1.0"
__all__ = ["Corpus", "DdbError", "Report", "Result", "Selection", "open"]

# Loaded only when asked for, so that light commands start at once, and hear Ctrl-C at once.
_LATE = {
    "Corpus": ("api.corpus", "Corpus"), "DdbError": ("errors", "DdbError"),
    "Report": ("api.report", "Report"),
    "Result": ("engines.base", "Result"), "Selection": ("api.selection", "Selection"),
    "open": ("api.open", "open_corpus"),
}  # fmt: skip


def __getattr__(name: str) -> object:
    """Load one of the public names."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    module, attribute = _LATE[name]
    found: object = getattr(import_module(f"{__name__}.{module}"), attribute)
    return found


def __dir__() -> list[str]:
    """The names that are there, those that are loaded when asked for too."""
    return sorted({*globals(), *__all__})
