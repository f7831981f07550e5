"""Builds a store: each table is a view of `sql/views/`, made once and written down.

The folder is built under a name of its own and renamed, so that a kill at any moment leaves the
old store or none. Two builds of one store take turns, and the second finds it done.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation, Result
from ddb_query.errors import OutputError
from ddb_query.files import locked, make_folder
from ddb_query.store.place import INDEX, Store, write_manifest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.engines.duckdb import DuckDBEngine
    from ddb_query.progress import Progress

# Images: the larger a row group, the more prompts share its dictionary. Prompts: sorted by
# prompt_id in small ones, so that the few that a search finds are read without the rest.
_ROW_GROUP_ROWS = {"images": 491_520, "prompts": 20_480, "users": 122_880, "terms": 122_880}
_LONGEST_DICTIONARY_BYTES = 1 << 28

# Text that recurs: a dictionary, and worth a slower codec. Numbers that do not recur are plain.
_DICTIONARIES = {
    "images": [
        "prompt", "part_id", "step", "width", "height", "cfg", "sampler", "user_name",
        "timestamp", "prompt_id",
    ],
    "users": [],
    "prompts": [],
    "terms": [],
}  # fmt: skip
_SLOW_CODEC = {"prompt", "text", "term"}

_IMAGES = """
select {name} as image_name, * exclude (image_name, prompt_id), prompt_id
from source.metadata
"""
_UUIDS = """
select coalesce(bool_and(
    concat(try_cast(left(image_name, 36) as uuid), substr(image_name, 37)) = image_name
    and substr(image_name, 37) = image_suffix()
), false)
from source.metadata
"""
_INDEXED = """
select prompt_id, images, text, prompt_artists(prompt) as artists
from prompts
order by images desc, prompt_id
"""
_INDEX_BATCH_ROWS = 20_000
_STEP_SECONDS = 0.2
_PROMPTS = "select * from prompts order by prompt_id"
_DERIVED = {
    "users": "select * from users order by images desc, user_name",
    "terms": "select * from terms order by prompts desc, term",
}


def build(
    store: Store,
    source: Path,
    open_over: Callable[[Path | None], DuckDBEngine],
    progress: Progress | None = None,
) -> bool:
    """Build a store, unless it is there.

    Args:
        store: Which one.
        source: The metadata table.
        open_over: Opens an engine with the views over the table, or over a half-built store.
        progress: Told of the rows of every table.

    Returns:
        Whether it had to be built.

    Raises:
        OutputError: The cache folder cannot be written, or the disk is full.
        SqlError: The engine failed.
    """
    make_folder(store.folder.parent)
    with locked(store.folder):
        if store.whole:
            return False
        with _renamed(store.folder) as folder:
            _write_all(folder, open_over, progress)
            write_manifest(folder, source, store.dataset)
    return True


def _write_all(
    folder: Path, open_over: Callable[[Path | None], DuckDBEngine], progress: Progress | None
) -> None:
    with contextlib.closing(open_over(None)) as engine:
        name = "cast(left(image_name, 36) as uuid)" if _all_uuids(engine) else "image_name"
        _write(engine, _IMAGES.format(name=name), folder / "images.parquet", progress)
    with contextlib.closing(open_over(folder)) as engine:
        _write(engine, _PROMPTS, folder / "prompts.parquet", progress)
    with (
        contextlib.closing(open_over(folder)) as engine,
        _indexing(engine.cursor(), folder / INDEX, progress),
    ):
        for table, sql in _DERIVED.items():
            _write(engine, sql, folder / f"{table}.parquet", progress)


def _all_uuids(engine: DuckDBEngine) -> bool:
    """Whether every image name is a UUID and the dataset's ending, which take 16 bytes."""
    answer = engine.answer(Relation(_UUIDS))
    return answer is not None and next(answer.cells()) == ("true",)


def _write(engine: DuckDBEngine, sql: str, path: Path, progress: Progress | None) -> None:
    import pyarrow.parquet as pq

    with engine.lossless():
        rows = _ROW_GROUP_ROWS[path.stem]
        reader = Result(engine.answer(Relation(sql))).reader(rows)
        names = reader.schema.names
        with pq.ParquetWriter(
            path,
            reader.schema,
            use_dictionary=_DICTIONARIES[path.stem],
            compression={name: "zstd" if name in _SLOW_CODEC else "snappy" for name in names},
            compression_level={name: 1 for name in names if name in _SLOW_CODEC},
            dictionary_pagesize_limit=_LONGEST_DICTIONARY_BYTES,
        ) as writer:
            for table in _row_groups(reader, rows, path.stem, progress):
                writer.write_table(table, row_group_size=rows)


def index_rows(engine: DuckDBEngine) -> Iterator[tuple[int, int, str, str]]:
    """The prompts as the search index takes them: prompt_id, images, text, artists."""
    for batch in Result(engine.answer(Relation(_INDEXED))).reader(_INDEX_BATCH_ROWS):
        yield from zip(*(column.to_pylist() for column in batch.columns), strict=True)


@contextlib.contextmanager
def _indexing(engine: DuckDBEngine, folder: Path, progress: Progress | None) -> Iterator[None]:
    """Build the index beside the work of the block, and be done with it at its end.

    The index is written by one thread, to keep its order; the other tables have the other cores.
    """
    from ddb_query.search.index import build as build_index

    stopped = threading.Event()

    def rows() -> Iterator[tuple[int, int, str, str]]:
        for row in index_rows(engine):
            if stopped.is_set():
                return
            yield row

    folder.mkdir()
    with ThreadPoolExecutor(1, "ddb-index") as pool:
        indexed = pool.submit(build_index, folder, rows(), progress=progress)
        try:
            yield
            while not indexed.done():
                # Waits in steps, so that Ctrl-C is noticed.
                wait([indexed], _STEP_SECONDS)
        except BaseException:
            stopped.set()
            engine.interrupt()
            raise
        indexed.result()


def _row_groups(
    reader: pa.RecordBatchReader, rows: int, label: str, progress: Progress | None
) -> Iterator[pa.Table]:
    """Tables of about so many rows, whatever batches the engine gives."""
    import pyarrow as pa

    batches: list[pa.RecordBatch] = []
    waiting = written = 0
    for batch in reader:
        batches.append(batch)
        waiting += batch.num_rows
        if waiting >= rows:
            yield pa.Table.from_batches(batches)
            written += waiting
            batches, waiting = [], 0
            if progress:
                progress(written, None, "rows", f"building {label}")
    if batches:
        yield pa.Table.from_batches(batches)


@contextlib.contextmanager
def _renamed(target: Path) -> Iterator[Path]:
    """A new folder that takes the name of `target` when the block ends well."""
    for litter in target.parent.glob(f"{target.name}.building-*"):
        shutil.rmtree(litter, ignore_errors=True)
    folder = target.with_name(f"{target.name}.building-{os.getpid()}")
    try:
        folder.mkdir()
        yield folder
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)
    except OSError as error:
        raise OutputError(target, error.strerror or str(error)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
