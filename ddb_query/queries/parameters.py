"""Values of SQL's parameters, written as text: `5`, `2.5`, `true`, `null`, `castle`."""

from __future__ import annotations

from ddb_query.errors import ParameterError


def value(text: str) -> object:
    """The value that a text looks like: an integer, a double, true, false, null, else text."""
    if text in ("true", "false", "null"):
        return {"true": True, "false": False, "null": None}[text]
    for kind in (int, float):
        try:
            return kind(text) if text.isascii() and "_" not in text else text
        except ValueError:
            continue
    return text


def typed(name: str, text: str, *, example: str) -> tuple[str, object]:
    """A parameter's name and its value; `name:text` forces text.

    Args:
        name: As it was given, without `$`.
        text: The value as it was given.
        example: How a parameter is given here, for the hint.

    Raises:
        ParameterError: The name is not one.

    """
    plain = name.removesuffix(":text")
    if not plain.isidentifier():
        raise ParameterError(f"{name}={text}", "is not NAME=VALUE", hint=example)
    return plain, text if name.endswith(":text") else value(text)
