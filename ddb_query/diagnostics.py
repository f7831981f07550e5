"""The only writer to standard error: errors with their hints, notes, and progress."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from ddb_query.printable import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from ddb_query.errors import DdbError

SHOWN_AFTER_SECONDS = 2.0


class Diagnostics:
    """What is told beside the data.

    It is itself the progress callback of the library: a bar appears once work has taken two
    seconds, when standard error is a terminal.

    Attributes:
        quiet: Whether notes and progress are left out; errors never are.
        bars: Whether progress is shown; not while data scrolls by on the same terminal.
        stopped: Whether the work is being stopped, so that its progress is of no more interest.

    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bars = True
        self.stopped = False
        self._started: dict[str, float] = {}
        self._bars: Bars | None = None
        self._tasks: dict[str, TaskID] = {}
        # A statement within a statement is watched by a thread of its own.
        self._lock = threading.RLock()

    def note(self, words: str) -> None:
        """Say something that a person should know."""
        if not self.quiet:
            self.clear()
            _say(f"note: {words}")

    def tell(self, words: str) -> None:
        """Say something in the words given, as a shell does under a result."""
        if not self.quiet:
            self.clear()
            _say(words)

    def prompt(self, words: str) -> None:
        """Ask for input, where there is no line editing."""
        self.clear()
        _write(printable(words))

    def stop(self) -> None:
        """Say that the work is being stopped, which may take a while."""
        with self._lock:
            self.stopped = True
            self.tell("stopping…")

    def error(self, error: DdbError, *, with_traceback: bool = False) -> None:
        """Say what went wrong, and what mends it."""
        self.clear()
        if with_traceback:
            import traceback

            _say("".join(traceback.format_exception(error)))
        _say(f"ddb: {error.message}")
        if error.hint:
            _say(f"hint: {error.hint}")

    def __call__(self, done: int, total: int | None, unit: str, label: str) -> None:
        """Show progress."""
        if self.quiet or not self.bars or not sys.stderr.isatty():
            return
        with self._lock:
            if self.stopped:
                return
            if total is not None and done >= total:
                self._finish(label)
            else:
                self._advance(done, total, unit, label)

    def _advance(self, done: int, total: int | None, unit: str, label: str) -> None:
        """Put a bar on the screen, if the work takes long, or move it."""
        began = self._started.setdefault(label, time.monotonic())
        if time.monotonic() - began < SHOWN_AFTER_SECONDS:
            return
        if self._bars is None:
            self._bars = _bars()
            self._bars.start()
        if label not in self._tasks:
            self._tasks[label] = self._bars.add_task(printable(label), total=total, unit=unit)
        self._bars.update(self._tasks[label], completed=done, total=total)

    def _finish(self, label: str) -> None:
        """Take one bar off the screen before what it was about is printed."""
        self._started.pop(label, None)
        if self._bars is not None and label in self._tasks:
            self._bars.remove_task(self._tasks.pop(label))
            if not self._tasks:
                self.clear()

    def clear(self) -> None:
        """Take the bars off the screen; the work they showed is over."""
        with self._lock:
            if self._bars is not None:
                self._bars.stop()
            self._bars = None
            self._tasks.clear()
            self._started.clear()


def _say(words: str) -> None:
    """One message; escapes what a terminal would obey, keeps the lines of DuckDB's caret."""
    _write("\n".join(printable(line) for line in words.splitlines()) + "\n")


def _write(shown: str) -> None:
    stream = sys.stderr
    encoded = shown.encode(stream.encoding or "utf-8", "backslashreplace")
    # Where nobody can be told of an error, the exit code still tells.
    with contextlib.suppress(OSError):
        stream.buffer.write(encoded)
        stream.flush()


def _bars() -> Bars:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        Progress,
        ProgressColumn,
        Task,
        TextColumn,
        TimeRemainingColumn,
    )
    from rich.text import Text

    class Amount(ProgressColumn):
        """How much is done, in the unit that was told."""

        def render(self, task: Task) -> Text:
            return Text(_amount(task.completed, task.total, str(task.fields["unit"])))

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=None),
        Amount(),
        TimeRemainingColumn(),
        console=Console(stderr=True, markup=False, no_color="NO_COLOR" in os.environ),
        transient=True,
    )


def _amount(done: float, total: float | None, unit: str) -> str:
    if unit == "%":
        return f"{done:.0f} %"
    if unit == "bytes":
        of = f" of {total / 1e6:,.1f}" if total else ""
        return f"{done / 1e6:,.1f}{of} MB"
    of = f" of {total:,.0f}" if total else ""
    return f"{done:,.0f}{of} {unit}"
