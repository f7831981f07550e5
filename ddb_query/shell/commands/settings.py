"""Dot commands that change the session."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.console import stdout
from ddb_query.errors import UsageError
from ddb_query.queries.canned_query import spelled
from ddb_query.queries.parameters import typed
from ddb_query.shell.commands.registry import choice, command, one

if TYPE_CHECKING:
    from ddb_query.shell.session import Session

MODES = ("table", "line", "markdown", "csv", "tsv", "json", "jsonl")
_ON_OFF = ("on", "off")


@command("mode", "FORM", f"Show results as {', '.join(MODES)}", "|".join(MODES))
def mode(session: Session, rest: str) -> None:
    """Set the form of results."""
    session.state.mode = choice(rest, "mode", MODES)


@command("rows", "N", "Show N rows of a result at most; 0 for all")
def rows(session: Session, rest: str) -> None:
    """Set how many rows are shown."""
    session.state.rows = _number(rest, "rows")


@command("width", "N", "Tables N cells wide; 0 for the terminal's width")
def width(session: Session, rest: str) -> None:
    """Set the width of tables."""
    session.state.width = _number(rest, "width")


@command("timer", "on|off", "The time under each result", "on|off")
def timer(session: Session, rest: str) -> None:
    """Set whether times are told."""
    session.state.timer = choice(rest, "timer", _ON_OFF) == "on"


@command("keys", "emacs|vi", "Editing keys", "emacs|vi")
def keys(session: Session, rest: str) -> None:
    """Set the editing keys."""
    session.state.keys = choice(rest, "keys", ("emacs", "vi"))


@command("set", "[NAME [VALUE]]", "Bind $NAME in SQL; without a value, unbind it", "variable")
def set_variable(session: Session, rest: str) -> None:
    """Bind a variable, unbind it, or list all."""
    variables = session.state.variables
    given, _, text = rest.partition(" ")
    if not given:
        for name, value in variables.items():
            stdout.text(f"${name} = {spelled(value)}\n")
        return
    text = text.strip()
    name, value = typed(given.lstrip("$"), text, example=".set w 512")
    if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"":
        value = text[1:-1]
    if text:
        variables[name] = value
    elif variables.pop(name, session) is session:
        raise UsageError(f"${name} is not set", hint=f".set {name} 512")


@command("dataset", "[NAME]", "The dataset, or another: 2m, large, demo, an added one", "dataset")
def dataset(session: Session, rest: str) -> None:
    """Tell the dataset, or open another."""
    if not rest:
        stdout.text(f"{session.corpus.dataset}\n")
        return
    session.loader.switch(one(rest, "dataset"))
    session.state.last = None


@command("quit", "", "Leave, as Ctrl-D does")
def leave(session: Session, _rest: str) -> None:
    """End the session."""
    session.state.over = True


def _number(rest: str, name: str) -> int:
    text = one(rest, name)
    if not text.isdecimal():
        raise UsageError(f".{name} takes a number from 0", hint=f".{name} 0")
    return int(text)
