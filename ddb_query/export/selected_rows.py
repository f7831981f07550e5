"""Exporting a selection: its rows in order, in slices that fit in memory, with a manifest."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.datasets.manifest import KEY
from ddb_query.engines.chained_rows import ChainedRows
from ddb_query.engines.duckdb.content_hash import Tally
from ddb_query.errors import UsageError
from ddb_query.export import manifest_fields
from ddb_query.export.subset import (
    Layout,
    form_of,
    refuse_existing,
    target_of,
    write_file,
    write_folder,
)
from ddb_query.selection import columns as columns_of
from ddb_query.selection.repeating import unrepeatable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ddb_query.datasets.manifest import Manifest
    from ddb_query.engines.base import Column, Relation, Rows
    from ddb_query.engines.duckdb.rows import DuckDBRows
    from ddb_query.export.subset import Target
    from ddb_query.selection.query import SelectionQuery
    from ddb_query.workspace.workspace import Workspace

# Rows are sorted in slices of about so many, part by part: sorted at once they fill the memory.
SLICE_ROWS = 1_000_000

# Counted beside the rows, whatever columns are written.
_BLURRED = "cast(image_blurred as bigint)"
_OVER = (
    "cast(coalesce(greatest(image_nsfw_score, prompt_nsfw) > cast(0.5 as real), false) as bigint)"
)
# What a folder is parted by: the name it gives the values, and their SQL.
_PARTITIONS = {
    "sampler": ("sampler_name", "sampler_name"),
    "day": ("day", "cast(cast(timestamp as date) as varchar)"),
    "part": ("part", "lpad(cast(part_id as varchar), 6, '0')"),
}


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: Where; None for a stream.
        rows: How many.
        size: Bytes of the data, of a folder all files together; None for a stream.
        blurred: How many of the images are blurred; None for SQL and canned queries.
        over: How many have a score over 0.5; likewise.
        manifest: How it was made.
    """

    path: Path | None
    rows: int
    size: int | None
    blurred: int | None
    over: int | None
    manifest: Manifest


@dataclass(frozen=True)
class Statement:
    """Rows that SQL or a canned query gives.

    Attributes:
        relation: The SELECT.
        said: What a manifest says of it: kind, sql or query, parameters, limit.
        head: At most so many of its rows; None or 0 for all.
    """

    relation: Relation
    said: dict[str, object]
    head: int | None = None


def export(
    selection: SelectionQuery,
    path: Target | str,
    *,
    columns: str | Sequence[str] = (),
    drop: str | Sequence[str] = (),
    form: str | None = None,
    partition_by: str | None = None,
    hashed: bool = True,
    force: bool = False,
) -> Exported:
    """Write a selection; `Selection.export` has the arguments."""
    target = target_of(path)
    if partition_by is not None and partition_by not in _PARTITIONS:
        raise UsageError(
            f"no partition by {partition_by}", hint=f"there are {', '.join(_PARTITIONS)}"
        )
    form = form_of(target, form, folder=partition_by is not None)
    refuse_existing(target, force=force, folder=partition_by is not None)
    wanted = picked(selection, columns, not columns, drop)
    layout = Layout(wanted, form, not columns, hashed, partition_by)
    tally = Tally()
    rows = tallied(selection, layout, tally)
    describe = partial(manifest, selection, layout, rows, tally)
    with selection.workspace.engine.silent() if tally.on_rows else contextlib.nullcontext():
        size = write(rows, layout, target, describe)
    blurred, over = tally.sums[-2:] if tally.sums else (0, 0)
    return Exported(_path(target), tally.rows, size, blurred, over, describe())


def write(
    rows: Rows, layout: Layout, target: Target, describe: Callable[[], Manifest]
) -> int | None:
    """Write rows as a file or a folder; returns the bytes of the rows, None for a stream."""
    if layout.partition is None or not isinstance(target, Path):
        return write_file(rows, layout.form, target, describe)
    return write_folder(rows, _PARTITIONS[layout.partition][0], target, describe)


def export_statement(
    workspace: Workspace,
    statement: Statement,
    path: Target | str,
    *,
    form: str | None = None,
    hashed: bool = True,
    force: bool = False,
) -> Exported:
    """Write the rows of a SELECT, in its order.

    Args:
        workspace: Where it is asked.
        statement: What gives the rows.
        path: The file.
        form: The format; None to tell from the ending.
        hashed: Whether the manifest holds the content hash.
        force: Whether a file that is there is replaced.

    Raises:
        UsageError: It is not one SELECT that only reads.
        OutputError: It cannot be written; what was there stays as it was.
    """
    target = target_of(path)
    form = form_of(target, form)
    refuse_existing(target, force=force)
    why_not = unrepeatable(workspace.engine, statement.relation.sql)
    tally = Tally()
    rows = tallied_statement(workspace, statement, tally, form=form, hashed=hashed)

    def describe() -> Manifest:
        return manifest_fields.of_statement(
            workspace, rows.columns, tally, form, hashed=hashed,
            said=statement.said, unrepeatable=why_not,
        )  # fmt: skip

    size = write_file(rows, form, target, describe)
    return Exported(_path(target), tally.rows, size, None, None, describe())


