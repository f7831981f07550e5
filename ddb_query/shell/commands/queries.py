"""Dot commands that ask the corpus: canned queries and search."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation
from ddb_query.errors import ParameterError, UsageError
from ddb_query.shell.commands.registry import command, flag, split

if TYPE_CHECKING:
    from ddb_query.queries.canned_query import CannedQuery
    from ddb_query.shell.session import Session

# Options of `ddb search`. Other words with two hyphens, such as `--ar`, stand in prompts.
_OPTION = re.compile(r"(?:^|\s)--(?:count|exact-syntax|facet|images|like|limit|order-by)\b")


@command("run", "NAME [X=VALUE…]", "A canned query; asks for what it needs", "query")
def run(session: Session, rest: str) -> None:
    """Run a canned query."""
    name, *given = split(rest) or [""]
    if not name:
        raise UsageError(".run takes the name of a canned query", hint=".queries lists them")
    query = session.corpus.query(name)
    values = dict(_assigned(text, query) for text in given)
    # No parameter is called so.
    wanted = values.pop("limit", None)
    values |= _asked(session, query, values)
    started, cap = session.now(), session.state.cap
    if wanted is not None:
        cap = _number(wanted)
    few = bool(query.per) and cap is None and session.shows_tables
    result = session.corpus.run(name, limit=query.limit if few else cap, **values)
    statement = result.answer.statement if result.answer else None
    session.present(result, started, statement)
    if few:
        session.told.note(f"at most {query.limit} rows of each {query.per}; `.mode csv` gives all")


@command("search", "WORDS", 'Prompts by words, "a phrase", -not, OR, begin*, fuzz~')
def search(session: Session, rest: str) -> None:
    """Search the prompts, the best first."""
    if option := _OPTION.search(rest):
        raise UsageError(
            f".search takes words, no options such as {option[0].strip()}",
            hint="at a terminal: ddb search --facet sampler 'castle -night'",
        )
    started = session.now()
    result = session.corpus.search(rest, limit=session.state.cap)
    statement = result.answer.statement if result.answer else None
    session.present(result, started, statement or Relation(""))


def _number(text: object) -> int:
    """A number of rows.

    Raises:
        ParameterError: It is none.
    """
    if not str(text).isdecimal():
        raise ParameterError("limit", f"expected a number of rows, found {text!r}", hint="limit=20")
    return int(str(text))


def _assigned(text: str, query: CannedQuery) -> tuple[str, object]:
    name, equals, value = text.lstrip("-").partition("=")
    name = name.replace("-", "_")
    booleans = {p.name for p in query.parameters if p.type == "boolean"}
    if not equals and (said := flag(name, booleans)):
        return said
    if not equals:
        example = f".run {query.name} " + " ".join(f"{p.name}=…" for p in query.parameters)
        raise ParameterError(text, "is not NAME=VALUE", hint=example)
    return name, value


def _asked(session: Session, query: CannedQuery, given: dict[str, object]) -> dict[str, object]:
    """The parameters without a value, from the person at the terminal."""
    found: dict[str, object] = {}
    for parameter in query.parameters:
        if session.ask and parameter.required and parameter.name not in given:
            session.told.tell(parameter.help)
            found[parameter.name] = session.ask(f"{parameter.name}: ", parameter.choices)
    return found
