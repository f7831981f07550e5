"""One file of the Hub to one file here: resumed where it stopped, verified, whole or not at all.

A kill at any moment leaves the old file or the new one at `target`, and the bytes that have arrived
beside it. Two downloads of one file take turns, and the second finds it done.
"""

from __future__ import annotations

import hashlib
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import REPOSITORY
from ddb_query.errors import (
    BadTableError,
    BrokenTransferError,
    DamagedDownloadError,
    OutputError,
    RangeRefusedError,
    TransientHubError,
)
from ddb_query.hub.client import connect
from ddb_query.hub.partial import Partial
from ddb_query.hub.provenance import Source, read_source, source_path, write_source
from ddb_query.util.atomic_files import make_folder, put_in_place

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ddb_query.hub.cache import CachedFile
    from ddb_query.hub.client import Body, Connection
    from ddb_query.hub.config import Hub
    from ddb_query.hub.responses import RemoteFile
    from ddb_query.util.progress import Progress

_BLOCK_BYTES = 1 << 20
# A transfer that gains less than this between two failures is not getting on.
_HEADWAY_BYTES = 1 << 20


@dataclass(frozen=True)
class Downloaded:
    """A file that lies where it was asked for.

    Attributes:
        path: Where it lies.
        source: What is known of it.
        verified: Whether its bytes have the sha256 that the Hub names.
        already_there: Whether it lay there before, so that nothing was downloaded.
        from_cache: Whether it was taken from the Hub's own cache.

    """

    path: Path
    source: Source
    verified: bool
    already_there: bool = False
    from_cache: bool = False


def download(
    hub: Hub,
    path: str,
    target: Path,
    *,
    progress: Progress,
    on_note: Callable[[str], None],
    check: Callable[[Path], None] | None = None,
    cached: CachedFile | None = None,
) -> Downloaded:
    """Download one file of the dataset's repository.

    Args:
        hub: Which Hub to ask.
        path: The file's path in the repository.
        target: Where it is to lie; replaced when another file lies there.
        progress: Told of every block that arrives.
        on_note: Told in a sentence of waits, fresh starts, and what could not be verified.
        check: Looks at the finished file before it is put in place; what it raises stops that.
            After a `BadTableError` the file is removed, after any other error it is kept.
        cached: The file in the Hub's own cache, which is taken where it is what the Hub has.

    Raises:
        HubError: The Hub did not give the file, or not the right one, or there is no room for it.
        OutputError: It cannot be written.

    """
    with connect(hub, on_note) as connection, _writing(target), _locked(target, on_note):
        remote = connection.resolve(path)
        partial = Partial(target, on_note)
        if (source := _source_of_target(hub, remote, target, progress)) is not None:
            partial.discard()
            return Downloaded(target, source, remote.sha256 is not None, already_there=True)
        if cached and (source := _source_of_cached(hub, remote, cached, progress)) is not None:
            return _linked(cached, target, source, partial, check)
        remote = _Transfer(connection, partial, progress, on_note).finish(remote)
        source = _verified(hub, remote, partial, progress)
        if remote.sha256 is None:
            on_note(f"{path}: the server names no sha256, so that only its size could be verified")
        _check(partial, check)
        _put(partial, target, source)
        return Downloaded(target, source, remote.sha256 is not None)


def take_cached(
    hub: Hub,
    cached: CachedFile,
    target: Path,
    *,
    progress: Progress,
    on_note: Callable[[str], None],
    check: Callable[[Path], None] | None = None,
) -> Downloaded:
    """Take a file from the Hub's own cache without asking the Hub.

    Args:
        hub: At which revision.
        cached: The file.
        target: As for `download`, and so are the others.
        progress: Told of every block that is read.
        on_note: Told when another download of the file is waited for.
        check: Looks at it before it is put in place.

    Raises:
        DamagedDownloadError: It is not what its name in the cache says.
        OutputError: It cannot be written.
    """
    with _writing(target), _locked(target, on_note):
        sha256 = _sha256(cached.path, f"checking {cached.path.name}", progress)
        if cached.sha256 not in (None, sha256):
            raise DamagedDownloadError(str(cached.path), "its sha256", cached.sha256, sha256)
        size = cached.path.stat().st_size
        source = Source(REPOSITORY, hub.revision, cached.commit, cached.etag, sha256, size)
        return _linked(cached, target, source, Partial(target, on_note), check)


def _linked(
    cached: CachedFile,
    target: Path,
    source: Source,
    partial: Partial,
    check: Callable[[Path], None] | None,
) -> Downloaded:
    """Have the file of the cache at `target`: as a hard link where possible, else as a copy."""
    partial.discard()
    real = cached.path.resolve()
    try:
        partial.data.hardlink_to(real)
    except OSError:
        shutil.copyfile(real, partial.data)
    _check(partial, check)
    _put(partial, target, source)
    return Downloaded(target, source, cached.sha256 is not None, from_cache=True)


def _put(partial: Partial, target: Path, source: Source) -> None:
    source_path(target).unlink(missing_ok=True)
    put_in_place(partial.data, target)
    write_source(target, source)
    partial.discard()


