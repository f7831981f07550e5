"""Arrow files as tables: mapped into memory, so that only what a statement reads is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ddb_query.errors import SqlError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import pyarrow as pa


def mapped(files: Sequence[Path]) -> pa.Table:
    """The rows of Arrow files, as streams or with a footer.

    Raises:
        SqlError: One cannot be read.
    """
    import pyarrow as pa

    try:
        return pa.concat_tables([_mapped(file) for file in files], promote_options="permissive")
    except (pa.ArrowException, OSError) as error:
        raise SqlError(str(error)) from error


def _mapped(file: Path) -> pa.Table:
    import pyarrow as pa

    # What `datasets` writes is a stream; Feather files have a footer.
    source = pa.memory_map(str(file))
    if source.read(6) == b"ARROW1":
        return pa.ipc.open_file(source).read_all()
    source.seek(0)
    return pa.ipc.open_stream(source).read_all()
