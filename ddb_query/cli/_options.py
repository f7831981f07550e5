"""The options that mean the same everywhere, before or after the command."""

from __future__ import annotations

import functools
import inspect
import os
import re
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from ddb_query.cli._help import COMMON, OUTPUT, option
from ddb_query.cli._refusals import not_taken
from ddb_query.console import stdout
from ddb_query.console.stderr import Diagnostics
from ddb_query.diffusiondb import DATASETS
from ddb_query.engines.base import Result
from ddb_query.errors import DdbError, InterruptedByUserError, UsageError
from ddb_query.shell.ctrl_c import watched
from ddb_query.util.atomic_files import keep_existing

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator

    from ddb_query.api.corpus import Corpus
    from ddb_query.engines.literal_rows import LiteralRows
    from ddb_query.errors import PartlyDoneError
    from ddb_query.util.progress import Progress

# Which options a command takes: what data it asks, what the engine may use, what it gives.
DATA = ("data_dir", "dataset")
ENGINE = ("engine", "threads", "memory_limit", "timeout")
RESULT = ("format", "output", "force", "limit")
# What `-o` takes for standard output.
STANDARD_OUTPUT = Path("-")

# What Python makes of bytes that are no text in the locale's encoding.
_UNDECODED = re.compile("[\ud800-\udfff]")

Format = Literal["table", "csv", "tsv", "json", "jsonl", "markdown", "parquet", "arrow"]

PATIENCE_HELP = "Wait up to SECONDS for a network that is not there yet."


def complete_dataset(incomplete: str) -> list[str]:
    """Names of datasets that begin so."""
    from ddb_query.datasets import Catalog
    from ddb_query.errors import DdbError
    from ddb_query.settings import Settings

    try:
        names = Catalog(Settings.from_environment()).names()
    except DdbError:
        names = list(DATASETS)
    return [name for name in names if name.startswith(incomplete)]


@dataclass(frozen=True)
class Common:
    """What the common options say; None for an option that was not given."""

    data_dir: Annotated[
        Path | None, option(COMMON, metavar="DIR", help="Folder of the metadata tables.")
    ] = None
    dataset: Annotated[
        str | None,
        option(
            COMMON,
            metavar="NAME",
            help="The dataset to ask: 2m, large, demo, or one that `ddb data add` named.",
            autocompletion=complete_dataset,
        ),
    ] = None
    sql_dir: Annotated[
        Path | None,
        # Read before --help, which lists the queries.
        option(COMMON, metavar="DIR", help="Folder of canned queries of your own.", is_eager=True),
    ] = None
    engine: Annotated[Literal["duckdb"] | None, option(COMMON, help="What runs the SQL.")] = None
    format: Annotated[
        Format | None,
        option(OUTPUT, help="Form of the result; by default a table, or as the file ends."),
    ] = None
    output: Annotated[
        Path | None,
        option(
            OUTPUT,
            "--output",
            "-o",
            metavar="FILE",
            help="Write to FILE, in the format of its ending; - is standard output.",
        ),
    ] = None
    force: Annotated[
        bool | None, option(OUTPUT, "--force", help="Replace the file, if it exists.")
    ] = None
    limit: Annotated[
        int | None, option(OUTPUT, min=0, metavar="N", help="At most N rows; 0 for all.")
    ] = None
    threads: Annotated[
        int | None,
        option(COMMON, min=1, metavar="N", help="Threads that DuckDB uses; by default one a core."),
    ] = None
    memory_limit: Annotated[
        str | None,
        option(COMMON, metavar="SIZE", help="Memory that DuckDB uses at most, such as 8GB."),
    ] = None
    timeout: Annotated[
        float | None,
        option(COMMON, min=0.001, metavar="SECONDS", help="Stop a statement after so long."),
    ] = None
    quiet: Annotated[
        bool | None, option(COMMON, "--quiet", "-q", help="No notes and no progress.")
    ] = None
    yes: Annotated[bool | None, option(COMMON, "--yes", "-y", help="Do not ask.")] = None

    def over(self, earlier: Common) -> Common:
        """These options, and those given further to the left where these say nothing."""
        given = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(earlier, **{n: value for n, value in given.items() if value is not None})


CONTEXT = inspect.Parameter(
    "ctx", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=typer.Context
)


