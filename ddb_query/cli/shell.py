"""`ddb shell`, and `ddb` without a command: a session at a terminal, or a script without one."""

from __future__ import annotations

import contextlib
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from ddb_query.cli._options import DATA, ENGINE, RESULT, Common, command
from ddb_query.cli._options import Session as Run
from ddb_query.cli._parsing import Command
from ddb_query.cli.sql import read_sql
from ddb_query.console import stdout

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddb_query.shell.session import Session

app = typer.Typer(rich_markup_mode=None, add_completion=False)

NoRc = Annotated[bool, typer.Option("--no-rc", help="Do not run rc.sql first.")]


@app.command("shell", cls=Command)
@command(*DATA, "sql_dir", *ENGINE, *RESULT)
def shell(run: Run, no_rc: NoRc = False) -> None:
    """Open the shell, for SQL and dot commands.

    Without a terminal, it runs what comes from standard input.
    """
    if sys.stdin.isatty():
        _interact(run, with_rc=not no_rc)
    else:
        _batch(run, with_rc=not no_rc)


def without_command(ctx: typer.Context, *, no_rc: bool) -> None:
    """Run what `ddb` alone runs."""
    ctx.invoke(shell, ctx, no_rc=no_rc, **vars(Common()))


def _interact(run: Run, *, with_rc: bool) -> None:
    from ddb_query.datasets import Catalog
    from ddb_query.settings import Settings
    from ddb_query.shell import repl

    options = run.options
    # Before the first prompt, which names it; the rest of the opening goes on behind that.
    settings = Settings.from_environment(data_dir=options.data_dir)
    dataset, choice = Catalog(settings).choose(options.dataset)
    if choice:
        run.diagnostics.note(choice)
    with _session(run, dataset, screen=sys.stdout.isatty()) as session:
        if run.target is not None:
            session.result_view.output_file.begin(run.target, options.format, force=run.force)
        repl.interact(session, with_rc=with_rc)


def _batch(run: Run, *, with_rc: bool) -> None:
    from ddb_query.shell import repl

    text = read_sql(None)
    with _session(run, run.options.dataset) as session:
        if run.target is not None and run.format in stdout.PEOPLE_FORMATS:
            session.result_view.output_file.begin(run.target, run.format, force=run.force)
        else:
            session.result_view.file = run.target
        repl.batch(session, text, with_rc=with_rc)


@contextlib.contextmanager
def _session(run: Run, dataset: str | None, *, screen: bool = False) -> Iterator[Session]:
    from ddb_query.shell.commands import run_command
    from ddb_query.shell.corpus_loader import CorpusLoader
    from ddb_query.shell.session import Session
    from ddb_query.shell.state import State
    from ddb_query.shell.view.result_view import ResultView

    options = run.options
    state = State(mode=run.format, cap=options.limit)
    loader = CorpusLoader(run.open, dataset, run.diagnostics)
    result_view = ResultView(run.diagnostics, state, screen=screen)
    session = Session(loader, run.diagnostics, state, result_view, run_command, options.sql_dir)
    with contextlib.closing(session):
        yield session
