"""The values of fields that have few, for whoever offers them."""

from __future__ import annotations

from typing import get_args

from ddb_query.diffusiondb import SAMPLERS
from ddb_query.report.run_queries import section_names
from ddb_query.selection.criteria import Group, Shares, Stratum
from ddb_query.selection.policy import POLICIES


def choices_of(field: str) -> tuple[str, ...]:
    """The values of a field of a selection or of a report; none where any value will do."""
    return {
        "include_blurred": ("true", "false"),
        "include_deleted": ("true", "false"),
        "on_disk": ("true", "false"),
        "one_per": get_args(Group),
        "policy": tuple(POLICIES),
        "sampler": tuple(SAMPLERS.values()),
        "section": tuple(section_names()),
        "shares": get_args(Shares),
        "stratify": get_args(Stratum),
        "vs": ("rest",),
    }.get(field, ())