def _path(target: Target) -> Path | None:
    return target if isinstance(target, Path) else None


def footer_of_statement(
    workspace: Workspace,
    relation: Relation,
    columns: Sequence[Column],
    rows: int,
    said: dict[str, object],
    why_not: str | None = None,
) -> dict[str, str]:
    """What a parquet file of a statement's rows says of itself: a manifest without a hash.

    Args:
        workspace: Where it was asked.
        relation: The statement.
        columns: Those written.
        rows: How many were written.
        said: What the manifest says of it: kind, sql or query, parameters, limit.
        why_not: Why it cannot be made again, if that is known.
    """
    if why_not is None:
        try:
            why_not = unrepeatable(workspace.engine, relation.sql)
        except UsageError:
            why_not = "it is no SELECT that only reads"
    made = manifest_fields.of_statement(
        workspace, columns, Tally(rows), "parquet", hashed=False, said=said, unrepeatable=why_not
    )
    return {KEY: made.to_text()}


def tallied_statement(
    workspace: Workspace,
    statement: Statement,
    tally: Tally,
    *,
    form: str,
    hashed: bool = True,
) -> DuckDBRows:
    """The rows of a SELECT, counted as they are read."""
    answer = workspace.answer(statement.relation)
    answer = answer.head(statement.head) if statement.head else answer
    return answer.tallied(tally, hashed=hashed, finite_only=form in ("json", "jsonl"))


def manifest(
    selection: SelectionQuery, layout: Layout, rows: ChainedRows, tally: Tally
) -> Manifest:
    """How the rows were made, once they have all been read."""
    written = rows.columns[: len(layout.columns)]
    return manifest_fields.of_selection(selection, written, tally, layout)


def tallied(selection: SelectionQuery, layout: Layout, tally: Tally) -> ChainedRows:
    """The rows of a selection, counted as they are read: content hash, blurred, over 0.5."""
    workspace = selection.workspace
    key = _PARTITIONS[layout.partition][1] if layout.partition else None
    named = {**layout.columns, **({"partition": key} if key else {})}
    sql = ", ".join(f'{expression} as "{name}"' for name, expression in named.items())

    def ask(part_range: str) -> DuckDBRows:
        found = selection.rows(f"{sql}, {_BLURRED}, {_OVER}", first=key, also=part_range)
        return workspace.answer(found).tallied(
            tally, hashed=layout.hashed, finite_only=layout.form in ("json", "jsonl"),
            beside=1 if key else 0, hidden=2,
        )  # fmt: skip

    total, slices = 0, [""]
    if selection.criteria.order_by is None and layout.partition in (None, "part"):
        total, slices = _slices(selection)
    progress = workspace.source.progress
    if progress and total:
        tally.on_rows = lambda done: progress(done, total, "rows", "exporting")
    return ChainedRows([partial(ask, part_range) for part_range in slices])


def _slices(selection: SelectionQuery) -> tuple[int, list[str]]:
    """How many rows there are, and conditions on the part under which they come in slices.

    One empty condition, and no number, when they need not be cut.
    """
    criteria = selection.criteria
    if criteria.limit is not None or (criteria.thins and selection.count() <= SLICE_ROWS):
        return 0, [""]
    relation = selection.rows("part_id", ordered=False)
    counted = "select count(*), count(part_id), min(part_id), max(part_id)"
    rows, known, first, last = selection.workspace.first(relation.over(counted))
    slices = -(-rows // SLICE_ROWS)
    if slices <= 1 or known < rows:
        return 0, [""]
    parts = -(-(last - first + 1) // slices)
    starts = range(first, last + 1, parts)
    return rows, [f"part_id between {start} and {start + parts - 1}" for start in starts]


def picked(
    selection: SelectionQuery,
    columns: str | Sequence[str],
    published: bool,  # noqa: FBT001
    drop: str | Sequence[str] = (),
) -> dict[str, str]:
    """Name and SQL of the columns to write.

    Args:
        selection: What is written.
        columns: Their names; of published ones none for all.
        published: Whether they are as published, rather than those of the view.
        drop: Columns to leave out.

    Raises:
        UsageError: There is no such column.
    """
    columns, drop = _several(columns), _several(drop)
    if not published:
        view = selection.workspace.engine.columns("images")
        return columns_of.viewed(columns, drop, view, selection.criteria)
    every = columns_of.published(selection.criteria)
    return columns_of.without(
        every, drop or [name for name in every if columns and name not in columns]
    )


def _several(names: str | Sequence[str]) -> Sequence[str]:
    return [names] if isinstance(names, str) and names else names
