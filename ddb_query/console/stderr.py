"""The only writer to standard error: errors with their hints, notes, and progress."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from typing import TYPE_CHECKING

from ddb_query.util.escape import printable

if TYPE_CHECKING:
    from rich.progress import Progress as Bars
    from rich.progress import TaskID

    from ddb_query.errors import DdbError

SHOWN_AFTER_SECONDS = 2.0


class Diagnostics:
    """What is told beside the data.

    It is itself the progress callback of the library: bars appear once the work has taken two
    seconds, whatever steps it is made of, when standard error is a terminal.

    Attributes:
        quiet: Whether notes and progress are left out; errors never are.
        bars: Whether progress is shown; not while data scrolls by on the same terminal.
        stopped: Whether the work is being stopped, so that its progress is of no more interest.

    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self.bars = True
        self.stopped = False
        # When the work began, and its steps of now: how much is done, of how much, in which unit.
        self._began: float | None = None
        self._steps: dict[str, tuple[int, int | None, str]] = {}
        self._timer: threading.Timer | None = None
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
        """Note how far a step is, and show it when the work takes long."""
        self._steps[label] = (done, total, unit)
        if self._bars is not None:
            self._draw(self._bars, label)
        elif self._timer is None:
            now = time.monotonic()
            self._began = self._began or now
            self._timer = threading.Timer(self._began + SHOWN_AFTER_SECONDS - now, self._show)
            self._timer.daemon = True
            self._timer.start()

    def _show(self) -> None:
        """Put the bars on the screen: the work takes long, whether or not it tells of itself."""
        # Before the lock, for which Ctrl-C would wait: what draws them takes a while to load.
        bars = _bars()
        with self._lock:
            if self._timer is None or self.stopped:
                return
            self._timer = None
            if self._steps:
                self._bars = bars
                self._bars.start()
                for label in self._steps:
                    self._draw(self._bars, label)

    def _draw(self, bars: Bars, label: str) -> None:
        done, total, unit = self._steps[label]
        if label not in self._tasks:
            self._tasks[label] = bars.add_task(printable(label), total=total, unit=unit)
        bars.update(self._tasks[label], completed=done, total=total)

    def _finish(self, label: str) -> None:
        """Take one bar off the screen before what it was about is printed."""
        self._steps.pop(label, None)
        if self._bars is not None and label in self._tasks:
            self._bars.remove_task(self._tasks.pop(label))
            if not self._tasks:
                self._take_away()

    def clear(self) -> None:
        """Take the bars off the screen; the work they showed is over."""
        with self._lock:
            self._take_away()
            self._steps.clear()
            self._began = None

    def _take_away(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._bars is not None:
            self._bars.stop()
        self._timer = self._bars = None
        self._tasks.clear()


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
    if not done and total is None:
        return ""
    if unit == "%":
        return f"{done:.0f} %"
    if unit == "bytes":
        of = f" of {total / 1e6:,.1f}" if total else ""
        return f"{done / 1e6:,.1f}{of} MB"
    of = f" of {total:,.0f}" if total else ""
    return f"{done:,.0f}{of} {unit}"
