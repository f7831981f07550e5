"""The errors a user can cause: what happened, in words, and what mends it.

Every error carries its data, one line that says what is wrong, a hint with the command that
mends it, and the exit code of the command line. Nothing here reads or writes anything.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

# Characters of a foreign exception's text that are shown.
_MOST_WORDS = 500


class DdbError(Exception):
    """Base of all errors of ddb-query.

    Attributes:
        exit_code: What the command line exits with.
        message: One line (or DuckDB's own text with its caret) that says what is wrong.
        hint: What to do about it, when that is known.

    """

    exit_code: ClassVar[int] = 3

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle it: a worker process sends its errors, and the parent cannot call `__init__`."""
        return _made_again, (type(self), self.args, self.__dict__)


def _made_again(
    kind: type[DdbError], args: tuple[object, ...], data: dict[str, object]
) -> DdbError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(data)
    return error


class InternalError(DdbError):
    """An exception that ddb did not foresee: a fault of ddb, or of a library that it uses.

    Args:
        doing: What was being done, such as `ddb search`.
        error: What was raised.
        versions: Of ddb, Python and the libraries, in words.
    """

    # EX_SOFTWARE of sysexits.h: an internal error has been found.
    exit_code = 70

    def __init__(self, doing: str, error: BaseException, versions: str) -> None:
        words = " ".join(str(error).split())
        shown = words if len(words) <= _MOST_WORDS else f"{words[:_MOST_WORDS]}…"
        super().__init__(
            f"unexpected error in {doing}: {type(error).__name__}{': ' if shown else ''}{shown}",
            hint=f"this is a fault in ddb or in a library that it uses ({versions}); "
            "run it again with DDB_DEBUG=1 to see the traceback, and please report both",
        )


class UsageError(DdbError):
    """A command or a call that makes no sense as it stands."""

    exit_code = 2


class OtherProcessError(UsageError):
    """Something of a corpus that another process has opened."""

    def __init__(self, process: int) -> None:
        super().__init__(
            f"this corpus was opened by another process ({process}) and cannot be used in this one",
            hint="call ddb_query.open in the worker process itself; docs/python.md shows how",
        )
        self.process = process


class NotPicklableError(UsageError, TypeError):
    """Something of a corpus that was to be sent to another process."""

    def __init__(self, kind: str, instead: str) -> None:
        super().__init__(
            f"a {kind} cannot be pickled or copied: it belongs to the process that opened it",
            hint=f"{instead}; docs/python.md shows how",
        )
        self.kind = kind


class ParameterError(UsageError):
    """A parameter that is missing, unknown, or of the wrong type."""

    def __init__(self, name: str, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"parameter {name}: {problem}", hint=hint)
        self.name = name
        self.problem = problem


class NoTypeError(UsageError):
    """A column whose type what it should become has no equal of."""

    def __init__(self, column: str, kind: str, target: str) -> None:
        super().__init__(
            f"{target} cannot hold the column {column} ({kind})",
            hint=f"cast it in the SQL, for example to text: cast({column} as varchar)",
        )
        self.column = column


class UnknownNameError(UsageError):
    """Nothing of a kind has this name.

    Attributes:
        name: What was asked for.
        close: Names that are like it.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str], *, hint: str = "") -> None:
        import difflib

        known = tuple(known)
        self.name = name
        self.close = tuple(difflib.get_close_matches(name, known, n=3, cutoff=0.6))
        meant = f"did you mean {' or '.join(self.close)}? " if self.close else ""
        super().__init__(
            f"no {kind} named {name}", hint=meant + (hint or f"there are {', '.join(known)}")
        )


class UnknownQueryError(UsageError):
    """No canned query has this name."""

    def __init__(self, name: str, close: Iterable[str]) -> None:
        self.name = name
        self.close = tuple(close)
        meant = f"did you mean {' or '.join(self.close)}? " if self.close else ""
        super().__init__(f"no canned query named {name}", hint=f"{meant}`ddb queries` lists all")


class UnknownUserError(UsageError):
    """No image of the dataset has a user of this name."""

    def __init__(self, name: str, dataset: str, close: Iterable[str], least_digits: int) -> None:
        self.name = name
        self.close = tuple(close)
        meant = f"did you mean {' or '.join(self.close)}? " if self.close else ""
        super().__init__(
            f"no user named {name or '(nothing)'} in dataset {dataset}",
            hint=f"{meant}`ddb run user-stats` lists the users; the first {least_digits} digits of"
            " a name suffice",
        )


class AmbiguousUserError(UsageError):
    """The names of several users begin with these digits."""

    def __init__(self, prefix: str, names: Iterable[str], *, more: bool) -> None:
        self.prefix = prefix
        self.names = tuple(names)
        super().__init__(
            f"{prefix} stands for several users: {', '.join(self.names)}{', …' if more else ''}",
            hint="give more of the digits",
        )


class UnknownCommandError(UsageError):
    """No dot command of the shell has this name."""

    def __init__(self, name: str, close: Iterable[str]) -> None:
        self.name = name
        self.close = tuple(close)
        meant = f"did you mean {' or '.join('.' + c for c in self.close)}? " if self.close else ""
        super().__init__(f"no command .{name}", hint=f"{meant}.help lists all")


class NoSuchCommandError(UsageError):
    """No command has this name."""

    def __init__(self, group: str, name: str, close: Iterable[str]) -> None:
        self.name = name
        self.close = tuple(close)
        meant = f"did you mean {' or '.join(self.close)}? " if self.close else ""
        super().__init__(f"no command named {name}", hint=f"{meant}`{group} --help` lists all")


class OptionNotTakenError(UsageError):
    """An option of other commands that this one does not take."""

    def __init__(self, command: str, option: str, instead: str | None = None) -> None:
        hint = instead or f"`{command} --help` lists its options"
        super().__init__(f"{command} takes no {option}", hint=hint)
        self.command = command
        self.option = option


class ExistsError(UsageError):
    """Something has the name of what is to be written, and is kept."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} exists already", hint="--force replaces it (force=True from Python)"
        )
        self.path = path


