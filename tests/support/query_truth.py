"""What the views and the canned queries must give, worked out without SQL.

One function a query, over the published columns, in polars and plain Python; written from the
queries' descriptions. `python -m tests.query_truth --data-dir DIR --dataset 2m` compares every
query with it on a table of one's own, and says which differ and where, never with what text.
"""

from __future__ import annotations

import argparse
import bisect
import ctypes
import datetime
import functools
import hashlib
import itertools
import math
import re
import sys
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

Row = tuple[Any, ...]

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

_DEFAULTS: dict[str, object] = {
    "prompt": "a castle, 8 k",
    "part_id": 1,
    "seed": 7,
    "step": 50,
    "cfg": 7.0,
    "sampler": 8,
    "width": 512,
    "height": 512,
    "user_name": "0" * 64,
    "timestamp": datetime.datetime(2022, 8, 8, 12, 30, tzinfo=datetime.UTC),
    "image_nsfw": 0.05,
    "prompt_nsfw": 0.01,
}


def published(*rows: Mapping[str, object]) -> pl.DataFrame:
    """A published table by hand: what a row does not say is as usual, its image name made up."""
    names = (f"00000000-0000-4000-8000-{place:012x}.png" for place in range(len(rows)))
    full = [{"image_name": name, **_DEFAULTS, **row} for name, row in zip(names, rows, strict=True)]
    return pl.DataFrame(full, schema=SCHEMA)


def write(frame: pl.DataFrame, folder: Path, dataset: str = "2m") -> Path:
    """Write a table where a data folder has it; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    frame.write_parquet(folder / TABLES[dataset])
    return folder


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

# Letters that Unicode does not take apart, and the Cyrillic io, which is mostly written as ie.
_OTHERWISE = str.maketrans(
    {
        "ø": "o", "đ": "d", "ħ": "h", "ŧ": "t", "ł": "l", "ð": "d",
        "\N{LATIN SMALL LETTER DOTLESS I}": "i",
        "\N{GREEK SMALL LETTER FINAL SIGMA}": "\N{GREEK SMALL LETTER SIGMA}",
        "\N{CYRILLIC SMALL LETTER IO}": "\N{CYRILLIC SMALL LETTER IE}",
        "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th",
    }
)  # fmt: skip

# https://www.unicode.org/Public/UNIDATA/DerivedCoreProperties.txt: Default_Ignorable_Code_Point
_UNSEEN = (
    range(0xAD, 0xAE), range(0x34F, 0x350), range(0x61C, 0x61D), range(0x115F, 0x1161),
    range(0x17B4, 0x17B6), range(0x180B, 0x1810), range(0x200B, 0x2010), range(0x202A, 0x202F),
    range(0x2060, 0x2070), range(0x3164, 0x3165), range(0xFE00, 0xFE10), range(0xFEFF, 0xFF00),
    range(0xFFA0, 0xFFA1), range(0xFFF0, 0xFFF9), range(0x1BCA0, 0x1BCA4),
    range(0x1D173, 0x1D17B), range(0xE0000, 0xE1000),
)  # fmt: skip

# Blocks of combining accents.
_ACCENTS = (
    range(0x300, 0x370), range(0x1AB0, 0x1B00), range(0x1DC0, 0x1E00), range(0x20D0, 0x2100),
    range(0xFE20, 0xFE30),
)  # fmt: skip

# https://www.unicode.org/Public/UNIDATA/Blocks.txt
_CJK_BLOCKS = (
    range(0xE00, 0xF00),  # Thai and Lao
    range(0x1000, 0x10A0), range(0xA9E0, 0xAA00), range(0xAA60, 0xAA80),  # Burmese
    range(0x1100, 0x1200), range(0xA960, 0xA980),  # conjoining jamo
    range(0x1780, 0x1800),  # Khmer
    range(0x2E80, 0x2FE0),  # radicals
    range(0x3005, 0x3008), range(0x3021, 0x302A), range(0x3038, 0x303C),  # marks and numerals
    range(0x3040, 0x3100), range(0x31F0, 0x3200),  # kana
    range(0x3105, 0x3130), range(0x31A0, 0x31C0),  # bopomofo
    range(0x3131, 0x318F), range(0xAC00, 0xD800),  # hangul
    range(0x3400, 0x4DC0), range(0x4E00, 0xA000), range(0xF900, 0xFB00),
    range(0x20000, 0x323B0),  # ideographs
)  # fmt: skip


@functools.cache
def is_cjk(character: str) -> bool:
    """Whether a character is a word of its own, with the marks upon it."""
    return any(ord(character) in block for block in _CJK_BLOCKS)


def composed(text: str) -> str:
    """A text in form NFKC, without what cannot be seen."""
    seen = "".join(character for character in text if not _is_unseen(character))
    apart = seen.replace("\N{TRADE MARK SIGN}", " ").replace("\N{SERVICE MARK}", " ")
    return re.sub("[\u02bb-\u02bd]", "'", unicodedata.normalize("NFKC", apart))


@functools.cache
def _is_unseen(character: str) -> bool:
    return any(ord(character) in block for block in _UNSEEN)


@functools.cache
def folded_character(character: str) -> str:
    """A character in lower case without accent; nothing for a mark that is dropped."""
    if _is_dropped(character):
        return ""
    letter, *marks = list(unicodedata.normalize("NFD", character))
    accented = marks and all(0x300 <= ord(mark) < 0x370 for mark in marks)
    of_latin_or_greek = re.match("LATIN|GREEK", unicodedata.name(letter, ""))
    if accented and of_latin_or_greek and unicodedata.category(letter)[0] == "L":
        character = letter
    return character.lower().translate(_OTHERWISE)


def _is_dropped(character: str) -> bool:
    """Whether it is an accent, a vowel sign of Arabic or Hebrew, or Arabic's long stroke."""
    if any(ord(character) in block for block in _ACCENTS):
        return True
    of_arabic_or_hebrew = re.match("ARABIC|HEBREW", unicodedata.name(character, ""))
    is_mark = unicodedata.category(character) == "Mn"
    return bool(of_arabic_or_hebrew and is_mark) or character == "\N{ARABIC TATWEEL}"


