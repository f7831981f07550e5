"""What a folder of fetched images looks like: single files with a table, or shards.

Images arrive as files, where `file` says; `finish` makes the rest, from what the ledger says is
there and from the kept rows, so that it may be called after any run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from ddb_query.diffusiondb import SAMPLERS
from ddb_query.engines.float_bounds import parquet_writer
from ddb_query.errors import UsageError
from ddb_query.fetch.target.rows import BLURRED, rows_with
from ddb_query.fetch.target.shards import PARQUET, WEBDATASET
from ddb_query.util.atomic_files import replacing

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddb_query.fetch.target.folder import Place
    from ddb_query.fetch.target.ledger import Ledger

TABLE = "metadata.parquet"
_BANDS = (0.1, 0.2, 0.5, 1.0)


class Layout(Protocol):
    """A form of folder.

    Attributes:
        name: What the ledger calls it; one folder has one layout.
    """

    @property
    def name(self) -> str:
        """What the ledger calls it."""
        ...

    def file(self, image_name: str, sampler: int | None, image_nsfw: float | None) -> str:
        """Where an image goes, below the folder."""
        ...

    def finish(self, place: Place, ledger: Ledger) -> None:
        """Make what stands beside the images, or what they are packed into."""
        ...


@dataclass(frozen=True)
class Files:
    """Images as files, and one `metadata.parquet` whose first column is `file_name`.

    `load_dataset("imagefolder", data_dir=…)` reads it. With classes, these are folders below
    `images/`, and so is the table, since torchvision takes every folder beside them for a class.

    Attributes:
        class_of: Names an image's class; None for no classes.
        name: What the ledger calls it.
    """

    name: str = "folder"
    class_of: Callable[[int | None, float | None], str] | None = None

    def file(self, image_name: str, sampler: int | None, image_nsfw: float | None) -> str:
        """Where an image goes, below the folder."""
        if self.class_of is None:
            return image_name
        return f"images/{self.class_of(sampler, image_nsfw)}/{image_name}"

    def finish(self, place: Place, ledger: Ledger) -> None:
        """Write the table of all images that are there."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        base = "" if self.class_of is None else "images/"
        folder = place.folder / base
        if base:
            place.real_folder(folder)
        schema = pq.read_schema(place.rows_path)
        whole = pa.schema([pa.field("file_name", pa.string()), *schema])
        with replacing(folder / TABLE) as temporary, parquet_writer(temporary, whole) as writer:
            for batch, files in rows_with(place.rows_path, ledger.files_of):
                names = [file.removeprefix(base) for file in files]
                columns = [pa.array(names, pa.string()), *batch.columns]
                writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=whole))


def layout_of(name: str | None = None, class_by: str | None = None) -> Layout:
    """The layout of that name.

    Args:
        name: folder, webdataset or parquet; None for folder.
        class_by: For a folder: sampler or nsfw-band.

    Raises:
        UsageError: There is none, or it has no classes.
    """
    if class_by is not None:
        if name not in (None, "folder"):
            raise UsageError(f"the layout {name} has no classes", hint="leave out --class-by")
        if class_by not in _CLASSES:
            raise UsageError(f"no classes by {class_by}", hint=f"there are {', '.join(_CLASSES)}")
        return Files(f"folder by {class_by}", _CLASSES[class_by])
    layouts: dict[str, Layout] = {layout.name: layout for layout in (FOLDER, WEBDATASET, PARQUET)}
    if (name or "folder") not in layouts:
        raise UsageError(f"no layout {name}", hint=f"there are {', '.join(layouts)}")
    return layouts[name or "folder"]


def _sampler_class(sampler: int | None, image_nsfw: float | None) -> str:  # noqa: ARG001 - one form
    return SAMPLERS.get(sampler or 0, "none")


def _band_class(sampler: int | None, image_nsfw: float | None) -> str:  # noqa: ARG001 - one form
    if image_nsfw is None or math.isnan(image_nsfw):
        return "none"
    if image_nsfw == BLURRED:
        return "blurred"
    return next((f"to-{band:g}" for band in _BANDS if image_nsfw <= band), "none")


_CLASSES = {"sampler": _sampler_class, "nsfw-band": _band_class}
FOLDER = Files()
