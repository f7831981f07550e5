"""The Hugging Face Hub's own cache: files that other programs have downloaded from the Hub.

Form: `datasets--OWNER--NAME/refs/REVISION` holds a commit, `snapshots/COMMIT/PATH` are the files,
links to `blobs/ETAG` where the system has links. Source: huggingface_hub's `file_download.py`.
Asks nobody, and imports no HTTP client.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import NamedTuple

from ddb_query.diffusiondb import REPOSITORY, REVISION

_SHA256 = re.compile(r"[0-9a-f]{64}")
_COMMIT = re.compile(r"[0-9A-Za-z]{1,64}")


class CachedFile(NamedTuple):
    """A file of the dataset's repository in the Hub's cache.

    Attributes:
        path: Where it lies.
        commit: Of the repository, that it was taken from.
        etag: That the Hub gave it, for large files their sha256; None when that is not known.
    """

    path: Path
    commit: str
    etag: str | None

    @property
    def sha256(self) -> str | None:
        """Of its bytes, as the Hub said."""
        return self.etag if self.etag and _SHA256.fullmatch(self.etag) else None


def snapshot(revision: str = REVISION) -> Path | None:
    """The folder of the Hub's cache with the files of a branch, tag or commit, if there is one."""
    repository = _repository()
    try:
        commit = (repository / "refs" / revision).read_text("utf-8").strip()
    except (OSError, ValueError):
        commit = revision
    folder = repository / "snapshots" / commit
    return folder if _COMMIT.fullmatch(commit) and folder.is_dir() else None


def cached_file(path: str, revision: str = REVISION) -> CachedFile | None:
    """A file of the dataset's repository in the Hub's cache, at a branch, tag or commit."""
    folder = snapshot(revision)
    if folder is None or not (folder / path).is_file():
        return None
    real = (folder / path).resolve()
    return CachedFile(
        folder / path, folder.name, real.name if real.parent.name == "blobs" else None
    )


def commit_of(path: Path) -> str | None:
    """The commit that a file of the Hub's cache was taken from; None for any other file."""
    snapshots = _repository() / "snapshots"
    return path.relative_to(snapshots).parts[0] if path.is_relative_to(snapshots) else None


def _repository() -> Path:
    return _cache() / f"datasets--{REPOSITORY.replace('/', '--')}"


def _cache() -> Path:
    """As huggingface_hub's own settings have it, which would load its package for this alone."""
    named = os.environ.get
    home = f"{named('XDG_CACHE_HOME', '~/.cache')}/huggingface"
    cache = named("HUGGINGFACE_HUB_CACHE", f"{named('HF_HOME', home)}/hub")
    return Path(os.path.expandvars(named("HF_HUB_CACHE", cache))).expanduser()
