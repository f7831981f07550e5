"""How library code tells how far it is; who shows it is not its business."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator


class Progress(Protocol):
    """Called as work goes on, from the thread that does it."""

    def __call__(self, done: int, total: int | None, unit: str, label: str) -> None:
        """Tell how far the work is.

        Args:
            done: How much is done, counted from the very start of the work.
            total: How much there is to do; None when that is not known.
            unit: What is counted: `bytes`, `rows`, `images`.
            label: What is worked on, in a few words.

        """


@contextlib.contextmanager
def step(
    progress: Progress | None, label: str, done: int = 0, total: int | None = None, unit: str = ""
) -> Iterator[None]:
    """Tell that one step of the work begins, and at the end of the block that it is over.

    Args:
        progress: Whom to tell, if anybody.
        label: Which step it is, in a few words.
        done: How many steps were done before.
        total: How many there are; None when that is not known.
        unit: What these are.

    """
    if progress:
        progress(done, total, unit, label)
    try:
        yield
    finally:
        if progress:
            progress(1, 1, unit, label)
