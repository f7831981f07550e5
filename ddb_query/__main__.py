"""The entry of `ddb` and of `python -m ddb_query`; errors become words here and nowhere else."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import threading
    from types import FrameType

    from ddb_query.errors import DdbError

_INTERRUPTED = 130


def main() -> int:
    """Run the command line and return its exit code."""
    # Where a script started it in the background, Ctrl-C is ignored, and stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end_at_once)
    import threading

    from ddb_query.errors import DdbError

    _replace_closed_streams()
    threading.excepthook = _told_of_thread
    sys.unraisablehook = _told_of_unraisable
    try:
        return _run()
    except BrokenPipeError:
        from ddb_query.console import stdout

        stdout.close_quietly()
        return 0
    except DdbError as error:
        return _told(error)
    except KeyboardInterrupt:
        from ddb_query.errors import InterruptedByUserError

        return _told(InterruptedByUserError())
    except OSError as error:
        # What fails with a file says its name; help is printed by typer, past `console.stdout`.
        if error.filename is not None:
            return _told(DdbError(f"{error.filename}: {error.strerror}"))
        from ddb_query.console import stdout

        return _told(stdout.failed(error))
    except Exception as error:  # noqa: BLE001 - the border of the program: no traceback passes it
        return _told(_unforeseen(error))


def _end_at_once(_number: int, _frame: FrameType | None) -> None:
    """End before a command has begun and after it has ended: there is nothing to stop or undo.

    An exception would be lost in a destructor, and would leave an import's lock held.
    """
    os.write(2, b"ddb: interrupted\n")
    os._exit(_INTERRUPTED)


def _run() -> int:
    if sys.argv[1:] == ["--version"]:
        from ddb_query import __version__
        from ddb_query.console import stdout

        stdout.text(f"ddb {__version__}\n")
        return 0
    from ddb_query.cli.app import run

    return run()


def _told(error: DdbError) -> int:
    from ddb_query.console.stderr import Diagnostics
    from ddb_query.settings import debugging

    Diagnostics().error(error, with_traceback=debugging())
    if error.exit_code == _INTERRUPTED:
        # A thread of a library that is still at work would abort the end of the interpreter.
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
        os._exit(_INTERRUPTED)
    return error.exit_code


def _unforeseen(error: BaseException) -> DdbError:
    """What is said of an exception that nobody expected."""
    from ddb_query.errors import InternalError
    from ddb_query.util.versions import versions

    found = InternalError(f"`{_command()}`", error, versions())
    found.__cause__ = error
    return found


def _command() -> str:
    """The command that was given, without its options and values."""
    # The module that names the commands may be what failed.
    commands = getattr(sys.modules.get("ddb_query.cli.app"), "COMMANDS", ())
    return " ".join(["ddb", *[word for word in sys.argv[1:] if word in commands][:1]])


def _told_of_thread(ended: threading.ExceptHookArgs) -> None:
    """Say that a thread has ended by an exception, in one line too."""
    if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
        _told(_unforeseen(ended.exc_value))


def _told_of_unraisable(ended: sys.UnraisableHookArgs) -> None:
    """Say what went wrong in a destructor; a Ctrl-C that came while one ran is not lost."""
    if not isinstance(ended.exc_value, KeyboardInterrupt):
        if ended.exc_value is not None:
            _told(_unforeseen(ended.exc_value))
        return
    from ddb_query.shell.ctrl_c import raise_soon

    raise_soon()


def _replace_closed_streams() -> None:
    """Open what the caller closed (`ddb … >&-`), so that no other file gets its number.

    What stands for standard output is open for reading only: to write there is an error.
    """
    streams = (
        ("stdin", os.O_RDONLY, "r"), ("stdout", os.O_RDONLY, "w"), ("stderr", os.O_WRONLY, "w")
    )  # fmt: skip
    for name, flags, mode in streams:
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(os.open(os.devnull, flags), mode))


if __name__ == "__main__":
    sys.exit(main())
