"""The one place that knows which datasets there are, and where the table of each lies."""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from ddb_query.datasets.metadata_table import MetadataTable, check_table
from ddb_query.datasets.registry import Added, AddedTable, Registry
from ddb_query.diffusiondb import DATASETS, PUBLISHED, Dataset, added_dataset
from ddb_query.engines.base import Relation
from ddb_query.errors import (
    BadTableError,
    MissingDataError,
    NoConnectionError,
    OfflineError,
    OutputError,
    UnknownDatasetError,
    UsageError,
)
from ddb_query.hub.cache import cached_file
from ddb_query.hub.config import PATIENCE_SECONDS
from ddb_query.hub.provenance import source_path
from ddb_query.store.paths import footer
from ddb_query.util.atomic_files import locked, make_folder, may_exist, replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.hub.download import Downloaded
    from ddb_query.settings import Settings
    from ddb_query.util.progress import Progress

DEMO_ROWS = 100_000


@dataclass(frozen=True)
class Removal:
    """What removing a name or a path comes to.

    Attributes:
        forget: What was added, whose files stay.
        delete: Files that ddb itself wrote.

    """

    forget: Added = field(default_factory=Added)
    delete: tuple[Path, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.forget.tables or self.forget.parts or self.delete)


class Catalog:
    """The datasets of one user: what they have added, one data folder, one cache folder."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.registry = Registry(settings.config_dir)

    def names(self) -> list[str]:
        """Names of all datasets, the built-in ones first.

        Raises:
            DamagedRegistryError: What was added cannot be read.

        """
        own = (table.name for table in self.registry.read().tables if table.name not in DATASETS)
        return [*DATASETS, *sorted(own)]

    def dataset(self, name: str) -> Dataset:
        """A dataset by its name, whether or not its table is there.

        Raises:
            UnknownDatasetError: There is none of that name; carries close matches.

        """
        if name in DATASETS:
            return DATASETS[name]
        added = self.registry.read().table(name)
        if added is None:
            names = self.names()
            raise UnknownDatasetError(
                name, difflib.get_close_matches(name, names, cutoff=0.5), names
            )
        return added_dataset(added.name, added.images, added.path)

    def added(self, name: str) -> AddedTable | None:
        """The table that was added under a name, if it counts.

        With `--data-dir`, 2m and large are those of that folder and no others.
        """
        if name == "demo" or (name in PUBLISHED and self.settings.only_data_dir):
            return None
        return self.registry.read().table(name)

    def locate(self, name: str) -> Path | None:
        """Where a dataset's table lies: an added one first, the data folder's, the Hub's cache."""
        added = self.added(name)
        if added is not None:
            return added.path if may_exist(added.path) else None
        home = self.home(name)
        if home is not None and may_exist(home):
            return home
        cached = cached_file(DATASETS[name].table) if name in PUBLISHED else None
        return cached.path if cached else None

    def home(self, name: str) -> Path | None:
        """Where ddb itself puts the table of a built-in dataset; None for an added one."""
        if name not in DATASETS:
            return None
        table = DATASETS[name].table
        if name == "demo":
            return self.settings.cache_dir / "demo" / table
        return self.settings.data_dir / table

    def choose(self, wanted: str | None) -> tuple[str, str | None]:
        """The dataset to open, and a note when the choice was not said.

        Args:
            wanted: A name; None for the environment's, else 2m, else large.

        Raises:
            UnknownDatasetError: There is no dataset of that name.
            MissingDataError: None was named, and neither 2m nor large is there.

        """
        wanted = wanted or self.settings.dataset
        if wanted is not None:
            return self.dataset(wanted).name, None
        # One that was added and is gone is an error when it is opened, not another's answer.
        present = [name for name in PUBLISHED if self.added(name) or self.locate(name)]
        if not present:
            raise self._none_is_there()
        both = len(present) > 1
        note = f"using dataset {present[0]}; --dataset large has the other" if both else None
        return present[0], note

    def of_manifest(self, name: str, source_footer: str) -> str:
        """The dataset that a subset was made from: of the same table if there is one.

        Args:
            name: What it was called where the subset was made.
            source_footer: sha256 of the footer of its table.

        Raises:
            MissingDataError: There is neither that table nor a dataset of that name.

        """
        names = self.names()
        for one in sorted(names, key=lambda other: other != name):
            path = self.locate(one)
            if path is not None and _footer(path) == source_footer:
                return one
        if name not in names:
            raise MissingDataError(
                f"the table of dataset {name}, which this was made from, is not here",
                hint=f"`ddb data add TABLE --as {name}` registers it",
            )
        return name

    def table(self, engine: DuckDBEngine, name: str) -> MetadataTable:
        """The table of a dataset, checked.

        Raises:
            MissingDataError: It is not there.
            BadTableError: It is damaged, or not a metadata table.

        """
        path = self.locate(name)
        if path is None:
            raise self._missing(name)
        return check_table(engine, path)

    def pull(
        self,
        engine: DuckDBEngine,
        name: str,
        *,
        revision: str,
        patience: float = PATIENCE_SECONDS,
        progress: Progress,
        on_note: Callable[[str], None],
    ) -> Downloaded:
        """Have a dataset's table in the data folder, checked: from the Hub, or the Hub's own cache.

        Args:
            engine: Looks into the table.
            name: 2m or large.
            revision: A branch, a tag or a commit of the repository.
            patience: How many seconds are waited for a network that is not there.
            progress: Told of every block that arrives.
            on_note: Told of waits.

        Raises:
            HubError: The Hub did not give it.
            OutputError: It cannot be written.
            BadTableError: What came is not a metadata table.

        """
        from ddb_query.hub.config import Hub
        from ddb_query.hub.download import download, take_cached

        table = DATASETS[name].table
        target = self.settings.data_dir / table
        make_folder(target.parent)
        hub = Hub.from_environment(revision=revision, patience_seconds=patience)
        cached = cached_file(table, revision)
        check = partial(_check, engine)
        try:
            done = download(
                hub, table, target, progress=progress, on_note=on_note, check=check, cached=cached
            )
        except (OfflineError, NoConnectionError) as error:
            if cached is None:
                raise
            on_note(f"{error.message}; the Hub's own cache has a {table}, which is taken")
            done = take_cached(hub, cached, target, progress=progress, on_note=on_note, check=check)
        if added := self.added(name):
            on_note(
                f"{name} is still the table that you added, {added.path};"
                f" `ddb data remove {name}` makes it the one pulled"
            )
        return done

    def removal(self, what: str, path: Path) -> Removal:
        """What removing a name or a path comes to: to forget what was added, else to delete.

        Args:
            what: The name of a dataset.
            path: The same as a path.

        """
        added = self.registry.read()
        if table := added.table(what):
            return Removal(Added((table,)))
        if what in DATASETS:
            return Removal(delete=self._written(what))
        tables = tuple(table for table in added.tables if table.path == path)
        return Removal(Added(tables, tuple(one for one in added.parts if one.path == path)))

    def remove(self, removal: Removal) -> None:
        """Forget what was added, and delete files.

        Raises:
            OutputError: A file cannot be deleted.

        """
        if removal.forget != Added():
            self.registry.forget(removal.forget)
        for path in removal.delete:
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
        from ddb_query.datasets.demo import demo_sql

        if rows < 1 or seed < 0:
            raise UsageError("the demo needs at least one row and a seed from 0")
        target = self._demo
        make_folder(target.parent)
        sql, values = demo_sql(rows, seed)
        with replacing(target) as temporary:
            engine.write_parquet(Relation(sql, values), temporary)
        return check_table(engine, target)

    def ensure_demo(self, engine: DuckDBEngine) -> bool:
        """Generate the demo dataset if it is not there; returns whether it had to."""
        target = self._demo
        if target.exists():
            return False
        make_folder(target.parent)
        with locked(target):
            if target.exists():
                return False
            self.make_demo(engine)
        return True

    @property
    def _demo(self) -> Path:
        return self.settings.cache_dir / "demo" / DATASETS["demo"].table

    def _written(self, name: str) -> tuple[Path, ...]:
        """The files of a dataset that ddb itself wrote; a pull leaves a note beside its table."""
        home = self.home(name)
        if home is None:
            return ()
        notes = source_path(home)
        if name == "demo" or may_exist(notes):
            return tuple(path for path in (home, notes) if may_exist(path))
        return ()

    def _none_is_there(self) -> MissingDataError:
        """What to say when no dataset was named and there is none to choose."""
        folder = self.settings.data_dir
        hint = "`ddb data pull 2m` gets one; --dataset demo needs no download"
        if own := [name for name in self.names() if name not in DATASETS]:
            hint = f"--dataset {' or --dataset '.join(own[:3])} opens what you added; {hint}"
        if folder.is_file():
            quoted = shlex.quote(str(folder))
            hint = f"--data-dir takes a folder; `ddb data add {quoted}` registers a table"
        return MissingDataError(f"no metadata table in {folder}", hint=hint)

    def _missing(self, name: str) -> MissingDataError:
        added = self.added(name)
        if added is not None:
            return MissingDataError(
                f"{added.path}, the table of dataset {name}, was added and is not there any more",
                hint=f"`ddb data remove {name}` forgets it",
            )
        home = self.home(name) or self.settings.data_dir
        return MissingDataError(
            f"{home.name} is not in {home.parent}",
            hint=f"`{self.dataset(name).command}` gets it; --dataset demo needs no download",
        )


def _footer(table: Path) -> str | None:
    try:
        return footer(table)[0]
    except BadTableError:
        return None


def _check(engine: DuckDBEngine, path: Path) -> None:
    check_table(engine, path)
