"""Reads a part: its directory, and members, with patience for a server that is not always there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.errors import BrokenTransferError, TransientHubError
from ddb_query.fetch.parts.part_bytes import NoRangesError
from ddb_query.fetch.parts.ranges import cut
from ddb_query.fetch.parts.zip_directory import read_members

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddb_query.fetch.parts.part_bytes import Part
    from ddb_query.fetch.parts.zip_directory import Member
    from ddb_query.hub.retries import Retries


class PartReader:
    """Reads one part; threads may share it."""

    def __init__(self, part: Part, patience: Callable[[], Retries]) -> None:
        self.part = part
        self._patience = patience

    def directory(self) -> list[Member]:
        """The members by their place in the zip.

        Raises:
            DamagedPartError: It is no zip, or its directory lies.
            NoRangesError: The server gives no pieces of files.
            HubError: It does not come.
        """
        if self.part.size is None:
            raise NoRangesError(self.part.name, "the server does not say how large it is")
        return read_members(self._bytes, self.part.size, self.part.name)

    def members(self, wanted: tuple[Member, ...]) -> Iterator[tuple[Member, bytes]]:
        """Members of one span with their bytes in the zip; after a failure it goes on, not anew.

        Raises:
            HubError: They do not come.
        """
        left, retries = list(wanted), self._patience()
        while left:
            try:
                with self.part.open(left[0].offset, left[-1].stop) as chunks:
                    for member, raw in cut(tuple(left), chunks):
                        del left[0]
                        retries.renew()
                        yield member, raw
                if left:
                    raise BrokenTransferError(self.part.name, "the server stopped early")
            except TransientHubError as error:
                retries.wait(error)
                self.part.renew(error)

    def _bytes(self, start: int, stop: int) -> bytes:
        held, retries = bytearray(), self._patience()
        while len(held) < stop - start:
            try:
                with self.part.open(start + len(held), stop) as chunks:
                    for chunk in chunks:
                        held += chunk
                if len(held) < stop - start:
                    raise BrokenTransferError(self.part.name, "the server stopped early")
            except NoRangesError:
                raise
            except TransientHubError as error:
                retries.wait(error)
                self.part.renew(error)
        return bytes(held)
