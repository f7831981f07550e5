"""A report as a file: which form its ending asks for, and writing it whole."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.errors import ExistsError, UsageError
from ddb_query.util.atomic_files import keep_existing, replacing

if TYPE_CHECKING:
    from ddb_query.report.model import Report

FORMS = ("table", "html", "markdown", "json")
_ENDINGS = {
    ".html": "html", ".htm": "html", ".md": "markdown", ".json": "json", ".txt": "table",
}  # fmt: skip


def form_for(path: Path | None, asked: str | None) -> str:
    """The form to write: the one asked for, else that of the file's ending, else text.

    Raises:
        UsageError: A report has no such form.
    """
    if asked is not None and asked not in FORMS:
        raise UsageError(f"a report has no form {asked}", hint=f"there are {', '.join(FORMS)}")
    if asked is not None or path is None:
        return asked or "table"
    if path.suffix.lower() not in _ENDINGS:
        raise UsageError(
            f"a report has no form for the ending of {path.name}",
            hint=f"end the name in {', '.join(_ENDINGS)}",
        )
    return _ENDINGS[path.suffix.lower()]


def rendered(report: Report, form: str, width: int | None = None, *, styled: bool = False) -> str:
    """A report as text of one of `FORMS`.

    Args:
        report: What to show.
        form: table, html, markdown or json.
        width: For a table, cells of a line.
        styled: For a table, whether a terminal's styles are used.
    """
    if form == "html":
        from ddb_query.report.render.html import html

        return html(report)
    if form == "markdown":
        from ddb_query.report.render.markdown import markdown

        return markdown(report)
    if form == "json":
        from ddb_query.report.render.json import json_text

        return json_text(report)
    from ddb_query.report.render.terminal import text

    return text(report, width, styled=styled)


def save(report: Report, path: Path | str, *, force: bool = False) -> None:
    """Write a report to a file that appears whole or not at all.

    Args:
        report: What to write.
        path: The file, whose ending says the form.
        force: Whether a file that exists is replaced.

    Raises:
        UsageError: The ending says no form.
        ExistsError: The file exists, and `force` is not given.
        OutputError: It cannot be written; an old file stays as it was.
    """
    target = Path(path)
    keep_existing(target, force=force)
    words = rendered(report, form_for(target, None))
    with replacing(target) as temporary:
        temporary.write_text(words, "utf-8")


def keep_figures(folder: Path, *, force: bool = False) -> None:
    """Refuse to write charts where there are some, unless they are to be replaced.

    Raises:
        ExistsError: There are.
    """
    found = sorted([*folder.glob("*.svg"), *folder.glob("*.pdf")])
    if found and not force:
        raise ExistsError(found[0])


def save_figures(report: Report, folder: Path | str, *, force: bool = False) -> list[str]:
    """Write each chart as SVG and as PDF, in a folder that is made when it is not there.

    Returns:
        The charts' names, `section-table`; their files are `NAME.svg` and `NAME.pdf`.

    Raises:
        ExistsError: The folder holds charts, and `force` is not given.
        OutputError: They cannot be written.
    """
    from ddb_query.report import charts
    from ddb_query.util.atomic_files import make_folder

    keep_figures(Path(folder), force=force)
    target = make_folder(Path(folder))
    for name, _, chart in report.charts():
        with replacing(target / f"{name}.svg") as temporary:
            temporary.write_text(charts.svg(chart), "utf-8")
        with replacing(target / f"{name}.pdf") as temporary:
            temporary.write_bytes(charts.pdf(chart))
    return [name for name, _, _ in report.charts()]
