"""`ddb gallery`: a contact sheet of fetched images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ddb_query.cli._options import STANDARD_OUTPUT, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.console import stdout

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("gallery", cls=Command)
@command("output", "force")
def gallery(
    session: Session,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where the images are.")],
    veil_above: Annotated[
        float,
        typer.Option(metavar="X", min=0, max=1, help="Blur higher scores until clicked."),
    ] = 0.5,
    page: Annotated[int, typer.Option(metavar="N", min=1, max=500, help="Images on a page.")] = 500,
    title: Annotated[str | None, typer.Option(metavar="TEXT", help="Heading.")] = None,
) -> None:
    """Write a contact sheet of fetched images as HTML.

    It is DIR.html, or what -o names.
    """
    from ddb_query.gallery.page import sheets_of, write_gallery

    options: dict[str, Any] = {
        "veil_above": veil_above, "page_images": page, "title": title, "force": session.force,
        "progress": session.diagnostics,
    }  # fmt: skip
    if session.options.output == STANDARD_OUTPUT:
        for _, html in sheets_of(folder, STANDARD_OUTPUT, most_pages=1, **options):
            stdout.text(html)
        return
    pages = write_gallery(folder, session.target, **options)
    session.diagnostics.clear()
    for path in pages:
        session.diagnostics.note(f"written: {path}")
