"""Text cut into what a shell runs one by one: SQL statements and dot commands.

Knows no engine: it is asked on every Enter whether a text is complete.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.errors import UsageError
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# What people type to leave or to be helped, as in other shells.
_WORDS = {"quit": ".quit", "exit": ".quit", "\\q": ".quit", "help": ".help"}
# White space and finished remarks.
_BLANK = re.compile(r"(?:\s+|--[^\n]*|/\*.*?\*/)*", re.DOTALL)


@dataclass(frozen=True)
class Piece:
    r"""A statement or a dot command.

    Attributes:
        text: Without the `;` or `\G` that ended it.
        line: Where it begins, from 1.
        command: Whether it is a dot command.
        whole_rows: Whether it ended in `\G`: each row is shown whole, a line for each column.
        ended: Whether it has its end; the last statement of a text may lack it.

    """

    text: str
    line: int
    command: bool = False
    whole_rows: bool = False
    ended: bool = True


def pieces(text: str) -> Iterator[Piece]:
    """Cut a text. Remarks before a piece are left out; `exit`, with or without `;`, is `.quit`."""
    place = 0
    while (place := _start_of_next(text, place)) < len(text):
        line = text.count("\n", 0, place) + 1
        end = text.find("\n", place)
        end = len(text) if end < 0 else end
        if text[place] == ".":
            yield Piece(text[place:end].rstrip(), line, command=True)
        elif command := _WORDS.get(text[place:end].strip().lower()):
            yield Piece(command, line, command=True)
        else:
            piece, end = _statement(text[place:], line)
            if command := _WORDS.get(piece.text.lower()):
                yield Piece(command, line, command=True)
            elif piece.text:
                yield piece
            end += place
        place = end


def complete(text: str) -> bool:
    """Whether Enter runs the text, rather than beginning another line of it."""
    return all(piece.ended for piece in pieces(text))


def _start_of_next(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place


def _statement(rest: str, line: int) -> tuple[Piece, int]:
    r"""The statement that a text begins with, up to its `;` or `\G`, and where it ends."""
    for token in tokens(rest):
        whole_rows = token.text == "G" and rest[: token.start].endswith("\\")
        if token.text == ";" or whole_rows:
            text = rest[: token.start - whole_rows].rstrip()
            return Piece(text, line, whole_rows=whole_rows), token.end
    return Piece(rest.rstrip(), line, ended=False), len(rest)


def read_script(path: Path) -> str:
    """The text of a script.

    Raises:
        UsageError: It cannot be read, or is not UTF-8.

    """
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = f"iconv -f LATIN1 -t UTF-8 {path} converts it, if that is what it is"
        raise UsageError(f"{path} is not UTF-8 text", hint=hint) from error
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror or error}") from error
