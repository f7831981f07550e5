"""Where a table came from: the small `NAME.source.json` beside it.

It names neither host, nor folder, nor account, so that it may be passed on with the table.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING

from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.hub.responses import RemoteFile


@dataclass(frozen=True)
class Source:
    """What is known of a downloaded file.

    Attributes:
        repository: Of the dataset.
        revision: That was asked for: a branch, a tag or a commit.
        commit: That the revision stood for; None when the server did not say.
        etag: Of the file; None when the server gave no strong one.
        sha256: Of the bytes that arrived.
        size: In bytes.

    """

    repository: str
    revision: str
    commit: str | None
    etag: str | None
    sha256: str
    size: int

    def is_of(self, remote: RemoteFile) -> bool:
        """Whether the Hub still gives these bytes."""
        if remote.sha256 is not None:
            return self.sha256 == remote.sha256
        return remote.etag is not None and self.etag == remote.etag


def source_path(target: Path) -> Path:
    """Where the source of a table is kept."""
    return target.with_name(f"{target.name}.source.json")


def write_source(target: Path, source: Source) -> None:
    """Keep the source of a table beside it."""
    with replacing(source_path(target)) as temporary:
        temporary.write_text(json.dumps(asdict(source), indent=2) + "\n", encoding="utf-8")


def read_source(target: Path) -> Source | None:
    """Read where a table came from.

    Returns:
        None when that is not known, or when the table has been replaced by one of another size.

    """
    try:
        record = json.loads(source_path(target).read_text(encoding="utf-8"))
        source = Source(**{field.name: record[field.name] for field in fields(Source)})
        size = target.stat().st_size
    except (OSError, ValueError, TypeError, KeyError):
        return None
    return source if source.size == size else None
