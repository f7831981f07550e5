"""What a fetch would cost, before anything is asked: parts, requests, bytes, disk and time.

Exact where a part's directory is known, else from the mean size of an image. Time assumes the link
and the latency below, and that the Hub lets a caller resolve so many parts in five minutes.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import DATASETS, IMAGES_PER_PART
from ddb_query.fetch.parts.directory_cache import DirectoryCache
from ddb_query.fetch.parts.local_parts import LocalParts
from ddb_query.fetch.parts.ranges import SPAN_BYTES, spans
from ddb_query.fetch.parts.zip_directory import TAIL_BYTES, by_published_name
from ddb_query.fetch.target.folder import Place
from ddb_query.fetch.target.ledger import ledger_of
from ddb_query.fetch.target.rows import Counts, counted, give_memory_back

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.fetch.options import FetchOptions
    from ddb_query.hub.config import Hub
    from ddb_query.settings import Settings
    from ddb_query.util.progress import Progress

BYTES_PER_SECOND = 30e6
LATENCY_SECONDS = 0.06
QUOTA_RESOLVES = 3000
QUOTA_SECONDS = 300
# An alternative is offered when it takes no larger share of the requests.
_WORTH = 0.75
# Directories that are looked into; parts beyond that are taken to be like these.
_LOOKED_INTO = 200


@dataclass
class Plan:
    """What a fetch would cost.

    Attributes:
        images: That are wanted; `here` of them are in the folder, `nearby` on this machine.
        counts: Blurred and unsafe images among them.
        parts: That images come from over the network.
        resolves: Requests that count against the Hub's quota: one a part.
        directories: Requests for directories of parts not seen before.
        reads: Requests for members, about.
        bytes: Over the network, all in all.
        exact: Of the images, how many have a known size.
        disk: Bytes of the images on the disk, and `free` what is free there.
        alternative: The same number of images from fewer parts, where there is a choice.
    """

    images: int = 0
    here: int = 0
    nearby: int = 0
    counts: Counts = field(default_factory=Counts)
    parts: int = 0
    resolves: int = 0
    directories: int = 0
    reads: int = 0
    bytes: int = 0
    exact: int = 0
    disk: int = 0
    free: int = 0
    jobs: int = 1
    alternative: Clustered | None = None

    @property
    def requests(self) -> int:
        """All of them."""
        return self.resolves + self.directories + self.reads

    @property
    def seconds(self) -> float:
        """How long it takes: the link, the waiting, or the quota, whichever is slowest."""
        waiting = self.requests * LATENCY_SECONDS / max(1, self.jobs)
        quota = (self.resolves - 1) // QUOTA_RESOLVES * QUOTA_SECONDS
        return max(self.bytes / BYTES_PER_SECOND, waiting, quota)


@dataclass(frozen=True)
class Clustered:
    """The same number of images from the parts that have most of them.

    Attributes:
        parts: Their numbers, in order.
        requests: That it would take at most.
    """

    parts: tuple[int, ...]
    requests: int


def plan(
    rows: pa.RecordBatchReader,
    folder: Path | None,
    dataset: str,
    order: FetchOptions,
    settings: Settings,
    hub: Hub,
    *,
    choice: Iterable[tuple[int, int]] = (),
    progress: Progress | None = None,
) -> Plan:
    """Say what a fetch would cost; asks nobody, and writes nothing but directories to the cache.

    Args:
        rows: With image_name, part_id and the two scores, ordered by part.
        folder: Where the images would go, if that is known.
        dataset: Whose images they are.
        order: How they would be fetched.
        settings: Where the cache and the registered folders are.
        hub: Which Hub.
        choice: Where rows are a sample: parts with the number of images to choose from.
        progress: Told how many parts were looked for nearby.
    """
    found = Plan(jobs=order.jobs)
    there = _fetched(folder)
    wanted = _by_part(rows, there, found)
    directories = DirectoryCache(settings.directories, dataset)
    estimate = _Estimate(directories, dataset)
    local_parts = LocalParts(dataset, settings, hub, directories, order.local)
    for done, (part_id, names) in enumerate(wanted.items()):
        if progress is not None:
            progress(done, len(wanted), "parts", "looking for parts nearby")
        near = local_parts.held(part_id, names)
        found.nearby += len(near)
        if far := [name for name in names if name not in near]:
            estimate.add(found, part_id, far)
    estimate.finish(found)
    found.disk = round((found.images - found.here) * estimate.mean)
    found.free = shutil.disk_usage(_existing(folder)).free if folder else 0
    found.alternative = _clustered(list(choice), found)
    return found


def fewest_parts(choice: Sequence[tuple[int, int]], images: int) -> tuple[int, ...]:
    """The parts with most images to choose from, as few as hold so many; in order."""
    chosen, held = [], 0
    for part_id, count in sorted(choice, key=lambda one: (-one[1], one[0])):
        if held >= images:
            break
        chosen.append(part_id)
        held += count
    return tuple(sorted(chosen))


class _Estimate:
    """Bytes and requests of parts, from their directories as far as these are known."""

    def __init__(self, directories: DirectoryCache, dataset: str) -> None:
        self._directories = directories
        self._known = directories.known()
        self._looked = 0
        self._unknown = 0
        self._bytes = 0
        self._images = 0
        self._usual = DATASETS[dataset].image_bytes

    @property
    def mean(self) -> float:
        """Bytes of an image."""
        return self._bytes / self._images if self._images else self._usual

    def add(self, found: Plan, part_id: int, names: Sequence[str]) -> None:
        count = len(names)
        found.parts += 1
        found.resolves += 1
        found.directories += part_id not in self._known
        members = None
        if part_id in self._known and self._looked < _LOOKED_INTO:
            self._looked += 1
            members = self._directories.newest(part_id)
        if members is None:
            self._unknown += count
            # Of images at random places those beside each other share a request.
            apart = count * (1 - min(1, count / IMAGES_PER_PART))
            found.reads += max(1, round(apart), round(count * self.mean / SPAN_BYTES))
            return
        there = by_published_name(members)
        read = spans(there[name] for name in names if name in there)
        found.reads += len(read)
        found.exact += sum(len(span.members) for span in read)
        found.bytes += sum(span.stop - span.start for span in read)
        self._bytes += sum(m.compressed_size for span in read for m in span.members)
        self._images += sum(len(span.members) for span in read)

    def finish(self, found: Plan) -> None:
        found.bytes += round(self._unknown * self.mean) + found.directories * TAIL_BYTES


def _fetched(folder: Path | None) -> set[str]:
    place = Place(folder) if folder else None
    # A link is not followed here either; the fetch refuses it.
    if place is None or place.size_of(str(place.ledger_path.relative_to(place.folder))) is None:
        return set()
    with ledger_of(place.ledger_path, read_only=True) as ledger:
        return {name for name, _, _ in ledger.fetched()}


def _by_part(rows: pa.RecordBatchReader, there: set[str], found: Plan) -> dict[int, list[str]]:
    """Names of the images that are not there yet, by part."""
    wanted: dict[int, list[str]] = {}
    for batch in counted(rows, found.counts):
        parts, names = (batch.column(name).to_pylist() for name in ("part_id", "image_name"))
        for part_id, name in zip(parts, names, strict=True):
            if name not in there:
                wanted.setdefault(part_id, []).append(name)
    found.images = found.counts.images
    found.here = found.images - sum(map(len, wanted.values()))
    give_memory_back()
    return dict(sorted(wanted.items()))


def _clustered(choice: list[tuple[int, int]], found: Plan) -> Clustered | None:
    images = found.images - found.here
    parts = fewest_parts(choice, images)
    clustered = Clustered(parts, 2 * len(parts) + images)
    return clustered if parts and clustered.requests <= _WORTH * found.requests else None


def _existing(folder: Path) -> Path:
    while not folder.is_dir():
        folder = folder.absolute().parent
    return folder
