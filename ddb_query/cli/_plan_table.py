"""A plan in words: what a fetch would cost, line by line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.engines.base import Column
from ddb_query.engines.literal_rows import LiteralRows
from ddb_query.util.escape import size_text

if TYPE_CHECKING:
    from ddb_query.fetch.plan import Plan

PLAN_COLUMNS = (Column("what", "VARCHAR"), Column("amount", "VARCHAR"))


def plan_lines(plan: Plan) -> list[tuple[str, str]]:
    """Names and amounts of what a fetch would cost."""
    return [
        ("images", _images(plan)),
        ("nsfw", _nsfw(plan)),
        ("parts", f"{plan.parts:,}"),
        ("requests", _requests(plan)),
        ("network", f"{'about ' if plan.exact < _remote(plan) else ''}{size_text(plan.bytes)}"),
        ("disk", f"about {size_text(plan.disk)}" + _free(plan)),
        ("time", _time(plan)),
        *_alternative(plan),
    ]


def plan_numbers(plan: Plan) -> LiteralRows:
    """The same as one row of numbers, for other programs."""
    found = {
        "images": plan.images, "here": plan.here, "nearby": plan.nearby,
        "blurred": plan.counts.blurred, "blurred_left_out": plan.counts.left_out,
        "unsafe": plan.counts.unsafe, "parts": plan.parts, "resolves": plan.resolves,
        "directories": plan.directories, "reads": plan.reads, "bytes": plan.bytes,
        "disk_bytes": plan.disk, "seconds": round(plan.seconds),
    }  # fmt: skip
    return LiteralRows(tuple(Column(name, "BIGINT") for name in found), (tuple(found.values()),))


def _remote(plan: Plan) -> int:
    return plan.images - plan.here - plan.nearby


def _images(plan: Plan) -> str:
    here = f", {plan.here:,} of them in the folder already" if plan.here else ""
    nearby = f", {plan.nearby:,} that need no network" if plan.nearby else ""
    return f"{plan.images:,}{here}{nearby}"


def _nsfw(plan: Plan) -> str:
    counts = plan.counts
    found = f"{counts.blurred:,} blurred, {counts.unsafe:,} with a score over 0.5"
    if counts.left_out:
        found += f"; selected without the {counts.left_out:,} blurred ones that match"
        found += " (--include-blurred takes them)"
    return found


def _requests(plan: Plan) -> str:
    from ddb_query.fetch.plan import QUOTA_RESOLVES, QUOTA_SECONDS

    return (
        f"{plan.requests:,}: {plan.resolves:,} resolves (the Hub allows about {QUOTA_RESOLVES:,} in"
        f" {QUOTA_SECONDS // 60} minutes), {plan.directories:,} directories,"
        f" {plan.reads:,} reads of members"
    )


def _free(plan: Plan) -> str:
    if not plan.free:
        return ""
    enough = "" if plan.disk < plan.free else ": not enough"
    return f", {size_text(plan.free)} are free{enough}"


def _time(plan: Plan) -> str:
    from ddb_query.fetch.plan import BYTES_PER_SECOND

    seconds = plan.seconds
    words = f"{seconds:,.0f} s" if seconds < 600 else f"{seconds / 3600:,.1f} h"
    return f"about {words} with {plan.jobs} jobs at {BYTES_PER_SECOND / 1e6:.0f} MB/s"


def _alternative(plan: Plan) -> list[tuple[str, str]]:
    if plan.alternative is None:
        return []
    parts, share = len(plan.alternative.parts), plan.alternative.requests / plan.requests
    words = f"--prefer-parts: as many images from {parts:,} instead of {plan.parts:,} parts for"
    words += f" {share:.0%} of the requests; but neighbours in a part share users and hours"
    return [("cheaper", words)]
