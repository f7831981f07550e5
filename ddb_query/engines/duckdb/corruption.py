"""Which file is damaged, when reading it made a statement fail.

A parquet file whose footer is whole may hold pages that are not. DuckDB names the file when a page
cannot be unpacked; when what is in a page makes no sense, it does not.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.errors import DamagedDataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_UNPACKED = re.compile(r'Failed to read file "(?P<path>.+?)": (?P<problem>.*)')
_DECODED = re.compile(r'Invalid string encoding found in Parquet file "(?P<path>.+?)": ')
# What DuckDB says of the SQL or of its values begins with the kind of error it is.
_OF_A_KIND = re.compile(r"[A-Z][A-Za-z ]* Error: ")


def damage(
    words: str, files: Mapping[Path, str], problem_of: Callable[[Path], str | None]
) -> DamagedDataError | None:
    """The error that says which file is damaged; None when DuckDB's words mean something else.

    Args:
        words: DuckDB's.
        files: The tables that may have been read, and the command that makes each anew.
        problem_of: Reads a file from end to end, and gives DuckDB's words if it cannot.

    """
    if found := _UNPACKED.search(words):
        path = Path(found["path"])
        return DamagedDataError(path, found["problem"], files.get(path))
    if found := _DECODED.search(words):
        path = Path(found["path"])
        return DamagedDataError(path, "text that is not UTF-8", files.get(path))
    if _OF_A_KIND.match(words):
        return None
    for table, command in files.items():
        if problem_of(table):
            return DamagedDataError(table, words, command)
    return None
