"""Fetches images: part by part, only the members that are wanted, and only those not there yet.

One thread leads: it deals out jobs, writes the ledger and tells how far it is. What is wrong with
an image or a part is written down and the rest goes on; what is wrong with the Hub ends the work
with the Hub, what is wrong with the disk ends the run, and the next run goes on from there.
"""

from __future__ import annotations

import contextlib
import re
import time
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import is_image_name
from ddb_query.errors import HubError, UsageError
from ddb_query.fetch.jobs import Jobs
from ddb_query.fetch.options import FetchOptions, FetchResult
from ddb_query.fetch.parts.directory_cache import DirectoryCache
from ddb_query.fetch.parts.local_parts import LocalParts
from ddb_query.fetch.parts.locator import Sources
from ddb_query.fetch.parts.source_search import Compared, Event, SubJob
from ddb_query.fetch.target.folder import Place, place_at
from ddb_query.fetch.target.ledger import Outcome, WantedImage, ledger_of
from ddb_query.fetch.target.rows import counted, give_memory_back, keep_rows
from ddb_query.fetch.worker_pool import WorkerPool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.fetch.target.layouts import Layout
    from ddb_query.fetch.target.ledger import Ledger
    from ddb_query.fetch.target.rows import Counts
    from ddb_query.hub.config import Hub
    from ddb_query.settings import Settings
    from ddb_query.util.progress import Progress

_COMMIT_SECONDS = 1.0
_NOTE_SECONDS = 10.0
_BAD_NAME = "its name is not <uuid>.png or <uuid>.webp"


def fetch(
    rows: pa.RecordBatchReader,
    folder: Path,
    dataset: str,
    order: FetchOptions,
    settings: Settings,
    hub: Hub,
    *,
    progress: Progress | None = None,
    on_note: Callable[[str], None] = lambda _: None,
) -> FetchResult:
    """Fetch the images of rows into a folder.

    Args:
        rows: With the published columns, ordered by part and name.
        folder: Made when it is not there; what it holds already is not fetched again.
        dataset: Whose images they are.
        order: How.
        settings: Where the cache and the registered folders are.
        hub: Which Hub.
        progress: Told how many images are there.
        on_note: Told of waits.

    Raises:
        OutputError: The folder cannot be written, or the disk is full.
        UsageError: The folder holds images of another dataset, or in another layout.
    """
    _refuse_others(folder)
    facts = {"dataset": dataset, "revision": hub.revision, "layout": order.layout.name}
    with place_at(folder, on_note) as place, ledger_of(place.ledger_path) as ledger:
        _refuse_mixing(folder, ledger.begin(facts))
        done = FetchResult(folder)
        _want(rows, place, ledger, order, done.counts)
        run = _Run(place, ledger, done, progress, on_note)
        directories = DirectoryCache(settings.directories, dataset)
        local_parts = LocalParts(dataset, settings, hub, directories, order.local)
        with Sources(
            dataset, settings.cache_dir, hub, local_parts, run.tell, order.jobs
        ) as sources:
            unchecked = set(ledger.unchecked_parts()) if order.check_json else set()
            jobs = Jobs(dataset, place, sources, directories, unchecked)
            run.lead(_parts(jobs, ledger, unchecked), sources, order.jobs)
            directories.shrink()
        give_memory_back()
        order.layout.finish(place, ledger)
        run.sum_up()
        return done


def _refuse_others(folder: Path) -> None:
    """Replace no file that a fetch would write, and that no fetch has written."""
    # A fetch leaves its folder there even where its ledger was lost.
    if Place(folder).ledger_path.parent.exists():
        return
    for path in (folder / "metadata.parquet", folder / "images", *sorted(folder.glob("images-*"))):
        if path.exists():
            raise UsageError(
                f"{path} exists already, and no fetch has written it",
                hint="choose another folder with -o DIR",
            )


def _refuse_mixing(folder: Path, different: dict[str, str]) -> None:
    for name, known in different.items():
        raise UsageError(
            f"{folder} holds images of {name} {known}", hint="choose another folder with -o DIR"
        )


