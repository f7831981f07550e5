"""Where a table's store lies, and whether it is whole.

A store is a folder named by whose images a table has, its size and the sha256 of its footer: a
copied or touched file, or one added under another name, keeps its store, a changed one cannot meet
an old one, and two tables never clash.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import is_dataset_name
from ddb_query.engines.table_files import arrow_files, table_files
from ddb_query.errors import BadTableError

if TYPE_CHECKING:
    from ddb_query.diffusiondb import Dataset

# Raised when the files in a store change: an older store is then built anew.
STORE_VERSION = 4
# The rules by which text is normalised (sql/functions/normalise.sql) and artists are told
# (sql/views/prompt_artists.sql).
MATCH_RULES = 2

TABLES = (
    "images", "prompts", "activity", "users", "repeats", "clauses", "terms", "prompt_artists",
    "artists",
)  # fmt: skip
INDEX = "index"
_MANIFEST = "store.json"
_FOOTER_TAIL_BYTES = 8
_END_BYTES = 1 << 16


@dataclass(frozen=True)
class Store:
    """A table's store, which may not have been built yet.

    Attributes:
        folder: Where it lies, or would lie.
        dataset: Name of the dataset that it serves, or was built for.
        footer_sha256: Identity of the table it is derived from; its beginning, when the store was
            found by its folder.
    """

    folder: Path
    dataset: str
    footer_sha256: str

    def table(self, name: str) -> Path:
        """The file of one of `TABLES`."""
        return self.folder / f"{name}.parquet"

    @property
    def index(self) -> Path:
        """The folder of the search index."""
        return self.folder / INDEX

    def problem(self) -> str | None:
        """What keeps it from being used: None when it is whole, else `missing` or what is wrong.

        Looks at the size of every file, as they were when the store was finished.
        """
        try:
            manifest = json.loads((self.folder / _MANIFEST).read_text("utf-8"))
            sizes = manifest["files"].items()
            for name, size in sizes:
                if (self.folder / name).stat().st_size != size:
                    return f"{name} is damaged"
        except (FileNotFoundError, NotADirectoryError):
            return "incomplete" if self.folder.is_dir() else "missing"
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "store.json is damaged"
        return None

    def discard(self) -> None:
        """Delete it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    @property
    def whole(self) -> bool:
        """Whether it can be used."""
        return self.problem() is None


def store_of(cache_dir: Path, dataset: Dataset, table: Path) -> Store:
    """The place of a table's store.

    Raises:
        BadTableError: The table's footer cannot be read.
    """
    sha256, size = footer(table)
    images = dataset.images or "own"
    name = f"{images}-{size}-{sha256[:20]}-v{STORE_VERSION}.{MATCH_RULES}"
    return Store(stores_folder(cache_dir) / name, dataset.name, sha256)


def stores_folder(cache_dir: Path) -> Path:
    """The folder that holds all stores."""
    return cache_dir / "stores"


def stores(cache_dir: Path) -> list[Store]:
    """All stores there are, by name."""
    folders = stores_folder(cache_dir).glob("*-*-*-v*")
    found = [path for path in folders if path.is_dir() and ".building-" not in path.name]
    return [Store(path, _built_for(path), path.name.split("-")[2]) for path in sorted(found)]


def _built_for(folder: Path) -> str:
    """The dataset that a store says it was built for; whose images it has, where it does not."""
    try:
        name = json.loads((folder / _MANIFEST).read_text("utf-8"))["dataset"]
    except (OSError, ValueError, KeyError, TypeError):
        name = None
    known = isinstance(name, str) and is_dataset_name(name)
    return str(name) if known else folder.name.partition("-")[0]


def footer(table: Path) -> tuple[str, int]:
    """What tells a table from others: the sha256 of its footer, and its size in bytes.

    Of a folder it is the sha256 of the names and footers of its files; of an Arrow file, which may
    have no footer, its two ends stand for it.

    Raises:
        BadTableError: It cannot be read.
    """
    if not table.is_dir():
        return _footer(table)
    digest, total = hashlib.sha256(), 0
    for file in [*table_files(table), *arrow_files(table)]:
        sha256, size = _footer(file) if file.suffix == ".parquet" else _ends(file)
        digest.update(os.fsencode(file.relative_to(table)) + f"\0{sha256}\n".encode())
        total += size
    return digest.hexdigest(), total


def _ends(file: Path) -> tuple[str, int]:
    """The sha256 of the beginning and the end of a file that has no footer, and its size."""
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(0)
            start = opened.read(_END_BYTES)
            opened.seek(max(size - _END_BYTES, 0))
            return hashlib.sha256(start + opened.read()).hexdigest(), size
    except OSError as error:
        raise BadTableError(file, error.strerror or str(error)) from error


def _footer(file: Path) -> tuple[str, int]:
    """The sha256 of a parquet file's footer, and the file's size.

    The footer's length stands before the magic at the end:
    https://parquet.apache.org/docs/file-format/
    """
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
            opened.seek(max(size - _FOOTER_TAIL_BYTES, 0))
            length = int.from_bytes(opened.read(4), "little")
            opened.seek(max(size - _FOOTER_TAIL_BYTES - length, 0))
            return hashlib.sha256(opened.read(length)).hexdigest(), size
    except OSError as error:
        raise BadTableError(file, error.strerror or str(error)) from error


def write_manifest(folder: Path, source: Path, dataset: str) -> None:
    """Say in a finished store which files it has, and what it was made from."""
    files = {
        str(path.relative_to(folder)): path.stat().st_size
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(".")
    }
    found = {"dataset": dataset, "source": str(source), "match_rules": MATCH_RULES, "files": files}
    (folder / _MANIFEST).write_text(json.dumps(found, indent=1) + "\n", "utf-8")


def made_from(store: Store) -> Path | None:
    """The table that a store was made from; None where it does not say."""
    try:
        return Path(json.loads((store.folder / _MANIFEST).read_text("utf-8"))["source"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def source_is_gone(store: Store) -> bool:
    """Whether the table that a store was made from is no longer there, or has changed."""
    source = made_from(store)
    if source is None:
        return True
    try:
        if not source.exists():
            return True
        sha256, size = footer(source)
    except (OSError, BadTableError):
        # It may be there: this user cannot see it.
        return False
    return f"{size}-{sha256[:20]}" not in store.folder.name
