"""What a selection needs from elsewhere than the table: hits of a search, and a list of images."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from ddb_query.selection import name_list

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.selection.criteria import Criteria
    from ddb_query.selection.name_list import Subset
    from ddb_query.workspace.workspace import Workspace


class Inputs:
    """What a selection needs from elsewhere than the table; worked out once, when it is asked for.

    Args:
        workspace: Where it is asked.
        criteria: Of the selection.
        find_on_disk: Finds the images that need no network, as conditions over `images`.
    """

    def __init__(
        self,
        workspace: Workspace,
        criteria: Criteria,
        find_on_disk: Callable[[Workspace], list[str]],
    ) -> None:
        self._workspace = workspace
        self._criteria = criteria
        self._find_on_disk = find_on_disk

    @cached_property
    def hits(self) -> str | None:
        """The table of the prompts that match."""
        words = self._criteria.match
        if words is None:
            return None
        tree = self._workspace.parse(words)
        return self._workspace.keep_hits(self._workspace.source.searcher.all(tree))

    @cached_property
    def on_disk(self) -> list[str]:
        """Conditions for the images that need no network; none when none of them does."""
        return self._find_on_disk(self._workspace)

    @cached_property
    def subset(self) -> Subset | None:
        """The images that the subset file names; what the dataset lacks of them is told."""
        if self._criteria.subset is None:
            return None
        found, source = (
            name_list.read(self._workspace, self._criteria.subset),
            self._workspace.source,
        )
        if found.missing:
            source.lacks(found.shortfall(source.dataset.name))
        return found
