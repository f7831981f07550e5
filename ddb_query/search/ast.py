"""A parsed search: what is asked of a prompt's normalised words."""

from __future__ import annotations

from dataclasses import dataclass

SHORT_LETTERS = 5


@dataclass(frozen=True)
class Word:
    """A word stands in the text."""

    word: str


@dataclass(frozen=True)
class Prefix:
    """A word that begins so stands in the text."""

    start: str


@dataclass(frozen=True)
class Fuzzy:
    """A word like this one stands in the text."""

    word: str

    @property
    def distance(self) -> int:
        """How many letters may be added, dropped or changed; a swap of two counts as two."""
        return 1 if len(self.word) <= SHORT_LETTERS else 2


@dataclass(frozen=True)
class Phrase:
    """At least two words stand one after the other in the text.

    Attributes:
        words: The words.
        prefix: Whether the last one is only the beginning of a word.

    """

    words: tuple[str, ...]
    prefix: bool = False


@dataclass(frozen=True)
class By:
    """The name stands in one member of a list of artists."""

    name: Word | Prefix | Fuzzy | Phrase


@dataclass(frozen=True)
class AnyBy:
    """There is a list of artists."""


@dataclass(frozen=True)
class And:
    """All of at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Or:
    """At least one of at least two."""

    parts: tuple[Node, ...]


@dataclass(frozen=True)
class Not:
    """Not this; it is never a Not itself."""

    part: Node


Name = Word | Prefix | Fuzzy | Phrase
Leaf = Word | Prefix | Fuzzy | Phrase | By | AnyBy
Node = Leaf | And | Or | Not


def only_negative(tree: Node) -> bool:
    """Whether nothing is asked for, only what must not be: such a search has no ranking."""
    if isinstance(tree, Not):
        return True
    if isinstance(tree, And | Or):
        return all(only_negative(part) for part in tree.parts)
    return False


def names_artists(tree: Node) -> bool:
    """Whether it asks for artists anywhere."""
    if isinstance(tree, Not):
        return names_artists(tree.part)
    if isinstance(tree, And | Or):
        return any(names_artists(part) for part in tree.parts)
    return isinstance(tree, By | AnyBy)


def wanted(tree: Node) -> list[Leaf]:
    """The leaves that are asked for, each once: what can be highlighted."""
    if isinstance(tree, Not):
        return []
    if isinstance(tree, And | Or):
        return list(dict.fromkeys(leaf for part in tree.parts for leaf in wanted(part)))
    return [tree]
