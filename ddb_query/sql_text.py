"""SQL as text: cut into tokens without an engine, so that listing queries stays light.

Knows strings, quoted names, dollar quotes, comments and parameters; knows nothing of grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOKEN = re.compile(
    r"""
      (?P<comment>--[^\n]*|/\*.*?(?:\*/|\Z))
    | (?P<text>[eE]'(?:[^'\\]|\\.|'')*(?:'|\Z)|'(?:[^']|'')*(?:'|\Z)
        |(?P<quote>\$(?:[A-Za-z_]\w*)?\$).*?(?:(?P=quote)|\Z))
    | (?P<name>"(?:[^"]|"")*(?:"|\Z))
    | (?P<parameter>\$[A-Za-z_]\w*)
    | (?P<word>[^\W\d]\w*)
    | (?P<number>\d[\w.]*)
    | (?P<mark>\S)
    """,
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Token:
    """A piece of SQL text.

    Attributes:
        kind: comment, text, name (quoted), parameter, word, number or mark.
        text: The piece as written.
        line: Its line, from 1.
        depth: How many brackets are open around it.

    """

    kind: str
    text: str
    line: int
    depth: int


def pieces(sql: str) -> Iterator[tuple[str, str]]:
    """Cut SQL into kinds and texts, white space too (`space`): joined, the texts are the SQL."""
    end = 0
    for match in _TOKEN.finditer(sql):
        yield "space", sql[end : match.start()]
        yield match.lastgroup or "mark", match.group()
        end = match.end()
    yield "space", sql[end:]


def tokens(sql: str) -> Iterator[Token]:
    """Cut SQL into tokens, comments included, white space left out."""
    depth = 0
    line = 1
    end = 0
    for match in _TOKEN.finditer(sql):
        line += sql.count("\n", end, match.start())
        text = match.group()
        if text == ")":
            depth -= 1
        yield Token(match.lastgroup or "mark", text, line, depth)
        if text == "(":
            depth += 1
        line += text.count("\n")
        end = match.end()
