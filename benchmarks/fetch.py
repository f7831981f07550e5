"""Fetching images beside what people do today, from a Hub on loopback with latency and a link.

    python benchmarks/fetch.py [--tries 3]
    python benchmarks/fetch.py --memory FOLDER

The Hub (`tests/support/hub.py`) runs in a process of its own, waits 50 ms before each answer, and
shares its link between all connections. Beside `ddb_query.fetch.run` with 16 jobs: remotezip, one
member after the other, and whole parts one after the other with ddb's own download. Every try has
a new folder and a new cache, so that nothing is known before. Cases:

- `one-part`: 20 images of one part.
- `spread`: 80 images of 16 parts, five each: what a query gives.
- `large`: 40 members of 3 MB from 4 parts: is the link full?

With `--memory`, the most memory of a whole `ddb fetch` of 100,000 images, from the folder's
`metadata-large.parquet`: small images, and one in a hundred as large as they really are.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import random
import sys
import tempfile
import time
import uuid
import zipfile
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
from harness import ddb, measure, record
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "support"))
from fetching import zipped
from hub import REPOSITORY_PATH, LoopbackHub

from ddb_query.diffusiondb import part_path
from ddb_query.fetch.options import FetchOptions
from ddb_query.fetch.parts.zip_directory import TAIL_BYTES
from ddb_query.fetch.run import fetch
from ddb_query.hub.config import Hub
from ddb_query.hub.download import download
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

LATENCY_SECONDS = 0.05
MEMORY_PARTS = 100
COLUMNS = (
    "image_name", "prompt", "part_id", "seed", "step", "cfg", "sampler", "width", "height",
    "user_name", "image_nsfw", "prompt_nsfw",
)  # fmt: skip


@dataclass(frozen=True)
class Case:
    """What is fetched from what: parts of so many images of that side, some of each wanted."""

    name: str
    parts: int
    images: int
    side: int
    wanted: int
    bytes_per_second: float

    def names(self, part: int) -> list[str]:
        """Names of a part's images."""
        chance = random.Random(f"{self.name} {part}")
        return [f"{uuid.UUID(int=chance.getrandbits(128))}.png" for _ in range(self.images)]

    def chosen(self, part: int) -> list[str]:
        """Those that are wanted, at random places."""
        return random.Random(part).sample(self.names(part), self.wanted)

    def files(self) -> dict[str, bytes]:
        """The parts' zips; their images are noise, of which there are ten different ones."""
        pictures = [_picture(number, self.side) for number in range(10)]
        return {part_path("2m", n): self._zip(n, pictures) for n in range(1, self.parts + 1)}

    def _zip(self, part: int, pictures: list[bytes]) -> bytes:
        sink = io.BytesIO()
        with zipfile.ZipFile(sink, "w") as archive:
            for number, name in enumerate(self.names(part)):
                archive.writestr(name, pictures[number % len(pictures)])
        return sink.getvalue()


CASES = (
    Case("one-part", 1, 150, 230, 20, 40e6),
    Case("spread", 16, 120, 230, 5, 40e6),
    Case("large", 4, 30, 1000, 10, 40e6),
)


def main() -> None:
    """Run all cases, and write the results down."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tries", type=int, default=3)
    parser.add_argument("--memory", type=Path, metavar="FOLDER")
    chosen = parser.parse_args()
    if chosen.memory:
        _memory(chosen.memory / "metadata-large.parquet")
    else:
        _all_cases(chosen.tries)


def _all_cases(tries: int) -> None:
    rows: list[dict[str, object]] = []
    for case in CASES:
        with _Server(case) as server:
            rows += _compared(case, server, tries)
    record("fetch", rows)


def _memory(table: Path) -> None:
    """Measure a whole command: peak of its resident memory, and its seconds."""
    chosen = pq.read_table(
        table, columns=["image_name", "part_id", "width", "height"],
        filters=[("part_id", "<=", MEMORY_PARTS)],
    )  # fmt: skip
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve_rows, args=(chosen.to_pylist(), there), daemon=True)
    process.start()
    os.environ["HF_ENDPOINT"] = here.recv()
    with tempfile.TemporaryDirectory() as folder:
        command = ddb(
            "--data-dir", str(table.parent), "--dataset", "large", "fetch", "--yes",
            "--part", f"1-{MEMORY_PARTS}", "--include-blurred", "-o", f"{folder}/images",
        )  # fmt: skip
        (found,) = measure(command, tries=1)
        images = len(list(Path(folder, "images").glob("*.webp")))
    process.terminate()
    if images != chosen.num_rows:
        raise SystemExit(f"{images} images are not all")
    record("fetch-memory", [{"images": images, **asdict(found)}], table)


def _serve_rows(rows: list[dict[str, Any]], pipe: Connection) -> None:
    small, real = (
        [_picture(number, side, "WEBP") for number in range(4)] for side in (32, 512)
    )  # fmt: skip
    parts: dict[int, list[tuple[str, bytes]]] = {}
    for number, row in enumerate(rows):
        fits = row["width"] * row["height"] >= 512 * 512
        picture = (real if number % 100 == 0 and fits else small)[number // 100 % 4]
        parts.setdefault(row["part_id"], []).append((row["image_name"], picture))
    with LoopbackHub({part_path("large", n): zipped(files) for n, files in parts.items()}) as hub:
        for path in hub.files:
            hub.sha256(path)
        pipe.send(hub.endpoint)
        pipe.poll(None)


def _compared(case: Case, server: _Server, tries: int) -> list[dict[str, object]]:
    tools: dict[str, Callable[[Case, str, Path], int]] = {
        "ddb, 16 jobs": _ddb, "remotezip, one by one": _remotezip, "whole parts": _whole
    }  # fmt: skip
    measured = {name: server.measure(partial(tool, case), tries) for name, tool in tools.items()}
    images = case.parts * case.wanted
    members = sum(
        len(_picture(case.names(part).index(name) % 10, case.side))
        for part in range(1, case.parts + 1) for name in case.chosen(part)
    )  # fmt: skip
    best = measured["ddb, 16 jobs"]["seconds"]
    return [
        {
            "case": case.name, "tool": name, "images": images, **found,
            "images_per_second": round(images / found["seconds"], 1),
            "times_as_long_as_ddb": round(found["seconds"] / best, 2),
            "bytes_over_members": round(found["bytes"] / members, 3),
            "seconds_over_link": round(found["seconds"] * case.bytes_per_second / members, 2),
        }
        | _beyond_directories(name, found, case, members)
        for name, found in measured.items()
    ]  # fmt: skip


def _beyond_directories(
    tool: str, found: dict[str, Any], case: Case, members: int
) -> dict[str, object]:
    """Of ddb: bytes beside those of the directories, over the members' own."""
    if not tool.startswith("ddb"):
        return {}
    return {"members_alone": round((found["bytes"] - case.parts * TAIL_BYTES) / members, 3)}


