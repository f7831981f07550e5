"""Images packed into shards: tar files as webdataset reads them, or parquet as the Hub has it."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import math
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddb_query.engines.float_bounds import parquet_writer
from ddb_query.errors import OutputError
from ddb_query.fetch.target.rows import rows_with
from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.fetch.target.folder import Place
    from ddb_query.fetch.target.ledger import Ledger

SHARD_IMAGES = 1000
TAR, PARQUET_ENDING = ".tar", ".parquet"
_STAGED = ".ddb/images/"
_GROUP_IMAGES = 64


@dataclass(frozen=True)
class Shards:
    """Images packed into shards of 1,000, in the order of parts and names.

    Attributes:
        name: What the ledger calls it.
        ending: Of the shards' names.
        write: Writes one shard of image files and their rows.
    """

    name: str
    ending: str
    write: Callable[[Path, Iterator[tuple[Path, pa.RecordBatch]]], None]

    def file(self, image_name: str, sampler: int | None, image_nsfw: float | None) -> str:  # noqa: ARG002 - has no classes
        """Where an image waits to be packed."""
        return _STAGED + image_name

    def finish(self, place: Place, ledger: Ledger) -> None:
        """Pack what waits; a shard is in place, then in the ledger, and then its files go."""
        shards = ledger.shards()

        def waiting(names: list[str]) -> dict[str, str]:
            files = ledger.files_of(names)
            return {name: file for name, file in files.items() if file.startswith(_STAGED)}

        free = (name for name in map(self._shard, itertools.count()) if name not in shards)
        rows = (
            (place.folder / file, batch.slice(row, 1))
            for batch, files in rows_with(place.rows_path, waiting)
            for row, file in enumerate(files)
        )
        while group := list(itertools.islice(rows, SHARD_IMAGES)):
            self._pack(place, ledger, next(free), group)
        with contextlib.suppress(OSError):
            (place.folder / _STAGED).rmdir()

    def _pack(
        self, place: Place, ledger: Ledger, shard: str, images: list[tuple[Path, pa.RecordBatch]]
    ) -> None:
        try:
            with replacing(place.folder / shard) as temporary:
                self.write(temporary, iter(images))
        except OSError as error:
            raise OutputError(place.folder / shard, error.strerror or str(error)) from error
        ledger.move((path.name for path, _ in images), shard)
        ledger.commit()
        for path, _ in images:
            path.unlink(missing_ok=True)

    def _shard(self, number: int) -> str:
        return f"images-{number:06d}{self.ending}"


def stored_images(folder: Path, files: Mapping[str, str]) -> Iterator[tuple[str, bytes]]:
    """Names and bytes of fetched images, read from files and shards alike, file by file.

    Args:
        folder: Where they were fetched into.
        files: The file of each, as the ledger has it.
    """
    for file in dict.fromkeys(files.values()):
        path = folder / file
        if file.endswith(TAR):
            with tarfile.open(path) as archive:
                for member in archive:
                    content = archive.extractfile(member) if member.name in files else None
                    if content is not None:
                        yield member.name, content.read()
        elif file.endswith(PARQUET_ENDING):
            import pyarrow.parquet as pq

            with pq.ParquetFile(path) as shard:
                for batch in shard.iter_batches(_GROUP_IMAGES, columns=["image"]):
                    for image in batch.column("image").to_pylist():
                        yield image["path"], image["bytes"]
        else:
            yield path.name, path.read_bytes()


def plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row as JSON takes it: times in ISO 8601, no NaN and no infinity."""
    return {name: _plain(value) for name, value in row.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if hasattr(value, "isoformat"):
        return value.isoformat() + ("" if value.tzinfo else "Z")
    return value


def _write_tar(target: Path, pairs: Iterator[tuple[Path, pa.RecordBatch]]) -> None:
    """A webdataset shard: each image, and beside it its row as JSON."""
    with tarfile.open(target, "w", format=tarfile.USTAR_FORMAT) as archive:
        for path, row in pairs:
            about = json.dumps(plain(row.to_pylist()[0]), ensure_ascii=False).encode()
            for name, data in ((path.name, path.read_bytes()), (f"{path.stem}.json", about)):
                info = tarfile.TarInfo(name)
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))


def _write_parquet(target: Path, pairs: Iterator[tuple[Path, pa.RecordBatch]]) -> None:
    """A shard with the Hub's `Image` struct: the bytes and the name; 64 images a row group."""
    import pyarrow as pa

    image = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    features = {"info": {"features": {"image": {"_type": "Image"}}}}
    writer = None
    while group := list(itertools.islice(pairs, _GROUP_IMAGES)):
        table = pa.Table.from_batches([row for _, row in group])
        images = [{"bytes": path.read_bytes(), "path": path.name} for path, _ in group]
        table = table.add_column(0, pa.field("image", image), pa.array(images, image))
        table = table.replace_schema_metadata({"huggingface": json.dumps(features)})
        writer = writer or parquet_writer(target, table.schema)
        writer.write_table(table)
    if writer:
        writer.close()


WEBDATASET = Shards("webdataset", TAR, _write_tar)
PARQUET = Shards("parquet", PARQUET_ENDING, _write_parquet)
