"""Criteria: what a selection says, field by field, as options, arguments and manifests say it."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Literal, TypedDict, get_args

from ddb_query.errors import UnknownNameError, UsageError
from ddb_query.selection.policy import Policy, check_score, policy_of

if TYPE_CHECKING:
    from collections.abc import Container, Iterable
    from pathlib import Path

Group = Literal["prompt", "family", "user"]
Stratum = Literal["sampler", "user", "day", "nsfw-band"]
Shares = Literal["proportional", "equal"]

# Beyond this DuckDB's arg_min keeps no more.
MOST_PER_GROUP = 999_999
_MOST = 2**63 - 1
_COUNT = re.compile("[0-9]{1,9}")


class Fields(TypedDict, total=False):
    """What `Corpus.select` takes by name: the fields of `Criteria`, as type checkers read them."""

    subset: Path | str | None
    where: str | None
    match: str | None
    max_image_nsfw: float | None
    max_prompt_nsfw: float | None
    policy: Policy | str | Path | Mapping[str, object] | None
    include_blurred: bool
    exclude_blurred: bool
    sampler: str | Sequence[str]
    user: str | Sequence[str]
    part: str | int | Sequence[str | int]
    since: str | datetime.datetime | None
    until: str | datetime.datetime | None
    on_disk: bool
    one_per: Group | None
    max_per: str | None
    include_deleted: bool
    sample: int | None
    seed: int
    stratify: Stratum | None
    shares: Shares | None
    order_by: str | None
    limit: int | None


@dataclass(frozen=True)
class Criteria:
    """Which images. Every field that is given must hold; docs/subsets.md has the order of work.

    Attributes:
        subset: A file that names the images, of any form in docs/subsets.md.
        where: One boolean SQL expression over `images`; subqueries over any view are allowed.
        match: Words that the prompt matches, as for `ddb search`.
        max_image_nsfw: Highest image score, from 0 to 1; rows without a score never pass.
        max_prompt_nsfw: Highest prompt score, likewise.
        policy: Both thresholds at once; a threshold given beside it wins.
        include_blurred: Whether blurred images pass the image threshold.
        exclude_blurred: Whether blurred images are left out, where there is no threshold too.
        sampler: Names or numbers of samplers, of which one must be the image's.
        user: User names, likewise.
        part: Part numbers and ranges (`7`, `1-20`), likewise.
        since: Earliest time, inclusive; UTC unless it has an offset.
        until: Latest time, exclusive.
        on_disk: Only images that need no network: parts and folders registered here, drawn ones.
        one_per: Keep one image for each prompt, family of prompts, or user.
        max_per: Keep at most so many for each: `user=10`.
        include_deleted: Whether deleted accounts count as a user in `one_per` and `max_per`.
        sample: Take so many, by hash.
        seed: Another seed, another sample.
        stratify: Sample from each sampler, user, day or nsfw-band.
        shares: How many from each: `proportional` to its size, or `equal`.
        order_by: SQL expressions over `images` to order by; else by part and name.
        limit: At most so many, in that order.
    """

    subset: Path | str | None = None
    where: str | None = None
    match: str | None = None
    max_image_nsfw: float | None = None
    max_prompt_nsfw: float | None = None
    policy: Policy | str | Path | Mapping[str, object] | None = None
    include_blurred: bool = False
    exclude_blurred: bool = False
    sampler: str | Sequence[str] = ()
    user: str | Sequence[str] = ()
    part: str | int | Sequence[str | int] = ()
    since: str | datetime.datetime | None = None
    until: str | datetime.datetime | None = None
    on_disk: bool = False
    one_per: Group | None = None
    max_per: str | None = None
    include_deleted: bool = False
    sample: int | None = None
    seed: int = 0
    stratify: Stratum | None = None
    shares: Shares | None = None
    order_by: str | None = None
    limit: int | None = None

    def __post_init__(self) -> None:
        for name in ("sampler", "user", "part"):
            self._set(name, _several(name, getattr(self, name)))
        for name in ("since", "until"):
            self._set(name, _time_text(name, getattr(self, name)))
        for name in ("where", "match", "order_by", "max_per"):
            _check_text(name, getattr(self, name))
        for name in ("include_blurred", "exclude_blurred", "include_deleted", "on_disk"):
            if not isinstance(getattr(self, name), bool):
                raise UsageError(f"{name} is true or false")
        if self.policy is not None and not isinstance(self.policy, Policy):
            self._set("policy", policy_of(self.policy))
        self._check_scores()
        for name, least in (("sample", 0), ("seed", 0), ("limit", 0)):
            _check_count(name, getattr(self, name), least)
        _check_choice("one_per", self.one_per, Group)
        _check_choice("stratify", self.stratify, Stratum)
        _check_choice("shares", self.shares, Shares)
        self._check_sampling()
        _ = self.quota

    @property
    def quota(self) -> tuple[Group, int] | None:
        """Of `max_per`: for each what, and how many."""
        if self.max_per is None:
            return None
        group, _, count = self.max_per.partition("=")
        if group not in get_args(Group) or not _COUNT.fullmatch(count):
            raise UsageError(
                f"max-per {self.max_per} is not a group and a number",
                hint=f"user=10; there are {', '.join(get_args(Group))}",
            )
        _check_count("max_per", int(count), 1, MOST_PER_GROUP)
        return group, int(count)  # type: ignore[return-value]

    @property
    def thins(self) -> bool:
        """Whether it takes some of the images that pass the filters, rather than all."""
        return any(given is not None for given in (self.one_per, self.max_per, self.sample))

    @property
    def thresholds(self) -> Policy:
        """What the policy and the thresholds beside it come to; nameless when that is no policy."""
        policy = self.policy if isinstance(self.policy, Policy) else Policy(None)
        image, prompt = self.max_image_nsfw, self.max_prompt_nsfw
        found = Policy(
            policy.name,
            policy.max_image_nsfw if image is None else image,
            policy.max_prompt_nsfw if prompt is None else prompt,
            self.include_blurred or policy.include_blurred,
        )
        return found if found == policy else replace(found, name=None)

    @property
    def parts(self) -> tuple[str, ...]:
        """The texts of `part`."""
        return _several("part", self.part)

    def but(self, **changes: object) -> Criteria:
        """The same, with some fields changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def to_json(self) -> dict[str, object]:
        """The fields that say something, for a manifest; the file of `subset` is left out."""
        found: dict[str, object] = {}
        for field in fields(self):
            value = getattr(self, field.name)
            if field.name == "subset" or value == field.default:
                continue
            if isinstance(value, Policy):
                value = value.to_json()
            found[field.name] = list(value) if isinstance(value, tuple) else value
        return found

    @classmethod
    def from_json(cls, said: Mapping[str, object]) -> Criteria:
        """The criteria that a manifest says.

        Raises:
            UsageError: A field is unknown, or makes no sense.
        """
        check_fields(said, but=("subset",))
        if not isinstance(said.get("policy", {}), Mapping):
            # A name might be that of a file.
            raise UsageError("a policy is said in fields")
        return cls(**said)  # type: ignore[arg-type]

    def _check_scores(self) -> None:
        check_score("max_image_nsfw", self.max_image_nsfw)
        check_score("max_prompt_nsfw", self.max_prompt_nsfw)
        if self.exclude_blurred and self.thresholds.include_blurred:
            raise UsageError("blurred images are both included and excluded", hint="say one of it")

    def _check_sampling(self) -> None:
        if self.sample is None and (self.stratify or self.shares or self.seed) and not self.thins:
            raise UsageError("no number to sample was given", hint="--sample N says how many")
        if self.stratify and self.sample is None:
            raise UsageError("strata are for a sample", hint="--sample N --stratify sampler")
        if self.shares and not self.stratify:
            raise UsageError("shares are of strata", hint="--stratify sampler --shares equal")

    def _set(self, name: str, value: object) -> None:
        # The dataclass is frozen for everyone but its own constructor.
        object.__setattr__(self, name, value)