class _Transfer:
    """The bytes of one file on their way, again and again until they are all here."""

    def __init__(
        self,
        connection: Connection,
        partial: Partial,
        progress: Progress,
        on_note: Callable[[str], None],
    ) -> None:
        self._connection = connection
        self._partial = partial
        self._progress = progress
        self._on_note = on_note

    def finish(self, remote: RemoteFile) -> RemoteFile:
        """Get the rest of the file; return it as the Hub described it last."""
        retries = self._connection.retries()
        furthest = self._partial.size()
        while True:
            try:
                self._receive(remote)
                return remote
            except TransientHubError as error:
                if isinstance(error, RangeRefusedError):
                    self._partial.discard()
                if self._partial.size() >= furthest + _HEADWAY_BYTES:
                    furthest = self._partial.size()
                    retries.renew()
                retries.wait(error)
                remote = self._connection.resolve(remote.path)

    def _receive(self, remote: RemoteFile) -> None:
        start = self._partial.begin(remote)
        if start and start == remote.size:
            return
        with self._connection.open(remote, start=start) as body:
            if remote.size is not None and body.size not in (None, remote.size):
                problem = f"the server has a file of {body.size} bytes, not of {remote.size}"
                raise BrokenTransferError(remote.path, problem)
            if body.start != start:
                self._on_note(f"{remote.path}: the server gives no ranges; starting again")
            self._append(remote, body)

    def _append(self, remote: RemoteFile, body: Body) -> None:
        size = body.size if remote.size is None else remote.size
        done = body.start
        with self._partial.data.open("r+b") as file:
            file.truncate(done)
            file.seek(done)
            for chunk in body.chunks:
                file.write(chunk)
                done += len(chunk)
                self._progress(done, size, "bytes", remote.path)
                if size is not None and done > size:
                    break
        if size is not None and done < size:
            problem = f"the server stopped after {done} of {size} bytes"
            raise BrokenTransferError(remote.path, problem)


def _verified(hub: Hub, remote: RemoteFile, partial: Partial, progress: Progress) -> Source:
    size = partial.size()
    if remote.size not in (None, size):
        partial.discard()
        raise DamagedDownloadError(remote.path, "its size in bytes", remote.size, size)
    sha256 = _sha256(partial.data, f"checking {remote.path}", progress)
    if remote.sha256 not in (None, sha256):
        partial.discard()
        raise DamagedDownloadError(remote.path, "its sha256", remote.sha256, sha256)
    return _source(hub, remote, sha256, size)


def _check(partial: Partial, check: Callable[[Path], None] | None) -> None:
    if check is None:
        return
    try:
        check(partial.data)
    except BadTableError:
        partial.discard()
        raise


def _source_of_target(
    hub: Hub, remote: RemoteFile, target: Path, progress: Progress
) -> Source | None:
    """Say what lies at `target` if the Hub would give the same; it may be put there by hand."""
    if not target.is_file():
        return None
    source = read_source(target)
    if source is not None and source.is_of(remote):
        return source
    size = target.stat().st_size
    if remote.sha256 is None or size != remote.size:
        return None
    sha256 = _sha256(target, f"checking {target.name}", progress)
    if sha256 != remote.sha256:
        return None
    source = _source(hub, remote, sha256, size)
    write_source(target, source)
    return source


def _source_of_cached(
    hub: Hub, remote: RemoteFile, cached: CachedFile, progress: Progress
) -> Source | None:
    """Say what lies in the Hub's own cache if the Hub would give the same."""
    size = cached.path.stat().st_size
    if remote.identity is None or remote.size not in (None, size):
        return None
    sha256 = _sha256(cached.path, f"checking {cached.path.name}", progress)
    # Small files have an ETag that is no sha256, and so have all files of some mirrors.
    known = (sha256, None if remote.sha256 else cached.etag)
    return _source(hub, remote, sha256, size) if remote.identity in known else None


def _source(hub: Hub, remote: RemoteFile, sha256: str, size: int) -> Source:
    return Source(REPOSITORY, hub.revision, remote.commit, remote.etag, sha256, size)


def _sha256(path: Path, label: str, progress: Progress) -> str:
    digest = hashlib.sha256()
    size, done = path.stat().st_size, 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
            done += len(block)
            progress(done, size, "bytes", label)
    return digest.hexdigest()


@contextmanager
def _writing(target: Path) -> Iterator[None]:
    if target.is_dir():
        raise OutputError(target, "a folder has that name")
    make_folder(target.parent)
    try:
        yield
    except OSError as error:
        hint = "mend that and run the same command again: what has arrived is kept"
        raise OutputError(target, error.strerror or str(error), hint=hint) from error


@contextmanager
def _locked(target: Path, on_note: Callable[[str], None]) -> Iterator[None]:
    import filelock

    lock = filelock.FileLock(target.with_name(f"{target.name}.lock"))
    try:
        lock.acquire(blocking=False)
    except filelock.Timeout:
        on_note(f"{target.name} is being downloaded by another ddb; waiting for it")
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
