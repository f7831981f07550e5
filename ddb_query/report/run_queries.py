"""Runs the queries of a report over a selection: `sql/reports/corpus/`, a folder a section.

A query is a canned query of the form of docs/queries.md whose file is called `N-name.sql`, with the
header keys more that docs/report.md describes. One without a `key` gives one row, a table of facts.
"""

from __future__ import annotations

import re
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ddb_query.engines.base import Relation, Result
from ddb_query.errors import QueryFileError, UnknownNameError
from ddb_query.queries.canned_query import CannedQuery, parse
from ddb_query.queries.library import sql_folder
from ddb_query.report.formatting import is_share, spelled
from ddb_query.report.log_odds import Counted
from ddb_query.report.model import FACT, VALUE, Chart, Section, Table
from ddb_query.util.progress import step

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pyarrow as pa

    from ddb_query.engines.base import Engine
    from ddb_query.util.progress import Progress

EXTRA_KEYS = frozenset({"title", "sentence", "key", "compare", "chart", "private", "tell", "bands"})
IMAGES_SQL = "select count(*) as images from images"
# Views that say of each prompt what all prompts of the corpus say together: as they are, whatever
# the selection.
_OF_THE_CORPUS = frozenset({"prompt_artists"})
PROMPTS_SQL = "select count(*) as prompts from prompts"
# What SQL reads from, as far as it is a name, with or without its schema.
_SOURCE = re.compile(r"\b(from|join)\s+(?:(?:main|source)\.)?(\w+)")


@dataclass(frozen=True)
class Scope:
    """What a report is about.

    Attributes:
        engine: Whom to ask.
        relation: The images; None for all of the corpus.
        stored: Whether the corpus has a store, so that its views answer at once.
    """

    engine: Engine
    relation: Relation | None = None
    stored: bool = False

    def answers(self, name: str) -> bool:
        """Whether a view of the corpus can be used as it is."""
        if name in _OF_THE_CORPUS:
            return self.stored
        if self.relation is not None:
            return False
        return name == "images" or (self.stored and _is_view(name))


def section_names() -> list[str]:
    """The names of all sections, in order."""
    return [name for name, _ in _folders()]


@dataclass(frozen=True)
class Found:
    """What the queries found.

    Attributes:
        sections: One for each that was asked for.
        images: How many images were selected.
        counted: For a comparison, what tells selections apart, by the table that it is about.
    """

    sections: tuple[Section, ...]
    images: int
    counted: Mapping[tuple[str, str], Counted] = field(default_factory=dict)


def find(
    scope: Scope,
    sections: Sequence[str] = (),
    *,
    users: bool = False,
    compared: bool = False,
    progress: Progress | None = None,
    whose: str = "",
) -> Found:
    """Run the queries of some sections, or of all.

    Args:
        scope: What they are about.
        sections: Names of sections; empty for all.
        users: Whether private columns are shown.
        compared: Whether to count all that may tell the selection from another.
        progress: Told of every section.
        whose: What stands before the name of a section when it is told.

    Raises:
        UsageError: There is no section of that name.
        SqlError: The engine failed.
    """
    chosen = [(name, _queries(folder)) for name, folder in _folders(sections)]
    found: list[Section] = []
    counted: dict[tuple[str, str], Counted] = {}
    with _tables(scope) as make:
        # First, while the names that these views read mean the corpus.
        texts = [query.sql for _, queries in chosen for query in queries]
        make([f"from {name}" for name in _read_by(texts) if name in _OF_THE_CORPUS])
        with step(progress, f"{whose}the images", 0, len(chosen), "sections"):
            make([IMAGES_SQL])
        images = _asked(scope.engine, IMAGES_SQL)["images"][0].as_py()
        for place, (name, queries) in enumerate(chosen):
            label = f"{whose}section {place + 1} of {len(chosen)}: {name}"
            with step(progress, label, place, len(chosen), "sections"):
                make([query.sql for query in queries])
                tables = tuple(_table(scope.engine, query, users=users) for query in queries)
                found.append(Section(name, _title(name), tables))
                if compared:
                    told = {(name, q.name): _counted(scope.engine, q) for q in queries if _tells(q)}
                    counted |= told
    return Found(tuple(found), images, counted)


@contextmanager
def _tables(scope: Scope) -> Iterator[Callable[[Sequence[str]], None]]:
    """Yield what makes the tables that SQL names; they are dropped at the end of the block."""
    made: set[str] = set()
    with ExitStack() as stack:

        def make(texts: Sequence[str]) -> None:
            for table in _read_by(texts):
                if table in made or scope.answers(table):
                    continue
                if table not in _OF_THE_CORPUS:
                    make([_sql(table)])
                made.add(table)
                stack.enter_context(scope.engine.kept(table, _making(table, scope)))

        yield make


def _asked(engine: Engine, sql: str) -> pa.Table:
    return Result(engine.answer(Relation(sql))).arrow()


def _tells(query: CannedQuery) -> bool:
    return "tell" in query.extras


def _counted(engine: Engine, query: CannedQuery) -> Counted:
    name, _, sql = query.extras["tell"].partition(": ")
    sql = sql or query.sql
    counts = _asked(engine, sql).select([name, "prompts"])
    return Counted(name, sql, counts, _asked(engine, PROMPTS_SQL)["prompts"][0].as_py())


