"""The directories of parts seen so far: one parquet file a part, shared by all that runs here.

A file is named by dataset, part, where the part lies, and what tells this version of it from
others. It appears whole (`files.replacing`), and is never changed: runs need no lock. SQL shows
them as `members`.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import is_image_name
from ddb_query.fetch.parts.part_bytes import HUB
from ddb_query.fetch.parts.zip_directory import Member, by_published_name
from ddb_query.util.atomic_files import make_folder, replacing

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.fetch.parts.part_bytes import Part
    from ddb_query.fetch.parts.reader import PartReader

MOST_BYTES = 1_000_000_000


class DirectoryCache:
    """The directories of one dataset's parts, in a folder of the cache."""

    def __init__(self, folder: Path, dataset: str) -> None:
        self._dataset = dataset
        self._folder = folder / dataset
        # Arrow keeps a heap for each thread that it works in: 90 MB for those of a crew.
        self._files = ThreadPoolExecutor(1, "directories")

    def of(self, part_id: int, reader: PartReader) -> list[Member]:
        """A part's members by their place in it; read from it where they are not known yet.

        Raises:
            DamagedPartError: It is no zip, or its directory lies.
            NoRangesError: Its server gives no pieces of files.
            HubError: It does not come.
        """
        part = reader.part
        path = self.path(part_id, part)
        members = self._files.submit(_read, path).result() if path else None
        if members is None:
            members = reader.directory()
            self._keep(part_id, part, members)
        elif path:
            # What was used last is the last to go.
            with contextlib.suppress(OSError):
                os.utime(path)
        return members

    def newest(self, part_id: int) -> list[Member] | None:
        """The members of a part on the Hub as seen last, whatever its version, for estimates."""
        found = list(self._folder.glob(f"part-{part_id:06d}-{HUB}-*.parquet"))
        newest = max(found, key=_used_at, default=None)
        return self._files.submit(_read, newest).result() if newest else None

    def known(self) -> set[int]:
        """Numbers of the parts that were seen on the Hub."""
        return {int(path.name[5:11]) for path in self._folder.glob(f"part-*-{HUB}-*.parquet")}

    def path(self, part_id: int, part: Part) -> Path | None:
        """Where the directory of just this version of a part is kept; None if nothing tells it."""
        if part.etag is None:
            return None
        version = hashlib.sha256(part.etag.encode()).hexdigest()[:16]
        return self._folder / f"part-{part_id:06d}-{part.origin}-{version}.parquet"

    def drop(self, part_id: int) -> None:
        """Forget a part on the Hub: it is not what it was."""
        for path in self._folder.glob(f"part-{part_id:06d}-{HUB}-*.parquet"):
            path.unlink(missing_ok=True)

    def shrink(self, most_bytes: int = MOST_BYTES) -> None:
        """Remove what was not used for longest, until the rest fits."""
        found = sorted(self._folder.parent.glob("*/part-*.parquet"), key=_used_at, reverse=True)
        total = 0
        for path in found:
            with contextlib.suppress(OSError):
                total += path.stat().st_size
                if total > most_bytes:
                    path.unlink()

    def _keep(self, part_id: int, part: Part, members: list[Member]) -> None:
        """Keep a part's members, in place of those of its other versions from the same origin."""
        path = self.path(part_id, part)
        if path is None:
            return
        make_folder(self._folder)
        same = (self._dataset, part_id, part.source, part.etag or "")
        self._files.submit(_write, path, same, members).result()
        for other in self._folder.glob(f"part-{part_id:06d}-{part.origin}-*.parquet"):
            if other != path:
                other.unlink(missing_ok=True)


def _write(path: Path, same: tuple[str, int, str, str], members: list[Member]) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    dataset, part_id, source, etag = same
    names, offsets, stops, compressed, sizes, crcs, methods = (
        zip(*members, strict=True) if members else ((),) * 7
    )
    count = len(members)
    images = {member: name for name, member in by_published_name(members).items()}
    image_names = [n if is_image_name(n := images.get(member, "")) else None for member in members]
    table = pa.table({
        "dataset": pa.array([dataset] * count, pa.string()),
        "part_id": pa.array([part_id] * count, pa.int32()),
        "image_name": pa.array(image_names, pa.string()),
        "entry": pa.array(names, pa.string()),
        "header_offset": pa.array(offsets, pa.int64()),
        "compressed_size": pa.array(compressed, pa.int64()),
        "size": pa.array(sizes, pa.int64()),
        "crc32": pa.array(crcs, pa.int64()),
        "method": pa.array(methods, pa.int32()),
        "source": pa.array([source] * count, pa.string()),
        "etag": pa.array([etag] * count, pa.string()),
        "stop": pa.array(stops, pa.int64()),
    })  # fmt: skip
    with replacing(path) as temporary:
        pq.write_table(table, temporary, compression="zstd")


def _read(path: Path) -> list[Member] | None:
    """What a file holds; None when it is not there, or not whole."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    columns = ["entry", "header_offset", "stop", "compressed_size", "size", "crc32", "method"]
    try:
        table = pq.ParquetFile(path).read(columns)
        return list(map(Member, *(table[name].to_pylist() for name in columns)))
    except (OSError, KeyError, TypeError, pa.ArrowException):
        return None


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