class Session:
    """One run of a command: its common options, and what is told beside the data."""

    def __init__(self, options: Common) -> None:
        self.options = options
        self.diagnostics = Diagnostics(quiet=bool(options.quiet))
        self._missing: list[list[PartlyDoneError]] = []

    def open(
        self,
        dataset: str | None = None,
        *,
        progress: Progress | None = None,
        note: Callable[[str], None] | None = None,
    ) -> Corpus:
        """Open the corpus that the options name; what is given here takes their place."""
        from ddb_query.api.open import open_corpus

        options = self.options
        corpus = open_corpus(
            dataset or options.dataset,
            data_dir=options.data_dir,
            sql_dir=options.sql_dir,
            engine=options.engine or "duckdb",
            threads=options.threads,
            memory_limit=options.memory_limit,
            timeout=options.timeout,
            progress=progress or self.diagnostics,
            note=note or self.diagnostics.note,
        )
        self._missing.append(corpus.workspace.source.missing)
        return corpus

    def like(self, options: Common) -> Session:
        """A session with other options, whose lists of images this one tells of."""
        found = Session(options)
        found._missing = self._missing
        return found

    def missing(self) -> Iterator[PartlyDoneError]:
        """What lists of images named and the datasets lack, each told once."""
        for found in self._missing:
            while found:
                yield found.pop(0)

    def end(self) -> None:
        """End a command that did what it could.

        Raises:
            PartlyDoneError: Lists named images that are not there.
        """
        found = list(self.missing())
        for error in found[:-1]:
            self.diagnostics.note(error.message)
        for error in found[-1:]:
            raise error

    def default_dataset(self, name: str) -> None:
        """Take a dataset that something else than an option says, unless an option says one."""
        if self.options.dataset is None:
            self.options = replace(self.options, dataset=name)

    @property
    def force(self) -> bool:
        """Whether a file that exists is replaced."""
        return bool(self.options.force)

    @property
    def target(self) -> Path | None:
        """The file that `--output` names; None for standard output, which is `-` too."""
        return None if self.options.output == STANDARD_OUTPUT else self.options.output

    @property
    def format(self) -> str:
        """The format that `--format` or the ending of `--output` says."""
        return stdout.format_for(self.target, self.options.format)

    @property
    def on_screen(self) -> bool:
        """Whether results are shown to a person, rather than written for a program or to a file."""
        return stdout.is_screen(self.format, self.target)

    def show(self, results: Iterable[Result]) -> None:
        """Write results where and how the options say.

        Args:
            results: Already limited, when `--limit` was given; several only in people's formats.

        """
        rows = None if self.options.limit is None else 0
        if self.target is None and stdout.streams_to_terminal(self.format):
            self.diagnostics.bars = False
        cuts = stdout.results(results, self.format, self.target, rows=rows)
        self.diagnostics.clear()
        for cut in cuts:
            self.diagnostics.note(cut.told("--limit 0"))

    def show_listing(self, listed: LiteralRows) -> None:
        """Write rows of ddb's own where and how the options say; lines rather than a table."""
        shown = listed.head(self.options.limit) if self.options.limit else listed
        if self.format == "table":
            stdout.listing(shown, self.target)
        else:
            stdout.results([Result(shown)], self.format, self.target, rows=0)


def common_options(app: typer.Typer) -> None:
    """Let a group of commands take the common options too, before its command."""

    @app.callback()
    def keep(ctx: typer.Context, **given: Any) -> None:
        ctx.obj = gathered(given).over(ctx.obj or Common())

    declare(keep, [CONTEXT, *common_parameters()])


def command(*names: str, **changed: Any) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A command with those of the common options that mean something to it, and `--quiet`.

    The function gets them as `session`, its first argument. Ctrl-C and a reader that went away are
    ends, not errors.

    Args:
        names: Fields of `Common`.
        changed: By field, the annotation of an option that is something else to this command.
    """

    def decorate(function: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(function, eval_str=True)
        own = list(signature.parameters.values())[1:]
        taken = {*names, *changed, "quiet"}

        @functools.wraps(function)
        def run(ctx: typer.Context, **given: Any) -> None:
            earlier = ctx.obj or Common()
            _refuse(earlier, taken, ctx.command_path)
            session = Session(gathered(given).over(earlier))
            if session.target is not None and {"output", "force"} <= taken:
                # Told before the work, not after it.
                keep_existing(session.target, force=session.force)
            try:
                with watched(session.diagnostics):
                    function(session, **{name: _utf8(value) for name, value in given.items()})
                session.end()
            except DdbError:
                for missing in session.missing():
                    session.diagnostics.note(missing.message)
                raise
            except KeyboardInterrupt:
                raise InterruptedByUserError from None
            except BrokenPipeError:
                stdout.close_quietly()
            finally:
                session.diagnostics.clear()

        options = [
            one.replace(annotation=changed.get(one.name, one.annotation))
            for one in common_parameters()
            if one.name in taken
        ]
        declare(run, [CONTEXT, *own, *options])
        return run

    return decorate


def _refuse(earlier: Common, taken: Container[str], command_path: str) -> None:
    """Refuse an option before the command that asks for what the command does not do.

    Options that say where data lie and what ddb may use are for whichever command follows.
    """
    for name in ("limit", "format", "output", "force"):
        if name not in taken and getattr(earlier, name) is not None:
            raise not_taken(command_path, f"--{name}")


def declare(function: Callable[..., None], parameters: list[inspect.Parameter]) -> None:
    """Give a function the parameters that typer is to see."""
    function.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    function.__annotations__ = {p.name: p.annotation for p in parameters}


def _utf8(value: Any) -> Any:
    """Text of the command line as the UTF-8 that it is, whatever the locale made of it."""
    if isinstance(value, list):
        return [_utf8(one) for one in value]
    if not isinstance(value, str) or not _UNDECODED.search(value):
        return value
    try:
        return os.fsencode(value).decode("utf-8")
    except UnicodeError as error:
        raise UsageError(f"not UTF-8 text: {value}") from error


@functools.cache
def common_parameters() -> tuple[inspect.Parameter, ...]:
    """The common options as parameters of a function that typer reads."""
    found = inspect.get_annotations(Common, eval_str=True)
    return tuple(
        inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=annotation)
        for name, annotation in found.items()
    )


def gathered(given: dict[str, Any]) -> Common:
    """Take the common options out of what typer parsed."""
    return Common(**{field.name: given.pop(field.name, None) for field in fields(Common)})
