"""What the terminal's driver does with keys while nobody reads them."""

from __future__ import annotations

import contextlib
import sys
import termios
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_LOCAL_FLAGS, _CONTROL_CHARACTERS = 3, 6


@contextlib.contextmanager
def keys_kept() -> Iterator[Callable[[], None]]:
    """Keep every key for the next prompt, and off the screen until then.

    Between two prompts the driver would otherwise edit lines of its own: it would show keys in the
    middle of a result, and swallow Ctrl-R, Ctrl-U or Ctrl-W. Ctrl-C and Ctrl-Z stay signals.

    Yields what gives the driver back as it was, for an end in the middle of the block.
    """
    found = termios.tcgetattr(sys.stdin)
    kept = termios.tcgetattr(sys.stdin)
    kept[_LOCAL_FLAGS] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    kept[_CONTROL_CHARACTERS][termios.VMIN] = 1
    kept[_CONTROL_CHARACTERS][termios.VTIME] = 0
    termios.tcsetattr(sys.stdin, termios.TCSANOW, kept)

    def give_back() -> None:
        termios.tcsetattr(sys.stdin, termios.TCSANOW, found)

    try:
        yield give_back
    finally:
        give_back()
