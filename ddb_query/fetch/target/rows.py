"""The rows of the images that a folder is to hold: counted, and kept in one parquet file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddb_query.engines.float_bounds import parquet_writer
from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

BLURRED = 2.0
# A row group holds a few parts, so that the rows of one are read without most of the others.
_GROUP_ROWS = 8192
_READ_ROWS = 1024


@dataclass
class Counts:
    """What is told of a selection before and after a fetch.

    Attributes:
        images: Those selected.
        blurred: Of these, blurred by Stable Diffusion itself.
        unsafe: Of these, over 0.5 on either score.
        left_out: Blurred ones that would have been selected from, had they not been left out.
    """

    images: int = 0
    blurred: int = 0
    unsafe: int = 0
    left_out: int = 0


def counted(batches: Iterable[pa.RecordBatch], counts: Counts) -> Iterator[pa.RecordBatch]:
    """The same rows, counted as they go by."""
    import pyarrow.compute as pc

    def where(found: pa.Array) -> pa.Array:
        return pc.fill_null(found, fill_value=False)

    for batch in batches:
        image, prompt = (batch.column(name) for name in ("image_nsfw", "prompt_nsfw"))
        blurred = where(pc.equal(image, BLURRED))
        unsafe = pc.and_(where(pc.greater(image, 0.5)), pc.invert(blurred))
        unsafe = pc.or_(unsafe, where(pc.greater(prompt, 0.5)))
        counts.images += batch.num_rows
        counts.blurred += pc.sum(blurred).as_py() or 0
        counts.unsafe += pc.sum(unsafe).as_py() or 0
        yield batch


def keep_rows(
    path: Path, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
) -> Iterator[pa.RecordBatch]:
    """Put rows into a file, with those rows of the file before that are not among them.

    Yields each new batch once it is written; the file is in place when all were taken.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    old = pq.ParquetFile(path) if path.exists() else None
    whole = pa.unify_schemas([schema, old.schema_arrow]) if old else schema
    names: set[str] = set()
    with replacing(path) as temporary, parquet_writer(temporary, whole) as writer:
        for batch in batches:
            writer.write_batch(_fitted(batch, whole), _GROUP_ROWS)
            if old:
                names.update(batch.column("image_name").to_pylist())
            yield batch
        for batch in old.iter_batches(_GROUP_ROWS) if old else ():
            kept = [name not in names for name in batch.column("image_name").to_pylist()]
            left = batch.filter(pa.array(kept, pa.bool_()))
            writer.write_batch(_fitted(left, whole), _GROUP_ROWS)
    give_memory_back()


def give_memory_back() -> None:
    """Let the system have what Arrow and the C library keep for later."""
    import pyarrow as pa

    for pool in (pa.default_memory_pool(), pa.system_memory_pool()):
        pool.release_unused()


def rows_of_part(path: Path, part_id: int, columns: Iterable[str]) -> list[dict[str, Any]]:
    """The kept rows of one part."""
    import pyarrow.parquet as pq

    found: list[dict[str, Any]] = pq.read_table(
        path, columns=list(columns), filters=[("part_id", "=", part_id)]
    ).to_pylist()
    return found


def rows_with(
    path: Path, files_of: Callable[[list[str]], dict[str, str]]
) -> Iterator[tuple[pa.RecordBatch, list[str]]]:
    """The kept rows of images that have a file, with the files; a batch at a time.

    Args:
        path: The kept rows.
        files_of: Gives the files of those of these images that have one, by name.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(_READ_ROWS, use_threads=False):
            names = batch.column("image_name").to_pylist()
            files = files_of(names)
            found = batch.filter(pa.array([name in files for name in names], pa.bool_()))
            if found.num_rows:
                yield found, [files[name] for name in names if name in files]


def _fitted(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """A batch with all columns of a schema, those that it lacks all NULL."""
    import pyarrow as pa

    have = set(batch.schema.names)
    columns = [
        batch.column(field.name).cast(field.type)
        if field.name in have
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
