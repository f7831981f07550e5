"""The columns that a selection gives: as published, or of the view `images`."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import COLUMNS
from ddb_query.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.selection.criteria import Criteria

# Those that the view gives another meaning; sql/views/images.sql keeps what was published.
_KEPT = {
    "cfg": "published_cfg",
    "user_name": "published_user_name",
    "timestamp": "published_timestamp",
    "image_nsfw": "published_image_nsfw",
    "prompt_nsfw": "published_prompt_nsfw",
}
HIDDEN = (*_KEPT.values(), "published_image_key")
PUBLISHED = {
    column.name: _KEPT.get(column.name, f"cast({column.name} as {column.type})")
    for column in COLUMNS
}


def published(criteria: Criteria) -> dict[str, str]:
    """The published columns with their SQL; `weight` last, of strata."""
    return PUBLISHED | ({"weight": "weight"} if criteria.stratify else {})


def viewed(
    names: Sequence[str], drop: Sequence[str], view: Sequence[str], criteria: Criteria
) -> dict[str, str]:
    """Columns of the view by name with their SQL, in the order of the names.

    Args:
        names: What is wanted; `score` of a match and `weight` of strata are columns too.
        drop: What is not.
        view: The columns of `images`.
        criteria: What is selected.

    Raises:
        UsageError: There is no such column, or none is left.
    """
    known = [*view]
    if criteria.match is not None:
        known.append("score")
    if criteria.stratify:
        known.append("weight")
    wanted = [*names, *(["weight"] if criteria.stratify and "weight" not in names else [])]
    for name in wanted:
        _check(name, known)
        if wanted.count(name) > 1:
            raise UsageError(f"column {name} was named twice")
    return without({name: f'"{name}"' for name in wanted}, drop)


def without(found: dict[str, str], drop: Sequence[str]) -> dict[str, str]:
    """Columns without those to leave out.

    Raises:
        UsageError: There is no such column, or none is left.
    """
    for name in drop:
        _check(name, list(found))
    left = {name: sql for name, sql in found.items() if name not in drop}
    if not left:
        raise UsageError("no column is left", hint="--drop leaves out, --columns names")
    return left


def _check(name: str, known: Sequence[str]) -> None:
    if name not in known:
        close = get_close_matches(name, known, 1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(known)}"
        raise UsageError(f"no column named {name}", hint=hint)
