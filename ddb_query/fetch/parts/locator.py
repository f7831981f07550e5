"""Where the images of a part come from: all that is nearby, and in the end the Hub.

The Hub is connected to when the first part needs it, and given up for good after an error that is
about the Hub as a whole; what is nearby is still given then.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ddb_query.diffusiondb import part_path
from ddb_query.errors import NotOnHubError
from ddb_query.fetch.parts.local_parts import Zipped
from ddb_query.fetch.parts.part_bytes import HUB, HubPart, ZipFile
from ddb_query.fetch.target.rows import rows_of_part
from ddb_query.hub.retries import Retries

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path
    from typing import Self

    from ddb_query.errors import HubError
    from ddb_query.fetch.parts.local_parts import LocalParts, Source
    from ddb_query.fetch.parts.part_bytes import Part
    from ddb_query.hub.client import Connection
    from ddb_query.hub.config import Hub


class Sources:
    """The sources of a dataset's images; threads may share it. Close it by using it in `with`."""

    def __init__(
        self,
        dataset: str,
        cache: Path,
        hub: Hub,
        local_parts: LocalParts,
        on_note: Callable[[str], None],
        connections: int,
    ) -> None:
        """Ask nobody yet.

        Args:
            dataset: 2m, large or demo.
            cache: The cache folder, for the demo's drawn parts.
            hub: Which Hub.
            local_parts: What needs no network.
            on_note: Told of waits, from any thread.
            connections: How many to the Hub are kept alive.
        """
        self._local_parts = local_parts
        self._dataset = dataset
        self._cache = cache
        self._hub = hub
        self._on_note = on_note
        self._connections = connections
        self._open = contextlib.ExitStack()
        self._lock = threading.Lock()
        self._connection: Connection | None = None
        self._lost: HubError | None = None

    def of_part(self, part_id: int, rows_path: Path, names: Iterable[str]) -> tuple[Source, ...]:
        """All that may hold images of a part, the nearest first; the last of them is always there.

        Args:
            part_id: The part.
            rows_path: The kept rows; the demo's images are drawn from them.
            names: The images that it must hold, in so far as they are drawn.
        """
        path = part_path(self._dataset, part_id)
        if self._dataset == "demo":
            drawn = partial(self._drawn, part_id, rows_path, set(names))
            last = Zipped("the demo dataset", drawn, as_published=True)
        else:
            host = urlsplit(self._hub.endpoint).hostname
            last = Zipped(f"{path} on {host}", partial(self._on_hub, path), as_published=True)
        return (*self._local_parts.sources(part_id), last)

    @contextlib.contextmanager
    def whole(self, part_id: int, folder: Path) -> Iterator[Part]:
        """A part's zip from the Hub, downloaded for as long as the block lasts.

        Args:
            part_id: The part.
            folder: Where there is room for it; what has arrived stays there after a failure.
        """
        from ddb_query.hub.download import download

        path = part_path(self._dataset, part_id)
        target = folder / f"whole-{part_id:06d}" / "part.zip"
        download(self._hub, path, target, progress=lambda *_: None, on_note=self._on_note)
        part = ZipFile(target, HUB)
        part.name, part.origin = path, HUB
        yield part
        shutil.rmtree(target.parent, ignore_errors=True)

    def patience(self) -> Retries:
        """Give the patience for one piece of work."""
        return Retries(self._hub, self._on_note)

    def lose(self, error: HubError) -> None:
        """Ask the Hub for nothing more."""
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
        from ddb_query.fetch.parts.demo import DRAWN_FROM, demo_part

        rows = rows_of_part(rows_path, part_id, DRAWN_FROM)
        wanted = [row for row in rows if row["image_name"] in names]
        file = demo_part(self._cache, part_id, wanted)
        return ZipFile(file, "drawn")

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
