"""SQL as text: cut into tokens without an engine, so that listing queries stays light.

Knows strings, quoted names, dollar quotes, comments and parameters; knows nothing of grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

# What SQL calls the last result of a session.
LAST_RESULT = "_"

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

_CLOSED = re.compile(
    r"""--[^\n]*|/\*.*\*/|[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*'|(\$(?:[A-Za-z_]\w*)?\$).*\1
        |"(?:[^"]|"")*"|(?![eE]')[^'"$/-].*|\$\w*|[/-]""",
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
        start: Where it begins, counted in characters from 0.

    """

    kind: str
    text: str
    line: int
    depth: int
    start: int

    @property
    def end(self) -> int:
        """Where it ends, the character after its last."""
        return self.start + len(self.text)

    @property
    def closed(self) -> bool:
        """Whether a text, a quoted name or a block comment has its end."""
        return _CLOSED.fullmatch(self.text) is not None

    @property
    def names_last(self) -> bool:
        """Whether it is `_`, the name of the last result."""
        return self.kind in ("word", "name") and self.text.strip('"') == LAST_RESULT


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
        yield Token(match.lastgroup or "mark", text, line, depth, match.start())
        if text == "(":
            depth += 1
        line += text.count("\n")
        end = match.end()


def reads_last(sql: str) -> bool:
    """Whether SQL reads `_`, the last result."""
    return LAST_RESULT in sql and any(token.names_last for token in tokens(sql))


def parameter_hint(sql: str) -> str | None:
    """How a parameter is written here, where SQL has one in the form of another database."""
    found = list(tokens(sql))
    for before, mark, name in zip(found, found[1:], found[2:], strict=False):
        stands_alone = before.end < mark.start or before.text in "=<>(,"
        named = name.kind == "word" and name.start == mark.end
        if mark.text in (":", "@") and stands_alone and named:
            return f"a parameter is written ${name.text} here, and -p {name.text}=VALUE sets it"
    return None
