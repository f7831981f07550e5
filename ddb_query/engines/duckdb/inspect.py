"""What a statement reads and calls, from DuckDB's own parser."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    import duckdb

# The nodes of a query that only read; a CTE may COPY, INSERT, UPDATE or DELETE.
_READS = {"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"}
# Functions that are written without brackets.
_WITHOUT_BRACKETS = {
    "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp",
}  # fmt: skip


class Call(NamedTuple):
    """A call of a function: its name, in lower case, and how many arguments it has."""

    name: str
    arguments: int


@dataclass
class Parsed:
    """One SELECT.

    Attributes:
        tables: Tables, views and files that it names, without those that it defines itself.
        table_functions: Functions that it reads rows from.
        calls: All functions that it calls.
        writes: Kinds of nodes that write.
        samples: Whether it takes a random sample.
    """

    tables: set[str] = field(default_factory=set)
    table_functions: set[str] = field(default_factory=set)
    calls: set[Call] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)
    samples: bool = False


def parsed_select(connection: duckdb.DuckDBPyConnection, sql: str) -> Parsed | None:
    """What a statement reads and calls; None when it is not one SELECT."""
    return parsed(serialised(connection, sql))


def serialised(connection: duckdb.DuckDBPyConnection, sql: str) -> str:
    """The tree of a statement as JSON, which tells of an error where it is no SELECT."""
    relation = connection.sql("select json_serialize_sql($sql)", params={"sql": sql})
    return str(relation.fetchall()[0][0]) if relation else ""


def parsed(serialised: str) -> Parsed | None:
    """What `json_serialize_sql` tells of a statement; None when it is no SELECT."""
    tree = json.loads(serialised)
    if tree.get("error") or len(tree["statements"]) != 1:
        return None
    found = Parsed()
    own: set[str] = set()
    for node in _nodes(tree):
        _look(node, found, own)
    found.tables -= own
    return found


def outer_columns(serialised: str) -> set[str]:
    """Names without a table in a SELECT, in lower case; those within subqueries left out."""
    tree = json.loads(serialised)
    found = (
        node["column_names"]
        for node in _nodes(tree, outer=True)
        if node.get("type") == "COLUMN_REF" and len(node["column_names"]) == 1
    )
    return {str(name).lower() for (name,) in found}


def _look(node: dict[str, Any], found: Parsed, own: set[str]) -> None:
    kind = str(node.get("type", ""))
    if kind == "BASE_TABLE":
        places = (node.get("catalog_name"), node.get("schema_name"), node.get("table_name"))
        found.tables.add(".".join(place for place in places if place and place != "main"))
    if kind == "TABLE_FUNCTION":
        found.table_functions.add(str(node["function"].get("function_name")).lower())
        # It is a node of its own within this one.
        node["function"].pop("function_name")
    if "function_name" in node:
        arguments = node.get("arguments") or node.get("children") or ()
        found.calls.add(Call(str(node["function_name"]).lower(), len(arguments)))
    if kind == "COLUMN_REF" and str(node["column_names"][-1]).lower() in _WITHOUT_BRACKETS:
        found.calls.add(Call(str(node["column_names"][-1]).lower(), 0))
    if kind == "SHOW_REF":
        found.table_functions.add("describe")
    if kind.endswith("_NODE") and kind not in _READS:
        found.writes.add(kind.partition("_")[0])
    found.samples |= bool(node.get("sample"))
    for one in node.get("cte_map", {}).get("map", []):
        own.add(str(one["key"]))


def _nodes(tree: object, *, outer: bool = False) -> Iterator[dict[str, Any]]:
    waiting = [tree]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict) and not (outer and one.get("type") == "SUBQUERY"):
            yield one
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)
