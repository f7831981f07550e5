"""A session: runs statements and dot commands one by one, shows and keeps their results."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from ddb_query.console.stdout import PEOPLE_FORMATS
from ddb_query.engines.base import Relation
from ddb_query.errors import DdbError, InternalError, ParameterError, SqlError, UsageError
from ddb_query.shell.script import pieces, read_script
from ddb_query.shell.state import Last
from ddb_query.shell.suggestions import hint_for
from ddb_query.util.sql_tokens import tokens
from ddb_query.util.versions import versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from ddb_query.api.corpus import Corpus
    from ddb_query.api.selection import Selection
    from ddb_query.console.stderr import Diagnostics
    from ddb_query.engines.base import Result
    from ddb_query.errors import PartlyDoneError
    from ddb_query.shell.corpus_loader import CorpusLoader
    from ddb_query.shell.input_lines import Asker
    from ddb_query.shell.names import Names
    from ddb_query.shell.script import Piece
    from ddb_query.shell.state import State
    from ddb_query.shell.view.result_view import ResultView

# Statements that look at what there is; the last result stays what it was.
_LOOKING = {"describe", "desc", "show", "explain", "pragma"}
# Statements that give no new names, and take none away.
_NAMING_NOTHING = {
    *_LOOKING, "select", "with", "from", "values", "summarize", "pivot", "unpivot", "insert",
    "update", "delete", "merge", "truncate", "copy", "begin", "commit", "checkpoint", "vacuum",
    "analyze",
}  # fmt: skip

# Characters of a statement that an error quotes.
_LONGEST_SHOWN = 60


class Session:
    """One session, at a terminal or over a script.

    Attributes:
        loader: Its corpus, perhaps on its way.
        told: What is told beside the results.
        state: Its settings and what it remembers.
        result_view: Where results appear.
        sql_dir: The user's own canned queries, if an option said where.
        ask: Asks the person; None where there is nobody.

    """

    def __init__(
        self,
        loader: CorpusLoader,
        told: Diagnostics,
        state: State,
        result_view: ResultView,
        run_command: Callable[[Session, str], None],
        sql_dir: Path | None = None,
    ) -> None:
        self.loader = loader
        self.told = told
        self.state = state
        self.result_view = result_view
        self._run_command = run_command
        self.sql_dir = sql_dir
        self.ask: Asker | None = None
        self._reading: list[Path] = []

    @property
    def corpus(self) -> Corpus:
        """The corpus; waits for it."""
        return self.loader.corpus()

    @property
    def names(self) -> Names:
        """What the corpus' SQL can name now; waits for the corpus."""
        self.loader.corpus()
        return self.loader.fresh_names()

    @property
    def shows_tables(self) -> bool:
        """Whether results appear in a form for people, and in no file."""
        return self.state.mode in PEOPLE_FORMATS and not self.result_view.output_file.open

    def run(self, text: str) -> None:
        """Run a text piece by piece, until one fails.

        Raises:
            DdbError: What that one raises.

        """
        with self._busy():
            for piece in pieces(text):
                with _foreseen(piece.text), self._once_off_where_it_fails():
                    self._run_piece(piece)
                if self.state.over:
                    break
            with _foreseen("the last result"):
                self.result_view.finish()

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
            error.hint = hint_for(error.message, sql, self.loader.fresh_names()) or error.hint
            raise
        finally:
            if first not in _NAMING_NOTHING:
                self.loader.forget_names()

    def present(
        self,
        result: Result,
        started: float,
        statement: Relation | None,
        *,
        mode: str | None = None,
    ) -> None:
        """Keep a result, and show it where results go.

        Args:
            result: Just made.
            started: When its making began, by `time.perf_counter`.
            statement: What gave it; None for a look at what there is, which is not kept.
            mode: The form of this result alone.

        """
        whole, total = result, None
        if self.state.keeps and statement is not None and result.answer is not None:
            result, total = self.corpus.keep(result)
            whole = self.corpus.sql("from _")
            whole.emphasis, whole.shown_rows = result.emphasis, result.shown_rows
            self.loader.names.relations["_"] = result.columns
        seconds = self.now() - started
        last = Last(result, whole, total, seconds, statement or Relation(""))
        if result.answer is not None and statement is not None:
            self.state.last = last
        self.result_view.show(last, mode=mode)

    def tell(self, selection: Selection) -> None:
        """Say what a person should know of a selection that has been read."""
        for words in selection.notes():
            self.told.note(words)

    def show_last(self) -> None:
        """Show the last result again."""
        if self.state.last is None:
            raise UsageError("there is no last result", hint="run a SELECT first")
        self.result_view.show_again(self.state.last)

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
                if self.state.over:
                    break
        finally:
            self._reading.pop()

    @staticmethod
    def now() -> float:
        """The time by which `present` counts."""
        return time.perf_counter()

    def close(self) -> None:
        """End the session: its file appears, its corpus is let go of."""
        try:
            self.result_view.output_file.close()
        finally:
            self.loader.close()

    def _run_piece(self, piece: Piece) -> None:
        if piece.command:
            self.result_view.finish()
            self._command(piece.text)
        else:
            self.query(piece.text, mode="line" if piece.whole_rows else None)

    @contextlib.contextmanager
    def _once_off_where_it_fails(self) -> Iterator[None]:
        """`.once FILE` is for what comes next, and not for what comes after that has failed."""
        try:
            yield
        except BaseException:
            if file := self.result_view.output_file.forget_next():
                self.told.note(f"nothing goes to {file}: `.once` was for what failed")
            raise

    def _command(self, text: str) -> None:
        """Run a dot command, and tell what lists of images named and the dataset lacks."""
        try:
            self._run_command(self, text)
        except DdbError:
            for error in self._missing():
                self.told.note(error.message)
            raise
        for error in self._missing():
            raise error

    def _missing(self) -> list[PartlyDoneError]:
        corpus = self.loader.ready
        found = corpus.workspace.source.missing if corpus else []
        missing = list(found)
        found.clear()
        return missing

    def _values(self, sql: str) -> dict[str, object]:
        names = {token.text[1:] for token in tokens(sql) if token.kind == "parameter"}
        for name in sorted(names - self.state.variables.keys()):
            raise ParameterError(name, "has no value", hint=f".set {name} 512 gives it one")
        return {name: self.state.variables[name] for name in names}

    @contextlib.contextmanager
    def _busy(self) -> Iterator[None]:
        """While something runs, the terminal is its own: notes and progress show at once."""
        self.loader.busy = True
        try:
            yield
        finally:
            self.loader.busy = False
            self.told.clear()


@contextlib.contextmanager
def _foreseen(doing: str) -> Iterator[None]:
    """Turn what nobody foresaw into an error of ours, which ends no session."""
    try:
        yield
    except (DdbError, KeyboardInterrupt, BrokenPipeError):
        raise
    except BaseException as error:
        words = " ".join(doing.split())
        shown = words if len(words) <= _LONGEST_SHOWN else f"{words[:_LONGEST_SHOWN]}…"
        raise InternalError(f"`{shown}`", error, versions()) from error
