"""What was probably meant: close matches for names that the engine does not know."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING

from ddb_query.shell.keywords import WORDS
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddb_query.shell.names import Names

# DuckDB's words for a name that it does not know: what kind it is of, and the name.
_COLUMN = re.compile(r'Referenced column "(.+?)" not found|does not have a column named "(.+?)"')
_RELATION = re.compile(r'Table with name (\S+) does not exist|Referenced table "(.+?)" not found')
_FUNCTION = re.compile(r"Function with name (\S+) does not exist")
_WORD = re.compile(r'syntax error at or near "(\w+)"')

_MOST = 3


def hint_for(message: str, sql: str, names: Names) -> str | None:
    """A hint for a statement that the engine refused; None where there is none."""
    if found := _COLUMN.search(message):
        columns = columns_in(sql, names)
        return _meant(found, columns, ".schema NAME lists the columns of a view")
    if found := _RELATION.search(message):
        if "_" in found.groups():
            return "_ is the last result, and there is none yet"
        return _meant(found, names.relations, ".tables lists the views and tables")
    if found := _FUNCTION.search(message):
        return _meant(found, names.functions, "select * from duckdb_functions() lists them")
    if found := _WORD.search(message):
        # The engine loses the thread at a mistyped word, or at the one behind it.
        for word in (found[1].lower(), _word_before(sql, found[1])):
            if word not in WORDS and (meant := difflib.get_close_matches(word, WORDS, 1, 0.7)):
                return f"did you mean {meant[0]}?"
        return None
    return None


def close(name: str, known: Iterable[str]) -> list[str]:
    """The known names that look most like one, or that hold it; none when it is known itself."""
    names = list(dict.fromkeys(known))
    if name in names:
        return []
    alike = difflib.get_close_matches(name, names, n=_MOST, cutoff=0.6)
    holding = [n for n in names if len(name) > 1 and name in n and n not in alike]
    return [*alike, *holding][:_MOST]


def columns_in(sql: str, names: Names) -> list[str]:
    """Columns of the relations that a statement names, of all when it names none."""
    words = {token.text.strip('"').lower() for token in tokens(sql)}
    named = [columns for name, columns in names.relations.items() if name.lower() in words]
    return [column.name for columns in named or names.relations.values() for column in columns]


def _meant(found: re.Match[str], known: Iterable[str], otherwise: str) -> str:
    name = next(group for group in found.groups() if group)
    meant = close(name.lower().rpartition(".")[2], known)
    return f"did you mean {' or '.join(meant)}?" if meant else otherwise


def _word_before(sql: str, word: str) -> str:
    """The word in front of another."""
    before = ""
    for token in tokens(sql):
        if token.text == word:
            break
        before = token.text.lower()
    return before
