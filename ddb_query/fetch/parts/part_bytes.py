"""The bytes of one part's zip: in a file here, or on the Hub."""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
from typing import TYPE_CHECKING, BinaryIO, Protocol

from ddb_query.errors import (
    BrokenTransferError,
    DamagedPartError,
    ExpiredAddressError,
    PartChangedError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from ddb_query.hub.client import Connection
    from ddb_query.hub.responses import RemoteFile

# The origin of parts that lie on the Hub; others have one that stands for their file's path.
HUB = "hub"
_CHUNK_BYTES = 1 << 20


class NoRangesError(BrokenTransferError):
    """A server that gives a whole file where a piece of it was asked for."""


class Part(Protocol):
    """The bytes of one part's zip.

    Attributes:
        name: What messages call it: its file, or its path in the repository and the host.
        size: In bytes; None when a server does not say, and then it gives no ranges.
        etag: What tells this version of it from others; None when nothing does.
        source: The kind of place it lies in: `hub`, `zip`, `cache`, `mirror` or `drawn`.
        origin: The same for all versions of one part in one place, and fit for a file's name.
        remote: Whether reading again may give other bytes.
    """

    name: str
    size: int | None
    etag: str | None
    source: str
    origin: str
    remote: bool

    def open(self, start: int, stop: int) -> AbstractContextManager[Iterator[bytes]]:
        """Read the bytes from `start` up to, not including, `stop`; fewer when they stop coming.

        Raises:
            TransientHubError: Worth another try, after `renew`.
        """
        ...

    def renew(self, error: Exception) -> None:
        """Get ready for another try after an error of `open`.

        Raises:
            PartChangedError: It is another file by now.
        """
        ...


class ZipFile:
    """A part that lies on this machine."""

    remote = False

    def __init__(self, file: Path, source: str) -> None:
        """See how large it is.

        Raises:
            DamagedPartError: It cannot be looked at.
        """
        self.name = str(file)
        self.source = source
        self._file = file
        try:
            found = file.stat()
        except OSError as error:
            raise DamagedPartError(self.name, error.strerror or str(error)) from error
        self.size: int | None = found.st_size
        self.origin = hashlib.sha256(os.fsencode(file.resolve())).hexdigest()[:12]
        self.etag: str | None = f"file-{self.origin}-{found.st_size}-{found.st_mtime_ns}"

    @contextlib.contextmanager
    def open(self, start: int, stop: int) -> Iterator[Iterator[bytes]]:
        """Read a range."""
        try:
            with self._file.open("rb") as file:
                file.seek(start)
                yield _pieces(file, stop - start)
        except OSError as error:
            raise DamagedPartError(self.name, error.strerror or str(error)) from error

    def renew(self, error: Exception) -> None:
        """Nothing gets better by reading a file again."""
        raise error


class HubPart:
    """A part on the Hub: resolved once, and again when its address has expired."""

    source = origin = HUB
    remote = True

    def __init__(self, connection: Connection, path: str) -> None:
        self.name = f"{path} on {connection.host}"
        self._path = path
        self._connection = connection
        self._lock = threading.Lock()
        self._file = connection.resolve(path)
        self.etag = self._file.identity
        self.size = self._file.size
        self._etag_of_bytes: str | None = None

    @contextlib.contextmanager
    def open(self, start: int, stop: int) -> Iterator[Iterator[bytes]]:
        """Read a range; every answer must be of the same file as the first."""
        file = self._file
        with self._connection.open(file, start=start, stop=stop) as body:
            if body.size not in (None, self.size):
                raise PartChangedError(self._path)
            if body.start != start:
                raise NoRangesError(self.name, "the server gives the whole file, not a piece of it")
            self._check_etag(file, body.etag)
            yield _limited(body.chunks, stop - start)

    def renew(self, error: Exception) -> None:
        """Ask for a new address when the old one is no good any more."""
        if not isinstance(error, ExpiredAddressError):
            return
        used = self._file
        with self._lock:
            if self._file is not used:
                return
            self._file = self._connection.resolve(self._path)
            if self._file.identity != self.etag or self._file.size != self.size:
                raise PartChangedError(self._path)
            # Another address may have another form of it.
            self._etag_of_bytes = None

    def _check_etag(self, file: RemoteFile, etag: str | None) -> None:
        """Compare with the first answer's from the same address."""
        with self._lock:
            if file is not self._file:
                return
            known = self._etag_of_bytes
            self._etag_of_bytes = known or etag
        if known and etag and known != etag:
            raise PartChangedError(self._path)


def _pieces(file: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := file.read(min(_CHUNK_BYTES, size))):
        size -= len(piece)
        yield piece


def _limited(chunks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """The first `size` bytes; more is what a server gives that knows no ranges."""
    for chunk in chunks:
        yield chunk[:size]
        size -= len(chunk)
        if size <= 0:
            return
