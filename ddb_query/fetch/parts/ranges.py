"""Which bytes of a part are asked for: the cost model, and members cut out of what arrives.

**The cost model.** A request costs as much as `REQUEST_BYTES` of transfer: 50 ms of waiting shared
by 16 connections at 40 MB/s. So two wanted members go into one request when what lies between them
is smaller than that, and a whole part is nothing but all of its members, next to each other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddb_query.fetch.parts.zip_directory import Member

REQUEST_BYTES = 128 * 1024
# More in one request would leave the other connections idle.
SPAN_BYTES = 16 * 1024 * 1024


class Span(NamedTuple):
    """Members that are read in one request, by their place in the zip."""

    members: tuple[Member, ...]

    @property
    def start(self) -> int:
        """Where it begins in the zip."""
        return self.members[0].offset

    @property
    def stop(self) -> int:
        """Where it ends in the zip, exclusive."""
        return self.members[-1].stop


def spans(members: Iterable[Member]) -> list[Span]:
    """Put members together that are cheaper to read in one request.

    Args:
        members: In any order.
    """
    found: list[list[Member]] = []
    for member in sorted(members, key=lambda member: member.offset):
        if found and _belongs(found[-1], member):
            found[-1].append(member)
        else:
            found.append([member])
    return [Span(tuple(group)) for group in found]


def cut(members: Iterable[Member], chunks: Iterable[bytes]) -> Iterator[tuple[Member, bytes]]:
    """Cut members out of bytes that begin with the first of them; holds one member at a time.

    Ends early when the bytes do.
    """
    arriving = iter(chunks)
    held, begin = bytearray(), None
    for member in members:
        begin = member.offset if begin is None else begin
        while begin + len(held) < member.stop:
            chunk = next(arriving, None)
            if chunk is None:
                return
            held += chunk
            dropped = min(max(member.offset - begin, 0), len(held))
            del held[:dropped]
            begin += dropped
        yield member, bytes(held[member.offset - begin : member.stop - begin])
        del held[: member.stop - begin]
        begin = member.stop


def _belongs(group: list[Member], member: Member) -> bool:
    gap = member.offset - group[-1].stop
    return gap < REQUEST_BYTES and member.stop - group[0].offset <= SPAN_BYTES
