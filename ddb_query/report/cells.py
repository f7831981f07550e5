"""A table of the model as text: headings and cells that all of people's faces share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ddb_query.report.compare import DIFFERENCE, FIRST, SECOND
from ddb_query.report.model import FACT
from ddb_query.report.spelling import difference, heading, is_number, spelled

if TYPE_CHECKING:
    from ddb_query.report.model import Table

_MARKS = {FIRST: "A", SECOND: "B", DIFFERENCE: "A \N{MINUS SIGN} B"}


def headings(table: Table) -> list[str]:
    """The heading of each column."""
    return [_heading(table, column) for column in table.columns]


def rows(table: Table) -> list[list[str]]:
    """Every cell as people read it; text in it is still strangers' text."""
    return [
        [_cell(table, column, row, value) for column, value in zip(table.columns, row, strict=True)]
        for row in table.rows
    ]


def numeric(table: Table) -> list[bool]:
    """Which columns stand to the right."""
    columns = zip(*table.rows, strict=True) if table.rows else ([] for _ in table.columns)
    return [
        table.columns[place] != FACT and (table.facts or any(is_number(value) for value in column))
        for place, column in enumerate(columns)
    ]


def _split(column: str) -> tuple[str, str]:
    mark, _, name = column.partition("_")
    return (mark, name) if mark in _MARKS and name else ("", column)


def _heading(table: Table, column: str) -> str:
    mark, name = _split(column)
    if not mark:
        return "" if table.facts else heading(column)
    return _MARKS[mark] if table.facts else f"{heading(name)} {_MARKS[mark]}"


def _cell(table: Table, column: str, row: tuple[Any, ...], value: Any) -> str:
    mark, name = _split(column)
    if table.facts:
        if column == FACT:
            return heading(str(value))
        name = str(row[0])
    return difference(name, value) if mark == DIFFERENCE else spelled(name, value)
