"""Dot commands that read and write files."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from ddb_query.console import stdout
from ddb_query.errors import UsageError
from ddb_query.queries.parameters import value
from ddb_query.shell import save_query
from ddb_query.shell.commands.registry import command, flag, forced, one, only, path, split
from ddb_query.util.atomic_files import keep_existing

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.selection.criteria import Fields
    from ddb_query.shell.session import Session

# Fields of a selection that are no text, and those that may be given again.
_FLAGS = {"include_blurred", "exclude_blurred", "include_deleted", "on_disk"}
_VALUES = {*_FLAGS, "max_image_nsfw", "max_prompt_nsfw", "sample", "seed", "limit"}
_SEVERAL = {"sampler", "user", "part"}


@command("export", "FILE [--force] [X=VALUE…]", "The last result, or a selection", "file")
def export(session: Session, rest: str) -> None:
    """Write all rows of the last result, or a selection with how it was made."""
    words, force = forced(split(rest))
    name, *fields = words or [""]
    if not name or name == "-":
        raise UsageError(".export takes FILE", hint=".last shows the last result on the screen")
    file = path(name)
    if fields:
        selection = session.corpus.select(**criteria(fields))
        made = selection.export(file, force=force)
        session.told.note(f"{made.rows:,} rows, {made.size:,} bytes, {made.path}")
        session.tell(selection)
        return
    if session.state.last is None or not session.state.keeps:
        raise UsageError("there is no last result", hint="run a SELECT first")
    form = stdout.format_for(file, None)
    keep_existing(file, force=force)
    stdout.results([session.corpus.sql("from _")], form, file)
    session.told.note(f"written to {file}")


def criteria(fields: list[str]) -> Fields:
    """The fields of a selection, from `NAME=VALUE`; a repeated one is any of its values.

    A boolean is said by its name alone, or with `no_` before it.

    Raises:
        UsageError: One is not of that form.

    """
    found: dict[str, object] = {}
    several: dict[str, list[str]] = {}
    for field in fields:
        name, equals, text = field.lstrip("-").partition("=")
        # As the option of every command is called.
        name = {"from": "subset"}.get(name, name.replace("-", "_"))
        if not equals and (said := flag(name, _FLAGS)):
            found[said[0]] = said[1]
            continue
        if not equals:
            raise UsageError(f"{field} is not NAME=VALUE", hint=".export some.csv match=castle")
        if name in _SEVERAL:
            several.setdefault(name, []).append(text)
        else:
            found[name] = value(text) if name in _VALUES else text
    # `Corpus.select` sees whether there are such fields, and whether their values fit.
    return cast("Fields", found | several)


@command("output", "[FILE [--force]]", "All results to a file; without one, back here", "file")
def send(session: Session, rest: str) -> None:
    """Send all results to a file, or end that."""
    ended = session.result_view.output_file.path
    session.result_view.output_file.close()
    if ended is not None:
        session.told.note(f"written to {ended}")
    file, force = _file(rest, "output")
    if file is not None:
        session.result_view.output_file.begin(file, force=force)


@command("once", "FILE [--force]", "The next result to a file", "file")
def once(session: Session, rest: str) -> None:
    """Send the next result to a file."""
    file, force = _file(rest, "once")
    if file is not None:
        session.result_view.output_file.next(file, force=force)


def _file(rest: str, name: str) -> tuple[Path | None, bool]:
    """The file that a command names, None for the screen, and whether it may be replaced."""
    words, force = forced(split(rest))
    if words == ["-"] or (not words and name == "output"):
        return None, force
    return path(only(words, name)), force


@command("read", "FILE", "Run the statements and commands in a file", "file")
def read(session: Session, rest: str) -> None:
    """Run a script."""
    session.read(path(one(rest, "read")))


@command("save", "NAME [--force] [WORDS]", "Keep the last query as a canned query")
def save(session: Session, rest: str) -> None:
    """Keep the last query in the user's folder."""
    words, force = forced(split(rest))
    name, *description = words or [""]
    if session.state.last is None:
        raise UsageError("there is no last query", hint="run a SELECT first")
    folder = save_query.folder(session.sql_dir)
    file = save_query.path_for(name, folder, session.corpus)
    keep_existing(file, force=force or (file.exists() and _agreed(session, file)))
    save_query.save(file, session.state.last.statement, " ".join(description))
    session.loader.forget_names()
    session.told.note(f"saved as {file}; .run {name} runs it")


def _agreed(session: Session, file: Path) -> bool:
    return session.ask is not None and session.ask(
        f"{file.name} is there already; overwrite it? (yes, no): ", ("yes", "no")
    ).strip().lower() in ("y", "yes")
