"""`ddb queries`: which canned queries there are, and what each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ddb_query import output
from ddb_query.cli.options import Session, command
from ddb_query.engines.base import Column
from ddb_query.query_file import METAVARS, spelled
from ddb_query.query_library import QueryLibrary
from ddb_query.settings import user_sql_dir

if TYPE_CHECKING:
    from ddb_query.query_file import CannedQuery

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("queries")
@command
def queries(
    session: Session,
    name: Annotated[
        str | None, typer.Argument(help="Show this one whole.", show_default=False)
    ] = None,
) -> None:
    """List the canned queries; with a name: description, parameters, example, SQL."""
    library = QueryLibrary(user_sql_dir(session.options.sql_dir))
    if name is not None:
        output.text(_whole(library.find(name)))
        return
    rows = [(_marked(query), _usage(query), query.description) for query in library.all()]
    columns = [Column(title, "VARCHAR") for title in ("name", "parameters", "description")]
    output.listing(columns, rows)


def _whole(query: CannedQuery) -> str:
    lines = [query.name, "", query.description, ""]
    for parameter in query.parameters:
        default = "required" if parameter.required else f"default {spelled(parameter.default)}"
        choices = f", one of {', '.join(parameter.choices)}" if parameter.choices else ""
        lines.append(f"  {parameter.option} {METAVARS[parameter.type]} ({default}{choices})")
        lines += [f"      {parameter.help}"] if parameter.help else []
    lines += [f"  {name}: {meaning}" for name, meaning in query.columns]
    lines += ["", *(f"$ {example}" for example in query.examples), "", query.sql, ""]
    return "\n".join(lines)


def _marked(query: CannedQuery) -> str:
    return query.name if query.shipped else f"{query.name} (yours)"


def _usage(query: CannedQuery) -> str:
    return " ".join(p.option if p.required else f"[{p.option}]" for p in query.parameters)
