"""What the views and the canned queries must give, worked out without SQL.

One function a query, over the published columns, in polars and plain Python; written from the
queries' descriptions. `python -m tests.query_truth --data-dir DIR --dataset 2m` compares every
query with it on a table of one's own, and says which differ and where, never with what text.
"""

from __future__ import annotations

import argparse
import ctypes
import functools
import hashlib
import itertools
import math
import re
import sys
import time
import unicodedata
from collections import Counter
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

import ddb_query

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

Row = tuple[object, ...]

SCHEMA: dict[str, pl.DataType] = {
    "image_name": pl.String(),
    "prompt": pl.String(),
    "part_id": pl.UInt16(),
    "seed": pl.UInt32(),
    "step": pl.UInt16(),
    "cfg": pl.Float32(),
    "sampler": pl.UInt8(),
    "width": pl.UInt16(),
    "height": pl.UInt16(),
    "user_name": pl.String(),
    "timestamp": pl.Datetime("us", "UTC"),
    "image_nsfw": pl.Float32(),
    "prompt_nsfw": pl.Float32(),
}

TABLES = {"2m": "metadata.parquet", "large": "metadata-large.parquet"}

SAMPLERS = (
    "ddim", "plms", "k_euler", "k_euler_ancestral", "k_heun", "k_dpm_2", "k_dpm_2_ancestral",
    "k_lms", "others",
)  # fmt: skip

SETTINGS = ("prompt", "seed", "step", "cfg", "sampler", "width", "height")

# --- values ---


@dataclass(frozen=True)
class Rounded:
    """A number that the query shows rounded to six decimals."""

    exact: float

    def admits(self, found: object) -> bool:
        """Whether `found` is this number, rounded; scores were rounded to nine before a mean."""
        if not isinstance(found, float):
            return False
        return found == round(found, 6) and abs(found - self.exact) <= 0.5e-6 + 1e-9


def rounded(exact: float | None) -> Rounded | None:
    """A number to be rounded, or None for none."""
    return None if exact is None else Rounded(exact)


def share(part: int, whole: int) -> Rounded | None:
    """A fraction of 1; None of nothing."""
    return Rounded(part / whole) if whole else None


def single(number: float) -> float:
    """A number as a 32-bit float holds it."""
    return ctypes.c_float(number).value


def last(value: Any) -> tuple[bool, bool, Any]:
    """A key that sorts numbers and text upwards, then NaN, then None."""
    missing = value is None
    nan = isinstance(value, float) and math.isnan(value)
    return missing, nan, 0 if missing or nan else value


@functools.cache
def four_decimals(number: float) -> float:
    """A number rounded to four decimals, halves away from zero; there is one zero."""
    if not math.isfinite(number) or number == 0:
        return number if number else 0.0
    steps = math.floor(abs(Fraction(number)) * 10_000 + Fraction(1, 2))
    return math.copysign(float(Fraction(steps, 10_000)), number) if steps else 0.0


def prompt_id(prompt: str | None) -> int | None:
    """The first 15 hex digits of a prompt's md5, as a number."""
    return None if prompt is None else int(hashlib.md5(prompt.encode()).hexdigest()[:15], 16)


def matches(found: Row, expected: Row) -> bool:
    """Whether a row is the expected one, value by value and type by type."""
    return len(found) == len(expected) and all(map(_equal, found, expected))


def _equal(found: object, expected: object) -> bool:
    if isinstance(expected, Rounded):
        return expected.admits(found)
    if isinstance(expected, float) and isinstance(found, float):
        return repr(expected) == repr(found)
    return type(expected) is type(found) and expected == found


# --- text ---

_SUFFIXES = {"k", "d", "s", "th", "st", "nd", "rd", "mm", "cm", "mp", "p", "bit", "fps"}

# Letters that Unicode does not take apart into a letter and its accent.
_STROKES = str.maketrans("ØøĐđĦħŦŧŁłıς", "OoDdHhTtLliσ")

_DROPPED_MARKS = (range(0x300, 0x370), range(0x20D0, 0x2100), range(0xFE00, 0xFE10))

# https://www.unicode.org/Public/UNIDATA/Blocks.txt
_CJK_BLOCKS = (
    range(0x2E80, 0x2FE0),  # radicals
    range(0x3005, 0x3008), range(0x3021, 0x302A), range(0x3038, 0x303C),  # marks and numerals
    range(0x3040, 0x3100), range(0x31F0, 0x3200), range(0xFF66, 0xFFA0),  # kana
    range(0x3105, 0x3130), range(0x31A0, 0x31C0),  # bopomofo
    range(0x3131, 0x318F), range(0xAC00, 0xD7A4),  # hangul
    range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00),
    range(0x20000, 0x323B0),  # ideographs
)  # fmt: skip


@functools.cache
def is_cjk(character: str) -> bool:
    """Whether a character is a word of its own."""
    return any(ord(character) in block for block in _CJK_BLOCKS)


