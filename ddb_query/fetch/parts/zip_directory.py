"""A part's zip as bytes: its central directory, and a member taken out of its span.

Reads no file and asks nobody. Refuses what lies: members outside the file or on top of each other,
sizes beyond a bound, a local header that names something else. Source: PKWARE's APPNOTE 6.3.10.
"""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from ddb_query.diffusiondb import published_name
from ddb_query.errors import BadImageError, DamagedPartError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

# A part of 1,000 images has a directory of about 86 KB.
TAIL_BYTES = 256 * 1024
LARGEST_DIRECTORY = 64 * 1024 * 1024
STORED, DEFLATED = 0, 8

_END = struct.Struct("<4s4H2LH")
_LOCATOR = struct.Struct("<4sLQL")
_END64 = struct.Struct("<4sQ2H2L4Q")
_ENTRY = struct.Struct("<4s6H3L5H2L")
_LOCAL = struct.Struct("<4s5H3L2H")
_ENCRYPTED, _UTF8 = 0x1, 0x800
# After a member's data: the longest extra field of its header, and a Zip64 data descriptor.
_SLACK = 0xFFFF + 24


class Member(NamedTuple):
    """A file in a zip.

    Attributes:
        name: As the directory has it, with the folders that it may have there; never a path here.
        offset: Where its local header begins.
        stop: Where the next thing in the zip begins, at the latest.
        compressed_size: Bytes of its data in the zip.
        size: Bytes of its data unpacked.
        crc32: Of the data unpacked.
        method: How it is compressed; -1 when it is encrypted.
    """

    name: str
    offset: int
    stop: int
    compressed_size: int
    size: int
    crc32: int
    method: int


def read_members(read: Callable[[int, int], bytes], size: int, path: str) -> list[Member]:
    """Read a zip's directory: its tail, and what lies before that when the directory is larger.

    Args:
        read: Gives the bytes from one place up to another.
        size: Of the whole zip, in bytes.
        path: What to call it in errors.

    Returns:
        The members by their place in the zip.

    Raises:
        DamagedPartError: It is no zip, or its directory lies.
    """
    begin = max(0, size - TAIL_BYTES)
    tail = read(begin, size)
    start, stop, count = _directory_place(tail, begin, path)
    directory = tail[max(0, start - begin) : stop - begin]
    if start < begin:
        directory = read(start, begin) + directory
    return _members(directory, start, count, path)


def by_published_name(members: Iterable[Member]) -> dict[str, Member]:
    """The members that are images, or the part's JSON, by their published names.

    Of several with the same name the one in the fewest folders counts, then the first.
    """
    found: dict[str, Member] = {}
    for member in sorted(members, key=lambda member: (member.name.count("/"), member.offset)):
        name = published_name(member.name)
        if name is not None:
            found.setdefault(name, member)
    return found


def unpack(member: Member, raw: bytes, largest: int) -> bytes:
    """Take a member out of the bytes of its span, which begin with its local header.

    Args:
        member: What the directory says of it.
        raw: Its bytes in the zip.
        largest: The most bytes that it may have unpacked.

    Raises:
        BadImageError: The bytes are not what the directory says.
    """
    if member.method not in (STORED, DEFLATED):
        raise BadImageError(member.name, "it is encrypted or compressed in an unknown way")
    if member.size > largest:
        raise BadImageError(member.name, f"{member.size:,} bytes are too many for its pixels")
    data = _unpacked(member, _data(member, raw))
    if len(data) != member.size or zlib.crc32(data) != member.crc32:
        raise BadImageError(member.name, "its bytes do not have the checksum of the directory")
    return data


def _data(member: Member, raw: bytes) -> bytes:
    name = member.name
    if len(raw) < _LOCAL.size or raw[:4] != b"PK\x03\x04":
        raise BadImageError(name, "the zip has no member where its directory says")
    _, _, flags, *_, name_length, extra_length = _LOCAL.unpack_from(raw)
    begin = _LOCAL.size + name_length
    if _decoded(raw[_LOCAL.size : begin], flags) != name:
        raise BadImageError(name, "the zip has another member where its directory says")
    data = raw[begin + extra_length : begin + extra_length + member.compressed_size]
    if len(data) != member.compressed_size:
        raise BadImageError(name, "the zip has fewer bytes of it than its directory says")
    return data


def _unpacked(member: Member, data: bytes) -> bytes:
    if member.method == STORED:
        return data
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        return inflater.decompress(data, member.size + 1)
    except zlib.error as error:
        raise BadImageError(member.name, "its compressed bytes are damaged") from error


