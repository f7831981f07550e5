"""Names of datasets that a user adds: which are allowed, and what a file is called by default."""

from __future__ import annotations

import re
import shlex
import unicodedata
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import DATASETS, LONGEST_NAME, PUBLISHED, is_dataset_name, view_of
from ddb_query.errors import UsageError
from ddb_query.queries.library import VIEWS

if TYPE_CHECKING:
    from pathlib import Path

_VIEWS = {view.rpartition(".")[2] for view in VIEWS}
_VIEWS |= {"metadata", "metadata_large", "members", "search", "search_hits"}
# Temporary tables of ddb's own begin so.
_OWN_PREFIX = "ddb_"
_FORM = "a name is a small letter and then small letters, digits and hyphens, as in my-castles"


def is_free_name(name: str) -> bool:
    """Whether a dataset that a user adds can have this name, if no other has it."""
    return is_dataset_name(name) and _problem(name) is None


def check_name(name: str, path: Path) -> None:
    """See that a dataset that a user adds can have this name.

    Args:
        name: The name.
        path: The table, for the hint.

    Raises:
        UsageError: It is not of the form of a name, or means something else in SQL or to ddb.

    """
    if not is_dataset_name(name):
        other = name.lower().replace("_", "-")
        command = f"`ddb data add {shlex.quote(str(path))} --as {other}` does; "
        hint = (command if is_free_name(other) else "") + _FORM
        raise UsageError(f'no dataset can be called "{name}"', hint=hint)
    if problem := _problem(name):
        command = f"ddb data add {shlex.quote(str(path))} --as"
        hint = f"`{command} my-{name}` gives it another name"
        if name in PUBLISHED:
            hint += f"; `{command} {name} --replace` makes it the table of {name}"
        raise UsageError(f'no dataset can be called "{name}": {problem}', hint=hint)


def name_of_file(path: Path) -> str:
    """The name that a table gets when none is given: that of its file or folder.

    Accents are dropped, capitals made small, and a hyphen stands for all that is left of other
    characters; a name that begins with a digit gets `table-` before it.

    Raises:
        UsageError: Nothing of the file's name is left.

    """
    stem = path.name.removesuffix(".parquet").removesuffix(".PARQUET")
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode().lower()
    words = re.findall("[a-z0-9]+", plain)
    if not words:
        raise UsageError(
            f"the name of {path} has no letter or digit that a dataset's name can have",
            hint=f"`ddb data add {shlex.quote(str(path))} --as NAME` names it",
        )
    joined = "-".join(words)
    name = joined if joined[0].isalpha() else f"table-{joined}"
    return name[:LONGEST_NAME].rstrip("-")


def _problem(name: str) -> str | None:
    if name in DATASETS:
        return "it is the name of a dataset of ddb's own"
    view = view_of(name)
    if view in _VIEWS:
        return f"it is the name of the SQL view {view}"
    return "names that begin with ddb- are ddb's own" if view.startswith(_OWN_PREFIX) else None
