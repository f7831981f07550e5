"""`ddb export`: a selection, SQL or a canned query as a file that says how it was made."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer

from ddb_query.cli._completion import query_names
from ddb_query.cli._options import DATA, ENGINE, RESULT, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.cli._selection_options import selecting, tell
from ddb_query.cli.sql import parameter_value
from ddb_query.console import stdout
from ddb_query.engines.base import Column
from ddb_query.engines.literal_rows import LiteralRows
from ddb_query.errors import UsageError
from ddb_query.util.escape import counted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query.api.corpus import Corpus
    from ddb_query.api.selection import Selection
    from ddb_query.export.selected_rows import Exported

_STRATA = (
    Column("stratum", "VARCHAR"), Column("size", "BIGINT"), Column("taken", "BIGINT"),
    Column("weight", "DOUBLE"),
)  # fmt: skip

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("export", cls=Command)
@command(*DATA, "sql_dir", *ENGINE, *RESULT)
@selecting()
def export(
    session: Session,
    chosen: dict[str, Any],
    columns: Annotated[
        str | None,
        typer.Option(metavar="A,B", help="Columns of images; by default those published."),
    ] = None,
    drop: Annotated[
        str | None, typer.Option(metavar="A,B", help="Columns to leave out, such as user_name.")
    ] = None,
    partition_by: Annotated[
        Literal["sampler", "day", "part"] | None, typer.Option(help="Write a folder of files.")
    ] = None,
    sql: Annotated[
        str | None, typer.Option(metavar="SQL", help="Rows of a SELECT instead of a selection.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Rows of a canned query instead.", autocompletion=query_names
        ),
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="A parameter of either."),
    ] = None,
    show: Annotated[
        Literal["sql", "count"] | None,
        typer.Option("--print", help="Print DuckDB SQL for the rows, or how many; write nothing."),
    ] = None,
    no_hash: Annotated[
        bool, typer.Option("--no-hash", help="Leave the content hash out; verify needs it.")
    ] = False,
) -> None:
    """Write a selection to a file that says how it was made.

    The file is parquet, csv, tsv, jsonl, json or arrow.
    """
    statement = sql is not None or query is not None
    if statement and (chosen or columns or drop or partition_by or show):
        raise UsageError("--sql and --query take no selection options", hint="say it in the SQL")
    if param and not statement:
        raise UsageError("-p is for --sql and --query")
    if show is None and session.options.output is None:
        raise UsageError("no file to write was named", hint="-o subset.parquet")
    written: dict[str, Any] = {
        "form": session.options.format, "hashed": not no_hash, "force": session.force,
    }  # fmt: skip
    picked: dict[str, Any] = {"columns": _names(columns), "drop": _names(drop)}
    with session.open() as corpus:
        if show is not None:
            found = _selection(session, corpus, chosen)
            stdout.text(found.plain_sql(**picked) if show == "sql" else f"{found.count()}\n")
            tell(session, found)
            if session.target is not None:
                session.diagnostics.note(f"--print writes nothing: {session.target} is not made")
        elif statement:
            params = dict(parameter_value(given) for given in param or [])
            limit = session.options.limit
            with _target(session) as target:
                made = corpus.export(
                    target, sql=sql, query=query, params=params, limit=limit, **written
                )
            _tell(session, made)
        else:
            selection = _selection(session, corpus, chosen)
            with _target(session) as target:
                made = selection.export(target, partition_by=partition_by, **picked, **written)
            _tell(session, made)
            _tell_more(session, selection, made)


@contextlib.contextmanager
def _target(session: Session) -> Iterator[Path | BinaryIO]:
    """The file that `-o` names, which the library writes, or standard output."""
    if session.target is not None:
        yield session.target
        return
    stdout.refuse_terminal(session.options.format, None)
    with stdout.sink(None) as stream:
        yield stream


def _selection(session: Session, corpus: Corpus, chosen: dict[str, Any]) -> Selection:
    return corpus.select(**chosen, limit=session.options.limit or None)


def _tell(session: Session, made: Exported) -> None:
    session.diagnostics.clear()
    written = "" if made.size is None else f", {made.size:,} bytes, {made.path}"
    session.diagnostics.note(f"{counted(made.rows, 'row')}{written}")
    if made.manifest.reason is not None:
        session.diagnostics.note(f"it cannot be made again: {made.manifest.reason}")


def _tell_more(session: Session, selection: Selection, made: Exported) -> None:
    """What a person should know of what was written, and should not have to ask."""
    if not made.rows:
        session.diagnostics.note("nothing matches: the file has columns and no rows")
    if selection.criteria.thresholds.open and (made.blurred or made.over):
        session.diagnostics.note(
            f"no policy: {made.blurred:,} of the images are blurred, {made.over:,} have a score"
            " over 0.5; --policy moderate leaves them out"
        )
    if selection.strata:
        rows = [(one.name, one.size, one.taken, one.weight) for one in selection.strata]
        people = made.path is None or sys.stdout.isatty()
        shown = rows[: stdout.SHOWN_ROWS] if people else rows
        # Beside the rows themselves, on standard error.
        if made.path is None:
            for one in shown:
                session.diagnostics.note("stratum {}: size {}, taken {}, weight {}".format(*one))
        else:
            stdout.listing(LiteralRows(_STRATA, tuple(shown)))
        if len(shown) < len(rows):
            told = f"the first {len(shown):,} of {len(rows):,} strata"
            session.diagnostics.note(told + ("; the manifest has them all" if made.path else ""))
    tell(session, selection)


def _names(given: str | None) -> list[str]:
    return [name.strip() for name in given.split(",")] if given else []