class QueryFileError(UsageError):
    """A canned query's file that breaks the rules; says which file and line."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(
            f"{path}:{line}: {problem}",
            hint="docs/queries.md shows the form of a canned query; `ddb queries NAME` an example",
        )
        self.path = path
        self.line = line
        self.problem = problem


class SqlError(DdbError):
    """The engine refused the SQL, or failed while it ran."""

    exit_code = 1

    def within(self, path: Path) -> SqlError:
        """The same error, saying which file the SQL stands in."""
        return SqlError(f"{path}: {self.message}", hint=self.hint)


class ComparedWithTextError(SqlError):
    """A number is compared with text; DuckDB's words would quote a text of the data."""

    def __init__(self, words: str, name: str, value: str) -> None:
        super().__init__(
            words,
            hint=f"${name} is no text here: -p {name}:text={value} gives it as text"
            f" (.set {name}:text {value} in the shell, '{value}' from Python)",
        )
        self.name = name


class OutOfMemoryError(SqlError):
    """A statement needed more memory than it may use."""

    def __init__(self, message: str) -> None:
        super().__init__(message, hint="give it more with --memory-limit, for example 8GB")


class TimedOutError(SqlError):
    """A statement ran longer than it may."""

    def __init__(self, seconds: float) -> None:
        super().__init__(
            f"stopped after {seconds:g} s (--timeout)",
            hint="give it longer with --timeout SECONDS, or ask for less",
        )
        self.seconds = seconds


class InterruptedByUserError(DdbError):
    """Work that was stopped by the person who started it."""

    exit_code = 130

    def __init__(self) -> None:
        super().__init__("interrupted")


def interrupted(error: BaseException | None) -> bool:
    """Whether Ctrl-C is behind an error: Python and libraries wrap it in errors of their own."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, KeyboardInterrupt):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


class MissingPackageError(DdbError):
    """A Python package that ddb-query does not install is needed for this."""

    exit_code = 2

    def __init__(self, package: str, needed_for: str) -> None:
        super().__init__(f"{needed_for} needs {package}", hint=f"pip install {package}")
        self.package = package


class MissingDataError(DdbError):
    """The metadata table that is asked for is not there."""


class UnknownDatasetError(UsageError):
    """No dataset has this name."""

    def __init__(self, name: str, close: Iterable[str], names: Iterable[str]) -> None:
        self.name = name
        self.close = tuple(close)
        meant = f"did you mean {' or '.join(self.close)}? " if self.close else ""
        hint = f"{meant}there are {', '.join(names)}"
        if "/" in name or "." in name:
            hint += f"; `ddb data add {shlex.quote(name)}` gives a table a name"
        super().__init__(f'there is no dataset called "{name}"', hint=hint)


class NameTakenError(UsageError):
    """A name under which another table was added before."""

    def __init__(self, name: str, taken_by: Path, path: Path) -> None:
        super().__init__(
            f"{name} is the name of a dataset already: {taken_by}",
            hint=f"`ddb data add {shlex.quote(str(path))} --as NAME` gives this table a name of its"
            f" own; with `--as {name} --replace` it takes the place of the other",
        )
        self.name = name
        self.taken_by = taken_by


class DamagedRegistryError(MissingDataError):
    """The file of what a user has added cannot be read, or holds what ddb did not write."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path}, the list of the data that you have added, is damaged: {problem}",
            hint=f"`rm {shlex.quote(str(path))}` deletes the list and no data; then add them again"
            " with `ddb data add PATH`",
        )
        self.path = path
        self.problem = problem


