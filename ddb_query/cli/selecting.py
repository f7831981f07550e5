"""The selection options, which mean the same in every command that takes a selection."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

Where = Annotated[
    str | None, typer.Option("--where", metavar="CONDITION", help="SQL condition over images.")
]
MaxImageNsfw = Annotated[
    float | None, typer.Option(metavar="X", min=0, max=1, help="Highest image score.")
]
MaxPromptNsfw = Annotated[
    float | None, typer.Option(metavar="X", min=0, max=1, help="Highest prompt score.")
]
Policy = Annotated[
    Literal["strict", "moderate", "open"] | None, typer.Option(help="Both thresholds at once.")
]
IncludeBlurred = Annotated[
    bool, typer.Option("--include-blurred", help="Let blurred images pass the image threshold.")
]
Sampler = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this sampler.")]
User = Annotated[list[str] | None, typer.Option(metavar="NAME", help="Only this user.")]
Part = Annotated[list[str] | None, typer.Option(metavar="A[-B]", help="Only these parts.")]
Since = Annotated[str | None, typer.Option(metavar="TIME", help="Not before (UTC).")]
Until = Annotated[str | None, typer.Option(metavar="TIME", help="Before (UTC).")]