@functools.cache
def folded_character(character: str) -> str:
    """A character in lower case without accent; nothing for a mark that is dropped."""
    if any(ord(character) in block for block in _DROPPED_MARKS):
        return ""
    letter, *marks = unicodedata.normalize("NFD", character)
    accented = marks and all(0x300 <= ord(mark) < 0x370 for mark in marks)
    if accented and re.match("(LATIN|GREEK) .*LETTER", unicodedata.name(letter)):
        character = letter
    return character.translate(_STROKES).lower()


@functools.cache
def is_word_character(character: str) -> bool:
    """Whether a character is a letter, a mark or a digit of any script."""
    return unicodedata.category(character)[0] in "LMN"


def normalise(text: str) -> str:
    """A text as it is searched: words one space apart, split numbers and their suffixes joined."""
    folded = (folded_character(character) for character in text)
    spread = "".join(f" {c} " if c and is_cjk(c) else c for c in folded)
    joined: list[str] = []
    previous = gap = ""
    for is_word, run in itertools.groupby(spread, is_word_character):
        piece = "".join(run)
        if not is_word:
            gap = piece
        elif gap == " " and _is_digit(previous) and _is_digit(piece):
            joined[-1] += piece
            previous = piece
        else:
            joined.append(piece)
            previous = piece
    return " ".join(_with_suffixes(joined))


def _is_digit(word: str) -> bool:
    return re.fullmatch("[0-9]", word) is not None


def _with_suffixes(words: Iterable[str]) -> Iterator[str]:
    number: str | None = None
    for word in words:
        if number is not None and word in _SUFFIXES:
            yield number + word
            number = None
            continue
        if number is not None:
            yield number
        number = word if re.fullmatch("[0-9]+", word) else None
        if number is None:
            yield word
    if number is not None:
        yield number


@functools.cache
def terms(prompt: str) -> frozenset[str]:
    """What stands between the commas of a prompt, normalised."""
    return frozenset(filter(None, (normalise(piece) for piece in prompt.split(","))))


@functools.cache
def words_of(prompt: str) -> tuple[str, ...]:
    """The words of a prompt, normalised."""
    return tuple(normalise(prompt).split())


# --- views ---


def images(frame: pl.DataFrame, dataset: str) -> pl.DataFrame:
    """The published columns with their meaning, as the view `images` has them."""
    deleted = pl.col("user_name").is_in(["deleted-account", "deleted_account"])
    score = pl.col("image_nsfw").cast(pl.Float64)
    blurred = (score == 2.0).fill_null(value=False)
    return frame.select(
        "image_name",
        "prompt",
        _each("prompt", prompt_id, pl.Int64()).alias("prompt_id"),
        pl.col("part_id", "seed", "step", "width", "height").cast(pl.Int64),
        _each("cfg", four_decimals, pl.Float64()),
        pl.col("sampler").cast(pl.Int64),
        _each("sampler", _sampler_name, pl.String()).alias("sampler_name"),
        pl.when(deleted).then(pl.lit("deleted_account")).otherwise("user_name").alias("user_name"),
        pl.col("timestamp").dt.convert_time_zone("UTC").dt.replace_time_zone(None),
        score.alias("image_nsfw"),
        pl.col("prompt_nsfw").cast(pl.Float64),
        blurred.alias("image_blurred"),
        pl.when(~blurred).then(score).alias("image_nsfw_score"),
        _each("part_id", functools.partial(_part_path, dataset), pl.String()).alias("part_path"),
    )


def prompts(images: pl.DataFrame) -> list[Row]:
    """The rows of the view `prompts`, by prompt."""
    rows = _by(images.drop_nulls("prompt"), ["prompt"], pl.col("prompt_nsfw").max())
    found = [
        (prompt_id(prompt), prompt, normalise(prompt), count, users, score, first, final)
        for prompt, count, users, _, first, final, score in rows
    ]
    return sorted(found, key=lambda row: row[1])


def users(images: pl.DataFrame) -> list[Row]:
    """The rows of the view `users`, by name."""
    rows = _by(images.drop_nulls("user_name"), ["user_name"])
    found = [(name, count, texts, first, final) for name, count, _, texts, first, final in rows]
    return sorted(found, key=lambda row: row[0])


def _each(column: str, function: Callable[[Any], object], kind: pl.DataType) -> pl.Expr:
    """A function of a column's values, worked out once for each of them; None stays None."""

    def apply(values: pl.Series) -> pl.Series:
        known: dict[object, object] = {None: None}
        given = values.to_list()
        for value in given:
            if value not in known:
                known[value] = function(value)
        return pl.Series(values.name, [known[value] for value in given], kind)

    return pl.col(column).map_batches(apply, return_dtype=kind)


def _sampler_name(sampler: int) -> str | None:
    return SAMPLERS[sampler - 1] if 1 <= sampler <= len(SAMPLERS) else None


