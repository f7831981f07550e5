"""Which typed characters became which normalised words.

The normaliser turns a text into words; here the text is cut into the smallest pieces that it
treats by themselves, so that each word has its place. That `2 0 7 7` and `8 k` are one word is the
normaliser's knowledge: it is asked about each pair that might be joined.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What the normaliser joins: what stands one space after a digit, and a suffix after a number, with
# whatever parts them between. Characters that are not ASCII may become digits and spaces.
_MAY_JOIN = re.compile(
    r"[0-9\u0080-\U0010ffff](?:"
    r"[ \u00a0\u2000-\u200a\u202f\u205f\u3000](?:[^\W_]|[^\x00-\x7f])"
    r"|[^A-Za-z0-9]+(?:(?i:k|d|s|th|st|nd|rd|mm|cm|mp|p|bit|fps)(?![A-Za-z0-9])|[^\x00-\x7f]))"
)
# Of these all that the normaliser does is lower case; asking an engine takes 10 ms.
_PLAIN = re.compile(r"[A-Za-z0-9]+|[A-Za-z]+(?: [A-Za-z]+)+")
_SURROGATE = re.compile("[\ud800-\udfff]")


class Normalise(Protocol):
    """The engine's `normalise`, over a list of texts."""

    def __call__(self, texts: list[str], /) -> list[str]:
        """One normalised text for each."""


@dataclass(frozen=True)
class Group:
    """A piece of text and the words that it gives.

    Attributes:
        start: Where the piece begins.
        end: Where it ends.
        words: Its normalised words; there may be none.

    """

    start: int
    end: int
    words: tuple[str, ...]


def readable(text: str) -> str:
    """Text that can be encoded: a lone surrogate becomes a mark, and all else keeps its place."""
    return _SURROGATE.sub("\ufffd", text)


class Memory:
    """The normaliser, asked once about each text, and about many at a time."""

    def __init__(self, normalise: Normalise) -> None:
        self._normalise = normalise
        self._known: dict[str, tuple[str, ...]] = {"": ()}

    def learn(self, texts: Iterable[str]) -> None:
        """Ask about all texts that are not known yet."""
        new = []
        for text in dict.fromkeys(text for text in texts if text not in self._known):
            if _PLAIN.fullmatch(text):
                self._known[text] = tuple(text.lower().split(" "))
            else:
                new.append(text)
        if new:
            for text, found in zip(new, self._normalise(new), strict=True):
                self._known[text] = tuple(found.split())

    def words(self, text: str) -> tuple[str, ...]:
        """The words of a text."""
        if text not in self._known:
            self.learn([text])
        return self._known[text]


def pairs(text: str, tokens: Sequence[tuple[int, int]]) -> list[str]:
    """The neighbours that the normaliser might join."""
    return [text[a:b] for (a, mid), (_, b) in pairwise(tokens) if _MAY_JOIN.match(text, mid - 1)]


def grouped(text: str, tokens: Sequence[tuple[int, int]], memory: Memory) -> list[Group]:
    """Tokens as groups: those that the normaliser joins stand in one.

    Args:
        text: The text.
        tokens: Where its tokens begin and end, in order.
        memory: The normaliser.

    """
    memory.learn([*(text[a:b] for a, b in tokens), *pairs(text, tokens)])
    spans: list[tuple[int, int]] = []
    last: tuple[int, int] | None = None
    at = 0
    for token in tokens:
        if last is not None and _joined(text, last, token, memory):
            spans[at:] = [(spans[at][0], token[1])]
        else:
            spans.append(token)
        # What has no word, as a mark that stands by itself, keeps nothing apart.
        if memory.words(text[slice(*token)]):
            last, at = token, len(spans) - 1
    memory.learn(text[a:b] for a, b in spans)
    return [Group(a, b, memory.words(text[a:b])) for a, b in spans]


def _joined(text: str, left: tuple[int, int], right: tuple[int, int], memory: Memory) -> bool:
    if not _MAY_JOIN.match(text, left[1] - 1):
        return False
    apart = memory.words(text[slice(*left)]) + memory.words(text[slice(*right)])
    return memory.words(text[left[0] : right[1]]) != apart
