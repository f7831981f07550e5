"""The corpus of a session, opened on a thread of its own while the first prompt appears."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING, Protocol

from ddb_query.errors import DdbError
from ddb_query.shell.names import Names

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.api.corpus import Corpus
    from ddb_query.console.stderr import Diagnostics
    from ddb_query.util.progress import Progress


class Opener(Protocol):
    """Opens a dataset; what `open_corpus` does once the other options are known."""

    def __call__(
        self, dataset: str | None, *, progress: Progress, note: Callable[[str], None]
    ) -> Corpus:
        """Open it."""
        ...


class CorpusLoader:
    """A corpus that may still be on its way.

    Attributes:
        dataset: 2m, large or demo; None to be chosen.
        names: What its SQL can name, as it was when it was asked last; empty until it is open.
        busy: Whether the terminal is the session's: what is told meanwhile is shown at once.

    """

    def __init__(self, opener: Opener, dataset: str | None, told: Diagnostics) -> None:
        self._opener = opener
        self._told = told
        self._notes: list[str] = []
        self._thread: threading.Thread | None = None
        self._ended = threading.Event()
        self._corpus: Corpus | None = None
        self._error: BaseException | None = None
        self.dataset = dataset
        self.names = Names()
        self._names_are_old = True
        self.busy = False

    def start(self, done: Callable[[], None]) -> None:
        """Begin to open it; `done` is called on the other thread when it is open or failed."""

        def run() -> None:
            try:
                self._open()
                self.fresh_names()
            except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
                self._error = error
            self._ended.set()
            done()

        self._thread = threading.Thread(target=run, name="ddb-open", daemon=True)
        self._thread.start()

    def corpus(self) -> Corpus:
        """The corpus; waits for it when it is not open yet.

        Raises:
            DdbError: It could not be opened.

        """
        if self._corpus is None and self._thread is None:
            self._open()
        self._wait()
        self.tell_notes()
        if self._error is not None:
            raise self._error
        assert self._corpus is not None  # noqa: S101 - it is open, or there is an error
        return self._corpus

    @property
    def ready(self) -> Corpus | None:
        """The corpus, if it is there already."""
        return self._corpus

    @property
    def has_notes(self) -> bool:
        """Whether something is still to be told."""
        return bool(self._notes)

    @property
    def failed(self) -> bool:
        """Whether it could not be opened."""
        return self._error is not None

    def tell_notes(self) -> None:
        """Tell what was noted while somebody typed."""
        while self._notes:
            self._told.note(self._notes.pop(0))

    def switch(self, dataset: str) -> None:
        """Open another dataset in its place; when that fails, everything stays as it was."""
        before = self.corpus()
        found = self._opener(dataset, progress=self._progress, note=self.note)
        self.dataset, self._corpus = found.dataset, found
        self.forget_names()
        before.close()

    def forget_names(self) -> None:
        """Have the names asked for again when they are needed: they may have changed."""
        self._names_are_old = True

    def fresh_names(self) -> Names:
        """The names as they are now; for the thread that runs the statements."""
        if self._names_are_old and self._corpus is not None:
            # A transaction that has failed answers nothing: then they stay as they were.
            with contextlib.suppress(DdbError):
                self.names = Names.of(self._corpus, self.note)
                self._names_are_old = False
        return self.names

    def close(self) -> None:
        """Let go of the corpus, as soon as it is there."""
        self._wait()
        if self._corpus is not None:
            self._corpus.close()

    def _wait(self) -> None:
        """Wait for the other thread. A join that Ctrl-C ended would not wait another time."""
        if self._thread is not None:
            self._ended.wait()

    def _open(self) -> None:
        found = self._opener(self.dataset, progress=self._progress, note=self.note)
        self.dataset = found.dataset
        self._corpus = found

    def note(self, words: str) -> None:
        """Tell something, as soon as the terminal is free for it."""
        self._notes.append(words)
        if self.busy:
            self.tell_notes()

    def _progress(self, done: int, total: int | None, unit: str, label: str) -> None:
        if self.busy:
            self._told(done, total, unit, label)
