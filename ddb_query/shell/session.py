"""A session: runs statements and dot commands one by one, shows and keeps their results."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ddb_query import output
from ddb_query.engines.base import Relation
from ddb_query.errors import DdbError, ParameterError, SqlError, UsageError
from ddb_query.shell import display
from ddb_query.shell.commands import run_command
from ddb_query.shell.mistakes import hint_for
from ddb_query.shell.outlet import Outlet
from ddb_query.shell.script import pieces, read_script
from ddb_query.shell.state import Last, State
from ddb_query.sql_text import tokens

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query.corpus import Corpus
    from ddb_query.diagnostics import Diagnostics
    from ddb_query.engines.base import Result
    from ddb_query.shell.opening import Opening
    from ddb_query.shell.reading import Asker
    from ddb_query.shell.script import Piece

# Statements that look at what there is; the last result stays what it was.
_LOOKING = {"describe", "desc", "show", "explain", "pragma"}
# Statements that give no new names.
_READING = {*_LOOKING, "select", "with", "from", "values", "summarize", "pivot", "unpivot"}


class Session:
    """One session, at a terminal or over a script.

    Attributes:
        opening: Its corpus, perhaps on its way.
        told: What is told beside the results.
        state: Its settings and what it remembers.
        outlet: Where results go instead of the screen.
        ask: Asks the person; None where there is nobody.
        screen: Whether results go to a terminal.
        sql_dir: The user's own canned queries, if an option said where.
        file: Where a script's last result goes; None for standard output.

    """

    def __init__(
        self,
        opening: Opening,
        told: Diagnostics,
        state: State,
        *,
        ask: Asker | None = None,
        screen: bool = False,
        file: Path | None = None,
        sql_dir: Path | None = None,
    ) -> None:
        self.opening = opening
        self.told = told
        self.state = state
        self.outlet = Outlet()
        self.ask = ask
        self.screen = screen
        self.file = file
        self.sql_dir = sql_dir
        self._waiting: Result | None = None
        self._reading: list[Path] = []

    @property
    def corpus(self) -> Corpus:
        """The corpus; waits for it."""
        return self.opening.corpus()

    def run(self, text: str) -> None:
        """Run a text piece by piece, until one fails.

        Raises:
            DdbError: What that one raises.

        """
        with self._busy():
            for piece in pieces(text):
                self._run_piece(piece)
                if self.state.over:
                    break
            self.finish()

    def query(self, sql: str, *, mode: str | None = None) -> None:
        """Run a statement with the session's variables, and show its result.

        Raises:
            ParameterError: A variable that it reads is not set.
            SqlError: The engine refuses it.

        """
        values = self._values(sql)
        first = next(tokens(sql)).text.lower()
        corpus = self.corpus
        started = self.now()
        try:
            for result in corpus.statements(sql, values, limit=self.state.cap):
                statement = None if first in _LOOKING else Relation(sql, values)
                self.present(result, started, statement, mode=mode)
        except SqlError as error:
            error.hint = hint_for(error.message, sql, self.opening.names) or error.hint
            raise
        finally:
            if first not in _READING:
                self.opening.refresh()

    def present(
        self,
        result: Result,
        started: float,
        statement: Relation | None,
        *,
        mode: str | None = None,
        rows: int | None = None,
    ) -> None:
        """Keep a result, and show it where results go.

        Args:
            result: Just made.
            started: When its making began, by `time.perf_counter`.
            statement: What gave it; None for a look at what there is, which is not kept.
            mode: The form of this result alone.
            rows: How many rows of it are shown, where the session does not say.

        """
        whole, total = result, None
        if self.state.keeps and statement is not None and result.answer is not None:
            result, total = self.corpus.keep(result)
            whole = self.corpus.sql("from _")
            whole.emphasis = result.emphasis
            self.opening.names.relations["_"] = result.columns
        seconds = self.now() - started
        last = Last(result, whole, total, seconds, statement or Relation(""))
        if result.answer is None:
            self._tell_done(seconds)
            return
        if statement is not None:
            self.state.last = last
        if self.outlet.open:
            self.told.note(f"written to {self.outlet.write(whole)}")
        elif self.screen:
            self.show(last, mode or self.state.mode, rows)
        else:
            self._print(whole, mode or self.state.mode, rows)

    def show(self, last: Last, mode: str, default_rows: int | None = None) -> None:
        """Show a result on the screen, with its counts and its time."""
        rows = self.state.rows
        if rows is None:
            rows = default_rows or display.SHOWN_ROWS
        width = display.width_of_terminal(self.state.width)
        few = 0 < rows <= display.SHOWN_ROWS
        shown = display.arranged(last.first if few else last.whole, mode, rows, width)
        self.told.clear()
        display.show(shown.text)
        self.told.tell(display.counts(shown, last, timer=self.state.timer))

    def show_last(self) -> None:
        """Show the last result again."""
        if self.state.last is None:
            raise UsageError("there is no last result", hint="run a SELECT first")
        if self.screen:
            self.show(self.state.last, self.state.mode)
        else:
            self._print(self.state.last.whole, self.state.mode, None)

    def read(self, path: Path) -> None:
        """Run a script, until a piece of it fails.

        Raises:
            DdbError: What that one raises, with the line where it stands.

        """
        if path in self._reading:
            raise UsageError(f"{path} reads itself")
        self._reading.append(path)
        try:
            for piece in pieces(read_script(path)):
                try:
                    self._run_piece(piece)
                except DdbError as error:
                    error.message = f"{path}:{piece.line}: {error.message}"
                    raise
        finally:
            self._reading.pop()

    @staticmethod
    def now() -> float:
        """The time by which `present` counts."""
        return time.perf_counter()

    def finish(self) -> None:
        """Print the result that waits: in a data format a script prints its last one alone."""
        result, self._waiting = self._waiting, None
        if result is not None:
            output.results([result], self.state.mode, self.file, limit=0)
            self.told.clear()

    def close(self) -> None:
        """End the session: its file appears, its corpus is let go of."""
        try:
            self.outlet.close()
        finally:
            self.opening.close()

    def _run_piece(self, piece: Piece) -> None:
        if piece.command:
            self.finish()
            run_command(self, piece.text)
        else:
            self.query(piece.text, mode="line" if piece.whole_rows else None)

    def _print(self, result: Result, mode: str, default_rows: int | None) -> None:
        """Print a result where there is no screen."""
        if mode not in output.PEOPLE_FORMATS:
            self._waiting = result
            return
        rows = self.state.rows
        if rows is None:
            rows = (default_rows or output.SHOWN_ROWS) if self.state.cap is None else 0
        cut = output.results([result], mode, limit=rows)
        self.told.clear()
        if cut:
            self.told.note(f"the first {rows} rows; --limit 0 shows all")

    def _tell_done(self, seconds: float) -> None:
        self.told.clear()
        if self.screen:
            self.told.tell(f"done, {seconds:.2f} s" if self.state.timer else "done")

    def _values(self, sql: str) -> dict[str, object]:
        names = {token.text[1:] for token in tokens(sql) if token.kind == "parameter"}
        for name in sorted(names - self.state.variables.keys()):
            raise ParameterError(name, "has no value", hint=f".set {name} 512 gives it one")
        return {name: self.state.variables[name] for name in names}

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        """While something runs, the terminal is its own: notes and progress show at once."""
        self.opening.busy = True
        try:
            yield
        finally:
            self.opening.busy = False
            self.told.clear()
