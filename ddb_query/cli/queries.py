"""`ddb queries`: which canned queries there are, and what each is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ddb_query.cli._completion import query_names
from ddb_query.cli._options import RESULT, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.console import stdout
from ddb_query.engines.base import Column
from ddb_query.engines.literal_rows import LiteralRows
from ddb_query.queries.describe import usage, whole
from ddb_query.queries.library import QueryLibrary
from ddb_query.settings import user_sql_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.queries.canned_query import CannedQuery

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("queries", cls=Command)
@command("sql_dir", *RESULT)
def queries(
    session: Session,
    name: Annotated[
        str | None,
        typer.Argument(help="Show this one whole.", show_default=False, autocompletion=query_names),
    ] = None,
) -> None:
    """List the canned queries, or show one of them.

    With a NAME: its description, parameters, examples and SQL.
    """
    library = QueryLibrary(user_sql_dir(session.options.sql_dir), session.diagnostics.note)
    if name is not None and session.format == "table":
        stdout.text(whole(library.find(name)), session.target)
    elif name is not None:
        session.show_listing(_listed([library.find(name)], ("sql", lambda query: query.sql)))
    else:
        session.show_listing(_listed(library.all()))


def _listed(
    queries: list[CannedQuery], *more: tuple[str, Callable[[CannedQuery], str]]
) -> LiteralRows:
    fields = [*_FIELDS, *more]
    rows = tuple(tuple(value(query) or None for _, value in fields) for query in queries)
    return LiteralRows(tuple(Column(title, "VARCHAR") for title, _ in fields), rows)


def _marked(query: CannedQuery) -> str:
    return query.name if query.shipped else f"{query.name} (yours)"


_FIELDS: list[tuple[str, Callable[[CannedQuery], str]]] = [
    ("name", _marked),
    ("parameters", usage),
    ("description", lambda query: query.description),
]
