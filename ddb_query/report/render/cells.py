"""A table of the model as text: headings and cells that all forms for people share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddb_query.report.compare import DIFFERENCE, FIRST, SECOND
from ddb_query.report.formatting import difference, heading, is_number, is_share, meant, spelled
from ddb_query.report.model import FACT

if TYPE_CHECKING:
    from ddb_query.report.model import Table

_MARKS = {FIRST: "A", SECOND: "B", DIFFERENCE: "A \N{MINUS SIGN} B"}


def headings(table: Table) -> list[str]:
    """The heading of each column."""
    return [_heading(table, column) for column in table.columns]


def rows(table: Table) -> list[list[str]]:
    """Every cell as people read it; text in it is still strangers' text, unless a `StandIn`."""
    return [
        [_cell(table, column, row, value) for column, value in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]


def about(table: Table) -> str:
    """How a table is read: what it holds, and what the columns of it mean that need a word."""
    names = (
        [str(row[0]) for row in table.rows]
        if table.facts
        else [parted(column)[1] for column in table.columns]
    )
    notes = [
        f"{heading(name)}: {table.meanings[name]}"
        for name in dict.fromkeys(names)
        if name in table.meanings and not (table.facts and is_share(name))
    ]
    of = "; ".join(notes)
    if of and any(parted(column)[0] for column in table.columns):
        of += "; each of its own selection"
    return f"{table.help} {_sentence(of)}".strip()


def numeric(table: Table) -> list[bool]:
    """Which columns stand to the right."""
    columns = zip(*table.rows, strict=True) if table.rows else ([] for _ in table.columns)
    return [
        table.columns[place] != FACT and (table.facts or any(is_number(value) for value in column))
        for place, column in enumerate(columns)
    ]


def parted(column: str) -> tuple[str, str]:
    """Which selection a column of a comparison is of, or `difference`, and what it holds."""
    mark, _, name = column.partition("_")
    return (mark, name) if mark in _MARKS and name else ("", column)


def _heading(table: Table, column: str) -> str:
    mark, name = parted(column)
    if not mark:
        return "" if table.facts else heading(column)
    return _MARKS[mark] if table.facts else f"{heading(name)} {_MARKS[mark]}"


def _cell(table: Table, column: str, row: tuple[Any, ...], value: Any) -> str:
    mark, name = parted(column)
    if table.facts:
        name = str(row[0])
        if column == FACT:
            return meant(name, table.meanings[name]) if is_share(name) else heading(name)
    return difference(name, value) if mark == DIFFERENCE else spelled(name, value)


def _sentence(words: str) -> str:
    return f"{words[0].upper()}{words[1:]}." if words else ""
