"""Text for people: strangers' without controls, which show as escapes; numbers of things."""

from __future__ import annotations

import re
import unicodedata

# Cc control, Cf format (bidirectional marks among them), Zl and Zp line separators, Cs surrogates.
_UNSAFE_CATEGORIES = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_NAMED = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
# Joiners that emoji and scripts need, and that move nothing: ZWNJ, ZWJ.
_HARMLESS = {"\u200c", "\u200d"}
_ASCII_PRINTABLE = re.compile(r"[ -~]*")


def printable(text: str) -> str:
    """Text with every control and bidirectional character shown as an escape."""
    if _ASCII_PRINTABLE.fullmatch(text):
        return text
    return "".join(_escaped(mark) for mark in text)


def counted(count: int, what: str) -> str:
    """A number of things: `1 row`, `2,000 rows`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def size_text(size: float) -> str:
    """Bytes in a unit that people read."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:,.0f} {unit}" if unit == "bytes" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


def _escaped(mark: str) -> str:
    if mark in _NAMED:
        return _NAMED[mark]
    if mark in _HARMLESS or unicodedata.category(mark) not in _UNSAFE_CATEGORIES:
        return mark
    code = ord(mark)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
