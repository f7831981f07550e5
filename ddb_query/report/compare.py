"""Two reports side by side: each table's shared columns, their differences, and telling terms."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ddb_query.report.model import VALUE, Chart, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterable


FIRST, SECOND, DIFFERENCE = "a", "b", "difference"
SERIES = "selection"
RANK = "rank"


def side_by_side(
    first: Iterable[Section], second: Iterable[Section], labels: tuple[str, str]
) -> tuple[Section, ...]:
    """The same sections of two selections as one.

    Args:
        first: Of the selection that is reported on.
        second: Of the one that it is compared with; the same sections.
        labels: What charts call the two.
    """
    return tuple(
        replace(
            one,
            tables=tuple(
                _joined(a, b, labels) for a, b in zip(one.tables, other.tables, strict=True)
            ),
        )
        for one, other in zip(first, second, strict=True)
    )


def _joined(first: Table, second: Table, labels: tuple[str, str]) -> Table:
    shared = (VALUE,) if first.facts else first.shared or _values(first)
    # Ranked lists stand side by side; what shares a rank has nothing else in common.
    differs = [name for name in shared if RANK not in first.key and _numeric(name, first, second)]
    columns = list(first.key)
    for name in shared:
        columns += [f"{FIRST}_{name}", f"{SECOND}_{name}"]
        columns += [f"{DIFFERENCE}_{name}"] if name in differs else []
    ones, others = _by_key(first), _by_key(second)
    rows = [
        (*key, *_cells(ones.get(key, {}), others.get(key, {}), shared, differs))
        for key in _merged(list(ones), list(others))
    ]
    return replace(
        first,
        columns=tuple(columns),
        rows=tuple(rows),
        sentence=" ".join(
            f"{label}: {table.sentence}"
            for label, table in zip(labels, (first, second), strict=True)
            if table.sentence
        ),
        # What shares a rank has no common axis: it is in the table.
        chart=None if RANK in first.key else _chart(first.chart, second.chart, labels),
    )


def _cells(
    one: dict[str, Any], other: dict[str, Any], shared: Iterable[str], differs: Iterable[str]
) -> list[Any]:
    cells: list[Any] = []
    for name in shared:
        cells += [one.get(name), other.get(name)]
        cells += [_difference(one.get(name), other.get(name))] if name in differs else []
    return cells


def _difference(one: Any, other: Any) -> Any:
    """First minus second where both are numbers."""
    if not _is_number(one) or not _is_number(other):
        return None
    return round(one - other, 6)


def _numeric(name: str, *tables: Table) -> bool:
    return any(_is_number(record.get(name)) for table in tables for record in table.records())


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _values(table: Table) -> tuple[str, ...]:
    return tuple(name for name in table.columns if name not in table.key)


def _by_key(table: Table) -> dict[tuple[Any, ...], dict[str, Any]]:
    return {tuple(record[name] for name in table.key): record for record in table.records()}


def _merged(first: list[tuple[Any, ...]], second: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """All keys: in order where they have one, else as the first has them."""
    both = list(dict.fromkeys([*first, *second]))
    ordered = (int, float, datetime.date)
    if all(isinstance(key[0], ordered) for key in both):
        return sorted(both, key=lambda key: tuple(map(_sortable, key)))
    return both


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else value)


def _chart(first: Chart | None, second: Chart | None, labels: tuple[str, str]) -> Chart | None:
    found = first or second
    if found is None:
        return None
    rows = [
        {**row, SERIES: label}
        for chart, label in zip((first, second), labels, strict=True)
        for row in (chart.rows if chart else ())
    ]
    return replace(found, rows=tuple(rows), series=SERIES)
