"""One canned query: the text of a `.sql` file and what its header says.

Reads text, runs nothing. Everything wrong with a file is a QueryFileError with its line.
"""

from __future__ import annotations

import datetime
import math
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ddb_query.errors import ParameterError, QueryFileError

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping
    from pathlib import Path

# How a value of each type is written in help; a boolean is a flag without one.
METAVARS = {
    "text": "TEXT", "integer": "N", "float": "X", "date": "YYYY-MM-DD", "timestamp": "TIME",
    "user": "USER",
}  # fmt: skip
_TYPES = frozenset({*METAVARS, "boolean"})

_EXAMPLES = {
    "text": "castle", "integer": "5", "float": "0.2", "boolean": "", "date": "2022-08-06",
    "timestamp": "2022-08-06T21:59", "user": "deleted_account",
}  # fmt: skip

# Options that every command has; a parameter of the same name could not be given.
RESERVED_PARAMETERS = frozenset(
    {
        "data_dir", "dataset", "engine", "force", "format", "help", "limit", "memory_limit",
        "output", "quiet", "sql_dir", "threads", "timeout", "yes",
    }
)  # fmt: skip

_KEY = re.compile(r"--\s*([a-z]+)\s*:\s*(.*?)\s*$")
_PARAMETER = re.compile(r"(\w+)\s+(\w+)(?:\s*=\s*(.*))?$")
_NAME = re.compile(r"[a-z][a-z0-9]*(?:-[a-z0-9]+)*")
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]*")


@dataclass(frozen=True)
class Parameter:
    """A parameter of a canned query.

    Attributes:
        name: As it stands in the SQL, without `$`.
        type: text, integer, float, boolean, date, timestamp, or user, a text that names a user.
        required: Whether it has no default.
        default: The default value; None stands for NULL.
        choices: The values it may have; empty when any.
        minimum: The lowest number it may be; None when any.
        maximum: The highest.
        help: One sentence.

    """

    name: str
    type: str
    required: bool = True
    default: object = None
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    help: str = ""

    @property
    def option(self) -> str:
        """The option of the command line that sets it."""
        return "--" + self.name.replace("_", "-")

    @property
    def options(self) -> tuple[str, ...]:
        """All options that set it: a boolean has one for true and one for false."""
        opposite = self.option.replace("--", "--no-", 1)
        return (self.option, opposite) if self.type == "boolean" else (self.option,)

    def value(self, given: object) -> object:
        """The value to bind for what a caller gave: text from a terminal or a Python value.

        Raises:
            ParameterError: It is not of the parameter's type, or not one of its choices.

        """
        if given is None:
            if self.required or self.default is not None:
                raise self._error("null is not a value for it")
            return None
        try:
            found = _READERS[self.type](given)
        except (TypeError, ValueError, OverflowError) as error:
            kind = f"{_article(self.type)} {self.type}"
            raise self._error(f"expected {kind}, found {given!r}") from error
        if self.choices and spelled(found) not in self.choices:
            raise self._error(f"expected one of {', '.join(self.choices)}, found {given!r}")
        if self.out_of_bounds(found):
            raise self._error(f"expected {self.bounds}, found {given!r}")
        return found

    @property
    def bounds(self) -> str:
        """The numbers that it may be, in words; empty when any."""
        least = "" if self.minimum is None else f"at least {self.minimum:g}"
        most = "" if self.maximum is None else f"at most {self.maximum:g}"
        return " and ".join(filter(None, (least, most)))

    def out_of_bounds(self, value: object) -> bool:
        """Whether a value is a number too low or too high; NaN is, where there are bounds."""
        if not isinstance(value, (int, float)) or not self.bounds:
            return False
        low = -math.inf if self.minimum is None else self.minimum
        high = math.inf if self.maximum is None else self.maximum
        return not low <= value <= high

    def _error(self, problem: str) -> ParameterError:
        example = self.choices[0] if self.choices else _EXAMPLES[self.type]
        if self.minimum is not None:
            example = f"{max(self.minimum, float(example)):g}"
        if self.maximum is not None:
            example = f"{min(self.maximum, float(example)):g}"
        return ParameterError(
            self.name, problem, hint=f"for example {self.option} {example}".rstrip()
        )


