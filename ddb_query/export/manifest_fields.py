"""How a subset was made, as its manifest says it."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import TYPE_CHECKING

from ddb_query.datasets.manifest import Manifest
from ddb_query.engines.duckdb.content_hash import content_hash
from ddb_query.engines.duckdb.determinism import function_rules
from ddb_query.errors import BadManifestError, UsageError
from ddb_query.selection.criteria import Criteria
from ddb_query.store.paths import MATCH_RULES

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from ddb_query.engines.base import Column
    from ddb_query.engines.duckdb.content_hash import Tally
    from ddb_query.export.subset import Layout
    from ddb_query.selection.query import SelectionQuery
    from ddb_query.workspace.workspace import Source, Workspace


def of_selection(
    selection: SelectionQuery,
    columns: Sequence[Column],
    tally: Tally,
    layout: Layout,
) -> Manifest:
    """The manifest of a selection that has been written.

    Args:
        selection: What was selected.
        columns: Those written.
        tally: Of the rows written.
        layout: How; when it is hashed the tally began with the sums of the content hash.
    """
    found = _common(selection.workspace, columns, tally, layout.form, hashed=layout.hashed)
    found |= {
        "kind": "selection",
        **said_of(selection.criteria),
        "published": layout.published,
        "partition_by": layout.partition,
        "subset": selection.names_hash,
        "strata": [stratum.to_json() for stratum in selection.strata],
        "replayable": selection.unrepeatable is None,
        "reason": selection.unrepeatable,
    }
    return Manifest(**found)  # type: ignore[arg-type]


def said_of(criteria: Criteria) -> dict[str, object]:
    """What a manifest says of criteria: the fields, and what they come to."""
    return {
        "selection": criteria.to_json(),
        "policy": criteria.thresholds.to_json(),
        "seed": criteria.seed if criteria.thins else None,
    }


def criteria_of(path: Path, said: Manifest) -> Criteria:
    """The criteria that the manifest of a selection says.

    Raises:
        BadManifestError: They make no sense, or it says something else of them elsewhere.
    """
    try:
        criteria = Criteria.from_json(said.selection)
    except (UsageError, TypeError) as error:
        raise BadManifestError(
            path, f"has a selection that makes no sense: {error.args[0]}"
        ) from error
    for name, value in said_of(criteria).items():
        if name != "selection" and getattr(said, name) != value:
            raise BadManifestError(path, f"has a {name} that is not the one of its selection")
    return criteria


def of_statement(
    workspace: Workspace,
    columns: Sequence[Column],
    tally: Tally,
    form: str,
    *,
    hashed: bool,
    said: dict[str, object],
    unrepeatable: str | None,
) -> Manifest:
    """The manifest of the rows of SQL or of a canned query.

    Args:
        workspace: Where it was asked.
        columns: Those written.
        tally: Of the rows written.
        form: The file's format.
        hashed: Whether the tally began with the sums of the content hash.
        said: kind, sql or query, and parameters.
        unrepeatable: Why it cannot be made again; None when it can.
    """
    found = _common(workspace, columns, tally, form, hashed=hashed)
    found |= {**said, "replayable": unrepeatable is None, "reason": unrepeatable}
    return Manifest(**found)  # type: ignore[arg-type]


def _common(
    workspace: Workspace, columns: Sequence[Column], tally: Tally, form: str, *, hashed: bool
) -> dict[str, object]:
    source: Source = workspace.source
    return {
        "dataset": source.dataset.name,
        "images": source.dataset.images,
        "source_footer": source.store.footer_sha256,
        "columns": [[column.name, column.type] for column in columns],
        "rows": tally.rows,
        "form": form,
        "content_hash": content_hash(tally.rows, *_two(tally)) if hashed else None,
        "match_rules": MATCH_RULES,
        "revision": source.revision,
        "versions": {
            "ddb": version("ddb-query"),
            workspace.engine.name: workspace.engine.version,
            "python": platform.python_version(),
            "function_rules": str(function_rules().version),
        },
    }


def _two(tally: Tally) -> tuple[int, int]:
    return (tally.sums[0], tally.sums[1]) if tally.sums else (0, 0)
