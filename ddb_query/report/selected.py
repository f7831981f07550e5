"""Reporting on a selection, alone or beside another."""

from __future__ import annotations

import shlex
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ddb_query.engines.base import Relation
from ddb_query.engines.duckdb.content_hash import Tally
from ddb_query.errors import UsageError
from ddb_query.export import manifest_fields
from ddb_query.export.subset import Layout
from ddb_query.report.build import Subject, make
from ddb_query.report.run_queries import Scope
from ddb_query.selection.criteria import Criteria

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.report.model import Report
    from ddb_query.selection.query import SelectionQuery

# What a manifest says of rows that were written, and a report has none of.
_OF_FILES = {
    "columns", "rows", "form", "published", "content_hash", "replayable", "reason", "version",
}  # fmt: skip
_NOTHING: tuple[object, ...] = (None, {}, [])


def report(
    selection: SelectionQuery,
    *,
    versus: SelectionQuery | Literal["rest"] | None = None,
    title: str = "",
    sections: Sequence[str] = (),
    users: bool = False,
) -> Report:
    """Report on a selection; `Selection.report` has the arguments."""
    for one in (selection, versus):
        _refuse_first_images(one)
    if versus == "rest" and not _fields(selection.criteria):
        raise UsageError(
            "there is no rest beside all images", hint="select some: --match castle --vs rest"
        )
    subject = _subject(selection)
    made = make(
        subject, _other(versus, subject), title=title, sections=sections, users=users,
        progress=selection.workspace.source.progress,
    )  # fmt: skip
    words = ["ddb", "--dataset", subject.dataset.name, "report", *_options(selection.criteria)]
    for name in sections:
        words += ["--section", name]
    words += ["--users"] if users else []
    words += ["--title", title] if title else []
    words += ["--vs", _versus_words(versus)] if versus is not None else []
    return replace(made, manifest={"command": shlex.join(words), **made.manifest})


def _refuse_first_images(selection: SelectionQuery | str | None) -> None:
    """Have a selection that means the same whatever the order of its rows."""
    if selection is None or isinstance(selection, str):
        return
    if selection.criteria.limit is not None or selection.criteria.order_by is not None:
        raise UsageError(
            "a report describes all images of a selection, which have no order and no limit",
            hint="sample=N takes N of them at random",
        )


def _subject(selection: SelectionQuery) -> Subject:
    workspace = selection.workspace
    every = selection.criteria == Criteria()
    relation = None if every else selection.relation(ordered=False)
    dataset = workspace.source.dataset
    return Subject(
        Scope(workspace.engine, relation, workspace.source.store.whole),
        f"dataset {dataset}, {_words(selection)}",
        dataset,
        _manifest(selection),
    )


def _other(versus: SelectionQuery | Literal["rest"] | None, subject: Subject) -> Subject | None:
    if versus is None:
        return None
    if not isinstance(versus, str):
        return _subject(versus)
    chosen = subject.scope.relation or Relation("select image_name from images")
    sql = f"from images\nanti join (\n{chosen.sql}\n) as chosen using (image_name)"
    scope = Scope(subject.scope.engine, Relation(f"select *\n{sql}", chosen.values))
    return Subject(scope, f"dataset {subject.dataset}, all other images", subject.dataset)


def _words(selection: SelectionQuery) -> str:
    """Which images these are, for a reader."""
    criteria = selection.criteria
    said = [f"{name.replace('_', ' ')} {_told(value)}" for name, value in _fields(criteria)]
    return "; ".join(said) or "all images"


def _fields(criteria: Criteria) -> list[tuple[str, object]]:
    found: dict[str, object] = {}
    if criteria.subset is not None:
        found["from"] = Path(criteria.subset).name
    return list((found | criteria.to_json()).items())


def _told(value: object) -> str:
    if isinstance(value, dict):
        return str(value.get("name") or ", ".join(f"{k} {v}" for k, v in value.items()))
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _manifest(selection: SelectionQuery) -> dict[str, object]:
    """How to select the images again, without what is said of files."""
    nothing = Layout({}, "report", published=False, hashed=False)
    made = manifest_fields.of_selection(selection, [], Tally(), nothing)
    said = asdict(made).items()
    return {name: value for name, value in said if name not in _OF_FILES and value not in _NOTHING}


def _options(criteria: Criteria) -> list[str]:
    """The options of the command line that say the same."""
    words: list[str] = []
    for name, value in _fields(criteria):
        option = f"--{name.replace('_', '-')}"
        if isinstance(value, bool):
            words.append(option)
            continue
        for one in value if isinstance(value, list) else [value]:
            words += [option, _told(one)]
    return words


def _versus_words(versus: SelectionQuery | Literal["rest"]) -> str:
    if isinstance(versus, str):
        return versus
    dataset = versus.workspace.source.dataset
    return shlex.join(["--dataset", dataset.name, *_options(versus.criteria)])
