"""The forms in which a published column may come after other programs saved it again.

A form is taken where every value says what was published; `fits` finds the values that do not.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from ddb_query.diffusiondb import SAMPLERS

_WHOLE_NUMBERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT")
_UNSIGNED_BITS = {
    "UTINYINT": 8, "USMALLINT": 16, "UINTEGER": 32, "UBIGINT": 64, "UHUGEINT": 128,
}  # fmt: skip
# What no value fits.
_NOTHING = "false"
_FLOATS = ("FLOAT", "DOUBLE")
_NUMBERS = frozenset((*_WHOLE_NUMBERS, *_UNSIGNED_BITS, *_FLOATS))
_TEXTS = ("VARCHAR", "ENUM")
# From here on a 32-bit float skips whole numbers.
_EXACT_IN_FLOAT = 1 << 24
# Microseconds since 1970 of a time, of a number of seconds, milliseconds, or so on.
_EPOCH = (
    "case when {x} < 0 then null when {x} < 100000000000 then {x} * 1000000"
    " when {x} < 100000000000000 then {x} * 1000 when {x} < 100000000000000000 then {x}"
    " else {x} // 1000 end"
)
_ZONED = "timestamp with time zone"
_NO_ZONE = r"[T ]\d{1,2}:\d\d(:\d\d(\.\d+)?)?$"
_EPOCH_FROM, _EPOCH_TO = "timestamp '2000-01-01'", "timestamp '2100-01-01'"


@dataclass(frozen=True)
class Form:
    """How a column is read.

    Attributes:
        sql: Its published value, as SQL over the column of the table.
        fits: A condition over the column that holds where the value, if there is one, is kept
            whole; None where every value is.
        column: The column of the table as SQL.
        found: Its type there.
    """

    sql: str
    fits: str | None = None
    column: str = ""
    found: str = ""

    @property
    def lost(self) -> str:
        """A condition over the column that holds where a value would be lost."""
        return f"{self.column} is not null and not coalesce({self.fits or 'true'}, false)"

    def mended(self, published: str) -> str:
        """The published value, and NULL where it would be lost; of another type what a cast gives.

        Args:
            published: The published type.
        """
        if self.fits is None:
            return self.sql
        if self.fits == _NOTHING:
            return f"try_cast({self.column} as {published})"
        return f"case when {self.fits} then {self.sql} end"


def form_of(name: str, published: str, found: str) -> Form:
    """How a published column is read from the type that it has in a table.

    Args:
        name: The column.
        published: Its published type.
        found: Its type in the table.

    Returns:
        The form; where no value of the type can be the column's, one that nothing but NULL fits.
    """
    column = f'"{name}"'
    if found == published:
        return Form(column)
    if published == "VARCHAR":
        form = _text(column, found)
    elif published == "FLOAT":
        form = _float(column, found)
    elif published in _UNSIGNED_BITS:
        form = _whole(name, column, published, found)
    else:
        form = _time(column, found)
    form = form or Form(f"cast(null as {published})", _NOTHING)
    return replace(form, column=column, found=found)


def with_suffix(sql: str, suffix: str) -> str:
    """SQL for an image name that has lost its ending.

    Args:
        sql: The name.
        suffix: The ending of the names of the dataset.
    """
    return f"case when contains({sql}, '.') then {sql} else {sql} || '{suffix}' end"


def _text(column: str, found: str) -> Form | None:
    if found.startswith(_TEXTS) or found == "UUID":
        return Form(f"cast({column} as varchar)")
    if found == "BLOB":
        return Form(f"try(decode({column}))", f"try(decode({column})) is not null")
    return None


def _float(column: str, found: str) -> Form | None:
    if found in _NUMBERS or found.startswith(("DECIMAL", *_TEXTS)):
        cast = f"try_cast({column} as float)"
        return Form(cast, f"{cast} is not null")
    return None


def _whole(name: str, column: str, published: str, found: str) -> Form | None:
    if _UNSIGNED_BITS.get(found, 999) <= _UNSIGNED_BITS[published]:
        return Form(f"cast({column} as {published})")
    if found.startswith(_TEXTS):
        number = f"try_cast(cast({column} as varchar) as double)"
        if name == "sampler":
            names = " ".join(f"when '{known}' then {n}" for n, known in SAMPLERS.items())
            number = f"coalesce(case cast({column} as varchar) {names} end, {number})"
        return Form(
            f"try_cast({number} as {published})", f"try_cast({number} as {published}) = {number}"
        )
    cast = f"try_cast({column} as {published})"
    if found in _FLOATS:
        # NaN is how pandas spells a missing number.
        exact = f" and {column} <= {_EXACT_IN_FLOAT}" if found == "FLOAT" else ""
        return Form(cast, f"isnan({column}) or ({cast} = {column}{exact})")
    if found in _NUMBERS or found.startswith("DECIMAL"):
        return Form(cast, f"{cast} = {column}")
    return None


def _time(column: str, found: str) -> Form | None:
    if found.startswith("TIMESTAMP"):
        zoned = "ZONE" in found or "TZ" in found
        sql = f"cast({column} as {_ZONED})" if zoned else _utc(f"cast({column} as timestamp)")
        return Form(sql, f"epoch_ns({column}) % 1000 = 0" if "NS" in found else None)
    if found.startswith(_TEXTS):
        text = f"cast({column} as varchar)"
        zoned_text = (
            f"case when regexp_matches({text}, '{_NO_ZONE}') then {text} || '+00' else {text} end"
        )
        cast = f"try_cast({zoned_text} as {_ZONED})"
        return Form(cast, f"{cast} is not null and contains({text}, ':')")
    if found != "FLOAT" and (found in _NUMBERS or found.startswith("DECIMAL")):
        number = f"try_cast({column} as bigint)"
        time = f"make_timestamp({_EPOCH.format(x=number)})"
        fits = f"{number} = {column} and {time} between {_EPOCH_FROM} and {_EPOCH_TO}"
        return Form(_utc(time), f"isnan({column}) or ({fits})" if found == "DOUBLE" else fits)
    return None


def _utc(time: str) -> str:
    """SQL for a time without a zone as what it is, whatever zone the session has."""
    return f"timezone('UTC', {time})"
