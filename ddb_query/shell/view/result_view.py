"""Where results appear: on the screen, on standard output, or in a file."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.console import stdout
from ddb_query.shell.view import display
from ddb_query.shell.view.output_file import OutputFile

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.console.stderr import Diagnostics
    from ddb_query.engines.base import Result
    from ddb_query.shell.state import Last, State


class ResultView:
    """Shows the results of one session.

    Attributes:
        output_file: Files that results go to instead.
        screen: Whether standard output is a terminal where a person reads.
        file: Where a script's last result goes in a data format; None for standard output.

    """

    def __init__(
        self, told: Diagnostics, state: State, *, screen: bool = False, file: Path | None = None
    ) -> None:
        self._told = told
        self._state = state
        self._waiting: Result | None = None
        self.output_file = OutputFile()
        self.screen = screen
        self.file = file

    def show(self, last: Last, *, mode: str | None = None) -> None:
        """Show a result, or that a statement without one is done.

        Args:
            last: The result.
            mode: The form of this result alone.

        """
        if last.whole.answer is None:
            self._tell_done(last.seconds)
        elif self.output_file.open:
            self._told.note(f"written to {self.output_file.write(last.whole)}")
        elif self.screen:
            self._fill_screen(last, mode or self._state.mode)
        else:
            self._print(last.whole, mode or self._state.mode)

    def show_again(self, last: Last) -> None:
        """Show a result that was shown before, in the mode of now."""
        if self.screen:
            self._fill_screen(last, self._state.mode)
        else:
            self._print(last.whole, self._state.mode)

    def finish(self) -> None:
        """Print the result that waits: in a data format a script prints its last one alone."""
        result, self._waiting = self._waiting, None
        if result is not None:
            stdout.results([result], self._state.mode, self.file)
            self._told.clear()

    def _fill_screen(self, last: Last, mode: str) -> None:
        """A result with its counts and its time below."""
        asked = self._state.asked_rows
        rows = stdout.shown_rows(last.whole, asked, on_screen=True, most=display.SHOWN_ROWS)
        width = display.width_of_terminal(self._state.width)
        few = 0 < rows <= display.SHOWN_ROWS
        shown = display.arranged(last.first if few else last.whole, mode, rows, width)
        self._told.clear()
        display.show(shown.text)
        self._told.tell(display.counts(shown, last, timer=self._state.timer))

    def _print(self, result: Result, mode: str) -> None:
        """Print a result where there is no screen."""
        if mode not in stdout.PEOPLE_FORMATS:
            self._waiting = result
            return
        cuts = stdout.results([result], mode, rows=self._state.asked_rows)
        self._told.clear()
        for cut in cuts:
            self._told.note(cut.told(".rows 0"))

    def _tell_done(self, seconds: float) -> None:
        self._told.clear()
        if self.screen:
            self._told.tell(f"done, {seconds:.2f} s" if self._state.timer else "done")
