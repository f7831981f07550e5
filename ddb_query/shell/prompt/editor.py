"""The line editor: prompt_toolkit with the keys, the colours and the menu of a SQL shell."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

from prompt_toolkit import PromptSession
from prompt_toolkit.application import run_in_terminal
from prompt_toolkit.auto_suggest import AutoSuggestFromHistory, ThreadedAutoSuggest
from prompt_toolkit.buffer import CompletionState
from prompt_toolkit.completion import (
    CompleteEvent,
    WordCompleter,
    get_common_complete_suffix,
)
from prompt_toolkit.enums import DEFAULT_BUFFER, EditingMode
from prompt_toolkit.filters import completion_is_selected, has_focus, in_paste_mode
from prompt_toolkit.input.typeahead import get_typeahead, store_typeahead
from prompt_toolkit.key_binding import KeyBindings
from prompt_toolkit.keys import Keys

from ddb_query.errors import InterruptedByUserError
from ddb_query.shell.input_lines import CONTINUED
from ddb_query.shell.prompt.column_values import ColumnValues
from ddb_query.shell.prompt.completer import ShellCompleter
from ddb_query.shell.prompt.highlighter import STYLE, SqlLexer
from ddb_query.shell.prompt.history import history
from ddb_query.shell.script import complete

if TYPE_CHECKING:
    from collections.abc import Sequence

    from prompt_toolkit.buffer import Buffer
    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from prompt_toolkit.key_binding import KeyPressEvent

    from ddb_query.api.corpus import Corpus
    from ddb_query.shell.session import Session

# Lines below the prompt that the menu may take.
_MENU_LINES = 6


class Editor:
    """Reads statements at a terminal, and opens the corpus behind the first prompt."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._values: ColumnValues | None = None
        self._values_of: Corpus | None = None
        self._fetching = threading.Lock()
        completer = ShellCompleter(
            lambda: session.loader.names, lambda: session.state.variables, self._values_in
        )
        self._prompt: PromptSession[str] = PromptSession(
            history=history(session.loader.note),
            auto_suggest=ThreadedAutoSuggest(AutoSuggestFromHistory()),
            complete_in_thread=True,
            complete_while_typing=True,
            completer=completer,
            enable_open_in_editor=True,
            enable_suspend=True,
            include_default_pygments_style=False,
            key_bindings=_keys(completer),
            lexer=SqlLexer(),
            multiline=True,
            prompt_continuation=_continued,
            reserve_space_for_menu=_MENU_LINES,
            search_ignore_case=True,
            style=STYLE,
            tempfile_suffix=".sql",
        )
        self._started = False

    def read(self, prompt: str) -> str:
        """A text that is complete."""
        vi = self._session.state.keys == "vi"
        text = self._prompt.prompt(
            [("class:prompt", prompt)],
            editing_mode=EditingMode.VI if vi else EditingMode.EMACS,
            pre_run=self._open_corpus,
        )
        if self._ctrl_c_came_after():
            self._session.told.error(InterruptedByUserError())
            raise KeyboardInterrupt
        return text

    def ask(self, question: str, choices: Sequence[str] = ()) -> str:
        """The answer to a question."""
        asking: PromptSession[str] = PromptSession(include_default_pygments_style=False)
        try:
            return asking.prompt(question, completer=WordCompleter(list(choices)))
        except EOFError as error:
            raise KeyboardInterrupt from error

    def close(self) -> None:
        """End what is fetched in the background."""
        self._forget_values()

    def _forget_values(self) -> None:
        if self._values is not None:
            self._values.close()

    def _ctrl_c_came_after(self) -> bool:
        """Whether Ctrl-C came right behind Enter, as a key: the terminal was not given back yet.

        Keys behind it are for the next prompt, those before it are forgotten.
        """
        keyboard = self._prompt.app.input
        keys = [*get_typeahead(keyboard), *keyboard.read_keys()]
        last = max(
            (at for at, pressed in enumerate(keys) if pressed.key == Keys.ControlC), default=-1
        )
        store_typeahead(keyboard, keys[last + 1 :])
        return last >= 0

    def _open_corpus(self) -> None:
        """Open the corpus once the first prompt is on the screen."""
        if self._started or self._session.loader.ready:
            return
        self._started = True
        app = self._prompt.app

        def once(_app: object) -> None:
            app.after_render -= once
            self._session.loader.start(self._opened)

        app.after_render += once

    def _opened(self) -> None:
        """On the other thread: what was noted shows above the prompt; a failure ends it."""
        app = self._prompt.app
        with contextlib.suppress(RuntimeError):
            if app.loop is not None and app.is_running:
                app.loop.call_soon_threadsafe(self._tell_opened)

    def _tell_opened(self) -> None:
        app = self._prompt.app
        loader = self._session.loader
        if not app.is_running:
            return
        if loader.failed:
            app.exit(exception=EOFError)
        elif loader.has_notes:
            run_in_terminal(loader.tell_notes)

    def _values_in(self, relation: str, column: str) -> tuple[str, ...]:
        """Values for the menu; asked for by the thread that fills it, and by Tab."""
        corpus = self._session.loader.ready
        if corpus is None:
            return ()
        with self._fetching:
            if self._values is None or self._values_of is not corpus:
                self._forget_values()
                self._values, self._values_of = ColumnValues(corpus, self._arrived), corpus
            return self._values.of(relation, column)

    def _arrived(self) -> None:
        """On another thread: values have arrived for which a menu may be waiting."""
        app = self._prompt.app
        with contextlib.suppress(RuntimeError):
            if app.loop is not None and app.is_running:
                app.loop.call_soon_threadsafe(self._complete_again)

    def _complete_again(self) -> None:
        buffer = self._prompt.default_buffer
        if buffer.complete_state is None or not buffer.complete_state.completions:
            buffer.start_completion()


