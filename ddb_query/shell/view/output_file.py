"""Where results go instead of the screen: `.output FILE` for all, `.once FILE` for the next."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, BinaryIO

from ddb_query.console import stdout
from ddb_query.errors import UsageError
from ddb_query.util.atomic_files import keep_existing

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.engines.base import Result

# A file of these is one result; of the others, many can stand one behind the other.
_ONE_RESULT = ("parquet", "arrow", "json")


class OutputFile:
    """The files that results go to.

    Attributes:
        path: The file that takes all results; it appears when it is closed.

    """

    def __init__(self) -> None:
        self.path: Path | None = None
        self._form = "table"
        self._sink: BinaryIO | None = None
        self._stack = contextlib.ExitStack()
        self._once: Path | None = None

    @property
    def open(self) -> bool:
        """Whether the next result goes to a file."""
        return self._once is not None or self._sink is not None

    def begin(self, path: Path, form: str | None = None, *, force: bool = False) -> None:
        """Send all results to a file from now on.

        Args:
            path: The file.
            form: Its format; None to tell from the ending.
            force: Whether a file that exists is replaced.

        Raises:
            ExistsError: The file exists, and `force` is not given.
            OutputError: It cannot be written.
            UsageError: Its format holds one result alone.

        """
        self.close()
        form = stdout.format_for(path, form)
        if form in _ONE_RESULT:
            raise UsageError(
                f"a {form} file holds one result", hint=f".once {path} takes the next one"
            )
        keep_existing(path, force=force)
        self._sink = self._stack.enter_context(stdout.file(path))
        self.path, self._form = path, form

    def next(self, path: Path, *, force: bool = False) -> None:
        """Send the next result to a file, in the format of its ending.

        Raises:
            ExistsError: The file exists, and `force` is not given.
        """
        stdout.format_for(path, None)
        keep_existing(path, force=force)
        self._once = path

    def write(self, result: Result) -> Path:
        """Write a result, and say where it went.

        Raises:
            OutputError: It cannot be written; what was there before stays.
            SqlError: The engine failed on the way.

        """
        if self._once is not None:
            path, self._once = self._once, None
            stdout.results([result], stdout.format_for(path, None), path)
            return path
        assert self._sink is not None  # noqa: S101 - the caller has asked `open`
        assert self.path is not None  # noqa: S101
        before = self._sink.tell() if self._sink.seekable() else None
        try:
            stdout.append(result, self._form, self._sink)
        except BaseException:
            # What is there stays as it was before this result.
            if before is not None:
                self._sink.truncate(before)
                self._sink.seek(before)
            raise
        return self.path

    def forget_next(self) -> Path | None:
        """Send the next result to the screen after all; returns the file it would have gone to."""
        path, self._once = self._once, None
        return path

    def close(self) -> None:
        """Let the file of all results appear."""
        try:
            self._stack.close()
        finally:
            self._forget()

    def _forget(self) -> None:
        self._sink = self.path = None
