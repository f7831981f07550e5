"""Tells of a signal at once, also while the main thread is in a library.

Python runs a signal's handler between two of its own steps, and there are none in a long call of a
library. A thread waits for the signal's wake-up byte instead.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

# What wakes the thread without a signal; signals have other numbers.
_NO_SIGNAL = b"\0"
_PATIENCE_SECONDS = 1.0

_calls: list[Callable[[int], None]] = []
# The wake-up descriptor of before the first call.
_before = -1


class _Listener:
    """The thread, and the socket that wakes it; there is one for each process."""

    def __init__(self) -> None:
        self.process = os.getpid()
        self._read, self._write = socket.socketpair()
        self._write.settimeout(0)
        self._settled = threading.Event()
        threading.Thread(target=self._listen, name="ddb-signals", daemon=True).start()

    def attach(self) -> int:
        """Have signals wake the thread; gives the descriptor that they wrote to before."""
        earlier = signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
        return _before if earlier == self._write.fileno() else earlier

    def settle(self) -> None:
        """Wait until all signals of before have been told of."""
        self._settled.clear()
        with contextlib.suppress(OSError):
            self._write.send(_NO_SIGNAL)
            self._settled.wait(_PATIENCE_SECONDS)

    def _listen(self) -> None:
        while found := self._read.recv(1):
            if found == _NO_SIGNAL:
                self._settled.set()
                continue
            # A copy, since others add to it and take from it meanwhile.
            for call in tuple(_calls):
                call(found[0])


_listener: _Listener | None = None


def tell(call: Callable[[int], None]) -> None:
    """Call something with the number of each signal, on another thread; it must not take long.

    Nothing is told of where this is not the main thread, which alone gets signals.
    """
    global _listener, _before
    if threading.current_thread() is not threading.main_thread():
        return
    if _listener is None or _listener.process != os.getpid():
        _listener = _Listener()
    _before = _listener.attach()
    _calls.append(call)


def tell_no_more(call: Callable[[int], None]) -> None:
    """Call it no more; from any thread, and when it is not called."""
    if call not in _calls:
        return
    _calls.remove(call)
    if not _calls:
        # Only the main thread may do this; the bytes go nowhere until it does.
        with contextlib.suppress(ValueError):
            signal.set_wakeup_fd(_before)


def settle() -> None:
    """Wait until all signals that came have been told of."""
    if _listener is not None:
        _listener.settle()
