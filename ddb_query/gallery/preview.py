"""A few images in a terminal that can show pictures: kitty's or iTerm2's way, else half blocks."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

from ddb_query.fetch.target.folder import Place
from ddb_query.fetch.target.ledger import ledger_of
from ddb_query.fetch.target.rows import rows_with
from ddb_query.fetch.target.shards import stored_images
from ddb_query.fetch.target.validate import FORMATS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from PIL.Image import Image

SIDE = 128
GAP = 8
_CHUNK = 4096
_MOST_SAFE = 0.5


def kind_of_terminal(environment: Mapping[str, str]) -> str | None:
    """How a terminal shows pictures: `kitty`, `iterm`, `blocks`; None when it cannot."""
    program, term = environment.get("TERM_PROGRAM", ""), environment.get("TERM", "")
    if "KITTY_WINDOW_ID" in environment or "kitty" in term or program == "ghostty":
        return "kitty"
    if program in ("iTerm.app", "WezTerm"):
        return "iterm"
    return "blocks" if environment.get("COLORTERM") in ("truecolor", "24bit") else None


def preview(folder: Path, kind: str, columns: int) -> str:
    """What a terminal shows as a row of the first images of a folder; none with a high score.

    Args:
        folder: Where they were fetched into.
        kind: From `kind_of_terminal`.
        columns: How wide the terminal is.
    """
    cells = 8 if kind == "blocks" else 16
    strip = _strip(list(_first_images(folder, max(1, columns // (cells + 2)))))
    if strip is None:
        return ""
    if kind == "blocks":
        return _blocks(strip, columns)
    sink = io.BytesIO()
    strip.save(sink, "PNG")
    data = base64.b64encode(sink.getvalue()).decode()
    if kind == "iterm":
        return f"\x1b]1337;File=inline=1;size={len(sink.getvalue())}:{data}\x07\n"
    return "".join(_kitty(data)) + "\n"


def _first_images(folder: Path, count: int) -> Iterator[bytes]:
    place = Place(folder)
    with ledger_of(place.ledger_path, read_only=True) as ledger:
        chosen = {
            name: file
            for batch, files in rows_with(place.rows_path, ledger.files_of)
            for name, file, score in zip(
                batch.column("image_name").to_pylist(), files,
                batch.column("image_nsfw").to_pylist(), strict=True,
            )
            if score is not None and score <= _MOST_SAFE
        }  # fmt: skip
    for _, (_, data) in zip(range(count), stored_images(folder, chosen), strict=False):
        yield data


def _strip(images: list[bytes]) -> Image | None:
    from PIL import Image

    if not images:
        return None
    strip = Image.new("RGB", (len(images) * (SIDE + GAP) - GAP, SIDE))
    for place, data in enumerate(images):
        with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
            picture.thumbnail((SIDE, SIDE))
            left = place * (SIDE + GAP) + (SIDE - picture.width) // 2
            strip.paste(picture.convert("RGB"), (left, (SIDE - picture.height) // 2))
    return strip


def _kitty(data: str) -> Iterator[str]:
    """Source: kitty's terminal graphics protocol; pieces of at most 4,096 bytes."""
    for start in range(0, len(data), _CHUNK):
        more = int(start + _CHUNK < len(data))
        control = f"f=100,a=T,m={more}" if start == 0 else f"m={more}"
        yield f"\x1b_G{control};{data[start : start + _CHUNK]}\x1b\\"


def _blocks(strip: Image, columns: int) -> str:
    """Two pixels a cell: the upper one in the colour of the sign, the lower one behind it."""
    width = min(columns, strip.width // GAP)
    height = max(2, strip.height * width // strip.width // 2 * 2)
    small = strip.resize((width, height))
    lines = []
    for y in range(0, height, 2):
        cells = []
        for x in range(width):
            upper, lower = small.getpixel((x, y)), small.getpixel((x, y + 1))
            r, g, b = upper  # type: ignore[misc]
            s, h, c = lower  # type: ignore[misc]
            cells.append(f"\x1b[38;2;{r};{g};{b};48;2;{s};{h};{c}m▀")
        lines.append("".join(cells) + "\x1b[0m\n")
    return "".join(lines)
