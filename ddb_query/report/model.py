"""What a report says, before it has a form: sections of tables, charts and sentences.

Every form is made from this alone, so that all show the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

# Columns of a table of facts: each row names a number.
FACT, VALUE = "measure", "value"


@dataclass(frozen=True)
class Chart:
    """A picture of a table.

    Attributes:
        kind: What is drawn: bar, ranking, histogram, line, lines, area, lorenz or heatmap.
        fields: Which column is drawn as what: `x`, `x2`, `y`, `y2`, `color`, `scale`.
        rows: The table's rows by column name, in its order.
        meanings: What `share` and the like are of.
        series: Column that tells two selections apart; empty for one.
        bands: The order of names on an axis; empty for that of the rows.
    """

    kind: str
    fields: Mapping[str, str]
    rows: tuple[Mapping[str, Any], ...]
    meanings: Mapping[str, str] = field(default_factory=dict)
    series: str = ""
    bands: tuple[str, ...] = ()


@dataclass(frozen=True)
class Table:
    """What one query found.

    Attributes:
        name: Stable, unique in its section.
        title: A heading.
        help: One sentence that tells how to read it.
        sql: The query.
        columns: Their names.
        rows: Python values; None for NULL. A table of facts has a row for each: name and value.
        meanings: Columns that need a word, and what each share is of. In a comparison they go by
            the names that the columns of one selection have.
        facts: Whether it is one row of the query, turned on its side.
        key: Columns that tell rows apart, also of two selections.
        shared: Columns that are worth comparing.
        zeros: Those of them that are 0 where a selection has no row of a key that the other has.
        bands: The names that a column of the key may have, in order; empty when any.
        sentence: What it says, in words; may be empty.
        chart: Its picture, if it has one and there is something to draw.
    """

    name: str
    title: str
    help: str
    sql: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    meanings: Mapping[str, str] = field(default_factory=dict)
    facts: bool = False
    key: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    zeros: tuple[str, ...] = ()
    bands: tuple[str, ...] = ()
    sentence: str = ""
    chart: Chart | None = None

    def records(self) -> list[dict[str, Any]]:
        """Rows by column name."""
        return [dict(zip(self.columns, row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Section:
    """Tables about one thing."""

    name: str
    title: str
    tables: tuple[Table, ...]


@dataclass(frozen=True, repr=False)
class Report:
    """A report on one selection, or on two side by side.

    Attributes:
        title: Its heading.
        dataset: 2m, large or demo.
        images: How many images it is about.
        selections: What was selected, in words: one, or two that are compared.
        manifest: How it was made, so that it can be made again.
        sections: What was found.
    """

    title: str
    dataset: str
    images: int
    selections: tuple[str, ...]
    manifest: Mapping[str, Any]
    sections: tuple[Section, ...]

    def summary(self) -> list[str]:
        """What it is about, in a line for each selection."""
        if len(self.selections) == 1:
            return list(self.selections)
        return [f"{mark}: {words}" for mark, words in zip("AB", self.selections, strict=True)]

    def __repr__(self) -> str:
        return f"<Report: {self.title}; {'; '.join(self.selections)}>"

    def charts(self) -> list[tuple[str, Table, Chart]]:
        """Every chart with its table and a name of its own, `section-table`."""
        return [
            (f"{section.name}-{table.name}", table, table.chart)
            for section in self.sections
            for table in section.tables
            if table.chart
        ]
