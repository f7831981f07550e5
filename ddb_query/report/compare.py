"""Two reports side by side: each table's shared columns, their differences, and telling terms."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ddb_query.report.model import VALUE, Chart, Section, Table

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

Record = dict[str, Any]

FIRST, SECOND, DIFFERENCE = "a", "b", "difference"
SERIES = "selection"
RANK = "rank"
COUNT, SHARE = "images", "share"


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
    # Ranked lists stand beside each other whole; what shares a rank has nothing else in common.
    ranked = RANK in first.key
    columns = [f"{side}_{name}" for side in (FIRST, SECOND) for name in shared]
    if not ranked:
        differs = [name for name in shared if _numeric(name, first, second)]
        marks = {
            name: (FIRST, SECOND, *([DIFFERENCE] if name in differs else [])) for name in shared
        }
        columns = [f"{mark}_{name}" for name, of in marks.items() for mark in of]
    ones, others = _by_key(first), _by_key(second)
    keys = _merged(list(ones), list(others), first.bands)
    rows = [
        (*key, *_cells(columns, *(_record(side, key, first.zeros) for side in (ones, others))))
        for key in keys
    ]
    return replace(
        first,
        columns=(*first.key, *columns),
        rows=tuple(rows),
        sentence=" ".join(
            f"{label}: {table.sentence}"
            for label, table in zip(labels, (first, second), strict=True)
            if table.sentence
        ),
        # What shares a rank has no common axis: it is in the table.
        chart=None if ranked else _chart(first, second, labels),
    )


def _record(
    side: dict[tuple[Any, ...], Record], key: tuple[Any, ...], zeros: Iterable[str]
) -> Record:
    """The row of a key; of no images where there is none, and of none that is known without any."""
    return side.get(key, dict.fromkeys(zeros, 0) if side else {})


def _cells(columns: Iterable[str], one: Record, other: Record) -> list[Any]:
    cells = []
    for column in columns:
        mark, _, name = column.partition("_")
        a, b = one.get(name), other.get(name)
        cells.append({FIRST: a, SECOND: b}.get(mark) if mark != DIFFERENCE else _difference(a, b))
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


def _by_key(table: Table) -> dict[tuple[Any, ...], Record]:
    return {tuple(record[name] for name in table.key): record for record in table.records()}


def _merged(
    first: list[tuple[Any, ...]], second: list[tuple[Any, ...]], bands: Sequence[str]
) -> list[tuple[Any, ...]]:
    """All keys: in order where they have one, else as each has them among its own."""
    if bands:
        return sorted({*first, *second}, key=lambda key: tuple(map(bands.index, key)))
    ordered = (int, float, datetime.date)
    if all(isinstance(key[0], ordered) for key in (*first, *second)):
        return sorted({*first, *second}, key=lambda key: tuple(map(_sortable, key)))
    found, place = list(first), 0
    for key in second:
        if key in first:
            place = found.index(key) + 1
        else:
            found.insert(place, key)
            place += 1
    return found


def _sortable(value: Any) -> tuple[bool, Any]:
    return (value is None, "" if value is None else value)


def _chart(first: Table, second: Table, labels: tuple[str, str]) -> Chart | None:
    """The chart of both; two selections differ in size, so that it draws shares, not counts."""
    found = first.chart or second.chart
    if found is None:
        return None
    rows = [
        {**record, SERIES: label}
        for label, table in zip(labels, (first, second), strict=True)
        for record in table.records()
    ]
    fields = dict(found.fields)
    if fields["y"] == COUNT and SHARE in first.columns:
        fields["y"] = SHARE
    return replace(found, fields=fields, rows=tuple(rows), series=SERIES)
