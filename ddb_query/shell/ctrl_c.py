"""Ctrl-C, answered at once.

The first one stops the work, in the way in which that can be stopped; some steps of an engine
cannot, and go on for a while. The second one ends the program where it stands: files appear whole
or not at all, so nothing half-written stays.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from typing import TYPE_CHECKING

from ddb_query.errors import DdbError, InternalError, InterruptedByUserError, interrupted
from ddb_query.util import signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import FrameType

    from ddb_query.console.stderr import Diagnostics

_IMPORT = "<frozen importlib"
_STEP_SECONDS = 0.01

# The watches, one inside the other: a session is a command too. The inmost one is meant.
_watches: list[_Watch] = []


class _Watch:
    def __init__(self, told: Diagnostics, before_end: Callable[[], None] | None) -> None:
        self._told = told
        self._before_end = before_end
        self.pressed = False

    def signalled(self, number: int) -> None:
        if number != signal.SIGINT or _watches[-1] is not self:
            return
        if not self.pressed:
            self.pressed = True
            self._told.stop()
            return
        if self._before_end is not None:
            self._before_end()
        error = InterruptedByUserError()
        self._told.error(error)
        os._exit(error.exit_code)


@contextlib.contextmanager
def watched(told: Diagnostics, before_end: Callable[[], None] | None = None) -> Iterator[None]:
    """Watch for Ctrl-C while the block lasts.

    Args:
        told: Says at once that the work is being stopped, and takes its bars away.
        before_end: Called before a second Ctrl-C ends the program.

    Raises:
        KeyboardInterrupt: Ctrl-C was pressed. Libraries tell it by errors of their own
            (`RuntimeError: Query interrupted`), which are not faults.

    """
    watch = _Watch(told, before_end)
    _watches.append(watch)
    signals.tell(watch.signalled)
    try:
        with raising():
            yield
    except Exception as error:
        signals.settle()
        if _unforeseen(error) and (watch.pressed or interrupted(error)):
            raise KeyboardInterrupt from error
        raise
    finally:
        signals.settle()
        signals.tell_no_more(watch.signalled)
        _watches.remove(watch)
        told.stopped = False


@contextlib.contextmanager
def raising() -> Iterator[None]:
    """Have Ctrl-C raise KeyboardInterrupt in the block, if it is not ignored.

    Unlike with Python's own handler, it comes after an import and not within one: an import that is
    broken off in its first steps leaves its lock held, and whoever imports the module then waits
    for ever.
    """
    before = signal.getsignal(signal.SIGINT)
    here = threading.current_thread() is threading.main_thread()
    if not here or before == signal.SIG_IGN:
        yield
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def interrupt(_number: int, frame: FrameType | None) -> None:
    """Handle the signal: raise KeyboardInterrupt, in an import once that is over."""
    if not _imports(frame):
        raise KeyboardInterrupt
    raise_soon()


def raise_soon() -> None:
    """Raise KeyboardInterrupt in the main thread, soon, and when it is not in an import."""
    threading.Thread(target=_raise_later, name="ddb-interrupt", daemon=True).start()


def _raise_later() -> None:
    import ctypes

    main_thread = threading.main_thread().ident or 0
    time.sleep(_STEP_SECONDS)
    while _imports(sys._current_frames().get(main_thread)):
        time.sleep(_STEP_SECONDS)
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(main_thread), ctypes.py_object(KeyboardInterrupt)
    )


def _imports(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename.startswith(_IMPORT):
            return True
        frame = frame.f_back
    return False


def _unforeseen(error: Exception) -> bool:
    return isinstance(error, InternalError) or not isinstance(error, (DdbError, BrokenPipeError))
