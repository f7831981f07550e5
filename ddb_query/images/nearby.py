"""What of a dataset's images needs no network: looks at names of files, and asks nobody.

Folders registered with `ddb data add` or given: of part zips, of extracted parts, of earlier
fetches; zips in the Hub's own cache; a `file://` mirror. The demo dataset draws all its images.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ddb_query.catalog.parts import recognise_parts
from ddb_query.catalog.registry import Registry
from ddb_query.dataset import DATASETS, IMAGES_PER_PART, REPOSITORY, part_path
from ddb_query.errors import BadTableError
from ddb_query.images.ledger import ledger_of
from ddb_query.images.parts import ZipFile
from ddb_query.images.place import Place

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from ddb_query.hub.endpoint import Hub
    from ddb_query.settings import Settings


@dataclass(frozen=True)
class _Folder:
    """A folder with images of a dataset.

    Attributes:
        kind: Part `zips`, extracted parts in `folders`, or `fetched` by ddb.
        path: The folder.
        files: For `fetched`: its images by name.
    """

    kind: str
    path: Path
    files: Mapping[str, str]


class Nearby:
    """The images of a dataset that need no network."""

    def __init__(
        self, dataset: str, settings: Settings, hub: Hub, local: Iterable[Path] = ()
    ) -> None:
        """Look at what there is.

        Args:
            dataset: 2m, large or demo.
            settings: Whose registered folders are looked into.
            hub: Whose revision the Hub's cache is asked for; or a `file://` mirror.
            local: Folders of part zips, of extracted parts, or of earlier fetches.

        Raises:
            BadTableError: One of `local` is none of these.
        """
        self._dataset = dataset
        self._hub = hub
        self._folders = [*map(_recognised, local), *_registered(settings, dataset)]
        self._hub_cache_used = _hub_cache().is_dir()

    @property
    def everything(self) -> bool:
        """Whether no image needs a network."""
        return self._dataset == "demo"

    def zip(self, part_id: int) -> ZipFile | None:
        """A part's zip.

        Raises:
            DamagedPartError: It cannot be looked at.
        """
        found = self._find(part_id)
        return ZipFile(part_path(self._dataset, part_id), *found) if found else None

    def file(self, part_id: int, name: str) -> Path | None:
        """An image as a file of its own."""
        for folder in self._folders:
            if folder.kind == "folders":
                path = folder.path / f"part-{part_id:06d}" / name
            elif name in folder.files:
                path = folder.path / folder.files[name]
            else:
                continue
            if path.is_file():
                return path
        return None

    def count(self, part_id: int, names: Sequence[str]) -> int:
        """How many of a part's images are nearby, as far as names can tell."""
        if self.everything or self._find(part_id) is not None:
            return len(names)
        if not self._folders:
            return 0
        return sum(self.file(part_id, name) is not None for name in names)

    def parts(self) -> list[int]:
        """Numbers of the parts whose zips are nearby."""
        count = (DATASETS[self._dataset].rows or 0) // IMAGES_PER_PART
        return [number for number in range(1, count + 1) if self._find(number) is not None]

    def names(self) -> set[str]:
        """Names of the images that are files of their own."""
        found: set[str] = set()
        for folder in self._folders:
            found.update(folder.files)
            if folder.kind == "folders":
                found.update(path.name for path in folder.path.glob("part-[0-9]*/*.[pw]*"))
        return found

    def _find(self, part_id: int) -> tuple[Path, str] | None:
        """Where a part's zip lies, and what kind of place that is."""
        path = part_path(self._dataset, part_id)
        name = path.rpartition("/")[2]
        for folder in self._folders:
            if folder.kind == "zips" and (folder.path / name).is_file():
                return folder.path / name, "zip"
        for root in self._mirror():
            if (root / path).is_file():
                return root / path, "mirror"
        cached = self._in_hub_cache(path) if self._hub_cache_used else None
        return (cached, "cache") if cached else None

    def _mirror(self) -> tuple[Path, ...]:
        """As the Hub's addresses have it below an endpoint, and the repository itself."""
        if not self._hub.endpoint.startswith("file:"):
            return ()
        root = Path(unquote(urlsplit(self._hub.endpoint).path))
        return root / f"datasets/{REPOSITORY}/resolve/{self._hub.revision}", root

    def _in_hub_cache(self, path: str) -> Path | None:
        from huggingface_hub import try_to_load_from_cache

        found = try_to_load_from_cache(
            REPOSITORY, path, revision=self._hub.revision, repo_type="dataset"
        )
        return Path(found) if isinstance(found, str) else None


def _hub_cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"datasets--{REPOSITORY.replace('/', '--')}"


def _recognised(path: Path) -> _Folder:
    if not path.is_dir():
        hint = "--local takes a folder of part zips, of extracted parts, or of an earlier fetch"
        raise BadTableError(path, "there is no such folder", hint=hint)
    ledger = Place(path).ledger_path
    if ledger.is_file():
        with ledger_of(ledger, read_only=True) as earlier:
            return _Folder("fetched", path, {name: file for name, file, _ in earlier.fetched()})
    parts = recognise_parts(path, "any")
    return _Folder(parts.kind, parts.path, {})


def _registered(settings: Settings, dataset: str) -> Iterator[_Folder]:
    for parts in reversed(Registry(settings.config_dir).read().parts):
        if parts.images == dataset and os.access(parts.path, os.R_OK | os.X_OK):
            yield _Folder(parts.kind, parts.path, {})
