"""Strata: how many of a sample each one gives."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.util.escape import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.selection.criteria import Shares

# Of users there may be thousands.
_SHOWN = 10
# A user has a name of 64 digits, of which the first 8 suffice.
_LONGEST_NAME, _DIGITS = 20, 8


@dataclass(frozen=True)
class Stratum:
    """A part of the images that is sampled by itself.

    Attributes:
        name: The sampler, user, day or band; None for images without one.
        size: How many images it has.
        taken: How many of them are in the sample.
    """

    name: str | None
    size: int
    taken: int

    @property
    def weight(self) -> float | None:
        """How many images each one taken stands for; None when none is."""
        return self.size / self.taken if self.taken else None

    def to_json(self) -> dict[str, object]:
        """Its fields, for a manifest."""
        return {"name": self.name, "size": self.size, "taken": self.taken, "weight": self.weight}


def notes(strata: Sequence[Stratum], shares: Shares) -> list[str]:
    """Which strata have no image in the sample, or fewer than their share, in words.

    Args:
        strata: As allocated.
        shares: How they were.
    """
    found = []
    if none := [one for one in strata if one.size and not one.taken]:
        found.append(
            f"no image in the sample from {_named(none)}: the sample is too small for their share"
        )
    most = max((one.taken for one in strata), default=0)
    small = [one for one in strata if 0 < one.taken == one.size < most - 1]
    if small and shares == "equal":
        found.append(f"fewer than an equal share from {_named(small)}: there are no more")
    return found


def _named(strata: Sequence[Stratum]) -> str:
    """Strata and their sizes, the first few by name."""
    shown = [f"{_short(one.name)} ({counted(one.size, 'image')})" for one in strata[:_SHOWN]]
    more = len(strata) - len(shown)
    return ", ".join(shown) + (f" and {more:,} other strata" if more else "")


def _short(name: str | None) -> str:
    name = name or "none"
    return f"{name[:_DIGITS]}…" if len(name) > _LONGEST_NAME else name


def allocate(sizes: Sequence[int], count: int, shares: Shares) -> list[int]:
    """How many to take of strata of these sizes, `count` in all.

    A stratum smaller than its share gives all it has, and the rest is spread over the others.
    What does not divide evenly goes to the largest remainders, of equal ones to the first.

    Args:
        sizes: Images of each stratum, in an order that is always the same.
        count: Images wanted.
        shares: `proportional` to the sizes, or `equal`.

    Returns:
        One number a stratum; their sum is `count`, or all there are when that is less.
    """
    if count >= sum(sizes):
        return list(sizes)
    taken = [0] * len(sizes)
    left = {place for place, size in enumerate(sizes) if size}
    while left:
        weights = {place: sizes[place] if shares == "proportional" else 1 for place in left}
        total = sum(weights.values())
        full = {place for place in left if sizes[place] * total <= count * weights[place]}
        if not full:
            _spread(taken, weights, count)
            break
        for place in full:
            taken[place] = sizes[place]
            count -= sizes[place]
        left -= full
    return taken


def _spread(taken: list[int], weights: dict[int, int], count: int) -> None:
    """Give each place its share of `count`, by largest remainder; in whole numbers, so exact."""
    total = sum(weights.values())
    for place, weight in weights.items():
        taken[place] = count * weight // total
    short = count - sum(taken[place] for place in weights)
    by_remainder = sorted(weights, key=lambda place: (-(count * weights[place] % total), place))
    for place in by_remainder[:short]:
        taken[place] += 1
