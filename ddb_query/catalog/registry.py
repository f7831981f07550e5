"""What `ddb data add` registered: a small JSON file in the data folder; the data stays put."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ddb_query.errors import MissingDataError
from ddb_query.files import locked, make_folder, replacing

if TYPE_CHECKING:
    from collections.abc import Callable

Kind = Literal["table", "zips", "folders"]

_FILE = "added.json"


@dataclass(frozen=True)
class Added:
    """Something that lies elsewhere and was registered.

    Attributes:
        kind: A metadata `table`, a folder of part `zips`, or one of extracted part `folders`.
        dataset: 2m, large or demo.
        path: Where it lies, absolute.

    """

    kind: Kind
    dataset: str
    path: Path


class Registry:
    """The registered files and folders of one data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self._path = data_dir / _FILE

    def entries(self) -> list[Added]:
        """All of them, the oldest first.

        Raises:
            MissingDataError: The registry is damaged.

        """
        try:
            text = self._path.read_text("utf-8")
            return [Added(e["kind"], e["dataset"], Path(e["path"])) for e in json.loads(text)]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise MissingDataError(
                f"{self._path} is damaged", hint="delete it, then `ddb data add PATH` again"
            ) from error

    def add(self, new: Added) -> None:
        """Register one; the same path before is replaced.

        Raises:
            OutputError: The data folder cannot be written.

        """
        self._change(lambda old: [*(e for e in old if e.path != new.path), new])

    def remove(self, paths: set[Path]) -> None:
        """Forget these paths."""
        self._change(lambda old: [e for e in old if e.path not in paths])

    def _change(self, change: Callable[[list[Added]], list[Added]]) -> None:
        make_folder(self._data_dir)
        with locked(self._path):
            entries = [{**asdict(e), "path": str(e.path)} for e in change(self.entries())]
            with replacing(self._path) as temporary:
                temporary.write_text(json.dumps(entries, indent=1) + "\n", "utf-8")
