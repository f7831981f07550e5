"""Where lines come from: an editor with history and completion, or a plain terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Protocol

from ddb_query.shell.script import complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.console.stderr import Diagnostics

CONTINUED = "...> "


class Asker(Protocol):
    """Asks the person at the terminal."""

    def __call__(self, question: str, choices: Sequence[str] = ()) -> str:
        """The answer to a question."""
        ...


class Reader(Protocol):
    """Reads what a person types."""

    def read(self, prompt: str) -> str:
        """A text that is complete.

        Raises:
            EOFError: There is no more.
            KeyboardInterrupt: What was typed is thrown away.

        """
        ...

    def ask(self, question: str, choices: Sequence[str] = ()) -> str:
        """The answer to a question.

        Raises:
            KeyboardInterrupt: There is none.

        """
        ...


class PlainReader:
    """Reads lines as the terminal's driver gives them: for dumb terminals."""

    def __init__(self, told: Diagnostics) -> None:
        self._told = told

    def read(self, prompt: str) -> str:
        """Lines until they are complete."""
        text = self._line(prompt)
        while not complete(text):
            text += "\n" + self._line(CONTINUED)
        return text

    def ask(self, question: str, choices: Sequence[str] = ()) -> str:  # noqa: ARG002 - a Reader
        """One line."""
        try:
            return self._line(question)
        except EOFError as error:
            raise KeyboardInterrupt from error

    def _line(self, prompt: str) -> str:
        self._told.prompt(prompt)
        line = sys.stdin.readline()
        if not line:
            raise EOFError
        return line.rstrip("\n")


def is_plain() -> bool:
    """Whether the terminal has no line editing to offer."""
    return os.environ.get("TERM", "") in ("", "dumb", "unknown") or not sys.stdout.isatty()
