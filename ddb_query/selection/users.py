"""User names as people give them: whole, or by their first digits.

The one place where a name is looked up, whoever takes it: a selection, a canned query, a report.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from ddb_query.engines.base import Relation
from ddb_query.errors import AmbiguousUserError, UnknownUserError

if TYPE_CHECKING:
    from ddb_query.workspace.workspace import Workspace

# Eight digits tell 10,000 users apart with one chance in a hundred that some two share them.
LEAST_DIGITS = 8
_DIGITS = re.compile(f"[0-9a-f]{{{LEAST_DIGITS},64}}", re.IGNORECASE)
_LISTED = 5
# The published tables spell a deleted account in two ways, and the views in one.
_DELETED = {"deleted-account": "deleted_account"}

_EXACT = "select user_name from images where user_name = $name limit 1"
_BEGINNING = """
select distinct user_name from images where starts_with(user_name, $name)
order by user_name limit $rows
"""
_CLOSE = """
with distinct_users as (select distinct user_name from images where user_name is not null)
select user_name
from distinct_users
where $name <> ''
    and damerau_levenshtein(left(user_name, length($name)), $name) <= least(2, length($name) // 5)
order by damerau_levenshtein(left(user_name, length($name)), $name), user_name limit $rows
"""


def full_name(workspace: Workspace, given: str) -> str:
    """The name of the one user who is meant.

    Args:
        workspace: Where to look.
        given: A whole name, or its first eight or more hexadecimal digits.

    Raises:
        UnknownUserError: No image of the dataset has such a user.
        AmbiguousUserError: The names of several users begin so.
    """
    name = _DELETED.get(given, given)
    if _names(workspace, _EXACT, name=name):
        return name
    if _DIGITS.fullmatch(name):
        name = name.lower()
        found = _names(workspace, _BEGINNING, name=name, rows=_LISTED + 1)
        if len(found) > 1:
            raise AmbiguousUserError(given, found[:_LISTED], more=len(found) > _LISTED)
        if found:
            return found[0]
    close = _names(workspace, _CLOSE, name=name, rows=2)
    raise UnknownUserError(given, workspace.source.dataset.name, close, LEAST_DIGITS)


def _names(workspace: Workspace, sql: str, **values: object) -> list[str]:
    answer = workspace.engine.answer(Relation(sql, values))
    return [str(row[0]) for row in answer.cells()] if answer else []
