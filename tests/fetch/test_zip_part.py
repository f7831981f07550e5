"""A part's zip read from its bytes: what is right agrees with `zipfile`, what lies is refused."""

from __future__ import annotations

import contextlib
import io
import struct
import zipfile
import zlib
from itertools import pairwise
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_query.errors import BadImageError, DamagedPartError
from ddb_query.fetch.parts.ranges import REQUEST_BYTES, SPAN_BYTES, cut, spans
from ddb_query.fetch.parts.zip_directory import TAIL_BYTES, Member, read_members, unpack

if TYPE_CHECKING:
    from collections.abc import Callable

FILES = {"a.png": b"first" * 100, "b.png": b"second" * 100, "c.json": b"{}"}
LARGEST = 1 << 20


def zipped(files: dict[str, bytes] = FILES, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return sink.getvalue()


class Unseekable(io.BytesIO):
    """What makes `zipfile` write data descriptors."""

    def seekable(self) -> bool:
        return False

    def seek(self, *_: object) -> int:
        raise OSError

    def tell(self) -> int:
        raise OSError


def read(data: bytes) -> list[Member]:
    return read_members(lambda start, stop: data[start:stop], len(data), "the zip")


def contents(data: bytes) -> dict[str, bytes]:
    return {m.name: unpack(m, data[m.offset : m.stop], LARGEST) for m in read(data)}


def changed(data: bytes, signature: bytes, at: int, form: str, value: int, nth: int = 0) -> bytes:
    """A zip with another number in one of its records."""
    place = -1
    for _ in range(nth + 1):
        place = data.index(signature, place + 1)
    return (
        data[: place + at] + struct.pack(form, value) + data[place + at + struct.calcsize(form) :]
    )


def in_directory(at: int, form: str, value: int, nth: int = 0) -> Callable[[bytes], bytes]:
    return lambda data: changed(data, b"PK\x01\x02", at, form, value, nth)


@given(
    st.dictionaries(st.text("abc.é", min_size=1, max_size=5), st.binary(max_size=300), max_size=6),
    st.sampled_from([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED]),
    st.booleans(), st.binary(max_size=40),
)  # fmt: skip
def test_members_are_those_that_zipfile_finds(
    files: dict[str, bytes], method: int, force_zip64: bool, comment: bytes
) -> None:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", method) as archive:
        archive.comment = comment
        for name, data in files.items():
            with archive.open(zipfile.ZipInfo(name), "w", force_zip64=force_zip64) as member:
                member.write(data)
    assert contents(sink.getvalue()) == files


def test_members_with_data_descriptors_are_read() -> None:
    sink = Unseekable()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in FILES.items():
            archive.writestr(name, data)
    assert contents(sink.getvalue()) == FILES


def test_a_zip_without_members_has_none() -> None:
    assert read(zipped({})) == []


def test_a_zip64_directory_is_read() -> None:
    data = zipped()
    at = data.index(b"PK\x05\x06")
    *_, count, size, start, _ = struct.unpack("<4s4H2LH", data[at:])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 65535, 65535, 2**32 - 1, 2**32 - 1, 0)
    assert contents(data[:at] + record + locator + end) == FILES
    elsewhere = struct.pack("<4sLQL", b"PK\x06\x07", 0, 2**60, 1)
    with pytest.raises(DamagedPartError, match="Zip64"):
        read(data[:at] + record + elsewhere + end)


def test_a_zip64_member_is_read() -> None:
    data = zipped({"a.png": b"first"}, zipfile.ZIP_STORED)
    at = data.index(b"PK\x01\x02")
    wide = struct.pack("<HHQQQ", 1, 24, 5, 5, 0)
    entry = bytearray(data[at : at + 46] + b"a.png" + wide)
    struct.pack_into("<LL", entry, 20, 2**32 - 1, 2**32 - 1)
    struct.pack_into("<H", entry, 30, len(wide))
    struct.pack_into("<L", entry, 42, 2**32 - 1)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), at, 0)
    assert contents(data[:at] + bytes(entry) + end) == {"a.png": b"first"}
    del entry[-8:]
    struct.pack_into("<H", entry, 30, len(wide) - 8)
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, len(entry), at, 0)
    with pytest.raises(DamagedPartError, match="Zip64 sizes"):
        read(data[:at] + bytes(entry) + end)


def test_only_a_directory_larger_than_the_tail_needs_a_second_read() -> None:
    asked = []

    def reading(data: bytes) -> Callable[[int, int], bytes]:
        def read_range(start: int, stop: int) -> bytes:
            asked.append((start, stop))
            return data[start:stop]

        return read_range

    small, large = zipped(), zipped({f"{n:0200d}.png": b"" for n in range(1500)})
    read_members(reading(small), len(small), "small")
    assert asked == [(0, len(small))]
    asked.clear()
    assert len(read_members(reading(large), len(large), "large")) == 1500
    tail = len(large) - TAIL_BYTES
    assert [asked[0], asked[1][1]] == [(tail, len(large)), tail]


