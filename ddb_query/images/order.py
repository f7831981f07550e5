"""What is asked of a fetch, and what it did."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.images.layouts import FOLDER, Layout
from ddb_query.images.rows import Counts

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.errors import HubError
    from ddb_query.images.ledger import Difference

JOBS = 16


@dataclass(frozen=True)
class Order:
    """How images are to be fetched.

    Attributes:
        layout: What the folder looks like when all is there.
        jobs: How many connections work at once.
        include_blurred: Whether images that Stable Diffusion blurred are fetched too.
        retry_failed: Whether what failed for good in an earlier run is tried again.
        check_json: Whether the JSON of each part is compared with the metadata.
        local: Folders of part zips, extracted parts or earlier fetches to take images from.
    """

    layout: Layout = FOLDER
    jobs: int = JOBS
    include_blurred: bool = False
    retry_failed: bool = False
    check_json: bool = False
    local: tuple[Path, ...] = ()


@dataclass
class Fetched:
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
    def complete(self) -> bool:
        """Whether all that is wanted is there."""
        return not self.failed and not self.missing
