"""The demo dataset's parts: zips whose images are drawn when they are first wanted.

A landscape from the prompt and the seed, the same on every machine with the same pillow; blurred
where the metadata says so. A part's zip grows with what was ever wanted of it.
"""

from __future__ import annotations

import io
import json
import math
import random
import zipfile
from typing import TYPE_CHECKING, Any

from ddb_query.diffusiondb import part_path
from ddb_query.fetch.parts.part_json import COLUMNS, part_json
from ddb_query.fetch.target.rows import BLURRED
from ddb_query.util.atomic_files import locked, make_folder, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from PIL.Image import Image

DRAWN_FROM = (*COLUMNS, "width", "height", "image_nsfw")
_LONG_AGO = (2022, 8, 20, 0, 0, 0)
_HILLS = 3


def demo_part(cache: Path, part_id: int, rows: Sequence[dict[str, Any]]) -> Path:
    """The zip of a demo part that holds the images of these rows, at least.

    Args:
        cache: The cache folder.
        part_id: The part.
        rows: Of the metadata, with `DRAWN_FROM`.
    """
    target = cache / "demo" / part_path("demo", part_id)
    make_folder(target.parent)
    with locked(target):
        known = _contents(target)
        missing = [row for row in rows if row["image_name"] not in known]
        if missing or not target.exists():
            _write(target, known, missing)
    return target


def draw(row: dict[str, Any]) -> bytes:
    """An image as PNG."""
    from PIL import ImageFilter

    dice = random.Random(f"{row['prompt']}\n{row['seed']}")  # noqa: S311 - a picture, no secret
    picture = _landscape(row["width"], row["height"], dice)
    if row["image_nsfw"] == BLURRED:
        picture = picture.filter(ImageFilter.GaussianBlur(max(4, row["width"] // 16)))
    sink = io.BytesIO()
    picture.save(sink, "PNG", compress_level=1)
    return sink.getvalue()


def _landscape(width: int, height: int, dice: random.Random) -> Image:
    from PIL import Image, ImageDraw, ImageOps

    hue = dice.randrange(360)
    shade = Image.linear_gradient("L").resize((width, height))
    picture = ImageOps.colorize(shade, _colour(hue, 45, 30), _colour(hue + 50, 75, 75))
    pen = ImageDraw.Draw(picture)
    x, y, size = dice.random() * width, dice.uniform(0.1, 0.5) * height, width / dice.uniform(6, 14)
    pen.ellipse((x - size, y - size, x + size, y + size), fill=_colour(hue + 60, 90, 88))
    for layer in range(_HILLS):
        ridge = height * (0.55 + 0.15 * layer)
        waves = [(dice.uniform(1, 5), dice.uniform(0, 7), dice.uniform(0.02, 0.09)) for _ in "abc"]
        line = [
            (column, ridge - height * sum(
                a * math.sin(f * math.tau * column / width + p) for f, p, a in waves
            ))
            for column in range(0, width + 8, 8)
        ]  # fmt: skip
        pen.polygon([*line, (width + 8, height), (0, height)], fill=_colour(
            hue + 120 + 25 * layer, 40, 42 - 13 * layer
        ))  # fmt: skip
    return picture


def _colour(hue: int, saturation: int, lightness: int) -> str:
    return f"hsl({hue % 360}, {saturation}%, {lightness}%)"


def _contents(path: Path) -> dict[str, bytes]:
    """Images of the zip as it is; none when it is not there, or damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            return {n: archive.read(n) for n in archive.namelist()}
    except (OSError, zipfile.BadZipFile):
        return {}


def _write(target: Path, known: dict[str, bytes], missing: list[dict[str, Any]]) -> None:
    json_name = f"{target.stem}.json"
    said = json.loads(known.pop(json_name, b"{}")) | part_json(missing)
    with replacing(target) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        drawn = {row["image_name"]: draw(row) for row in missing}
        whole = known | drawn | {json_name: json.dumps(said).encode()}
        for name in sorted(whole):
            archive.writestr(zipfile.ZipInfo(name, _LONG_AGO), whole[name])
