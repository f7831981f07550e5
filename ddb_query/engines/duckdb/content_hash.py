"""The content hash: what a set of rows holds, whatever their order.

For each row the columns in their order, joined with U+001F: text as it is; whole numbers and
booleans as digits; timestamps as microseconds since 1970 UTC; floats as
`floor(x * 1000000 + 0.5)`, with `nan`, `inf`, `-inf`, and `big` from 1e12 on, either sign; NULL
as U+0000; anything else as the engine writes it as text. Of the md5 of that, hex digits 1-15 and
16-30 are read as numbers; the hash of the set is `rows:sum:sum`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pyarrow as pa

_WHOLE = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT")
_WHOLE_NUMBERS = frozenset((*_WHOLE, "UINTEGER", "UBIGINT", "UHUGEINT"))
_LOW_BITS = 30


def digests(columns: Sequence[tuple[str, str]], *, finite_only: bool = False) -> tuple[str, str]:
    """Two SQL expressions of type BIGINT for one row: the numbers to sum.

    Args:
        columns: For each written column an SQL reference and its type, as DuckDB spells it.
        finite_only: Whether floats that are not finite are written as NULL, as json does.
    """
    parts = [f"coalesce({_text(e, kind, finite_only=finite_only)}, chr(0))" for e, kind in columns]
    digest = f"md5(concat_ws(chr(31), {', '.join(parts)}))"
    return _number(digest, 1), _number(digest, 16)


@dataclass
class Tally:
    """Sums over rows as they go by.

    Attributes:
        rows: How many there were.
        sums: One a column, exact.
        on_rows: Told how many there were so far.
    """

    rows: int = 0
    sums: tuple[int, ...] = ()
    on_rows: Callable[[int], None] | None = None

    def add(self, batch: pa.RecordBatch) -> None:
        """Count a batch of whole numbers, from 0 to 2**60."""
        found = [_sum(column) for column in batch.columns]
        before = self.sums or (0,) * len(found)
        self.sums = tuple(a + b for a, b in zip(before, found, strict=True))
        self.rows += batch.num_rows
        if self.on_rows:
            self.on_rows(self.rows)


def content_hash(rows: int, first: int, second: int) -> str:
    """The hash of a set of rows, of the sums of their digests."""
    return f"{rows}:{first}:{second}"


def _sum(column: pa.Array) -> int:
    """The sum of numbers that may be too large together for 64 bits."""
    import pyarrow.compute as pc

    high = pc.sum(pc.shift_right(column, _LOW_BITS)).as_py() or 0
    low = pc.sum(pc.bit_wise_and(column, (1 << _LOW_BITS) - 1)).as_py() or 0
    return (int(high) << _LOW_BITS) + int(low)


def _number(digest: str, first: int) -> str:
    return f"cast('0x' || substr({digest}, {first}, 15) as bigint)"


def _text(e: str, kind: str, *, finite_only: bool) -> str:
    if kind == "VARCHAR":
        return e
    if kind in _WHOLE_NUMBERS:
        return f"cast({e} as varchar)"
    if kind == "BOOLEAN":
        return f"cast(cast({e} as tinyint) as varchar)"
    if kind.startswith("TIMESTAMP"):
        return f"cast(epoch_us({e}) as varchar)"
    if kind in ("FLOAT", "DOUBLE"):
        return _float_text(f"cast({e} as double)", finite_only=finite_only)
    return f"cast({e} as varchar)"


def _float_text(x: str, *, finite_only: bool) -> str:
    odd = (
        f"case when isfinite({x}) then 'big' end"
        if finite_only
        else f"case when isnan({x}) then 'nan' when {x} = 'inf'::double then 'inf'"
        f" when {x} = '-inf'::double then '-inf' else 'big' end"
    )
    digits = f"cast(cast(floor({x} * 1000000 + 0.5) as bigint) as varchar)"
    return f"case when abs({x}) < 1e12 then {digits} when {x} is not null then {odd} end"
