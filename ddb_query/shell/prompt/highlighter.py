"""SQL in colours, as it is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from prompt_toolkit.formatted_text import split_lines
from prompt_toolkit.lexers import Lexer
from prompt_toolkit.styles import Style

from ddb_query.shell.keywords import WORDS
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.document import Document
    from prompt_toolkit.formatted_text import StyleAndTextTuples

# A longer text is pasted, not read; colouring it on every key would be felt.
LONGEST = 8_000

_KINDS = {
    "comment": "class:sql.comment", "text": "class:sql.text", "name": "class:sql.name",
    "parameter": "class:sql.parameter", "number": "class:sql.number",
}  # fmt: skip

STYLE = Style.from_dict(
    {
        "prompt": "bold",
        "continued": "ansibrightblack",
        "sql.keyword": "ansiblue bold",
        "sql.text": "ansigreen",
        "sql.name": "",
        "sql.number": "ansicyan",
        "sql.parameter": "ansimagenta",
        "sql.comment": "ansibrightblack",
        "command": "ansimagenta",
        "auto-suggestion": "ansibrightblack",
    }
)


class SqlLexer(Lexer):
    """Colours SQL and dot commands."""

    def lex_document(self, document: Document) -> Callable[[int], StyleAndTextTuples]:
        """The coloured pieces of each line."""
        lines = list(split_lines(coloured(document.text)))
        return lambda number: lines[number] if number < len(lines) else []


def coloured(text: str) -> StyleAndTextTuples:
    """A text in coloured pieces, nothing of it left out."""
    if text.startswith("."):
        name, space, rest = text.partition(" ")
        return [("class:command", name), ("", space + rest)]
    if len(text) > LONGEST:
        return [("", text)]
    found: StyleAndTextTuples = []
    end = 0
    for token in tokens(text):
        found += [("", text[end : token.start]), (_style(token.kind, token.text), token.text)]
        end = token.end
    return [*found, ("", text[end:])]


def _style(kind: str, text: str) -> str:
    if kind == "word":
        return "class:sql.keyword" if text.lower() in WORDS else ""
    return _KINDS.get(kind, "")
