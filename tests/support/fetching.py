"""What the tests of fetching share: parts of real images, their rows, and one who fetches."""

from __future__ import annotations

import hashlib
import io
import json
import random
import uuid
import zipfile
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
from PIL import Image

from ddb_query.diffusiondb import part_path
from ddb_query.fetch.options import FetchOptions, FetchResult
from ddb_query.fetch.run import fetch
from ddb_query.fetch.target.folder import Place
from ddb_query.fetch.target.ledger import ledger_of
from ddb_query.hub.config import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from ddb_query.settings import Settings

SCHEMA = pa.schema([
    ("image_name", pa.string()), ("prompt", pa.string()), ("part_id", pa.int32()),
    ("seed", pa.int64()), ("step", pa.int32()), ("cfg", pa.float64()), ("sampler", pa.int32()),
    ("width", pa.int64()), ("height", pa.int64()), ("user_name", pa.string()),
    ("timestamp", pa.timestamp("us")), ("image_nsfw", pa.float64()), ("prompt_nsfw", pa.float64()),
])  # fmt: skip
# Noise does not compress: an image has about 9 KB, so that a part is larger than the tail read.
SIDE = 54
Row = dict[str, Any]


def name_of(number: int, suffix: str = "png") -> str:
    """An image name, the same for the same number."""
    return f"{uuid.UUID(int=random.Random(number).getrandbits(128))}.{suffix}"


def picture(number: int, side: int = SIDE, form: str = "PNG") -> bytes:
    """The file of an image of noise."""
    noise = random.Random(number).randbytes(side * side * 3)
    sink = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(sink, form, lossless=True)
    return sink.getvalue()


def row(number: int, part_id: int, **changes: object) -> Row:
    """The metadata of an image."""
    return {
        "image_name": name_of(number), "prompt": f"a castle, number {number}", "part_id": part_id,
        "seed": number, "step": 50, "cfg": 7.5, "sampler": 8, "width": SIDE, "height": SIDE,
        "user_name": "someone", "timestamp": datetime(2022, 8, 10), "image_nsfw": 0.05,
        "prompt_nsfw": 0.01, **changes,
    }  # fmt: skip


def part_json(rows: Iterable[Row]) -> bytes:
    """The JSON that a part carries."""
    return json.dumps({
        r["image_name"]: {"p": r["prompt"], "se": r["seed"], "c": r["cfg"], "st": r["step"],
                          "sa": "k_lms"}
        for r in rows
    }).encode()  # fmt: skip


def zipped(files: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_STORED) -> bytes:
    """A zip of files."""
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in files:
            archive.writestr(name, data)
    return sink.getvalue()


def made_part(rows: Sequence[Row], method: int = zipfile.ZIP_STORED) -> bytes:
    """A part's zip with the images of these rows, in their order, and its JSON at the end."""
    pictures = [(r["image_name"], picture(r["seed"])) for r in rows]
    name = f"part-{rows[0]['part_id']:06d}.json"
    return zipped([*pictures, (name, part_json(rows))], method)


def rows_of(part_id: int, count: int = 60) -> list[Row]:
    """The metadata of a part."""
    return [row(1000 * part_id + number, part_id) for number in range(count)]


@dataclass
class Fetcher:
    """One who fetches from a Hub into a folder, and remembers what was said; waits take no time."""

    endpoint: str
    folder: Path
    settings: Settings
    dataset: str = "2m"
    token: str | None = None
    offline: bool = False
    notes: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    sleep: Callable[[float], None] | None = None

    def hub(self) -> Hub:
        return Hub(
            self.endpoint, self.token, offline=self.offline, read_timeout_seconds=0.5,
            sleep=self.sleep or self.waits.append,
        )  # fmt: skip

    def fetch(self, rows: Sequence[Row], **order: Any) -> FetchResult:
        ordered = sorted(rows, key=lambda r: (r["part_id"], str(r["image_name"])))
        batches = [
            pa.RecordBatch.from_pylist(ordered[at : at + 50], schema=SCHEMA)
            for at in range(0, len(ordered), 50)
        ]
        return fetch(
            pa.RecordBatchReader.from_batches(SCHEMA, batches), self.folder, self.dataset,
            replace(FetchOptions(jobs=4), **order), self.settings, self.hub(),
            on_note=self.notes.append,
        )  # fmt: skip

    def into(self, folder: Path) -> Fetcher:
        return replace(self, folder=folder)

    def files(self) -> dict[str, bytes]:
        """All images in the folder by name."""
        return {p.name: p.read_bytes() for p in self.folder.rglob("*.png") if ".ddb" not in p.parts}

    def ledger(self) -> dict[str, tuple[str, int | None, str | None, str | None]]:
        """What the ledger says: state, bytes, sha256 and error by name."""
        with ledger_of(Place(self.folder).ledger_path, read_only=True) as ledger:
            return {
                name: (state, size, sha256, error)
                for name, state, size, sha256, error in ledger._all(
                    "select image_name, state, bytes, sha256, error from images"
                )
            }

    def assert_right(self, rows: Iterable[Row]) -> None:
        """Have just these images, right to the byte, and the ledger agree."""
        wanted = {r["image_name"]: picture(r["seed"]) for r in rows}
        assert self.files() == wanted
        fetched = {n: found for n, found in self.ledger().items() if found[0] == "fetched"}
        assert fetched == {
            name: ("fetched", len(data), hashlib.sha256(data).hexdigest(), None)
            for name, data in wanted.items()
        }
        assert not list((self.folder / ".ddb" / "new").iterdir())


def path_of(part_id: int, dataset: str = "2m") -> str:
    return part_path(dataset, part_id)
