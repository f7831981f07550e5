"""The folder that images are fetched into, and all that is written to it.

State lies in `DIR/.ddb/`: the ledger, the rows wanted, the lock, and `new/` for files on their way.
Nothing outside DIR is written: a link inside it is never followed, a name never climbs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import stat
from typing import TYPE_CHECKING

from ddb_query.errors import OutputError
from ddb_query.util.atomic_files import make_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_HINT = "mend that and run the same command again: what has arrived is kept"


class Place:
    """A folder of fetched images; `place_at` opens it.

    Attributes:
        folder: The folder itself.
        state: Its `.ddb`.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.state = folder / ".ddb"
        self.ledger_path = self.state / "ledger.sqlite"
        self.rows_path = self.state / "wanted.parquet"
        self._new = self.state / "new"
        self._numbers = itertools.count()
        self._folders: set[Path] = set()

    def size_of(self, file: str) -> int | None:
        """Bytes of a file; None when there is none, or only something by its name."""
        try:
            for parent in (self.folder / file).relative_to(self.folder).parents[:-1]:
                if (self.folder / parent).is_symlink():
                    return None
            found = (self.folder / file).lstat()
        except OSError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def put(self, file: str, data: bytes) -> None:
        """Have a file with these bytes, whole or not at all.

        Raises:
            OutputError: It cannot be written.
        """

        def write(temporary: Path) -> None:
            with temporary.open("xb") as sink:
                sink.write(data)
                sink.flush()
                os.fsync(sink.fileno())

        self._put(file, write)

    def link(self, file: str, source: Path) -> None:
        """Have a file that lies elsewhere: as a hard link where possible, else as a copy.

        Raises:
            OutputError: It cannot be written.
        """

        def write(temporary: Path) -> None:
            real = source.resolve()
            try:
                temporary.hardlink_to(real)
            except OSError:
                shutil.copyfile(real, temporary)

        self._put(file, write)

    def sync(self) -> None:
        """Make the names of new files last."""
        for folder in {self.folder, *self._folders}:
            descriptor = os.open(folder, os.O_RDONLY)
            os.fsync(descriptor)
            os.close(descriptor)

    def refuse_links(self) -> None:
        """Have the folder of state, and no link in it that would be written through.

        Raises:
            OutputError: There is one.
        """
        self.real_folder(self.state)
        for entry in self.state.iterdir():
            if entry.is_symlink():
                raise OutputError(entry, "it is a link")

    def begin(self) -> None:
        """Have nothing left of a run that was killed."""
        shutil.rmtree(self._new, ignore_errors=True)
        self.real_folder(self._new)

    def _put(self, file: str, write: Callable[[Path], None]) -> None:
        target = self.folder / file
        temporary = self._new / str(next(self._numbers))
        try:
            for folder in reversed(target.relative_to(self.folder).parents[:-1]):
                self.real_folder(self.folder / folder)
            write(temporary)
            temporary.replace(target)
        except OSError as error:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
            raise OutputError(target, error.strerror or str(error), hint=_HINT) from error

    def real_folder(self, folder: Path) -> None:
        """Have a folder that is no link."""
        if folder in self._folders:
            return
        try:
            with contextlib.suppress(FileExistsError):
                folder.mkdir()
            if not stat.S_ISDIR(folder.lstat().st_mode):
                raise OutputError(folder, "it is a link or a file, not a folder")
        except OSError as error:
            raise OutputError(folder, error.strerror or str(error), hint=_HINT) from error
        self._folders.add(folder)


@contextlib.contextmanager
def place_at(folder: Path, on_note: Callable[[str], None]) -> Iterator[Place]:
    """Open a folder for fetching; waits for another run into it.

    Raises:
        OutputError: It cannot be made or written.
    """
    import filelock

    place = Place(folder)
    make_folder(folder, hint="-o DIR names another folder")
    place.refuse_links()
    lock = filelock.FileLock(place.state / "lock")
    try:
        try:
            lock.acquire(blocking=False)
        except filelock.Timeout:
            on_note(f"another ddb fetches into {folder}; waiting for it")
            lock.acquire()
    except OSError as error:
        raise OutputError(folder, error.strerror or str(error)) from error
    try:
        place.begin()
        yield place
    finally:
        lock.release()