class BadTableError(DdbError):
    """A file that is not a DiffusionDB metadata table."""

    def __init__(self, path: Path, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path}: {problem}", hint=hint)
        self.path = path
        self.problem = problem


class BadColumnError(BadTableError):
    """A metadata table with a missing or mistyped column."""

    def __init__(self, path: Path, column: str, expected: str, found: str) -> None:
        super().__init__(
            path,
            f"column {column}: expected {expected}, found {found}",
            hint="`ddb data pull 2m` or `ddb data pull large` gets the table as published",
        )
        self.column = column
        self.expected = expected
        self.found = found


class BadValueError(BadColumnError):
    """A metadata table with a value that would be lost in the published type of its column."""

    def __init__(
        self, path: Path, column: str, expected: str, found: str, value: str, rows: int
    ) -> None:
        many = "one value does" if rows == 1 else f"{rows:,} values do"
        super().__init__(path, column, expected, f"{found}; {many} not fit, the first is {value!r}")
        mend = shlex.join(["ddb", "data", "mend", str(path), "-o", "mended.parquet"])
        self.hint = f"`{mend}` writes it in the published types, with NULL for what does not fit"
        self.value = value
        self.rows = rows


class DamagedDataError(BadTableError):
    """A table that begins and ends as it should, but cannot be read whole."""

    def __init__(self, path: Path, problem: str, command: str | None = None) -> None:
        hint = f"`{command}` replaces it" if command else None
        super().__init__(path, f"the data is damaged: {problem}", hint=hint)


