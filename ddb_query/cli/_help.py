"""The groups in which `--help` shows options."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

# Those that several commands share.
WHICH_IMAGES, SAMPLING, OUTPUT, COMMON = "Which images", "Sampling", "Output", "Common options"


def option(group: str, *names: str, **said: Any) -> Any:
    """An option that `--help` shows in a group; the rest is as for `typer.Option`."""
    return typer.Option(*names, rich_help_panel=group, **said)


def write_options(params: Iterable[Any], ctx: Any, formatter: Any) -> None:
    """Write the arguments, then the options: a command's own, and those that it shares by group."""
    order = ("Arguments", "Options", WHICH_IMAGES, SAMPLING, OUTPUT, COMMON)
    groups: dict[str, list[tuple[str, str]]] = {name: [] for name in order}
    for param in params:
        if (record := param.get_help_record(ctx)) is None:
            continue
        shared = COMMON if param.name == "help" else getattr(param, "rich_help_panel", None)
        own = "Arguments" if param.param_type_name == "argument" else "Options"
        groups[shared or own].append(record)
    for name, records in groups.items():
        if records:
            with formatter.section(name):
                formatter.write_dl(records)
