"""`ddb queries`: which canned queries there are, and what each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ddb_query import output
from ddb_query.cli.options import Session, command
from ddb_query.engines.base import Column
from ddb_query.query_help import usage, whole
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
        output.text(whole(library.find(name)))
        return
    rows = [(_marked(query), usage(query), query.description) for query in library.all()]
    columns = [Column(title, "VARCHAR") for title in ("name", "parameters", "description")]
    output.listing(columns, rows)


def _marked(query: CannedQuery) -> str:
    return query.name if query.shipped else f"{query.name} (yours)"
