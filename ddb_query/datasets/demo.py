"""The generated dataset: a made-up metadata table with the published schema and its quirks.

Owns who has which share of the images and how many prompts there are; the SQL in `sql/demo/` draws
every row from these shares, and `sql/demo/words.toml` holds what prompts are made of. Runs nothing:
an engine runs the SELECT with its values.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import tomllib
from typing import TYPE_CHECKING, TypeVar

from ddb_query.diffusiondb import DATASETS, IMAGES_PER_PART
from ddb_query.errors import ParameterError
from ddb_query.queries.library import read_sql

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_T = TypeVar("_T")

ROWS = 100_000
MOST_ROWS = 65_535 * IMAGES_PER_PART
LONGEST_PROMPT = 1923

# Prompts and their reuse follow the subset that a table of this size would be a piece of.
_MANY_ROWS = 1_000_000

# Sizes of the bot's messages; each entry makes the same number of images.
_SIZES_OF_FEW = (1,) * 26 + (2, 2, 3, 4, 5, 9)
_SIZES_OF_MANY = (1, 1, 1, 2, 2, 3, 4, 4, 4, 4, 4, 4, 5, 6, 7, 8, 9, 9)
_BLOCK = 40  # images in messages of one size, as in messages.sql

_VERSIONS = (1, 1, 2, 3, 4, 6, 8, 10, 12, 16, 20, 30)
_WORDINESS = (1, 3, 5, 7, 8, 10, 12, 14)

# Entries of 256 that are left empty in the lists that not every prompt takes from.
_NOTHING = {"openings": 96, "actions": 96, "places": 112, "styles": 216, "clauses": 192}
# Lists with as much of the last entry as of the first.
_EVEN = ("subjects", "syllables", "places", "actions", "clauses", "styles")

# Entries of 1,024; the first value takes what is left.
_SAMPLERS = {8: 0, 4: 13, 3: 5, 1: 3, 7: 2, 5: 2, 6: 1, 2: 1, 9: 1}
_STEPS = {
    50: 0, 150: 112, 100: 28, 120: 6, 25: 5, 40: 5, 20: 4, 70: 4, 75: 4, 80: 3, 30: 3, 10: 2,
    60: 2, 15: 1, 90: 1, 125: 1, 5: 1, 1: 1, 250: 1,
}  # fmt: skip
_CFGS = {
    7.0: 0, 10.0: 64, 12.0: 38, 15.0: 35, 8.0: 24, 13.0: 20, 9.0: 20, 11.0: 18, 20.0: 15, 14.0: 10,
    18.0: 7, 16.0: 7, 5.0: 5, 17.0: 4, 6.0: 4, 25.0: 3, 30.0: 3, 4.0: 2, 3.0: 2, 7.5: 5, 14.6: 2,
    8.5: 2, 12.5: 1, 9.4: 1, 6.9: 1, 2.5: 1, 0.5: 1, 50.0: 1, 99.0: 1, -1.0: 1, 0.0: 1,
}  # fmt: skip
_ODD_CFGS = (math.nan, math.inf, -math.inf, -1e12, -7.0, 14.6, 0.0, 1e9)
_DIMENSIONS = {
    (512, 512): 0, (512, 704): 86, (512, 768): 72, (768, 512): 48, (512, 640): 43, (1024, 512): 38,
    (704, 512): 29, (640, 512): 15, (640, 640): 12, (1024, 576): 11, (832, 512): 11, (960, 512): 9,
    (704, 704): 9, (1024, 1024): 9, (896, 512): 8, (768, 768): 8, (512, 1024): 7, (1024, 768): 7,
    (512, 576): 7, (512, 832): 6, (576, 1024): 5, (1280, 704): 4, (896, 640): 3, (1152, 704): 2,
    (448, 448): 2, (384, 512): 1, (256, 256): 1, (1536, 512): 1, (512, 1536): 1, (64, 64): 1,
}  # fmt: skip


def demo_sql(
    rows: int = ROWS,
    seed: int = 0,
    *,
    dataset: str = "demo",
    prompts: int | None = None,
    users: int | None = None,
) -> tuple[str, dict[str, object]]:
    """A SELECT that makes up a metadata table, and the values to run it with.

    The same arguments give the same rows on every machine and any number of threads, ordered by
    part, in it by user, in that by time, as long as the engine preserves the order of insertion.

    Args:
        rows: Number of images, 1,000 of them a part; the last part may be smaller.
        seed: Another seed gives another table of the same kind.
        dataset: Whose image names to make: `.webp` for large, `.png` for the others.
        prompts: Distinct prompts to come close to; three quarters of the rows when not given.
        users: Distinct user names; one for 50 rows, up to as many as published, when not given.

    Raises:
        ParameterError: A number is below 1, or there are more rows than `part_id` can count.

    """
    people = min(10_381, max(20, rows // 50)) if users is None else users
    texts = max(1, rows * 3 // 4) if prompts is None else prompts
    for name, number in (("rows", rows), ("users", people), ("prompts", texts)):
        if not 1 <= number <= MOST_ROWS:
            raise ParameterError(name, f"{number} is not between 1 and {MOST_ROWS}")
    return _query(), {
        "rows": rows,
        "seed": str(seed),
        "suffix": DATASETS[dataset].suffix,
        "odd_every": max(61, rows // 1000 | 1),
        "borrowed": 60 if rows < _MANY_ROWS else 11,
        **_owners(people, seed),
        **_sessions(rows, texts),
        **_settings(),
        **_words(),
    }


def _query() -> str:
    messages, prompts, images = (
        read_sql(f"demo/{name}.sql") for name in ("messages", "prompts", "images")
    )
    return f"with messages as (\n{messages}),\nprompts as (\n{prompts})\nselect * from (\n{images})"


def _owners(users: int, seed: int) -> dict[str, object]:
    """Deal out the images to users, in the order of their names; the NULL user comes last.

    Returns:
        `slots`, the owner of each equal share of a part, as an index into `user_names`; and for
        each owner the first and the number of these shares.

    """
    shares = _shares(users, seed)
    counts = [count for _, count in shares]
    return {
        "user_names": [name for name, _ in shares],
        "slot_counts": counts,
        "first_slots": [0, *itertools.accumulate(counts)][:-1],
        "slots": [owner for owner, count in enumerate(counts) for _ in range(count)],
    }


def _shares(users: int, seed: int) -> list[tuple[str | None, int]]:
    """Names, sorted, with their numbers of shares, of which a user has 8 on average.

    Half the users have a sixth of that or less; the top user has 1.6 % of all images and deleted
    accounts 0.6 %, as published, and with few users nobody else has more than 1.2 %.
    """
    names = [hashlib.sha256(f"{seed}:user:{n}".encode()).hexdigest() for n in range(users)]
    ranked = sorted(names, key=lambda name: hashlib.sha256(name.encode()).digest())
    weights = [
        1000 * (2 * users - 2 * rank - 1) ** 2 // (200 * rank + 100 + 2 * users)
        for rank in range(users)
    ]
    total = sum(weights)
    most = max(8 * users * 12 // 1000, 16)
    slots = {
        name: min(max(1, 8 * users * weight // total), most)
        for name, weight in zip(ranked, weights, strict=True)
    }
    everything = sum(slots.values())
    slots[ranked[0]] = max(slots[ranked[0]], everything * 16 // 1000)
    slots["deleted-account"] = 1 + everything * 6 // 1000
    slots["deleted_account"] = 1 + everything // 2000
    return [*sorted(slots.items()), (None, 1 + everything // 2000)]


def _sessions(rows: int, prompts: int) -> dict[str, object]:
    """Find how many sessions make so many prompts.

    Messages fall evenly on sessions and evenly on the versions of a session, so of `n` versions
    hit by `m` messages each on average `n * (1 - exp(-m))` are made. Of these, 3 % say the same.
    """
    sizes = _SIZES_OF_FEW if prompts * 2 > rows else _SIZES_OF_MANY
    messages = rows * sum(math.ceil(_BLOCK / size) for size in sizes) / (_BLOCK * len(sizes))
    low, high = 1, 8 * rows
    while low < high:
        middle = (low + high) // 2
        made = math.fsum(
            middle * n * (1 - _exp_minus(messages / (middle * n))) / len(_VERSIONS)
            for n in _VERSIONS
        )
        low, high = (middle + 1, high) if made * 0.97 < prompts else (low, middle)
    return {"message_sizes": list(sizes), "sessions": low, "versions": _bag(_VERSIONS, even=True)}


def _exp_minus(x: float) -> float:
    """exp(-x) by arithmetic that is the same to the last bit on every machine; exp is not."""
    result = 1 / (1 + x / 1024)
    for _ in range(10):
        result *= result
    return result


def _settings() -> dict[str, object]:
    dimensions = _dealt(_DIMENSIONS)
    return {
        "samplers": _dealt(_SAMPLERS),
        "steps": _dealt(_STEPS),
        "cfgs": _dealt(_CFGS),
        "odd_cfgs": list(_ODD_CFGS),
        "widths": [width for width, _ in dimensions],
        "heights": [height for _, height in dimensions],
    }


def _words() -> dict[str, object]:
    lists: dict[str, list[str]] = tomllib.loads(read_sql("demo/words.toml"))
    odd = lists.pop("odd_prompts")
    long = ", ".join(["an endless corridor", *itertools.chain.from_iterable(lists.values())])
    return {
        "odd_prompts": [*odd, long[: LONGEST_PROMPT - 1] + " "],
        "wordiness": _bag(_WORDINESS, even=True),
        **{
            name: _bag(words, even=name in _EVEN, nothing=_NOTHING.get(name, 0))
            for name, words in lists.items()
        },
    }


def _bag(entries: Sequence[_T], *, even: bool, nothing: int = 0) -> list[_T | None]:
    """Fill 256 places with entries, each as often as the others or the early ones more often."""
    size = 256 - nothing
    places = range(size)
    picks = places if even else (place * place // size for place in places)
    return [None] * nothing + [entries[pick * len(entries) // size] for pick in picks]


def _dealt(counts: Mapping[_T, int]) -> list[_T]:
    """Fill 1,024 places, each value as often as it says and the first with what is left."""
    first = next(iter(counts))
    rest = [value for value, count in counts.items() for _ in range(count)]
    return [first] * (1024 - len(rest)) + rest
