"""`ddb fetch`: the images of a selection, and nothing else."""

from __future__ import annotations

import contextlib
import os
import re
import sys
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ddb_query.cli._options import DATA, ENGINE, PATIENCE_HELP, Format, Session, command
from ddb_query.cli._parsing import Command
from ddb_query.cli._plan_table import PLAN_COLUMNS, plan_lines, plan_numbers
from ddb_query.cli._selection_options import selecting
from ddb_query.console import stdout
from ddb_query.engines.base import Result
from ddb_query.engines.literal_rows import LiteralRows
from ddb_query.errors import FetchError, PartlyDoneError, UsageError
from ddb_query.util.escape import counted, size_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddb_query.api.selection import Selection
    from ddb_query.fetch.options import FetchResult
    from ddb_query.fetch.plan import Plan
    from ddb_query.fetch.target.ledger import Difference

_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kMGT]?)B?")
_UNITS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_SHOWN_ERRORS = 5

_Folder = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Fetch the images into this folder."),
]
_PlanFormat = Annotated[Format | None, typer.Option(help="Format of --plan; by default a table.")]
_Limit = Annotated[
    int | None, typer.Option(min=0, metavar="N", help="At most N images; 0 for all.")
]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command("fetch", cls=Command)
@command(*DATA, *ENGINE, "yes", output=_Folder, format=_PlanFormat, limit=_Limit)
@selecting()
def fetch(
    session: Session,
    chosen: dict[str, Any],
    plan: Annotated[bool, typer.Option("--plan", help="Only say what it would cost.")] = False,
    confirm_above: Annotated[
        str, typer.Option(metavar="SIZE", help="Ask before more than this is fetched.")
    ] = "1GB",
    jobs: Annotated[int, typer.Option(min=1, max=64, metavar="N", help="Connections.")] = 16,
    layout: Annotated[
        Literal["folder", "webdataset", "parquet"] | None,
        typer.Option(help="Form of the folder; by default images and a metadata.parquet."),
    ] = None,
    class_by: Annotated[
        Literal["sampler", "nsfw-band"] | None, typer.Option(help="A folder for each class.")
    ] = None,
    local: Annotated[
        list[Path] | None,
        typer.Option(metavar="FOLDER", help="Take images from part zips and files below FOLDER."),
    ] = None,
    prefer_parts: Annotated[
        bool, typer.Option("--prefer-parts", help="A sample from as few parts as possible.")
    ] = False,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Try again what failed for good.")
    ] = False,
    check_json: Annotated[
        bool, typer.Option("--check-json", help="Compare parts' JSON with the metadata.")
    ] = False,
    revision: Annotated[
        str, typer.Option(metavar="REV", help="Branch, tag or commit of the repository.")
    ] = "main",
    patience: Annotated[float, typer.Option(min=0, metavar="SECONDS", help=PATIENCE_HELP)] = 2,
    show: Annotated[bool, typer.Option("--show", help="Show a few in the terminal.")] = False,
) -> None:
    """Fetch the images of a selection into a folder.

    The same command run again goes on where it stopped.
    """
    folder, most = session.target, _size(confirm_above)
    if session.options.format and not plan:
        raise UsageError("--format is for --plan", hint="--layout sets the form of the folder")
    if folder is None and not plan:
        raise UsageError("no folder to fetch into was named", hint="-o DIR")
    order: dict[str, Any] = {
        "jobs": jobs, "layout": layout, "class_by": class_by, "local": local or (),
        "retry_failed": retry_failed, "check_json": check_json,
    }  # fmt: skip
    with without_pandas(), session.open() as corpus:
        selection = corpus.select(**chosen, limit=session.options.limit or None)
        if prefer_parts:
            selection = selection.from_fewest_parts()
        # Who says yes beforehand is asked nothing, and need not wait for the plan.
        if plan or folder is None or not session.options.yes:
            cost = selection.plan(folder, revision=revision, **order)
            session.diagnostics.clear()
            if plan or folder is None:
                _show_plan(session, cost)
                return
            _ask(session, cost, most)
        done = selection.fetch(
            folder, revision=revision, patience=patience, note=session.diagnostics.note, **order
        )  # fmt: skip
        session.diagnostics.clear()
        _tell(session, selection, done)
        if show:
            _show(session, folder)
        _raise_for(done, check_json=check_json)