@functools.cache
def is_word_character(character: str) -> bool:
    """Whether a character is a letter, a mark or a digit of any script."""
    return unicodedata.category(character)[0] in "LMN"


def normalise(text: str) -> str:
    """A text as it is searched: words one space apart, split numbers and their suffixes joined."""
    folded = "".join(folded_character(character) for character in composed(text))
    spread = _spread(unicodedata.normalize("NFC", folded))
    words: list[str] = []
    previous = gap = ""
    for is_word, run in itertools.groupby(spread, is_word_character):
        piece = "".join(run)
        if not is_word:
            gap = piece
            continue
        if gap == " " and len(previous) == len(piece) == 1 and _is_number(previous + piece):
            words[-1] += piece
        else:
            words.append(piece)
        previous = piece
    return " ".join(_with_suffixes(words))


def _spread(text: str) -> str:
    """Spaces around each character that is a word of its own."""
    found = ""
    within = False
    for character in text:
        if within and unicodedata.category(character)[0] == "M":
            found = f"{found[:-1]}{character} "
        elif is_cjk(character):
            found += f" {character} "
            within = True
        else:
            found += character
            within = False
    return found


def _is_number(word: str) -> bool:
    return re.fullmatch("[0-9]+", word) is not None


def _with_suffixes(words: Iterable[str]) -> list[str]:
    joined: list[str] = []
    for word in words:
        if word in _SUFFIXES and joined and _is_number(joined[-1]):
            joined[-1] += word
        else:
            joined.append(word)
    return joined


@functools.cache
def terms(prompt: str) -> frozenset[str]:
    """What stands between the commas of a prompt, normalised."""
    return frozenset(filter(None, (normalise(piece) for piece in composed(prompt).split(","))))


@functools.cache
def words_of(prompt: str) -> frozenset[str]:
    """The words of a prompt, normalised."""
    return frozenset(normalise(prompt).split())


# --- artists ---

_BEGIN = re.compile("by|in the style of", re.IGNORECASE | re.ASCII)
_REST = re.compile(
    r"(?:(?<![A-Za-z0-9_])[A-Za-z]{1,2}\.|[.!?]+[^.!?\t\n\f\r ]|[^.!?\r\n])*", re.ASCII
)
_BETWEEN = re.compile(r"[,;&+/|(){}\"\[\]]")
_NO_NAME = {"a", "an", "the", "my", "your", "his", "her", "its", "our", "their"}
_FEW = 10


