"""`ddb report`: statistics of the corpus or of a selection, alone or beside another."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ddb_query.cli._completion import sections
from ddb_query.cli._options import DATA, ENGINE, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.cli._selection_options import selecting, tell
from ddb_query.console import stdout
from ddb_query.errors import UsageError
from ddb_query.report.render import files
from ddb_query.util.atomic_files import make_folder

if TYPE_CHECKING:
    from ddb_query.api.corpus import Corpus
    from ddb_query.report.model import Report

app = typer.Typer(rich_markup_mode=None, add_completion=False)

_REST = "rest"
_Face = Annotated[
    Literal["table", "html", "markdown", "json"] | None,
    typer.Option(help="Format of the report; by default that of FILE's ending, else a table."),
]
_SUBSETS = (".parquet", ".csv", ".jsonl")


@app.command("report", cls=Command)
@command(*DATA, *ENGINE, "output", "force", format=_Face)
@selecting(without=("order_by",))
def report(
    session: Session,
    chosen: dict[str, Any],
    vs: Annotated[
        str | None,
        typer.Option(
            "--vs",
            metavar="OPTIONS|FILE|rest",
            help="Compare with another selection: its options, a subset file, or all other images.",
        ),
    ] = None,
    section: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only this section; may be repeated.", autocompletion=sections
        ),
    ] = None,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="The report's heading.")] = None,
    users: Annotated[
        bool, typer.Option("--users", help="Show the hashes that stand for users' names.")
    ] = False,
    figures: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Write each chart as .svg and .pdf there."),
    ] = None,
) -> None:
    """Show statistics of the corpus or of a selection.

    With -o FILE they become a page (.html), or .md, .json or .txt.
    """
    target = session.target
    form = files.form_for(target, session.options.format)
    with ExitStack() as stack:
        # A file that cannot be written is told of before the work, not after it.
        sink = stack.enter_context(stdout.sink(target))
        if figures is not None:
            files.keep_figures(figures, force=session.force)
            make_folder(figures)
        corpus = stack.enter_context(session.open())
        selection = corpus.select(**chosen)
        versus = _versus(session, corpus, vs, stack)
        made = selection.report(
            versus=versus, title=title or "", sections=section or (), users=users
        )
        session.diagnostics.clear()
        sink.write(_text(made, form, here=target is None).encode())
        if figures is not None:
            names = made.save_figures(figures, force=session.force)
            session.diagnostics.note(f"{len(names)} charts in {figures}, as .svg and .pdf")
        if not made.images:
            session.diagnostics.note("nothing matches: the report is about no image")
        tell(session, selection)
        if versus is not None and not isinstance(versus, str):
            tell(session, versus)


def _text(made: Report, form: str, *, here: bool) -> str:
    if not here:
        return files.rendered(made, form)
    styled = form == "table" and stdout.styled()
    return files.rendered(made, form, stdout.terminal_width(), styled=styled)


def _versus(session: Session, corpus: Corpus, said: str | None, stack: ExitStack) -> Any:
    """What `--vs` names: None, `rest`, or a selection of this corpus or of another."""
    if said is None or said == _REST:
        return said
    if not said.startswith("-") and (Path(said).exists() or said.endswith(_SUBSETS)):
        return corpus.select(subset=Path(said))
    other, chosen = _parsed(said)
    if other.options.dataset not in (None, corpus.dataset):
        other = session.like(other.options.over(session.options))
        corpus = stack.enter_context(other.open())
    return corpus.select(**chosen)


def _parsed(said: str) -> tuple[Session, dict[str, Any]]:
    """Selection options as a shell would split them, read by the parser of every command.

    Raises:
        UsageError: A quote is not closed.
    """
    found: list[tuple[Session, dict[str, Any]]] = []
    parser = typer.Typer(rich_markup_mode=None, add_completion=False)

    @parser.command("--vs", help="Options of the selection to compare with.", cls=Command)
    @command(*DATA)
    @selecting(without=("order_by",))
    def _(session: Session, chosen: dict[str, Any]) -> None:
        found.append((session, chosen))

    try:
        words = shlex.split(said)
    except ValueError as error:
        raise UsageError(f"--vs: {error}", hint="--vs '--sampler ddim --sample 100'") from error
    typer.main.get_command(parser).main(words, prog_name="ddb report --vs", standalone_mode=False)
    if not found:
        raise UsageError("--vs takes the options of a selection", hint="--vs '--sampler ddim'")
    return found[0]
