"""What a selection is, worked out again in polars and plain Python, of nothing of ddb's SQL.

Only the normalised text of a prompt is ddb's own: tests/search/test_normalise.py tells what that
is.
"""

from __future__ import annotations

import hashlib
import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from search_truth import normalise

if TYPE_CHECKING:
    import datetime
    from collections.abc import Iterable, Sequence
    from pathlib import Path

SAMPLERS = ["ddim", "plms", "k_euler", "k_euler_ancestral", "k_heun", "k_dpm_2"]
SAMPLERS += ["k_dpm_2_ancestral", "k_lms", "others"]
POLICIES = {"strict": (0.1, 0.1), "moderate": (0.2, 0.5), "open": (None, None)}
DELETED = ["deleted-account", "deleted_account"]

EVERYTHING = pl.lit(1) == 1
PLACE = ["part_id", "image_name"]
# As the view `images` has them.
cfg = pl.col("cfg").cast(pl.Float64).round(4) + 0.0
user = pl.when(pl.col("user_name").is_in(DELETED)).then(pl.lit(DELETED[1])).otherwise("user_name")
blurred = (pl.col("image_nsfw") == 2.0).fill_null(value=False)
area = pl.col("width").cast(pl.Int64) * pl.col("height")

# Conditions of `where`, in SQL and in polars. NaN is above all numbers in both.
CONDITIONS: dict[str, pl.Expr] = {
    "width * height > 300000 -- large": area > 300_000,
    "cfg = 14.6 or cfg = 7": cfg.is_in([14.6, 7.0]),
    "cfg > 12 or step < 50": (cfg > 12) | (pl.col("step") < 50),
    "image_blurred": blurred,
    "image_nsfw_score > 0.5": (pl.col("image_nsfw") > 0.5) & ~blurred,
    "user_name = 'deleted_account'": user == DELETED[1],
    "user_name is null or prompt is null": pl.any_horizontal(
        pl.col("user_name", "prompt").is_null()
    ),
    "hour(timestamp) < 12": pl.col("timestamp").dt.hour() < 12,
    "sampler_name like 'k^_%' escape '^'": pl.col("sampler").is_between(3, 8),
    "not prompt like '%,%'": ~pl.col("prompt").str.contains(",", literal=True),
    "seed % 2 = 1": pl.col("seed") % 2 == 1,
    "part_path = 'images/part-000002.zip'": pl.col("part_id") == 2,
    "prompt_id in (select prompt_id from prompts where images > 1)": (
        pl.col("prompt").is_not_null() & (pl.len().over("prompt") > 1)
    ),
    "user_name in (select user_name from users where images <= 40)": (
        pl.col("user_name").is_not_null() & (pl.len().over(user) <= 40)
    ),
}  # fmt: skip


def has(words: str) -> pl.Expr:
    return pl.col("words").str.contains(words, literal=True)


def like(word: str) -> pl.Expr:
    """Whether a word stands there that is one letter more, less or other than this one."""
    edits = [
        word[:place] + "[^ ]?" + word[after:]
        for place in range(len(word) + 1)
        for after in (place, place + 1)
    ]
    return pl.col("words").str.contains(f" (?:{'|'.join(edits)}) ")


# Searches, and the same over the words of a prompt, as ` one two three `.
SEARCHES: dict[str, pl.Expr] = {
    "castle": has(" castle "),
    '"oil painting"': has(" oil painting "),
    "castle OR paint*": has(" castle ") | has(" paint"),
    "-castle": ~has(" castle "),
    '(city OR castle) -"oil painting" -k*': (
        (has(" city ") | has(" castle ")) & ~has(" oil painting ") & ~has(" k")
    ),
    "8 k": has(" 8k "),
    "castl~": like("castl"),
    "xyzzy": has(" xyzzy "),
}
# Orders of `order_by`: in SQL, and what polars sorts by with whether each is descending.
ORDERS: dict[str, list[tuple[pl.Expr, bool]]] = {
    "cfg desc": [(cfg, True)],
    "width * height desc, user_name -- the widest": [(area, True), (user, False)],
    "timestamp, seed desc": [(pl.col("timestamp"), False), (pl.col("seed"), True)],
    "sampler_name": [(pl.col("sampler").replace_strict(
        dict(enumerate(SAMPLERS, 1)), return_dtype=pl.String), False)],
    "image_nsfw_score desc": [(pl.when(~blurred).then(pl.col("image_nsfw")), True)],
}  # fmt: skip


def rows_of(table: Path) -> pl.DataFrame:
    """The published rows of a table, and the `words` of each prompt with a space around each."""
    found = pl.from_arrow(pq.read_table(table))
    assert isinstance(found, pl.DataFrame)
    prompts = found["prompt"].drop_nulls().unique().to_list()
    words = [f" {text} " for text in normalise(prompts)]
    return found.join(
        pl.DataFrame({"prompt": prompts, "words": words}),
        on="prompt", how="left", maintain_order="left",
    )  # fmt: skip


