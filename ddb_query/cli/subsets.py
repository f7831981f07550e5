"""`ddb verify` and `ddb replay`: whether a subset is what it says, and the same once more."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddb_query.cli.options import Session, command

verify_app = typer.Typer(rich_markup_mode=None, add_completion=False)
replay_app = typer.Typer(rich_markup_mode=None, add_completion=False)

File = Annotated[Path, typer.Argument(metavar="FILE", help="A subset that ddb wrote.")]


@verify_app.command("verify")
@command
def verify(session: Session, file: File) -> None:
    """Check a subset against its own manifest: rows, columns, content."""
    from ddb_query.verifying import verify as check

    said = check(file)
    what = "rows, columns and content are" if said.content_hash else "rows and columns are"
    session.diagnostics.note(f"{file}: {said.rows:,} rows; {what} as its manifest says")


@replay_app.command("replay")
@command
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
    force: Annotated[bool, typer.Option("--force", help="Replace what -o names.")] = False,
) -> None:
    """Make a subset again from the source, and prove it equal; -o FILE keeps it."""
    from ddb_query import manifest
    from ddb_query.replaying import replay as again

    session.default_dataset(manifest.read(file).dataset)
    with session.open() as corpus:
        said = again(
            corpus, file, output=session.options.output, form=session.options.format,
            subset=subset, trust=trust, force=force, note=session.diagnostics.note,
        )  # fmt: skip
    for missing in session.missing():
        session.diagnostics.note(missing.message)
    session.diagnostics.note(f"{file}: {said.rows:,} rows, the same again")
