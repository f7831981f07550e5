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

from ddb_query import output
from ddb_query.diagnostics import Diagnostics
from ddb_query.engines.base import Result
from ddb_query.errors import InterruptedByUserError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from ddb_query.corpus import Corpus
    from ddb_query.engines.listed import Listed
    from ddb_query.progress import Progress

# What Python makes of bytes that are no text in the locale's encoding.
_UNDECODED = re.compile("[\ud800-\udfff]")

Format = Literal["table", "csv", "tsv", "json", "jsonl", "markdown", "parquet", "arrow"]


@dataclass(frozen=True)
class Common:
    """What the common options say; None for an option that was not given."""

    data_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the metadata tables.")
    ] = None
    dataset: Annotated[
        Literal["2m", "large", "demo"] | None, typer.Option(help="Which dataset to ask.")
    ] = None
    sql_dir: Annotated[
        Path | None,
        # Read before --help, which lists the queries.
        typer.Option(metavar="DIR", help="Folder of canned queries of your own.", is_eager=True),
    ] = None
    engine: Annotated[Literal["duckdb"] | None, typer.Option(help="What runs the SQL.")] = None
    format: Annotated[
        Format | None, typer.Option(help="Form of the result; by default a table.")
    ] = None
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write there, in its ending's form."),
    ] = None
    limit: Annotated[
        int | None, typer.Option(min=0, metavar="N", help="At most N rows; 0 for all.")
    ] = None
    threads: Annotated[int | None, typer.Option(min=1, metavar="N", help="Number of threads.")] = (
        None
    )
    memory_limit: Annotated[
        str | None, typer.Option(metavar="SIZE", help="Most memory to use, for example 8GB.")
    ] = None
    timeout: Annotated[
        float | None, typer.Option(min=0.001, metavar="SECONDS", help="Stop a statement then.")
    ] = None
    quiet: Annotated[
        bool | None, typer.Option("--quiet", "-q", help="No notes and no progress.")
    ] = None
    yes: Annotated[bool | None, typer.Option("--yes", "-y", help="Do not ask.")] = None

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

    def open(
        self,
        dataset: str | None = None,
        *,
        progress: Progress | None = None,
        note: Callable[[str], None] | None = None,
    ) -> Corpus:
        """Open the corpus that the options name; what is given here takes their place."""
        from ddb_query.opening import open_corpus

        options = self.options
        return open_corpus(
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

    def default_dataset(self, name: str) -> None:
        """Take a dataset that something else than an option says, unless an option says one."""
        if self.options.dataset is None:
            self.options = replace(self.options, dataset=name)  # type: ignore[arg-type]

    @property
    def format(self) -> str:
        """The format that `--format` or the ending of `--output` says."""
        return output.format_for(self.options.output, self.options.format)

    @property
    def on_screen(self) -> bool:
        """Whether results are shown to a person, rather than written for a program or to a file."""
        return self.options.output is None and self.format in output.PEOPLE_FORMATS

    def show(self, results: Iterable[Result], default_limit: int | None = None) -> None:
        """Write results where and how the options say.

        Args:
            results: Already limited, when `--limit` was given; several only in people's formats.
            default_limit: Rows that a table shows when no limit was given.

        """
        limit = default_limit if self.options.limit is None else 0
        if self.options.output is None and output.streams_to_terminal(self.format):
            self.diagnostics.bars = False
        cut = output.results(results, self.format, self.options.output, limit=limit)
        self.diagnostics.clear()
        if cut:
            shown = default_limit or output.SHOWN_ROWS
            self.diagnostics.note(f"the first {shown} rows; --limit 0 shows all")

    def show_listing(self, listed: Listed) -> None:
        """Write rows of ddb's own where and how the options say; lines rather than a table."""
        shown = listed.head(self.options.limit) if self.options.limit else listed
        if self.format == "table":
            output.listing(shown, self.options.output)
        else:
            output.results([Result(shown)], self.format, self.options.output, limit=0)


def common_options(app: typer.Typer) -> None:
    """Let a group of commands take the common options too, before its command."""

    @app.callback()
    def keep(ctx: typer.Context, **given: Any) -> None:
        ctx.obj = gathered(given).over(ctx.obj or Common())

    declare(keep, [CONTEXT, *common_parameters()])


def command(function: Callable[..., None]) -> Callable[..., None]:
    """A command with the common options; the function gets them as `session`, its first argument.

    Ctrl-C and a reader that went away are ends, not errors.
    """
    signature = inspect.signature(function, eval_str=True)
    own = list(signature.parameters.values())[1:]

    @functools.wraps(function)
    def run(ctx: typer.Context, **given: Any) -> None:
        session = Session(gathered(given).over(ctx.obj or Common()))
        try:
            function(session, **{name: _utf8(value) for name, value in given.items()})
        except KeyboardInterrupt:
            raise InterruptedByUserError from None
        except BrokenPipeError:
            output.close_quietly()
        finally:
            session.diagnostics.clear()

    declare(run, [CONTEXT, *own, *common_parameters()])
    return run


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
    return Common(**{field.name: given.pop(field.name) for field in fields(Common)})
