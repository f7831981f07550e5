"""The ledger of a folder: for each image whether it is wanted, fetched or failed; an SQLite file.

One thread of one process writes it (the folder is locked), and a commit stands for files that are
on the disk already: a kill loses at most the last moments of it, never a file.
"""

from __future__ import annotations

import contextlib
import json
import sqlite3
from typing import TYPE_CHECKING, Any, NamedTuple

from ddb_query.errors import MissingDataError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

_SCHEMA = """
create table if not exists facts (name text primary key, value text not null);
create table if not exists images (
    image_name text primary key,
    part_id integer not null,
    width integer not null,
    height integer not null,
    file text not null,
    state text not null default 'wanted' check (state in ('wanted', 'fetched', 'failed')),
    bytes integer,
    sha256 text,
    source text,
    error text,
    run integer not null
) without rowid;
create index if not exists images_by_part on images (part_id, image_name);
create table if not exists checked_parts (part_id integer primary key);
create table if not exists differences (
    image_name text, field text, in_metadata text, in_json text,
    primary key (image_name, field)
) without rowid;
"""


class WantedImage(NamedTuple):
    """An image that is to be fetched, and the file that it is to be, below the folder."""

    name: str
    part_id: int
    width: int
    height: int
    file: str


class Outcome(NamedTuple):
    """What came of an image.

    Attributes:
        name: The image's.
        bytes: Of its file.
        sha256: Of its file.
        source: Where it was found.
        error: Why there is none.
        again: Whether the next run should try again.
    """

    name: str
    bytes: int | None = None
    sha256: str | None = None
    source: str | None = None
    error: str | None = None
    again: bool = False


class Difference(NamedTuple):
    """A field of an image that is not the same in the metadata and in its part's JSON."""

    name: str
    field: str
    in_metadata: str | None
    in_json: str | None

    @property
    def problem(self) -> str | None:
        """Why the JSON of a whole part could not be compared; else None."""
        return self.in_json if self.field == _NOT_COMPARED else None


# What a difference is about when the whole JSON of a part could not be compared.
_NOT_COMPARED = "json"


def json_name(part_id: int) -> str:
    """Name of a part's JSON in its zip."""
    return f"part-{part_id:06d}.json"


def not_compared(part_id: int, problem: str) -> Difference:
    """What is written down when the JSON of a part could not be compared."""
    return Difference(json_name(part_id), _NOT_COMPARED, None, problem)