class OutputError(DdbError):
    """A file that cannot be written; what was there before stays."""

    def __init__(self, path: Path, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot write {path}: {problem}", hint=hint)
        self.path = path
        self.problem = problem


class HubError(DdbError):
    """The Hub, or a mirror of it, did not give what was asked for."""


class OfflineError(HubError):
    """The network is switched off by the user's own setting."""

    def __init__(self) -> None:
        super().__init__(
            "HF_HUB_OFFLINE is set: nothing is asked of the Hub",
            hint="unset HF_HUB_OFFLINE (and TRANSFORMERS_OFFLINE) and run the command again",
        )


class NotOnHubError(HubError):
    """The Hub, or the mirror, does not have this file at this revision."""

    def __init__(self, host: str, path: str, revision: str) -> None:
        super().__init__(
            f"{host} has no {path} at revision {revision}",
            hint="a mirror may not have everything: unset HF_ENDPOINT to ask the Hub itself",
        )
        self.host = host
        self.path = path
        self.revision = revision


class HubAccessError(HubError):
    """The Hub wants to know who asks, or does not let this account in."""

    def __init__(self, host: str, path: str, problem: str, *, hint: str) -> None:
        super().__init__(f"{host} refuses {path}: {problem}", hint=hint)
        self.host = host
        self.path = path
        self.problem = problem


class RefusedRedirectError(HubError):
    """A redirect that is not followed."""

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(
            f"{host} redirects {problem}",
            hint="check HF_ENDPOINT and the proxy settings of the environment",
        )
        self.host = host
        self.problem = problem


class TransientHubError(HubError):
    """A failure that may pass, so that another try is worth it.

    Attributes:
        retry_after_seconds: How long the server asks to be left alone, if it says.

    """

    def __init__(
        self, message: str, *, hint: str | None = None, retry_after_seconds: float | None = None
    ) -> None:
        again = (
            "run the same command again later: what has arrived is kept, and it goes on from there"
        )
        super().__init__(message, hint=hint or again)
        self.retry_after_seconds = retry_after_seconds


class HubUnreachableError(TransientHubError):
    """No answer: no network, no such host, a proxy or a certificate that is not accepted."""

    def __init__(self, host: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot reach {host}: {reason}", hint=hint)
        self.host = host
        self.reason = reason


class NoConnectionError(HubUnreachableError):
    """Nobody to talk to: the name does not resolve, or nobody listens there."""

    def __init__(self, host: str, reason: str) -> None:
        hint = "check the network and HF_ENDPOINT; --patience SECONDS waits longer for a network"
        super().__init__(host, reason, hint=hint)


class HubBusyError(TransientHubError):
    """The server answers, but not now."""

    def __init__(
        self,
        host: str,
        status: int,
        *,
        hint: str | None = None,
        retry_after_seconds: float | None = None,
    ) -> None:
        asked = f" and asks to wait {retry_after_seconds:.0f} s" if retry_after_seconds else ""
        super().__init__(
            f"{host} is busy (HTTP {status}){asked}",
            hint=hint,
            retry_after_seconds=retry_after_seconds,
        )
        self.host = host
        self.status = status


class BrokenTransferError(TransientHubError):
    """Bytes that stopped coming, or that are not the ones asked for."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class ExpiredAddressError(BrokenTransferError):
    """An address that is no good any more: its time is over, or it has other bytes now."""


class RangeRefusedError(BrokenTransferError):
    """The server has no bytes where the next ones should be (HTTP 416)."""

    def __init__(self, path: str, start: int) -> None:
        super().__init__(path, f"the server has no bytes from {start} on")
        self.start = start


class DamagedDownloadError(HubError):
    """A download that is not what the Hub describes; nothing of it is kept."""

    def __init__(self, path: str, what: str, expected: object, found: object) -> None:
        super().__init__(
            f"{path}: {what} should be {expected}, but is {found}",
            hint="the damaged download was removed: run the same command again",
        )
        self.path = path
        self.what = what
        self.expected = expected
        self.found = found


class NoRoomError(HubError):
    """A disk with less free space than a download needs."""

    def __init__(self, folder: Path, needed_bytes: int, free_bytes: int) -> None:
        super().__init__(
            f"not enough room in {folder}: {needed_bytes / 1e6:,.1f} MB more are needed,"
            f" {free_bytes / 1e6:,.1f} MB are free",
            hint="free some space, or choose a folder on another disk with --data-dir",
        )
        self.folder = folder
        self.needed_bytes = needed_bytes
        self.free_bytes = free_bytes


class SearchSyntaxError(UsageError):
    """A search that `--exact-syntax` does not let pass, or that has no meaning at all.

    Attributes:
        query: What was typed.
        place: Where in it the trouble is, counted in characters from 0; None for all of it.

    """

    def __init__(
        self, problem: str, query: str = "", place: int | None = None, *, hint: str | None = None
    ) -> None:
        shown = "" if place is None else _pointed_at(query, place)
        super().__init__(f"{problem}{shown}", hint=hint)
        self.problem = problem
        self.query = query
        self.place = place


def _pointed_at(text: str, place: int, around: int = 60) -> str:
    """A line of text and, below it, a caret under one of its characters."""
    first = max(place - around, 0)
    # Two columns for the characters that a terminal shows as wide as two, none for marks.
    one_line = ["." if ord(mark) < ord(" ") or ord(mark) == 0x7F else mark for mark in text]
    before = "".join(one_line[first:place])
    columns = sum(_columns(mark) for mark in before)
    return f"\n  {before}{''.join(one_line[place : place + around])}\n  {' ' * columns}^"


def _columns(mark: str) -> int:
    import unicodedata

    if unicodedata.category(mark) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(mark) in "WF" else 1


class DamagedIndexError(DdbError):
    """A search index that is not there, not whole, or of another version."""

    def __init__(self, place: object, problem: str) -> None:
        super().__init__(
            f"{place}: the search index cannot be read: {problem}",
            hint="`ddb data build` builds it again",
        )
        self.place = place
        self.problem = problem


class NoManifestError(UsageError):
    """A file that does not say how it was made."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(
            f"{path}: {problem}", hint="`ddb export` writes files that say how they were made"
        )
        self.path = path


class BadManifestError(DdbError):
    """A manifest that cannot be trusted: tampered with, or of another version."""

    exit_code = 4

    def __init__(self, path: Path, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"{path}: the manifest {problem}", hint=hint)
        self.path = path
        self.problem = problem


class DifferentSubsetError(DdbError):
    """A subset that is not what its manifest says, or that comes out differently now."""

    exit_code = 4

    def __init__(self, path: Path, differences: Iterable[str], *, hint: str | None = None) -> None:
        self.path = path
        self.differences = tuple(differences)
        super().__init__(f"{path}: {'; '.join(self.differences)}", hint=hint)


class BadListError(UsageError):
    """A list of images that cannot be read; says where in it and why."""

    def __init__(self, path: Path, problem: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot read image names from {path}: {problem}", hint=hint)
        self.path = path
        self.problem = problem


class MissingNamesWarning(UserWarning):
    """A list of images names some that the dataset does not have."""


class UnknownNamesError(DdbError):
    """A list of images of which the dataset has none."""

    exit_code = 4


class PartlyDoneError(DdbError):
    """Done as far as it could be."""

    exit_code = 4


class UntrustedError(DdbError):
    """What a stranger's file asks for, and a locked connection does not do."""

    exit_code = 4


class FetchError(DdbError):
    """Images that could not be fetched."""


class DamagedPartError(FetchError):
    """A zip of images that cannot be read, or whose directory lies."""

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class BadImageError(FetchError):
    """One image that is not there, or is not what it should be."""

    def __init__(self, image_name: str, problem: str) -> None:
        super().__init__(f"{image_name}: {problem}")
        self.image_name = image_name
        self.problem = problem


class PartChangedError(FetchError):
    """A part that was replaced on the Hub while it was read."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} has changed on the Hub", hint="run the same command again")
        self.path = path
