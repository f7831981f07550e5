"""Image names in JSON: a list, an object, or an object a line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, TextIO

from ddb_query.selection.lists.columns import COLUMN_HINT, is_image_id, name_column
from ddb_query.selection.lists.text import MalformedTextError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORMS = (
    "JSON of names is a list of names or of objects with image_name, an object whose keys are"
    " names, or one object a line"
)


def json_names(text: TextIO) -> Iterator[str]:
    """The names in a JSON text: one value, or a value in each line.

    Raises:
        MalformedTextError: It is not JSON, or has no names.
    """
    first = next((line for line in text if not line.isspace()), "")
    try:
        value = json.loads(first)
    except (ValueError, RecursionError):
        # A value that goes over several lines, or none.
        yield from _of_value(_parsed(first + text.read(), 1), "the JSON")
        return
    yield from _of_value(value, "line 1")
    for number, line in enumerate(text, 2):
        if not line.isspace():
            yield from _of_value(_parsed(line.rstrip(), number), f"line {number}")


def _parsed(text: str, first_line: int) -> object:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = f"line {first_line + error.lineno - 1}, character {error.colno}"
        raise MalformedTextError(f"{where}: not JSON: {error.msg}", _FORMS) from error
    except (ValueError, RecursionError) as error:
        problem = f"line {first_line}: JSON that is nested too deep, or has too long a number"
        raise MalformedTextError(problem, _FORMS) from error


def _of_value(value: object, where: str) -> Iterator[str]:
    """The names in one value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for place, one in enumerate(value, 1):
            if isinstance(one, list):
                raise MalformedTextError(f"{where}, value {place}: a list in a list", _FORMS)
            yield from _of_value(one, f"{where}, value {place}")
    elif isinstance(value, dict):
        yield from _of_object(value, where)
    elif value is not None:
        raise MalformedTextError(f"{where}: {json.dumps(value)} is no name", _FORMS)


def _of_object(value: dict[str, object], where: str) -> Iterator[str]:
    """The names in an object: its keys, or the value or values of one of them."""
    keys = list(value)
    if keys and is_image_id(keys[0]):
        yield from keys
        return
    try:
        place = name_column(keys)
    except ValueError as error:
        raise MalformedTextError(f"{where}: {error}", "leave one of them") from error
    if place is None:
        raise MalformedTextError(
            f"{where}: no image names among {', '.join(keys[:20]) or 'no keys'}", COLUMN_HINT
        )
    found = value[keys[place]]
    # pandas writes a column as an object of row numbers and values.
    found = list(found.values()) if isinstance(found, dict) else found
    yield from _of_value(found, f"{where}, {keys[place]}")
