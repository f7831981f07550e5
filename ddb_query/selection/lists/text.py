"""The text of a list: uncompressed and decoded, with its line endings as they are."""

from __future__ import annotations

import codecs
import io
from typing import TYPE_CHECKING, BinaryIO, TextIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_COMPRESSED = {
    b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "xz", b"\x28\xb5\x2f\xfd": "zstd",
}  # fmt: skip
_MARKS = {
    codecs.BOM_UTF8: "utf-8-sig", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16",
}  # fmt: skip
_START_BYTES = 8
_READ_BYTES = 1 << 20


class MalformedTextError(Exception):
    """Text that is not what it should be.

    Attributes:
        problem: The line, the column as far as it is known, and what is wrong.
        hint: What mends it.
    """

    def __init__(self, problem: str, hint: str | None = None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.hint = hint


def opened(path: Path) -> TextIO:
    """A file as text.

    Raises:
        OSError: It cannot be opened.
    """
    return io.TextIOWrapper(unpacked(path), encoding=encoding_of(path), newline="")


def encoding_of(path: Path) -> str:
    """UTF-8, unless the first bytes are a mark of UTF-16, or a character beside a zero byte."""
    with unpacked(path) as file:
        start = file.read(4)
    for mark, encoding in _MARKS.items():
        if start.startswith(mark):
            return encoding
    if len(start) < 2 or start[:2].count(0) != 1:
        return "utf-8"
    return "utf-16-be" if start[0] == 0 else "utf-16-le"


def unpacked(path: Path) -> BinaryIO:
    """The bytes of a file, uncompressed."""
    start = start_of(path)
    kind = next((kind for mark, kind in _COMPRESSED.items() if start.startswith(mark)), None)
    if kind is None:
        return path.open("rb")
    import bz2
    import gzip
    import lzma

    import pyarrow as pa

    if kind == "zstd":
        stream = pa.input_stream(str(path), compression="zstd")
        return cast("BinaryIO", io.BufferedReader(stream))
    files = {"gzip": gzip.GzipFile, "bz2": bz2.BZ2File, "xz": lzma.LZMAFile}
    return cast("BinaryIO", files[kind](path))


def start_of(path: Path) -> bytes:
    """The first bytes of a file, as it lies there."""
    with path.open("rb") as file:
        return file.read(_START_BYTES)


def refuse_nul(path: Path) -> None:
    """See that a text has no NUL character, which parsers take in different ways.

    Raises:
        MalformedTextError: It has one.
    """
    encoding = encoding_of(path)
    with unpacked(path) as file:
        # A look at the bytes takes a fiftieth of the time.
        if encoding.startswith("utf-8") and not any(b"\0" in part for part in _parts(file)):
            return
    with io.TextIOWrapper(unpacked(path), encoding=encoding) as text:
        for number, line in enumerate(text, 1):
            if "\0" in line:
                raise MalformedTextError(
                    f"line {number}, character {line.index(chr(0)) + 1}: a NUL character, which"
                    " text does not have",
                    "the list is damaged, or no text: write it again as CSV in UTF-8",
                )


def _parts(file: BinaryIO) -> Iterator[bytes]:
    while part := file.read(_READ_BYTES):
        yield part


def undecodable(path: Path) -> tuple[str, int, str, int] | None:
    """Where a UTF-8 text has a byte that is none.

    Returns:
        The first line of the text, the number of the bad line, what stands before the byte in it,
        and the byte; None when there is no such byte.
    """
    first: bytes | None = None
    with unpacked(path) as file:
        for number, line in enumerate(_byte_lines(file), 1):
            first = line if first is None else first
            try:
                line.decode()
            except UnicodeDecodeError as error:
                before = line[: error.start].decode()
                return first.decode("utf-8-sig", "replace"), number, before, line[error.start]
    return None


def _byte_lines(file: BinaryIO) -> Iterator[bytes]:
    for line in file:
        # Lines may end in a carriage return alone.
        yield from line.removesuffix(b"\n").removesuffix(b"\r").split(b"\r")
