"""Canned queries in words: how one is called, and one whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.queries.canned_query import METAVARS, spelled

if TYPE_CHECKING:
    from ddb_query.queries.canned_query import CannedQuery


def usage(query: CannedQuery) -> str:
    """Its parameters, those with a default in brackets."""
    return " ".join(p.option if p.required else f"[{p.option}]" for p in query.parameters)


def whole(query: CannedQuery) -> str:
    """Description, parameters, columns, examples and SQL."""
    lines = [query.name, "", query.description, ""]
    for parameter in query.parameters:
        default = "required" if parameter.required else f"default {spelled(parameter.default)}"
        choices = f", one of {', '.join(parameter.choices)}" if parameter.choices else ""
        bounds = f", {parameter.bounds}" if parameter.bounds else ""
        value = f" {METAVARS[parameter.type]}" if parameter.type in METAVARS else ""
        options = ", ".join(parameter.options)
        lines.append(f"  {options}{value} ({default}{choices}{bounds})")
        lines += [f"      {parameter.help}"] if parameter.help else []
    lines += [f"  {name}: {meaning}" for name, meaning in query.columns]
    lines += ["", *(f"$ {example}" for example in query.examples), "", query.sql, ""]
    return "\n".join(lines)
