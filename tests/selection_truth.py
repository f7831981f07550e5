"""What a selection is, worked out again in plain Python: slow, and made of nothing of ddb's SQL."""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow.parquet as pq

if TYPE_CHECKING:
    import datetime
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

Row = dict[str, Any]

SAMPLERS = ["ddim", "plms", "k_euler", "k_euler_ancestral", "k_heun", "k_dpm_2"]
SAMPLERS += ["k_dpm_2_ancestral", "k_lms", "others"]
POLICIES = {"strict": (0.1, 0.1), "moderate": (0.2, 0.5), "open": (None, None)}
DELETED = ("deleted-account", "deleted_account")


def rows_of(table: Path) -> list[Row]:
    """The published rows of a table."""
    rows: list[Row] = pq.read_table(table).to_pylist()
    return rows


def selected(rows: Sequence[Row], said: dict[str, Any]) -> list[Row]:
    """The rows that criteria stand for, in their order."""
    found = [row for row in rows if passes(row, said)]
    seed = said.get("seed", 0)
    deleted = said.get("include_deleted", False)
    if group := said.get("one_per"):
        found = at_most(found, group, 1, seed, deleted=deleted)
    if quota := said.get("max_per"):
        group, _, count = quota.partition("=")
        found = at_most(found, group, int(count), seed, deleted=deleted)
    if (count := said.get("sample")) is not None:
        found = sampled(found, count, seed, said.get("stratify"), said.get("shares"))
    found.sort(key=lambda row: (row["part_id"], row["image_name"]))
    return found[: said["limit"]] if said.get("limit") else found


def passes(row: Row, said: dict[str, Any]) -> bool:
    """Whether a row passes the filters."""
    image, prompt = POLICIES[said.get("policy", "open")]
    image, prompt = said.get("max_image_nsfw", image), said.get("max_prompt_nsfw", prompt)
    if image is not None and not under(row["image_nsfw"], image):
        let_through = said.get("include_blurred") and row["image_nsfw"] == 2.0
        if not let_through:
            return False
    if prompt is not None and not under(row["prompt_nsfw"], prompt):
        return False
    if samplers := said.get("sampler"):
        wanted = {SAMPLERS.index(name) + 1 if name in SAMPLERS else int(name) for name in samplers}
        if row["sampler"] not in wanted:
            return False
    if (users := said.get("user")) and user(row) not in {
        "deleted_account" if name in DELETED else name for name in users
    }:
        return False
    if (parts := said.get("part")) and not any(within(row["part_id"], text) for text in parts):
        return False
    return in_time(row["timestamp"], said.get("since"), said.get("until"))


def under(score: float | None, most: float) -> bool:
    return score is not None and score != 2.0 and score <= float(np.float32(most))


def within(part: int, text: str) -> bool:
    first, _, last = text.partition("-")
    return int(first) <= part <= int(last or first)


def in_time(
    time: datetime.datetime | None,
    since: datetime.datetime | None,
    until: datetime.datetime | None,
) -> bool:
    if time is None:
        return since is None and until is None
    return (since is None or time >= since) and (until is None or time < until)


def user(row: Row) -> str | None:
    """The user, both spellings of a deleted account as one."""
    name: str | None = row["user_name"]
    return "deleted_account" if name in DELETED else name


def place(row: Row, seed: int) -> tuple[str, str]:
    """Where in a sample a row stands."""
    name = row["image_name"]
    return hashlib.md5(f"{seed}:{name}".encode(), usedforsecurity=False).hexdigest(), name


def at_most(rows: Iterable[Row], group: str, count: int, seed: int, *, deleted: bool) -> list[Row]:
    """The first so many by hash of each group; rows of none are dropped."""
    groups = defaultdict(list)
    for row in rows:
        name = user(row) if group == "user" else row["prompt"]
        if group == "user" and deleted:
            name = name or "deleted_account"
        elif group == "user" and name == "deleted_account":
            name = None
        if name is not None:
            groups[name].append(row)
    ranked = (sorted(of_one, key=lambda row: place(row, seed)) for of_one in groups.values())
    return [row for of_one in ranked for row in of_one[:count]]


def band(row: Row) -> str:
    score = row["image_nsfw"]
    if score == 2.0:
        return "blurred"
    for most in (0.1, 0.2, 0.5, 1.0):
        if score is not None and score <= float(np.float32(most)):
            return f"to {most:g}"
    return "none"


STRATA: dict[str, Callable[[Row], str | None]] = {
    "sampler": lambda row: SAMPLERS[row["sampler"] - 1],
    "user": user,
    "day": lambda row: row["timestamp"] and row["timestamp"].date().isoformat(),
    "nsfw-band": band,
}


def sampled(
    rows: list[Row], count: int, seed: int, stratify: str | None, shares: str | None
) -> list[Row]:
    """The first so many by hash, of strata as many of each as its share."""
    rows = sorted(rows, key=lambda row: place(row, seed))
    if stratify is None:
        return rows[:count]
    strata = defaultdict(list)
    for row in rows:
        strata[STRATA[stratify](row)].append(row)
    # The largest first, then by name, the one without a name last.
    names = sorted(strata, key=lambda name: (-len(strata[name]), name is None, name or ""))
    sizes = [len(strata[name]) for name in names]
    found = []
    for name, taken in zip(names, allocated(sizes, count, shares or "proportional"), strict=True):
        weight = len(strata[name]) / taken if taken else math.nan
        found += [{**row, "weight": weight} for row in strata[name][:taken]]
    return found


def allocated(sizes: Sequence[int], count: int, shares: str) -> list[int]:
    """Shares by water-filling, then the largest remainders; one stratum filled at a time."""
    exact = [Fraction(0)] * len(sizes)
    left, open_ = Fraction(min(count, sum(sizes))), {i for i, size in enumerate(sizes) if size}
    while open_:
        total = sum(sizes[i] if shares == "proportional" else 1 for i in open_)
        share = {
            i: left * (sizes[i] if shares == "proportional" else 1) / total for i in sorted(open_)
        }
        full = next((i for i in share if share[i] >= sizes[i]), None)
        if full is None:
            for i, value in share.items():
                exact[i] = value
            break
        exact[full] = Fraction(sizes[full])
        left -= sizes[full]
        open_.remove(full)
    taken = [math.floor(value) for value in exact]
    short = min(count, sum(sizes)) - sum(taken)
    by_remainder = sorted(range(len(sizes)), key=lambda i: (taken[i] - exact[i], i))
    for i in by_remainder[:short]:
        taken[i] += 1
    return taken


def content_hash(rows: Iterable[Sequence[Any]], *, finite_only: bool = False) -> str:
    """The content hash of design section 5, by hashlib."""
    count = first = second = 0
    for row in rows:
        text = "\x1f".join(spelled(value, finite_only=finite_only) for value in row)
        digest = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
        count, first, second = (
            count + 1, first + int(digest[:15], 16), second + int(digest[15:30], 16),
        )  # fmt: skip
    return f"{count}:{first}:{second}"


def spelled(value: Any, *, finite_only: bool) -> str:
    """A value as the content hash has it."""
    if value is None:
        return "\0"
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return spelled_float(value, finite_only=finite_only)
    if hasattr(value, "timestamp"):
        seconds = int(value.replace(microsecond=0).timestamp())
        return str(seconds * 1_000_000 + value.microsecond)
    return str(value)


def spelled_float(value: float, *, finite_only: bool) -> str:
    if not math.isfinite(value):
        if finite_only:
            return "\0"
        return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
    return "big" if abs(value) >= 1e12 else str(math.floor(value * 1_000_000 + 0.5))
