"""`ddb data`: which metadata tables there are, and how to get them."""

from __future__ import annotations

import contextlib
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ddb_query.cli._options import (
    DATA,
    ENGINE,
    PATIENCE_HELP,
    RESULT,
    Session,
    command,
    common_options,
    complete_dataset,
)
from ddb_query.cli._parsing import Command, Group
from ddb_query.datasets import Catalog
from ddb_query.datasets.duplicates import told
from ddb_query.diffusiondb import DATASETS, PUBLISHED
from ddb_query.engines.base import Column
from ddb_query.engines.literal_rows import LiteralRows, Value
from ddb_query.errors import MissingDataError, UsageError
from ddb_query.settings import Settings, absolute
from ddb_query.store.paths import made_from, source_is_gone
from ddb_query.store.paths import stores as stores_in
from ddb_query.util.escape import counted

if TYPE_CHECKING:
    from ddb_query.datasets.adding import AddedNow
    from ddb_query.datasets.registry import AddedTable
    from ddb_query.datasets.status import Status
    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.store.paths import Store

app = typer.Typer(
    cls=Group,
    help="Show which data there is, and get more.",
    rich_markup_mode=None,
    add_completion=False,
)

common_options(app)

_STATUS = (
    Column("dataset", "VARCHAR"), Column("rows", "BIGINT"), Column("megabytes", "DOUBLE"),
    Column("row_groups", "BIGINT"), Column("origin", "VARCHAR"), Column("images_from", "VARCHAR"),
    Column("where", "VARCHAR"), Column("problem", "VARCHAR"),
)  # fmt: skip
_KINDS = {"zips": "part zips", "folders": "extracted parts"}
_ENGINE = ("threads", "memory_limit", "timeout")


@app.command("status", cls=Command)
@command("data_dir", *_ENGINE, *RESULT)
def status(session: Session) -> None:
    """Show all datasets: the rows, the origin and the place of each."""
    from ddb_query.datasets import status as found

    catalog = _catalog(session)
    with _engine(session) as engine:
        rows = [_row(table) for table in found.tables(catalog, engine)]
    rows += map(_row, found.parts(catalog))
    rows += [_store_row(store) for store in stores_in(catalog.settings.cache_dir)]
    session.show_listing(LiteralRows(_STATUS, tuple(rows)))
    _tell_choice(session)


@app.command("add", cls=Command)
@command("data_dir", *_ENGINE)
def add(
    session: Session,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Metadata tables or folders of parts.")
    ],
    as_: Annotated[
        str | None,
        typer.Option(
            "--as", metavar="NAME", help="Name of the new dataset; by default that of its file."
        ),
    ] = None,
    images_from: Annotated[
        Literal["2m", "large", "demo"] | None,
        typer.Option(
            help="Which dataset's parts hold the images; by default told by the image names."
        ),
    ] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Take the place of the dataset of that name.")
    ] = False,
) -> None:
    """Register tables, part zips and extracted parts where they lie."""
    from ddb_query.datasets.adding import add_parts, add_table, is_parts

    whole = [absolute(path) for path in paths]
    if as_ in DATASETS and all(map(is_parts, whole)):
        # Parts have no name of their own: whose they are is meant.
        as_, images_from = None, images_from or as_
    if as_ is not None and (len(whole) > 1 or is_parts(whole[0])):
        raise UsageError(
            "--as names one metadata table",
            hint="add tables one by one; parts have no name, --images-from says whose they are",
        )
    catalog, note = _catalog(session), session.diagnostics.note
    with _engine(session) as engine:
        for path in whole:
            if is_parts(path):
                parts = add_parts(catalog, path, images_from)
                note(f"added {_KINDS[parts.kind]} of {parts.images}: {parts.path}")
                continue
            added = add_table(catalog, engine, path, name=as_, images=images_from, replace=replace)
            _tell_of_table(session, added)


def _tell_of_table(session: Session, added: AddedNow) -> None:
    note, table = session.diagnostics.note, added.table
    if added.instead_of is not None and added.instead_of != table.path:
        note(f"{table.name} was {added.instead_of} until now; that file stays where it is")
    published = DATASETS[table.name].rows if table.name in PUBLISHED else None
    if published not in (None, added.rows):
        note(f"as published, {table.name} has {published:,} rows; this table has {added.rows:,}")
    if added.extra_columns:
        note(f"columns left out: {', '.join(added.extra_columns)}")
    if added.repeated:
        note(told(added.repeated))
    if table.images is None:
        note("whose parts hold its images is not known; --images-from 2m (or large) says it")
    note(
        f"added dataset {table.name}: {counted(added.rows, 'row')} of {table.path};"
        f" next: `ddb --dataset {table.name} run sampler-stats`"
    )


@app.command("pull", cls=Command)
@command("data_dir", *_ENGINE)
def pull(
    session: Session,
    table: Annotated[Literal["2m", "large"], typer.Argument(help="Which table to get.")],
    revision: Annotated[
        str, typer.Option(metavar="REV", help="Branch, tag or commit of the repository.")
    ] = "main",
    patience: Annotated[float, typer.Option(min=0, metavar="SECONDS", help=PATIENCE_HELP)] = 2,
) -> None:
    """Download a metadata table from the Hub.

    A broken download goes on where it stopped.
    """
    tell = session.diagnostics
    with _engine(session) as engine:
        done = _catalog(session).pull(
            engine, table, revision=revision, patience=patience, progress=tell, on_note=tell.note
        )
    tell.clear()
    size = f"{done.path.stat().st_size / 1e6:,.1f} MB"
    commit = f" at commit {done.source.commit}" if done.source.commit else ""
    taken = "taken from the Hub's own cache" if done.from_cache else "downloaded"
    there = "already there" if done.already_there else taken
    tell.note(f"{there}: {done.path} ({size}){commit}")
    _tell_choice(session)


