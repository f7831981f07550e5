"""Work on a second thread while the first goes on."""

from __future__ import annotations

import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

T = TypeVar("T")

# Enough to keep both sides busy, little enough to hold in memory.
_WAITING = 4


@contextlib.contextmanager
def behind(work: Callable[[T], object]) -> Iterator[Callable[[T], None]]:
    """Do `work` on what is put, one after the other, on a thread of its own.

    The block ends when all is done. An error in `work` is raised by the next put, or at the end;
    an error in the block drops what still waits.
    """
    line = _Line(work)
    line.thread.start()
    try:
        yield line.put
    except BaseException:
        line.stopped = True
        raise
    finally:
        waited_for(line.end)
    line.check()


def waited_for(end: Callable[[], object]) -> None:
    """Wait for threads that use what the caller is about to close, and raise Ctrl-C only then.

    Args:
        end: Waits; called again when Ctrl-C has broken it off.
    """
    pressed = None
    while True:
        try:
            end()
            break
        except KeyboardInterrupt as error:
            pressed = error
    if pressed is not None:
        raise pressed


class _Line(Generic[T]):
    """What waits for the other thread."""

    def __init__(self, work: Callable[[T], object]) -> None:
        self.waiting: queue.Queue[T | None] = queue.Queue(_WAITING)
        self.stopped = False
        self.thread = threading.Thread(target=self._run, name="ddb-behind", daemon=True)
        self._work = work
        self._ending = False
        self._ended = threading.Event()
        self._error: BaseException | None = None

    def put(self, item: T) -> None:
        self.check()
        self.waiting.put(item)

    def end(self) -> None:
        """Wait until all is done; nothing further is begun when this is called again."""
        self.stopped, self._ending = self.stopped or self._ending, True
        if not self._ended.is_set():
            self.waiting.put(None)
        # Thread.join of Python 3.11 and 3.12 takes the thread for ended once Ctrl-C breaks it off.
        self._ended.wait()

    def check(self) -> None:
        """Raise the other thread's error, once.

        Nothing keeps it: through its frames it would hold on to what was being written.
        """
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
        finally:
            del error

    def _run(self) -> None:
        while (item := self.waiting.get()) is not None:
            if self.stopped:
                continue
            try:
                self._work(item)
            except BaseException as error:  # noqa: BLE001 - it is raised by the other thread
                self._error, self.stopped = error, True
        self._ended.set()
