"""Filters: the conditions that every image of a selection passes by itself."""

from __future__ import annotations

import datetime
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import SAMPLERS
from ddb_query.errors import UnknownNameError, UsageError

# As published: a number that is no score marks what Stable Diffusion had blurred.
BLURRED = "published_image_nsfw = 2.0"
# Parts have at most five digits.
_PART = re.compile(r"\d{1,9}(-\d{1,9})?", re.ASCII)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.selection.criteria import Criteria


@dataclass
class Conditions:
    """SQL conditions over `images` that must all hold, and the values bound in them."""

    parts: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    @property
    def where(self) -> str:
        """As a clause; empty without conditions."""
        return "\nwhere " + "\n    and ".join(self.parts) if self.parts else ""

    def add(self, condition: str, *values: object) -> None:
        """Add one, with its values bound in the places of `{}`."""
        self.parts.append(self._bound(condition, values))

    def add_any(self, condition: str, choices: Sequence[tuple[object, ...]]) -> None:
        """Add one that holds for any of several values; none when there are none."""
        if choices:
            either = " or ".join(self._bound(condition, choice) for choice in choices)
            self.parts.append(f"({either})")

    def _bound(self, condition: str, values: tuple[object, ...]) -> str:
        names = [f"f{len(self.values) + place}" for place in range(len(values))]
        self.values.update(zip(names, values, strict=True))
        return condition.format(*(f"${name}" for name in names))


def conditions(criteria: Criteria) -> Conditions:
    """The conditions of the fields that look at one image alone; not `subset` and `match`.

    Raises:
        UsageError: A field has no meaning.
    """
    found = Conditions()
    if criteria.where is not None:
        # The engine has checked that it is one expression; it is the user's own SQL.
        found.parts.append(f"({criteria.where}\n)")
    _add_scores(found, criteria)
    _add_names(found, criteria)
    if criteria.since is not None:
        found.add("timestamp >= {}", _time(str(criteria.since)))
    if criteria.until is not None:
        found.add("timestamp < {}", _time(str(criteria.until)))
    return found


def _add_scores(found: Conditions, criteria: Criteria) -> None:
    limits = criteria.thresholds
    # A threshold is at most 1, and blurred images have 2.0: they do not pass by their number.
    if limits.max_image_nsfw is not None:
        blurred = f" or {BLURRED}" if limits.include_blurred else ""
        found.add(f"(published_image_nsfw <= cast({{}} as real){blurred})", limits.max_image_nsfw)
    if limits.max_prompt_nsfw is not None:
        found.add("published_prompt_nsfw <= cast({} as real)", limits.max_prompt_nsfw)
    if criteria.exclude_blurred:
        found.add(f"({BLURRED}) is not true")


def _add_names(found: Conditions, criteria: Criteria) -> None:
    found.add_any("sampler = {}", [(_sampler(name),) for name in criteria.sampler])
    found.add_any("user_name = {}", [(user,) for user in criteria.user])
    found.add_any("part_id between {} and {}", [_part(text) for text in criteria.parts])


def _sampler(name: str) -> int:
    numbers = {known: number for number, known in SAMPLERS.items()}
    numbers |= {str(number): number for number in SAMPLERS}
    if name not in numbers:
        raise UnknownNameError("sampler", name, SAMPLERS.values())
    return numbers[name]


def _part(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not _PART.fullmatch(text):
        raise UsageError(f"{text} is not a part or a range of parts", hint="--part 7, --part 1-20")
    found = int(first), int(last if dash else first)
    if found[0] > found[1]:
        raise UsageError(f"{text} ends before it begins", hint=f"--part {last}-{first}")
    return found


def _time(text: str) -> datetime.datetime:
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text} is not a time", hint="for example 2022-08-10 or 2022-08-10T12:30"
        ) from error
    return time.astimezone(datetime.UTC).replace(tzinfo=None) if time.tzinfo else time