@pytest.mark.parametrize(
    ("lie", "problem"),
    [
        (lambda data: data[:-30], "does not end like a zip"),
        (lambda _: b"", "does not end like a zip"),
        (lambda data: data + b"more", "does not end like a zip"),
        (in_directory(42, "<L", 2**31), "reaches into"),
        (in_directory(20, "<L", 2**31), "reaches into"),
        (in_directory(42, "<L", 5, nth=1), "reaches into"),
        (in_directory(0, "<L", 0), "directory is damaged"),
        (in_directory(28, "<H", 60_000), "directory is damaged"),
        (lambda data: changed(data, b"PK\x05\x06", 16, "<L", 2**31), "outside the file"),
        (lambda data: changed(data, b"PK\x05\x06", 12, "<L", 2**31), "outside the file"),
        (lambda data: changed(data, b"PK\x05\x06", 10, "<H", 60_000), "for 60,000 members"),
        (lambda data: data.replace(b"b.png", b"a.png"), "the same name"),
    ],
)  # fmt: skip
def test_a_zip_whose_directory_lies_is_refused(lie: Callable[[bytes], bytes], problem: str) -> None:
    with pytest.raises(DamagedPartError, match=problem):
        read(lie(zipped()))


@given(st.data())
def test_a_zip_with_any_bytes_changed_is_read_or_refused(data: st.DataObject) -> None:
    damaged = bytearray(zipped())
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    with contextlib.suppress(DamagedPartError, BadImageError):
        contents(bytes(damaged))


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda m, raw: (m._replace(crc32=1), raw), "checksum"),
        (lambda m, raw: (m._replace(size=m.size + 1), raw), "checksum"),
        (lambda m, raw: (m._replace(size=m.size - 1), raw), "checksum"),
        (lambda m, raw: (m._replace(size=LARGEST + 1), raw), "too many"),
        (lambda m, raw: (m._replace(method=12), raw), "unknown way"),
        (lambda m, raw: (m._replace(method=-1), raw), "encrypted"),
        (lambda m, raw: (m._replace(name="../x"), raw), "another member"),
        (lambda m, raw: (m, raw[1:]), "no member where"),
        (lambda m, raw: (m, raw[:40]), "fewer bytes"),
        (lambda m, raw: (m, raw[:35] + b"\xff" * (len(raw) - 35)), "damaged"),
    ],
)  # fmt: skip
def test_a_member_that_is_not_what_its_directory_says_is_refused(
    change: Callable[[Member, bytes], tuple[Member, bytes]], problem: str
) -> None:
    data = zipped()
    member = read(data)[0]
    with pytest.raises(BadImageError, match=problem):
        unpack(*change(member, data[member.offset : member.stop]), LARGEST)


def test_a_zip_bomb_is_never_unpacked_beyond_its_size() -> None:
    bomb = zipped({"a.png": bytes(10_000_000)})
    member = read(bomb)[0]
    with pytest.raises(BadImageError, match="too many"):
        unpack(member, bomb[member.offset : member.stop], LARGEST)
    lying = member._replace(size=1000, crc32=zlib.crc32(bytes(1000)))
    with pytest.raises(BadImageError, match="checksum"):
        unpack(lying, bomb[member.offset : member.stop], LARGEST)


def members_at(*places: tuple[int, int]) -> list[Member]:
    return [Member(f"{a}", a, b, 0, 0, 0, 0) for a, b in places]


def test_members_share_a_request_when_what_is_between_is_cheaper_than_another() -> None:
    near, far = REQUEST_BYTES - 1, REQUEST_BYTES
    found = spans(members_at((0, 10), (10 + near, 500_000), (500_000 + far, 900_000)))
    assert [(span.start, span.stop) for span in found] == [(0, 500_000), (500_000 + far, 900_000)]


def test_a_request_has_a_bound() -> None:
    size = SPAN_BYTES // 4
    found = spans(members_at(*((at * size, (at + 1) * size) for at in range(10))))
    assert [len(span.members) for span in found] == [4, 4, 2]


@given(
    st.lists(st.tuples(st.integers(0, 9), st.integers(1, 20)), min_size=1, max_size=8),
    st.lists(st.integers(1, 30), min_size=1, max_size=40), st.integers(0, 300),
)  # fmt: skip
def test_members_are_cut_out_of_pieces_of_any_size(
    gaps: list[tuple[int, int]], sizes: list[int], end: int
) -> None:
    places, at = [], 5
    for gap, size in gaps:
        places.append((at + gap, at + gap + size))
        at += gap + size
    data = bytes(number % 251 for number in range(at + 50))
    start = places[0][0]
    bounds = [start, *(min(start + sum(sizes[:n]), start + end) for n in range(1, len(sizes) + 1))]
    pieces = [data[a:b] for a, b in pairwise(bounds)]
    arrived = bounds[-1]
    found = list(cut(members_at(*places), pieces))
    assert [raw for _, raw in found] == [data[a:b] for a, b in places if b <= arrived]
