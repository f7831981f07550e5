"""How a report was made, line by line, for its readers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddb_query.report.model import Report


def lines(report: Report) -> list[tuple[str, str]]:
    """Name and value of everything in the manifest."""
    return [
        (
            name.replace("_", " "),
            value if isinstance(value, str) else json.dumps(value, ensure_ascii=False),
        )
        for name, value in report.manifest.items()
        if value not in (None, "", [], {})
    ]
