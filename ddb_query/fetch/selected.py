"""The images of a selection: what fetching them would cost, and fetching them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, TypeVar

from ddb_query.engines.base import Relation
from ddb_query.errors import OutOfMemoryError, UsageError
from ddb_query.fetch.parts.directory_cache import DirectoryCache
from ddb_query.fetch.parts.local_parts import LocalParts
from ddb_query.fetch.run import fetch as fetch_rows
from ddb_query.hub.config import Hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.fetch.options import FetchOptions, FetchResult
    from ddb_query.fetch.plan import Plan
    from ddb_query.selection.query import SelectionQuery
    from ddb_query.workspace.workspace import Source, Workspace

T = TypeVar("T")

# What a scan needs, of the published table and of a store; a sort of more spills. A sample of
# 100,000 from 14 M rows takes half as long again with so little, and an eighth of the memory.
_LITTLE_MEMORY, _LITTLE_WITH_STORE = 200_000_000, 100_000_000
_COLUMNS = (
    "image_name, prompt, part_id, seed, step, cfg, sampler, width, height, user_name, timestamp,"
    " image_nsfw, prompt_nsfw"
)
_PLANNED = "image_name, part_id, image_nsfw, prompt_nsfw"
_BATCH_ROWS = 8192
_NAMES = "select unnest(cast($names as varchar[])) as image_name"
_MEMBERS = "select image_name from read_parquet($files) where image_name is not null"


def plan(
    selection: SelectionQuery, folder: Path | None, order: FetchOptions, revision: str
) -> Plan:
    """What fetching a selection would cost."""
    from ddb_query.fetch.plan import plan as plan_rows

    workspace = selection.workspace
    source, hub = workspace.source, Hub.without_account(revision=revision)
    images = _images_from(source)

    def planned(most_bytes: int | None) -> Plan:
        with workspace.engine.frugal(most_bytes):
            choice = _choice(selection)
            with _reader(workspace, selection.rows(_PLANNED, ordered=False)) as rows:
                return plan_rows(
                    rows, folder, images, order, source.settings, hub, choice=choice,
                    progress=source.progress,
                )  # fmt: skip

    found = _frugally(selection, planned)
    found.counts.left_out = selection.blurred_left_out()
    return found


def fetch(
    selection: SelectionQuery,
    folder: Path,
    order: FetchOptions,
    hub: Hub,
    note: Callable[[str], None],
) -> FetchResult:
    """Fetch the images of a selection."""
    weight = ", weight" if selection.criteria.stratify else ""
    workspace = selection.workspace
    source = workspace.source
    images = _images_from(source)

    def fetched(most_bytes: int | None) -> FetchResult:
        with contextlib.ExitStack() as reading:
            reading.enter_context(workspace.engine.frugal(most_bytes))
            relation = selection.rows(_COLUMNS + weight, ordered=False, first="part_id")
            rows = _and_then(_reader(workspace, relation), reading.close)
            return fetch_rows(
                rows, folder, images, order, source.settings, hub,
                progress=source.progress, on_note=note,
            )  # fmt: skip

    done = _frugally(selection, fetched)
    done.counts.left_out = selection.blurred_left_out()
    workspace.engine.add_members(source.settings.directories)
    return done


def from_fewest_parts(selection: SelectionQuery) -> tuple[str, ...]:
    """The parts that a sample comes from when these are to be few.

    Raises:
        UsageError: It is no sample, so that there is nothing to choose.
    """
    from ddb_query.fetch.plan import fewest_parts

    sample = selection.criteria.sample
    if sample is None:
        raise UsageError("only a sample can come from fewer parts", hint="--sample N")
    parts = fewest_parts(_choice(selection), sample)
    return tuple(str(part) for part in parts) or selection.criteria.parts


def on_disk(workspace: Workspace) -> list[str]:
    """Conditions over `images` for those that need no network; none when none of them does."""
    source = workspace.source
    images = _images_from(source)
    directories = DirectoryCache(source.settings.directories, images)
    local_parts = LocalParts(images, source.settings, Hub.without_account(), directories)
    if local_parts.everything:
        return []
    names = workspace.keep(Relation(_NAMES, {"names": sorted(local_parts.names())}), "names")
    found = f"select image_name from {names}"
    files = [
        workspace.engine.literal_path(path) for path in local_parts.directories(source.progress)
    ]
    if files:
        members = workspace.keep(Relation(_MEMBERS, {"files": files}), "members")
        found += f"\nunion all select image_name from {members}"
    return [f"image_name in ({found})"]


def _images_from(source: Source) -> str:
    """The built-in dataset whose parts hold the images of a dataset.

    Raises:
        UsageError: It is not known.
    """
    if source.dataset.images is None:
        raise UsageError(
            f"it is not known which published dataset has the images of {source.dataset}",
            hint=f"`{source.dataset.command} --images-from 2m` says so (or large)",
        )
    return source.dataset.images


def _choice(selection: SelectionQuery) -> list[tuple[int, int]]:
    """Parts with the number of images that a sample is taken from; none when it is no sample."""
    if selection.criteria.sample is None:
        return []
    everyone = selection.unsampled().rows("part_id", ordered=False)
    counted = everyone.over("select part_id, count(*) as images")
    answer = selection.workspace.answer(
        Relation(f"{counted.sql}\ngroup by part_id", counted.values)
    )
    return [(int(part or 0), int(count or 0)) for part, count in answer.cells()]


def _frugally(selection: SelectionQuery, work: Callable[[int | None], T]) -> T:
    """Work with little memory, where that may be enough and is."""
    criteria = selection.criteria
    if not (criteria.one_per or criteria.max_per or criteria.stratify):
        with contextlib.suppress(OutOfMemoryError):
            return work(
                _LITTLE_WITH_STORE if selection.workspace.source.store.whole else _LITTLE_MEMORY
            )
    return work(None)


def _and_then(reader: pa.RecordBatchReader, end: Callable[[], None]) -> pa.RecordBatchReader:
    """The same batches; once all were read, something is done."""
    import pyarrow as pa

    def batches() -> Iterator[pa.RecordBatch]:
        with reader:
            yield from reader
        end()

    return pa.RecordBatchReader.from_batches(reader.schema, batches())


def _reader(workspace: Workspace, relation: Relation) -> pa.RecordBatchReader:
    return workspace.answer(relation).reader(_BATCH_ROWS)
