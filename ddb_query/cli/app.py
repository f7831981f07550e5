"""The command line: `ddb` and its commands. Parses, opens a corpus, calls one method, prints."""

from __future__ import annotations

import importlib
import inspect
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from ddb_query import __version__
from ddb_query.cli._options import CONTEXT, common_parameters, declare, gathered
from ddb_query.cli._parsing import Group
from ddb_query.cli._refusals import not_understood
from ddb_query.console import stdout

# In the order of the help. Each module has an `app`, loaded when its command is asked for.
COMMANDS = {
    "sql": "ddb_query.cli.sql",
    "queries": "ddb_query.cli.queries",
    "run": "ddb_query.cli.run",
    "search": "ddb_query.cli.search",
    "export": "ddb_query.cli.export",
    "verify": "ddb_query.cli.subsets",
    "replay": "ddb_query.cli.subsets",
    "report": "ddb_query.cli.report",
    "fetch": "ddb_query.cli.fetch",
    "gallery": "ddb_query.cli.gallery",
    "data": "ddb_query.cli.data",
    "shell": "ddb_query.cli.shell",
}


class CommandGroup(Group):
    """Commands that load their module when they are asked for, so that each starts at once."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - typer's private Context
        """Names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - likewise
        """One command, or None."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(COMMANDS[cmd_name])
        # A module of several commands has an app for each.
        return typer.main.get_command(getattr(module, f"{cmd_name}_app", None) or module.app)


app = typer.Typer(
    cls=CommandGroup,
    name="ddb",
    help="The terminal workbench for DiffusionDB.",
    epilog="Without a command: the shell, or SQL from standard input when that is no terminal.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _root(ctx: typer.Context, **given: Any) -> None:
    if given.pop("version"):
        stdout.text(f"ddb {__version__}\n")
        raise typer.Exit
    no_rc = given.pop("no_rc")
    ctx.obj = gathered(given)
    if ctx.invoked_subcommand is None:
        from ddb_query.cli.shell import without_command

        without_command(ctx, no_rc=no_rc)


_VERSION = inspect.Parameter(
    "version", inspect.Parameter.KEYWORD_ONLY, default=False,
    annotation=Annotated[bool, typer.Option("--version", help="Show the version.")],
)  # fmt: skip
_NO_RC = inspect.Parameter(
    "no_rc", inspect.Parameter.KEYWORD_ONLY, default=False,
    annotation=Annotated[bool, typer.Option("--no-rc", help="The shell does not run rc.sql.")],
)  # fmt: skip
declare(_root, [CONTEXT, _VERSION, _NO_RC, *common_parameters()])
app.callback(invoke_without_command=True)(_root)


def run() -> int:
    """Run the command line; gives its exit code.

    Raises:
        UsageError: It makes no sense as it stands.
    """
    try:
        code = app(prog_name="ddb", standalone_mode=False)
    except TyperException as error:
        raise not_understood(error) from None
    return code if isinstance(code, int) else 0
