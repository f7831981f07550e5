"""Verifying: whether a subset is what its manifest says, from the file alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.datasets import manifest
from ddb_query.engines.base import LOOKED_AT, Relation
from ddb_query.engines.duckdb.content_hash import content_hash, digests
from ddb_query.engines.duckdb.external_files import cast, keeps
from ddb_query.engines.open import open_engine
from ddb_query.errors import DamagedDataError, DifferentSubsetError, SqlError
from ddb_query.export.manifest_fields import criteria_of
from ddb_query.settings import Settings
from ddb_query.util.escape import counted
from ddb_query.util.progress import step

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.datasets.manifest import Manifest
    from ddb_query.engines.duckdb.connection import DuckDBEngine
    from ddb_query.util.progress import Progress


def verify(
    path: Path, engine: DuckDBEngine | None = None, *, progress: Progress | None = None
) -> Manifest:
    """See that a subset has the rows, columns and content that its manifest says.

    Runs no SQL of the manifest, and needs nothing but the file.

    Args:
        path: The file, or a folder that `--partition-by` wrote.
        engine: Reads it; None for one of its own.
        progress: Told that it is read.

    Returns:
        The manifest.

    Raises:
        NoManifestError: It has none.
        BadManifestError: It cannot be trusted.
        DifferentSubsetError: The file is something else; says what differs.
    """
    said = manifest.read(path)
    if said.kind == "selection":
        criteria_of(path, said)
    opened = engine or open_engine(Settings.from_environment(), progress=progress)
    try:
        with step(progress, f"verifying {path.name}"):
            differences = list(_differences(opened, path, said))
    finally:
        if engine is None:
            opened.close()
    if differences:
        raise DifferentSubsetError(path, differences)
    return said


def _differences(engine: DuckDBEngine, path: Path, said: Manifest) -> list[str]:
    names = [name for name, _ in said.columns]
    if path.is_dir() and said.form != "parquet":
        return [f"is a folder, not {said.form}"]
    try:
        found = engine.look_at(path, said.form, names)
        if list(found) != names:
            return [f"has columns {', '.join(found)}, not {', '.join(names)}"]
        binary = said.form in ("parquet", "arrow")
        types = [(*pair, found[pair[0]]) for pair in said.columns if binary]
        if changed := [f"{n} is {now}, not {was}" for n, was, now in types if not keeps(was, now)]:
            return changed
        return _content(engine, said, text=not binary)
    except (SqlError, DamagedDataError) as error:
        return [f"cannot be read as {said.form}: {error.message.splitlines()[0]}"]


def _content(engine: DuckDBEngine, said: Manifest, *, text: bool) -> list[str]:
    columns = [(cast(name, kind, text=text), kind) for name, kind in said.columns]
    first, second = digests(columns, finite_only=said.form in ("json", "jsonl"))
    sums = f", sum({first}), sum({second})" if said.content_hash is not None else ""
    # The columns are the file's own, quoted; the casts to types that ddb knows.
    answer = engine.answer(Relation(f"select count(*){sums} from {LOOKED_AT}"))  # noqa: S608
    row = next(answer.cells()) if answer else ("0",)
    rows, *digest = (int(cell or 0) for cell in row)
    if rows != said.rows:
        return [f"has {counted(rows, 'row')}, not {said.rows:,}"]
    if digest and content_hash(rows, *digest) != said.content_hash:
        return ["has another content than what was written"]
    return []
