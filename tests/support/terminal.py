"""A driver that runs the real `ddb` in a pseudo-terminal and reads its screen."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import installed
import pexpect
import pyte

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path
    from typing import Self

KEYS = {
    "enter": "\r", "tab": "\t", "escape": "\x1b", "up": "\x1b[A", "down": "\x1b[B",
    "right": "\x1b[C", "left": "\x1b[D", "backspace": "\x7f", "home": "\x1b[H", "end": "\x1b[F",
    **{f"ctrl-{letter}": chr(ord(letter) - ord("a") + 1) for letter in "cdlrwyz"},
}  # fmt: skip

# Long, since the machine may be busy; a test waits only as long as it must.
PATIENCE_SECONDS = 30.0


class _AnsweringScreen(pyte.Screen):
    """A screen that answers what the program asks of its terminal, such as the cursor's place."""

    def __init__(self, columns: int, rows: int, answer: Callable[[str], object]) -> None:
        super().__init__(columns, rows)
        self._answer = answer

    def write_process_input(self, data: str) -> None:
        self._answer(data)


class Terminal:
    """`ddb` on a terminal of its own.

    Attributes:
        raw: All bytes that it has written.

    """

    def __init__(
        self,
        *args: str | Path,
        columns: int = 80,
        rows: int = 24,
        folder: Path | None = None,
        command: list[str] | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        inherited = {
            n: v for n, v in os.environ.items() if n not in ("COLUMNS", "LINES", "NO_COLOR")
        }
        environment = {**inherited, "TERM": "xterm", "PAGER": "", **(env or {})}
        program, *first = command or [installed.ddb()]
        self._child = pexpect.spawn(
            program, [*first, *map(str, args)], dimensions=(rows, columns), env=environment,
            cwd=folder,
        )  # fmt: skip
        # By default pexpect waits before it sends.
        self._child.delaybeforesend = None
        self._screen = _AnsweringScreen(columns, rows, self._child.send)
        self._stream = pyte.ByteStream(self._screen)
        self.raw = b""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._child.isalive():
            self._child.kill(signal.SIGKILL)
            self._child.wait()
        self._child.close()

    @property
    def lines(self) -> list[str]:
        """The screen, without the empty lines at its end."""
        found = [line.rstrip() for line in self._screen.display]
        while found and not found[-1]:
            found.pop()
        return found

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    @property
    def cursor(self) -> tuple[int, int]:
        """Line and column of the cursor, from 0."""
        return self._screen.cursor.y, self._screen.cursor.x

    def colours(self) -> set[str]:
        """The colours of what is on the screen."""
        return {cell.fg for row in self._screen.buffer.values() for cell in row.values()}

    @property
    def process_id(self) -> int:
        return int(self._child.pid)

    def type(self, text: str) -> Self:
        """Type text, as it stands."""
        self._child.send(text)
        return self

    def press(self, *keys: str) -> Self:
        """Press keys by their names."""
        return self.type("".join(KEYS[key] for key in keys))

    def run(self, text: str) -> Self:
        """Type text, see it on the screen, and press Enter."""
        ending = "".join(text.split())[-5:]
        self.type(text).wait_until(lambda: self._typed().endswith(ending), what=text)
        return self.press("enter")

    def wait_for(self, *wanted: str, seconds: float = PATIENCE_SECONDS) -> Self:
        """Wait until every text is on the screen."""
        return self.wait_until(lambda: all(text in self.text for text in wanted), seconds, wanted)

    def wait_without(self, unwanted: str) -> Self:
        """Wait until a text has left the screen."""
        return self.wait_until(lambda: unwanted not in self.text, what=f"not {unwanted}")

    def wait_for_prompt(self, prompt: str = "2m>") -> Self:
        """Wait until the last line is an empty prompt, with the cursor on it."""
        return self.wait_until(
            lambda: (
                bool(self.lines)
                and self.lines[-1] == prompt
                and self._screen.cursor.y == len(self.lines) - 1
            ),
            what=prompt,
        )

    def wait_until(
        self, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS, what: object = ""
    ) -> Self:
        """Wait until the screen is as it should be."""
        deadline = time.monotonic() + seconds
        while not condition():
            ended = not self._pump()
            if condition():
                break
            assert not ended, f"ddb has ended without {what}; the screen:\n{self.text}"
            assert time.monotonic() < deadline, f"no {what} on the screen:\n{self.text}"
        return self

    def wait_for_end(self) -> int:
        """Wait until it has ended; its exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while self._pump():
            assert time.monotonic() < deadline, f"it has not ended; the screen:\n{self.text}"
        self._child.wait()
        code = self._child.exitstatus
        assert code is not None, f"killed by signal {self._child.signalstatus}"
        return int(code)

    def _typed(self) -> str:
        """All before the cursor, without white space."""
        line, column = self.cursor
        display = self._screen.display
        return "".join("".join([*display[:line], display[line][:column]]).split())

    def _pump(self) -> bool:
        """Read what has been written for a moment; whether there may be more."""
        try:
            found = self._child.read_nonblocking(65536, timeout=0.05)
        except pexpect.TIMEOUT:
            return True
        except pexpect.EOF:
            return False
        self.raw += found
        self._stream.feed(found)
        return True
