"""Ctrl-C, answered at once.

The first one stops the work, in the way in which that can be stopped; some steps of an engine
cannot, and go on for a while. The second one ends the program where it stands: files appear whole
or not at all, so nothing half-written stays.
"""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from ddb_query.engines import signals
from ddb_query.errors import InterruptedByUserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddb_query.diagnostics import Diagnostics

# The watches, one inside the other: a session is a command too. The inmost one is meant.
_watches: list[_Watch] = []


class _Watch:
    def __init__(self, told: Diagnostics, before_end: Callable[[], None] | None) -> None:
        self._told = told
        self._before_end = before_end
        self._pressed = False

    def signalled(self, number: int) -> None:
        if number != signal.SIGINT or _watches[-1] is not self:
            return
        if not self._pressed:
            self._pressed = True
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

    """
    watch = _Watch(told, before_end)
    _watches.append(watch)
    signals.tell(watch.signalled)
    try:
        yield
    finally:
        signals.settle()
        signals.tell_no_more(watch.signalled)
        _watches.remove(watch)
        told.stopped = False
