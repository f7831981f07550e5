"""A typed search cut into pieces: operators, quoted phrases, names, and plain text.

Whatever has no meaning as an operator is text; the place and the reason are kept, so that
`--exact-syntax` can refuse it.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field, replace

_SPACE = re.compile(r"\s+")
# Typographic quotes are what phones and word processors make of typed ones.
_QUOTES = '"\u201c\u201d\u201e'
_QUOTED = re.compile(rf"[{_QUOTES}]([^{_QUOTES}]*)[{_QUOTES}](\*?)")
_BY = re.compile(r"by:", re.IGNORECASE)
_ANY_BY = re.compile(r"by:\*(?=[\s)]|$)", re.IGNORECASE)
_TOKEN_MARKS = re.compile(rf"[\s(){_QUOTES}]")
# Marks end a word as letters do, and so does what cannot be seen.
_IN_WORDS = frozenset({"L", "M", "N", "C"})

OPERAND_ENDS = frozenset({"text", "phrase", "prefix", "fuzzy", "any-by", ")"})
OPERAND_STARTS = frozenset({"text", "phrase", "prefix", "fuzzy", "any-by", "(", "-"})


@dataclass(frozen=True)
class Piece:
    """A part of what was typed.

    Attributes:
        kind: text, phrase, prefix, fuzzy, any-by, or, and, -, ( or ).
        start: Where it begins.
        end: Where it ends.
        body: What it says, without its operators.
        by: Whether it is the name of an artist.

    """

    kind: str
    start: int
    end: int
    body: str = ""
    by: bool = False


@dataclass
class Cut:
    """The pieces of a search, and what in it is not an operator though it looks like one.

    Attributes:
        pieces: The pieces in order.
        strays: Places and reasons.

    """

    pieces: list[Piece] = field(default_factory=list)
    strays: list[tuple[int, str]] = field(default_factory=list)


def cut(query: str) -> Cut:
    """Cut a search into pieces."""
    lexer = _Lexer(query)
    lexer.run()
    found = Cut(_without_strays(lexer), sorted(lexer.strays))
    _keep_working_joiners(found)
    found.strays.sort()
    return found


class _Lexer:
    def __init__(self, query: str) -> None:
        self.query = query
        self.pieces: list[Piece] = []
        self.strays: list[tuple[int, str]] = []
        # Open brackets: the place of the piece of one that groups, -1 - offset of one in a word.
        self.open: list[int] = []
        self.closed: set[int] = set()

    def run(self) -> None:
        place = 0
        while place < len(self.query):
            if space := _SPACE.match(self.query, place):
                place = space.end()
            else:
                place = self._piece(place)
        for opened in self.open:
            offset = self.pieces[opened].start if opened >= 0 else -1 - opened
            if opened >= 0:
                self.strays.append((offset, "this bracket is not closed"))

    def _piece(self, place: int) -> int:
        mark = self.query[place]
        if mark == "(":
            self.open.append(len(self.pieces))
            return self._add("(", place, place + 1)
        if mark == ")" and self._closes():
            self.closed.add(self.open.pop())
            return self._add(")", place, place + 1)
        if mark == "-" and self._negates(place):
            return self._add("-", place, place + 1)
        if found := _ANY_BY.match(self.query, place):
            return self._add("any-by", place, found.end())
        if found := _BY.match(self.query, place):
            return self._name(place, found.end())
        return self._operand(place, place, by=False)

    def _add(self, kind: str, start: int, end: int, body: str = "", *, by: bool = False) -> int:
        self.pieces.append(Piece(kind, start, end, body, by))
        return end

    def _closes(self) -> bool:
        return bool(self.open) and self.open[-1] >= 0

    def _negates(self, place: int) -> bool:
        after = self.query[place + 1 : place + 2]
        if after in ("", "-", ")") or after.isspace():
            self.strays.append((place, "- stands before a word, without a space"))
            return False
        return not (self.pieces and self.pieces[-1].kind == "-" and self.pieces[-1].end == place)

    def _name(self, start: int, place: int) -> int:
        after = self.query[place : place + 1]
        if after in ("", "(", ")") or after.isspace():
            self.strays.append((start, 'by: takes a name, by:name or by:"a name"'))
            return self._add("text", start, place, self.query[start:place])
        return self._operand(start, place, by=True)

    def _operand(self, start: int, place: int, *, by: bool) -> int:
        """A quoted phrase or a word that begins at `place`."""
        if self.query[place] in _QUOTES:
            if quoted := _QUOTED.match(self.query, place):
                body = quoted[1] + quoted[2]
                return self._add("phrase", start, quoted.end(), body, by=by)
            self.strays.append((place, "this quote is not closed"))
        end = self._token_end(place)
        body = self.query[place:end]
        if not by and body in ("OR", "AND"):
            return self._add(body.lower(), start, end, body)
        kind = "text"
        if _is_pattern(body):
            kind = "prefix" if body[-1] == "*" else "fuzzy"
            body = body[:-1]
        for mark in re.finditer(r"[*~]", body):
            self.strays.append((place + mark.start(), f"{mark[0]} stands at the end of a word"))
        return self._add(kind, start, end, body, by=by)

    def _token_end(self, start: int) -> int:
        """Where a word ends: before white space, or the bracket that closes its group."""
        place = start
        while found := _TOKEN_MARKS.search(self.query, place):
            mark, at = found[0], found.start()
            if mark.isspace() or (mark == ")" and self._closes()):
                return at
            place = found.end()
            self._mark_in_word(mark, at, first=at == start)
        return len(self.query)

    def _mark_in_word(self, mark: str, at: int, *, first: bool) -> None:
        if mark == "(":
            self.open.append(-1 - at)
            self.strays.append((at, "a bracket opens before a word, not in it"))
        elif mark == ")" and self.open:
            self.open.pop()
        elif mark == ")":
            self.strays.append((at, "this bracket closes nothing"))
        elif not first:
            self.strays.append((at, "a quote opens before a word, not in it"))


def _is_pattern(body: str) -> bool:
    """Whether a word ends in `*` or `~`, and has a letter, mark or digit before it."""
    return body[-1:] in ("*", "~") and unicodedata.category(body[-2:-1] or "*")[0] in _IN_WORDS


def _without_strays(lexer: _Lexer) -> list[Piece]:
    """The pieces without brackets that are not closed, whose own text is no word."""
    return [
        piece
        for place, piece in enumerate(lexer.pieces)
        if piece.kind != "(" or place in lexer.closed
    ]


def _keep_working_joiners(found: Cut) -> None:
    """OR and AND join what stands on both sides; elsewhere they are words."""
    pieces = found.pieces
    for place, piece in enumerate(pieces):
        if piece.kind in ("or", "and"):
            before = pieces[place - 1].kind if place else ""
            after = pieces[place + 1].kind if place + 1 < len(pieces) else ""
            if before not in OPERAND_ENDS or after not in OPERAND_STARTS:
                found.strays.append((piece.start, f"{piece.body} stands between two words"))
                pieces[place] = replace(piece, kind="text")
