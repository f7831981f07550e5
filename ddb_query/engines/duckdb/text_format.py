"""SQL expressions that turn a row into one line of csv, tsv or jsonl, inside DuckDB.

Making the text where the data is keeps it exact (a float prints as DuckDB prints it, so a table
and a csv agree cell for cell), streams, and is faster than any writer behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from collections.abc import Sequence

    from duckdb.sqltypes import DuckDBPyType

    from ddb_query.engines.base import TextForm

_WHOLE_NUMBERS = {
    "tinyint", "smallint", "integer", "bigint", "hugeint", "bignum",
    "utinyint", "usmallint", "uinteger", "ubigint", "uhugeint",
}  # fmt: skip
_TIMES = {
    "timestamp", "timestamp_s", "timestamp_ms", "timestamp_ns", "timestamp with time zone",
}  # fmt: skip
_EXACT_NUMBERS = _WHOLE_NUMBERS | {"boolean", "decimal"}
_PLAIN = _EXACT_NUMBERS | {"float", "double", "date", "uuid"}


def line_expression(form: TextForm, columns: list[tuple[str, str, DuckDBPyType]]) -> str:
    """An SQL expression for one row as a line of text, its newline included.

    Args:
        form: csv (RFC 4180), tsv (the same with tabs) or jsonl.
        columns: For each column the SQL name it has, the name to print, and its type.

    """
    if form == "jsonl":
        parts = ["'{'"]
        for place, (reference, name, kind) in enumerate(columns):
            comma = "," if place else ""
            parts += [_literal(f"{comma}{_json_text(name)}:"), json_value(reference, kind)]
        return _concat([*parts, "'}'", "chr(10)"])
    separator = "," if form == "csv" else "\t"
    parts = []
    for reference, _, kind in columns:
        parts += [_literal(separator)] if parts else []
        parts.append(_delimited_value(reference, kind, separator))
    return _concat([*parts, "chr(10)"])


def header_line(form: TextForm, names: list[str]) -> str:
    """The first line: the column names, for csv and tsv; nothing for jsonl."""
    if form == "jsonl":
        return ""
    separator = "," if form == "csv" else "\t"
    return separator.join(_delimited_text(name, separator) for name in names) + "\n"


def line(form: TextForm, names: Sequence[str], values: Sequence[str | float | None]) -> str:
    """One row of plain Python values as a line of text, its newline included."""
    if form == "jsonl":
        pairs = zip(names, values, strict=True)
        return (
            f"{{{','.join(f'{_json_text(name)}:{_json_text(value)}' for name, value in pairs)}}}\n"
        )
    separator = "," if form == "csv" else "\t"
    texts = ("" if v is None else _delimited_text(str(v), separator) for v in values)
    return separator.join(texts) + "\n"


def json_value(reference: str, kind: DuckDBPyType) -> str:
    """An SQL expression of type VARCHAR, never NULL: a value as JSON text.

    NaN and infinities are null, timestamps are `2022-08-06T21:59:00Z`, binary is base64,
    lists are arrays, structs and maps are objects, everything else is text.
    """
    return f"coalesce({_json(reference, kind)}, 'null')"


def _json(e: str, kind: DuckDBPyType) -> str:
    if kind.id in _EXACT_NUMBERS or str(kind) == "JSON":
        return f"{e}::varchar"
    if nested := _NESTED.get(kind.id):
        return nested(e, kind)
    match kind.id:
        case "float" | "double":
            return f"case when isfinite({e}) then {e}::varchar end"
        case time if time in _TIMES:
            exact = e if time == "timestamp_ns" else f"{e}::timestamp"
            return f"""case when isfinite({e}::timestamp)
                then concat('"', replace({exact}::varchar, ' ', 'T'), 'Z"')
                else to_json({e}::varchar)::varchar end"""
        case "blob":
            return f"""'"' || to_base64({e}) || '"'"""
        case _:
            return f"to_json({e}::varchar)::varchar"


def _json_list(e: str, kind: DuckDBPyType) -> str:
    child = _children(kind)["child"]
    items = f"list_transform({_as_list(e, kind)}, lambda x: {json_value('x', child)})"
    return f"'[' || array_to_string({items}, ',') || ']'"


def _as_list(e: str, kind: DuckDBPyType) -> str:
    return f"{e}::{_children(kind)['child']}[]" if kind.id == "array" else e


def _json_struct(e: str, kind: DuckDBPyType) -> str:
    parts: list[str] = []
    for name, child in _children(kind).items():
        comma = "," if parts else ""
        parts.append(_literal(f"{comma}{_json_text(name)}:"))
        parts.append(json_value(f"struct_extract({e}, {_literal(name)})", child))
    return f"case when {e} is not null then concat('{{', {', '.join(parts)}, '}}') end"


def _json_tuple(e: str, kind: DuckDBPyType) -> str:
    parts = [
        json_value(f"struct_extract({e}, {place})", child)
        for place, (_, child) in enumerate(_fields(kind), 1)
    ]
    separated = ", ',', ".join(parts)
    return f"case when {e} is not null then concat('[', {separated}, ']') end"


def _json_map(e: str, kind: DuckDBPyType) -> str:
    value = _children(kind)["value"]
    pair = f"to_json(x.key::varchar)::varchar || ':' || {json_value('x.value', value)}"
    return (
        f"'{{' || array_to_string(list_transform(map_entries({e}), lambda x: {pair}), ',') || '}}'"
    )


_NESTED = {
    "array": _json_list,
    "list": _json_list,
    "map": _json_map,
    "struct": _json_struct,
    "tuple": _json_tuple,
}


def _delimited_value(e: str, kind: DuckDBPyType, separator: str) -> str:
    """NULL is empty, as `concat` has it; the empty text is `""`; what would be misread is quoted.

    Looking for each mark by itself takes half the time of one regular expression.
    """
    if kind.id in _PLAIN or kind.id in _TIMES:
        return f"{e}::varchar"
    text = f"to_base64({e})" if kind.id == "blob" else f"{e}::varchar"
    return f"""case
        when {text} = '' then '""'
        when contains({text}, '"') then concat('"', replace({text}, '"', '""'), '"')
        when contains({text}, {_literal(separator)}) or contains({text}, chr(10))
            or contains({text}, chr(13)) then concat('"', {text}, '"')
        else {text} end"""


def _delimited_text(text: str, separator: str) -> str:
    if not text or any(mark in text for mark in f'"{separator}\r\n'):
        return '"' + text.replace('"', '""') + '"'
    return text


def _json_text(value: str | float | None) -> str:
    import json

    return json.dumps(value, ensure_ascii=False)


def _children(kind: DuckDBPyType) -> dict[str, DuckDBPyType]:
    return dict(_fields(kind))


def _fields(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    """The types inside a nested type; an array's size stands among them, and is not asked for."""
    return cast("list[tuple[str, DuckDBPyType]]", kind.children)


def _concat(parts: list[str]) -> str:
    return f"concat({', '.join(parts)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