def _list_texts(text: str) -> Iterator[str]:
    """What may be a list: from `by` or `in the style of` to the end of the sentence."""
    place = 0
    while begin := _BEGIN.search(text, place):
        before, after = text[begin.start() - 1 : begin.start()], text[begin.end() : begin.end() + 1]
        glued = before and (
            unicodedata.category(before)[0] in "MN"
            or unicodedata.name(before, "").startswith(("LATIN", "GREEK", "CYRILLIC"))
        )
        if glued or (after.isascii() and after.isalnum()):
            place = begin.start() + 1
            continue
        rest = _REST.match(text, begin.end())
        place = rest.end() if rest else begin.end()
        yield text[begin.start() : place]


@functools.cache
def lists_of(prompt: str) -> tuple[tuple[str, ...], ...]:
    """The members of each list of a prompt; the first of a list follows `by` directly."""
    lists: list[list[str]] = []
    for text in _list_texts(composed(prompt)):
        started = len(lists)
        member: list[str] = []
        for piece in _BETWEEN.split(text):
            said = re.sub("(?<= )black and white(?= )", "black_and_white", f" {normalise(piece)} ")
            words = re.sub("(?<= )in the style of(?= )", "by", said).split()
            for word in words:
                if word == "by":
                    # What stands right before `by` is what somebody made: "art by".
                    if member and len(lists) > started and not lists[-1]:
                        lists[-1].append(" ".join(member))
                    lists.append([])
                    member = []
                elif word == "and":
                    member = _ended(member, lists, started)
                else:
                    member.append(word.replace("_", " "))
            member = _ended(member, lists, started)
    return tuple(tuple(found) for found in lists)


def _ended(member: list[str], lists: list[list[str]], started: int) -> list[str]:
    """Put a member into the last list, if one began; the next member is empty."""
    if member and len(lists) > started:
        lists[-1].append(" ".join(member))
    return []


def artists_of(prompts: Iterable[str]) -> dict[str, list[str]]:
    """The artists that each prompt of a dataset names, by prompt."""
    distinct = set(prompts)
    listed, follow_by, as_terms = Counter[str](), set[str](), Counter[str]()
    for prompt in distinct:
        listed.update({member for found in lists_of(prompt) for member in found})
        follow_by.update(found[0] for found in lists_of(prompt) if found)
        as_terms.update(terms(prompt))

    def is_artist(member: str) -> bool:
        first, *rest = member.split(" ")
        if first in _NO_NAME and rest and (first != "a" or len(rest[0]) > 1):
            return False
        if sum(unicodedata.category(character)[0] == "L" for character in member) <= 1:
            return False
        often = Fraction(as_terms[member], listed[member])
        never_direct = member not in follow_by and listed[member] >= _FEW
        return often < (1 if never_direct else Fraction(12, 10))

    def of_list(found: tuple[str, ...]) -> Iterator[str]:
        only_artists = True
        for member in found:
            only_artists = only_artists and is_artist(member)
            if is_artist(member) and (only_artists or member in follow_by):
                yield member

    return {
        prompt: list(dict.fromkeys(one for found in lists_of(prompt) for one in of_list(found)))
        for prompt in distinct
    }


# --- views ---


def images(frame: pl.DataFrame, dataset: str) -> pl.DataFrame:
    """The published columns with their meaning, as the view `images` has them."""
    deleted = pl.col("user_name").is_in(["deleted-account", "deleted_account"])
    # NaN is no score.
    score = pl.col("image_nsfw").cast(pl.Float64).fill_nan(None)
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
        pl.col("prompt_nsfw").cast(pl.Float64).fill_nan(None),
        blurred.alias("image_blurred"),
        pl.when(~blurred).then(score).alias("image_nsfw_score"),
        _each("part_id", functools.partial(_part_path, dataset), pl.String()).alias("part_path"),
    )


def prompts(images: pl.DataFrame) -> list[Row]:
    """The rows of the view `prompts`, by prompt."""
    rows = _groups(images.drop_nulls("prompt"), ["prompt"], pl.col("prompt_nsfw").max())
    found = [
        (prompt_id(prompt), prompt, normalise(prompt), count, users, score, first, final)
        for prompt, count, users, _, first, final, score in rows
    ]
    return sorted(found, key=lambda row: row[1])


