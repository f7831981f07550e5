"""A watch over a running statement: Ctrl-C and the deadline stop it, its progress is told.

A statement runs inside a C call in which Python runs no signal handler, so a thread waits for
the signal's wake-up byte and interrupts the statement from outside.
"""

from __future__ import annotations

import contextlib
import select
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Self

    from ddb_query.progress import Progress

_TICK_SECONDS = 0.1

# The watches of the main thread, the latest last, and the wake-up descriptor of before them.
# Results that are streamed side by side end in any order.
_watches: list[Watch] = []
_before = -1


class Watch:
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
        self._ours, self._theirs = socket.socketpair()
        self._theirs.settimeout(0)
        self._listen()
        self._done = self._told = False
        self._thread = threading.Thread(target=self._run, name="ddb-watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop_listening()
        self._done = True
        with contextlib.suppress(BlockingIOError):
            self._theirs.send(b"\0")
        self._thread.join()
        self._ours.close()
        self._theirs.close()
        if self._told and self._progress:
            self._tell(self._progress, 100)

    def _listen(self) -> None:
        global _before
        if threading.current_thread() is not threading.main_thread():
            return
        earlier = signal.set_wakeup_fd(self._theirs.fileno(), warn_on_full_buffer=False)
        if not _watches:
            _before = earlier
        _watches.append(self)

    def _stop_listening(self) -> None:
        if self not in _watches:
            return
        _watches.remove(self)
        latest = _watches[-1]._theirs.fileno() if _watches else _before
        # A result that is dropped may be collected in any thread, which may not do this.
        with contextlib.suppress(ValueError):
            signal.set_wakeup_fd(latest, warn_on_full_buffer=not _watches)

    def _run(self) -> None:
        deadline = time.monotonic() + self._timeout if self._timeout else None
        while not self._done:
            if select.select([self._ours], [], [], _TICK_SECONDS)[0]:
                self.interrupted |= signal.SIGINT in self._ours.recv(64)
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
