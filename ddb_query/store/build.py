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
from ddb_query.engines.float_bounds import parquet_writer
from ddb_query.errors import OutputError
from ddb_query.store.paths import INDEX, Store, write_manifest
from ddb_query.util.atomic_files import locked, make_folder
from ddb_query.util.background import behind, waited_for
from ddb_query.util.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.util.progress import Progress

# Images: the larger a row group, the more prompts share its dictionary; the smaller, the less is
# read for the first rows of a part. Prompts: sorted by prompt_id in small ones, so that the few
# that a search finds are read without the rest.
_ROW_GROUP_ROWS = {
    "images": 122_880,
    "prompts": 20_480,
    "clauses": 20_480,
    "prompt_artists": 20_480,
}
_DEFAULT_ROW_GROUP_ROWS = 122_880
_LONGEST_DICTIONARY_BYTES = 1 << 28

# Text that recurs: a dictionary, and worth a slower codec. Numbers that do not recur are plain.
_DICTIONARIES = {
    "images": [
        "prompt", "part_id", "step", "width", "height", "cfg", "sampler", "user_name",
        "timestamp", "prompt_id",
    ],
    "activity": ["user_name", "sampler", "hour", "images", "first_seen", "last_seen", "scored"],
}  # fmt: skip
_SLOW_CODEC = {"prompt", "text", "clauses", "term", "artists", "artist"}

_IMAGES = """
select image_name, * exclude (image_name, image_key, prompt_id), prompt_id
from source.metadata
"""
# Image names as 16 bytes. NULL where one is not a UUID in its usual spelling, with the dataset's
# ending; then names stay text.
_IMAGES_BY_UUID = """
select
    case when cast(uuid as varchar) || image_suffix() = image_name then uuid end as image_name,
    * exclude (image_name, image_key, prompt_id, uuid),
    prompt_id
from (select *, try_cast(left(image_name, 36) as uuid) as uuid from source.metadata) as named
"""
_INDEXED = """
select prompts.prompt_id, prompts.images, prompts.text, prompt_artists.artists
from prompts
inner join prompt_artists on prompt_artists.prompt_id = prompts.prompt_id
order by prompts.images desc, prompts.prompt_id
"""
_INDEX_BATCH_ROWS = 20_000
_STEP_SECONDS = 0.2
_ACTIVITY = "select * from activity"
_CLAUSES = "select * from clauses"
# The view `prompts`, from what is there already: each prompt's text is read once, from the first of
# its images, rather than grouped by for each of them.
_PROMPTS = """
with counted as (
    select
        prompt_id,
        cast(sum(images) as bigint) as images,
        count(distinct user_name) as users,
        min(first_seen) as first_seen,
        max(last_seen) as last_seen
    from activity
    where prompt_id is not null
    group by prompt_id
),
firsts as (
    select
        prompt_id,
        min(file_row_number) as place,
        cast(max(prompt_nsfw) filter (where not isnan(prompt_nsfw)) as double) as prompt_nsfw
    from read_parquet($images, file_row_number = true)
    group by prompt_id
)
select
    counted.prompt_id,
    stored.prompt,
    normalise(stored.prompt) as text,
    counted.images,
    counted.users,
    firsts.prompt_nsfw,
    counted.first_seen,
    counted.last_seen
from read_parquet($images, file_row_number = true) as stored
inner join firsts on firsts.place = stored.file_row_number
inner join counted on counted.prompt_id = firsts.prompt_id
order by counted.prompt_id
"""
_TERMS = "select * from terms order by prompts desc, term"
_PROMPT_ARTISTS = "select * from prompt_artists order by prompt_id"
_DERIVED = {
    "users": "select * from users order by images desc, user_name",
    "repeats": "select * from repeats order by images desc",
    "artists": "select * from artists order by prompts desc, artist",
}


class _NotAllUuidsError(Exception):
    """Image names have to be kept as text."""


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
    images = folder / "images.parquet"
    with contextlib.closing(open_over(None)) as engine:
        try:
            _write(engine, Relation(_IMAGES_BY_UUID), images, progress)
        except _NotAllUuidsError:
            _write(engine, Relation(_IMAGES), images, progress)
    with contextlib.closing(open_over(folder)) as engine:
        _write(engine, Relation(_ACTIVITY), folder / "activity.parquet", progress)
    with contextlib.closing(open_over(folder)) as engine:
        prompts = Relation(_PROMPTS, {"images": engine.literal_path(images)})
        _write(engine, prompts, folder / "prompts.parquet", progress)
    for table, sql in {
        "clauses": _CLAUSES,
        "terms": _TERMS,
        "prompt_artists": _PROMPT_ARTISTS,
    }.items():
        with contextlib.closing(open_over(folder)) as engine:
            _write(engine, Relation(sql), folder / f"{table}.parquet", progress)
    with (
        contextlib.closing(open_over(folder)) as engine,
        _indexing(engine.cursor(), folder / INDEX, progress),
    ):
        for table, sql in _DERIVED.items():
            _write(engine, Relation(sql), folder / f"{table}.parquet", progress)


def _write(engine: DuckDBEngine, relation: Relation, path: Path, progress: Progress | None) -> None:
    label = f"building the store: {path.stem}"
    with step(progress, label, unit="rows"), engine.lossless():
        rows = _ROW_GROUP_ROWS.get(path.stem, _DEFAULT_ROW_GROUP_ROWS)
        reader = Result(engine.answer(relation)).reader(rows)
        names = reader.schema.names
        writer = parquet_writer(
            path,
            reader.schema,
            use_dictionary=_DICTIONARIES.get(path.stem, []),
            compression={name: "zstd" if name in _SLOW_CODEC else "snappy" for name in names},
            compression_level={name: 1 for name in names if name in _SLOW_CODEC},
            dictionary_pagesize_limit=_LONGEST_DICTIONARY_BYTES,
        )

        def write_group(table: pa.Table) -> None:
            writer.write_table(table, row_group_size=rows)

        with writer, behind(write_group) as put:
            for table in _row_groups(reader, rows, label, progress):
                if relation.sql == _IMAGES_BY_UUID and table["image_name"].null_count:
                    raise _NotAllUuidsError
                put(table)


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
    pool = ThreadPoolExecutor(1, "ddb-index")
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
    finally:
        waited_for(lambda: wait([indexed]))
        pool.shutdown()
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
                progress(written, None, "rows", label)
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
