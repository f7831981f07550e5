"""Writes `sql/functions/compatibility_table.sql` from Python's Unicode data.

Run `python tests/support/unicode_table.py` after a change; a test compares the file with what this
gives.
"""

from __future__ import annotations

import sys
import unicodedata
from pathlib import Path

TABLE = Path(__file__).parents[2] / "sql/functions/compatibility_table.sql"
UNICODE = "14.0.0"
MARK = "\N{PILCROW SIGN}"

# What Unicode's form NFKC does otherwise, each for a reason that docs/search.md gives.
EXCEPTIONS = {
    "\N{TRADE MARK SIGN}": " ",
    "\N{SERVICE MARK}": " ",
    "\N{MODIFIER LETTER TURNED COMMA}": "'",
    "\N{MODIFIER LETTER APOSTROPHE}": "'",
    "\N{MODIFIER LETTER REVERSED COMMA}": "'",
}

_HEAD = f"""-- compatibility_table(): what Unicode {UNICODE} writes for compatibility characters.
-- Written by tests/support/unicode_table.py. After each pilcrow stands a character, then its text
-- in form NFKC, with the few exceptions that docs/search.md states. The ends of lines mean nothing.
"""
_LINE = 80


def entries() -> dict[str, str]:
    """Each character that form NFKC replaces and form NFC does not, with its text."""
    known = map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
    found = {
        character: text
        for character in known
        if (text := unicodedata.normalize("NFKC", character))
        != unicodedata.normalize("NFC", character)
    }
    found |= EXCEPTIONS
    return {character: _excepted(text) for character, text in sorted(found.items())}


def _excepted(text: str) -> str:
    """A text without what the exceptions replace in their turn."""
    return "".join(EXCEPTIONS.get(character, character) for character in text)


def table_sql() -> str:
    """The text of the file."""
    lines = [""]
    for character, text in entries().items():
        entry = MARK + character + text.replace("'", "''")
        if len(lines[-1]) + len(entry) > _LINE:
            lines.append("")
        lines[-1] += entry
    return _HEAD + "'" + f"{MARK}\n".join(lines) + f"{MARK}'\n"


if __name__ == "__main__":
    if unicodedata.unidata_version != UNICODE:
        sys.exit(f"this Python has Unicode {unicodedata.unidata_version}, not {UNICODE}")
    TABLE.write_text(table_sql(), "utf-8")
