"""Files and folders that appear whole or not at all, and locks that die with their owner."""

from __future__ import annotations

import contextlib
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ddb_query.errors import ExistsError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER_FOLDERS = "--data-dir and DDB_CACHE_DIR name other folders"


def keep_existing(path: Path, *, force: bool = False) -> None:
    """Refuse to write where a file is, unless it is to be replaced, and where no folder is.

    A device or a pipe is written to, never replaced.

    Raises:
        ExistsError: There is a file of that name.
        OutputError: There is no folder for it.
    """
    _check_parent(path)
    if path.is_file() and not force:
        raise ExistsError(path)


@contextlib.contextmanager
def writing(target: Path) -> Iterator[BinaryIO]:
    """Yield a binary file that takes the place of `target` when the block ends well.

    As `replacing`, and where the system can, the file has no name before: a kill leaves nothing,
    but for the instant in which a named one takes the place of an old file.

    Raises:
        OutputError: As `replacing`.

    """
    target = _replaceable(target)
    _sweep(target.parent)
    descriptor = _nameless(target.parent)
    if descriptor is None:
        with replacing(target) as temporary, temporary.open("wb") as sink:
            yield sink
        return
    try:
        with open(descriptor, "wb") as sink:  # noqa: PTH123 - it has no path
            yield sink
            sink.flush()
            os.fsync(descriptor)
            _name(descriptor, target)
        _sync(target.parent)
    except OSError as error:
        raise OutputError(target, error.strerror or str(error)) from error


@contextlib.contextmanager
def replacing(target: Path) -> Iterator[Path]:
    """Yield a temporary path beside `target` that takes its place when the block ends well.

    A symbolic link stays one: what it points to is replaced. The file is fsynced, then renamed,
    then the folder fsynced: a kill leaves the old file or the new one, and a temporary file that
    the next to write there removes. When the block fails the temporary file is removed and the
    old one stays.

    Raises:
        OutputError: The folder does not exist or may not be written, `target` is a folder, a
            device or a pipe, or the disk is full.

    """
    import tempfile

    target = _replaceable(target)
    temporary: Path | None = None
    try:
        descriptor, name = tempfile.mkstemp(**_temporary(target))
        temporary = Path(name)
        os.close(descriptor)
        yield temporary
        make_ordinary(temporary)
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

    _check_parent(target)
    temporary: Path | None = None
    try:
        temporary = Path(tempfile.mkdtemp(**_temporary(target)))
        yield temporary
        temporary.chmod(0o777 & ~_umask())
        for path in (*temporary.rglob("*"), temporary):
            _sync(path)
        if not (target.exists() and _swapped(temporary, target)):
            _move_away(target)
            temporary.rename(target)
        _sync(target.parent)
    except OSError as error:
        raise OutputError(target, error.strerror or str(error)) from error
    finally:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)


def _replaceable(target: Path) -> Path:
    """The file to replace: what a symbolic link points to.

    Raises:
        OutputError: There is something else of that name, or no folder for it.
    """
    if target.is_symlink():
        target = target.resolve()
    if is_special(target):
        raise OutputError(target, "not a file that can be replaced")
    if target.is_dir():
        raise OutputError(target, "a folder has that name", hint="name a file, in it or beside it")
    _check_parent(target)
    return target


def _check_parent(target: Path) -> None:
    if not target.parent.is_dir():
        raise OutputError(
            target, f"there is no folder {target.parent}", hint=f"mkdir -p {target.parent}"
        )


def _nameless(folder: Path) -> int | None:
    """A new file without a name; None where the system has none, or the folder takes no file."""
    if not hasattr(os, "O_TMPFILE") or not Path("/proc/self/fd").is_dir():
        return None
    try:
        return os.open(folder, os.O_TMPFILE | os.O_WRONLY, 0o666)
    except OSError:
        return None


def _name(descriptor: int, target: Path) -> None:
    """Give a file without a name one, in place of what has it."""
    try:
        _link(descriptor, target)
    except FileExistsError:
        # A link replaces nothing; a rename does.
        temporary = target.with_name(_PREFIX.format(target.name, os.getpid()) + ".tmp")
        temporary.unlink(missing_ok=True)
        _link(descriptor, temporary)
        temporary.replace(target)


def _link(descriptor: int, path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # With a folder given, it is linkat(2), which follows the link in /proc.
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


_PREFIX = ".{}.ddb-{}-"
_LEFT_OVER = re.compile(r"(?:tmp_)?\..*\.ddb-(\d+)-\w*\.tmp")


def _sweep(folder: Path) -> None:
    """Remove what dead processes left in a folder."""
    import shutil

    with contextlib.suppress(OSError):
        for left in folder.iterdir():
            found = _LEFT_OVER.fullmatch(left.name)
            if found and not alive(int(found[1])):
                shutil.rmtree(left, ignore_errors=True)
                with contextlib.suppress(OSError):
                    left.unlink()


def _temporary(target: Path) -> dict[str, Any]:
    """How a temporary name beside `target` is made; those of dead processes are removed."""
    _sweep(target.parent)
    prefix = _PREFIX.format(target.name, os.getpid())
    return {"prefix": prefix, "suffix": ".tmp", "dir": target.parent}


def _swapped(one: Path, other: Path) -> bool:
    """Let two names change places at once; False where the system cannot."""
    import ctypes

    library = ctypes.CDLL(None)
    first, second = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        # AT_FDCWD and RENAME_EXCHANGE of Linux; below, RENAME_SWAP of macOS.
        return bool(library.renameat2(-100, first, -100, second, 2) == 0)
    return hasattr(library, "renamex_np") and library.renamex_np(first, second, 2) == 0


def _move_away(folder: Path) -> None:
    import shutil
    import tempfile

    if folder.exists():
        away = tempfile.mkdtemp(**_temporary(folder))
        folder.rename(Path(away) / folder.name)
        shutil.rmtree(away, ignore_errors=True)


def alive(process: int) -> bool:
    """Whether a process runs on this machine."""
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except OSError:
        return True
    return True


def may_exist(path: Path) -> bool:
    """Whether there is something of that name, as far as this user can see.

    What lies in a folder that may not be looked into may be there: to open it tells.
    """
    try:
        return path.exists()
    except OSError:
        return True


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
def locked(target: Path, *, hint: str | None = None) -> Iterator[None]:
    """Hold the system's lock of `target`; waits for another holder, and a killed one leaves none.

    Args:
        target: What is locked.
        hint: What helps when the lock file cannot be made.

    Raises:
        OutputError: The lock file cannot be made.

    """
    import filelock

    lock = filelock.FileLock(target.with_name(f".{target.name}.lock"))
    try:
        lock.acquire()
    except OSError as error:
        raise OutputError(target, error.strerror or str(error), hint=hint) from error
    try:
        yield
    finally:
        lock.release()


def make_folder(path: Path, *, hint: str = _OTHER_FOLDERS) -> Path:
    """Make a folder, with its parents.

    Args:
        path: The folder.
        hint: What helps when it cannot be made; by default for folders of ddb's own.

    Raises:
        OutputError: It cannot be made.

    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error), hint=hint) from error
    return path


def make_ordinary(file: Path) -> None:
    """Let those read a file whom the umask lets; mkstemp lets its owner alone."""
    file.chmod(0o666 & ~_umask())


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
