"""Subsets on disk: rows and their manifest, as a file or as a folder of files."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.datasets import manifest
from ddb_query.engines.float_bounds import parquet_writer
from ddb_query.errors import ExistsError, OutputError, UsageError
from ddb_query.export import writers
from ddb_query.util.atomic_files import keep_existing, replacing_folder, writing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

    import pyarrow as pa

    from ddb_query.datasets.manifest import Manifest
    from ddb_query.engines.base import Rows

    # A file or a folder, or a stream that takes the bytes of a file.
    Target = Path | BinaryIO

# What a reader of Hive's folders takes for NULL.
_NO_VALUE = "__HIVE_DEFAULT_PARTITION__"


@dataclass(frozen=True)
class Layout:
    """What of a selection is written, and how.

    Attributes:
        columns: Name and SQL of each.
        published: Whether they are as published.
        form: The format.
        hashed: Whether the content hash is made.
        partition: What a folder is parted by; None for a file.
    """

    columns: dict[str, str]
    form: str
    published: bool = True
    hashed: bool = True
    partition: str | None = None


def target_of(path: Target | str) -> Target:
    """Where to write: a path may be text."""
    return Path(path) if isinstance(path, str) else path


def form_of(target: Target, form: str | None, *, folder: bool = False) -> str:
    """The format to write: the one asked for, else the one of the file's ending.

    Raises:
        UsageError: There is no such format, or the ending says nothing.
    """
    if folder:
        if form not in (None, "parquet"):
            raise UsageError(f"partitions are parquet, not {form}", hint="leave --format out")
        return "parquet"
    name = target.name if isinstance(target, Path) else "-"
    found = form or writers.ENDINGS.get(Path(name).suffix.lower())
    if found not in writers.DATA_FORMATS:
        hint = f"end its name in {', '.join(sorted(writers.ENDINGS))}, or say it with --format"
        raise UsageError(f"cannot tell a format from {form or name}", hint=hint)
    return found


def refuse_existing(target: Target, *, force: bool, folder: bool = False) -> None:
    """Keep what is there already, unless told otherwise.

    Raises:
        ExistsError: There is something of that name.
        OutputError: What is there is nothing that ddb would replace.
        UsageError: A folder was asked of a stream.
    """
    if not isinstance(target, Path):
        if folder:
            raise UsageError("a folder of files is not for standard output", hint="-o DIR")
        return
    if folder and target.exists() and not target.is_dir():
        raise OutputError(target, "a file has that name", hint="name another folder")
    if folder and target.exists() and not manifest.beside(target).is_file():
        raise OutputError(target, "a folder that ddb did not write", hint="name another folder")
    if folder and target.exists() and not force:
        raise ExistsError(target)
    keep_existing(target, force=force)


def write_file(
    rows: Rows, form: str, target: Target, describe: Callable[[], Manifest]
) -> int | None:
    """Write rows and how they were made; returns the bytes of the rows, None for a stream.

    A stream of parquet says how it was made, those of other formats hold the rows alone.

    Args:
        rows: Read once.
        form: One of `export.DATA_FORMATS`.
        target: A file appears whole or not at all.
        describe: Asked for the manifest after the last row.

    Raises:
        OutputError: It cannot be written; an old file stays as it was.
    """

    def footer(_: int) -> dict[str, str]:
        return {manifest.KEY: describe().to_text()}

    if not isinstance(target, Path):
        writers.write(rows, form, target, footer)
        return None
    with contextlib.ExitStack() as both:
        # The manifest is written after the rows, and neither appears before both are whole.
        beside = None if form == "parquet" else both.enter_context(writing(manifest.beside(target)))
        sink = both.enter_context(writing(target))
        writers.write(rows, form, sink, footer)
        if beside is not None:
            beside.write(f"{describe().to_text()}\n".encode())
    return target.stat().st_size


def write_folder(rows: Rows, name: str, target: Path, describe: Callable[[], Manifest]) -> int:
    """Write rows as a file for each value of their last column, which is not written.

    Without a row there is one file, without a value, that has the columns.

    Args:
        rows: Ordered by that column, which is text.
        name: What the folders call the column: `name=value`.
        target: The folder, which appears whole or not at all.
        describe: Asked for the manifest after the last row.

    Raises:
        OutputError: It cannot be written; an old folder stays as it was.
    """
    with replacing_folder(target) as temporary:
        with _Partitions(temporary, name) as partitions:
            reader = rows.reader()
            for batch in reader:
                partitions.write(batch)
            partitions.finish(reader.schema)
        manifest.beside(temporary).write_text(describe().to_text() + "\n", "utf-8")
    return sum(path.stat().st_size for path in target.rglob("*.parquet"))


class _Partitions(contextlib.AbstractContextManager["_Partitions"]):
    """Writes batches to the file of each value in turn."""

    def __init__(self, folder: Path, name: str) -> None:
        self._folder = folder
        self._name = name
        self._open = contextlib.ExitStack()
        self._value: str | None = None
        self._put: Callable[[pa.RecordBatch], object] | None = None

    def write(self, batch: pa.RecordBatch) -> None:
        rows = _without_last(batch)
        for value, first, count in _runs(batch.column(batch.num_columns - 1)):
            if self._put is None or value != self._value:
                self._start(value, rows.schema)
            if self._put is not None:
                self._put(rows.slice(first, count))

    def finish(self, schema: pa.Schema) -> None:
        if self._put is None:
            self._start(None, _without_last(schema.empty_table()).schema)

    def _start(self, value: str | None, schema: pa.Schema) -> None:
        self._open.close()
        folder = self._folder / f"{self._name}={_NO_VALUE if value is None else value}"
        folder.mkdir()
        writer = parquet_writer(folder / "images.parquet", schema, compression="snappy")
        self._put = self._open.enter_context(writer).write_batch
        self._value = value

    def __exit__(self, *_: object) -> None:
        self._open.close()


def _without_last(rows: pa.RecordBatch | pa.Table) -> pa.RecordBatch | pa.Table:
    return rows.select(range(rows.num_columns - 1))


def _runs(values: pa.Array) -> Iterator[tuple[str | None, int, int]]:
    """Equal neighbours: the value, where they begin, and how many they are."""
    import pyarrow.compute as pc

    runs = pc.run_end_encode(values)
    first = 0
    for value, end in zip(runs.values.to_pylist(), runs.run_ends.to_pylist(), strict=True):
        yield value, first, end - first
        first = end
