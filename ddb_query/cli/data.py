"""`ddb data`: which metadata tables there are, and how to get them."""

from __future__ import annotations

import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ddb_query.catalog import Catalog
from ddb_query.cli.options import Session, command, common_options
from ddb_query.engines.base import Column
from ddb_query.engines.listed import Listed, Value
from ddb_query.errors import UsageError
from ddb_query.settings import Settings
from ddb_query.store.place import source_is_gone
from ddb_query.store.place import stores as stores_in

if TYPE_CHECKING:
    from ddb_query.catalog import Added, Status
    from ddb_query.engines.duckdb import DuckDBEngine
    from ddb_query.store.place import Store

app = typer.Typer(
    help="Which data there is, and how to get it.", rich_markup_mode=None, add_completion=False
)

common_options(app)

_STATUS = (
    Column("dataset", "VARCHAR"), Column("rows", "BIGINT"), Column("megabytes", "DOUBLE"),
    Column("row_groups", "BIGINT"), Column("where", "VARCHAR"),
)  # fmt: skip
_AS_HELP = "Which dataset it is, whatever its image names say."


@app.command("status")
@command
def status(session: Session) -> None:
    """Show which metadata tables there are, and which command gets a missing one."""
    with _engine(session) as engine:
        catalog = _catalog(session)
        rows = [_row(found) for found in catalog.status(engine)]
        rows += map(_added_row, filter(_listed_apart, catalog.registry.entries()))
    rows += [_store_row(store) for store in stores_in(_settings(session).cache_dir)]
    session.show_listing(Listed(_STATUS, tuple(rows)))


@app.command("add")
@command
def add(
    session: Session,
    paths: Annotated[
        list[Path], typer.Argument(metavar="PATH...", help="Metadata tables or folders of parts.")
    ],
    as_: Annotated[Literal["2m", "large"] | None, typer.Option("--as", help=_AS_HELP)] = None,
) -> None:
    """Register metadata tables, part zips and extracted parts where they lie, without copying."""
    with _engine(session) as engine:
        catalog = _catalog(session)
        for path in paths:
            added, notes = catalog.add(engine, path, as_)
            session.diagnostics.note(f"added {added.path}: {_what(added)}")
            for words in notes:
                session.diagnostics.note(words)


@app.command("pull")
@command
def pull(
    session: Session,
    table: Annotated[Literal["2m", "large"], typer.Argument(help="Which table to get.")],
    revision: Annotated[
        str, typer.Option(metavar="REV", help="Branch, tag or commit of the repository.")
    ] = "main",
) -> None:
    """Download a metadata table from the Hub; go on where a broken download stopped."""
    tell = session.diagnostics
    with _engine(session) as engine:
        done = _catalog(session).pull(
            engine, table, revision=revision, progress=tell, on_note=tell.note
        )
    tell.clear()
    size = f"{done.path.stat().st_size / 1e6:,.1f} MB"
    commit = f" at commit {done.source.commit}" if done.source.commit else ""
    there = "already there" if done.already_there else "downloaded"
    tell.note(f"{there}: {done.path} ({size}){commit}")


@app.command("demo")
@command
def demo(
    session: Session,
    rows: Annotated[int, typer.Option(min=1, metavar="N", help="Number of images.")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, metavar="S", help="Other rows for another.")] = 0,
) -> None:
    """Generate the demo dataset: made-up rows with the published schema and its quirks."""
    with _engine(session) as engine:
        table = _catalog(session).make_demo(engine, rows=rows, seed=seed)
    session.diagnostics.note(f"generated {rows:,} made-up rows: {table.path}")


