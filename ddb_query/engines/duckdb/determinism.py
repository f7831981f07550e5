"""Whether a SELECT gives the same rows whenever it is asked of the same tables.

`sql/determinism.toml` says it of every function: the list is ddb's own, so that another version of
DuckDB changes no answer. A function that it lacks is not known, and said to be so.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from ddb_query.queries.library import read_sql, sql_folder

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ddb_query.engines.duckdb.inspect import Call, Parsed

_OWN_MACROS = frozenset({"hash60", "image_suffix", "images_from", "repeated_rows"})
_WHY = {
    "time": "whose value changes with time",
    "random": "which is random",
    "threads": "whose value depends on the order in which threads end",
    "session": "whose value is of this session",
    "version": "whose value is another in another version of DuckDB",
    "effect": "which does more than read",
}


@dataclass(frozen=True)
class FunctionRules:
    """What is known of functions.

    Attributes:
        version: Of the list; it is kept in each manifest.
        deterministic: Names of those that give the same value for the same arguments.
        prefixes: What the names of more of them begin with.
        row_makers: Table functions whose rows depend on their arguments alone.
        changing: For the others, by name, what their value depends on.
        with_arguments: Functions that are changing only with so many arguments.
    """

    version: int
    deterministic: frozenset[str]
    prefixes: tuple[str, ...]
    row_makers: frozenset[str]
    changing: dict[str, str] = field(default_factory=dict)
    with_arguments: dict[str, int] = field(default_factory=dict)

    def why_not(self, call: Call) -> str | None:
        """Why a call may give another value another time; None when it cannot."""
        if call.name in self.changing or self.with_arguments.get(call.name) == call.arguments:
            return f"it calls {call.name}(), {_WHY[self.changing.get(call.name, 'time')]}"
        if call.name in self.deterministic or call.name.startswith(self.prefixes):
            return None
        return f"it calls {call.name}(), which this version of ddb does not know"


@cache
def function_rules() -> FunctionRules:
    """What `sql/determinism.toml` says."""
    import tomllib

    said: dict[str, Any] = tomllib.loads(read_sql("determinism.toml"))
    own = {path.stem for path in (sql_folder() / "functions").glob("*.sql")}
    return FunctionRules(
        said["version"],
        _OWN_MACROS.union(
            own, *(said[key].split() for key in ("deterministic", "operators", "of_the_parser"))
        ),
        tuple(said["deterministic_prefixes"]),
        frozenset(said["rows"].split()),
        {name: kind for kind, names in said["changing"].items() for name in names.split()},
        said["changing_with_arguments"],
    )


def why_not_repeatable(found: Parsed, tables: Iterable[str]) -> str | None:
    """Why the rows of a SELECT may be others another time; None when they cannot.

    Args:
        found: What it reads and calls.
        tables: Views and tables that stay as they are.
    """
    rules = function_rules()
    if foreign := (found.tables - {*tables}) | (found.table_functions - rules.row_makers):
        return f"it reads {', '.join(sorted(foreign))}, which is no view of ddb's"
    if found.samples:
        return "it takes a random sample"
    reasons = (rules.why_not(call) for call in sorted(found.calls))
    return next((reason for reason in reasons if reason), None)
