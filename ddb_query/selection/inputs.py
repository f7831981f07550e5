"""What a selection needs from elsewhere than the table: hits of a search, and a list of images."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ddb_query.selection import subset_file

if TYPE_CHECKING:
    from ddb_query.selection.criteria import Criteria
    from ddb_query.selection.subset_file import Subset
    from ddb_query.workspace import Workspace


class Inputs:
    """What a selection needs from elsewhere than the table; worked out once, when it is asked for.

    Args:
        workspace: Where it is asked.
        criteria: Of the selection.
    """

    def __init__(self, workspace: Workspace, criteria: Criteria) -> None:
        self._workspace = workspace
        self._criteria = criteria

    @cached_property
    def hits(self) -> str | None:
        """The table of the prompts that match."""
        words = self._criteria.match
        if words is None:
            return None
        tree = self._workspace.parse(words)
        return self._workspace.keep_hits(self._workspace.source.finder.all(tree))

    @cached_property
    def subset(self) -> Subset | None:
        """The images that the subset file names; what the dataset lacks of them is told."""
        if self._criteria.subset is None:
            return None
        found, source = (
            subset_file.read(self._workspace, self._criteria.subset),
            self._workspace.source,
        )
        if found.missing:
            source.lacks(found.shortfall(source.dataset.name))
        return found
