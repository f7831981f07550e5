"""Finds and loads the files of `sql/`: canned queries, views and functions."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.errors import QueryFileError, UnknownQueryError, UsageError
from ddb_query.queries.canned_query import CannedQuery, parse
from ddb_query.settings import saved_queries_dir

if TYPE_CHECKING:
    from collections.abc import Callable, Container

_ENDING = ".sql"
# A query is read whole each time that queries are listed.
_LONGEST_BYTES = 1_000_000
# In one note; the others are counted.
_MOST_NAMED = 3

# Those of ddb, in the order of what they are made of.
VIEWS = (
    "images", "prompts", "activity", "source.user_totals", "users", "clauses", "terms", "repeats",
    "prompt_artists", "artists",
)  # fmt: skip


def sql_folder() -> Path:
    """The folder of ddb's own SQL: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent.parent
    packaged = package / "sql"
    return packaged if packaged.is_dir() else package.parent / "sql"


def read_sql(name: str) -> str:
    """The text of one of ddb's own SQL files, for example `views/images.sql`."""
    return (sql_folder() / name).read_text("utf-8")


def read_view(name: str) -> str:
    """The SELECT of one of ddb's own views, whose name may be qualified by its schema."""
    return read_sql(f"views/{name.rpartition('.')[2]}.sql")


class QueryLibrary:
    """The shipped canned queries, and a user's own folder of them beside these.

    A file of the user's that breaks the rules is no obstacle to the others: it is left out, and
    told of once. Only who asks for it by its name gets its error.

    Args:
        user_folder: The user's folder (`--sql-dir`, `DDB_SQL_DIR`); None for the one in which the
            shell saves queries.
        note: Told which files are left out, and why; again when that has changed.

    """

    def __init__(
        self, user_folder: Path | None = None, note: Callable[[str], None] | None = None
    ) -> None:
        self._user_folder = user_folder
        self._note = note
        self._told = ""

    def names(self) -> list[str]:
        """Names of all canned queries, sorted.

        Raises:
            UsageError: The user's folder cannot be read.

        """
        return [query.name for query in self.all()]

    def all(self) -> list[CannedQuery]:
        """All canned queries, by name; of a shipped one only the header is looked at.

        Raises:
            UsageError: The user's folder cannot be read.

        """
        shipped = _shipped_files()
        found = [_parsed(path, shipped=True, whole=False) for path in shipped.values()]
        left_out = []
        for path in self._user_files():
            try:
                found.append(_users(path, shipped))
            except QueryFileError as error:
                left_out.append(error)
        self._tell(left_out)
        return sorted(found, key=lambda query: query.name)

    def find(self, name: str) -> CannedQuery:
        """One canned query.

        Raises:
            UnknownQueryError: There is none of that name; carries close matches.
            QueryFileError: Its file breaks the rules.

        """
        shipped = _shipped_files()
        # `mine.sql` rather than `mine.SQL`, where there are both.
        files = {path.stem: path for path in reversed(self._user_files())}
        if name in files:
            return _users(files[name], shipped)
        if name in shipped:
            return _parsed(shipped[name], shipped=True)
        import difflib

        known = [*shipped, *files]
        raise UnknownQueryError(name, difflib.get_close_matches(name, known, n=3, cutoff=0.5))

    def _user_files(self) -> list[Path]:
        """The files of the user's folder, those that may be queries first."""
        if self._user_folder is not None:
            return _sql_files(self._user_folder)
        # Looked for each time: the first query may be saved while the library is in use.
        saved = saved_queries_dir()
        return _sql_files(saved) if saved.is_dir() else []

    def _tell(self, left_out: list[QueryFileError]) -> None:
        if not left_out:
            self._told = ""
            return
        named = "; ".join(error.message for error in left_out[:_MOST_NAMED])
        more = f"; and {len(left_out) - _MOST_NAMED} more" if len(left_out) > _MOST_NAMED else ""
        words = f"left out of the canned queries: {named}{more}"
        if words != self._told and self._note:
            self._note(words)
        self._told = words


def _shipped_files() -> dict[str, Path]:
    return {path.stem: path for path in (sql_folder() / "queries").glob("*.sql")}


def _users(path: Path, shipped: Container[str]) -> CannedQuery:
    """A query of the user's own."""
    if path.stem in shipped:
        raise QueryFileError(path, 1, f"{path.stem} is the name of a shipped query")
    if path.suffix != _ENDING:
        raise QueryFileError(path, 1, f"its name should end in {_ENDING}")
    return _parsed(path, shipped=False)


def _parsed(path: Path, *, shipped: bool, whole: bool = True) -> CannedQuery:
    return parse(path.stem, _read(path), path, shipped=shipped, whole=whole)


def _sql_files(folder: Path) -> list[Path]:
    """All that is called `.sql` in a folder, in whatever case; names in lower case first."""
    try:
        paths = list(folder.iterdir())
    except OSError as error:
        raise UsageError(
            f"{folder} is not a folder of queries: {error.strerror}",
            hint="--sql-dir DIR holds one .sql file a query",
        ) from error
    shown = (path for path in paths if not path.name.startswith("."))
    found = [path for path in shown if path.suffix.lower() == _ENDING]
    return sorted(found, key=lambda path: (path.name != path.name.lower(), path.name))


def _read(path: Path) -> str:
    """The text of a query's file; whatever else has that name is not opened, which might wait.

    Raises:
        QueryFileError: It is no file of text.

    """
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            raise QueryFileError(path, 1, "not a file")
        if found.st_size > _LONGEST_BYTES:
            raise QueryFileError(path, 1, f"longer than {_LONGEST_BYTES:,} bytes")
        data = path.read_bytes()
    except OSError as error:
        raise QueryFileError(path, 1, error.strerror or str(error)) from error
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise QueryFileError(path, line, "not UTF-8 text") from error
