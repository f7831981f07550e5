"""ddb-query: the terminal workbench for DiffusionDB.

import ddb_query

with ddb_query.open("demo") as corpus:
    corpus.run("sampler-stats").pl()
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.errors import DdbError

if TYPE_CHECKING:
    from ddb_query.corpus import Corpus
    from ddb_query.engines.base import Result
    from ddb_query.opening import open_corpus as open  # noqa: A004 - the name users know

__version__ = "0.1.0"
__all__ = ["Corpus", "DdbError", "Result", "open"]


def __getattr__(name: str) -> object:
    """Load the corpus only when it is asked for, so that light commands start at once."""
    if name == "open":
        from ddb_query.opening import open_corpus

        return open_corpus
    if name == "Corpus":
        from ddb_query.corpus import Corpus

        return Corpus
    if name == "Result":
        from ddb_query.engines.base import Result

        return Result
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
