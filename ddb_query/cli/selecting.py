"""The selection options, which mean the same in every command that takes a selection."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ddb_query.cli.completing import policies, samplers

if TYPE_CHECKING:
    from ddb_query.cli.options import Session
    from ddb_query.selection.selection import Selection

Decorator = Callable[[Callable[..., None]], Callable[..., None]]

_PANEL = "Selection options"


def _option(*names: str, **said: Any) -> Any:
    return typer.Option(*names, rich_help_panel=_PANEL, **said)


@dataclass(frozen=True)
class Selecting:
    """What the selection options say; docs/subsets.md has the order in which they work."""

    subset: Annotated[
        Path | None,
        _option("--from", metavar="FILE", help="Only images that a list of any form names."),
    ] = None
    where: Annotated[
        str | None, _option("--where", metavar="CONDITION", help="SQL condition over images.")
    ] = None
    match: Annotated[
        str | None, _option("--match", metavar="WORDS", help="Prompts that match, as in search.")
    ] = None
    max_image_nsfw: Annotated[
        float | None, _option(metavar="X", min=0, max=1, help="Highest image score.")
    ] = None
    max_prompt_nsfw: Annotated[
        float | None, _option(metavar="X", min=0, max=1, help="Highest prompt score.")
    ] = None
    policy: Annotated[
        str | None,
        _option(
            metavar="NAME|FILE",
            help="Both thresholds: strict, moderate, open, or a file.",
            autocompletion=policies,
        ),
    ] = None
    include_blurred: Annotated[
        bool, _option("--include-blurred", help="Let blurred images pass the image threshold.")
    ] = False
    exclude_blurred: Annotated[
        bool, _option("--exclude-blurred", help="Leave blurred images out, as fetch does.")
    ] = False
    sampler: Annotated[
        list[str] | None,
        _option(metavar="NAME", help="Only this sampler.", autocompletion=samplers),
    ] = None
    user: Annotated[list[str] | None, _option(metavar="NAME", help="Only this user.")] = None
    part: Annotated[list[str] | None, _option(metavar="A[-B]", help="Only these parts.")] = None
    since: Annotated[str | None, _option(metavar="TIME", help="Not before (UTC).")] = None
    until: Annotated[str | None, _option(metavar="TIME", help="Before (UTC).")] = None
    on_disk: Annotated[bool, _option("--on-disk", help="Only images that need no network.")] = False
    one_per: Annotated[
        Literal["prompt", "family", "user"] | None, _option(help="One image for each.")
    ] = None
    max_per: Annotated[
        str | None, _option(metavar="user=K", help="At most K for each prompt, family or user.")
    ] = None
    include_deleted: Annotated[
        bool, _option("--include-deleted", help="Deleted accounts count as a user in these two.")
    ] = False
    sample: Annotated[int | None, _option(min=0, metavar="N", help="So many, by hash.")] = None
    seed: Annotated[int, _option(min=0, metavar="S", help="Another seed, another sample.")] = 0
    stratify: Annotated[
        Literal["sampler", "user", "day", "nsfw-band"] | None, _option(help="Sample from each.")
    ] = None
    shares: Annotated[
        Literal["proportional", "equal"] | None, _option(help="How many from each.")
    ] = None
    order_by: Annotated[
        str | None, _option(metavar="SQL", help="Order; else by part and name.")
    ] = None


def tell(session: Session, selection: Selection) -> None:
    """Say what a person should know of a selection that has been read."""
    for note in selection.notes():
        session.diagnostics.note(note)


def selecting(*, without: Container[str] = ()) -> Decorator:
    """Give a command the selection options; the function gets them as `chosen`, a dict of fields.

    The dict goes to `Corpus.select`; fields that say nothing are left out.

    Args:
        without: Fields that mean nothing to the command.
    """
    taken = [field for field in fields(Selecting) if field.name not in without]

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = [one for one in signature.parameters.values() if one.name != "chosen"]

        @functools.wraps(function)
        def run(*args: Any, **given: Any) -> None:
            said = {field.name: given.pop(field.name) for field in taken}
            chosen = {
                field.name: said[field.name]
                for field in taken
                if said[field.name] not in (field.default, None, [])
            }
            function(*args, chosen=chosen, **given)

        options = [one for one in selection_parameters() if one.name not in without]
        run.__signature__ = signature.replace(  # type: ignore[attr-defined]
            parameters=[*own, *options]
        )
        return run

    return decorate


@functools.cache
def selection_parameters() -> tuple[inspect.Parameter, ...]:
    """The selection options as parameters of a function that typer reads."""
    found = inspect.get_annotations(Selecting, eval_str=True)
    return tuple(
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=field.default,
            annotation=found[field.name],
        )
        for field in fields(Selecting)
    )