class _NoPandas(MetaPathFinder):
    """Has pyarrow do without pandas, which it loads where it can: 40 MB and 0.3 s for nothing.

    An entry of None in `sys.modules` would do for pyarrow, but DuckDB takes it for pandas itself.
    """

    def find_spec(self, fullname: str, *_: object) -> None:
        """Find nothing here; pandas nowhere."""
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


@contextlib.contextmanager
def without_pandas() -> Iterator[None]:
    """Find no pandas while the block lasts."""
    finder = _NoPandas()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)


def _show_plan(session: Session, cost: Plan) -> None:
    form = session.options.format or "table"
    if form == "table":
        stdout.listing(LiteralRows(PLAN_COLUMNS, tuple(plan_lines(cost))))
    else:
        stdout.results([Result(plan_numbers(cost))], form, rows=0)


def _ask(session: Session, cost: Plan, most: float) -> None:
    """Show the cost of a large fetch, and have it agreed to."""
    if cost.bytes <= most:
        return
    for name, amount in plan_lines(cost):
        session.diagnostics.note(f"{name}: {amount}")
    if not sys.stdin.isatty():
        raise UsageError(
            f"this fetches about {size_text(cost.bytes)}, more than {size_text(most)}",
            hint="--yes fetches without asking, --confirm-above SIZE asks for more only",
        )
    if not typer.confirm(f"Fetch about {size_text(cost.bytes)}?", err=True):
        raise typer.Exit


def _tell(session: Session, selection: Selection, done: FetchResult) -> None:
    tell = session.diagnostics.note
    for words in selection.notes():
        tell(words)
    there = f"; {done.before:,} were there" if done.before else ""
    tell(
        f"{counted(done.new, 'image')} fetched ({size_text(done.bytes)}) into {done.folder}{there}"
    )
    counts = done.counts
    if counts.left_out:
        tell(
            f"selected without the {counts.left_out:,} blurred images that match;"
            " --include-blurred takes them"
        )
    if counts.blurred or counts.unsafe:
        tell(f"among them, blurred: {counts.blurred:,}; with a score over 0.5: {counts.unsafe:,}")
    for difference in done.differences[:_SHOWN_ERRORS]:
        tell(_difference(difference))
    if len(done.differences) > _SHOWN_ERRORS:
        tell(f"{len(done.differences):,} differences in all, in {done.folder}/.ddb/ledger.sqlite")
    for name, error in done.errors[:_SHOWN_ERRORS]:
        tell(error if name in error else f"{name}: {error}")


def _difference(found: Difference) -> str:
    if found.problem is not None:
        return f"{found.name} was not compared: {found.problem}"
    return (
        f"{found.name}: {found.field} is {found.in_metadata} in the metadata,"
        f" {found.in_json} in the part's JSON"
    )


def _raise_for(done: FetchResult, *, check_json: bool) -> None:
    """End with the exit code that says how it went."""
    if done.stopped is not None:
        raise done.stopped
    if not done.complete:
        left = f"{done.failed + done.missing:,} of {done.wanted:,} images could not be fetched"
        hint = "run the same command again"
        hint += "; --retry-failed tries again what failed for good" if done.failed else ""
        if done.failed + done.missing == done.wanted:
            raise FetchError(left, hint=hint)
        raise PartlyDoneError(left, hint=hint)
    if check_json and done.not_compared:
        raise PartlyDoneError(
            f"the JSON of {done.not_compared:,} parts could not be compared with the metadata",
            hint="the images are there; run the same command again when the parts are whole",
        )


def _show(session: Session, folder: Path) -> None:
    import shutil

    from ddb_query.gallery.preview import kind_of_terminal, preview

    kind = kind_of_terminal(os.environ) if sys.stdout.isatty() else None
    if kind is None:
        session.diagnostics.note(f"this terminal shows no pictures; `ddb gallery {folder}` does")
        return
    stdout.text(preview(folder, kind, shutil.get_terminal_size().columns))


def _size(text: str) -> float:
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise UsageError(f"{text} is no size", hint="--confirm-above 500MB")
    return float(match[1]) * _UNITS[match[2]]
