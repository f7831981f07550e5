"""A report as Markdown."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.console.tables import markdown_text
from ddb_query.report.formatting import StandIn
from ddb_query.report.render import cells
from ddb_query.report.render.manifest_lines import lines as manifest_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from ddb_query.report.model import Report, Table


def markdown(report: Report) -> str:
    """A report as the text of a Markdown file."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    yield f"# {markdown_text(report.title)}"
    yield ""
    for words in report.summary():
        yield markdown_text(words) + "  "
    for section in report.sections:
        yield f"\n## {markdown_text(section.title)}"
        for table in section.tables:
            yield from _table(table)
    yield "\n## How this was made\n"
    yield from (
        f"- {markdown_text(name)}: {markdown_text(value)}" for name, value in manifest_lines(report)
    )


def _table(table: Table) -> Iterator[str]:
    yield f"\n### {markdown_text(table.title)}\n"
    yield markdown_text(cells.about(table))
    if table.sentence:
        yield f"\n**{markdown_text(table.sentence)}**"
    yield ""
    if not table.rows:
        yield "Nothing to show."
        return
    yield _row(map(markdown_text, cells.headings(table)))
    yield _row("--:" if right else "---" for right in cells.numeric(table))
    yield from (_row(map(_shown, row)) for row in cells.rows(table))


def _row(parts: Iterable[str]) -> str:
    return f"| {' | '.join(parts)} |"


def _shown(cell: str) -> str:
    """A value, or what stands in place of one, set apart from data."""
    return f"*{markdown_text(cell)}*" if isinstance(cell, StandIn) else markdown_text(cell)
