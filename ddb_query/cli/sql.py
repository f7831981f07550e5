"""`ddb sql`: ad-hoc SQL."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import Annotated

import typer

from ddb_query.cli._options import DATA, ENGINE, RESULT, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.console import stdout
from ddb_query.errors import ParameterError, UsageError
from ddb_query.queries.parameters import typed

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("sql", cls=Command)
@command(*DATA, *ENGINE, *RESULT)
def sql(
    session: Session,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[SQL]", help="Statements, parted by `;`.", show_default=False),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", "-f", metavar="FILE", help="Read the SQL from a file.")
    ] = None,
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--param",
            "-p",
            metavar="NAME=VALUE",
            help="Bind $NAME; 5 is an integer, 2.5 a double, else text; NAME:text=007 forces text.",
        ),
    ] = None,
) -> None:
    """Run SQL over the views; without SQL, read it from standard input.

    `ddb sql "show tables"` lists the views, `ddb sql "describe images"` the columns of one.
    """
    if text is not None and file is not None:
        raise UsageError("SQL and --file were both given", hint="give one of them")
    statements = read_sql(file) if text is None else text
    params = dict(parameter_value(given) for given in parameter or [])
    every = session.format in stdout.PEOPLE_FORMATS
    with session.open() as corpus:
        results = corpus.statements(statements, params, limit=session.options.limit)
        session.show(results if every else deque(results, maxlen=1))


def read_sql(file: Path | None) -> str:
    """The text of a file, or of standard input.

    Raises:
        UsageError: It cannot be read, or is not UTF-8.

    """
    source = str(file) if file else "standard input"
    try:
        raw = file.read_bytes() if file else sys.stdin.buffer.read()
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "iconv -f LATIN1 -t UTF-8 converts it, if that is what it is"
        raise UsageError(f"{source} is not UTF-8 text", hint=hint) from error
    except OSError as error:
        hint = "-f FILE reads SQL from a file; without it, and without SQL, standard input is read"
        raise UsageError(f"cannot read {source}: {error.strerror or error}", hint=hint) from error


def parameter_value(given: str) -> tuple[str, object]:
    """Name and value of a `-p name=value`.

    Raises:
        ParameterError: It is not of that form.
    """
    name, equals, text = given.partition("=")
    if not equals:
        raise ParameterError(given, "is not NAME=VALUE", hint="-p width=512")
    return typed(name, text, example="-p width=512")