def _part_path(dataset: str, part: int) -> str:
    if dataset == "2m":
        return f"images/part-{part:06}.zip"
    return f"diffusiondb-large-part-{'1' if part <= 10_000 else '2'}/part-{part:06}.zip"


def _by(images: pl.DataFrame, keys: Sequence[str], *more: pl.Expr) -> list[tuple[Any, ...]]:
    """Groups: keys, images, distinct users, distinct prompts, first and last time, and more."""
    grouped = images.group_by(keys).agg(
        pl.len().alias("_images"),
        _distinct("user_name").alias("_users"),
        _distinct("prompt").alias("_prompts"),
        pl.col("timestamp").min().alias("_first"),
        pl.col("timestamp").max().alias("_last"),
        *more,
    )
    return grouped.rows()


def _distinct(column: str) -> pl.Expr:
    return pl.col(column).drop_nulls().n_unique()


# --- queries ---


def nsfw_filter(
    images: pl.DataFrame,
    max_image_nsfw: float = 0.2,
    max_prompt_nsfw: float = 0.5,
    include_blurred: bool = False,
) -> list[Row]:
    passes = _at_most("image_nsfw_score", max_image_nsfw)
    if include_blurred:
        passes = passes | pl.col("image_blurred")
    kept = images.filter(passes & _at_most("prompt_nsfw", max_prompt_nsfw)).select(
        "image_name", "prompt", "part_id", "image_nsfw", "prompt_nsfw", "width", "height",
        "user_name", "timestamp",
    )  # fmt: skip
    return sorted(kept.rows(), key=lambda row: (last(row[2]), last(row[0])))


def _at_most(score: str, threshold: float) -> pl.Expr:
    """Whether a score passes; NaN and NULL do not."""
    return (pl.col(score) <= single(threshold)) & ~pl.col(score).is_nan()


def nsfw_histogram(images: pl.DataFrame, bins: int = 20) -> list[Row]:
    rows: list[Row] = []
    for kind, column in (("image", "image_nsfw_score"), ("prompt", "prompt_nsfw")):
        scores = sorted(s for s in images[column].drop_nulls() if 0 <= s <= 1)
        ends = [single(k / bins) for k in range(bins)] + [math.inf]
        for k in range(bins):
            inside = sum(1 for s in scores if ends[k] <= s < ends[k + 1]) if len(scores) < 99 else (
                _below(scores, ends[k + 1]) - _below(scores, ends[k])
            )
            rows.append((kind, Rounded(k / bins), Rounded((k + 1) / bins), inside))
        if kind == "image":
            rows.append((kind, 2.0, 2.0, images["image_blurred"].sum()))
    return rows


def nsfw_retention(images: pl.DataFrame, steps: int = 10) -> list[Row]:
    thresholds = [k / steps for k in range(1, steps + 1)]
    rows: list[Row] = []
    for image, prompt in itertools.product(thresholds, thresholds):
        kept = images.filter(
            _at_most("image_nsfw_score", image) & _at_most("prompt_nsfw", prompt)
        )
        count, texts, people = kept.select(
            pl.len(), _distinct("prompt"), _distinct("user_name").alias("users")
        ).row(0)
        rows.append(
            (Rounded(image), Rounded(prompt), count, texts, people, share(count, images.height))
        )
    return rows


def user_stats(
    images: pl.DataFrame, min_images: int = 1, include_deleted: bool = True
) -> list[Row]:
    if not include_deleted:
        images = images.filter(pl.col("user_name") != "deleted_account")
    scores = pl.col("image_nsfw_score")
    rows = _by(
        images,
        ["user_name"],
        pl.col("timestamp").dt.date().drop_nulls().n_unique().alias("days"),
        scores.filter(scores.is_between(0, 1)).mean(),
        pl.col("image_blurred").sum(),
    )
    found = [
        (name, count, texts, first, final, days, rounded(mean), blurred)
        for name, count, _, texts, first, final, days, mean, blurred in rows
        if count >= min_images
    ]
    return sorted(found, key=lambda row: (-row[1], last(row[0])))


def user_profile(images: pl.DataFrame, user: str) -> list[Row]:
    own = images.filter(pl.col("user_name") == user)
    total = own.height
    blurred = own["image_blurred"].sum()
    samplers = Counter(own["sampler_name"].to_list())
    sizes: Counter[object] = Counter()
    for width, height, count in own.group_by("width", "height").len().iter_rows():
        sizes[None if width is None or height is None else f"{width}x{height}", count] = count
    used = Counter(
        {term: 0 for _ in ()} or itertools.chain.from_iterable(
            terms(prompt) for prompt in own["prompt"].drop_nulls()
        )
    )
    return [
        ("summary", "images of the user", total, share(total, images.height)),
        ("summary", "blurred", blurred, share(blurred, total)),
        *_section("sampler", samplers.items(), total),
        *_section("size", ((size, count) for (size, _), count in sizes.items()), total),
        *_section("term", used.items(), total)[:20],
    ]
