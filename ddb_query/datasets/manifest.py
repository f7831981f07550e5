"""Manifest: how a subset file was made, carried in it; read as a stranger's, with bounds.

In parquet it is the footer's key `ddb_manifest`; beside other formats `FILE.manifest.json`; in a
folder `_manifest.json`. It holds no path, host, account or token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, fields
from typing import TYPE_CHECKING

from ddb_query.diffusiondb import DATASETS, is_dataset_name
from ddb_query.errors import BadManifestError, NoManifestError
from ddb_query.util.atomic_files import is_special

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEY = "ddb_manifest"
VERSION = 1
LICENCE = "CC0-1.0"
CITATION = (
    "Wang et al. (2023). DiffusionDB: A Large-scale Prompt Gallery Dataset for Text-to-Image"
    " Generative Models. ACL 2023. arXiv:2210.14896"
)

_FOLDER_FILE = "_manifest.json"
# Ten thousand users as strata, as Large has them, take 1.3 MB.
_MOST_BYTES = 4_000_000
_MOST_FOOTER_BYTES = 256_000_000
_MOST_NESTING = 16


@dataclass(frozen=True)
class Manifest:
    """How a subset was made.

    Attributes:
        kind: selection, sql or query.
        dataset: 2m, large, demo, or the name under which the table was added where it was made.
        images: The built-in dataset whose parts hold the images; None where that is not known.
        source_footer: sha256 of the parquet footer of the table it was made from.
        columns: Name and type of each column, as DuckDB spells it, in the file's order.
        rows: How many there are.
        form: The file's format.
        partition_by: Of a folder: sampler, day or part, of which each value has a file.
        selection: The fields of a selection that say something.
        policy: The thresholds that held, by whatever way they were given; NULL where none was set,
            and `include_blurred` is so where no threshold kept blurred images out.
        published: Whether the columns are as published, rather than those of the views.
        subset: Of a selection from a list of images: the content hash of their names.
        sql: The statement, of kind sql.
        query: Name of the canned query, of kind query.
        parameters: Values bound in either.
        limit: At most so many rows of either.
        seed: Of a sample.
        strata: Of a stratified sample: name, size, taken and weight of each.
        content_hash: Of the rows (docs/subsets.md); None when it was not asked for.
        match_rules: Version of the rules by which text is normalised.
        replayable: Whether the same rows can be made again.
        reason: Why not.
        revision: Commit of the dataset's repository, when it is known.
        versions: Of ddb, DuckDB, Python, and of ddb's rules which functions are deterministic.
        licence: Of the dataset.
        citation: Of the dataset.
        version: Of this form.
    """

    kind: str
    dataset: str
    images: str | None
    source_footer: str
    columns: list[list[str]]
    rows: int
    form: str
    partition_by: str | None = None
    selection: dict[str, object] = field(default_factory=dict)
    policy: dict[str, object] | None = None
    published: bool = False
    subset: str | None = None
    sql: str | None = None
    query: str | None = None
    parameters: dict[str, object] = field(default_factory=dict)
    limit: int | None = None
    seed: int | None = None
    strata: list[dict[str, object]] = field(default_factory=list)
    content_hash: str | None = None
    match_rules: int = 1
    replayable: bool = True
    reason: str | None = None
    revision: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    licence: str = LICENCE
    citation: str = CITATION
    version: int = VERSION

    def to_text(self) -> str:
        """As JSON."""
        return json.dumps(asdict(self), ensure_ascii=False, default=str)


def beside(path: Path) -> Path:
    """Where the manifest of a file lies that cannot carry it, or of a folder."""
    return path / _FOLDER_FILE if path.is_dir() else path.with_name(f"{path.name}.manifest.json")


def read(path: Path) -> Manifest:
    """The manifest of a file or folder that anyone may have made.

    Raises:
        NoManifestError: There is none.
        BadManifestError: It is too large, too deep, of another version, or has unknown fields or
            values of the wrong type.
    """
    text = _text(path)
    if _nesting(text) > _MOST_NESTING:
        raise BadManifestError(path, f"is nested more than {_MOST_NESTING} deep")
    try:
        said = json.loads(text)
    except ValueError as error:
        raise BadManifestError(path, f"is not JSON: {error}") from error
    if not isinstance(said, dict):
        raise BadManifestError(path, "is not an object")
    try:
        json.dumps(said, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise BadManifestError(path, "is not UTF-8 text") from error
    version = said.get("version")
    if version != VERSION:
        raise BadManifestError(path, f"has version {version!r}; this ddb reads version {VERSION}")
    _check_fields(path, said)
    return Manifest(**said)


_TYPES: dict[str, tuple[type, ...]] = {
    "str": (str,), "int": (int,), "bool": (bool,), "str | None": (str, type(None)),
    "int | None": (int, type(None)), "list[list[str]]": (list,),
    "dict[str, object]": (dict,), "dict[str, object] | None": (dict, type(None)),
    "list[dict[str, object]]": (list,), "dict[str, str]": (dict,),
}  # fmt: skip
_KINDS = ("selection", "sql", "query")
_FORMS = ("parquet", "csv", "tsv", "jsonl", "json", "arrow")
_PARTITIONS = (None, "sampler", "day", "part")
_MOST = 2**63


def _check_fields(path: Path, said: Mapping[str, object]) -> None:
    known = {one.name: _TYPES[str(one.type)] for one in fields(Manifest)}
    for name, value in said.items():
        if name not in known:
            raise BadManifestError(path, f"has an unknown field {name}")
        if not isinstance(value, known[name]) or (
            isinstance(value, bool) and bool not in known[name]
        ):
            raise BadManifestError(path, f"has a {name} of the wrong type")
        if isinstance(value, int) and not 0 <= value < _MOST:
            raise BadManifestError(path, f"has a {name} that is no number of anything")
    for one in ("kind", "dataset", "images", "source_footer", "columns", "rows", "form"):
        if one not in said:
            raise BadManifestError(path, f"has no {one}")
    _check_inner(path, said)


def _check_inner(path: Path, said: Mapping[str, object]) -> None:
    kind, form, columns = said["kind"], said["form"], said["columns"]
    if kind not in _KINDS:
        raise BadManifestError(path, f"is of an unknown kind {kind}")
    for one in ("sql", "query"):
        if (said.get(one) is not None) != (kind == one):
            raise BadManifestError(path, f"is of kind {kind}, which does not fit its {one}")
    _check_dataset(path, str(said["dataset"]), said["images"])
    if form not in _FORMS:
        raise BadManifestError(path, f"is of an unknown format {form}")
    if said.get("partition_by") not in (_PARTITIONS if kind == "selection" else (None,)):
        raise BadManifestError(path, "has a partition_by that a ddb export does not have")
    pairs = isinstance(columns, list) and all(
        isinstance(pair, list) and [type(one) for one in pair] == [str, str] for pair in columns
    )
    if not pairs or not columns:
        raise BadManifestError(path, "has columns that are no names and types")
    _check_values(path, "strata", said.get("strata", []), (dict,))
    _check_values(path, "versions", said.get("versions", {}), (str,))
    _check_values(path, "parameters", said.get("parameters", {}), _VALUES)


def _check_dataset(path: Path, dataset: str, images: object) -> None:
    if not is_dataset_name(dataset):
        raise BadManifestError(path, "is of a dataset with an impossible name")
    if images not in (None, *DATASETS) or (dataset in DATASETS and images != dataset):
        raise BadManifestError(path, "has images that do not fit its dataset")


_VALUES = (str, int, float, bool, type(None))


def _check_values(path: Path, name: str, said: object, types: tuple[type, ...]) -> None:
    values = said.values() if isinstance(said, dict) else said
    for value in _flat(values):
        if not isinstance(value, types) or (isinstance(value, int) and abs(value) >= _MOST):
            raise BadManifestError(path, f"has {name} of the wrong type")


def _flat(values: object) -> Iterator[object]:
    """Values, and those of lists among them."""
    for value in values if isinstance(values, Iterable) else ():
        yield from _flat(value) if isinstance(value, list) else (value,)


def _text(path: Path) -> str:
    if not path.exists():
        raise NoManifestError(path, "there is no such file")
    if is_special(path):
        raise NoManifestError(path, "it is no file")
    try:
        raw = None if path.is_dir() else _in_footer(path)
        other = beside(path)
        if raw is None and other.is_file():
            raw = _bounded(path, other)
    except OSError as error:
        raise BadManifestError(path, f"cannot be read: {error.strerror or error}") from error
    if raw is None:
        raise NoManifestError(path, "it has no manifest")
    if len(raw) > _MOST_BYTES:
        raise BadManifestError(path, f"is larger than {_MOST_BYTES:,} bytes")
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise BadManifestError(path, "is not UTF-8 text") from error


def _bounded(path: Path, file: Path) -> bytes:
    if file.stat().st_size > _MOST_BYTES:
        raise BadManifestError(path, f"is larger than {_MOST_BYTES:,} bytes")
    return file.read_bytes()


def _in_footer(path: Path) -> bytes | None:
    """The manifest in a parquet file; None when it has none, or is not parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with path.open("rb") as file:
        if file.read(4) != b"PAR1":
            return None
        size = file.seek(0, 2)
        file.seek(max(size - 8, 0))
        length, end = int.from_bytes(file.read(4), "little"), file.read(4)
    if end != b"PAR1":
        return None
    if length > _MOST_FOOTER_BYTES:
        raise BadManifestError(path, "stands in a footer that is too large")
    try:
        metadata = pq.read_metadata(path).metadata or {}
    except pa.ArrowException as error:
        raise BadManifestError(path, f"cannot be read: {error}") from error
    found: bytes | None = metadata.get(KEY.encode())
    return found


def _nesting(text: str) -> int:
    """How deep brackets are nested, outside text."""
    deepest = depth = 0
    quoted = escaped = False
    for mark in text:
        if quoted:
            if escaped:
                escaped = False
            elif mark == "\\":
                escaped = True
            else:
                quoted = mark != '"'
        elif mark == '"':
            quoted = True
        elif mark in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif mark in "]}":
            depth -= 1
    return deepest
