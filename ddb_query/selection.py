"""Selection: a set of a corpus's images, described by fields, that compiles to a relation."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.dataset import SAMPLERS
from ddb_query.engines.base import Relation
from ddb_query.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

# Thresholds of the policies: highest image score, highest prompt score.
POLICIES: dict[str, tuple[float | None, float | None]] = {
    "strict": (0.1, 0.1),
    "moderate": (0.2, 0.5),
    "open": (None, None),
}


@dataclass(frozen=True)
class Filters:
    """Which images: every field that is given must hold; a repeated one is OR within itself.

    Attributes:
        where: One boolean SQL expression over `images`; subqueries over any view are allowed.
        max_image_nsfw: Highest image score, from 0 to 1; rows without a score never pass.
        max_prompt_nsfw: Highest prompt score, likewise.
        policy: strict, moderate or open; a threshold given beside it wins.
        include_blurred: Whether blurred images pass the image threshold.
        samplers: Names or numbers of samplers.
        users: User names.
        parts: Part numbers and ranges: `7`, `1-20`.
        since: Earliest time, inclusive, UTC.
        until: Latest time, exclusive, UTC.
    """

    where: str | None = None
    max_image_nsfw: float | None = None
    max_prompt_nsfw: float | None = None
    policy: str | None = None
    include_blurred: bool = False
    samplers: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    since: str | None = None
    until: str | None = None

    @property
    def empty(self) -> bool:
        """Whether all images pass."""
        return not self.relation().values and self.where is None

    def relation(self) -> Relation:
        """The images that pass, as a SELECT of all columns of `images`.

        Raises:
            UsageError: A field has no meaning.
        """
        conditions = _Conditions()
        self._add_where(conditions)
        self._add_scores(conditions)
        self._add_names(conditions)
        self._add_times(conditions)
        return Relation(
            "select * from images" + (f"\nwhere {conditions.sql}" if conditions.parts else ""),  # noqa: S608
            conditions.values,
        )

    def _add_where(self, conditions: _Conditions) -> None:
        if self.where is not None:
            # The engine has checked that it is one expression; it is the user's own SQL.
            conditions.parts.append(f"({self.where}\n)")

    def _add_scores(self, conditions: _Conditions) -> None:
        if self.policy is not None and self.policy not in POLICIES:
            raise UsageError(
                f"no policy named {self.policy}", hint=f"there are {', '.join(POLICIES)}"
            )
        image, prompt = POLICIES[self.policy or "open"]
        image = self.max_image_nsfw if self.max_image_nsfw is not None else image
        prompt = self.max_prompt_nsfw if self.max_prompt_nsfw is not None else prompt
        if image is not None:
            blurred = " or image_blurred" if self.include_blurred else ""
            conditions.add(f"(image_nsfw_score <= cast({{}} as real){blurred})", image)
        if prompt is not None:
            conditions.add("prompt_nsfw <= cast({} as real)", prompt)

    def _add_names(self, conditions: _Conditions) -> None:
        conditions.add_any("sampler = {}", [_sampler(name) for name in self.samplers])
        # Both spellings of a deleted account are one user.
        users = ["deleted_account" if u == "deleted-account" else u for u in self.users]
        conditions.add_any("user_name = {}", users)
        conditions.add_any("part_id between {} and {}", [_part(text) for text in self.parts])

    def _add_times(self, conditions: _Conditions) -> None:
        if self.since is not None:
            conditions.add("timestamp >= {}", _time(self.since))
        if self.until is not None:
            conditions.add("timestamp < {}", _time(self.until))


@dataclass
class _Conditions:
    parts: list[str] = field(default_factory=list)
    values: dict[str, object] = field(default_factory=dict)

    @property
    def sql(self) -> str:
        return "\n    and ".join(self.parts)

    def add(self, condition: str, *values: object) -> None:
        self.parts.append(self._bound(condition, values))

    def add_any(self, condition: str, choices: Sequence[object]) -> None:
        if choices:
            bound = [
                self._bound(condition, choice if isinstance(choice, tuple) else (choice,))
                for choice in choices
            ]
            self.parts.append(f"({' or '.join(bound)})")

    def _bound(self, condition: str, values: tuple[object, ...]) -> str:
        names = [f"f{len(self.values) + place}" for place in range(len(values))]
        self.values.update(zip(names, values, strict=True))
        return condition.format(*(f"${name}" for name in names))


def _sampler(name: str) -> int:
    numbers = {known: number for number, known in SAMPLERS.items()}
    numbers |= {str(number): number for number in SAMPLERS}
    if name not in numbers:
        raise UsageError(
            f"no sampler named {name}", hint=f"there are {', '.join(SAMPLERS.values())}"
        )
    return numbers[name]


def _part(text: str) -> tuple[int, int]:
    first, dash, last = text.partition("-")
    if not first.isdecimal() or (dash and not last.isdecimal()):
        raise UsageError(f"{text} is not a part or a range of parts", hint="--part 7, --part 1-20")
    return int(first), int(last) if dash else int(first)


def _time(text: str) -> datetime.datetime:
    try:
        time = datetime.datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text} is not a time", hint="for example 2022-08-10 or 2022-08-10T12:30"
        ) from error
    return time.astimezone(datetime.UTC).replace(tzinfo=None) if time.tzinfo else time
