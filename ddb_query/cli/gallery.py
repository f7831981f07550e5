"""`ddb gallery`: a contact sheet of fetched images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ddb_query.cli.options import Session, command

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("gallery")
@command
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
    """Write a contact sheet of fetched images as HTML: DIR.html, or -o FILE.html."""
    from ddb_query.images.gallery import write_gallery

    pages = write_gallery(
        folder, session.options.output, veil_above=veil_above, page_images=page, title=title,
        progress=session.diagnostics,
    )  # fmt: skip
    session.diagnostics.clear()
    for path in pages:
        session.diagnostics.note(f"written: {path}")
