"""The DuckDB engine: the only module that imports duckdb, and the one place that opens it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING
from weakref import WeakSet

import duckdb

from ddb_query.engines.arrow_files import mapped
from ddb_query.engines.base import BATCH_ROWS, LOOKED_AT, Answer, Relation
from ddb_query.engines.duckdb.corruption import damage
from ddb_query.engines.duckdb.external_files import relation_of
from ddb_query.engines.duckdb.inspect import Parsed, outer_columns, parsed, serialised
from ddb_query.engines.duckdb.last_result import LastResult, repeats
from ddb_query.engines.duckdb.rows import DuckDBRows
from ddb_query.engines.duckdb.watchdog import Watchdog
from ddb_query.engines.float_bounds import without_bounds
from ddb_query.engines.table_files import arrow_files, is_partitioned, table_files
from ddb_query.errors import (
    ComparedWithTextError,
    InterruptedByUserError,
    OtherProcessError,
    OutOfMemoryError,
    OutputError,
    SqlError,
    TimedOutError,
    UsageError,
)
from ddb_query.queries.library import VIEWS, read_view, sql_folder
from ddb_query.util.atomic_files import alive, make_folder
from ddb_query.util.forks import held_in_forks
from ddb_query.util.sql_tokens import parameter_hint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Self

    import pyarrow as pa

    from ddb_query.diffusiondb import Dataset
    from ddb_query.search.index import Hits
    from ddb_query.util.progress import Progress

MINIMUM_MEMORY = 1_000_000_000
# How long the rows of a result that a screen shows in part are counted.
_COUNT_SECONDS = 5.0

_KEYS = "hash60(prompt) as prompt_id, image_name as image_key"
_HASH60 = "create or replace macro hash60(x) as cast('0x' || substr(md5(x), 1, 15) as bigint)"
_HITS = """
select unnest(cast($ids as bigint[])) as prompt_id, unnest(cast($scores as double[])) as score
"""
# What has no table was not a text or a parameter, and is refused; NULL finds nothing.
_SEARCH = """
create schema if not exists searches;
create table if not exists searches.search_nothing(prompt_id bigint, score double);
create or replace macro search(words) as table
from query_table('searches.search_' || coalesce(md5(words), 'nothing'));
"""
_NO_SEARCH_TABLE = re.compile(r"Table with name search_[0-9a-f]{32} does not exist")
_NO_SEARCH_BY_ROW = 'Table function "query_table" does not support lateral join'
_GIVES_ROWS = {"SELECT", "EXPLAIN", "PRAGMA", "CALL", "MULTI", "EXECUTE", "RELATION", "SHOW"}
_MAY_DO_SOMETHING = _GIVES_ROWS - {"SELECT", "EXPLAIN", "RELATION"}
_PLAN = "select unnest(string_split(rtrim(explain_value, chr(10)), chr(10))) as plan from plan"
_BUILD = "ddb data build"
_IMAGES = "select columns(lambda name: not starts_with(name, 'published_')) from source.images"
MEMBERS = {
    "dataset": "varchar", "part_id": "integer", "image_name": "varchar", "header_offset": "bigint",
    "compressed_size": "bigint", "size": "bigint", "crc32": "bigint", "method": "integer",
    "source": "varchar", "etag": "varchar",
}  # fmt: skip
_MEMBERS = """select distinct on (dataset, image_name) * from source.directories
order by dataset, image_name, source <> 'hub', etag"""
_OTHER_TYPE = (
    "Conversion Error: Could not convert string", "Binder Error: Cannot compare values of type",
)  # fmt: skip
_QUOTED_TEXT = re.compile(r"string '.*' to", re.DOTALL)
_NAMES_HINT = '`ddb sql "show tables"` lists the views, `ddb sql "describe images"` their columns'


@dataclass(frozen=True)
class Limits:
    """What a connection may use.

    Attributes:
        threads: Number of threads; None for one a core.
        memory: As DuckDB writes it (`8GB`); None for a quarter of the machine's, at least 1 GB.
        timeout_seconds: How long one statement may run; None for ever.

    """

    threads: int | None = None
    memory: str | None = None
    timeout_seconds: float | None = None


class DuckDBEngine:
    """SQL on DuckDB, in this process.

    One engine serves one thread; `cursor` gives another over the same data.
    """

    name = "duckdb"
    version = duckdb.__version__

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        limits: Limits,
        progress: Progress | None = None,
        spill: Path | None = None,
        memory: tuple[str, str] = ("", ""),
    ) -> None:
        self._opened = held_in_forks(connection)
        # DuckDB's threads are not there in a forked process: a statement would wait for ever.
        self._process = os.getpid()
        # The limit that it was opened with, exactly, and as DuckDB tells it.
        self._memory = memory
        self._limits = limits
        self._progress = progress
        self._spill = spill
        self._last: LastResult | None = None
        # The tables that are read, and the command that makes each anew.
        self._files: dict[Path, str] = {}
        # The views over tables as they were saved.
        self.table_views: set[str] = {"metadata", "metadata_large"}
        # All that share the database and are still in use.
        self._cursors: WeakSet[DuckDBEngine] = WeakSet([self])
        connection.execute("set enable_progress_bar = true")
        connection.execute("set enable_progress_bar_print = false")

    @property
    def _connection(self) -> duckdb.DuckDBPyConnection:
        self.check_process()
        return self._opened

    def check_process(self) -> None:
        """See that this is the process that opened the database.

        Raises:
            OtherProcessError: It is one that was forked from it.
        """
        if os.getpid() != self._process:
            raise OtherProcessError(self._process)

    @classmethod
    def open(cls, cache: Path, limits: Limits, progress: Progress | None = None) -> Self:
        """Open a database in memory.

        Args:
            cache: Large intermediate results spill into a folder of this process below it.
            limits: What it may use.
            progress: Called while a statement runs.

        Raises:
            UsageError: A limit is not of DuckDB's form.

        """
        spill = _spill_folder(cache)
        memory = limits.memory or _default_memory()
        config: dict[str, str | bool | int | float | list[str]] = {
            "autoinstall_known_extensions": False,
            "memory_limit": memory,
            "python_enable_replacements": False,
            "temp_directory": str(spill),
        }
        if limits.threads is not None:
            config["threads"] = limits.threads
        try:
            connection = duckdb.connect(":memory:", config=config)
        except duckdb.Error as error:
            raise UsageError(
                _words(error), hint="--memory-limit takes 8GB, 500MB; --threads a number from 1"
            ) from error
        connection.execute("set global TimeZone = 'UTC'")
        # A statement is bound several times, and a footer of many row groups takes long to read.
        connection.execute("set global parquet_metadata_cache = true")
        setting = connection.execute("select current_setting('memory_limit')").fetchall()
        return cls(connection, limits, progress, spill, (memory, str(setting[0][0])))

    def add_table(
        self, view: str, path: Path, command: str, columns: Mapping[str, str] | None = None
    ) -> None:
        """Show a parquet file, or a folder of them, as a view.

        Args:
            view: The view's name, which may be qualified.
            path: The file or folder; never a pattern.
            command: What makes it anew when it is damaged.
            columns: The columns to show, and each as SQL over those of the table; None for all of
                a file that ddb wrote.

        """
        self._files |= dict.fromkeys(table_files(path), command)
        with self._running():
            table = self._table(path)
            if columns is not None:
                shown = (f'{sql} as "{name}"' for name, sql in columns.items())
                table = without_bounds(table).project(", ".join(shown))
            table.create_view(view)

    def name_table(self, view: str, other: str) -> None:
        """Show a view over a table under another name too, which is ddb's own."""
        self._connection.execute(f'create or replace view "{view}" as from "{other}"')
        self.table_views.add(view)

    def columns_of(self, path: Path) -> dict[str, str]:
        """Names and types of the columns of a parquet file, or a folder of them, from the footers.

        Raises:
            SqlError: It cannot be read as parquet.

        """
        with self._running():
            table = self._table(path)
            return dict(zip(table.columns, map(str, table.types), strict=True))

    def columns(self, view: str) -> list[str]:
        """Names of the columns of a view."""
        with self._running():
            return self._connection.view(view).columns

    def problem_of(self, path: Path) -> str | None:
        """Read a parquet file from end to end; what DuckDB says if it cannot be read."""
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(
                    "select bit_xor(hash(columns(*))) from read_parquet($path)",
                    {"path": self.literal_path(path)},
                ).fetchall()
        except duckdb.Error as error:
            return _words(error)
        return None

    @contextlib.contextmanager
    def looking_at(self, path: Path) -> Iterator[None]:
        """Show a parquet file, or a folder of them, as `LOOKED_AT` while the block lasts.

        Raises:
            SqlError: It cannot be read.
        """
        with self._running():
            without_bounds(self._table(path)).create_view(LOOKED_AT, replace=True)
        try:
            yield
        finally:
            self._connection.execute(f"drop view {LOOKED_AT}")

    def literal_path(self, path: Path) -> str:
        """A path that DuckDB's readers take as it stands, whatever marks are in it."""
        return "".join(f"[{mark}]" if mark in "*?[" else mark for mark in str(path))

    def write_parquet(self, relation: Relation, path: Path, compression: str = "zstd") -> None:
        """Write rows to a parquet file by DuckDB itself, in their order.

        For tables of ddb's own; what a user asks for goes through `DuckDBRows.reader`.

        Raises:
            OutputError: The disk is full, or otherwise does not take it.

        """
        with self._running():
            found = self._connection.sql(relation.sql, params=dict(relation.values) or None)
            if found is None:
                return
            try:
                found.write_parquet(str(path), compression=compression, row_group_size=BATCH_ROWS)
            except duckdb.IOException as error:
                number = re.search(r'"errno":"(\d+)"', str(error))
                problem = os.strerror(int(number[1])) if number else _words(error)
                raise OutputError(path.parent, problem) from error

    @contextlib.contextmanager
    def kept(self, name: str, relation: Relation) -> Iterator[None]:
        """Work out rows once, and have them answer to a name while the block lasts.

        The name is this connection's alone and hides a view of the same name. The rows lie in a
        file of this process, so that they take no memory.

        Raises:
            OutputError: The disk is full.

        """
        folder = self._made_spill_folder()
        path = folder / f"{name}-{os.urandom(8).hex()}.parquet"
        try:
            self.write_parquet(relation, path, compression="snappy")
            quoted = self.literal_path(path).replace("'", "''")
            with self._running():
                self._connection.execute(
                    f"create temp view {name} as from read_parquet('{quoted}')"
                )
            try:
                yield
            finally:
                self._connection.execute(f"drop view temp.{name}")
        finally:
            path.unlink(missing_ok=True)

    def _made_spill_folder(self) -> Path:
        answer = self.answer(Relation("select current_setting('temp_directory')"))
        return make_folder(Path(str(next(answer.cells())[0] if answer else "")))

    def _table(self, path: Path, *, partitions: bool = True) -> duckdb.DuckDBPyRelation:
        """The rows of a parquet file, or of all in a folder, whose columns may differ in type.

        Of a folder without any, those of its Arrow files.

        Args:
            path: The file or folder.
            partitions: Whether values that folders are named by, as `part_id=7`, are columns.
        """
        if arrow := arrow_files(path):
            return self._connection.from_arrow(mapped(arrow))
        files = table_files(path)
        return self._connection.from_parquet(
            [self.literal_path(file) for file in files] or [self.literal_path(path / "*.parquet")],
            hive_partitioning=partitions and is_partitioned(path),
            union_by_name=len(files) > 1,
        )

    def define(
        self,
        dataset: Dataset,
        source: Path,
        columns: Mapping[str, str],
        repeated: int,
        store: Path | None = None,
    ) -> None:
        """Define ddb's functions, and its views over one metadata table.

        Args:
            dataset: Which one.
            source: Its metadata table.
            columns: Published columns, each as SQL over those of the table.
            repeated: How many rows have the image name of another, and are left out.
            store: Folder of its derived tables; those that are there take the views' places.
        """
        with self._running(limited=False):
            run = self._connection.execute
            self.table_views.add(dataset.view)
            # The names of built-in datasets alone.
            images = f"'{dataset.images}'" if dataset.images else "cast(null as varchar)"
            run(_HASH60)
            run(_SEARCH)
            run(f"create or replace macro images_from() as {images}")
            run(f"create or replace macro image_suffix() as '{dataset.image_suffix}'")
            run(f"create or replace macro repeated_rows() as {repeated}::bigint")
            for path in sorted((sql_folder() / "functions").glob("*.sql")):
                text = path.read_text("utf-8")
                run(f"create or replace macro {text[3 : text.index(':')]} as (\n{text}\n)")
            run("create schema if not exists source")
            run("set schema = 'source'")
            try:
                self._define_source(dataset, source, columns, repeated, store)
            finally:
                run("set schema = 'main'")
            run(f"create or replace view images as {_IMAGES}")
            for view in VIEWS[1:]:
                if store and (store / f"{view}.parquet").exists():
                    self.add_table(view, store / f"{view}.parquet", _BUILD)
                else:
                    run(f"create or replace view {view} as\n{read_view(view)}")

    def _define_source(
        self,
        dataset: Dataset,
        source: Path,
        columns: Mapping[str, str],
        repeated: int,
        store: Path | None,
    ) -> None:
        """Show the published columns and `prompt_id` as `metadata`, from a store if possible."""
        if store is None:
            self.add_table("published", source, dataset.command, columns)
            rows = read_view("published_once") if repeated else "from source.published"
            sql = (
                f"from (\n{rows}\n) select *, hash60(prompt) as prompt_id, image_name as image_key"
            )
        else:
            images = store / "images.parquet"
            self.add_table("stored", images, _BUILD)
            named = self.columns_of(images)["image_name"] == "VARCHAR"
            name = "image_name" if named else "cast(image_name as varchar) || image_suffix()"
            # The name is one of the two expressions above.
            sql = (
                f"select {name} as image_name, * exclude (image_name), image_name as image_key"  # noqa: S608
                " from source.stored"
            )
        self._connection.execute(f"create or replace view metadata as {sql}")
        view = read_view("images")
        self._connection.execute(f"create or replace view images as\n{view}")

    def add_members(self, folder: Path) -> None:
        """Show the directories of parts seen so far as `members`.

        Args:
            folder: With a folder for each dataset, and in it a parquet file for each part.
        """
        try:
            pattern = f"{self.literal_path(folder)}/*/part-*.parquet"
            found = self._connection.from_parquet(pattern, hive_partitioning=False)
            found = found.filter("image_name is not null").project(", ".join(MEMBERS))
        except duckdb.Error:
            # None are there yet, or somebody damaged one: other views must answer all the same.
            nothing = ", ".join(f"null::{kind} as {name}" for name, kind in MEMBERS.items())
            found = self._connection.sql(f"select {nothing} where false")
        run = self._connection.execute
        run("set schema = 'source'")
        try:
            found.create_view("directories", replace=True)
        finally:
            run("set schema = 'main'")
        # Zips near and far may hold the same image: it is one row, the Hub's if that is known.
        run(f"create or replace view members as {_MEMBERS}")

    @contextlib.contextmanager
    def frugal(self, most_bytes: int | None) -> Iterator[None]:
        """Have statements spill rather than take more memory, and give back what they took.

        Args:
            most_bytes: The limit while the block lasts; None leaves it as it is. It is the
                database's: a lower one stays, and so does any where other cursors are open.

        Raises:
            OutOfMemoryError: A statement cannot do with so little.
        """
        with self._connection.cursor() as beside:
            shown, lower = beside.execute(
                "select current_setting('memory_limit') as shown,"
                " $most < parse_formatted_bytes(shown)",
                {"most": most_bytes or 0},
            ).fetchall()[0]
            if shown != self._memory[1]:
                # Somebody's own `set memory_limit`, which DuckDB tells in rounded words only.
                yield
                return
            if most_bytes and lower and len(self._cursors) == 1:
                beside.execute(f"set memory_limit = '{most_bytes}B'")
            try:
                yield
            finally:
                # Setting it, even to what it is, has the allocator give back what is free.
                beside.execute(f"set memory_limit = '{self._memory[0]}'")

    def fill_search_table(self, name: str, hits: Hits) -> None:
        """Make the table that `search` reads for some words: prompt_id and score, the best first.

        Args:
            name: `search_` and the md5 of the words.
            hits: All prompts that match.
        """
        with self._running():
            self._connection.execute(
                f"create or replace table searches.{name} as {_HITS}",
                {"ids": hits.prompt_ids.tolist(), "scores": hits.scores.tolist()},
            )

    def drop_search_table(self, name: str) -> None:
        """Drop a table that `fill_search_table` made."""
        with self._running():
            self._connection.execute(f"drop table if exists searches.{name}")

    def check_condition(self, view: str, condition: str) -> None:
        """See whether text is one boolean expression over a view.

        Raises:
            SqlError: It is not; DuckDB's words say why.
        """
        with self._running():
            self._connection.view(view).filter(condition)

    def check_order(self, rows: Relation, name: str, order: str) -> None:
        """See whether text is what rows can be ordered by.

        Args:
            rows: A SELECT.
            name: What stands before a column, as in `images.seed`.
            order: The text.

        Raises:
            SqlError: It is not; the columns are named.
        """
        with self._running():
            found = self._connection.sql(rows.sql, params=dict(rows.values) or None).set_alias(name)
            columns = found.columns
        hint = f"one can order by {', '.join(columns)}"
        try:
            with self._running():
                found.order(order)
        except SqlError as error:
            raise SqlError(error.message, hint=hint) from error
        if name in outer_columns(self._serialised(f"select 1 order by {order}")) - set(columns):
            # DuckDB would order by the whole row.
            raise SqlError(f"{name} is no column to order by", hint=hint)

    def parsed(self, sql: str) -> Parsed | None:
        """What a statement reads and calls; None when it is not one SELECT.

        Raises:
            SqlError: It is not SQL.
        """
        self.statements(sql)
        return parsed(self._serialised(sql))

    def _serialised(self, sql: str) -> str:
        with self._running():
            return serialised(self._connection, sql)

    @contextlib.contextmanager
    def shown(self, name: str, table: pa.Table) -> Iterator[None]:
        """Have an Arrow table answer to a name on this connection, while the block lasts."""
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    def look_at(self, path: Path, form: str, names: Sequence[str]) -> dict[str, str]:
        """Show a file that ddb wrote as the view `LOOKED_AT`, text formats as text.

        Args:
            path: The file, or a folder of parquet files.
            form: The format that it was written in.
            names: The columns that it should have.

        Returns:
            Names and types of its columns.

        Raises:
            SqlError: It cannot be read.
        """
        with self._running():
            if form == "parquet":
                found = without_bounds(self._table(path, partitions=False))
            else:
                found = relation_of(self._connection, path, self.literal_path(path), form, names)
            found.create_view(LOOKED_AT, replace=True)
            return dict(zip(found.columns, map(str, found.types), strict=True))

    def lock(self, files: Iterable[Path]) -> None:
        """Let nothing be read or written from now on but these files, nor be set otherwise."""
        run = self._connection.execute
        paths = ", ".join("'" + str(path).replace("'", "''") + "'" for path in files)
        run(f"set allowed_paths = [{paths}]")
        run("set enable_external_access = false")
        run("set lock_configuration = true")

    @contextlib.contextmanager
    def silent(self) -> Iterator[None]:
        """Report no progress of statements, while the block reports that of the whole."""
        progress, self._progress = self._progress, None
        try:
            yield
        finally:
            self._progress = progress

    @contextlib.contextmanager
    def lossless(self) -> Iterator[None]:
        """Hand UUIDs to Arrow as what they are, while the block lasts."""
        self._connection.execute("set arrow_lossless_conversion = true")
        try:
            yield
        finally:
            self._connection.execute("set arrow_lossless_conversion = false")

    def statements(self, sql: str) -> list[Relation]:
        """Split SQL into statements; `values` holds the parameters of each, not yet bound.

        Raises:
            SqlError: It is not SQL.
            UsageError: It is not text, or has parameters without a name.

        """
        try:
            sql.encode()
        except UnicodeEncodeError as error:
            raise UsageError("the SQL is not UTF-8 text") from error
        try:
            with self._running():
                found = self._connection.extract_statements(sql)
        except SqlError as error:
            error.hint = error.hint or parameter_hint(sql)
            raise
        for statement in found:
            if any(name.isdigit() for name in statement.named_parameters):
                raise UsageError("a parameter needs a name", hint="write $name, not ? or $1")
        return [
            Relation(statement.query, dict.fromkeys(sorted(statement.named_parameters)))
            for statement in found
        ]

    def answer(self, relation: Relation) -> DuckDBRows | None:
        """Run a statement, or describe it when it is a SELECT; None when it gives no rows.

        Raises:
            SqlError: DuckDB refuses it.

        """
        running = partial(self._running, values=relation.values)
        with running():
            kind = self._connection.extract_statements(relation.sql)[0].type.name
            found = self._connection.sql(relation.sql, params=dict(relation.values) or None)
            if found is not None and kind == "EXPLAIN":
                found = found.query("plan", _PLAN) or found
        if found is None or _says_only_that_it_ran(kind, found.columns):
            return None
        return DuckDBRows(
            running, found, is_text=kind == "EXPLAIN",
            statement=relation if kind == "SELECT" else None, counter=self._count,
        )  # fmt: skip

    def keep(self, answer: Answer) -> tuple[DuckDBRows, int | None]:
        """Run a statement and keep its rows as `_`; its first rows, and how many there are.

        Raises:
            SqlError: It fails while it runs.

        """
        if not isinstance(answer, DuckDBRows):
            raise UsageError("a result of another engine cannot be kept by this one")
        if self._last is None:
            self._last = LastResult(self._connection, self._running, self.table_views)
        return self._last.keep(answer)

    def _count(self, answer: DuckDBRows) -> int | None:
        """How many rows an answer has; None when another run might give another number.

        Raises:
            TimedOutError: It takes longer than somebody would wait for a number.
        """
        with self._running(_COUNT_SECONDS):
            told, views = answer.statement, self.table_views
            if told and not repeats(self._connection, told, views):
                return None
            return int(answer.relation.count("*").fetchall()[0][0])

    def cursor(self, *, silent: bool = False) -> DuckDBEngine:
        """The same views and tables for another thread; temporary ones are not shared.

        Args:
            silent: Whether its progress is not told.

        """
        progress = None if silent else self._progress
        with self._running():
            found = DuckDBEngine(
                self._connection.cursor(), self._limits, progress, memory=self._memory
            )
            found._files = self._files
            found.table_views = self.table_views
            found._cursors = self._cursors
            found._cursors.add(found)
            return found

    def interrupt(self) -> None:
        """Stop what runs now; may be called from another thread, and when nothing runs."""
        with contextlib.suppress(duckdb.ConnectionException):
            self._connection.interrupt()

    def close(self) -> None:
        """Close the connection and remove what it spilled; in a forked process do nothing."""
        if os.getpid() != self._process:
            return
        self._connection.close()
        self._cursors.discard(self)
        if self._spill is not None:
            shutil.rmtree(self._spill, ignore_errors=True)

    @contextlib.contextmanager
    def _running(
        self,
        at_most_seconds: float | None = None,
        values: Mapping[str, object] = MappingProxyType({}),
        *,
        limited: bool = True,
    ) -> Iterator[None]:
        """Watch over a statement with its values, and turn DuckDB's errors into ours.

        Args:
            at_most_seconds: How long it may take.
            values: Of its parameters.
            limited: Whether it may take no longer than a user's statement.

        """
        self.check_process()
        limits = (self._limits.timeout_seconds if limited else None, at_most_seconds)
        timeout = min((seconds for seconds in limits if seconds is not None), default=None)
        with Watchdog(
            self.interrupt,
            timeout_seconds=timeout,
            percent=self._percent,
            progress=self._progress,
        ) as watch:
            try:
                yield
            except duckdb.ResourceInUseException as error:
                raise UsageError(
                    "an earlier result is still being read",
                    hint="read it to its end, or use corpus.cursor()",
                ) from error
            except (duckdb.Error, OSError) as error:
                # Out of an Arrow stream DuckDB's errors come as OSError, with the same words.
                words = _words(error)
                raise self._failure(words, watch, timeout, values) from error
            except RuntimeError as error:
                # What DuckDB raises for a Ctrl-C that it noticed itself.
                if watch.interrupted or str(error) == "Query interrupted":
                    raise KeyboardInterrupt from error
                raise

    def _failure(
        self, words: str, watch: Watchdog, timeout: float | None, values: Mapping[str, object]
    ) -> BaseException:
        if watch.timed_out and timeout:
            return TimedOutError(timeout)
        if watch.interrupted:
            return KeyboardInterrupt()
        if words.startswith("INTERRUPT Error"):
            return InterruptedByUserError()
        if words.startswith("Out of Memory Error"):
            return OutOfMemoryError(words)
        if _NO_SEARCH_TABLE.search(words) or _NO_SEARCH_BY_ROW in words:
            return SqlError(
                "search() takes one quoted text or one parameter",
                hint="write search('castle') or search($words); it cannot search once for each row",
            )
        if damaged := damage(words, self._files, self.problem_of):
            return damaged
        if compared := _compared_with_text(words, values):
            return compared
        unknown_name = words.startswith(("Catalog Error", "Binder Error"))
        return SqlError(words, hint=_NAMES_HINT if unknown_name else None)

    def _percent(self) -> float:
        try:
            return self._connection.query_progress()
        except duckdb.ConnectionException:
            return -1.0


