"""What the crew does: ask one source after the other for a part's images, and write them down.

A job is a generator of events. A source has an image, or does not have it, or is broken: in the
last two cases the next source is asked, and only what the last one does not have becomes an
`Outcome` without an image. What is wrong with the Hub as a whole or with the disk is raised.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING

from ddb_query.errors import (
    BadImageError,
    BrokenTransferError,
    DamagedDownloadError,
    DamagedPartError,
    FetchError,
    HubError,
    NotOnHubError,
    PartChangedError,
)
from ddb_query.fetch.parts.local_parts import LooseFiles
from ddb_query.fetch.parts.part_bytes import NoRangesError
from ddb_query.fetch.parts.part_json import COLUMNS, LARGEST_JSON, json_differences
from ddb_query.fetch.parts.ranges import Span, spans
from ddb_query.fetch.parts.reader import PartReader
from ddb_query.fetch.parts.source_search import (
    Compared,
    Event,
    Search,
    Step,
    SubJob,
    is_json,
    settled,
)
from ddb_query.fetch.parts.zip_directory import by_published_name, unpack
from ddb_query.fetch.target.ledger import Outcome, WantedImage, json_name
from ddb_query.fetch.target.rows import rows_of_part
from ddb_query.fetch.target.validate import check_picture, largest_bytes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from ddb_query.fetch.parts.directory_cache import DirectoryCache
    from ddb_query.fetch.parts.local_parts import Source, Zipped
    from ddb_query.fetch.parts.locator import Sources
    from ddb_query.fetch.parts.zip_directory import Member
    from ddb_query.fetch.target.folder import Place

# How often a part, or bytes with a wrong checksum, are read before that is given up.
TRIES = 3


class Jobs:
    """The jobs of one fetch; all that they share serves many threads."""

    def __init__(
        self, dataset: str, place: Place, sources: Sources, directories: DirectoryCache,
        unchecked: set[int],
    ) -> None:  # fmt: skip
        """Get ready.

        Args:
            dataset: 2m, large or demo.
            place: Where images go.
            sources: Where parts come from.
            directories: What is known of parts.
            unchecked: Parts whose JSON is to be compared with the metadata.
        """
        self._dataset = dataset
        self._place = place
        self._sources = sources
        self._directories = directories
        self._unchecked = unchecked

    def part(self, part_id: int, images: Sequence[WantedImage]) -> SubJob:
        """Have these images of a part, and its JSON where that is to be compared."""
        items = list(images)
        if part_id in self._unchecked:
            items.append(WantedImage(json_name(part_id), part_id, 0, 0, ""))
        return self._search(Search(part_id), items)

    def _search(self, search: Search, items: Sequence[WantedImage]) -> SubJob:
        return self._more(Step(search, 0), items, self._begin(search, items))

    def _begin(self, search: Search, items: Sequence[WantedImage]) -> Iterator[Event]:
        left = []
        for item in items:
            if (outcome := self._here(item)) is not None:
                yield outcome
            else:
                left.append(item)
        if left:
            names = [item.name for item in left]
            search.sources = self._sources.of_part(search.part_id, self._place.rows_path, names)
            yield from self._ask(Step(search, 0), left)

    def _here(self, item: WantedImage) -> Outcome | None:
        """An image that lies in the folder already."""
        if is_json(item) or self._place.size_of(item.file) is None:
            return None
        try:
            data = _read_file(self._place.folder / item.file, item)
            check_picture(item, data)
        except BadImageError:
            return None
        return _outcome(item, data, "here")

    def _ask(self, step: Step, items: Sequence[WantedImage]) -> Iterator[Event]:
        """Take what a source holds."""
        if isinstance(step.source, LooseFiles):
            yield from self._from_files(step, step.source, items)
        else:
            yield from self._from_zip(step, step.source, items)

    def _ask_next(self, step: Step, items: Sequence[WantedImage]) -> Iterator[Event]:
        """Go on to the next source with what this one did not give."""
        if items and (following := step.next) is not None:
            yield self._more(following, items, self._ask(following, items))
        elif items:
            yield from map(step.search.given_up, items)

    def _from_files(
        self, step: Step, source: LooseFiles, items: Sequence[WantedImage]
    ) -> Iterator[Event]:
        found = source.find([item.name for item in items])
        left = [item for item in items if item.name not in found]
        for item in items:
            path = found.get(item.name)
            if path is None:
                continue
            try:
                data = _read_file(path, item)
                event = self._checked(item, data, "file", as_published=source.as_published)
            except (BadImageError, DamagedPartError) as error:
                step.search.add([item.name], f"{path}: {error.problem}")
                yield _not_taken(source, item, error.problem)
                left.append(item)
                continue
            if not is_json(item):
                self._place.link(item.file, path)
            yield event
        yield from self._ask_next(step, left)

    def _from_zip(
        self, step: Step, source: Zipped, items: Sequence[WantedImage]
    ) -> Iterator[Event]:
        part_id = step.search.part_id
        reader = PartReader(source.open(), self._sources.patience)
        try:
            members = self._directories.of(part_id, reader)
        except NoRangesError:
            yield f"{reader.part.name}: the server gives no pieces of files; fetching it whole"
            with self._sources.whole(part_id, self._place.state) as part:
                reader = PartReader(part, self._sources.patience)
                members = self._directories.of(part_id, reader)
                # All of it now: the zip is gone when the block ends.
                yield from _at_once(self._members(step, reader, by_published_name(members), items))
            return
        yield from self._members(step, reader, by_published_name(members), items)

    def _members(
        self,
        step: Step,
        reader: PartReader,
        members: Mapping[str, Member],
        items: Sequence[WantedImage],
    ) -> Iterator[Event]:
        by_entry = {members[i.name].name: i for i in items if i.name in members}
        for span in spans(members[item.name] for item in by_entry.values()):
            of_span = {member.name: by_entry[member.name] for member in span.members}
            yield self._span(step, reader, span, of_span)
        left = [item for item in items if item.name not in members]
        step.search.add((item.name for item in left), f"{reader.part.name} does not hold it")
        if step.next is not None and (images := [i for i in left if not is_json(i)]):
            lacking = f"does not hold {len(images):,} of the wanted images"
            yield f"{step.source.name} {lacking}; the next source is asked"
        yield from self._ask_next(step, left)

    def _span(
        self, step: Step, reader: PartReader, span: Span, items: dict[str, WantedImage],
        tries: int = 1,
    ) -> SubJob:  # fmt: skip
        job = self._read(step, reader, span, items, tries)
        return self._more(step, list(items.values()), job)

    def _read(
        self, step: Step, reader: PartReader, span: Span, items: dict[str, WantedImage], tries: int
    ) -> Iterator[Event]:
        part = reader.part
        if part.remote:
            self._sources.raise_if_lost()
        for member, raw in reader.members(span.members):
            item = items[member.name]
            try:
                data = unpack(member, raw, _largest(item))
            except BadImageError as error:
                if tries < TRIES and part.remote:
                    again = {member.name: item}
                    yield self._span(step, reader, Span((member,)), again, tries + 1)
                else:
                    yield from self._refused(step, item, error.problem)
                continue
            try:
                event = self._checked(
                    item, data, part.source, as_published=step.source.as_published
                )
            except (BadImageError, DamagedPartError) as error:
                yield from self._refused(step, item, error.problem)
                continue
            if not is_json(item):
                self._place.put(item.file, data)
            yield event

    def _refused(self, step: Step, item: WantedImage, problem: str) -> Iterator[Event]:
        """Go on with what a zip has, but not as it should be."""
        step.search.add([item.name], f"{step.source.name}: {problem}")
        if step.next is not None:
            yield _not_taken(step.source, item, problem)
        yield from self._ask_next(step, [item])

    def _checked(
        self, item: WantedImage, data: bytes, source: str, *, as_published: bool
    ) -> Outcome | Compared:
        """What is written down of bytes that are right.

        Raises:
            BadImageError: They are not the image.
            DamagedPartError: They are no JSON of a part.
        """
        if is_json(item):
            rows = rows_of_part(self._place.rows_path, item.part_id, COLUMNS)
            return Compared(item.part_id, tuple(json_differences(item.name, data, rows)))
        check_picture(item, data, as_published=as_published)
        return _outcome(item, data, source)

    def _more(self, step: Step, items: Sequence[WantedImage], job: Iterator[Event]) -> SubJob:
        guarded = partial(self._guarded, step, items, job)
        return SubJob(guarded, frozenset(item.name for item in items))

    def _guarded(
        self, step: Step, items: Sequence[WantedImage], job: Iterator[Event]
    ) -> Iterator[Event]:
        """A job whose errors are the business of each image that it did not get to."""
        left = {item.name: item for item in items}
        try:
            for event in job:
                for name in settled(event):
                    left.pop(name, None)
                yield event
        except (HubError, DamagedPartError, PartChangedError) as error:
            yield from self._after(step, list(left.values()), error)

    def _after(
        self, step: Step, left: Sequence[WantedImage], error: HubError | FetchError
    ) -> Iterator[Event]:
        """What becomes of images whose source is broken."""
        search = step.search
        search.add((item.name for item in left), error.message)
        match error:
            case PartChangedError() if search.tries < TRIES:
                self._directories.drop(search.part_id)
                yield self._search(Search(search.part_id, search.tries + 1), left)
            case PartChangedError() | BrokenTransferError():
                yield from (search.given_up(item, again=True) for item in left)
            case DamagedPartError() | DamagedDownloadError() | NotOnHubError():
                if step.next is not None:
                    yield error.message
                yield from self._ask_next(step, left)
            case HubError():
                self._sources.lose(error)
                yield from self._without_json(search, left, error)

    def _without_json(
        self, search: Search, left: Sequence[WantedImage], error: HubError
    ) -> Iterator[Event]:
        """Have it told that a JSON did not come; the Hub's error ends the work for images only."""
        images = [item for item in left if not is_json(item)]
        yield from (search.given_up(item) for item in left if is_json(item))
        if images:
            raise error


def _largest(item: WantedImage) -> int:
    return LARGEST_JSON if is_json(item) else largest_bytes(item)


def _at_once(events: Iterable[Event]) -> Iterator[Event]:
    """Do all jobs that come up in this thread."""
    for event in events:
        yield from _at_once(event.job()) if isinstance(event, SubJob) else [event]


def _read_file(path: Path, item: WantedImage) -> bytes:
    """The bytes of a file.

    Raises:
        BadImageError: It cannot be read, or is too large.
    """
    try:
        if (size := path.stat().st_size) > _largest(item):
            raise BadImageError(item.name, f"{size:,} bytes are too many for its pixels")
        return path.read_bytes()
    except OSError as error:
        raise BadImageError(item.name, error.strerror or str(error)) from error


def _not_taken(source: Source, item: WantedImage, problem: str) -> str:
    what = "the JSON" if is_json(item) else "an image"
    return f"{source.name}: {what} is not taken: {problem}"


def _outcome(image: WantedImage, data: bytes, source: str) -> Outcome:
    return Outcome(image.name, len(data), hashlib.sha256(data).hexdigest(), source)
