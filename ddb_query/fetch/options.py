"""What is asked of a fetch, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from ddb_query.errors import UnknownNameError, UsageError
from ddb_query.fetch.target.layouts import FOLDER, Layout, layout_of
from ddb_query.fetch.target.rows import Counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ddb_query.errors import HubError
    from ddb_query.fetch.target.ledger import Difference

JOBS = 16
MOST_JOBS = 64


class FetchFields(TypedDict, total=False):
    """What `Selection.fetch` and `Selection.plan` take by name.

    Attributes:
        layout: What the folder looks like when all is there; docs/fetch.md has the layouts.
        class_by: What the folders of a layout of classes are.
        jobs: How many connections work at once.
        retry_failed: Whether what failed for good in an earlier run is tried again.
        check_json: Whether the JSON of each part is compared with the metadata.
        local: Folders of part zips, extracted parts or earlier fetches to take images from.
    """

    layout: str | None
    class_by: str | None
    jobs: int
    retry_failed: bool
    check_json: bool
    local: Path | str | Sequence[Path | str]


@dataclass(frozen=True)
class FetchOptions:
    """How images are to be fetched.

    Attributes:
        layout: What the folder looks like when all is there.
        jobs: How many connections work at once.
        retry_failed: Whether what failed for good in an earlier run is tried again.
        check_json: Whether the JSON of each part is compared with the metadata.
        local: Folders of part zips, extracted parts or earlier fetches to take images from.
    """

    layout: Layout = FOLDER
    jobs: int = JOBS
    retry_failed: bool = False
    check_json: bool = False
    local: tuple[Path, ...] = ()

    @classmethod
    def of(cls, given: FetchFields) -> FetchOptions:
        """An order from what `Selection.fetch` was given by name.

        Raises:
            UsageError: There is no such option or layout, or a value makes no sense.
        """
        known = FetchFields.__annotations__
        for name in given:
            if name not in known:
                raise UnknownNameError("option of a fetch", name, known)
        jobs, local = given.get("jobs", JOBS), given.get("local", ())
        if isinstance(jobs, bool) or not isinstance(jobs, int) or not 1 <= jobs <= MOST_JOBS:
            raise UsageError(f"jobs is a number from 1 to {MOST_JOBS}")
        return cls(
            layout_of(given.get("layout"), given.get("class_by")),
            jobs,
            given.get("retry_failed", False),
            given.get("check_json", False),
            tuple(map(Path, [local] if isinstance(local, str | Path) else local)),
        )


@dataclass
class FetchResult:
    """What a fetch did.

    Attributes:
        folder: Where the images are.
        wanted: Images of this run.
        new: Of these, fetched by it; `bytes` is what their files have.
        before: Of these, fetched by an earlier run.
        failed: Of these, not to be had.
        missing: Of these, not there yet: the same command fetches them.
        counts: Blurred and unsafe images among those wanted.
        errors: The first errors, by image.
        differences: Where parts' JSON and the metadata differ.
        stopped: What ended the work with the Hub, if anything did.
    """

    folder: Path
    wanted: int = 0
    new: int = 0
    bytes: int = 0
    before: int = 0
    failed: int = 0
    missing: int = 0
    counts: Counts = field(default_factory=Counts)
    errors: list[tuple[str, str]] = field(default_factory=list)
    differences: list[Difference] = field(default_factory=list)
    stopped: HubError | None = None

    @property
    def not_compared(self) -> int:
        """Parts whose JSON could not be compared."""
        return sum(difference.problem is not None for difference in self.differences)

    @property
    def complete(self) -> bool:
        """Whether all that is wanted is there."""
        return not self.failed and not self.missing