def _continued(width: int, _line: int, wraps: int) -> StyleAndTextTuples:
    """What stands before a further line; nothing before one that was only too long."""
    return [("class:continued", " " * width if wraps else CONTINUED.rjust(width))]


def _complete_now(buffer: Buffer, completer: ShellCompleter) -> None:
    """Complete what can only go on in one way; else put the menu up.

    At once: prompt_toolkit drops a Tab while it still looks for the menu of the key before.
    """
    asked = CompleteEvent(completion_requested=True)
    found = list(completer.get_completions(buffer.document, asked))
    if len(found) == 1:
        buffer.apply_completion(found[0])
    elif common := get_common_complete_suffix(buffer.document, found):
        buffer.insert_text(common)
    elif found and buffer.complete_state and buffer.complete_state.completions:
        buffer.complete_next()
    elif found:
        buffer.complete_state = CompletionState(buffer.document, found)
        buffer.on_completions_changed.fire()


def _keys(completer: ShellCompleter) -> KeyBindings:
    keys = KeyBindings()
    typing = has_focus(DEFAULT_BUFFER)

    @keys.add("tab", filter=typing)
    def _complete(event: KeyPressEvent) -> None:
        """Complete what is typed, or go through the menu."""
        buffer = event.current_buffer
        state = buffer.complete_state
        if state is None or state.complete_index is None:
            _complete_now(buffer, completer)
        else:
            buffer.complete_next()

    @keys.add("enter", filter=completion_is_selected & typing)
    def _take(event: KeyPressEvent) -> None:
        """Take what is selected in the menu, without running anything."""
        event.current_buffer.complete_state = None

    @keys.add("enter", filter=~completion_is_selected & ~in_paste_mode & typing)
    def _run(event: KeyPressEvent) -> None:
        """Run a complete text; begin a new line of another."""
        buffer = event.current_buffer
        if complete(buffer.text):
            buffer.validate_and_handle()
        else:
            buffer.newline(copy_margin=True)

    return keys
