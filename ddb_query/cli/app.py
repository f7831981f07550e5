"""The command line: `ddb` and its commands. Parses, opens a corpus, calls one method, prints."""

from __future__ import annotations

import inspect
import sys
from typing import Annotated, Any

import typer

from ddb_query import __version__, output
from ddb_query.cli import data, queries, sql
from ddb_query.cli.options import Common, common_parameters, gathered
from ddb_query.diagnostics import Diagnostics
from ddb_query.errors import DdbError
from ddb_query.settings import Settings

app = typer.Typer(
    name="ddb",
    help="The terminal workbench for DiffusionDB.",
    epilog="Without a command: SQL from standard input.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("sql")(sql.sql)
app.command("queries")(queries.queries)
app.add_typer(queries.run_app, name="run")
app.add_typer(data.app, name="data")


def _root(ctx: typer.Context, **given: Any) -> None:
    if given.pop("version"):
        output.text(f"ddb {__version__}\n")
        raise typer.Exit
    ctx.obj = gathered(given)
    if ctx.invoked_subcommand is not None:
        return
    if sys.stdin.isatty():
        output.text(ctx.get_help() + "\n")
        raise typer.Exit
    ctx.invoke(sql.sql, ctx, text=None, file=None, parameter=None, **vars(Common()))


_VERSION = Annotated[bool, typer.Option("--version", help="Show the version.")]
_parameters = [
    inspect.Parameter("ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context),
    inspect.Parameter(
        "version", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=_VERSION
    ),
    *common_parameters(),
]
_root.__signature__ = inspect.Signature(_parameters)  # type: ignore[attr-defined]
_root.__annotations__ = {p.name: p.annotation for p in _parameters}
app.callback(invoke_without_command=True)(_root)


def run() -> int:
    """Run the command line; errors become words here and nowhere else."""
    try:
        app()
    except DdbError as error:
        Diagnostics().error(error)
        if Settings.from_environment().debug:
            raise
        return error.exit_code
    return 0
