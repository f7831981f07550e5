"""Dot commands that look at what there is: relations, queries, plans, help."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from ddb_query.console import stdout
from ddb_query.engines.base import Column
from ddb_query.engines.literal_rows import LiteralRows
from ddb_query.errors import UsageError
from ddb_query.queries.describe import usage, whole
from ddb_query.shell.commands.registry import COMMANDS, command, one, split
from ddb_query.shell.view import display

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.shell.session import Session


@command("help", "[COMMAND]", "This list, or one command", "command")
def show_help(session: Session, rest: str) -> None:
    """List the commands."""
    name = rest.lstrip(".")
    chosen = [COMMANDS[name]] if name in COMMANDS else [COMMANDS[c] for c in sorted(COMMANDS)]
    _listing(session, [(f".{c.name} {c.usage}".rstrip(), c.help) for c in chosen])
    if name not in COMMANDS:
        words = r"SQL ends with ; (or \G: each row whole), _ is the last result, $NAME a variable"
        stdout.text(f"\n{words}\n")


@command("tables", "", "Views and tables, with their columns")
def tables(session: Session, _rest: str) -> None:
    """List relations."""
    relations = session.names.relations
    _listing(session, [(n, ", ".join(c.name for c in cs)) for n, cs in relations.items()])


@command("schema", "NAME", "Columns of a view or table, with their types", "relation")
def schema(session: Session, rest: str) -> None:
    """List the columns of a relation."""
    relations = session.names.relations
    name = one(rest, "schema").rstrip(";")
    if name not in relations:
        close = difflib.get_close_matches(name, relations, n=3, cutoff=0.5)
        meant = f"did you mean {' or '.join(close)}?" if close else ".tables lists them"
        raise UsageError(f"no view or table named {name}", hint=meant)
    _listing(session, [(column.name, column.type) for column in relations[name]])


@command("queries", "[NAME]", "Canned queries, or one of them whole", "query")
def queries(session: Session, rest: str) -> None:
    """List the canned queries, or show one."""
    if rest:
        display.show(whole(session.corpus.query(one(rest, "queries"))))
        return
    found = session.corpus.queries()
    _listing(
        session, [(f"{query.name} {usage(query)}".strip(), query.description) for query in found]
    )


@command("explain", "[SQL]", "The plan of a statement, or of the last one")
def explain(session: Session, rest: str) -> None:
    """Show a plan, without running the statement."""
    sql = rest.rstrip("; ")
    if sql:
        session.query(f"explain {sql}")
    elif session.state.last is not None and session.state.last.statement.sql:
        last = session.state.last.statement
        found = session.corpus.sql(f"explain {last.sql}", dict(last.values))
        session.present(found, session.now(), None)
    else:
        raise UsageError("there is no last statement", hint=".explain SELECT …")


@command("last", "", "The last result again, in the present mode")
def last(session: Session, rest: str) -> None:
    """Show the last result again."""
    split(rest)
    session.show_last()


def _listing(session: Session, rows: Sequence[tuple[str, str]]) -> None:
    """Two columns; the second is wrapped where there is a screen."""
    width = display.width_of_terminal(session.state.width) if session.result_view.screen else None
    if width is None:
        columns = (Column("name", "VARCHAR"), Column("what", "VARCHAR"))
        stdout.listing(LiteralRows(columns, tuple(rows)))
        return
    display.show(display.two_columns(rows, width))
