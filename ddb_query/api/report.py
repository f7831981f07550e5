"""Report: what a selection's report found, which can be saved in any of its forms."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from ddb_query.report import model

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self


@dataclass(frozen=True, repr=False)
class Report(model.Report):
    """A report on one selection, or on two side by side; made by `Selection.report`."""

    @classmethod
    def of(cls, found: model.Report) -> Self:
        """A report that can be saved."""
        return cls(**{field.name: getattr(found, field.name) for field in fields(found)})

    def save(self, path: Path | str, *, force: bool = False) -> None:
        """Write it to a file.

        Args:
            path: The file; its ending says the form: .html, .md, .json or .txt.
            force: Whether a file that exists is replaced.

        Raises:
            UsageError: The file has another ending.
            ExistsError: It exists, and `force` is not given.
            OutputError: It cannot be written; an old file stays as it was.
        """
        from ddb_query.report.render.files import save

        save(self, path, force=force)

    def save_figures(self, folder: Path | str, *, force: bool = False) -> list[str]:
        """Write each chart as SVG and PDF, and return their names.

        Args:
            folder: Where; it is made when it is not there.
            force: Whether charts that are there are replaced.

        Raises:
            ExistsError: There are some, and `force` is not given.
            OutputError: They cannot be written.
        """
        from ddb_query.report.render.files import save_figures

        return save_figures(self, folder, force=force)

    def __str__(self) -> str:
        from ddb_query.report.render.files import rendered

        return rendered(self, "table")