@app.command("mend")
@command
def mend(
    session: Session,
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="A parquet file, or a folder of them.")
    ],
    force: Annotated[bool, typer.Option("--force", help="Replace FILE if it exists.")] = False,
) -> None:
    """Write a table in the published types, with NULL for each value that does not fit."""
    from ddb_query.catalog.rewriting import mend as write_mended
    from ddb_query.subset_writing import refuse_existing

    output = session.options.output
    if output is None:
        raise UsageError("no file to write was named", hint="-o FILE names it")
    refuse_existing(output, force=force, folder=False)
    with _engine(session) as engine:
        lost = write_mended(engine, table.expanduser(), output)
    for name, count in lost.items():
        values = "1 value" if count == 1 else f"{count:,} values"
        session.diagnostics.note(f"column {name}: {values} did not fit")
    session.diagnostics.note(f"written: {output}")


@app.command("build")
@command
def build(session: Session) -> None:
    """Build the store and the search index of a dataset, which make everything faster."""
    with session.open() as corpus:
        built = corpus.build()
        session.diagnostics.clear()
        done = "built" if built else "already there"
        session.diagnostics.note(f"the store of dataset {corpus.dataset}: {done}")


@app.command("remove")
@command
def remove(
    session: Session,
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="DATASET|PATH...", help="A dataset, or an added path."),
    ] = None,
    stores: Annotated[
        bool, typer.Option("--stores", help="The stores whose table is gone or has changed.")
    ] = False,
) -> None:
    """Forget what was added, and delete what ddb itself wrote, after naming it."""
    if stores:
        _remove_stores(session)
    elif not what:
        raise UsageError(
            "nothing to remove was named", hint="`ddb data status` shows what is there"
        )
    catalog = _catalog(session)
    for name in what or []:
        forget, delete = catalog.removable(name)
        if not forget and not delete:
            raise UsageError(
                f"nothing of ddb's own and nothing added is called {name}",
                hint="`ddb data status` shows what there is",
            )
        for path in delete:
            session.diagnostics.note(f"to delete: {path}")
        for path in forget:
            session.diagnostics.note(f"to forget: {path} (the file stays)")
        if delete and not session.options.yes:
            _confirm()
        catalog.remove(forget, delete)


def _remove_stores(session: Session) -> None:
    gone = [s for s in stores_in(_settings(session).cache_dir) if source_is_gone(s)]
    for store in gone:
        session.diagnostics.note(f"to delete: {store.folder}")
    if gone and not session.options.yes:
        _confirm()
    for store in gone:
        store.discard()
    session.diagnostics.note(f"stores deleted: {len(gone)}")


def _store_row(store: Store) -> tuple[Value, ...]:
    size = sum(path.stat().st_size for path in store.folder.rglob("*") if path.is_file())
    state = store.problem() or ("its table is gone" if source_is_gone(store) else None)
    where = str(store.folder) + (f" ({state})" if state else "")
    return (f"{store.dataset} store", None, round(size / 1e6, 1), None, where)


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
    from ddb_query.opening import open_engine

    options = session.options
    return closing(
        open_engine(
            _settings(session), options.threads, options.memory_limit, options.timeout,
            session.diagnostics,
        )
    )  # fmt: skip


def _row(found: Status) -> tuple[Value, ...]:
    if found.path is None:
        return (found.dataset, None, None, None, f"missing; get it with `{found.command}`")
    if found.facts is None:
        return (found.dataset, None, None, None, f"{found.path}: {found.problem}")
    facts = found.facts
    megabytes = round(facts.file_bytes / 1e6, 1)
    return (found.dataset, facts.rows, megabytes, facts.row_groups, str(found.path))


def _listed_apart(added: Added) -> bool:
    """Whether something added has a line of its own: a table that is there is its dataset's."""
    return added.kind != "table" or not added.path.exists()


def _added_row(added: Added) -> tuple[Value, ...]:
    gone = "" if added.path.exists() else f" is gone; `ddb data remove {added.path}` forgets it"
    return (f"{added.dataset} {added.kind}", None, None, None, f"{added.path}{gone}")


def _what(added: Added) -> str:
    kinds = {"table": "metadata table", "zips": "part zips", "folders": "extracted parts"}
    return f"{kinds[added.kind]} of {added.dataset}"
