"""Where in a prompt, as it is written, a search matches: for a terminal to show."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.search.ast import AnyBy, By, Fuzzy, Leaf, Node, Phrase, Prefix, wanted
from ddb_query.search.normalizer import Group, Memory, Normalise, grouped, pairs, readable
from ddb_query.search.segments import pieces_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence


def highlights(
    tree: Node, prompts: Sequence[str], normalise: Normalise
) -> list[list[tuple[int, int]]]:
    """For each prompt the spans that match, in order and apart: offsets of characters, end after.

    Args:
        tree: The search.
        prompts: Prompts as they are written, say those on the screen.
        normalise: The engine's `normalise`; called a few times for all prompts together.

    """
    memory = Memory(normalise)
    texts = [readable(prompt) for prompt in prompts]
    pieces = [pieces_of(text) for text in texts]
    memory.learn(
        part
        for text, spans in zip(texts, pieces, strict=True)
        for part in [*(text[a:b] for a, b in spans), *pairs(text, spans)]
    )
    leaves = wanted(tree)
    return [
        _merged(_spans(leaves, grouped(text, spans, memory)))
        for text, spans in zip(texts, pieces, strict=True)
    ]


def _spans(leaves: list[Leaf], groups: list[Group]) -> Iterator[tuple[int, int]]:
    words = [(word, group) for group in groups for word in group.words]
    for leaf in leaves:
        tests = _tests(leaf.name if isinstance(leaf, By) else leaf)
        for first in range(len(words) - len(tests) + 1 if tests else 0):
            found = words[first : first + len(tests)]
            if all(test(word) for test, (word, _) in zip(tests, found, strict=True)):
                yield found[0][1].start, found[-1][1].end


def _tests(leaf: Leaf) -> list[Callable[[str], bool]]:
    """One test for each of the words that must stand one after the other."""
    if isinstance(leaf, AnyBy | By):
        return []
    if isinstance(leaf, Phrase):
        last = leaf.words[-1]
        tests: list[Callable[[str], bool]] = [word.__eq__ for word in leaf.words]
        return [*tests[:-1], _begins(last)] if leaf.prefix else tests
    if isinstance(leaf, Prefix):
        return [_begins(leaf.start)]
    if isinstance(leaf, Fuzzy):
        return [lambda word: _distance(word, leaf.word) <= leaf.distance]
    return [leaf.word.__eq__]


def _begins(start: str) -> Callable[[str], bool]:
    return lambda word: word.startswith(start)


def _distance(one: str, other: str) -> int:
    """Levenshtein's: letters to add, drop or change."""
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        last, row[0] = row[0], i
        for j, against in enumerate(other, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (letter != against))
    return row[-1]


def _merged(spans: Iterator[tuple[int, int]]) -> list[tuple[int, int]]:
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged
