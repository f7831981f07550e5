"""A part's JSON beside the metadata: what it says of its images, and where that differs.

Form: `{"<uuid>.png": {"p": prompt, "se": seed, "c": cfg, "st": steps, "sa": sampler}, …}`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import SAMPLERS
from ddb_query.errors import DamagedPartError
from ddb_query.fetch.target.ledger import Difference

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

LARGEST_JSON = 64 * 1024 * 1024
COLUMNS = ("image_name", "prompt", "seed", "cfg", "step", "sampler")
_FIELDS = {"p": "prompt", "se": "seed", "c": "cfg", "st": "step", "sa": "sampler"}


def part_json(rows: Iterable[Mapping[str, object]]) -> dict[str, dict[str, object]]:
    """What the JSON of a part says, from rows of the metadata with `COLUMNS`."""
    return {
        str(row["image_name"]): {
            key: SAMPLERS.get(row[name], row[name]) if key == "sa" else row[name]  # type: ignore[call-overload]
            for key, name in _FIELDS.items()
        }
        for row in rows
    }


def json_differences(
    path: str, data: bytes, rows: Iterable[Mapping[str, object]]
) -> Iterator[Difference]:
    """Compare a part's JSON with rows of the metadata.

    Args:
        path: What to call it in errors.
        data: The JSON.
        rows: With `COLUMNS`.

    Raises:
        DamagedPartError: It is no JSON of this form.
    """
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise DamagedPartError(path, "its JSON is damaged") from error
    if not isinstance(found, dict):
        raise DamagedPartError(path, "its JSON is not an object")
    for name, expected in part_json(rows).items():
        said = found.get(name)
        if not isinstance(said, dict):
            yield Difference(name, "image", name, None)
            continue
        for key, field in _FIELDS.items():
            if _comparable(said.get(key)) != _comparable(expected[key]):
                yield Difference(name, field, _shown(expected[key]), _shown(said.get(key)))


def _comparable(value: object) -> object:
    """Numbers to four digits, as text so that NaN is NaN; the published cfg is a float32."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:.4f}"
    return value


def _shown(value: object) -> str | None:
    return None if value is None else str(value)