@dataclass(frozen=True)
class CannedQuery:
    """A canned query: one SELECT, its parameters, and what a reader should know.

    Attributes:
        limit: Number of rows a table shows when none is asked for; None for the general default.
        per: The column of which each value has so many rows; empty when the limit is of all rows.
            Such a query has the limit as its parameter `$limit`, which is NULL for all.
        columns: Result columns that need a word: name and meaning.
        shipped: Whether it came with ddb, rather than from the user's folder.
        extras: Values of the header keys that a caller of `parse` knows beside these.

    """

    name: str
    path: Path
    sql: str
    description: str = ""
    parameters: tuple[Parameter, ...] = ()
    limit: int | None = None
    per: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    examples: tuple[str, ...] = ()
    shipped: bool = True
    extras: Mapping[str, str] = field(default_factory=dict)

    def values(self, given: Mapping[str, object], limit: int | None = None) -> dict[str, object]:
        """Every parameter's value, from what was given and the defaults.

        Args:
            given: What was given.
            limit: Of a query with `per`, how many rows of each; None or 0 for all.

        Raises:
            ParameterError: One is missing, unknown, or does not fit.

        """
        known = {parameter.name: parameter for parameter in self.parameters}
        for name in given:
            if name not in known:
                has = f"it has {', '.join(known)}" if known else "it has none"
                raise ParameterError(name, f"{self.name} has no such parameter", hint=has)
        values: dict[str, object] = {"limit": limit or None} if self.per else {}
        for name, parameter in known.items():
            if name in given:
                values[name] = parameter.value(given[name])
            elif parameter.required:
                raise ParameterError(
                    name,
                    f"{self.name} needs a value for it",
                    hint=f"ddb run {self.name} {written(parameter)}",
                )
            else:
                values[name] = parameter.default
        return values


def parse(
    name: str,
    text: str,
    path: Path,
    *,
    shipped: bool = True,
    whole: bool = True,
    extra_keys: Container[str] = (),
) -> CannedQuery:
    """Read a canned query from its file's text.

    Args:
        name: The file's stem, which the header must repeat.
        text: The whole file.
        path: Only for errors.
        shipped: Whether the file came with ddb.
        whole: Whether the SQL is looked at too, which a listing has no need of.
        extra_keys: Header keys of one text value that are read beside those of a canned query.

    Raises:
        QueryFileError: The file breaks a rule; says which line.

    """
    header = _Header(path, extra_keys)
    lines = text.replace("\r\n", "\n").split("\n")
    count = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    for number, line in enumerate(lines[:count], 1):
        header.take(number, line)
    header.finish(name)
    body = "\n".join(lines[count:])
    if whole:
        _check_body(path, body, count + 1, header.declared)
    return CannedQuery(
        name, path, body.strip().rstrip(";").rstrip(), header.description, tuple(header.parameters),
        header.limit, header.per, tuple(header.columns), tuple(header.examples), shipped,
        header.extras,
    )  # fmt: skip


@dataclass
class _Header:
    path: Path
    extra_keys: Container[str] = ()
    name: str = ""
    description: str = ""
    parameters: list[Parameter] = field(default_factory=list)
    limit: int | None = None
    per: str = ""
    columns: list[tuple[str, str]] = field(default_factory=list)
    examples: list[str] = field(default_factory=list)
    declared: dict[str, int] = field(default_factory=dict)
    extras: dict[str, str] = field(default_factory=dict)

    def take(self, number: int, line: str) -> None:
        match = _KEY.match(line)
        if match is None:
            raise QueryFileError(self.path, number, "a header line is `-- key: value`")
        key, value = match.groups()
        if key in self.extra_keys:
            self.extras[key] = value
            return
        reader = getattr(self, f"_take_{key}", None)
        if reader is None:
            known = sorted(n.removeprefix("_take_") for n in dir(self) if n.startswith("_take_"))
            raise QueryFileError(
                self.path, number, f"unknown key {key}; known are {', '.join(known)}"
            )
        try:
            reader(value)
        except ValueError as error:
            raise QueryFileError(self.path, number, str(error)) from error
        if key == "param":
            self.declared[self.parameters[-1].name] = number
        elif self.per:
            self.declared.setdefault("limit", number)

    def finish(self, name: str) -> None:
        if not _NAME.fullmatch(name):
            raise QueryFileError(self.path, 1, "a query's file is named like `my-query.sql`")
        if self.name != name:
            raise QueryFileError(self.path, 1, f"name must be the file's stem, {name}")
        if not self.description:
            raise QueryFileError(self.path, 1, "description is missing")

    def _take_name(self, value: str) -> None:
        self.name = value

    def _take_description(self, value: str) -> None:
        self.description = value

    def _take_param(self, value: str) -> None:
        found = _parameter(value, {p.name for p in self.parameters})
        for option in found.options:
            if any(option in p.options for p in self.parameters):
                raise ValueError(f"parameter {found.name}: another one has the option {option}")
        self.parameters.append(found)

    def _take_help(self, value: str) -> None:
        self._amend(help=value)

    def _take_choices(self, value: str) -> None:
        choices = tuple(choice.strip() for choice in value.split(","))
        default = self.parameters[-1].default if self.parameters else None
        if default is not None and spelled(default) not in choices:
            raise ValueError(f"the default {default} is not one of the choices")
        self._amend(choices=choices)

    def _take_minimum(self, value: str) -> None:
        self._bound("minimum", value)

    def _take_maximum(self, value: str) -> None:
        self._bound("maximum", value)

    def _bound(self, key: str, value: str) -> None:
        if self.parameters and self.parameters[-1].type not in ("integer", "float"):
            raise ValueError(f"a {key} is for an integer or a float")
        self._amend(**{key: _number(value)})
        if self.parameters[-1].out_of_bounds(self.parameters[-1].default):
            side = "below" if key == "minimum" else "above"
            raise ValueError(f"the default {self.parameters[-1].default} is {side} the {key}")

    def _take_limit(self, value: str) -> None:
        number, _, self.per = value.partition(" per ")
        if not number.isdecimal() or int(number) == 0:
            raise ValueError("limit is a number of rows, or `N per column`")
        self.limit = int(number)

    def _take_column(self, value: str) -> None:
        name, colon, meaning = value.partition(":")
        if not colon or not meaning.strip():
            raise ValueError("a column is described as `-- column: name: meaning`")
        self.columns.append((name.strip(), meaning.strip()))

    def _take_example(self, value: str) -> None:
        self.examples.append(value)

    def _amend(self, **changes: object) -> None:
        if not self.parameters:
            raise ValueError("help, choices, minimum and maximum follow the param they are about")
        self.parameters[-1] = Parameter(**{**vars(self.parameters[-1]), **changes})


