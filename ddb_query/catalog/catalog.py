"""The one place that knows where each dataset's metadata table lies."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.catalog.registry import Added, Registry
from ddb_query.catalog.tables import (
    MetadataTable,
    TableFacts,
    check_table,
    recognise,
    table_facts,
)
from ddb_query.dataset import DATASETS
from ddb_query.engines.base import Relation
from ddb_query.errors import (
    BadTableError,
    MissingDataError,
    NoConnectionError,
    OfflineError,
    OutputError,
    UsageError,
)
from ddb_query.files import locked, make_folder, replacing
from ddb_query.hub.cached import cached_file
from ddb_query.hub.endpoint import PATIENCE_SECONDS
from ddb_query.hub.source import source_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.engines.duckdb import DuckDBEngine
    from ddb_query.hub.download import Downloaded
    from ddb_query.progress import Progress
    from ddb_query.settings import Settings

DEMO_ROWS = 100_000


@dataclass(frozen=True)
class Status:
    """What there is of one dataset's metadata table.

    Attributes:
        dataset: 2m, large or demo.
        path: Where the table lies; None when there is none.
        facts: What its footer says; None when it is missing or damaged.
        problem: What is wrong with it, if anything.
        command: The command that gets it, when it is missing.

    """

    dataset: str
    path: Path | None = None
    facts: TableFacts | None = None
    problem: str | None = None
    command: str | None = None


class Catalog:
    """The metadata tables of one data folder and one cache folder."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.registry = Registry(settings.data_dir)

    def locate(self, dataset: str) -> Path | None:
        """Where a dataset's table lies: an added one first, the data folder's, the Hub's cache."""
        for entry in reversed(self.registry.entries()):
            if entry.kind == "table" and entry.dataset == dataset and entry.path.exists():
                return entry.path
        path = self.home(dataset)
        if path.exists() or dataset == "demo":
            return path if path.exists() else None
        cached = cached_file(DATASETS[dataset].table)
        return cached.path if cached else None

    def home(self, dataset: str) -> Path:
        """Where ddb itself puts a dataset's table."""
        table = DATASETS[dataset].table
        if dataset == "demo":
            return self._settings.cache_dir / "demo" / table
        return self._settings.data_dir / table

    def choose(self, wanted: str | None) -> tuple[str, str | None]:
        """The dataset to open, and a note when the choice was not said.

        Args:
            wanted: 2m, large or demo; None for the environment's, else 2m, else large.

        Raises:
            UsageError: There is no dataset of that name.
            MissingDataError: Its table is not there.

        """
        wanted = wanted or self._settings.dataset
        if wanted is not None:
            return self._known(wanted), None
        present = [name for name in ("2m", "large") if self.locate(name)]
        if not present:
            folder = self._settings.data_dir
            hint = "`ddb data pull 2m` gets one; --dataset demo needs no download"
            if folder.is_file():
                hint = f"--data-dir takes a folder; `ddb data add {folder}` registers a table"
            gone = self._gone(("2m", "large"))
            raise MissingDataError(gone or f"no metadata table in {folder}", hint=hint)
        both = len(present) > 1
        note = f"using dataset {present[0]}; --dataset large has the other" if both else None
        return present[0], note

    def table(self, engine: DuckDBEngine, dataset: str) -> MetadataTable:
        """A dataset's table, checked.

        Raises:
            MissingDataError: It is not there.
            BadTableError: It is damaged, or not a metadata table.

        """
        path = self.locate(dataset)
        if path is None:
            there = f"{DATASETS[dataset].table} is not in {self.home(dataset).parent}"
            raise MissingDataError(
                self._gone((dataset,)) or there,
                hint=f"`{DATASETS[dataset].command}` gets it; --dataset demo needs no download",
            )
        return check_table(engine, path)

    def status(self, engine: DuckDBEngine) -> list[Status]:
        """What there is and what is missing, for every dataset."""
        return [self._status(engine, dataset) for dataset in DATASETS]

    def add(
        self, engine: DuckDBEngine, path: Path, dataset: str | None = None
    ) -> tuple[Added, tuple[str, ...]]:
        """Register a metadata table, a folder of parts, or the folder of one part, where it lies.

        Args:
            engine: Looks into the file.
            path: The file or folder.
            dataset: Which one it is; None to tell by the endings of its image names.

        Returns:
            What was registered, and the columns of a table that no view shows.

        Raises:
            BadTableError: It is neither.
            UsageError: Which dataset it is cannot be told.

        """
        path = path.expanduser().absolute()
        extra: tuple[str, ...] = ()
        if path.is_dir() or path.suffix.lower() == ".zip":
            from ddb_query.catalog.parts import recognise_parts

            added = recognise_parts(path, dataset)
        else:
            extra = check_table(engine, path).extra_columns
            added = Added("table", dataset or recognise(engine, path), path)
        self.registry.add(added)
        return added, extra

    def pull(
        self,
        engine: DuckDBEngine,
        dataset: str,
        *,
        revision: str,
        patience: float = PATIENCE_SECONDS,
        progress: Progress,
        on_note: Callable[[str], None],
    ) -> Downloaded:
        """Have a dataset's table in the data folder, checked: from the Hub, or the Hub's own cache.

        Args:
            engine: Looks into the table.
            dataset: 2m or large.
            revision: A branch, a tag or a commit of the repository.
            patience: How many seconds are waited for a network that is not there.
            progress: Told of every block that arrives.
            on_note: Told of waits.

        Raises:
            HubError: The Hub did not give it.
            OutputError: It cannot be written.
            BadTableError: What came is not a metadata table.

        """
        from ddb_query.hub.download import download, take_cached
        from ddb_query.hub.endpoint import Hub

        target, table = self.home(dataset), DATASETS[dataset].table
        make_folder(target.parent)
        hub = Hub.from_environment(revision=revision, patience_seconds=patience)
        cached = cached_file(table, revision)
        check = partial(_check, engine)
        try:
            return download(
                hub, table, target, progress=progress, on_note=on_note, check=check, cached=cached
            )
        except (OfflineError, NoConnectionError) as error:
            if cached is None:
                raise
            on_note(f"{error.message}; the Hub's own cache has a {table}, which is taken")
            return take_cached(hub, cached, target, progress=progress, on_note=on_note, check=check)

    def removable(self, name: str) -> tuple[list[Path], list[Path]]:
        """What a name stands for: added paths to forget, and ddb's own files to delete.

        Args:
            name: A dataset, or the path of something added.

        """
        path = Path(name).expanduser().absolute()
        entries = self.registry.entries()
        if name in DATASETS:
            forget = [entry.path for entry in entries if entry.dataset == name]
            return forget, self._written(name)
        return [entry.path for entry in entries if entry.path == path], []

    def remove(self, forget: list[Path], delete: list[Path]) -> None:
        """Forget added paths, and delete files.

        Raises:
            OutputError: A file cannot be deleted.

        """
        if forget:
            self.registry.remove(set(forget))
        for path in delete:
            try:
                path.unlink(missing_ok=True)
            except OSError as error:
                raise OutputError(path, error.strerror or str(error)) from error

    def make_demo(
        self, engine: DuckDBEngine, *, rows: int = DEMO_ROWS, seed: int = 0
    ) -> MetadataTable:
        """Generate the demo dataset, deterministically, in place of an older one.

        Raises:
            UsageError: `rows` is not a positive number.
            OutputError: The cache folder cannot be written.

        """
        from ddb_query.demo import demo_sql

        if rows < 1 or seed < 0:
            raise UsageError("the demo needs at least one row and a seed from 0")
        target = self.home("demo")
        make_folder(target.parent)
        sql, values = demo_sql(rows, seed)
        with replacing(target) as temporary:
            engine.write_parquet(Relation(sql, values), temporary)
        return check_table(engine, target)

    def ensure_demo(self, engine: DuckDBEngine) -> bool:
        """Generate the demo dataset if it is not there; returns whether it had to."""
        target = self.home("demo")
        if target.exists():
            return False
        make_folder(target.parent)
        with locked(target):
            if target.exists():
                return False
            self.make_demo(engine)
        return True

    def _written(self, dataset: str) -> list[Path]:
        """The files of a dataset that ddb itself wrote; a pull leaves a note beside its table."""
        home = self.home(dataset)
        notes = source_path(home)
        if dataset == "demo" or notes.exists():
            return [path for path in (home, notes) if path.exists()]
        return []

    def _status(self, engine: DuckDBEngine, dataset: str) -> Status:
        path = self.locate(dataset)
        if path is None:
            return Status(dataset, command=DATASETS[dataset].command)
        try:
            check_table(engine, path)
        except BadTableError as error:
            return Status(dataset, path, problem=error.problem)
        return Status(dataset, path, table_facts(engine, path))

    def _gone(self, datasets: tuple[str, ...]) -> str | None:
        """What to say of a table that was added and lies there no more."""
        for entry in self.registry.entries():
            if entry.kind == "table" and entry.dataset in datasets and not entry.path.exists():
                return f"{entry.path} was added, and is not there any more"
        return None

    def _known(self, dataset: str) -> str:
        if dataset not in DATASETS:
            raise UsageError(f"no dataset named {dataset}", hint=f"there are {', '.join(DATASETS)}")
        return dataset


def _check(engine: DuckDBEngine, path: Path) -> None:
    check_table(engine, path)
