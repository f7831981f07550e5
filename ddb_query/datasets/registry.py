"""What a user has added: a small JSON file in their configuration folder; the data stays put.

The file is read like a stranger's: of bounded size, every value checked. It is changed under a lock
and replaced whole, so that processes that add at the same time do not lose each other's entries.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ddb_query.datasets.names import is_free_name
from ddb_query.diffusiondb import DATASETS, PUBLISHED
from ddb_query.errors import DamagedRegistryError, NameTakenError, UsageError
from ddb_query.util.atomic_files import is_special, locked, make_folder, replacing

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["zips", "folders"]

FILE = "datasets.json"
VERSION = 1
MOST_ENTRIES = 1_000
# As many of the longest paths that Linux has, each byte of which is six characters in JSON.
MOST_BYTES = MOST_ENTRIES * 6 * 5_000

_FOLDER_HINT = "DDB_CONFIG_DIR names another folder for what ddb remembers of you"


@dataclass(frozen=True)
class AddedTable:
    """A metadata table that was added under a name.

    Attributes:
        name: Of the dataset; 2m or large for a table in the place of a published one.
        path: The file or folder, absolute.
        images: The built-in dataset whose parts hold its images; None where that is not known.

    """

    name: str
    path: Path
    images: str | None


@dataclass(frozen=True)
class AddedParts:
    """A folder of images that was added.

    Attributes:
        kind: Part `zips`, or extracted parts in `folders`.
        path: The folder, absolute.
        images: The built-in dataset whose parts these are.

    """

    kind: Kind
    path: Path
    images: str


@dataclass(frozen=True)
class Added:
    """All that a user has added, the oldest first."""

    tables: tuple[AddedTable, ...] = ()
    parts: tuple[AddedParts, ...] = ()

    def table(self, name: str) -> AddedTable | None:
        """The table of a name, if there is one."""
        return next((table for table in self.tables if table.name == name), None)


class Registry:
    """What one user has added."""

    def __init__(self, config_dir: Path) -> None:
        self.path = config_dir / FILE

    def read(self) -> Added:
        """All that was added.

        Raises:
            DamagedRegistryError: The file cannot be read, or holds something else.

        """
        try:
            if is_special(self.path):
                raise DamagedRegistryError(self.path, "it is no file")
            with self.path.open("rb") as file:
                raw = file.read(MOST_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return Added()
        except OSError as error:
            raise DamagedRegistryError(self.path, error.strerror or str(error)) from error
        if len(raw) > MOST_BYTES:
            raise DamagedRegistryError(self.path, f"it is larger than {MOST_BYTES:,} bytes")
        try:
            return _checked(json.loads(raw))
        except RecursionError as error:
            raise DamagedRegistryError(self.path, "it is nested too deep") from error
        except (ValueError, TypeError, KeyError) as error:
            problem = (
                str(error) if isinstance(error, _BadEntryError) else "it is not what ddb wrote"
            )
            raise DamagedRegistryError(self.path, problem) from error

    def add_table(self, new: AddedTable, *, replacing_other: bool = False) -> AddedTable | None:
        """Register a table under its name.

        Returns:
            The other table that had the name before.

        Raises:
            NameTakenError: Another table has the name, and is not to be replaced.
            OutputError: The configuration folder cannot be written.

        """
        before: list[AddedTable] = []

        def change(added: Added) -> Added:
            taken = added.table(new.name)
            if taken is not None and taken.path != new.path:
                if not replacing_other:
                    raise NameTakenError(new.name, taken.path, new.path)
                before.append(taken)
            others = (table for table in added.tables if table.name != new.name)
            return replace(added, tables=(*others, new))

        self._change(change)
        return before[0] if before else None

    def add_parts(self, new: AddedParts) -> None:
        """Register a folder of parts; the same folder before is replaced.

        Raises:
            OutputError: The configuration folder cannot be written.

        """

        def change(added: Added) -> Added:
            others = (parts for parts in added.parts if parts.path != new.path)
            return replace(added, parts=(*others, new))

        self._change(change)

    def forget(self, gone: Added) -> None:
        """Forget some of what was added; the data stays where it is."""

        def change(added: Added) -> Added:
            tables = tuple(table for table in added.tables if table not in gone.tables)
            return Added(tables, tuple(one for one in added.parts if one not in gone.parts))

        self._change(change)

    def _change(self, change: Callable[[Added], Added]) -> None:
        make_folder(self.path.parent, hint=_FOLDER_HINT)
        with locked(self.path, hint=_FOLDER_HINT):
            changed = change(self.read())
            if len(changed.tables) + len(changed.parts) > MOST_ENTRIES:
                raise UsageError(
                    f"{MOST_ENTRIES:,} tables and folders are added already",
                    hint="`ddb data remove NAME` forgets one",
                )
            content = {"version": VERSION, **asdict(changed)}
            text = json.dumps(content, indent=1, default=str) + "\n"
            with replacing(self.path) as temporary:
                temporary.write_text(text, "ascii")


class _BadEntryError(ValueError):
    """An entry that ddb would not have written."""


def _checked(content: object) -> Added:
    if not isinstance(content, dict) or content.get("version") != VERSION:
        raise _BadEntryError(f"it is not of version {VERSION}")
    tables, parts = content["tables"], content["parts"]
    if not isinstance(tables, list) or not isinstance(parts, list):
        raise _BadEntryError("tables and parts are no lists")
    if len(tables) + len(parts) > MOST_ENTRIES:
        raise _BadEntryError(f"it has more than {MOST_ENTRIES:,} entries")
    added = Added(tuple(map(_table, tables)), tuple(map(_parts, parts)))
    names = [table.name for table in added.tables]
    if len(set(names)) < len(names):
        raise _BadEntryError("a name stands in it twice")
    return added


def _table(entry: dict[str, object]) -> AddedTable:
    name, images = entry["name"], entry["images"]
    if not isinstance(name, str) or not (name in PUBLISHED or is_free_name(name)):
        raise _BadEntryError("it has a name that no dataset can have")
    if (images is not None and images not in DATASETS) or (name in PUBLISHED and images != name):
        raise _BadEntryError(f"it says of {name} that its images are from an unknown dataset")
    return AddedTable(name, _path(entry), None if images is None else str(images))


def _parts(entry: dict[str, object]) -> AddedParts:
    kind, images = entry["kind"], entry["images"]
    if kind not in ("zips", "folders") or images not in DATASETS:
        raise _BadEntryError("it has parts of an unknown kind or dataset")
    return AddedParts("zips" if kind == "zips" else "folders", _path(entry), str(images))


def _path(entry: dict[str, object]) -> Path:
    text = entry["path"]
    if not isinstance(text, str) or "\0" in text or not Path(text).is_absolute():
        raise _BadEntryError("it has a path that is none")
    # Refuses, as a ValueError, what no file can be called.
    os.fsencode(text)
    return Path(text)