def _ddb(case: Case, endpoint: str, folder: Path) -> int:
    rows = [
        (name, "a prompt", part, 1, 50, 7.0, 8, case.side, case.side, "someone", 0.0, 0.0)
        for part in range(1, case.parts + 1) for name in sorted(case.chosen(part))
    ]  # fmt: skip
    table = pa.table(dict(zip(COLUMNS, map(list, zip(*rows, strict=True)), strict=True)))
    settings = Settings(data_dir=folder / "data", cache_dir=folder / "cache")
    done = fetch(table.to_reader(), folder / "out", "2m", FetchOptions(), settings, Hub(endpoint))
    return done.new


def _remotezip(case: Case, endpoint: str, folder: Path) -> int:
    from remotezip import RemoteZip

    fetched = 0
    for part in range(1, case.parts + 1):
        address = f"{endpoint}{REPOSITORY_PATH}main/{part_path('2m', part)}"
        with RemoteZip(address) as archive:
            for name in case.chosen(part):
                archive.extract(name, folder)
                fetched += 1
    return fetched


def _whole(case: Case, endpoint: str, folder: Path) -> int:
    fetched = 0
    for part in range(1, case.parts + 1):
        target = folder / f"{part}.zip"
        download(
            Hub(endpoint), part_path("2m", part), target,
            progress=lambda *_: None, on_note=lambda _: None,
        )  # fmt: skip
        with zipfile.ZipFile(target) as archive:
            for name in case.chosen(part):
                archive.extract(name, folder)
                fetched += 1
    return fetched


class _Server:
    """The Hub of a case, in a process of its own."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._here, there = multiprocessing.Pipe()
        self._process = multiprocessing.get_context("spawn").Process(
            target=_serve, args=(case, there), daemon=True
        )

    def __enter__(self) -> _Server:
        self._process.start()
        self._endpoint: str = self._here.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._here.send("stop")
        self._process.join()

    def measure(self, tool: Callable[[str, Path], int], tries: int) -> dict[str, Any]:
        """Seconds of the best try, and what it asked for."""
        seconds = []
        for _ in range(tries):
            self._asked()
            with tempfile.TemporaryDirectory() as folder:
                started = time.perf_counter()
                fetched = tool(self._endpoint, Path(folder))
                seconds.append(round(time.perf_counter() - started, 3))
            if fetched != self._case.parts * self._case.wanted:
                raise SystemExit(f"{fetched} images are not all")
            asked = self._asked()
        return {"seconds": min(seconds), "tries": seconds, **asked}

    def _asked(self) -> dict[str, int]:
        self._here.send("asked")
        found: dict[str, int] = self._here.recv()
        return found


def _serve(case: Case, pipe: Connection) -> None:
    with LoopbackHub(
        case.files(), latency_seconds=LATENCY_SECONDS, bytes_per_second=case.bytes_per_second
    ) as hub:
        for path in hub.files:
            hub.sha256(path)
        pipe.send(hub.endpoint)
        while pipe.recv() == "asked":
            pipe.send({
                "resolves": len(hub.asked("hub")), "reads": len(hub.asked("cdn")),
                "bytes": hub.sent_bytes,
            })  # fmt: skip
            hub.requests.clear()
            hub.sent_bytes = 0


def _picture(number: int, side: int, form: str = "PNG") -> bytes:
    noise = random.Random(number).randbytes(side * side * 3)
    sink = io.BytesIO()
    Image.frombytes("RGB", (side, side), noise).save(sink, form, compress_level=1, lossless=True)
    return sink.getvalue()


if __name__ == "__main__":
    main()
