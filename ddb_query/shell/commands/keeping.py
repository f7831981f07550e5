"""Dot commands that read and write files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, cast

from ddb_query import output
from ddb_query.errors import UsageError
from ddb_query.shell import saving
from ddb_query.shell.commands.registry import command, one, split
from ddb_query.values import value

if TYPE_CHECKING:
    from ddb_query.selection.criteria import Fields
    from ddb_query.shell.session import Session

# Fields of a selection that are no text, and those that may be given again.
_VALUES = {
    "max_image_nsfw", "max_prompt_nsfw", "include_blurred", "include_deleted", "sample", "seed",
    "limit", "on_disk",
}  # fmt: skip
_SEVERAL = {"sampler", "user", "part"}


@command("export", "FILE [X=VALUE…]", "The last result, or the images of a selection", "file")
def export(session: Session, rest: str) -> None:
    """Write all rows of the last result, or a selection with how it was made."""
    name, *fields = split(rest) or [""]
    if not name:
        raise UsageError(".export takes FILE", hint=".help export says what it does")
    path = _path(name)
    if fields:
        made = session.corpus.select(**criteria(fields)).export(path)
        session.told.note(f"{made.rows:,} rows, {made.size:,} bytes, {made.path}")
        return
    if session.state.last is None or not session.state.keeps:
        raise UsageError("there is no last result", hint="run a SELECT first")
    form = output.format_for(path, None)
    output.results([session.corpus.sql("from _")], form, path, limit=0)
    session.told.note(f"written to {path}")


def criteria(fields: list[str]) -> Fields:
    """The fields of a selection, from `NAME=VALUE`; a repeated one is any of its values.

    Raises:
        UsageError: One is not of that form.

    """
    found: dict[str, object] = {}
    several: dict[str, list[str]] = {}
    for field in fields:
        name, equals, text = field.lstrip("-").partition("=")
        name = name.replace("-", "_")
        if not equals:
            raise UsageError(f"{field} is not NAME=VALUE", hint=".export some.csv match=castle")
        if name in _SEVERAL:
            several.setdefault(name, []).append(text)
        else:
            found[name] = value(text) if name in _VALUES else text
    # `Corpus.select` sees whether there are such fields, and whether their values fit.
    return cast("Fields", found | several)


@command("output", "[FILE]", "All results to a file; without one, back here", "file")
def send(session: Session, rest: str) -> None:
    """Send all results to a file, or end that."""
    ended = session.showing.outlet.path
    session.showing.outlet.close()
    if ended is not None:
        session.told.note(f"written to {ended}")
    if rest:
        session.showing.outlet.begin(_path(one(rest, "output")))


@command("once", "FILE", "The next result to a file", "file")
def once(session: Session, rest: str) -> None:
    """Send the next result to a file."""
    session.showing.outlet.next(_path(one(rest, "once")))


@command("read", "FILE", "Run the statements and commands in a file", "file")
def read(session: Session, rest: str) -> None:
    """Run a script."""
    session.read(_path(one(rest, "read")))


@command("save", "NAME [WORDS]", "Keep the last query as a canned query")
def save(session: Session, rest: str) -> None:
    """Keep the last query in the user's folder."""
    name, *description = split(rest) or [""]
    if session.state.last is None:
        raise UsageError("there is no last query", hint="run a SELECT first")
    folder = saving.folder(session.sql_dir)
    path = saving.path_for(name, folder, session.corpus)
    if path.exists() and not _agreed(session, path):
        raise UsageError(f"{path} is there already", hint=".save takes another name")
    saving.save(path, session.state.last.statement, " ".join(description))
    session.opening.refresh()
    session.told.note(f"saved as {path}; .run {name} runs it")


def _agreed(session: Session, path: Path) -> bool:
    return session.ask is not None and session.ask(
        f"{path.name} is there already; overwrite it? (yes, no): ", ("yes", "no")
    ).strip().lower() in ("y", "yes")


def _path(text: str) -> Path:
    return Path(text).expanduser()
