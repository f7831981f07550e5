"""Hits of searches as Arrow, the form in which DuckDB takes them from a function of ours."""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING

import pyarrow as pa

if TYPE_CHECKING:
    from array import array

    from ddb_query.search.index import Hits


def hit_lists(found: list[Hits | None]) -> pa.ListArray:
    """Each search's hits as a list of structs of prompt_id and score; None for no hits."""
    some = [hits for hits in found if hits]
    ends = accumulate((len(hits.prompt_ids) if hits else 0 for hits in found), initial=0)
    ids = _column([hits.prompt_ids for hits in some], pa.int64())
    scores = _column([hits.scores for hits in some], pa.float64())
    rows = pa.StructArray.from_arrays([ids, scores], ["prompt_id", "score"])
    return pa.ListArray.from_arrays(pa.array(list(ends), pa.int32()), rows)


def _column(parts: list[array[int]] | list[array[float]], kind: pa.DataType) -> pa.Array:
    arrays = [pa.Array.from_buffers(kind, len(part), [None, pa.py_buffer(part)]) for part in parts]
    return pa.concat_arrays(arrays or [pa.array([], kind)])