class Ledger:
    """The ledger of one folder; `ledger_of` opens it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.run = 0

    def begin(self, facts: Mapping[str, str]) -> dict[str, str]:
        """Begin a run; returns the facts of an earlier one that are not those of this one.

        Args:
            facts: What all runs into one folder must have in common.
        """
        known = dict(self._all("select name, value from facts"))
        different = {n: known[n] for n, value in facts.items() if known.get(n, value) != value}
        self.run = int(known.get("run", 0)) + 1
        if not different:
            new = {**facts, "run": str(self.run)}
            self._many("insert or replace into facts values (?, ?)", new.items())
            self.commit()
        return different

    def fact(self, name: str) -> str | None:
        """A fact of the folder."""
        return next((value for (value,) in self._all(
            "select value from facts where name = ?", name
        )), None)  # fmt: skip

    def want(self, images: Iterable[WantedImage]) -> None:
        """Have these images in this run; what an earlier one fetched stays fetched."""
        self._many(
            "insert into images (image_name, part_id, width, height, file, run)"
            " values (?, ?, ?, ?, ?, ?) on conflict (image_name) do update set run = excluded.run,"
            " error = case state when 'failed' then error end,"
            " file = case state when 'fetched' then file else excluded.file end",
            ((*image, self.run) for image in images),
        )

    def record(self, outcomes: Iterable[Outcome]) -> None:
        """Write down what came of images."""
        self._many(
            "update images set bytes = ?2, sha256 = ?3, source = ?4, error = ?5,"
            " state = case when ?5 is null then 'fetched' when ?6 then 'wanted' else 'failed' end"
            " where image_name = ?1",
            outcomes,
        )

    def want_again(self, names: Iterable[str]) -> None:
        """Fetch images again whose files are gone."""
        self._many(
            "update images set state = 'wanted', bytes = null, sha256 = null, error = null"
            " where image_name = ?",
            ((name,) for name in names),
        )

    def forget_failures(self) -> None:
        """Try the failed images of this run again."""
        self._many(
            "update images set state = 'wanted', error = null"
            " where state = 'failed' and file <> '' and run = ?",
            [(self.run,)],
        )

    def move(self, names: Iterable[str], file: str) -> None:
        """Images are in another file now."""
        self._many(
            "update images set file = ?1 where image_name = ?2", ((file, name) for name in names)
        )

    def differ(self, part_id: int, differences: Sequence[Difference]) -> None:
        """Write down how a part's JSON differs; one that could not be read is read again."""
        self._many("delete from differences where image_name = ?", [(json_name(part_id),)])
        self._many("insert or replace into differences values (?, ?, ?, ?)", differences)
        if not any(difference.problem for difference in differences):
            self._many("insert or ignore into checked_parts values (?)", [(part_id,)])

    def unchecked_parts(self) -> list[int]:
        """Parts of this run whose JSON was not compared yet."""
        return [part for (part,) in self._all(
            "select distinct part_id from images where run = ?"
            " and part_id not in (select part_id from checked_parts) order by 1", self.run,
        )]  # fmt: skip

    def missing(self) -> Iterator[tuple[int, list[WantedImage]]]:
        """Parts with the images of this run that are not fetched yet, in order."""
        for part_id, _ in self.missing_parts():
            rows = self._all(
                "select image_name, part_id, width, height, file from images"
                " where part_id = ? and state = 'wanted' and run = ? order by image_name",
                part_id, self.run,
            )  # fmt: skip
            yield part_id, [WantedImage(*row) for row in rows]

    def missing_parts(self) -> list[tuple[int, int]]:
        """Parts with the number of images of this run that are not fetched yet."""
        return [(part, count) for part, count in self._all(
            "select part_id, count(*) from images where state = 'wanted' and run = ?"
            " group by 1 order by 1", self.run,
        )]  # fmt: skip

    def files_of(self, names: Iterable[str]) -> dict[str, str]:
        """Names and files of those of these images that are fetched."""
        return dict(self._all(
            "select image_name, file from images"
            " where state = 'fetched' and image_name in (select value from json_each(?))",
            json.dumps(list(names)),
        ))  # fmt: skip

    def shards(self) -> set[str]:
        """Files that images were packed into."""
        return {file for (file,) in self._all(
            "select distinct file from images where state = 'fetched' and file like 'images-%'"
        )}  # fmt: skip

    def fetched(self) -> Iterator[tuple[str, str, int]]:
        """Names, files and bytes of all fetched images, by part and name."""
        yield from self._connection.execute(
            "select image_name, file, bytes from images where state = 'fetched'"
            " order by part_id, image_name"
        )

    def failures(self) -> Iterator[tuple[str, str]]:
        """Names and errors of the images of this run that could not be had, by part and name."""
        yield from self._connection.execute(
            "select image_name, error from images where error is not null and run = ?"
            " order by part_id, image_name", (self.run,),
        )  # fmt: skip

    def differences(self) -> list[Difference]:
        """How the JSON of parts differs from the metadata."""
        return [Difference(*row) for row in self._all("select * from differences")]

    def states(self) -> dict[str, int]:
        """How many images of this run are in each state."""
        return {"wanted": 0, "fetched": 0, "failed": 0} | dict(
            self._all("select state, count(*) from images where run = ? group by 1", self.run)
        )

    def commit(self) -> None:
        """Make what was recorded last."""
        self._connection.commit()

    def _all(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        return self._connection.execute(sql, values).fetchall()

    def _many(self, sql: str, rows: Iterable[tuple[object, ...]]) -> None:
        self._connection.executemany(sql, rows)


@contextlib.contextmanager
def ledger_of(path: Path, *, read_only: bool = False) -> Iterator[Ledger]:
    """Open a ledger, which is made when it is not there; what is recorded is kept at the end.

    Raises:
        MissingDataError: It is damaged, or not there and only to be read.
        OutputError: It cannot be written.
    """
    mode = "ro" if read_only else "rwc"
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True)
        with contextlib.closing(connection):
            if not read_only:
                connection.executescript(_SCHEMA)
            try:
                yield Ledger(connection)
            finally:
                connection.commit()
    except sqlite3.OperationalError as error:
        raise OutputError(path, str(error)) from error
    except sqlite3.DatabaseError as error:
        hint = f"delete {path} and run `ddb fetch` again: images that are there are kept"
        raise MissingDataError(f"{path} is damaged: {error}", hint=hint) from error
