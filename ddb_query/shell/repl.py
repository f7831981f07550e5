"""The shell at a terminal: reads, runs, shows, until it is left; and a script without one."""

from __future__ import annotations

import contextlib
import shlex
import signal
import sys
from typing import TYPE_CHECKING

from ddb_query import __version__
from ddb_query.errors import DdbError, InterruptedByUserError, UsageError
from ddb_query.settings import config_dir, debugging
from ddb_query.shell.ctrl_c import interrupt, watched
from ddb_query.shell.input_lines import PlainReader, is_plain
from ddb_query.shell.script import pieces
from ddb_query.util.sql_tokens import reads_last

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ddb_query.shell.input_lines import Reader
    from ddb_query.shell.session import Session


def interact(session: Session, *, with_rc: bool = True) -> None:
    """Serve a person at a terminal until they leave.

    Raises:
        DdbError: The dataset cannot be opened.

    """
    # Where a script started it in the background, Ctrl-C is ignored until somebody says otherwise.
    signal.signal(signal.SIGINT, interrupt)
    # At a prompt it throws away what is typed; what runs is watched for itself.
    signal.set_wakeup_fd(-1)
    # Keys are answered between two steps of what runs on other threads.
    sys.setswitchinterval(0.0002)
    session.told.tell(f"ddb {__version__}: .help helps, Ctrl-D leaves")
    with _reader(session) as (reader, give_back):
        session.ask = reader.ask
        if with_rc:
            _attempt(session, rc(), give_back)
        while not session.state.over:
            # A Ctrl-C between two steps of the loop ends neither.
            with contextlib.suppress(KeyboardInterrupt):
                session.loader.fresh_names()
                _turn(session, reader, give_back)


def batch(session: Session, text: str, *, with_rc: bool = True) -> None:
    """Run a script to its end.

    Raises:
        DdbError: What the first piece that fails raises.

    """
    if next(pieces(text), None) is None:
        raise UsageError("no SQL to run", hint="ddb sql 'select count(*) from images'")
    session.state.keeps = reads_last_result(text)
    if with_rc:
        session.run(rc())
    session.run(text)


def rc() -> str:
    """The command that runs the user's `rc.sql`; nothing where there is none."""
    path = config_dir() / "rc.sql"
    return f".read {shlex.quote(str(path))}" if path.is_file() else ""


def reads_last_result(text: str) -> bool:
    """Whether a script may ask for the last result again."""
    return any(piece.command or reads_last(piece.text) for piece in pieces(text))


@contextlib.contextmanager
def _reader(session: Session) -> Iterator[tuple[Reader, Callable[[], None] | None]]:
    """What reads at this terminal, and what gives the terminal back as it was."""
    if is_plain():
        yield PlainReader(session.told), None
        return
    from ddb_query.shell.prompt.terminal_mode import keys_kept

    with keys_kept() as give_back:
        from ddb_query.shell.prompt.editor import Editor

        with contextlib.closing(Editor(session)) as editor:
            yield editor, give_back


def _turn(session: Session, reader: Reader, give_back: Callable[[], None] | None) -> None:
    try:
        text = reader.read(f"{session.loader.dataset}> ")
    except EOFError:
        session.state.over = True
        if session.loader.failed:
            session.loader.corpus()
        return
    _attempt(session, text, give_back)


def _attempt(session: Session, text: str, give_back: Callable[[], None] | None) -> None:
    """Run a text; what goes wrong is told, and the session goes on."""
    try:
        with watched(session.told, give_back):
            session.run(text)
    except KeyboardInterrupt:
        session.told.error(InterruptedByUserError())
    except DdbError as error:
        if session.loader.failed:
            raise
        session.told.error(error, with_traceback=debugging())