def check_fields(given: Iterable[str], but: Container[str] = ()) -> None:
    """See whether a selection has fields of these names.

    Raises:
        UnknownNameError: It has not; tells close ones.
    """
    known = [name for name in Criteria.__dataclass_fields__ if name not in but]
    for name in given:
        if name not in known:
            raise UnknownNameError("field of a selection", name, known)


def _several(name: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str | int):
        value = (value,)
    if not isinstance(value, Sequence) or not all(isinstance(one, str | int) for one in value):
        raise UsageError(f"{name} is text, or several texts")
    texts = tuple(str(one) for one in value)
    _check_text(name, *texts)
    return texts


def _time_text(name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        _check_text(name, value)
        return value
    if isinstance(value, datetime.date):
        return value.isoformat()
    raise UsageError(f"{name} is a time", hint="for example 2022-08-10 or 2022-08-10T12:30")


def _check_text(name: str, *values: object) -> None:
    for value in values:
        if value is not None and not isinstance(value, str):
            raise UsageError(f"{name} is text")
        try:
            (value or "").encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"{name} is not UTF-8 text") from error


def _check_count(name: str, value: object, least: int, most: int = _MOST) -> None:
    if value is None:
        return
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise UsageError(f"{name} is a whole number from {least} to {most}")


def _check_choice(name: str, value: object, choices: object) -> None:
    if value is not None and value not in get_args(choices):
        there = ", ".join(get_args(choices))
        raise UsageError(f"{name} is one of {there}, not {value}")
