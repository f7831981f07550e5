"""Dot commands about the images of the last result, or of a selection."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from ddb_query.engines.base import Relation
from ddb_query.errors import PartlyDoneError, UnknownNamesError, UsageError
from ddb_query.shell.commands.export import criteria
from ddb_query.shell.commands.registry import command, forced, path, split
from ddb_query.shell.view import display
from ddb_query.util.atomic_files import keep_existing
from ddb_query.util.escape import counted, size_text

_COUNT_MISSING = """
select count(*), count(*) filter (where image_name not in (select image_name from source.images))
from (select distinct cast(image_name as varchar) as image_name from _)
where image_name is not null"""

if TYPE_CHECKING:
    from ddb_query.api.selection import Selection
    from ddb_query.shell.session import Session

# What `.report` takes beside the fields of a selection, as `ddb report` does.
REPORT_FIELDS = ("section", "vs", "title", "users")


@command(
    "report",
    "[FILE [--force]] [X=VALUE…]",
    "Statistics of the last images, or others",
    "file",
)
def report(session: Session, rest: str) -> None:
    """Report on the images of the last result or of a selection; on all without either."""
    from ddb_query.console import stdout
    from ddb_query.report.render import files

    words, force = forced(split(rest))
    if words[:1] == ["-"]:
        words.pop(0)
    named = bool(words) and "=" not in words[0] and words[0].lstrip("-") != "users"
    file = path(words.pop(0)) if named else None
    form = files.form_for(file, None)
    if file is not None:
        keep_existing(file, force=force)
    said, fields = _of_report(words)
    selection = _selection(session, fields, all_without=True)
    made = selection.report(
        versus=_versus(session, said.get("vs", [])), title="".join(said.get("title", [])[-1:]),
        sections=said.get("section", ()), users="users" in said,
    )  # fmt: skip
    session.tell(selection)
    if file is None:
        display.show(files.rendered(made, form, stdout.terminal_width(), styled=stdout.styled()))
        return
    made.save(file, force=force)
    session.told.note(f"written to {file}")


def _of_report(words: list[str]) -> tuple[dict[str, list[str]], list[str]]:
    """What is said of the report itself, and the fields of the selection."""
    said: dict[str, list[str]] = {}
    fields = []
    for word in words:
        name, _, value = word.lstrip("-").partition("=")
        if name in REPORT_FIELDS:
            said.setdefault(name, []).append(value)
        else:
            fields.append(word)
    return said, fields


def _versus(session: Session, said: list[str]) -> Selection | Literal["rest"] | None:
    """What `vs=` names: all other images, those of a file, or a selection's fields in quotes."""
    if not said:
        return None
    if said[-1] == "rest":
        return "rest"
    if "=" in said[-1]:
        return session.corpus.select(**criteria(split(said[-1])))
    return session.corpus.select(subset=path(said[-1]))


@command("fetch", "DIR [X=VALUE…]", "The images of the last result, or others, to a folder", "file")
def fetch(session: Session, rest: str) -> None:
    """Fetch the images of the last result or of a selection."""
    folder, *fields = split(rest) or [""]
    if not folder or "=" in folder:
        raise UsageError(".fetch takes DIR", hint=".help fetch says what it does")
    selection = _selection(session, fields)
    cost = selection.plan(path(folder))
    if session.ask is not None and not _agreed(session, cost.images, cost.bytes):
        return
    done = selection.fetch(path(folder), note=session.told.note)
    session.told.note(
        f"{counted(done.new, 'image')} fetched into {folder}; {done.before:,} were there"
    )
    if done.counts.left_out:
        session.told.note(
            f"selected without the {done.counts.left_out:,} blurred images that match;"
            " include_blurred=true takes them"
        )
    session.tell(selection)
    if done.stopped is not None:
        raise done.stopped
    if not done.complete:
        raise PartlyDoneError(
            f"{done.failed + done.missing:,} of {done.wanted:,} images could not be fetched",
            hint="run the same command again",
        )


def _agreed(session: Session, images: int, size: int) -> bool:
    question = f"fetch {counted(images, 'image')}, about {size_text(size)}? (yes, no): "
    return session.ask is not None and session.ask(question, ("yes", "no")).strip().lower() in (
        "y",
        "yes",
    )


def _selection(session: Session, fields: list[str], *, all_without: bool = False) -> Selection:
    """The images that fields say; without fields those that the last result names."""
    if fields:
        return session.corpus.select(**criteria(fields))
    if session.state.last is None or not session.state.keeps:
        if all_without:
            return session.corpus.select()
        raise UsageError("there is no last result", hint="run a SELECT first, or say X=VALUE")
    columns = [column.name for column in session.corpus.sql("from _").columns]
    if "image_name" not in columns:
        raise UsageError(
            "the last result has no column image_name, so it names no images",
            hint="select image_name, …; or say which images with X=VALUE",
        )
    _check_names(session)
    return session.corpus.select(where="image_name in (select image_name from _)")


def _check_names(session: Session) -> None:
    """See whether the dataset has the images that the last result names.

    Raises:
        UnknownNamesError: It has none of them.
    """
    source = session.corpus.workspace.source
    names, missing = session.corpus.workspace.first(Relation(_COUNT_MISSING))
    if missing and missing == names:
        raise UnknownNamesError(
            f"none of the {names:,} images in the last result is in dataset {source.dataset}",
            hint=".export FILE writes the result; .fetch DIR from=FILE knows ids in any spelling",
        )
    if missing:
        source.lacks(
            PartlyDoneError(
                f"{missing:,} of the {names:,} images in the last result are not in dataset"
                f" {source.dataset}",
                hint="the others were taken",
            )
        )
