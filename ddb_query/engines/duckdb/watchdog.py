"""A watch over a running statement: Ctrl-C and the deadline stop it, its progress is told.

A statement runs inside a C call in which Python runs no signal handler, so a thread interrupts it
from outside.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TYPE_CHECKING

from ddb_query.util import signals

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ddb_query.util.progress import Progress

_TICK_SECONDS = 0.1


class Watchdog:
    """Stops a statement from outside and reports its progress.

    Attributes:
        timed_out: Whether the deadline stopped it.
        interrupted: Whether Ctrl-C did.

    """

    def __init__(
        self,
        interrupt: Callable[[], None],
        *,
        timeout_seconds: float | None = None,
        percent: Callable[[], float] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.timed_out = False
        self.interrupted = False
        self._interrupt = interrupt
        self._timeout = timeout_seconds
        self._percent = percent
        self._progress = progress

    def __enter__(self) -> Self:
        self._done = self._told = False
        self._awake = threading.Event()
        signals.tell(self._signalled)
        self._thread = threading.Thread(target=self._run, name="ddb-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        signals.tell_no_more(self._signalled)
        self._done = True
        self._awake.set()
        self._thread.join()
        if self._told and self._progress:
            self._tell(self._progress, 100)

    def _signalled(self, number: int) -> None:
        if number == signal.SIGINT:
            self.interrupted = True
            self._awake.set()

    def _run(self) -> None:
        deadline = time.monotonic() + self._timeout if self._timeout else None
        while not self._done:
            self._awake.wait(_TICK_SECONDS)
            self._awake.clear()
            if deadline is not None and time.monotonic() > deadline:
                self.timed_out = True
            if self._done:
                return
            # Repeated: between two batches of a stream nothing runs that could be stopped.
            if self.timed_out or self.interrupted:
                self._interrupt()
            elif self._progress and self._percent:
                self._tell(self._progress, self._percent())

    def _tell(self, progress: Progress, percent: float) -> None:
        if percent >= 0:
            self._told = True
            progress(int(percent), 100, "%", "query")
