"""The history of what was typed: a file that its owner alone can read, or none."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from ddb_query.settings import state_dir

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


class KeptHistory(FileHistory):
    """A history in a file; when that fills up or goes away, the session goes on without."""

    def __init__(self, path: Path, note: Callable[[str], None]) -> None:
        super().__init__(str(path))
        self._note = note
        self._failed = False

    def store_string(self, string: str) -> None:
        """Write an entry, unless it begins with a space or writing has failed before."""
        if self._failed or string.startswith(" "):
            return
        try:
            super().store_string(string)
        except OSError as error:
            self._failed = True
            self._note(_words(error))


def history(note: Callable[[str], None]) -> History:
    """The history of earlier sessions; of this one alone where no file can be kept."""
    path = state_dir() / "history"
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.fchmod(descriptor, 0o600)
        finally:
            os.close(descriptor)
    except OSError as error:
        note(_words(error))
        return InMemoryHistory()
    return KeptHistory(path, note)


def _words(error: OSError) -> str:
    return f"no history is kept: {error.filename or 'its file'}: {error.strerror or error}"
