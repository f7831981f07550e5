"""`ddb run`: a canned query, each of its parameters a real option."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ddb_query.cli._options import DATA, ENGINE, RESULT, Session, command, common_options
from ddb_query.cli._parsing import Command, Group
from ddb_query.console.stderr import Diagnostics
from ddb_query.errors import UsageError
from ddb_query.queries.canned_query import METAVARS, spelled
from ddb_query.queries.library import QueryLibrary
from ddb_query.settings import user_sql_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.queries.canned_query import CannedQuery, Parameter

# Sets the parameters of a query apart from those of the function, and from Python's keywords.
_PREFIX = "given_"
# Where a context keeps the queries of a list that is being made.
_LISTED = "ddb_query.listed"


class QueryGroup(Group):
    """The canned queries as commands, made when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Names of all canned queries."""
        quiet = ctx.obj is not None and bool(ctx.obj.quiet)
        try:
            # While a command line is completed nothing else is on the screen.
            note = None if ctx.resilient_parsing else Diagnostics(quiet=quiet).note
            listed = self._library(ctx, note).all()
        except UsageError:
            if not ctx.resilient_parsing:
                raise
            listed = []
        ctx.meta[_LISTED] = {query.name: query for query in listed}
        return list(ctx.meta[_LISTED])

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """One canned query as a command."""
        listed = ctx.meta.get(_LISTED, {})
        return _as_command(listed.get(cmd_name) or self._library(ctx).find(cmd_name))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the query, in the folder too that an option behind its name gives."""
        for place, arg in enumerate(args):
            option, equals, value = arg.partition("=")
            if option == "--sql-dir":
                ctx.meta["sql_dir"] = value if equals else "".join(args[place + 1 : place + 2])
        return super().resolve_command(ctx, args)

    def _library(self, ctx: Any, note: Callable[[str], None] | None = None) -> QueryLibrary:
        earlier = ctx.obj.sql_dir if ctx.obj else None
        folder = ctx.meta.get("sql_dir") or ctx.params.get("sql_dir") or earlier
        return QueryLibrary(user_sql_dir(folder), note)


app = typer.Typer(
    cls=QueryGroup,
    add_completion=False,
    help="Run a canned query; `ddb run NAME --help` shows its parameters.",
    rich_markup_mode=None,
    subcommand_metavar="NAME [--parameter V]...",
)
common_options(app)


def _as_command(query: CannedQuery) -> Any:
    def run(session: Session, **given: object) -> None:
        said = {
            parameter.name: given[_PREFIX + parameter.name]
            for parameter in query.parameters
            if given[_PREFIX + parameter.name] is not None
        }
        limit = session.options.limit
        few = bool(query.per) and limit is None and session.on_screen
        with session.open() as corpus:
            result = corpus.run(query.name, limit=query.limit if few else limit, **said)
            session.show([result])
        if few:
            session.diagnostics.note(
                f"at most {query.limit} rows of each {query.per}; --limit 0 shows all"
            )

    session = inspect.Parameter(
        "session", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=Session
    )
    run.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [session, *(_option(parameter) for parameter in query.parameters)]
    )
    only = typer.Typer(rich_markup_mode=None, add_completion=False)
    taken = command(*DATA, "sql_dir", *ENGINE, *RESULT)
    only.command(query.name, help=_help(query), cls=Command)(taken(run))
    return typer.main.get_command(only)


def _option(parameter: Parameter) -> inspect.Parameter:
    default = spelled(parameter.default)
    has = " [required]" if parameter.required else f" [default: {default}]"
    has += f" [{parameter.bounds}]" if parameter.bounds else ""
    kind: Any = Literal[parameter.choices] if parameter.choices else str
    metavar = None if parameter.choices else METAVARS.get(parameter.type)
    if parameter.type == "boolean":
        kind = bool
    option = typer.Option("/".join(parameter.options), metavar=metavar, help=parameter.help + has)
    return inspect.Parameter(
        _PREFIX + parameter.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[kind | None, option],
    )


def _help(query: CannedQuery) -> str:
    columns = "".join(f"\n  {name}: {meaning}" for name, meaning in query.columns)
    parts = [query.description]
    parts += [f"\b\nColumns:{columns}"] if columns else []
    examples = "".join(f"\n  {example}" for example in query.examples)
    parts += [f"\b\nExamples:{examples}"] if examples else []
    return "\n\n".join(parts)
