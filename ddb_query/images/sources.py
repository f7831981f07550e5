"""Where a dataset's parts come from, nearest first: this machine, a `file://` mirror, the Hub.

Folders that were registered with `ddb data add` or are given, zips in the Hub's own cache, and
the drawn parts of the demo dataset need no network; the Hub is connected to when it is needed.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ddb_query.catalog.parts import recognise_folder
from ddb_query.catalog.registry import Registry
from ddb_query.dataset import REPOSITORY, part_path
from ddb_query.errors import BadTableError, HubError, NotOnHubError
from ddb_query.hub.endpoint import Hub, Retries
from ddb_query.images.ledger import ledger_of
from ddb_query.images.parts import HubPart, ZipFile
from ddb_query.images.place import Place
from ddb_query.images.rows import rows_of_part

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from typing import Self

    from ddb_query.hub.client import Connection
    from ddb_query.images.parts import Part
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


class Sources:
    """All places where a dataset's images may be; threads may share it. Close it, or use `with`."""

    def __init__(
        self,
        dataset: str,
        settings: Settings,
        hub: Hub,
        *,
        local: Iterable[Path] = (),
        on_note: Callable[[str], None] = lambda _: None,
        connections: int = 16,
    ) -> None:
        """Look at what there is; asks nobody.

        Args:
            dataset: 2m, large or demo.
            settings: Whose data folder has the registered folders.
            hub: Which Hub, or `file://` mirror.
            local: Folders of part zips, of extracted parts, or of earlier fetches.
            on_note: Told of waits, from any thread.
            connections: How many to the Hub are kept alive.

        Raises:
            BadTableError: One of `local` is none of these.
        """
        self._dataset = dataset
        self._cache = settings.cache_dir
        self._hub = hub
        self._folders = [*map(_recognised, local), *_registered(settings, dataset)]
        self._on_note = on_note
        self._connections = connections
        self._open = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._lost: HubError | None = None
        self._hub_cache_used = _hub_cache().is_dir()

    def part(self, part_id: int, rows_path: Path, names: Iterable[str]) -> Part:
        """A part's zip.

        Args:
            part_id: The part.
            rows_path: The kept rows; the demo's images are drawn from them.
            names: The images that it must hold, in so far as they are drawn.

        Raises:
            HubError: It is nowhere near, and the Hub does not describe it.
        """
        if self._dataset == "demo":
            return self._drawn(part_id, rows_path, set(names))
        return self.nearby(part_id) or self._on_hub(part_path(self._dataset, part_id))

    def nearby(self, part_id: int) -> Part | None:
        """A part's zip on this machine or a `file://` mirror."""
        path = part_path(self._dataset, part_id)
        name = path.rpartition("/")[2]
        for folder in self._folders:
            if folder.kind == "zips" and (folder.path / name).is_file():
                return ZipFile(path, folder.path / name, "zip")
        if (mirrored := self._mirrored(path)) is not None:
            return ZipFile(path, mirrored, "mirror")
        if (cached := self._in_hub_cache(path)) is not None:
            return ZipFile(path, cached, "cache")
        return None

    def file(self, part_id: int, name: str) -> Path | None:
        """An image as a file of its own, in an extracted part or an earlier fetch."""
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

    def count_nearby(self, part_id: int, names: Sequence[str]) -> int:
        """How many of a part's images need no network, as far as names can tell."""
        if self._dataset == "demo" or self.nearby(part_id) is not None:
            return len(names)
        return len(set(names) & self._single_files(part_id))

    def _single_files(self, part_id: int) -> set[str]:
        found: set[str] = set()
        for folder in self._folders:
            found.update(folder.files)
            with contextlib.suppress(OSError):
                part = folder.path / f"part-{part_id:06d}"
                found.update(path.name for path in part.iterdir())
        return found

    @contextlib.contextmanager
    def whole(self, part_id: int, folder: Path) -> Iterator[Part]:
        """A part's zip, downloaded for as long as the block lasts.

        Args:
            part_id: The part.
            folder: Where there is room for it; what has arrived stays there after a failure.
        """
        from ddb_query.hub.download import download

        path = part_path(self._dataset, part_id)
        target = folder / f"whole-{part_id:06d}" / "part.zip"
        download(
            self._hub, path, target, progress=lambda *_: None, on_note=self._on_note
        )  # fmt: skip
        yield ZipFile(path, target, "hub")
        shutil.rmtree(target.parent, ignore_errors=True)

    def patience(self) -> Retries:
        """Give the patience for one piece of work."""
        return Retries(self._hub, self._on_note)

    def lose(self, error: HubError) -> None:
        """Ask the Hub for nothing more; what lies here is still given."""
        self._lost = self._lost or error

    def raise_if_lost(self) -> None:
        """Raise what ended the work with the Hub, if anything did."""
        if self._lost is not None:
            raise self._lost

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _drawn(self, part_id: int, rows_path: Path, names: set[str]) -> Part:
        from ddb_query.images.demo_parts import DRAWN_FROM, demo_part

        rows = rows_of_part(rows_path, part_id, DRAWN_FROM)
        wanted = [row for row in rows if row["image_name"] in names]
        file = demo_part(self._cache, part_id, wanted)
        return ZipFile(part_path("demo", part_id), file, "drawn")

    def _on_hub(self, path: str) -> Part:
        self.raise_if_lost()
        if self._hub.endpoint.startswith("file:"):
            raise NotOnHubError(self._hub.endpoint, path, self._hub.revision)
        with self._lock:
            if self._connection is None:
                from ddb_query.hub.client import connect

                opening = connect(self._hub, self._on_note, connections=self._connections)
                self._connection = self._open.enter_context(opening)
        return HubPart(self._connection, path)

    def _mirrored(self, path: str) -> Path | None:
        if not self._hub.endpoint.startswith("file:"):
            return None
        root = Path(unquote(urlsplit(self._hub.endpoint).path))
        below = f"datasets/{REPOSITORY}/resolve/{self._hub.revision}"
        candidates = (root / below / path, root / path)
        return next((candidate for candidate in candidates if candidate.is_file()), None)

    def _in_hub_cache(self, path: str) -> Path | None:
        if not self._hub_cache_used:
            return None
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
        raise BadTableError(path, "there is no such folder")
    ledger = Place(path).ledger_path
    if ledger.is_file():
        with ledger_of(ledger, read_only=True) as earlier:
            return _Folder("fetched", path, {name: file for name, file, _ in earlier.fetched()})
    added = recognise_folder(path, "any")
    return _Folder(added.kind, added.path, {})


def _registered(settings: Settings, dataset: str) -> Iterator[_Folder]:
    for entry in reversed(Registry(settings.data_dir).entries()):
        if entry.dataset == dataset and entry.kind != "table":
            yield _Folder(entry.kind, entry.path, {})
