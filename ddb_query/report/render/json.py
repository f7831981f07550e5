"""A report as JSON for other programs: stable keys, numbers as they are.

`{"title", "dataset", "images", "selections", "manifest", "sections": {name: {"title", "tables":
{name: {"title", "help", "sentence", "columns", "meanings", "rows", "sql"}}}}}`; `rows` are objects
by column, `meanings` say what shares are of, and times are UTC.
"""

from __future__ import annotations

import datetime
import json
import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ddb_query.report.model import Report, Table


def json_text(report: Report) -> str:
    """A report as the text of a JSON file."""
    found = {
        "title": report.title,
        "dataset": report.dataset,
        "images": report.images,
        "selections": list(report.selections),
        "manifest": dict(report.manifest),
        "sections": {
            section.name: {
                "title": section.title,
                "tables": {table.name: _table(table) for table in section.tables},
            }
            for section in report.sections
        },
    }
    return json.dumps(_plain(found), ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _table(table: Table) -> dict[str, Any]:
    return {
        "title": table.title,
        "help": table.help,
        "sentence": table.sentence,
        "columns": list(table.columns),
        "meanings": dict(table.meanings),
        "rows": table.records(),
        "sql": table.sql,
    }


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, datetime.datetime):
        return f"{value.isoformat()}Z"
    return value.isoformat() if isinstance(value, datetime.date) else value
