"""Threads that do jobs; what comes of them arrives one by one in the thread that leads them."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Generic, TypeVar

E = TypeVar("E")
Job = Callable[[], Iterator[E]]


class WorkerPool(Generic[E]):
    """Threads that run jobs; each thing that a job yields, or its exception, is an event.

    The threads do not keep the process alive: after a Ctrl-C the leader simply goes.
    """

    def __init__(self, size: int) -> None:
        self._jobs: queue.SimpleQueue[Job[E] | None] = queue.SimpleQueue()
        self._events: queue.SimpleQueue[E | BaseException | None] = queue.SimpleQueue()
        self._size = size
        self._given = 0
        self._stopped = False
        for number in range(size):
            threading.Thread(target=self._work, name=f"fetch-{number}", daemon=True).start()

    @property
    def idle(self) -> bool:
        """Whether all jobs that were given are done."""
        return self._given == 0

    @property
    def hungry(self) -> bool:
        """Whether threads will soon have nothing to do."""
        return self._given < 2 * self._size

    def give(self, job: Job[E]) -> None:
        """Have a job done."""
        self._given += 1
        self._jobs.put(job)

    def tell(self, event: E) -> None:
        """Have an event arrive from any thread."""
        self._events.put(event)

    def events(self) -> Iterator[E]:
        """What comes of the jobs, until one of them is done.

        Raises:
            Exception: What a job raised.
        """
        while (event := self._events.get()) is not None:
            if isinstance(event, BaseException):
                self._given -= 1
                raise event
            yield event
        self._given -= 1

    def close(self) -> None:
        """Begin no further job."""
        self._stopped = True
        for _ in range(self._size):
            self._jobs.put(None)

    def _work(self) -> None:
        while (job := self._jobs.get()) is not None and not self._stopped:
            end: BaseException | None = None
            try:
                for event in job():
                    if self._stopped:
                        return
                    self._events.put(event)
            except BaseException as error:  # noqa: BLE001 - the leader raises it
                end = error
            self._events.put(end)
