"""The selection options, which mean the same in every command that takes a selection."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Container
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from ddb_query.cli._completion import policies, samplers
from ddb_query.cli._help import OUTPUT, SAMPLING, WHICH_IMAGES, option

if TYPE_CHECKING:
    from ddb_query.api.selection import Selection
    from ddb_query.cli._options import Session

Decorator = Callable[[Callable[..., None]], Callable[..., None]]


@dataclass(frozen=True)
class Selecting:
    """What the selection options say; docs/subsets.md has the order in which they work."""

    subset: Annotated[
        Path | None,
        option(
            WHICH_IMAGES,
            "--from",
            metavar="FILE",
            help="Only the images that a list names: CSV, JSON, text or parquet.",
        ),
    ] = None
    where: Annotated[
        str | None,
        option(
            WHICH_IMAGES,
            "--where",
            metavar="CONDITION",
            help="SQL condition over images, such as 'cfg > 7'.",
        ),
    ] = None
    match: Annotated[
        str | None,
        option(
            WHICH_IMAGES, "--match", metavar="WORDS", help="Prompts that match, as in `ddb search`."
        ),
    ] = None
    max_image_nsfw: Annotated[
        float | None,
        option(WHICH_IMAGES, metavar="X", min=0, max=1, help="Highest NSFW score of the image."),
    ] = None
    max_prompt_nsfw: Annotated[
        float | None,
        option(WHICH_IMAGES, metavar="X", min=0, max=1, help="Highest NSFW score of the prompt."),
    ] = None
    policy: Annotated[
        str | None,
        option(
            WHICH_IMAGES,
            metavar="NAME|FILE",
            help="Both thresholds: strict, moderate, open, or a file.",
            autocompletion=policies,
        ),
    ] = None
    include_blurred: Annotated[
        bool,
        option(
            WHICH_IMAGES, "--include-blurred", help="Let blurred images pass the image threshold."
        ),
    ] = False
    exclude_blurred: Annotated[
        bool,
        option(WHICH_IMAGES, "--exclude-blurred", help="Leave blurred images out, as fetch does."),
    ] = False
    sampler: Annotated[
        list[str] | None,
        option(
            WHICH_IMAGES,
            metavar="NAME",
            help="Only this sampler, such as k_lms; may be given again.",
            autocompletion=samplers,
        ),
    ] = None
    user: Annotated[
        list[str] | None,
        option(
            WHICH_IMAGES,
            metavar="NAME",
            help="Only this user; 8 digits of a name suffice; may be given again.",
        ),
    ] = None
    part: Annotated[
        list[str] | None,
        option(
            WHICH_IMAGES,
            metavar="A[-B]",
            help="Only these parts, such as 1-20; may be given again.",
        ),
    ] = None
    since: Annotated[
        str | None,
        option(
            WHICH_IMAGES,
            metavar="TIME",
            help="Made at this time (UTC) or later, such as 2022-08-10.",
        ),
    ] = None
    until: Annotated[
        str | None, option(WHICH_IMAGES, metavar="TIME", help="Made before this time (UTC).")
    ] = None
    on_disk: Annotated[
        bool, option(WHICH_IMAGES, "--on-disk", help="Only images that need no network.")
    ] = False
    one_per: Annotated[
        Literal["prompt", "family", "user"] | None, option(SAMPLING, help="Only one image of each.")
    ] = None
    max_per: Annotated[
        str | None,
        option(SAMPLING, metavar="user=K", help="At most K of each user; or prompt=K, family=K."),
    ] = None
    include_deleted: Annotated[
        bool,
        option(
            SAMPLING,
            "--include-deleted",
            help="Count the deleted accounts as one user in these two.",
        ),
    ] = False
    sample: Annotated[
        int | None,
        option(
            SAMPLING,
            min=0,
            metavar="N",
            help="Take N images by a hash of their names: everywhere the same.",
        ),
    ] = None
    seed: Annotated[
        int, option(SAMPLING, min=0, metavar="S", help="Another seed takes another sample.")
    ] = 0
    stratify: Annotated[
        Literal["sampler", "user", "day", "nsfw-band"] | None,
        option(SAMPLING, help="Take a share of the sample from each."),
    ] = None
    shares: Annotated[
        Literal["proportional", "equal"] | None,
        option(SAMPLING, help="Shares by size (the default), or equal ones."),
    ] = None
    order_by: Annotated[
        str | None,
        option(
            OUTPUT,
            metavar="SQL",
            help="Order of the rows; by default part and name.",
        ),
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
