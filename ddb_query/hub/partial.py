"""The bytes of a download that have arrived, and what they are the bytes of.

Two files beside the target: `NAME.part`, and `NAME.part.json` that says of which file they are.
The second is always written first, so that a kill never leaves bytes of one file that pass for
those of another.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

from ddb_query.errors import NoRoomError
from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddb_query.hub.responses import RemoteFile


class Partial:
    """What has arrived of the file that is to lie at `target`."""

    def __init__(self, target: Path, on_note: Callable[[str], None]) -> None:
        self.data = target.with_name(f"{target.name}.part")
        self._record = target.with_name(f"{target.name}.part.json")
        self._name = target.name
        self._on_note = on_note

    def size(self) -> int:
        """How many bytes have arrived."""
        return self.data.stat().st_size if self.data.exists() else 0

    def begin(self, remote: RemoteFile) -> int:
        """Keep what belongs to this file, drop what does not; return how many bytes are kept.

        Raises:
            NoRoomError: The disk has less room than the rest needs.

        """
        kept = self.size()
        if kept and not self._belongs_to(remote):
            changed = "it has changed since" if remote.identity else "the server names no version"
            self._on_note(f"{self._name}: {changed}; starting again")
            kept = 0
        if not kept:
            self._start(remote)
        self._look_for_room((remote.size or kept) - kept)
        return kept

    def discard(self) -> None:
        """Remove both files."""
        self.data.unlink(missing_ok=True)
        self._record.unlink(missing_ok=True)

    def _belongs_to(self, remote: RemoteFile) -> bool:
        try:
            record = json.loads(self._record.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return False
        same = isinstance(record, dict) and record.get("identity") == remote.identity
        fits = remote.size is None or self.size() <= remote.size
        return remote.identity is not None and same and fits

    def _start(self, remote: RemoteFile) -> None:
        self.data.unlink(missing_ok=True)
        record = {"identity": remote.identity, "size": remote.size, "commit": remote.commit}
        with replacing(self._record) as temporary:
            temporary.write_text(json.dumps(record) + "\n", encoding="utf-8")
        self.data.touch()

    def _look_for_room(self, needed_bytes: int) -> None:
        folder = self.data.parent
        free_bytes = shutil.disk_usage(folder).free
        if needed_bytes > free_bytes:
            raise NoRoomError(folder, needed_bytes, free_bytes)
