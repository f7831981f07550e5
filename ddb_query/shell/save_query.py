"""A statement kept as a canned query of the user's own."""

from __future__ import annotations

import datetime
import re
from typing import TYPE_CHECKING

from ddb_query.errors import QueryFileError, UsageError
from ddb_query.queries.canned_query import parse, spelled
from ddb_query.settings import saved_queries_dir, user_sql_dir
from ddb_query.util.atomic_files import make_folder, replacing
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.api.corpus import Corpus
    from ddb_query.engines.base import Relation

_NAME = re.compile(r"[a-z0-9-]+")
_TYPES = {
    bool: "boolean", int: "integer", float: "float", str: "text", datetime.date: "date",
    datetime.datetime: "timestamp",
}  # fmt: skip


def folder(given: Path | None) -> Path:
    """The user's folder of canned queries, made when there is none yet."""
    return user_sql_dir(given) or make_folder(saved_queries_dir())


def path_for(name: str, into: Path, corpus: Corpus) -> Path:
    """The file of a query of this name.

    Raises:
        UsageError: The name is not one, or a shipped query has it.

    """
    if not _NAME.fullmatch(name):
        raise UsageError(f"{name or 'nothing'} is not a name", hint=".save wide-images: a-z 0-9 -")
    if any(query.shipped and query.name == name for query in corpus.queries()):
        raise UsageError(f"{name} is the name of a shipped query", hint=".save takes another name")
    return into / f"{name}.sql"


def save(path: Path, statement: Relation, description: str) -> None:
    """Write a statement, with its values as the defaults of its parameters.

    Raises:
        UsageError: It cannot be a canned query; says why.
        OutputError: The file cannot be written.

    """
    if any(
        token.text in ("_", "kept") or token.text.startswith("ddb_")
        for token in tokens(statement.sql)
    ):
        raise UsageError("it reads _, the last result", hint="write that query in its place")
    text = _text(path.stem, statement, description)
    try:
        parse(path.stem, text, path)
    except QueryFileError as error:
        raise UsageError(f"not saved: {error.problem}", hint=error.hint) from error
    with replacing(path) as temporary:
        temporary.write_text(text, "utf-8")


def _text(name: str, statement: Relation, description: str) -> str:
    sql, limit = _without_limit(statement.sql)
    lines = [f"-- name: {name}", f"-- description: {' '.join(description.split()) or _dated()}"]
    lines += [f"-- param: {_parameter(*item)}" for item in statement.values.items()]
    lines += [f"-- limit: {limit}"] if limit else []
    return "\n".join([*lines, sql, ""])


def _without_limit(sql: str) -> tuple[str, str | None]:
    """A statement without its limit, which a canned query has in its header."""
    pieces = [token for token in tokens(sql) if token.kind != "comment"]
    if len(pieces) > 2 and pieces[-2].text.lower() == "limit" and pieces[-1].text.isdecimal():
        return sql[: pieces[-2].start].rstrip(), pieces[-1].text
    return sql, None


def _parameter(name: str, value: object) -> str:
    kind = _TYPES.get(type(value), "text")
    written = spelled(value)
    # A header has one line for it, and reads `null` as NULL.
    if isinstance(value, str) and (written != " ".join(written.split()) or written in ("", "null")):
        return f"{name} {kind}"
    return f"{name} {kind} = {written}"


def _dated() -> str:
    return f"Saved in the shell on {datetime.datetime.now(datetime.UTC):%Y-%m-%d}."