def users(images: pl.DataFrame) -> list[Row]:
    """The rows of the view `users`, by name."""
    rows = _groups(images.drop_nulls("user_name"), ["user_name"])
    found = [(name, count, texts, first, final) for name, count, _, texts, first, final in rows]
    return sorted(found, key=lambda row: row[0])


def views(images: pl.DataFrame) -> dict[str, list[Row]]:
    """The rows of every view, in the order that its statement in `VIEW_STATEMENTS` gives them."""
    return {
        "images": images.sort("image_name", nulls_last=True).rows(),
        "prompts": prompts(images),
        "users": users(images),
    }


VIEW_STATEMENTS = {
    "images": "select * from images order by image_name",
    "prompts": """
        select prompt_id, prompt, text, images, users, prompt_nsfw, first_seen, last_seen
        from prompts order by prompt
    """,
    "users": """
        select user_name, images, prompts, first_seen, last_seen from users order by user_name
    """,
}


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


def nsfw_histogram(images: pl.DataFrame, bins: int = 20) -> list[Row]:
    rows: list[Row] = []
    ends = [*(single(k / bins) for k in range(bins)), math.inf]
    for kind, column in (("image", "image_nsfw_score"), ("prompt", "prompt_nsfw")):
        scores = sorted(s for s in images[column].drop_nulls() if 0 <= s <= 1)
        below = [bisect.bisect_left(scores, end) for end in ends]
        rows += [
            (kind, Rounded(k / bins), Rounded((k + 1) / bins), below[k + 1] - below[k])
            for k in range(bins)
        ]
        if kind == "image":
            rows.append((kind, 2.0, 2.0, images["image_blurred"].sum()))
    return rows


def nsfw_retention(images: pl.DataFrame, steps: int = 10) -> list[Row]:
    thresholds = [k / steps for k in range(1, steps + 1)]
    rows: list[Row] = []
    for image, prompt in itertools.product(thresholds, thresholds):
        kept = images.filter(_at_most("image_nsfw_score", image) & _at_most("prompt_nsfw", prompt))
        texts, people = kept["prompt"].drop_nulls(), kept["user_name"].drop_nulls()
        counts = (kept.height, texts.n_unique(), people.n_unique())
        rows.append((Rounded(image), Rounded(prompt), *counts, share(kept.height, images.height)))
    return rows


def user_stats(
    images: pl.DataFrame, min_images: int = 1, include_deleted: bool = True
) -> list[Row]:
    if not include_deleted:
        images = images.filter(pl.col("user_name") != "deleted_account")
    score = pl.col("image_nsfw_score")
    groups = _groups(
        images,
        ["user_name"],
        pl.col("timestamp").dt.date().drop_nulls().n_unique().alias("active_days"),
        score.filter(score.is_between(0, 1)).mean(),
        pl.col("image_blurred").sum(),
    )
    rows = [
        (name, count, texts, first, final, days, rounded(mean), blurred)
        for name, count, _, texts, first, final, days, mean, blurred in groups
        if count >= min_images
    ]
    return sorted(rows, key=lambda row: (-row[1], last(row[0])))


def user_profile(images: pl.DataFrame, user: str) -> list[Row]:
    own = images.filter(pl.col("user_name") == user)
    total, blurred = own.height, int(own["image_blurred"].sum())
    sizes = [
        (f"{width}x{height}" if width is not None and height is not None else None, count)
        for (width, height), count in Counter(own.select("width", "height").rows()).items()
    ]
    used = Counter(term for prompt in own["prompt"].drop_nulls() for term in terms(prompt))
    return [
        ("summary", "images of the user", total, share(total, images.height)),
        ("summary", "blurred", blurred, share(blurred, total)),
        *_section("sampler", Counter(own["sampler_name"]).items(), total),
        *_section("size", sizes, total),
        *_section("term", used.items(), total),
    ]


def sampler_stats(images: pl.DataFrame) -> list[Row]:
    cfg = pl.col("cfg").filter(pl.col("cfg").is_between(0, 100))
    groups = _groups(
        images,
        ["sampler", "sampler_name"],
        cfg.mean(),
        cfg.median().alias("median"),
        pl.col("step").median(),
        pl.col("image_blurred").sum(),
    )
    rows = [
        (number, name, count, share(count, images.height), people, texts, *map(rounded, means), odd)
        for number, name, count, people, texts, _, _, *means, odd in groups
    ]
    return sorted(rows, key=lambda row: (-row[2], last(row[0])))


