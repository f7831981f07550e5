"""Finds and loads the files of `sql/`: canned queries, views and functions."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ddb_query.errors import QueryFileError, UnknownQueryError, UsageError
from ddb_query.query_file import CannedQuery, parse

# Those of ddb, in the order of what they are made of.
VIEWS = (
    "images", "prompts", "activity", "source.user_totals", "users", "clauses", "terms", "repeats",
    "prompt_artists", "artists",
)  # fmt: skip


def sql_folder() -> Path:
    """The folder of ddb's own SQL: inside the installed package, or beside it in a checkout."""
    package = Path(__file__).parent
    packaged = package / "sql"
    return packaged if packaged.is_dir() else package.parent / "sql"


def read_sql(name: str) -> str:
    """The text of one of ddb's own SQL files, for example `views/images.sql`."""
    return (sql_folder() / name).read_text("utf-8")


def read_view(name: str) -> str:
    """The SELECT of one of ddb's own views, whose name may be qualified by its schema."""
    return read_sql(f"views/{name.rpartition('.')[2]}.sql")


@dataclass(frozen=True)
class QueryLibrary:
    """The shipped canned queries, and a user's own folder of them beside these.

    Attributes:
        user_folder: The user's folder (`--sql-dir`, `DDB_SQL_DIR`), if there is one.

    """

    user_folder: Path | None = None

    def names(self) -> list[str]:
        """Names of all canned queries, sorted.

        Raises:
            UsageError: The user's folder cannot be read.
            QueryFileError: A user's query takes a shipped name.

        """
        return sorted(self._files())

    def all(self) -> list[CannedQuery]:
        """All canned queries, by name; their headers are checked, their SQL is not looked at.

        Raises:
            QueryFileError: A header breaks the rules.

        """
        files = self._files()
        return [self._load(files[name], whole=False) for name in sorted(files)]

    def find(self, name: str) -> CannedQuery:
        """One canned query.

        Raises:
            UnknownQueryError: There is none of that name; carries close matches.
            QueryFileError: Its file breaks the rules.

        """
        files = self._files()
        if name not in files:
            import difflib

            raise UnknownQueryError(name, difflib.get_close_matches(name, files, n=3, cutoff=0.5))
        return self._load(files[name])

    def _load(self, path: Path, *, whole: bool = True) -> CannedQuery:
        shipped = path.parent != self.user_folder
        return parse(path.stem, _read(path), path, shipped=shipped, whole=whole)

    def _files(self) -> dict[str, Path]:
        files = {path.stem: path for path in (sql_folder() / "queries").glob("*.sql")}
        if self.user_folder is not None:
            for path in _user_files(self.user_folder):
                if path.stem in files:
                    raise QueryFileError(path, 1, f"{path.stem} is the name of a shipped query")
                files[path.stem] = path
        return files


def _user_files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UsageError(
            f"{folder} is not a folder of queries", hint="--sql-dir DIR holds one .sql file a query"
        )
    return [path for path in folder.glob("*.sql") if not path.name.startswith(".")]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        raise QueryFileError(path, line, "not UTF-8 text") from error
    except OSError as error:
        raise QueryFileError(path, 1, error.strerror or str(error)) from error
