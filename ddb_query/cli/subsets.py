"""`ddb verify` and `ddb replay`: whether a subset is what it says, and the same once more."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from ddb_query.cli._options import DATA, ENGINE, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.console import stdout
from ddb_query.util.escape import counted

verify_app = typer.Typer(rich_markup_mode=None, add_completion=False)
replay_app = typer.Typer(rich_markup_mode=None, add_completion=False)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A subset that ddb wrote.")]


@verify_app.command("verify", cls=Command)
@command()
def verify(session: Session, file: File) -> None:
    """Check rows, columns and content of a subset against its manifest."""
    from ddb_query.export.verify import verify as check

    said = check(file, progress=session.diagnostics)
    session.diagnostics.clear()
    what = "rows, columns and content are" if said.content_hash else "rows and columns are"
    session.diagnostics.note(f"{file}: {counted(said.rows, 'row')}; {what} as its manifest says")


@replay_app.command("replay", cls=Command)
@command(*DATA, "sql_dir", *ENGINE, "format", "output", "force")
def replay(
    session: Session,
    file: File,
    subset: Annotated[
        Path | None,
        typer.Option("--from", metavar="FILE", help="The subset file that it was made from."),
    ] = None,
    trust: Annotated[
        bool, typer.Option("--trust", help="Run its SQL on a connection that is not locked.")
    ] = False,
) -> None:
    """Make a subset again from its source, and compare the two.

    With -o FILE the new one is kept.
    """
    from ddb_query.api.replay import replay as again
    from ddb_query.datasets import Catalog, manifest
    from ddb_query.settings import Settings

    said = manifest.read(file)
    if session.options.dataset is None:
        settings = Settings.from_environment(data_dir=session.options.data_dir)
        session.default_dataset(Catalog(settings).of_manifest(said.dataset, said.source_footer))
    with session.open() as corpus, contextlib.ExitStack() as stack:
        target: Path | BinaryIO | None = session.target
        if session.options.output is not None and target is None:
            stdout.refuse_terminal(session.options.format, None)
            target = stack.enter_context(stdout.sink(None))
        said = again(
            corpus, file, output=target, form=session.options.format,
            subset=subset, trust=trust, force=session.force, note=session.diagnostics.note,
        )  # fmt: skip
    for missing in session.missing():
        session.diagnostics.note(missing.message)
    session.diagnostics.note(f"{file}: {counted(said.rows, 'row')}, the same again")
