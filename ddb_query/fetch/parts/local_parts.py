"""What of a dataset's images needs no network: looks at this machine, and asks nobody.

In this order: folders that were given, folders registered with `ddb data add`, a `file://` mirror,
zips in the Hub's own cache. The demo dataset draws all its images.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import unquote, urlsplit

from ddb_query.datasets.part_folders import PartFolder
from ddb_query.datasets.registry import Registry
from ddb_query.diffusiondb import DATASETS, IMAGES_PER_PART, REPOSITORY, part_path
from ddb_query.errors import BadTableError, DamagedPartError
from ddb_query.fetch.parts.part_bytes import ZipFile
from ddb_query.fetch.parts.reader import PartReader
from ddb_query.fetch.parts.zip_directory import by_published_name
from ddb_query.hub.cache import snapshot
from ddb_query.hub.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from ddb_query.fetch.parts.directory_cache import DirectoryCache
    from ddb_query.fetch.parts.part_bytes import Part
    from ddb_query.fetch.parts.zip_directory import Member
    from ddb_query.hub.config import Hub
    from ddb_query.settings import Settings
    from ddb_query.util.progress import Progress

_LOCAL = (
    "--local takes a folder of zips named part-NNNNNN.zip, or of images as files: extracted parts,"
    " or an earlier fetch with the layout `folder`"
)


@dataclass(frozen=True)
class LooseFiles:
    """Images of a part that are files of their own.

    Attributes:
        name: What messages call it.
        find: Gives the files of those of these images that it has.
    """

    name: str
    find: Callable[[Iterable[str]], dict[str, Path]]
    as_published: ClassVar[bool] = False


@dataclass(frozen=True)
class Zipped:
    """Images of a part in a zip.

    Attributes:
        name: What messages call it.
        open: Gives the bytes; raises a `DamagedPartError` or a `HubError` when there are none.
        as_published: Whether it comes from the Hub; other zips may hold anything.
    """

    name: str
    open: Callable[[], Part]
    as_published: bool


Source = LooseFiles | Zipped


class LocalParts:
    """The images of a dataset that need no network."""

    def __init__(
        self,
        dataset: str,
        settings: Settings,
        hub: Hub,
        directories: DirectoryCache,
        local: Iterable[Path] = (),
    ) -> None:
        """Look at what there is.

        Args:
            dataset: 2m, large or demo.
            settings: Whose registered folders are looked into.
            hub: Whose revision the Hub's cache is asked for; or a `file://` mirror.
            directories: What is known of zips.
            local: Folders with part zips or images.

        Raises:
            BadTableError: One of `local` has neither.
        """
        self._dataset = dataset
        self._hub = hub
        self._directories = directories
        self._folders = [*map(_given, local), *_registered(settings, dataset)]
        self._published = [] if self.everything else _published(hub)

    @property
    def everything(self) -> bool:
        """Whether no image needs a network."""
        return self._dataset == "demo"

    def sources(self, part_id: int) -> Iterator[Source]:
        """All that may hold images of a part, in the order in which it is asked."""
        for folder in self._folders:
            yield LooseFiles(str(folder.path), partial(folder.files, part_id))
            yield from (_zipped(path, "zip") for path in folder.zips(part_id))
        path = part_path(self._dataset, part_id)
        for root, kind in self._published:
            if (root / path).is_file():
                yield _zipped(root / path, kind)

    def held(self, part_id: int, names: Sequence[str]) -> set[str]:
        """Those of a part's images that are nearby, as far as names and zips' directories tell."""
        if self.everything:
            return set(names)
        found: set[str] = set()
        for source in self.sources(part_id):
            if left := [name for name in names if name not in found]:
                found.update(self._held_by(source, part_id, left))
        return found

    def directories(self, progress: Progress | None = None) -> Iterator[Path]:
        """Files of the cache that name the members of all zips; a zip is looked into only once.

        Args:
            progress: Told how many parts were looked for.
        """
        count = (DATASETS[self._dataset].rows or 0) // IMAGES_PER_PART
        numbers = range(1, count + 1) if self._published else ()
        parts = sorted({*numbers, *(n for folder in self._folders for n in folder.parts())})
        for done, part_id in enumerate(parts):
            if progress is not None:
                progress(done, len(parts), "parts", "looking into part zips")
            for source in self.sources(part_id):
                if isinstance(source, Zipped) and (found := self._looked_into(source, part_id)):
                    path = self._directories.path(part_id, found[0])
                    yield from [path] if path else []

    def names(self) -> set[str]:
        """Names of the images that are files of their own."""
        return {name for folder in self._folders for name in folder.names()}

    def _held_by(self, source: Source, part_id: int, names: Sequence[str]) -> Iterable[str]:
        if isinstance(source, LooseFiles):
            return source.find(names)
        found = self._looked_into(source, part_id)
        return by_published_name(found[1]).keys() & set(names) if found else ()

    def _looked_into(self, source: Zipped, part_id: int) -> tuple[Part, list[Member]] | None:
        """A zip with its members; None when it is damaged."""
        try:
            part = source.open()
            reader = PartReader(part, lambda: Retries(self._hub, lambda _: None))
            return part, self._directories.of(part_id, reader)
        except DamagedPartError:
            return None


def _zipped(path: Path, kind: str) -> Zipped:
    return Zipped(str(path), partial(ZipFile, path, kind), as_published=kind != "zip")


def _published(hub: Hub) -> list[tuple[Path, str]]:
    """Folders that have parts below the paths that they have in the repository."""
    found: list[tuple[Path, str]] = []
    if hub.endpoint.startswith("file:"):
        root = Path(unquote(urlsplit(hub.endpoint).path))
        below = root / f"datasets/{REPOSITORY}/resolve/{hub.revision}"
        found += [(below, "mirror"), (root, "mirror")]
    if (cache := snapshot(hub.revision)) is not None:
        found.append((cache, "cache"))
    return found


def _given(path: Path) -> PartFolder:
    if not path.exists():
        raise BadTableError(path, "there is no such folder", hint=_LOCAL)
    found = PartFolder(path)
    if found.is_empty:
        raise BadTableError(path, "a folder without part zips and without images", hint=_LOCAL)
    return found


def _registered(settings: Settings, dataset: str) -> Iterator[PartFolder]:
    for parts in reversed(Registry(settings.config_dir).read().parts):
        if parts.images == dataset and os.access(parts.path, os.R_OK | os.X_OK):
            yield PartFolder(parts.path)
