"""What the crew does: find a part, read its directory, and turn spans of it into files.

A job is a generator of events. What is wrong with an image or a part becomes an `Outcome`; what is
wrong with the Hub or the disk is raised.
"""

from __future__ import annotations

import hashlib
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from ddb_query.errors import (
    BadImageError,
    BrokenTransferError,
    DamagedPartError,
    NotOnHubError,
    PartChangedError,
)
from ddb_query.images.ledger import Difference, Outcome, json_name, not_compared
from ddb_query.images.part_json import COLUMNS, LARGEST_JSON, json_differences
from ddb_query.images.part_reader import PartReader
from ddb_query.images.parts import NoRangesError
from ddb_query.images.pictures import check_picture, largest_bytes
from ddb_query.images.rows import rows_of_part
from ddb_query.images.spans import Span, spans
from ddb_query.images.zip_part import unpack

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ddb_query.images.directories import Directories
    from ddb_query.images.ledger import WantedImage
    from ddb_query.images.parts import Part
    from ddb_query.images.place import Place
    from ddb_query.images.sources import Sources
    from ddb_query.images.zip_part import Member

# How often a part, or bytes with a wrong checksum, are read before that is given up.
TRIES = 3


class More(NamedTuple):
    """Another job, and the images that are its business from now on."""

    job: Callable[[], Iterator[Event]]
    names: frozenset[str]


class Compared(NamedTuple):
    """A part's JSON beside the metadata."""

    part_id: int
    differences: tuple[Difference, ...]


Event = Outcome | More | Compared | str


