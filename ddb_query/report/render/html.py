"""A report as one HTML file that needs nothing else: no network, no script but its own few lines.

Text of the data is escaped and its control and bidirectional characters are shown as escapes. The
policy in its head lets nothing load, and takes one script and one style, known by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.report import charts
from ddb_query.report.formatting import StandIn
from ddb_query.report.render import cells
from ddb_query.report.render.manifest_lines import lines as manifest_lines
from ddb_query.util.escape import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddb_query.report.model import Report, Section, Table

# Opens and closes all that is folded; on paper the tables are open.
_SCRIPT = """
const folded = () => document.querySelectorAll('details');
const button = document.querySelector('button');
button.hidden = false;
button.addEventListener('click', () => {
  const open = button.getAttribute('aria-pressed') !== 'true';
  button.setAttribute('aria-pressed', open);
  folded().forEach(part => { part.open = open; });
});
addEventListener('beforeprint', () => document.querySelectorAll('details.data').forEach(part => {
  part.open = true;
}));
"""
# Tables of more rows scroll in a window of their own.
_LONG_ROWS = 40


def html(report: Report) -> str:
    """A report as the text of an HTML file."""
    return "\n".join(_page(report)) + "\n"


def _page(report: Report) -> Iterator[str]:
    style = Path(__file__).with_name("page.css").read_text("utf-8")
    policy = (
        f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(_SCRIPT)}';"
        " base-uri 'none'; form-action 'none'"
    )
    yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{_text(report.title)}</title>\n<style>{style}</style>\n</head>\n<body>"
    yield '<a class="skip" href="#report">Skip to the report</a>'
    yield from _header(report)
    yield '<div class="layout">'
    yield from _contents(report)
    yield '<main id="report">'
    for place, section in enumerate(report.sections, 1):
        yield from _section(place, section)
    yield from _made(report)
    yield f"</main>\n</div>\n<script>{_SCRIPT}</script>\n</body>\n</html>"


def _header(report: Report) -> Iterator[str]:
    yield f"<header>\n<h1>{_text(report.title)}</h1>"
    for line in report.summary():
        yield f'<p class="about">{_text(line)}</p>'
    yield '<button type="button" aria-pressed="false" hidden>Unfold everything</button>\n</header>'


def _contents(report: Report) -> Iterator[str]:
    yield '<nav aria-label="Sections"><ol>'
    for section in report.sections:
        yield f'<li><a href="#{section.name}">{_text(section.title)}</a></li>'
    yield '<li><a href="#made">How this was made</a></li></ol></nav>'


def _section(place: int, section: Section) -> Iterator[str]:
    yield f'<section aria-labelledby="{section.name}">'
    yield f'<h2 id="{section.name}"><span class="number">{place}</span>{_text(section.title)}</h2>'
    for table in section.tables:
        yield from _article(f"{section.name}-{table.name}", table)
    yield "</section>"


def _article(name: str, table: Table) -> Iterator[str]:
    yield f'<article id="{name}">\n<h3>{_text(table.title)}</h3>'
    if table.sentence:
        yield f'<p class="sentence">{_text(table.sentence)}</p>'
    yield f'<p class="help">{_text(cells.about(table))}</p>'
    if not table.rows:
        yield "<p>Nothing to show.</p>"
    elif table.chart:
        yield from _figure(name, table)
        yield f'<details class="data"><summary>Table: {_text(table.title)}</summary>'
        yield from _grid(table)
        yield "</details>"
    elif table.facts and len(table.columns) == 2:
        yield from _facts(table)
    else:
        yield from _grid(table)
    yield f'<details class="sql"><summary>SQL: {_text(table.title)}</summary>'
    yield f'<pre tabindex="0">{escape(table.sql)}</pre></details>\n</article>'


def _figure(name: str, table: Table) -> Iterator[str]:
    if table.chart is None:
        return
    words = printable(charts.alternative(table.chart, table))
    yield "<figure>"
    for kind, width in (("wide", charts.WIDE), ("narrow", charts.NARROW)):
        drawn = charts.inline(table.chart, f"{name}-{kind}", words, width)
        yield f'<div class="{kind}">{drawn}</div>'
    yield "</figure>"


def _facts(table: Table) -> Iterator[str]:
    yield '<dl class="facts">'
    for name, value in cells.rows(table):
        yield f"<div><dt>{_text(name)}</dt><dd>{_shown(value)}</dd></div>"
    yield "</dl>"


def _grid(table: Table) -> Iterator[str]:
    right = cells.numeric(table)
    long = " long" if len(table.rows) > _LONG_ROWS else ""
    yield f'<div class="scroll{long}" tabindex="0" role="region" aria-label="{_text(table.title)}">'
    yield "<table>\n<thead><tr>"
    for heading, number in zip(cells.headings(table), right, strict=True):
        kind = ' class="number-cell"' if number else ""
        yield f'<th scope="col"{kind}>{_text(heading)}</th>' if heading else "<td></td>"
    yield "</tr></thead>\n<tbody>"
    for row in cells.rows(table):
        parts = zip(row, right, strict=True)
        yield "<tr>" + "".join(_cell(cell, number=number) for cell, number in parts) + "</tr>"
    yield "</tbody>\n</table>\n</div>"


def _cell(cell: str, *, number: bool) -> str:
    return f'<td class="{"number-cell" if number else "text"}">{_shown(cell)}</td>'


def _shown(cell: str) -> str:
    """A value, or what stands in place of one, set apart from data."""
    return f"<i>{_text(cell)}</i>" if isinstance(cell, StandIn) else _text(cell)


def _made(report: Report) -> Iterator[str]:
    yield '<section aria-labelledby="made">\n<h2 id="made">How this was made</h2>'
    yield '<dl class="made">'
    for name, value in manifest_lines(report):
        yield f"<dt>{_text(name)}</dt><dd>{_text(value)}</dd>"
    yield "</dl>\n</section>"


def _text(text: str) -> str:
    return escape(printable(text), quote=True)


def _hash(text: str) -> str:
    """How a content security policy knows inline text: https://www.w3.org/TR/CSP3/#hash-source."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
