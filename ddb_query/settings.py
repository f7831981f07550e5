"""Where things lie: folders and environment variables, read once into one frozen value."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ddb_query.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

APPLICATION = "ddb-query"


def config_dir() -> Path:
    """The folder of what a user has written or told ddb: `rc.sql`, `queries/`, what was added."""
    return _folder(os.environ.get("DDB_CONFIG_DIR"), "user_config_path")


def absolute(path: Path | str) -> Path:
    """A path from the root, with `~` for a home folder written out.

    Raises:
        UsageError: There is no such home folder.
    """
    try:
        return Path(path).expanduser().absolute()
    except RuntimeError as error:
        raise UsageError(f"{path}: there is no such home folder") from error


def _folder(path: Path | str | None, default: str) -> Path:
    if path:
        return absolute(path)
    import platformdirs

    found: Path = getattr(platformdirs, default)(APPLICATION, appauthor=False)
    return found


@dataclass(frozen=True)
class Settings:
    """What the machine and the environment say.

    Attributes:
        data_dir: Searched for `metadata.parquet` and `metadata-large.parquet`; pulls land here.
        cache_dir: What can be made again: the demo tables, stores, directories of parts.
        config_dir: What a user has written or told ddb: rc.sql, queries, which data was added.
        dataset: The dataset named by `DDB_DATASET`, if any.
        sql_dir: A folder of the user's own canned queries, if any.
        only_data_dir: Whether 2m and large are those of `data_dir` and no others, since it was
            named for this one command or call.

    """

    data_dir: Path
    cache_dir: Path
    config_dir: Path = field(default_factory=config_dir)
    dataset: str | None = None
    sql_dir: Path | None = None
    only_data_dir: bool = False

    @property
    def directories(self) -> Path:
        """What is known of parts: a folder for each dataset, and in it a file for each part."""
        return self.cache_dir / "directories"

    @classmethod
    def from_environment(
        cls,
        *,
        data_dir: Path | str | None = None,
        sql_dir: Path | str | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> Settings:
        """Read the environment; an argument wins over the variable that means the same."""
        env = os.environ if environment is None else environment
        return cls(
            data_dir=_folder(data_dir or env.get("DDB_DATA_DIR"), "user_data_path"),
            cache_dir=_folder(env.get("DDB_CACHE_DIR"), "user_cache_path"),
            config_dir=_folder(env.get("DDB_CONFIG_DIR"), "user_config_path"),
            dataset=env.get("DDB_DATASET") or None,
            sql_dir=user_sql_dir(sql_dir, env),
            only_data_dir=data_dir is not None,
        )


def debugging() -> bool:
    """Whether tracebacks are shown (`DDB_DEBUG=1`)."""
    return os.environ.get("DDB_DEBUG", "") not in ("", "0")


def user_sql_dir(
    given: Path | str | None = None, environment: Mapping[str, str] | None = None
) -> Path | None:
    """The folder of the user's own canned queries.

    The one given, else `DDB_SQL_DIR`; None for `saved_queries_dir`.
    """
    env = os.environ if environment is None else environment
    if own := given or env.get("DDB_SQL_DIR"):
        return absolute(own)
    return None


def saved_queries_dir() -> Path:
    """Where the shell saves queries, and where they are found unless another folder is named."""
    return config_dir() / "queries"


def state_dir() -> Path:
    """The folder of what ddb remembers of a user: the history of the shell."""
    return _folder(os.environ.get("DDB_STATE_DIR"), "user_state_path")