def cfg_stats(images: pl.DataFrame) -> list[Row]:
    return _usage(images, "cfg")


def step_stats(images: pl.DataFrame) -> list[Row]:
    return _usage(images, "step")


def size_stats(images: pl.DataFrame) -> list[Row]:
    return _usage(images, "width", "height")


def prompt_families(images: pl.DataFrame, min_spellings: int = 2) -> list[Row]:
    families: dict[str, list[str]] = {}
    counts = Counter(images["prompt"].drop_nulls())
    for prompt in counts:
        families.setdefault(normalise(prompt), []).append(prompt)
    rows = [
        (text, min(spellings), len(spellings), sum(counts[prompt] for prompt in spellings))
        for text, spellings in families.items()
        if text and len(spellings) >= min_spellings
    ]
    return sorted(rows, key=lambda row: (-row[2], -row[3], row[0]))


def prompt_search(images: pl.DataFrame, words: str) -> list[Row]:
    """What a search for nothing but words finds, without a rank: every score is 0."""
    wanted = set(normalise(words).split())
    found = images.filter(_each("prompt", lambda p: wanted <= words_of(p), pl.Boolean()))
    rows = found.select(
        "image_name", "prompt", pl.lit(0.0), "part_id", "image_nsfw", "prompt_nsfw"
    ).rows()
    return sorted(rows, key=_by_score)


def _by_score(row: Row) -> tuple[object, ...]:
    return -row[2], last(row[3]), last(row[0])


