"""What is being typed: which kind of name stands at the cursor. Pure; asks no engine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ddb_query.shell.script import pieces
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from ddb_query.util.sql_tokens import Token

# Words behind which a relation is named.
_BEFORE_RELATION = {"from", "join", "describe", "desc", "summarize", "into", "update", "table"}
# Words that no relation is called.
_NO_ALIAS = {
    "where", "group", "order", "limit", "join", "left", "right", "inner", "full", "cross", "on",
    "using", "having", "union", "semi", "anti", "asof", "natural", "qualify", "select", "window",
}  # fmt: skip
_COMPARING = {"=", "<>", "in", "like", "ilike", "("}


@dataclass(frozen=True)
class Context:
    """Where the cursor stands.

    Attributes:
        kind: `relation`, `column` (one of `owner`), `value` (of the column `owner`), `variable`,
            `name` (whatever an expression may hold), or `nothing`.
        word: What has been typed of it.
        owner: The relation or alias before the dot, or the column that is compared.
        relations: The relations that the statement names, by alias and by name.
        aliases: Names that the statement itself gives: of common tables and columns.

    """

    kind: str
    word: str = ""
    owner: str = ""
    relations: tuple[tuple[str, str], ...] = ()
    aliases: tuple[str, ...] = ()

    def relation(self, alias: str) -> str:
        """The relation that an alias stands for."""
        return dict(self.relations).get(alias.lower(), alias)


def context(before: str, after: str = "") -> Context:
    """The context of a cursor.

    Args:
        before: The text before it.
        after: The text behind it.

    """
    statement = _current(before)
    found = list(tokens(statement))
    kind, word, owner = _at_cursor(found, len(statement))
    relations, aliases = named(list(tokens(statement + after)))
    return Context(kind, word.strip('"'), owner.strip('"'), relations, aliases)


def _at_cursor(found: list[Token], cursor: int) -> tuple[str, str, str]:
    """Kind, word and owner at a cursor behind these tokens."""
    last = found[-1] if found else None
    if last is not None and not last.closed and last.kind in ("text", "comment"):
        column = _compared(found[:-1]) if last.kind == "text" else ""
        return "value" if column else "nothing", last.text[1:], column
    if last is None or last.end < cursor:
        return _kind(found), "", ""
    if last.text == ".":
        return "column", "", _text(found, -2)
    if last.text == "$" or last.kind == "parameter":
        return "variable", last.text, ""
    if last.kind in ("word", "name"):
        qualified = _text(found, -2) == "."
        kind, owner = ("column", _text(found, -3)) if qualified else (_kind(found[:-1]), "")
        return kind, last.text, owner
    if last.kind == "mark":
        return _kind(found), "", ""
    return "nothing", "", ""


def named(found: list[Token]) -> tuple[tuple[tuple[str, str], ...], tuple[str, ...]]:
    """The relations of a statement by alias and name, and the names that it gives itself."""
    relations: dict[str, str] = {}
    aliases: list[str] = []
    for place, token in enumerate(found):
        word = token.text.lower()
        following = [t.text.strip('"') for t in found[place + 1 : place + 4]]
        if word in ("from", "join") and following and following[0] not in ("(", ")"):
            name, *rest = following
            relations[name.lower()] = name
            alias = rest[1] if len(rest) > 1 and rest[0].lower() == "as" else (rest or [""])[0]
            if alias.isidentifier() and alias.lower() not in _NO_ALIAS | {"as"}:
                relations[alias.lower()] = name
        elif word == "as" and following and following[0].isidentifier():
            aliases.append(following[0])
        elif word == "as" and following[:1] == ["("] and place:
            aliases.append(found[place - 1].text.strip('"'))
    return tuple(relations.items()), tuple(dict.fromkeys(aliases))


def _current(before: str) -> str:
    """The statement that the cursor is in, up to it."""
    last = None
    for piece in pieces(before):
        last = piece
    if last is None or last.ended:
        return ""
    blank = before[len(before.rstrip()) :]
    return last.text + blank


def _kind(found: list[Token]) -> str:
    """The kind of name that comes behind these tokens."""
    if not found:
        return "name"
    last = found[-1].text.lower()
    if last in _BEFORE_RELATION:
        return "relation"
    if last == "," and _clause(found) in ("from", "join"):
        return "relation"
    return "name"


def _clause(found: list[Token]) -> str:
    """The word that began the clause at the end of these tokens."""
    depth = found[-1].depth
    clauses = {"select", "from", "where", "by", "having", "on", "using", "with", "set"}
    for token in reversed(found):
        if token.depth == depth and token.text.lower() in clauses:
            return token.text.lower()
        if token.depth < depth:
            break
    return ""


def _compared(found: list[Token]) -> str:
    """The column that the text at the end is compared with, if it is."""
    place = len(found) - 1
    while place >= 0 and (found[place].text in (",", "(") or found[place].kind == "text"):
        place -= 1
    if place >= 1 and found[place].text.lower() in _COMPARING:
        place -= 1
        if found[place].text.lower() == "not":
            place -= 1
        return found[place].text if found[place].kind in ("word", "name") else ""
    return ""


def _text(found: list[Token], place: int) -> str:
    return found[place].text if len(found) >= -place else ""
