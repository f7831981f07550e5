"""What a session remembers: its settings, its variables, and what it did last."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ddb_query.engines.base import Relation, Result


@dataclass(frozen=True)
class Last:
    """The last result.

    Attributes:
        first: Its first rows when it is kept as `_`, else all of it.
        whole: All of it, which a large result runs again for.
        rows: How many rows it has; None when that is not known.
        seconds: How long its first rows took.
        statement: The SQL that gave it, with its values.

    """

    first: Result
    whole: Result
    rows: int | None
    seconds: float
    statement: Relation


@dataclass
class State:
    """The settings of a session.

    Attributes:
        mode: The form of results: table, line, or one of the data formats.
        rows: How many rows are shown at most; 0 for all, None for the general default.
        cap: How many rows a result has at most; None for all.
        width: Width of tables in cells; 0 for the terminal's.
        timer: Whether the time is told under a result.
        keys: emacs or vi.
        variables: Values bound as `$name`.
        keeps: Whether results are kept as `_`.
        last: The last result, if there is one.
        over: Whether the session is to end.

    """

    mode: str = "table"
    rows: int | None = None
    cap: int | None = None
    width: int = 0
    timer: bool = True
    keys: str = "emacs"
    variables: dict[str, object] = field(default_factory=dict)
    keeps: bool = True
    last: Last | None = None
    over: bool = False

    @property
    def asked_rows(self) -> int | None:
        """How many rows to show, where somebody said it; 0 for all.

        A result that `--limit` has cut is shown whole.
        """
        return 0 if self.rows is None and self.cap is not None else self.rows
