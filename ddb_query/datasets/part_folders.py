"""Part zips and image files below a folder, found by their names however people keep them.

Looks at names only. A folder of zips, of extracted parts, of images without any parts, an earlier
fetch: all are the same here. Hidden files and the resource forks of macOS are not looked at.
"""

from __future__ import annotations

import itertools
import os
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import MACOS_FORKS, part_number, published_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

# `snapshots/COMMIT/images/part-000001/part-000001` is as deep as any of the known forms.
_DEPTH = 5


class PartFolder:
    """What a folder holds of a dataset's images.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        """Find part zips, folders of parts and folders of images; a file is a zip by itself.

        Folders of parts are not looked into: there may be 14,000 of them.
        """
        self.path = path
        self._zips: defaultdict[int, list[Path]] = defaultdict(list)
        self._parts: defaultdict[int, list[Path]] = defaultdict(list)
        # Folders with images that are not named after a part, in the order in which they are found.
        self._loose: list[Path] = []
        if path.is_file():
            self._add_zip(path)
        elif (number := part_number(path.name)) is not None:
            self._parts[number].append(path)
        else:
            self._look_into(path, _DEPTH)

    @property
    def is_empty(self) -> bool:
        """Whether there is neither a zip nor a folder with images."""
        return not (self._zips or self._parts or self._loose)

    def parts(self) -> set[int]:
        """Numbers of the parts that may have a zip here."""
        return {*self._zips, *self._parts}

    def zips(self, part_id: int) -> list[Path]:
        """Zips that are named after a part: `part-000001.zip`, `part-000001 (1).zip`."""
        inside = (
            entry for folder in self._parts.get(part_id, ()) for entry in _files(folder, _DEPTH)
        )
        return [*self._zips.get(part_id, ()), *(e for e in inside if _is_zip_of(e.name) == part_id)]

    def files(self, part_id: int, names: Iterable[str]) -> dict[str, Path]:
        """The files of these images, and of the part's JSON, by published name."""
        found: dict[str, Path] = {}
        for folder in self._parts.get(part_id, ()):
            for file in _files(folder, _DEPTH):
                found.setdefault(published_name(file.name) or "", file)
        return {name: path for name in names if (path := found.get(name) or self._loose_file(name))}

    def names(self) -> Iterator[str]:
        """Published names of all files, some of them perhaps more than once."""
        below_parts = (
            file for folders in self._parts.values() for f in folders for file in _files(f, _DEPTH)
        )
        in_loose = (file for folder in self._loose for file in _files(folder, 0))
        for file in itertools.chain(below_parts, in_loose):
            if name := published_name(file.name):
                yield name

    def _loose_file(self, name: str) -> Path | None:
        stem, dot, suffix = name.rpartition(".")
        spellings = (name, f"{stem}{dot}{suffix.upper()}", name.upper())
        candidates = (folder / spelling for folder in self._loose for spelling in spellings)
        return next((path for path in candidates if path.is_file()), None)

    def _look_into(self, folder: Path, depth: int) -> None:
        entries = _entries(folder)
        for entry in entries:
            if entry.is_dir():
                continue
            self._add_zip(Path(entry.path))
            if published_name(entry.name) and folder not in self._loose[-1:]:
                self._loose.append(folder)
        for entry in entries if depth else ():
            if entry.is_dir() and (number := part_number(entry.name)) is not None:
                self._parts[number].append(Path(entry.path))
            elif entry.is_dir():
                self._look_into(Path(entry.path), depth - 1)

    def _add_zip(self, path: Path) -> None:
        if (number := _is_zip_of(path.name)) is not None:
            self._zips[number].append(path)


def _is_zip_of(name: str) -> int | None:
    return part_number(name) if name.lower().endswith(".zip") else None


def _files(folder: Path, depth: int) -> Iterator[Path]:
    """Files of a folder and of those in it, those that lie less deep first."""
    below = []
    for entry in _entries(folder):
        if entry.is_dir():
            below.append(Path(entry.path))
        else:
            yield Path(entry.path)
    for path in below if depth else ():
        yield from _files(path, depth - 1)


def _entries(folder: Path) -> list[os.DirEntry[str]]:
    """What a folder holds, by name; nothing where it is gone or may not be read."""
    try:
        with os.scandir(folder) as found:
            seen = [e for e in found if not e.name.startswith(".") and e.name != MACOS_FORKS]
    except OSError:
        return []
    return sorted(seen, key=lambda entry: entry.name)
