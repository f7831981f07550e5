"""A search as an SQL condition over the normalised text, for engines that have no index.

Values are bound; the condition is made to be read. Words are one space apart in the text, so a
word is what stands between two spaces.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.search.ast import And, AnyBy, By, Fuzzy, Name, Node, Not, Or, Phrase, Prefix

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANY = "[^ ]"


def predicate(
    tree: Node, *, text: str = "text", artists: str = "artists", first: int = 1
) -> tuple[str, dict[str, str]]:
    """The condition and the values of its parameters `$w1`, `$w2` and so on.

    Args:
        tree: The search.
        text: The column, or SQL expression of our own, of the normalised text.
        artists: The same of the normalised lists of artists.
        first: Number of the first parameter.

    """
    made = _Condition(text, artists, first)
    return made.of(tree), made.values


class _Condition:
    def __init__(self, text: str, artists: str, first: int) -> None:
        self._text = text
        self._artists = artists
        self._next = first
        self.values: dict[str, str] = {}

    def of(self, tree: Node) -> str:
        if isinstance(tree, And):
            return " and ".join(self._part(part) for part in tree.parts)
        if isinstance(tree, Or):
            return " or ".join(self._part(part) for part in tree.parts)
        if isinstance(tree, Not):
            return f"not {self._part(tree.part)}"
        if isinstance(tree, AnyBy):
            return f"{self._artists} <> ''"
        if isinstance(tree, By):
            return self._name(tree.name, self._artists, self._artists)
        return self._name(tree, self._text, f"' ' || {self._text} || ' '")

    def _part(self, part: Node) -> str:
        inner = self.of(part)
        return f"({inner})" if isinstance(part, And | Or) else inner

    def _name(self, name: Name, column: str, padded: str) -> str:
        if isinstance(name, Fuzzy):
            return self._like(name, column)
        if isinstance(name, Phrase):
            words = " ".join(name.words)
            end = "" if name.prefix else " "
        else:
            words, end = (name.start, "") if isinstance(name, Prefix) else (name.word, " ")
        return f"contains({padded}, {self._bound(f' {words}{end}')})"

    def _like(self, name: Fuzzy, column: str) -> str:
        return f"regexp_matches({column}, {self._bound(like(name.word, name.distance))})"

    def _bound(self, value: str) -> str:
        name = f"w{self._next}"
        self._next += 1
        self.values[name] = value
        return f"${name}"


def like(word: str, distance: int) -> str:
    """A pattern of the words at most so many letters away, somewhere in a normalised text.

    It is eight times faster than levenshtein over the split text, and counts letters, where
    DuckDB's levenshtein counts bytes.
    """
    # Any letter in a place stands for the letter that was there, too.
    close = {tuple(word)}
    for _ in range(distance):
        close = {edited for letters in close for edited in _one_edit(letters)}
    spelled = sorted("".join(letters) for letters in close if letters)
    return f"(?:^| )(?:{'|'.join(spelled)})(?: |$)"


def _one_edit(letters: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    for place in range(len(letters) + 1):
        yield (*letters[:place], _ANY, *letters[place:])
    for place in range(len(letters)):
        yield letters[:place] + letters[place + 1 :]
        yield (*letters[:place], _ANY, *letters[place + 1 :])