def selected(rows: pl.DataFrame, said: dict[str, Any]) -> pl.DataFrame:
    """The rows that criteria stand for, in their order, with the published columns.

    Args:
        rows: Of the whole table.
        said: The criteria, `subset` as the names themselves.
    """
    found = rows.with_columns(hash=hashes(rows, said.get("seed", 0)))
    found = found.filter(passing(said)).sort("hash", "image_name")
    if group := said.get("one_per"):
        found = at_most(found, group, 1, deleted=said.get("include_deleted", False))
    if quota := said.get("max_per"):
        group, _, count = quota.partition("=")
        found = at_most(found, group, int(count), deleted=said.get("include_deleted", False))
    if (count := said.get("sample")) is not None:
        found = sampled(found, count, said.get("stratify"), said.get("shares"))
    order = [*ORDERS.get(said.get("order_by", ""), []), *((pl.col(name), False) for name in PLACE)]
    by, descending = zip(*order, strict=True)
    found = found.sort(*by, descending=list(descending), nulls_last=True).drop("words", "hash")
    return found.head(said["limit"]) if said.get("limit") else found


def hashes(rows: pl.DataFrame, seed: int) -> pl.Series:
    """Where in a sample each row stands."""
    texts = (f"{seed}:{name}" for name in rows["image_name"])
    return pl.Series(
        [hashlib.md5(one.encode(), usedforsecurity=False).hexdigest() for one in texts]
    )


def passing(said: dict[str, Any]) -> pl.Expr:
    """What a row passes; NULL does not."""
    found = [scored(said), in_time(said.get("since"), said.get("until"))]
    if where := said.get("where"):
        found.append(CONDITIONS[where])
    if match := said.get("match"):
        found.append(SEARCHES[match])
    if samplers := said.get("sampler"):
        numbers = [SAMPLERS.index(one) + 1 if one in SAMPLERS else int(one) for one in samplers]
        found.append(pl.col("sampler").is_in(numbers))
    if users := said.get("user"):
        found.append(user.is_in([DELETED[1] if name in DELETED else name for name in users]))
    if parts := said.get("part"):
        found.append(pl.any_horizontal(*(within(text) for text in parts)))
    if (names := said.get("subset")) is not None:
        found.append(pl.col("image_name").is_in(names))
    return pl.all_horizontal(*found)


def scored(said: dict[str, Any]) -> pl.Expr:
    """What rows the thresholds let through."""
    names, policy = ("max_image_nsfw", "max_prompt_nsfw"), said.get("policy", "open")
    named = isinstance(policy, str)
    of_policy = dict(zip(names, POLICIES[policy], strict=True)) if named else policy
    image, prompt = (said.get(name, of_policy.get(name)) for name in names)
    let_through = said.get("include_blurred") or of_policy.get("include_blurred")
    found = [EVERYTHING]
    if image is not None:
        found.append(under("image_nsfw", image) | (blurred & bool(let_through)))
    if prompt is not None:
        found.append(under("prompt_nsfw", prompt))
    if said.get("exclude_blurred"):
        found.append(~blurred)
    return pl.all_horizontal(*found)


def under(column: str, most: float) -> pl.Expr:
    score = pl.col(column)
    return ((score != 2.0) & (score <= float(np.float32(most)))).fill_null(value=False)


def within(text: str) -> pl.Expr:
    first, _, last = text.partition("-")
    return pl.col("part_id").is_between(int(first), int(last or first))


def in_time(since: datetime.datetime | None, until: datetime.datetime | None) -> pl.Expr:
    time, found = pl.col("timestamp"), EVERYTHING
    found = found & (time >= since) if since else found
    return found & (time < until) if until else found


def at_most(rows: pl.DataFrame, group: str, count: int, *, deleted: bool) -> pl.DataFrame:
    """The first so many of each group; rows of none are dropped."""
    known = user.fill_null(DELETED[1]) if deleted else pl.when(user != DELETED[1]).then(user)
    key = {"user": known, "prompt": pl.col("prompt"), "family": pl.col("words")}[group]
    return rows.filter(key.is_not_null()).filter(pl.int_range(pl.len()).over(key) < count)


def banded() -> pl.Expr:
    found: Any = pl.when(blurred).then(pl.lit("blurred"))
    for most in (0.1, 0.2, 0.5, 1.0):
        found = found.when(under("image_nsfw", most)).then(pl.lit(f"to {most:g}"))
    bands: pl.Expr = found.otherwise(pl.lit("none"))
    return bands


STRATA: dict[str, pl.Expr] = {
    "sampler": ORDERS["sampler_name"][0][0],
    "user": user,
    "day": pl.col("timestamp").dt.strftime("%Y-%m-%d"),
    "nsfw-band": banded(),
}


def sampled(
    rows: pl.DataFrame, count: int, stratify: str | None, shares: str | None
) -> pl.DataFrame:
    """The first so many, of strata as many of each as its share."""
    if stratify is None:
        return rows.head(count)
    named = rows.with_columns(stratum=STRATA[stratify])
    sizes = dict(named.group_by("stratum").len().iter_rows())
    # The largest first, then by name, the one without a name last.
    names = sorted(sizes, key=lambda name: (-sizes[name], name is None, name or ""))
    found = [rows.head(0).with_columns(weight=pl.lit(0.0))]
    taken = allocated([sizes[name] for name in names], count, shares or "proportional")
    for name, some in zip(names, taken, strict=True):
        of_one = named.filter(pl.col("stratum").eq_missing(pl.lit(name))).drop("stratum").head(some)
        found.append(of_one.with_columns(weight=pl.lit(sizes[name] / some if some else math.nan)))
    return pl.concat(found)


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
