"""What a report must find, worked out with pandas; written from docs/report.md.

benchmarks/report.py uses it too, on the tables of their full size.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from query_truth import SAMPLERS, artists_of, composed, four_decimals, normalise, prompt_id, single

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ddb_query.report.model import Report

Rows = list[tuple[Any, ...]]

_NAMING = re.compile("(?:^| )(?:by|in the style of)(?: |$)")


def truth(table: Path, dataset: str) -> dict[str, Rows]:
    """Rows of every table of a report on all of a metadata table, by `section/table`."""
    images = _images(pd.read_parquet(table))
    prompts = _prompts(images)
    users = images[images.user_name != "deleted_account"].groupby("user_name", dropna=True)
    made = users.size()
    return {
        **_overview(images, prompts, made),
        **_quality(images),
        **_of_prompts(prompts),
        **_of_terms(prompts),
        **_settings(images),
        **_of_users(images, users, made),
        **_time(images),
        **_nsfw(images),
        **_cost(images, dataset),
    }


def _images(frame: pd.DataFrame) -> pd.DataFrame:
    deleted = frame.user_name == "deleted-account"
    return frame.assign(
        user_name=frame.user_name.mask(deleted, "deleted_account"),
        timestamp=pd.to_datetime(frame.timestamp, utc=True).dt.tz_localize(None),
        cfg=_each(frame.cfg.astype("float64"), four_decimals),
        score=frame.image_nsfw.where(frame.image_nsfw != 2.0).astype("float64"),
        blurred=frame.image_nsfw == 2.0,
        prompt_nsfw=frame.prompt_nsfw.astype("float64"),
    )


def _each(values: pd.Series, function: Callable[[Any], Any]) -> pd.Series:
    known = {value: function(value) for value in values.dropna().unique()}
    return values.map(known)


def _prompts(images: pd.DataFrame) -> pd.DataFrame:
    grouped = images.groupby("prompt")
    found = pd.DataFrame(
        {"images": grouped.size(), "users": grouped.user_name.nunique()}
    ).reset_index()
    found["clauses"] = [
        [term for term in map(_term, composed(prompt).split(",")) if term]
        for prompt in found.prompt
    ]
    return found


_terms: dict[str, str] = {}


def _term(clause: str) -> str:
    if clause not in _terms:
        _terms[clause] = normalise(clause)
    return _terms[clause]


def _share(part: float, whole: float) -> float | None:
    return round(float(part) / float(whole), 6) if whole else None


def _mean(values: pd.Series) -> float | None:
    return round(float(values.round(9).sum() / len(values)), 6) if len(values) else None


def _quantile(values: Sequence[float] | pd.Series, share: float) -> float | None:
    return round(float(np.quantile(values, share)), 6) if len(values) else None


def _overview(images: pd.DataFrame, prompts: pd.DataFrame, made: pd.Series) -> dict[str, Rows]:
    parts = images.groupby("part_id").size()
    totals = {
        "images": len(images), "prompts": len(prompts), "users": len(made),
        "first_seen": _time_of(images.timestamp.min()),
        "last_seen": _time_of(images.timestamp.max()),
        "parts": len(parts), "images_per_prompt": _share(len(images), len(prompts)),
        "images_per_user": _share(made.sum(), len(made)),
    }  # fmt: skip
    sizes = {
        "parts": len(parts), "fewest_images": _whole(parts.min()),
        "median_images": _quantile(parts, 0.5), "most_images": _whole(parts.max()),
    }  # fmt: skip
    return {"overview/totals": list(totals.items()), "overview/parts": list(sizes.items())}


def _time_of(value: Any) -> Any:
    return None if pd.isna(value) else value.to_pydatetime()


def _whole(value: Any) -> int | None:
    return None if pd.isna(value) else int(value)


def _quality(images: pd.DataFrame) -> dict[str, Rows]:
    cfg, score, prompt_score = images.cfg, images.score, images.prompt_nsfw
    finite = np.isfinite(cfg.fillna(0))
    nan = _nan(images)
    checks = {
        "prompt missing": images.prompt.isna(),
        "prompt empty": images.prompt == "",
        "user missing": images.user_name.isna(),
        "user deleted": images.user_name == "deleted_account",
        "time missing": images.timestamp.isna(),
        "image score missing": images.image_nsfw.isna(),
        "image blurred": images.blurred,
        "image score outside 0 to 1, not blurred": score.notna() & ~score.between(0, 1),
        "prompt score missing": prompt_score.isna(),
        "prompt score outside 0 to 1": prompt_score.notna() & ~prompt_score.between(0, 1),
        "cfg not a number": nan,
        "cfg infinite": ~finite,
        "cfg negative": finite & (cfg < 0),
        "cfg over 100": finite & (cfg > 100),
        "steps zero": images.step == 0,
        "sampler unknown": ~images.sampler.between(1, 9),
    }
    rows: Rows = [
        (n, int(found.sum()), _share(found.sum(), len(images))) for n, found in checks.items()
    ]
    settings = ["prompt", "seed", "step", "cfg", "sampler", "width", "height"]
    groups = images.assign(cfg=cfg.where(~nan, "nan")).groupby(settings, dropna=False).size()
    groups = groups[groups > 1]
    repeated = {
        "groups": len(groups), "repeated_images": int(groups.sum()),
        "share": _share(groups.sum(), len(images)), "largest_group": _whole(groups.max()),
    }  # fmt: skip
    return {"quality/values": rows, "quality/duplicates": list(repeated.items())}


def _nan(images: pd.DataFrame) -> pd.Series:
    """NaN that was published, which pandas reads as it reads NULL; the tables have no NULL cfg."""
    return images.cfg.isna()


def _of_prompts(prompts: pd.DataFrame) -> dict[str, Rows]:
    words = [len(normalise(prompt).split()) for prompt in prompts.prompt]
    clauses = [len(terms) for terms in prompts.clauses]
    characters = [len(prompt) for prompt in prompts.prompt]
    lengths: Rows = [
        (name, round(sum(amounts) / len(amounts), 6) if amounts else None,
         min(amounts, default=None),
         *(_quantile(amounts, share) for share in (0.05, 0.25, 0.5, 0.75, 0.95)),
         max(amounts, default=None))
        for name, amounts in (("characters", characters), ("words", words), ("clauses", clauses))
    ]  # fmt: skip
    bins = Counter(min(length // 20, 25) for length in characters)
    histogram: Rows = [
        (20 * b, 20 * b + 20 if b < 25 else None, n, _share(n, len(prompts)))
        for b, n in sorted(bins.items())
    ]
    bands = ["1", "2", "3–4", "5–9", "10–19", "20–49", "50–99", "100 or more"]  # noqa: RUF001
    edges = [1, 2, 3, 5, 10, 20, 50, 100]
    most = sorted(
        zip(prompts.prompt, prompts.images, prompts.users, strict=True),
        key=lambda row: (-row[1], prompt_id(row[0])),
    )[:15]
    return {
        "prompts/lengths": lengths,
        "prompts/characters": histogram,
        "prompts/reuse": _banded(prompts.images, edges, bands),
        "prompts/scripts": _scripts(prompts),
        "prompts/most-used": [(r, p, int(n), int(u)) for r, (p, n, u) in enumerate(most, 1)],
    }


def _banded(amounts: Iterable[int], edges: list[int], names: list[str]) -> Rows:
    """For each band: its name, how many are in it, their share, their sum, and its share."""
    groups: dict[int, list[int]] = {}
    for amount in amounts:
        groups.setdefault(max(p for p, edge in enumerate(edges) if amount >= edge), []).append(
            amount
        )
    count, total = sum(map(len, groups.values())), sum(map(sum, groups.values()))
    return [
        (names[p], len(held), _share(len(held), count), int(sum(held)), _share(sum(held), total))
        for p, held in sorted(groups.items())
    ]


_LATIN = "[\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff]"
_KANA = "\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff"
_HANGUL = "\u1100-\u11ff\u3131-\u318e\uac00-\ud7a3\uffa0-\uffdc"
_SCRIPTS = (
    ("Latin with accents", "languages of Europe, names", _LATIN),
    ("Cyrillic", "Russian and others", "[\u0400-\u052f\u1c80-\u1c88\u2de0-\u2dff\ua640-\ua69f]"),
    ("Greek", "Greek, symbols", "[\u0370-\u0373\u0375-\u037d\u037f\u0384\u0386\u0388-\u03e1]"),
    ("Arabic", "Arabic, Persian, Urdu", "[\u0621-\u063a\u0641-\u064a\u0671-\u06d3]"),
    ("Hebrew", "Hebrew", "[\u05d0-\u05ea]"),
    ("Devanagari", "Hindi and others", "[\u0900-\u0950\u0955-\u0963\u0966-\u097f]"),
    ("Thai", "Thai", "[\u0e01-\u0e3a\u0e40-\u0e5b]"),
    ("Kana", "Japanese", f"[{_KANA}]"),
    ("Hangul", "Korean", f"[{_HANGUL}]"),
)  # fmt: skip


def _scripts(prompts: pd.DataFrame) -> Rows:
    texts = list(prompts.prompt)
    kana_or_hangul = re.compile(
        "[\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fd-\u30ff\uac00-\ud7a3\u3131-\u318e]"
    )
    han = re.compile("[\u4e00-\u9fff\u3400-\u4dbf\u3005\u3007\u2e80-\u2fd5\uf900-\ufad9]")
    found = {("ASCII alone", "English, mostly"): sum(text.isascii() for text in texts)}
    for name, suggests, marks in _SCRIPTS:
        found[name, suggests] = sum(re.search(marks, text) is not None for text in texts)
    found["Han without kana or hangul", "Chinese, mostly"] = sum(
        han.search(text) is not None and kana_or_hangul.search(text) is None for text in texts
    )
    pictures = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")
    found["Emoji and pictographs", "any"] = sum(pictures.search(t) is not None for t in texts)
    return [(*name, n, _share(n, len(texts))) for name, n in found.items()]


def _of_terms(prompts: pd.DataFrame) -> dict[str, Rows]:
    count = len(prompts)
    artists = artists_of(prompts.prompt)
    held: Counter[str] = Counter()
    uses: Counter[str] = Counter()
    for terms, images in zip(prompts.clauses, prompts.images, strict=True):
        held.update(set(terms))
        uses.update(dict.fromkeys(set(terms), int(images)))
    common = sorted(held, key=lambda term: (-held[term], term))[:2000]
    top: Rows = [
        (r, term, held[term], _share(held[term], count), uses[term])
        for r, term in enumerate(common[:25], 1)
    ]
    return {
        "terms/top-terms": top,
        "terms/modifiers": _modifiers(prompts, common, held, artists),
        "terms/artists": _artists(prompts, artists),
        "terms/pairs": _pairs(prompts, common[:200], held),
    }


def _modifiers(
    prompts: pd.DataFrame, common: list[str], held: Counter[str], artists: dict[str, list[str]]
) -> Rows:
    following: Counter[str] = Counter()
    named = {artist for found in artists.values() for artist in found}
    known = {term for term in common if not _NAMING.search(term)} - named
    for prompt in prompts.prompt:
        following.update(
            {term for term in map(_term, composed(prompt).split(",")[1:]) if term in known}
        )
    ranked = sorted(following, key=lambda term: (-following[term], term))[:25]
    return [
        (r, t, following[t], _share(following[t], len(prompts)), _share(following[t], held[t]))
        for r, t in enumerate(ranked, 1)
    ]


def _artists(prompts: pd.DataFrame, artists: dict[str, list[str]]) -> Rows:
    held = Counter(artist for prompt in prompts.prompt for artist in artists[prompt])
    ranked = sorted(held, key=lambda name: (-held[name], name))[:25]
    return [(r, a, held[a], _share(held[a], len(prompts))) for r, a in enumerate(ranked, 1)]


def _pairs(prompts: pd.DataFrame, common: list[str], held: Counter[str]) -> Rows:
    rank = {term: place for place, term in enumerate(common)}
    found: Counter[tuple[int, int]] = Counter()
    for terms in prompts.clauses:
        found.update(combinations(sorted({rank[term] for term in terms if term in rank}), 2))
    best = sorted(found, key=lambda pair: (-found[pair], pair))[:25]
    count = len(prompts)
    return [
        (r, common[a], common[b], found[a, b], _share(found[a, b], count),
         _share(found[a, b] * count, held[common[a]] * held[common[b]]))
        for r, (a, b) in enumerate(best, 1)
    ]  # fmt: skip


def _sampler(number: Any) -> str:
    known = not pd.isna(number) and 1 <= number <= 9
    said = "none" if pd.isna(number) else int(number)
    return SAMPLERS[int(number) - 1] if known else f"unknown ({said})"


def _settings(images: pd.DataFrame) -> dict[str, Rows]:
    count = len(images)
    sane = images[images.cfg.between(0, 100)]
    groups = images.groupby("sampler", dropna=False)
    samplers: Rows = []
    quartiles: Rows = []
    for number, size in sorted(groups.size().items(), key=lambda one: (-one[1], one[0])):
        cfg = sane.cfg[sane.sampler == number]
        step = images.step[images.sampler == number]
        samplers.append(
            (_sampler(number), int(size), _share(size, count), _mean(cfg), _quantile(step, 0.5))
        )
        if len(cfg):
            fractions = [_quantile(cfg, share) for share in (0.25, 0.5, 0.75)]
            quartiles.append(
                (_sampler(number), len(cfg), *fractions, _share((cfg == 7).sum(), len(cfg)))
            )
    quartiles.sort(key=lambda row: -row[1])
    guided = images.cfg[(images.cfg >= 0) & (images.cfg < 30)]
    scales = Counter(np.floor(guided).astype(int))
    steps = Counter(np.minimum(images.step.dropna() // 10, 15).astype(int))
    return {
        "settings/samplers": samplers,
        "settings/cfg": [
            (int(c), int(c) + 1, n, _share(n, count)) for c, n in sorted(scales.items())
        ],
        "settings/cfg-by-sampler": quartiles,
        "settings/steps": [
            (int(b) * 10, int(b) * 10 + 10 if b < 15 else None, n, _share(n, sum(steps.values())))
            for b, n in sorted(steps.items())
        ],
        **_shapes(images),
    }  # fmt: skip


def _shapes(images: pd.DataFrame) -> dict[str, Rows]:
    count = len(images)
    sizes = images.groupby(["width", "height"]).size()
    ranked = sorted(sizes.items(), key=lambda one: (-one[1], one[0]))[:15]
    ratios: Counter[int] = Counter()
    for (width, height), n in sizes.items():
        if width and height:
            limits = (
                width * 2 <= height, width * 3 <= height * 2, width < height, width == height,
                width * 2 < height * 3, width < height * 2, True,
            )  # fmt: skip
            ratios[limits.index(True)] += int(n)
    names = (
        "1:2 or taller", "to 2:3", "taller than wide", "square", "wider than tall", "from 3:2",
        "2:1 or wider",
    )  # fmt: skip
    rows: Rows = [
        (r, f"{w} \N{MULTIPLICATION SIGN} {h}", int(n), _share(n, count))
        for r, ((w, h), n) in enumerate(ranked, 1)
    ]
    return {
        "settings/sizes": rows,
        "settings/aspect": [
            (names[p], n, _share(n, sum(ratios.values()))) for p, n in sorted(ratios.items())
        ],
    }


def _of_users(images: pd.DataFrame, users: Any, made: pd.Series) -> dict[str, Rows]:
    amounts = np.sort(made.to_numpy())
    count, total = len(amounts), int(amounts.sum())
    from_top = amounts[::-1]
    differences = sum(abs(a - amounts).sum() for a in amounts) if count < 20_000 else 0
    concentration = {
        "users": count, "images": total,
        "gini": _share(differences, 2 * count * total),
        "top_1_percent_share": _share(from_top[: math.ceil(count / 100)].sum(), total),
        "top_10_percent_share": _share(from_top[: math.ceil(count / 10)].sum(), total),
        "half_by_users": int(((np.cumsum(from_top) - from_top) * 2 < total).sum()),
    }  # fmt: skip
    for name in ("images", "top_1_percent_share", "top_10_percent_share"):
        concentration[name] = concentration[name] if count else None
    cumulated = np.concatenate([[0], np.cumsum(amounts)])
    lorenz: Rows = [
        (p / 100, _share(cumulated[count * p // 100], total)) for p in range(0, 101, 2) if count
    ]
    bands = ["1", "2–9", "10–99", "100–999", "1,000–9,999", "10,000 or more"]  # noqa: RUF001
    texts = users.prompt.nunique()
    first, last = users.timestamp.min(), users.timestamp.max()
    top = sorted(made.items(), key=lambda one: (-one[1], one[0]))[:15]
    return {
        "users/concentration": list(concentration.items()),
        "users/lorenz": lorenz,
        "users/activity": _banded(made, [1, 2, 10, 100, 1000, 10_000], bands),
        "users/top-users": [
            (r, int(n), _share(n, len(images)), int(texts[name]), _time_of(first[name]),
             _time_of(last[name]))
            for r, (name, n) in enumerate(top, 1)
        ],
    }  # fmt: skip


def _time(images: pd.DataFrame) -> dict[str, Rows]:
    known = images[images.timestamp.notna()]
    count = len(known)
    days, hours = known.timestamp.dt.date, known.timestamp.dt.floor("h")
    by_day = known.groupby([days, known.sampler]).size()
    sums = known.groupby(days).size()
    return {
        "time/days": [(d, int(n), _share(n, count)) for d, n in sums.items()],
        "time/hours": [
            (h.to_pydatetime(), int(n), _share(n, count))
            for h, n in known.groupby(hours).size().items()
        ],
        "time/hours-of-day": [
            (int(h), int(n), _share(n, count))
            for h, n in known.groupby(known.timestamp.dt.hour).size().items()
        ],
        "time/samplers-by-day": [
            (d, _sampler(s), int(n), _share(n, sums[d])) for (d, s), n in by_day.items()
        ],
    }  # fmt: skip


def _nsfw(images: pd.DataFrame) -> dict[str, Rows]:
    count = len(images)
    image = images.score[images.score.between(0, 1)]
    prompt = images.prompt_nsfw[images.prompt_nsfw.between(0, 1)]
    blurred = int(images.blurred.sum())
    summary: dict[str, Any] = {
        "blurred": blurred, "blurred_share": _share(blurred, count),
    }  # fmt: skip
    for name, values in (("image", image), ("prompt", prompt)):
        high = int((values > 0.5).sum())
        summary |= {
            f"{name}_scored": len(values), f"{name}_scored_share": _share(len(values), count),
            f"mean_{name}_score": _mean(values), f"{name}_score_over_half": high,
            f"{name}_score_over_half_share": _share(high, len(values)),
        }  # fmt: skip
    scores: Rows = []
    for name, values in (("image", image), ("prompt", prompt)):
        bins = Counter(np.minimum(np.floor(values * 20).astype(int), 19))
        scores += [
            (name, round(b / 20, 6), round((b + 1) / 20, 6), n, _share(n, len(values)))
            for b, n in sorted(bins.items())
        ]
    thresholds = [(step / 20, single(step / 20)) for step in range(21)]
    retention: Rows = []
    for shown, most in thresholds:
        ok_image, ok_prompt = images.score <= most, images.prompt_nsfw <= most
        kept = (ok_image.sum(), ok_prompt.sum(), (ok_image & ok_prompt).sum())
        retention.append((shown, *(_share(n, count) for n in kept)))
    return {
        "nsfw/summary": list(summary.items()),
        "nsfw/scores": scores,
        "nsfw/retention": retention if count else [],
        "nsfw/disagreement": _bands(images),
    }


def _bands(images: pd.DataFrame) -> Rows:
    names = ("to 0.1", "to 0.2", "to 0.5", "to 1", "blurred", "none")
    edges = [-np.inf, single(0.1), single(0.2), 0.5, 1]

    def places(scores: pd.Series) -> pd.Series:
        return pd.cut(scores, edges, labels=False).fillna(5).astype(int)

    of_image = places(images.score).mask(images.blurred, 4)
    found = Counter(zip(of_image, places(images.prompt_nsfw), strict=True))
    return [(names[a], names[b], n, _share(n, len(images))) for (a, b), n in sorted(found.items())]


def _cost(images: pd.DataFrame, dataset: str) -> dict[str, Rows]:
    parts = images.groupby("part_id").size()
    size = {"2m": 800_000, "large": 460_000}[dataset]
    fetching = {
        "images": len(images), "parts": len(parts), "whole_parts_bytes": len(parts) * 1000 * size,
        "members_bytes": len(images) * size + len(parts) * 262_144,
        "wanted_share": _share(len(images), len(parts) * 1000),
    }  # fmt: skip
    bands = ["1", "2–9", "10–99", "100–999", "1,000"]  # noqa: RUF001
    return {
        "cost/fetching": list(fetching.items()),
        "cost/depth": _banded(parts, [1, 2, 10, 100, 1000], bands),
    }


def tables(report: Report) -> dict[str, list[tuple[Any, ...]]]:
    return {f"{s.name}/{t.name}": list(t.rows) for s in report.sections for t in s.tables}


def near(found: Any, expected: Any) -> bool:
    """Whether a value is the expected one; a sixth decimal may be rounded either way."""
    if isinstance(expected, float) and isinstance(found, int | float):
        return abs(found - expected) <= 1.1e-6
    return bool(found == expected)


def assert_true(found: Report, table: Path, dataset: str = "2m") -> None:
    expected, there = truth(table, dataset), tables(found)
    assert there.keys() == expected.keys()
    for name, rows in expected.items():
        assert len(there[name]) == len(rows), name
        for row, wanted in zip(there[name], rows, strict=True):
            assert len(row) == len(wanted), name
            assert all(map(near, row, wanted)), (name, row, wanted)
