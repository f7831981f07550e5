"""Search done plainly: SQL functions on bare DuckDB, and a scan in Python."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import duckdb

from ddb_query.queries.library import sql_folder
from ddb_query.search.ast import And, AnyBy, By, Fuzzy, Leaf, Node, Not, Or, Phrase, Prefix

if TYPE_CHECKING:
    from collections.abc import Sequence


@functools.cache
def connection() -> duckdb.DuckDBPyConnection:
    """DuckDB with the functions of `sql/functions`."""
    opened = duckdb.connect()
    for path in sorted((sql_folder() / "functions").glob("*.sql")):
        text = path.read_text("utf-8")
        opened.execute(f"create macro {text[3 : text.index(':')]} as (\n{text}\n)")
    return opened


def called(function: str, texts: Sequence[str]) -> list[str]:
    """An SQL function over texts."""
    cursor = connection().cursor()
    found = cursor.execute(
        f"select {function}(t) from (select unnest($texts::varchar[]) as t,"
        " generate_subscripts($texts::varchar[], 1) as place) order by place",
        {"texts": list(texts)},
    ).fetchall()
    return [value for (value,) in found]


def lists(prompts: Sequence[str]) -> list[str]:
    """The members of the lists of each prompt, as if all of them were artists."""
    found = [text.replace("|>", "|").split("|") for text in called("prompt_lists", prompts)]
    named = [" | ".join(dict.fromkeys(filter(None, members))) for members in found]
    return [f"| {names} |" if names else "" for names in named]


def normalise(texts: list[str], /) -> list[str]:
    return called("normalise", texts)


def matches(tree: Node, text: str, artists: str) -> bool:
    """Whether a prompt matches, from the definition of each operator."""
    if isinstance(tree, And):
        return all(matches(part, text, artists) for part in tree.parts)
    if isinstance(tree, Or):
        return any(matches(part, text, artists) for part in tree.parts)
    if isinstance(tree, Not):
        return not matches(tree.part, text, artists)
    if isinstance(tree, AnyBy):
        return artists != ""
    if isinstance(tree, By):
        name = tree.name
        return any(_stands(name, member.split()) for member in artists.split("|"))
    return _stands(tree, text.split())


def _stands(leaf: Leaf, words: list[str]) -> bool:
    if isinstance(leaf, Phrase):
        size = len(leaf.words)
        *whole, last = leaf.words
        return any(
            words[i : i + size - 1] == whole
            and (
                words[i + size - 1].startswith(last) if leaf.prefix else words[i + size - 1] == last
            )
            for i in range(len(words) - size + 1)
        )
    if isinstance(leaf, Prefix):
        return any(word.startswith(leaf.start) for word in words)
    if isinstance(leaf, Fuzzy):
        return any(_edits(word, leaf.word) <= leaf.distance for word in words)
    assert not isinstance(leaf, AnyBy | By)
    return leaf.word in words


@functools.cache
def _edits(one: str, other: str) -> int:
    if not one or not other:
        return len(one) + len(other)
    if one[0] == other[0]:
        return _edits(one[1:], other[1:])
    return 1 + min(_edits(one[1:], other), _edits(one, other[1:]), _edits(one[1:], other[1:]))
