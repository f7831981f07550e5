"""The query language: what a person types becomes one tree.

Words (all must occur), `"a phrase"`, `-not`, `OR`, brackets, `prefix*`, `word~`, `by:name`, `by:*`.
Operators are cut out first; all other text goes through the engine's normaliser, so that it
matches what is stored. docs/search.md has the rules.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from ddb_query.errors import SearchSyntaxError
from ddb_query.search.ast import (
    And,
    AnyBy,
    By,
    Fuzzy,
    Name,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Word,
)
from ddb_query.search.lexer import Piece, cut
from ddb_query.search.normalizer import Memory, Normalise, grouped, readable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MAX_CHARACTERS = 20_000
MAX_WORDS = 1_000
MAX_PATTERNS = 20
MAX_FUZZY_LETTERS = 18
MAX_DEPTH = 50
_EXAMPLE = "for example: ddb search 'castle \"matte painting\" -portrait'"


def parse(query: str, normalise: Normalise, *, exact_syntax: bool = False) -> Node:
    """The tree of a typed search.

    Args:
        query: What was typed.
        normalise: The engine's `normalise`; called once or twice, with all texts at a time.
        exact_syntax: Whether stray quotes, brackets and operators are errors rather than text.

    Raises:
        SearchSyntaxError: Nothing to search for is left, it is too long or nested too deep, or
            `exact_syntax` does not let it pass.

    """
    if len(query) > MAX_CHARACTERS:
        raise SearchSyntaxError(
            f"a search of {len(query):,} characters; at most {MAX_CHARACTERS:,} are looked at",
            query,
        )
    text = readable(query)
    found = cut(text)
    if exact_syntax and found.strays:
        place, problem = found.strays[0]
        raise SearchSyntaxError(
            problem, text, place, hint="without --exact-syntax it is taken as text"
        )
    tree = _tree(_operands(text, found.pieces, Memory(normalise)), query)
    if tree is None:
        raise SearchSyntaxError(
            "nothing to search for: there is no letter and no digit in it"
            if query.strip()
            else "nothing to search for",
            query,
            hint=_EXAMPLE,
        )
    _check_size(tree, query)
    return tree


def _operands(
    text: str, pieces: list[Piece], memory: Memory
) -> Iterator[tuple[str, list[Node | None]]]:
    """Operators as they are, and for all else the nodes that it stands for; None for no word."""
    tokens = [(piece.start, piece.end) for piece in pieces if _plain(piece)]
    memory.learn(piece.body for piece in pieces if piece.body and not _plain(piece))
    memory.learn(text[a:b] for a, b in tokens)
    for plain, run in groupby(pieces, _plain):
        if plain:
            groups = grouped(text, [(piece.start, piece.end) for piece in run], memory)
            yield "operand", [_of_words(group.words) for group in groups]
            continue
        for piece in run:
            if piece.kind in ("or", "and", "-", "(", ")"):
                yield piece.kind, []
            else:
                yield "operand", [_operand(piece, memory)]


def _plain(piece: Piece) -> bool:
    return piece.kind == "text" and not piece.by


def _operand(piece: Piece, memory: Memory) -> Node | None:
    if piece.kind == "any-by":
        return AnyBy()
    words = memory.words(piece.body)
    if piece.kind == "fuzzy" and len(words) == 1:
        # Any word of one letter is like any other, the mark between names too.
        one = Word(words[0]) if piece.by and len(words[0]) == 1 else Fuzzy(words[0])
        return By(one) if piece.by else one
    prefix = piece.kind == "prefix" or (piece.kind == "phrase" and piece.body.endswith("*"))
    found = _of_words(words, prefix=prefix)
    return By(found) if found is not None and piece.by else found


def _of_words(words: tuple[str, ...], *, prefix: bool = False) -> Name | None:
    if not words:
        return None
    if len(words) > 1:
        return Phrase(words, prefix)
    return Prefix(words[0]) if prefix else Word(words[0])


@dataclass
class _Level:
    """One open bracket: the alternatives so far, the last of which is being read."""

    negated: bool = False
    alternatives: list[list[_Sized]] = field(default_factory=lambda: [[]])


@dataclass(frozen=True)
class _Sized:
    node: Node
    depth: int = 1


def _tree(parts: Iterable[tuple[str, list[Node | None]]], query: str) -> Node | None:
    levels = [_Level()]
    negate = False
    for kind, nodes in parts:
        if kind == "or":
            levels[-1].alternatives.append([])
        elif kind == "-":
            negate = True
            continue
        elif kind == "(":
            levels.append(_Level(negated=negate))
        elif kind == ")":
            level = levels.pop()
            _put(levels[-1], _whole(level, query), negate=level.negated)
        for node in nodes:
            _put(levels[-1], None if node is None else _Sized(node), negate=negate)
            negate = False
        negate = False
    whole = _whole(levels[0], query)
    return None if whole is None else whole.node


def _put(level: _Level, found: _Sized | None, *, negate: bool) -> None:
    if found is None:
        return
    if negate:
        found = _opposite(found)
    level.alternatives[-1].append(found)


def _opposite(found: _Sized) -> _Sized:
    if isinstance(found.node, Not):
        return _Sized(found.node.part, found.depth - 1)
    return _Sized(Not(found.node), found.depth + 1)


def _whole(level: _Level, query: str) -> _Sized | None:
    if sum(map(len, level.alternatives)) > MAX_WORDS:
        raise SearchSyntaxError(f"a search has at most {MAX_WORDS:,} words", query)
    joined = [_joined(And, parts) for parts in level.alternatives]
    found = _joined(Or, [part for part in joined if part is not None])
    if found is not None and found.depth > MAX_DEPTH:
        raise SearchSyntaxError(f"brackets are nested deeper than {MAX_DEPTH} levels", query)
    return found


def _joined(kind: type[And | Or], parts: list[_Sized]) -> _Sized | None:
    """One node of many: those of the same kind are merged, and each stands in it once."""
    nodes: dict[Node, int] = {}
    for part in parts:
        if isinstance(part.node, kind):
            nodes.update(dict.fromkeys(part.node.parts, part.depth - 1))
        else:
            nodes.setdefault(part.node, part.depth)
    if not nodes:
        return None
    if len(nodes) == 1:
        return _Sized(*nodes.popitem())
    return _Sized(kind(tuple(nodes)), max(nodes.values()) + 1)


def _check_size(tree: Node, query: str) -> None:
    leaves = list(_leaves(tree))
    names = [leaf.name if isinstance(leaf, By) else leaf for leaf in leaves]
    if any(isinstance(name, Fuzzy) and len(name.word) > MAX_FUZZY_LETTERS for name in names):
        raise SearchSyntaxError(f"~ takes words of at most {MAX_FUZZY_LETTERS} letters", query)
    words = sum(len(name.words) if isinstance(name, Phrase) else 1 for name in names)
    patterns = sum(
        isinstance(name, Prefix | Fuzzy) or (isinstance(name, Phrase) and name.prefix)
        for name in names
    )
    if words > MAX_WORDS:
        raise SearchSyntaxError(f"a search has at most {MAX_WORDS:,} words", query)
    if patterns > MAX_PATTERNS:
        raise SearchSyntaxError(f"a search has at most {MAX_PATTERNS} words with * or ~", query)


def _leaves(tree: Node) -> Iterator[Name | By | AnyBy]:
    if isinstance(tree, Not):
        yield from _leaves(tree.part)
    elif isinstance(tree, And | Or):
        for part in tree.parts:
            yield from _leaves(part)
    else:
        yield tree
