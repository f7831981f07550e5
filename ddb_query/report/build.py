"""Makes a report of one selection, or of two side by side."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from ddb_query.report.compare import side_by_side
from ddb_query.report.log_odds import telling
from ddb_query.report.model import Report
from ddb_query.report.run_queries import find
from ddb_query.util.escape import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ddb_query.diffusiondb import Dataset
    from ddb_query.report.model import Section, Table
    from ddb_query.report.run_queries import Found, Scope
    from ddb_query.util.progress import Progress


@dataclass(frozen=True)
class Subject:
    """What a report is about.

    Attributes:
        scope: The images.
        words: Which these are, for its readers.
        dataset: Whose images they are.
        manifest: What it takes to select them again.
    """

    scope: Scope
    words: str
    dataset: Dataset
    manifest: Mapping[str, Any] = field(default_factory=dict)


def make(
    subject: Subject,
    versus: Subject | None = None,
    *,
    title: str = "",
    sections: Sequence[str] = (),
    users: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Report on a selection, or on two.

    Args:
        subject: What it is about.
        versus: What that is compared with.
        title: Its heading; by default the dataset's name and what was selected.
        sections: Names of sections; empty for all.
        users: Whether the hashes that stand for users' names are shown.
        progress: Told of every section.

    Raises:
        UsageError: There is no section of that name.
        SqlError: The engine failed.
    """
    subjects = [subject, versus] if versus else [subject]
    found = [
        find(
            one.scope,
            sections,
            users=users,
            compared=versus is not None,
            progress=progress,
            whose=f"selection {place} of {len(subjects)}, " if versus else "",
        )
        for place, one in enumerate(subjects, 1)
    ]
    words = tuple(
        f"{one.words}: {counted(there.images, 'image')}"
        for one, there in zip(subjects, found, strict=True)
    )
    manifest = {**subject.manifest, **({"versus": dict(versus.manifest)} if versus else {})}
    report = Report(
        title or _title(subjects), subject.dataset.name, found[0].images, words, manifest,
        found[0].sections,
    )  # fmt: skip
    return report if versus is None else replace(report, sections=_compared(found[0], found[1]))


def _compared(first: Found, second: Found) -> tuple[Section, ...]:
    """The sections side by side; what tells the two apart stands before the lists of each."""

    def tables(section: Section) -> Iterator[Table]:
        for table in section.tables:
            place = section.name, table.name
            if place in first.counted:
                yield from telling(first.counted[place], second.counted[place])
            yield table

    sections = side_by_side(first.sections, second.sections, ("A", "B"))
    return tuple(replace(section, tables=tuple(tables(section))) for section in sections)


def _title(subjects: Sequence[Subject]) -> str:
    about = subjects[0].dataset.title
    return f"{about}: two selections compared" if len(subjects) > 1 else f"{about}: corpus report"
