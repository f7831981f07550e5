"""Says how far a run of the tests is, and ends one in which a test never ends.

pytest-timeout ends the process of a test that waits. It cannot where a library waits and holds the
interpreter, nor make the others go on where a child of that process keeps its pipe open.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# Longer than pytest-timeout and faulthandler wait (pyproject.toml), which say more.
PATIENCE_SECONDS = 600
TOLD_EVERY_SECONDS = 120


class LongRuns:
    """Watches the tests of all processes from the one that hands them out."""

    def __init__(self) -> None:
        self._running: dict[str, float] = {}
        self._ended = 0
        self._began = time.monotonic()
        self._over = threading.Event()
        threading.Thread(target=self._watch, name="long-runs", daemon=True).start()

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        self._running[nodeid] = time.monotonic()

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        self._ended += 1
        self._running.pop(nodeid, None)

    def pytest_unconfigure(self) -> None:
        self._over.set()

    def _watch(self) -> None:
        while not self._over.wait(TOLD_EVERY_SECONDS):
            now = time.monotonic()
            waits = {name: now - began for name, began in self._running.copy().items()}
            long = ", ".join(f"{name} ({took:.0f} s)" for name, took in waits.items() if took > 60)
            _tell(f"[{(now - self._began) / 60:.0f} min: {self._ended} tests{long and '; '}{long}]")
            if max(waits.values(), default=0) > PATIENCE_SECONDS:
                _end_all()


def _tell(text: str) -> None:
    print(f"\n{text}", file=sys.__stderr__, flush=True)


def _end_all() -> None:
    """End the run; every process of tests prints first where it is."""
    workers = list(_children(os.getpid()))
    every = [*workers, *(child for worker in workers for child in _descendants(worker))]
    for number, processes in ((signal.SIGABRT, workers), (signal.SIGKILL, every)):
        for process in processes:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process, number)
        time.sleep(5)
    os._exit(3)


def _children(process: int) -> Iterator[int]:
    for path in Path(f"/proc/{process}/task").glob("*/children"):
        yield from map(int, path.read_text().split())


def _descendants(process: int) -> Iterator[int]:
    for child in _children(process):
        yield child
        yield from _descendants(child)