def _folders(sections: Sequence[str] = ()) -> list[tuple[str, Path]]:
    folders = sorted(path for path in (sql_folder() / "reports/corpus").iterdir() if path.is_dir())
    known = {path.name.partition("-")[2]: path for path in folders}
    for name in sections:
        if name not in known:
            raise UnknownNameError("section", name, known)
    return [(name, path) for name, path in known.items() if not sections or name in sections]


def _queries(folder: Path) -> list[CannedQuery]:
    return [
        parse(path.stem.partition("-")[2], path.read_text("utf-8"), path, extra_keys=EXTRA_KEYS)
        for path in sorted(folder.glob("*.sql"))
    ]


def _read_by(texts: Iterable[str]) -> list[str]:
    """The tables of a report that SQL reads, in the order in which it names them."""
    named = dict.fromkeys(name for text in texts for _, name in _SOURCE.findall(text))
    return [name for name in named if _path(name).is_file()]


def _path(table: str) -> Path:
    """Where the SQL of a table is: a report's own, or else a view's, made of the selection."""
    ours = sql_folder() / f"reports/tables/{table}.sql"
    return ours if ours.is_file() else sql_folder() / f"views/{table}.sql"


def _is_view(name: str) -> bool:
    return (sql_folder() / f"views/{name}.sql").is_file()


def _sql(table: str) -> str:
    """The SELECT of a table; what it reads has no schema, so that it is what was made here."""
    return _SOURCE.sub(r"\1 \2", _path(table).read_text("utf-8"))


def _making(table: str, scope: Scope) -> Relation:
    if table in _OF_THE_CORPUS:
        return Relation(f"from {table}")
    if table != "images" or scope.relation is None:
        return Relation(_sql(table))
    selection = scope.relation
    return Relation(f"with selection as (\n{selection.sql}\n)\n{_sql(table)}", selection.values)


def _table(engine: Engine, query: CannedQuery, *, users: bool) -> Table:
    answer = engine.answer(Relation(query.sql, query.values({})))
    # One row more tells whether the list goes on.
    result = Result(answer.head(query.limit + 1) if answer and query.limit else answer)
    columns = [column.name for column in result.columns]
    hidden = () if users else _names(query.extras.get("private", ""))
    shown = [place for place, column in enumerate(columns) if column not in hidden]
    found_rows = result.rows()
    goes_on = query.limit is not None and len(found_rows) > query.limit
    rows = tuple(tuple(row[place] for place in shown) for row in found_rows[: query.limit])
    names = tuple(columns[place] for place in shown)
    _check(query, columns)
    key = _names(query.extras.get("key", ""))
    sentence = _sentence(query, names, rows)
    if not key:
        rows, names = tuple(zip(names, rows[0], strict=True)), (FACT, VALUE)
    more = f" The list goes on after these {query.limit}." if goes_on else ""
    found = Table(
        query.name, query.extras.get("title", query.name), query.description + more, query.sql,
        names, rows, dict(query.columns), not key, key or (FACT,), *_compared(query),
        tuple(filter(None, query.extras.get("bands", "").split(" | "))), sentence,
    )  # fmt: skip
    return replace(found, chart=_chart(query, found))


def _check(query: CannedQuery, columns: Sequence[str]) -> None:
    named = _names(", ".join(query.extras.get(key, "") for key in ("key", "private")))
    named += _compared(query)[0]
    for name in (*named, *(name for name, _ in query.columns)):
        if name and name not in columns:
            raise QueryFileError(query.path, 1, f"there is no column {name} in the result")
    meanings = dict(query.columns)
    for name in columns:
        if is_share(name) and not meanings.get(name, "").startswith("of "):
            problem = f"`-- column: {name}: of …` says what the share is of"
            raise QueryFileError(query.path, 1, problem)


def _sentence(query: CannedQuery, names: Sequence[str], rows: Sequence[tuple[Any, ...]]) -> str:
    """The sentence with the values of the first row; none where one of them is not known."""
    template = query.extras.get("sentence", "")
    used = set(re.findall(r"\{(\w+)\}", template))
    values = dict(zip(names, rows[0], strict=True)) if rows else {}
    if not used or any(values.get(name) is None for name in used):
        return ""
    return template.format_map({name: spelled(name, values[name]) for name in used})


def _chart(query: CannedQuery, table: Table) -> Chart | None:
    kind, _, rest = query.extras.get("chart", "").partition(" ")
    if not kind or not table.rows:
        return None
    fields = dict(part.split("=", 1) for part in rest.split())
    return Chart(kind, fields, tuple(table.records()), table.meanings, bands=table.bands)


def _compared(query: CannedQuery) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The columns that are compared, and those of them with `= 0` behind their name."""
    named = [name.partition("=") for name in _names(query.extras.get("compare", ""))]
    names = tuple(name.strip() for name, _, _ in named)
    return names, tuple(name.strip() for name, _, zero in named if zero.strip() == "0")


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _title(name: str) -> str:
    return "NSFW scores" if name == "nsfw" else name.capitalize()