def _directory_place(tail: bytes, begin: int, path: str) -> tuple[int, int, int]:
    """Where the directory starts and stops in the file, and how many members it has."""
    at = tail.rfind(b"PK\x05\x06", 0, max(0, len(tail) - _END.size + 4))
    while at >= 0:
        *_, count, size, start, comment = _END.unpack_from(tail, at)
        if at + _END.size + comment == len(tail):
            break
        at = tail.rfind(b"PK\x05\x06", 0, at)
    else:
        raise DamagedPartError(path, "it does not end like a zip")
    end = at
    if count == 0xFFFF or 0xFFFFFFFF in (size, start):
        end, count, size, start = _place64(tail, begin, at, path) or (at, count, size, start)
    if not 0 <= start <= start + size <= begin + end:
        raise DamagedPartError(path, "its directory is said to lie outside the file")
    if size > LARGEST_DIRECTORY or count * _ENTRY.size > size:
        raise DamagedPartError(path, f"a directory of {size:,} bytes for {count:,} members")
    return start, start + size, count


def _place64(tail: bytes, begin: int, at: int, path: str) -> tuple[int, int, int, int] | None:
    """The same from the Zip64 record, if there is one: its place, members, size and start."""
    locator = at - _LOCATOR.size
    if locator < 0 or tail[locator : locator + 4] != b"PK\x06\x07":
        return None
    _, _, offset, _ = _LOCATOR.unpack_from(tail, locator)
    record = offset - begin
    if not 0 <= record <= locator - _END64.size or tail[record : record + 4] != b"PK\x06\x06":
        raise DamagedPartError(path, "its Zip64 record is not where it should be")
    *_, count, size, start = _END64.unpack_from(tail, record)
    return record, count, size, start


def _members(directory: bytes, start: int, count: int, path: str) -> list[Member]:
    found, place = [], 0
    for _ in range(count):
        if place + _ENTRY.size > len(directory) or directory[place : place + 4] != b"PK\x01\x02":
            raise DamagedPartError(path, "its directory is damaged")
        member, place = _entry(directory, place, path)
        found.append(member)
    found.sort(key=lambda member: member.offset)
    if len({member.name for member in found}) != count:
        raise DamagedPartError(path, "two members have the same name")
    stops = [*(member.offset for member in found), start][1:]
    for member, stop in zip(found, stops, strict=True):
        if member.stop > stop:
            raise DamagedPartError(path, f"{member.name!r} reaches into what follows it")
    return [
        member._replace(stop=min(stop, member.stop + _SLACK))
        for member, stop in zip(found, stops, strict=True)
    ]


def _entry(directory: bytes, place: int, path: str) -> tuple[Member, int]:
    """One entry, whose `stop` is where its data ends at the earliest; and where the next begins."""
    (
        _, _, _, flags, method, _, _, crc32, compressed, size, name_length, extra_length,
        comment_length, _, _, _, offset,
    ) = _ENTRY.unpack_from(directory, place)  # fmt: skip
    named = place + _ENTRY.size
    extra = named + name_length
    if 0xFFFFFFFF in (size, compressed, offset):
        size, compressed, offset = _wide(
            directory[extra : extra + extra_length], size, compressed, offset, path
        )
    name = _decoded(directory[named:extra], flags)
    earliest = offset + _LOCAL.size + name_length + compressed
    method = -1 if flags & _ENCRYPTED else method
    member = Member(name, offset, earliest, compressed, size, crc32, method)
    return member, extra + extra_length + comment_length


def _wide(extra: bytes, size: int, compressed: int, offset: int, path: str) -> tuple[int, int, int]:
    """Sizes and offset with those that a Zip64 extra field holds instead."""
    place = 0
    while place + 4 <= len(extra):
        kind, length = struct.unpack_from("<HH", extra, place)
        if kind == 1:
            numbers = [number for (number,) in struct.iter_unpack(
                "<Q", extra[place + 4 : place + 4 + length // 8 * 8]
            )]  # fmt: skip
            narrow = (size, compressed, offset)
            if len(numbers) < narrow.count(0xFFFFFFFF):
                break
            wide = iter(numbers)
            size, compressed, offset = (next(wide) if n == 0xFFFFFFFF else n for n in narrow)
            return size, compressed, offset
        place += 4 + length
    raise DamagedPartError(path, "a member without its Zip64 sizes")


def _decoded(name: bytes, flags: int) -> str:
    return name.decode("utf-8" if flags & _UTF8 else "cp437", "replace")
