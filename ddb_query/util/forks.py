"""What a forked process must never destroy.

DuckDB's threads are not there in a forked process. Where the last reference to what its parent
opened goes, also as garbage, DuckDB waits for them for ever, or crashes.
"""

from __future__ import annotations

import os
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")

_open: WeakValueDictionary[int, object] = WeakValueDictionary()
_held: list[object] = []


def held_in_forks(thing: T) -> T:
    """A connection or a stream of it, to which every process forked from this one holds on."""
    _open[id(thing)] = thing
    return thing


os.register_at_fork(after_in_child=lambda: _held.extend(_open.values()))