def _words(error: BaseException) -> str:
    return str(error).strip()


def _compared_with_text(words: str, values: Mapping[str, object]) -> ComparedWithTextError | None:
    """The error for a number compared with text, if that is what DuckDB's words may mean."""
    others = [(name, value) for name, value in values.items() if not isinstance(value, str)]
    if not others or not words.startswith(_OTHER_TYPE):
        return None
    name, value = others[0]
    written = "null" if value is None else str(value)
    written = written.lower() if isinstance(value, bool) else written
    return ComparedWithTextError(_QUOTED_TEXT.sub("string '…' to", words), name, written)


def _says_only_that_it_ran(kind: str, columns: list[str]) -> bool:
    """Whether the columns are the ones that DuckDB gives where there are no rows to give."""
    if kind not in _GIVES_ROWS:
        return columns in (["Count"], ["Success"])
    return kind in _MAY_DO_SOMETHING and columns == ["Success"]


def _default_memory() -> str:
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return f"{max(total // 4, MINIMUM_MEMORY)}B"


def _spill_folder(cache: Path) -> Path:
    """A folder of this process for spilled data, not made yet; those of dead ones are removed."""
    base = cache / "spill"
    # DuckDB makes a folder, but not its parents. Without one, only what must spill fails.
    with contextlib.suppress(OSError):
        base.mkdir(parents=True, exist_ok=True)
    for folder in base.glob("*") if base.is_dir() else ():
        if folder.name.isdecimal() and not alive(int(folder.name)):
            shutil.rmtree(folder, ignore_errors=True)
    return base / str(os.getpid())