def _want(
    rows: pa.RecordBatchReader, place: Place, ledger: Ledger, order: FetchOptions, counts: Counts
) -> None:
    """Have the rows of the folder, and its ledger, hold what is wanted."""
    # First, so that they go where this run's layout has them.
    ledger.want_again([name for name, file, _ in ledger.fetched() if place.size_of(file) is None])
    for batch in keep_rows(place.rows_path, rows.schema, counted(rows, counts)):
        ledger.want(_wanted(batch, order.layout))
        names = batch.column("image_name").to_pylist()
        ledger.record(Outcome(str(n), error=_BAD_NAME) for n in names if not is_image_name(str(n)))
    if order.retry_failed:
        ledger.forget_failures()
    ledger.commit()


def _wanted(batch: pa.RecordBatch, layout: Layout) -> Iterator[WantedImage]:
    names = ("image_name", "part_id", "width", "height", "sampler", "image_nsfw")
    for name, part, width, height, sampler, nsfw in zip(
        *(batch.column(column).to_pylist() for column in names), strict=True
    ):
        file = layout.file(name, sampler, nsfw) if is_image_name(str(name)) else ""
        yield WantedImage(str(name), part, width, height, file)


def _parts(jobs: Jobs, ledger: Ledger, unchecked: set[int]) -> Iterator[SubJob]:
    left = set(unchecked)
    for part_id, images in ledger.missing():
        left.discard(part_id)
        yield jobs.part(part_id, images)
    for part_id in sorted(left):
        yield jobs.part(part_id, [])


class _Run:
    """The leading thread's side of a fetch."""

    def __init__(
        self, place: Place, ledger: Ledger, done: FetchResult, progress: Progress | None,
        on_note: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._place = place
        self._ledger = ledger
        self._done = done
        self._progress = progress
        self._on_note = on_note
        self._crew: WorkerPool[Event] | None = None
        self._committed = time.monotonic()
        self._noted: dict[str, float] = {}
        states = ledger.states()
        done.wanted, done.before = sum(states.values()), states["fetched"]
        self._handled = done.before + states["failed"]

    def tell(self, words: str) -> None:
        """Pass on a note from any thread."""
        if self._crew is not None:
            self._crew.tell(words)

    def lead(self, parts: Iterator[SubJob], sources: Sources, size: int) -> None:
        """Have all parts done."""
        crew: WorkerPool[Event] = WorkerPool(size)
        self._crew = crew
        with contextlib.closing(crew):
            while self._feed(crew, parts):
                try:
                    for event in crew.events():
                        self._handle(crew, event)
                except HubError as error:
                    sources.lose(error)
                    self._done.stopped = self._done.stopped or error
        self._commit()

    def _feed(self, crew: WorkerPool[Event], parts: Iterator[SubJob]) -> bool:
        """Give what there is to do; returns whether anything is under way."""
        while crew.hungry and (more := next(parts, None)) is not None:
            crew.give(more.job)
        return not crew.idle

    def _handle(self, crew: WorkerPool[Event], event: Event) -> None:
        match event:
            case SubJob():
                crew.give(event.job)
            case str():
                self._note(event)
            case Compared():
                self._ledger.differ(event.part_id, event.differences)
            case Outcome():
                self._ledger.record([event])
                self._handled += 1
                self._done.new += event.error is None
                self._done.bytes += event.bytes or 0
                if self._progress is not None:
                    self._progress(self._handled, self._done.wanted, "images", "fetching images")
        if time.monotonic() - self._committed > _COMMIT_SECONDS:
            self._commit()

    def _commit(self) -> None:
        self._place.sync()
        self._ledger.commit()
        self._committed = time.monotonic()

    def _note(self, words: str) -> None:
        """Pass on a note, once where many threads say the same."""
        kind = re.sub(r"[\d.]+", "#", words)
        now = time.monotonic()
        if now - self._noted.get(kind, -_NOTE_SECONDS) >= _NOTE_SECONDS:
            self._noted[kind] = now
            self._on_note(words)

    def sum_up(self) -> None:
        """Fill in how it ended."""
        states = self._ledger.states()
        self._done.failed, self._done.missing = states["failed"], states["wanted"]
        self._done.errors = list(self._ledger.failures())
        self._done.differences = self._ledger.differences()
