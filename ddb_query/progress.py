"""How library code tells how far it is; who shows it is not its business."""

from __future__ import annotations

from typing import Protocol


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
