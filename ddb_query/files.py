"""Files and folders that appear whole or not at all, and locks that die with their owner."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that takes its place when the block ends well.

    A symbolic link stays one: what it points to is replaced. The file is fsynced, then renamed,
    then the folder fsynced: a kill leaves the old file or the new one. When the block fails the
    temporary file is removed and the old one stays.

    Raises:
        OutputError: The folder does not exist or may not be written, `target` is a folder, a
            device or a pipe, or the disk is full.

    """
    import tempfile

    if target.is_symlink():
        target = target.resolve()
    if is_special(target):
        raise OutputError(target, "not a file that can be replaced")
    if target.is_dir():
        raise OutputError(target, "a folder has that name", hint="name a file, in it or beside it")
    if not target.parent.is_dir():
        raise OutputError(
            target, f"there is no folder {target.parent}", hint=f"mkdir -p {target.parent}"
        )
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{target.name}.", suffix=".tmp", dir=target.parent
        )
        temporary = Path(name)
        os.close(descriptor)
        yield temporary
        # mkstemp makes files that only their owner reads; an ordinary file follows the umask.
        temporary.chmod(0o666 & ~_umask())
        put_in_place(temporary, target)
        temporary = None
    except OSError as error:
        raise OutputError(target, error.strerror or str(error)) from error
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def replacing_folder(target: Path) -> Iterator[Path]:
    """Yield a new folder beside `target` that takes its place when the block ends well.

    Raises:
        OutputError: It cannot be made, or the disk is full; a folder of that name stays as it was.

    """
    import shutil
    import tempfile

    if not target.parent.is_dir():
        raise OutputError(
            target, f"there is no folder {target.parent}", hint=f"mkdir -p {target.parent}"
        )
    temporary: Path | None = None
    try:
        name = tempfile.mkdtemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for path in (*temporary.rglob("*"), temporary):
            _sync(path)
        if target.exists():
            old = temporary.with_suffix(".old")
            target.rename(old)
            temporary.rename(target)
            shutil.rmtree(old, ignore_errors=True)
        else:
            temporary.rename(target)
        temporary = None
        _sync(target.parent)
    except OSError as error:
        raise OutputError(target, error.strerror or str(error)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def is_special(path: Path) -> bool:
    """Whether a path is a device, a pipe or a socket, which are written to and never replaced."""
    return path.exists() and not path.is_file() and not path.is_dir()


def put_in_place(finished: Path, target: Path) -> None:
    """Give a finished file the name of `target`, in the same folder.

    Raises:
        OSError: It cannot be done; then both are as they were.

    """
    _sync(finished)
    finished.replace(target)
    _sync(target.parent)


@contextlib.contextmanager
def locked(target: Path) -> Iterator[None]:
    """Hold the system's lock of `target`; waits for another holder, and a killed one leaves none.

    Raises:
        OutputError: The lock file cannot be made.

    """
    import filelock

    lock = filelock.FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire()
    except OSError as error:
        raise OutputError(target, error.strerror or str(error)) from error
    try:
        yield
    finally:
        lock.release()


def make_folder(path: Path) -> Path:
    """Make a folder of ddb's own, with its parents.

    Raises:
        OutputError: It cannot be made.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        hint = "--data-dir and DDB_CACHE_DIR name other folders"
        raise OutputError(path, error.strerror or str(error), hint=hint) from error
    return path


def _umask() -> int:
    current = os.umask(0)
    os.umask(current)
    return current


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
