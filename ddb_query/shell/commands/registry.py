"""The one registry of dot commands: what each is called, takes and does."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.errors import UnknownCommandError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from ddb_query.shell.session import Session

    # Takes the session and the rest of the line.
    Action = Callable[[Session, str], None]


@dataclass(frozen=True)
class Command:
    """A dot command.

    Attributes:
        name: Without the dot.
        usage: Its arguments, as help shows them.
        help: One sentence without a full stop.
        action: What it does.
        argument: What its first argument names, for completion: `relation`, `query`, `file`,
            `command`, `variable`, `dataset`, or words parted by `|`.

    """

    name: str
    usage: str
    help: str
    action: Action
    argument: str = ""


COMMANDS: dict[str, Command] = {}


def command(name: str, usage: str, words: str, argument: str = "") -> Callable[[Action], Action]:
    """Register a function as a dot command."""

    def register(action: Action) -> Action:
        COMMANDS[name] = Command(name, usage, words, action, argument)
        return action

    return register


def run_command(session: Session, line: str) -> None:
    """Run a line that begins with a dot.

    Raises:
        UnknownCommandError: There is no such command; carries close matches.

    """
    name, _, rest = line[1:].partition(" ")
    name = name.rstrip(";")
    name = {"exit": "quit", "h": "help", "open": "dataset", "q": "quit"}.get(name, name)
    if name not in COMMANDS:
        raise UnknownCommandError(name, difflib.get_close_matches(name, COMMANDS, n=3, cutoff=0.5))
    COMMANDS[name].action(session, rest.strip())


def split(rest: str) -> list[str]:
    """The arguments of a command, parted as a shell parts them.

    Raises:
        UsageError: A quote is left open.

    """
    try:
        return shlex.split(rest)
    except ValueError as error:
        raise UsageError("a quote has no end", hint="write \\' for a lone quote") from error


def one(rest: str, name: str) -> str:
    """The only argument of a command.

    Raises:
        UsageError: There is none, or more.

    """
    return only(split(rest), name)


def only(found: list[str], name: str) -> str:
    """The only one of the arguments of a command.

    Raises:
        UsageError: There is none, or more.

    """
    if len(found) != 1:
        usage = COMMANDS[name].usage
        raise UsageError(f".{name} takes {usage}", hint=f".help {name} says what it does")
    return found[0]


def flag(word: str, names: Collection[str]) -> tuple[str, bool] | None:
    """What a word says that is the name of a boolean, or its opposite `no_…`, without a value."""
    if word in names:
        return word, True
    opposite = word.removeprefix("no_")
    return (opposite, False) if opposite in names else None


def path(text: str) -> Path:
    """A file or folder as it was typed, `~` read as a home.

    Raises:
        UsageError: There is no such home.

    """
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise UsageError(f"{text}: there is no such home folder") from error


def forced(found: list[str]) -> tuple[list[str], bool]:
    """The arguments without `--force`, and whether that was among them."""
    return [word for word in found if word != "--force"], "--force" in found


def choice(rest: str, name: str, choices: tuple[str, ...]) -> str:
    """The only argument of a command, one of a few words.

    Raises:
        UsageError: It is none of them.

    """
    found = one(rest, name)
    if found not in choices:
        raise UsageError(f".{name} {found}: not known", hint=f"it takes {', '.join(choices)}")
    return found
