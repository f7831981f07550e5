"""`ddb search`: full-text search of the prompts."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import typer

from ddb_query.cli._options import DATA, ENGINE, RESULT, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.cli._selection_options import selecting, tell
from ddb_query.errors import UsageError

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("search", cls=Command)
@command(*DATA, *ENGINE, *RESULT)
@selecting()
def search(
    session: Session,
    chosen: dict[str, Any],
    words: Annotated[
        list[str] | None,
        typer.Argument(metavar="WORDS...", help="What to search for.", show_default=False),
    ] = None,
    like: Annotated[
        str | None,
        typer.Option(metavar="PROMPT|IMAGE", help="Similar prompts instead of words."),
    ] = None,
    images: Annotated[bool, typer.Option("--images", help="One row per image.")] = False,
    count: Annotated[bool, typer.Option("--count", help="Only how many match.")] = False,
    facet: Annotated[
        Literal["sampler", "user", "term", "day"] | None, typer.Option(help="Count all matches by.")
    ] = None,
    exact_syntax: Annotated[
        bool, typer.Option("--exact-syntax", help="Stray quotes and brackets are errors.")
    ] = False,
) -> None:
    """Search the prompts by words, phrases and names of artists.

    WORDS are words, "a phrase", -not, OR, prefix*, fuzzy~, by:"a name"; quote them together, as in
    ddb search 'castle "matte painting" -night'.
    """
    order_by = chosen.pop("order_by", None)
    if order_by is not None and (count or facet):
        raise UsageError("counts have an order of their own", hint="leave --order-by out")
    limit = session.options.limit
    with session.open() as corpus:
        within = corpus.select(**chosen) if chosen else None
        if like is not None:
            if words:
                raise UsageError("WORDS and --like were both given", hint="give one of them")
            if count or facet or exact_syntax:
                raise UsageError(
                    "--count, --facet and --exact-syntax are for words, not for --like"
                )
            result = corpus.like(like, within, limit=limit, images=images, order_by=order_by)
        else:
            result = corpus.search(
                " ".join(words or []), within, limit=limit, images=images, count=count,
                facet=facet, exact_syntax=exact_syntax, order_by=order_by,
            )  # fmt: skip
        session.show([result])
        if within is not None:
            tell(session, within)