class Jobs:
    """The jobs of one fetch; all that they share serves many threads."""

    def __init__(
        self, dataset: str, place: Place, sources: Sources, directories: Directories,
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

    def part(self, part_id: int, images: Sequence[WantedImage], tries: int = 1) -> More:
        """Have these images of a part."""
        return self._more(self._part(part_id, images, tries), part_id, images, tries)

    def _part(self, part_id: int, images: Sequence[WantedImage], tries: int) -> Iterator[Event]:
        left = []
        for image in images:
            if (adopted := self._adopted(image)) is not None:
                yield adopted
            else:
                left.append(image)
        if not left and part_id not in self._unchecked:
            return
        try:
            yield from self._from_zip(part_id, left, tries)
        except (DamagedPartError, NotOnHubError, BrokenTransferError) as error:
            if part_id in self._unchecked:
                yield Compared(part_id, (not_compared(part_id, error.message),))
            raise

    def _adopted(self, image: WantedImage) -> Outcome | None:
        """An image that lies here already: in the folder itself, or where an earlier one put it."""
        if self._place.size_of(image.file) is not None:
            return self._checked_file(image, self._place.folder / image.file, "here")
        found = self._sources.nearby.file(image.part_id, image.name)
        outcome = self._checked_file(image, found, "file") if found else None
        if found and outcome:
            self._place.link(image.file, found)
        return outcome

    def _checked_file(self, image: WantedImage, path: Path, source: str) -> Outcome | None:
        try:
            if path.stat().st_size > largest_bytes(image):
                return None
            data = path.read_bytes()
            check_picture(image, data)
        except (OSError, BadImageError):
            return None
        return _outcome(image, data, source)

    def _from_zip(self, part_id: int, images: Sequence[WantedImage], tries: int) -> Iterator[Event]:
        part = self._sources.part(part_id, self._place.rows_path, [i.name for i in images])
        reader = PartReader(part, self._sources.patience)
        try:
            members = self._members(part_id, reader)
        except NoRangesError:
            yield f"{part.path}: the server gives no pieces of files; fetching it whole"
            with self._sources.whole(part_id, self._place.state) as part:
                reader = PartReader(part, self._sources.patience)
                members = self._members(part_id, reader)
                if part_id in self._unchecked:
                    yield self._compared(part_id, reader, members)
                for more in self._spans(reader, members, images, tries):
                    yield from more.job() if isinstance(more, More) else [more]
            return
        if part_id in self._unchecked:
            yield self._compared(part_id, reader, members)
        yield from self._spans(reader, members, images, tries)

    def _members(self, part_id: int, reader: PartReader) -> list[Member]:
        etag = reader.part.etag
        members = self._directories.members(part_id, etag) if etag else None
        if members is None:
            members = reader.directory()
            if etag:
                self._directories.keep(part_id, etag, reader.part.source, members)
        return members

    def _spans(
        self, reader: PartReader, members: list[Member], images: Sequence[WantedImage], tries: int
    ) -> Iterator[Event]:
        wanted = {image.name: image for image in images}
        found = [member for member in members if member.name in wanted]
        for span in spans(found):
            of_span = {member.name: wanted.pop(member.name) for member in span.members}
            yield self._span(reader, span, of_span, tries)
        for image in wanted.values():
            yield Outcome(image.name, error=f"{reader.part.path} does not hold it")

    def _span(
        self, reader: PartReader, span: Span, images: dict[str, WantedImage], tries: int
    ) -> More:
        job = self._read(reader, span, images, tries)
        part_id = next(iter(images.values())).part_id
        return self._more(job, part_id, list(images.values()), tries)

    def _read(
        self, reader: PartReader, span: Span, images: dict[str, WantedImage], tries: int
    ) -> Iterator[Event]:
        if reader.part.source == "hub":
            self._sources.raise_if_lost()
        for member, raw in reader.members(span.members):
            image = images[member.name]
            try:
                data = unpack(member, raw, largest_bytes(image))
            except BadImageError as error:
                if tries < TRIES and reader.part.source == "hub":
                    yield self._span(reader, Span((member,)), {image.name: image}, tries + 1)
                else:
                    yield Outcome(image.name, error=error.problem)
                continue
            yield self._kept(image, data, reader.part)

    def _kept(self, image: WantedImage, data: bytes, part: Part) -> Outcome:
        try:
            check_picture(image, data)
        except BadImageError as error:
            return Outcome(image.name, error=error.problem)
        self._place.put(image.file, data)
        return _outcome(image, data, part.source)

    def _compared(self, part_id: int, reader: PartReader, members: list[Member]) -> Compared:
        rows = rows_of_part(self._place.rows_path, part_id, COLUMNS)
        name = json_name(part_id)
        member = next((member for member in members if member.name == name), None)
        if member is None:
            return Compared(part_id, (not_compared(part_id, "the part has none"),))
        raw = next(raw for _, raw in reader.members((member,)))
        try:
            data = unpack(member, raw, LARGEST_JSON)
            return Compared(part_id, tuple(json_differences(name, data, rows)))
        except (BadImageError, DamagedPartError) as error:
            return Compared(part_id, (not_compared(part_id, error.problem),))

    def _more(
        self, job: Iterator[Event], part_id: int, images: Sequence[WantedImage], tries: int
    ) -> More:
        guarded = partial(self._guarded, job, part_id, images, tries)
        return More(guarded, frozenset(image.name for image in images))

    def _guarded(
        self, job: Iterator[Event], part_id: int, images: Sequence[WantedImage], tries: int
    ) -> Iterator[Event]:
        """A job whose errors are written down for each of its images that it did not get to."""
        left = {image.name: image for image in images}
        try:
            for event in job:
                if isinstance(event, Outcome):
                    left.pop(event.name, None)
                if isinstance(event, More):
                    left = {n: image for n, image in left.items() if n not in event.names}
                yield event
        except PartChangedError as error:
            self._directories.drop(part_id)
            if tries < TRIES:
                yield self.part(part_id, list(left.values()), tries + 1)
            else:
                yield from (Outcome(name, error=error.message, again=True) for name in left)
        except BrokenTransferError as error:
            yield from (Outcome(name, error=error.message, again=True) for name in left)
        except (DamagedPartError, NotOnHubError) as error:
            yield from (Outcome(name, error=error.message) for name in left)


def _outcome(image: WantedImage, data: bytes, source: str) -> Outcome:
    return Outcome(image.name, len(data), hashlib.sha256(data).hexdigest(), source)