@app.command("demo", cls=Command)
@command(*_ENGINE)
def demo(
    session: Session,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Number of images.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Other rows for another.")] = 0,
) -> None:
    """Generate the demo dataset, whose rows are made up."""
    with _engine(session) as engine:
        table = _catalog(session).make_demo(engine, rows=rows, seed=seed)
    session.diagnostics.note(f"generated {rows:,} made-up rows: {table.path}")


@app.command("mend", cls=Command)
@command(*_ENGINE, "output", "force")
def mend(
    session: Session,
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A parquet file, or a folder of them.")
    ],
) -> None:
    """Write a table in the published types.

    Each value that does not fit becomes NULL, and is counted.
    """
    from ddb_query.datasets.rewrite import mend as write_mended

    if session.target is None:
        raise UsageError("no file to write was named", hint="-o FILE names it")
    with _engine(session) as engine:
        lost = write_mended(engine, table.expanduser(), session.target)
    for name, count in lost.items():
        values = "1 value" if count == 1 else f"{count:,} values"
        session.diagnostics.note(f"column {name}: {values} did not fit")
    session.diagnostics.note(f"written: {session.target}")


@app.command("build", cls=Command)
@command(*DATA, *ENGINE)
def build(session: Session) -> None:
    """Build the store of a dataset, which makes everything faster."""
    with session.open() as corpus:
        built = corpus.build()
        session.diagnostics.clear()
        done = "built" if built else "already there"
        session.diagnostics.note(f"the store of dataset {corpus.dataset}: {done}")


@app.command("remove", cls=Command)
@command("data_dir", "yes")
def remove(
    session: Session,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="NAME|PATH...",
            help="A dataset, or an added path.",
            autocompletion=complete_dataset,
        ),
    ] = None,
    stores: Annotated[
        bool, typer.Option("--stores", help="The stores whose table is gone or has changed.")
    ] = False,
) -> None:
    """Forget what was added, and delete what ddb itself wrote.

    What is to be deleted is named first, and asked for.
    """
    if stores:
        _remove_stores(session)
    elif not what:
        raise UsageError(
            "name at least one dataset to remove", hint="`ddb data status` shows what is there"
        )
    for name in what or []:
        _remove(session, _catalog(session), name)


def _remove(session: Session, catalog: Catalog, name: str) -> None:
    note = session.diagnostics.note
    removal = catalog.removal(name, absolute(name))
    if not removal:
        raise UsageError(
            f"nothing of ddb's own and nothing added is called {name}",
            hint="`ddb data status` shows what there is",
        )
    for path in removal.delete:
        note(f"to delete: {path}")
    if removal.delete and not session.options.yes:
        _confirm()
    catalog.remove(removal)
    for table in removal.forget.tables:
        note(f"forgot dataset {table.name}; its file stays: {table.path}")
        if catalog.locate(table.name) != table.path:
            _remove_stores_of(session, table)
    for parts in removal.forget.parts:
        note(f"forgot {_KINDS[parts.kind]} of {parts.images}; the files stay: {parts.path}")


def _remove_stores_of(session: Session, table: AddedTable) -> None:
    for store in stores_in(_settings(session).cache_dir):
        if store.dataset == table.name and made_from(store) == table.path:
            store.discard()
            session.diagnostics.note(f"deleted its store: {store.folder}")


def _remove_stores(session: Session) -> None:
    gone = [s for s in stores_in(_settings(session).cache_dir) if source_is_gone(s)]
    for store in gone:
        session.diagnostics.note(f"to delete: {store.folder}")
    if gone and not session.options.yes:
        _confirm()
    for store in gone:
        store.discard()
    session.diagnostics.note(f"stores deleted: {len(gone)}")


def _tell_choice(session: Session) -> None:
    """Say which dataset is asked when nobody names one, where there is a choice."""
    with contextlib.suppress(MissingDataError):
        _, choice = _catalog(session).choose(None)
        if choice:
            session.diagnostics.note(choice)


def _store_row(store: Store) -> tuple[Value, ...]:
    size = sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())
    state = store.problem() or ("its table is gone" if source_is_gone(store) else None)
    name, megabytes = f"{store.dataset} store", round(size / 1e6, 1)
    return (name, None, megabytes, None, "built", None, str(store.folder), state)


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise UsageError("deleting needs a yes", hint="--yes says it without a terminal")
    if not typer.confirm("Delete?", err=True):
        raise typer.Exit


def _settings(session: Session) -> Settings:
    return Settings.from_environment(data_dir=session.options.data_dir)


def _catalog(session: Session) -> Catalog:
    return Catalog(_settings(session))


def _engine(session: Session) -> closing[DuckDBEngine]:
    from ddb_query.engines.open import open_engine

    options = session.options
    return closing(
        open_engine(
            _settings(session), options.threads, options.memory_limit, options.timeout,
            session.diagnostics,
        )
    )  # fmt: skip


def _row(found: Status) -> tuple[Value, ...]:
    facts = found.facts
    rows, megabytes, groups = (
        (facts.rows, round(facts.file_bytes / 1e6, 1), facts.row_groups) if facts else (None,) * 3
    )
    where = None if found.path is None else str(found.path)
    return (found.name, rows, megabytes, groups, found.origin, found.images, where, found.problem)