def prompt_top(images: pl.DataFrame) -> list[Row]:
    groups = _groups(images.drop_nulls("prompt"), ["prompt"])
    rows = [(text, count, people, *times) for text, count, people, _, *times in groups]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def prompt_lengths(images: pl.DataFrame, bins: int = 20) -> list[Row]:
    lengths = [len(prompt) for prompt in images["prompt"].drop_nulls().unique()]
    if not lengths or bins < 1:
        return []
    width = math.ceil(Fraction(max(lengths) + 1, bins))
    counts = Counter(length // width for length in lengths)
    return [(k * width, (k + 1) * width - 1, counts[k]) for k in range(bins)]


def prompt_terms(images: pl.DataFrame) -> list[Row]:
    prompts_of: Counter[str] = Counter()
    images_of: Counter[str] = Counter()
    for prompt, count in Counter(images["prompt"].drop_nulls()).items():
        for term in terms(prompt):
            prompts_of[term] += 1
            images_of[term] += count
    rows = [(term, count, images_of[term]) for term, count in prompts_of.items()]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def artists(images: pl.DataFrame, min_prompts: int = 1) -> list[Row]:
    known = images.drop_nulls("prompt").select("prompt", "user_name").rows()
    named = artists_of(prompt for prompt, _ in known)
    prompts_of = Counter(artist for found in named.values() for artist in found)
    images_of = Counter(artist for prompt, _ in known for artist in named[prompt])
    users_of: dict[str, set[str]] = {}
    for prompt, user in known:
        for artist in named[prompt]:
            users_of.setdefault(artist, set()).update({user} if user is not None else ())
    rows = [
        (artist, count, images_of[artist], len(users_of[artist]), share(count, len(named)))
        for artist, count in prompts_of.items()
        if count >= min_prompts
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def modifiers(images: pl.DataFrame, min_prompts: int = 1) -> list[Row]:
    counts = Counter(images["prompt"].drop_nulls())
    named = {artist for found in artists_of(counts).values() for artist in found}
    prompts_of, images_of, holding = Counter[str](), Counter[str](), Counter[str]()
    for prompt, count in counts.items():
        holding.update(terms(prompt))
        _, *following = (normalise(clause) for clause in composed(prompt).split(","))
        for term in set(following) - {""} - named:
            if not re.search("(?:^| )(?:by|in the style of)(?: |$)", term):
                prompts_of[term] += 1
                images_of[term] += count
    rows = [
        (term, count, images_of[term], share(count, len(counts)), share(count, holding[term]))
        for term, count in prompts_of.items()
        if count >= min_prompts
    ]
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def timeline(images: pl.DataFrame, grain: str = "day") -> list[Row]:
    period = pl.col("timestamp").dt.truncate({"day": "1d", "hour": "1h"}[grain])
    groups = _groups(images.with_columns(period.alias("period")), ["period"])
    rows = [(start, count, texts, people) for start, count, people, texts, *_ in groups]
    return sorted(rows, key=lambda row: (row[0] is None, row[0] or datetime.datetime.max))


def part_stats(images: pl.DataFrame) -> list[Row]:
    groups = _groups(images, ["part_id", "part_path"], pl.col("image_blurred").sum())
    rows = [(*part, count, texts, odd) for *part, count, _, texts, _, _, odd in groups]
    return sorted(rows, key=lambda row: last(row[0]))


def duplicates(images: pl.DataFrame) -> list[Row]:
    groups = images.group_by(SETTINGS).len().filter(pl.col("len") > 1).rows()
    return sorted(groups, key=lambda row: (-row[-1], *map(last, row[:-1])))


def data_quality(images: pl.DataFrame, left_out: int = 0) -> list[Row]:
    cfg, score = pl.col("cfg"), pl.col("image_nsfw")
    proper = score.is_between(0, 1) | pl.col("image_blurred")
    checks = {
        "all images": pl.lit(value=True),
        "prompt missing": pl.col("prompt").is_null(),
        "prompt empty": pl.col("prompt") == "",
        "prompt ends in a space": pl.col("prompt").str.ends_with(" "),
        "user missing": pl.col("user_name").is_null(),
        "user deleted": pl.col("user_name") == "deleted_account",
        "time missing": pl.col("timestamp").is_null(),
        "image score missing": score.is_null(),
        "prompt score missing": pl.col("prompt_nsfw").is_null(),
        "image blurred": pl.col("image_blurred"),
        "image score outside 0 to 1, not blurred": score.is_not_null() & ~proper,
        "cfg not a number": cfg.is_nan(),
        "cfg infinite": cfg.is_infinite(),
        "cfg negative": cfg.is_finite() & (cfg < 0),
        "cfg over 100": cfg.is_finite() & (cfg > 100),
        "step zero": pl.col("step") == 0,
        "sampler unknown": pl.col("sampler")
        .is_between(1, len(SAMPLERS))
        .not_()
        .fill_null(value=True),
        "same prompt, seed and settings as another": pl.len().over(SETTINGS) > 1,
        "image name missing": pl.col("image_name").is_null(),
    }
    counts = {name: images.filter(check).height for name, check in checks.items()}
    counts["image name on an earlier row too, left out"] = left_out
    return [(name, count, share(count, images.height)) for name, count in counts.items()]


def _at_most(score: str, threshold: float) -> pl.Expr:
    return pl.col(score) <= single(threshold)


def _groups(images: pl.DataFrame, keys: Sequence[str], *more: pl.Expr) -> list[tuple[Any, ...]]:
    """Groups: keys, images, distinct users, distinct prompts, first and last time, and more."""
    time = pl.col("timestamp")
    found = images.group_by(keys).agg(
        pl.len().alias("_images"),
        pl.col("user_name").drop_nulls().n_unique().alias("_users"),
        pl.col("prompt").drop_nulls().n_unique().alias("_prompts"),
        time.min().alias("_first"),
        time.max().alias("_last"),
        *more,
    )
    return found.rows()


def _usage(images: pl.DataFrame, *keys: str) -> list[Row]:
    """How often each value was used: values, images, share, users."""
    rows = [
        (*values, count, share(count, images.height), people)
        for *values, count, people, _, _, _ in _groups(images, keys)
    ]
    return sorted(rows, key=lambda row: (-row[len(keys)], *map(last, row[: len(keys)])))


def _section(name: str, counts: Iterable[tuple[str | None, int]], total: int) -> list[Row]:
    ordered = sorted(counts, key=lambda pair: (-pair[1], last(pair[0])))
    return [(name, item, count, share(count, total)) for item, count in ordered]


TRUTHS: dict[str, Callable[..., list[Row]]] = {
    "artists": artists,
    "cfg-stats": cfg_stats,
    "data-quality": data_quality,
    "duplicates": duplicates,
    "modifiers": modifiers,
    "nsfw-filter": nsfw_filter,
    "nsfw-histogram": nsfw_histogram,
    "nsfw-retention": nsfw_retention,
    "part-stats": part_stats,
    "prompt-families": prompt_families,
    "prompt-lengths": prompt_lengths,
    "prompt-search": prompt_search,
    "prompt-terms": prompt_terms,
    "prompt-top": prompt_top,
    "sampler-stats": sampler_stats,
    "size-stats": size_stats,
    "step-stats": step_stats,
    "timeline": timeline,
    "user-profile": user_profile,
    "user-stats": user_stats,
}


def cases(name: str, images: pl.DataFrame) -> list[dict[str, Any]]:
    """The parameters to try a query with; the first are its defaults, where it has them."""
    counts = Counter(images["user_name"].drop_nulls())
    busiest = [user for user, _ in counts.most_common(2)]
    known = [user for user in ("deleted_account", *busiest) if user in counts]
    words = ("castle", "8 K  Portrait", "\u753b")
    tried: dict[str, list[dict[str, Any]]] = {
        "artists": [{}, {"min_prompts": 3}],
        "modifiers": [{}, {"min_prompts": 3}],
        "nsfw-filter": [
            {},
            {"max_image_nsfw": 0.1, "max_prompt_nsfw": 0.1},
            {"max_image_nsfw": 0.5, "max_prompt_nsfw": 1.0, "include_blurred": True},
            {"max_image_nsfw": 1.0, "max_prompt_nsfw": 0.2},
        ],
        "nsfw-histogram": [{}, {"bins": 7}, {"bins": 1000}],
        "nsfw-retention": [{}, {"steps": 3}],
        "prompt-families": [{}, {"min_spellings": 1}],
        "prompt-lengths": [{}, {"bins": 7}, {"bins": 5000}],
        "prompt-search": [{"words": text} for text in words],
        "timeline": [{}, {"grain": "hour"}],
        "user-profile": [{"user": user} for user in known],
        "user-stats": [{}, {"min_images": 20}, {"include_deleted": False}],
    }
    return tried.get(name, [{}])


# --- the command ---


def main(arguments: Sequence[str] | None = None) -> int:
    """Compare every query with its truth on a real table; 1 when one differs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--data-dir", type=Path, required=True, help="folder of the tables")
    parser.add_argument("--dataset", choices=sorted(TABLES), default="2m")
    options = parser.parse_args(arguments)
    table = images(pl.read_parquet(options.data_dir / TABLES[options.dataset]), options.dataset)
    differing = 0
    with ddb_query.open(options.dataset, data_dir=options.data_dir) as corpus:
        for view, rows in views(table).items():
            differing += _told(f"view {view}", corpus.sql(VIEW_STATEMENTS[view]).rows(), rows)
        for name, truth in TRUTHS.items():
            for place, parameters in enumerate(cases(name, table)):
                found = corpus.run(name, **parameters).rows()
                expected = truth(table, **parameters)
                if name == "prompt-search":
                    found = without_rank(found)
                differing += _told(f"{name} #{place}", found, expected)
    return 1 if differing else 0


def _told(what: str, found: Sequence[Row], expected: Sequence[Row]) -> bool:
    """Say how a comparison ended; whether in a difference."""
    word = difference(found, expected)
    sys.stdout.write(f"{what}: {word or f'equal, {len(found)} rows'}\n")
    sys.stdout.flush()
    return word is not None


def without_rank(found: Sequence[Row]) -> list[Row]:
    """The rows of a search as if it had no rank, after a look at whether the rank is sound.

    With an index every score is above 0, and the same for all images of a prompt; the best come
    first, and equal ones in the order of the table.
    """
    assert list(found) == sorted(found, key=_by_score)
    assert len({row[2] > 0 for row in found}) <= 1
    assert len({row[1:3] for row in found}) == len({row[1] for row in found})
    return sorted(((*row[:2], 0.0, *row[3:]) for row in found), key=_by_score)


def difference(found: Sequence[Row], expected: Sequence[Row]) -> str | None:
    """Where two results differ first, without their text; None when they are equal."""
    for place, (ours, theirs) in enumerate(zip(found, expected, strict=False)):
        if not matches(ours, theirs):
            columns = [
                at for at, pair in enumerate(zip(ours, theirs, strict=False)) if not _equal(*pair)
            ]
            return f"DIFFERS in row {place}, columns {columns}"
    if len(found) != len(expected):
        return f"DIFFERS: {len(found)} rows, expected {len(expected)}"
    return None


if __name__ == "__main__":
    sys.exit(main())