def _parameter(value: str, taken: set[str]) -> Parameter:
    match = _PARAMETER.match(value)
    if match is None:
        raise ValueError("a parameter is `-- param: name type` or `-- param: name type = default`")
    name, kind, default = match.groups()
    if not _IDENTIFIER.fullmatch(name):
        raise ValueError(f"parameter {name}: names are snake_case")
    if name in RESERVED_PARAMETERS:
        raise ValueError(f"parameter {name}: an option of every command has that name")
    if name in taken:
        raise ValueError(f"parameter {name} is declared twice")
    if kind not in _TYPES:
        raise ValueError(f"parameter {name}: type {kind} is not one of {', '.join(_READERS)}")
    if default is None:
        return Parameter(name, kind)
    return Parameter(name, kind, required=False, default=_default(name, kind, default))


def _default(name: str, kind: str, text: str) -> object:
    if text == "null":
        return None
    try:
        return _READERS[kind](text)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            f"parameter {name}: the default {text} is not {_article(kind)} {kind}"
        ) from error


def _check_body(path: Path, body: str, first_line: int, declared: dict[str, int]) -> None:
    from ddb_query.util.sql_tokens import tokens

    pieces = [token for token in tokens(body) if token.kind != "comment"]
    if not pieces or pieces[0].text.lower() not in ("select", "with", "from"):
        raise QueryFileError(path, first_line, "below the header stands one SELECT")
    for place, token in enumerate(pieces):
        line = first_line + token.line - 1
        if token.text == ";" and place + 1 < len(pieces):
            raise QueryFileError(path, line, "one statement only")
        if token.depth == 0 and token.text.lower() == "limit":
            raise QueryFileError(path, line, "no limit of its own: say `-- limit: N`")
        if token.kind == "parameter" and token.text[1:] not in declared:
            raise QueryFileError(path, line, f"{token.text} is not declared by a param")
    used = {token.text for token in pieces if token.kind == "parameter"}
    for name, line in declared.items():
        if f"${name}" not in used:
            raise QueryFileError(path, line, f"parameter {name} is declared but not used")


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise TypeError
    return given


def _integer(given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, (int, str)):
        raise TypeError
    number = int(given)
    if not -(2**63) <= number < 2**63:
        raise OverflowError
    return number


def _float(given: object) -> float:
    if isinstance(given, bool) or not isinstance(given, (int, float, str)):
        raise TypeError
    number = float(given)
    # A threshold of NaN or infinity lets nothing through, or all: leaving it out says so.
    if not math.isfinite(number):
        raise ValueError
    return number


def _number(text: str) -> float:
    try:
        return _float(text)
    except ValueError as error:
        raise ValueError(f"{text} is not a number") from error


def _boolean(given: object) -> bool:
    if isinstance(given, bool):
        return given
    words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    return words[_text(given).lower()] if _text(given).lower() in words else _refuse()


def _refuse() -> bool:
    raise ValueError


def _date(given: object) -> datetime.date:
    if isinstance(given, datetime.datetime):
        raise TypeError
    return given if isinstance(given, datetime.date) else datetime.date.fromisoformat(_text(given))


def _timestamp(given: object) -> datetime.datetime:
    """A time in UTC, without zone as the views have it; an offset is converted."""
    if not isinstance(given, datetime.datetime):
        given = datetime.datetime.fromisoformat(_text(given))
    if given.tzinfo is not None:
        given = given.astimezone(datetime.UTC).replace(tzinfo=None)
    return given


_READERS: dict[str, Callable[[object], object]] = {
    "text": _text,
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "date": _date,
    "timestamp": _timestamp,
    "user": _text,
}


def spelled(value: object) -> str:
    """A default value as it is written in a header and on the command line."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def written(parameter: Parameter) -> str:
    """A parameter as an option is written."""
    value = "" if parameter.type == "boolean" else " VALUE"
    return " or ".join(parameter.options) + value


def _article(word: str) -> str:
    return "an" if word[0] in "aeiou" else "a"
