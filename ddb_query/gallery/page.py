"""A contact sheet of fetched images: HTML files that need nothing else, at most 500 images each.

User names are left out: they are pseudonyms of people, and a sheet is made to be shown. Text of the
data is escaped and its control and bidirectional characters are shown as escapes. The policy in the
head lets nothing load but the thumbnails inside the file, and runs one script and one style sheet,
known by their hashes.
"""

from __future__ import annotations

import base64
import hashlib
import io
import os
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddb_query.diffusiondb import SAMPLERS
from ddb_query.errors import MissingDataError, UsageError
from ddb_query.fetch.target.folder import Place
from ddb_query.fetch.target.ledger import ledger_of
from ddb_query.fetch.target.rows import BLURRED, rows_with
from ddb_query.fetch.target.shards import stored_images
from ddb_query.util.atomic_files import keep_existing, replacing
from ddb_query.util.escape import counted, printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddb_query.util.progress import Progress

PAGE_IMAGES = 500
THUMBNAIL_SIDE = 288
VEIL_ABOVE = 0.5


@dataclass(frozen=True)
class Picture:
    """An image on the sheet.

    Attributes:
        row: Its metadata.
        thumbnail: WebP.
        file: Where the image was fetched to: a file of its own, or a shard that holds it.
    """

    row: dict[str, Any]
    thumbnail: bytes
    file: Path

    def veiled(self, above: float) -> bool:
        """Whether it is shown only when clicked: a score is above, unknown, or says blurred."""
        scores = (self.row["image_nsfw"], self.row["prompt_nsfw"])
        return not all(score is not None and score <= above for score in scores)


def write_gallery(
    folder: Path,
    target: Path | None = None,
    *,
    veil_above: float = VEIL_ABOVE,
    page_images: int = PAGE_IMAGES,
    title: str | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> list[Path]:
    """Write a contact sheet of the images fetched into a folder.

    Args:
        folder: Where `ddb fetch` put them, in any layout.
        target: The first page; further ones are `NAME-2.html` and so on. None for `FOLDER.html`.
        veil_above: Images with a score above are blurred until clicked.
        page_images: At most so many on a page.
        title: None for the folder's name.
        force: Whether pages that exist are replaced.
        progress: Told how many images are done.

    Returns:
        The pages.

    Raises:
        MissingDataError: Nothing was fetched into the folder.
        ExistsError: A page exists, and `force` is not given.
        OutputError: A page cannot be written.
    """
    place = Place(folder.absolute())
    target = target or place.folder.with_name(f"{place.folder.name}.html")
    pages = []
    sheets = sheets_of(
        folder, target, veil_above=veil_above, page_images=page_images, title=title,
        force=force, progress=progress,
    )  # fmt: skip
    for path, html in sheets:
        with replacing(path) as temporary:
            temporary.write_text(html, encoding="utf-8")
        pages.append(path)
    return pages


def sheets_of(
    folder: Path,
    target: Path,
    *,
    veil_above: float = VEIL_ABOVE,
    page_images: int = PAGE_IMAGES,
    title: str | None = None,
    most_pages: int | None = None,
    force: bool = False,
    progress: Progress | None = None,
) -> Iterator[tuple[Path, str]]:
    """The pages of a contact sheet with the paths that they link to; as `write_gallery`.

    Raises:
        UsageError: There are more pages than `most_pages`.
    """
    place = Place(folder.absolute())
    if not place.ledger_path.is_file():
        hint = f"`ddb fetch -o {folder} …` fetches images into it"
        raise MissingDataError(f"{folder} holds no images fetched by ddb", hint=hint)
    with ledger_of(place.ledger_path, read_only=True) as ledger:
        files = {name: file for name, file, _ in ledger.fetched()}
        dataset = ledger.fact("dataset") or ""
        rows = {row["image_name"]: row for batch, _ in rows_with(place.rows_path, ledger.files_of)
                for row in batch.to_pylist()}  # fmt: skip
    count = max(1, -(-len(files) // page_images))
    pages = [_page_path(target, number) for number in range(1, count + 1)]
    if most_pages is not None and count > most_pages:
        raise UsageError(f"{len(files):,} images take {count} pages", hint="-o FILE.html")
    for path in pages:
        keep_existing(path, force=force)
    pictures = _pictures(place, files, rows, progress)
    for number, path in enumerate(pages, 1):
        shown = [p for _, p in zip(range(page_images), pictures, strict=False)]
        sheet = _Sheet(title or place.folder.name, dataset, len(files), pages, number, veil_above)
        yield path, sheet.html(shown)


def thumbnail(data: bytes, side: int = THUMBNAIL_SIDE) -> bytes:
    """A small WebP of an image."""
    from PIL import Image

    from ddb_query.fetch.target.validate import FORMATS

    with Image.open(io.BytesIO(data), formats=FORMATS) as picture:
        picture.thumbnail((side, side), reducing_gap=2.0)
        sink = io.BytesIO()
        picture.convert("RGB").save(sink, "WEBP", quality=78, method=1)
        return sink.getvalue()


@dataclass(frozen=True)
class _Sheet:
    """One page."""

    title: str
    dataset: str
    images: int
    pages: list[Path]
    number: int
    veil_above: float

    def html(self, shown: list[Picture]) -> str:
        return "\n".join(self._lines(shown)) + "\n"

    def _lines(self, shown: list[Picture]) -> Iterator[str]:
        style, script = (_beside(name) for name in ("page.css", "page.js"))
        policy = (
            f"default-src 'none'; img-src data:; style-src '{_hash(style)}';"
            f" script-src '{_hash(script)}'; base-uri 'none'; form-action 'none'"
        )
        yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
        yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        yield f"<title>{_text(self.title)}</title>\n<style>{style}</style>\n</head>\n<body>"
        yield f"<header>\n<h1>{_text(self.title)}</h1>"
        yield f"<p>{self._about(shown)}</p>"
        yield (
            '<label>Filter by words of the prompt, a sampler<input type="search"'
            ' autocomplete="off"></label><output></output>'
        )
        yield from self._links()
        yield "</header>\n<main>"
        for picture in shown:
            yield _figure(picture, self.veil_above, self.pages[self.number - 1].parent)
        yield "</main>"
        yield from self._links()
        yield f"<script>{script}</script>\n</body>\n</html>"

    def _about(self, shown: list[Picture]) -> str:
        veiled = sum(picture.veiled(self.veil_above) for picture in shown)
        made_up = self.dataset == "demo"
        source = "made up by the demo dataset" if made_up else f"from DiffusionDB {self.dataset}"
        about = f"{counted(self.images, 'image')} {source}"
        if veiled:
            about += f"; {veiled} on this page are blurred until clicked (scores over"
            about += f" {self.veil_above:g}, unknown, or blurred at the source)"
        return about

    def _links(self) -> Iterator[str]:
        if len(self.pages) == 1:
            return
        yield '<nav aria-label="Pages">'
        for number, path in enumerate(self.pages, 1):
            if number == self.number:
                yield f'<b aria-current="page">{number}</b>'
            else:
                yield f'<a href="{escape(_address(path.name))}">{number}</a>'
        yield "</nav>"


def _figure(picture: Picture, veil_above: float, folder: Path) -> str:
    row = picture.row
    veiled = picture.veiled(veil_above)
    source = base64.b64encode(picture.thumbnail).decode()
    size = f"{row['width']} x {row['height']}"
    settings = (
        f"{SAMPLERS.get(row['sampler'], '?')}, {row['step']} steps, cfg {row['cfg']:g}"
        f" · {size} · seed {row['seed']} · part {row['part_id']}"
    )
    scores = f"image {_score(row['image_nsfw'])}, prompt {_score(row['prompt_nsfw'])}"
    alternative = _text(row["prompt"] or "image without a prompt")
    veil = '<button type="button" class="veil">Show</button>' if veiled else ""
    copy = '<button type="button">Copy prompt</button>' if row["prompt"] else ""
    return (
        f'<figure{" class=veiled" if veiled else ""}><div class="image"><img loading="lazy"'
        f' alt="{alternative}" src="data:image/webp;base64,{source}">{veil}</div>'
        f'<figcaption>{_prompt(row["prompt"])}<p class="settings">{_text(settings)}<br>'
        f"NSFW {scores}<br>{_text(row['image_name'])}</p>"
        f"<p>{_full_size(picture, folder)} {copy}</p></figcaption></figure>"
    )


def _prompt(prompt: str | None) -> str:
    """A prompt, which scrolls when it is long; none is told from one of these words."""
    if not prompt:
        return f"<p><i>({'no' if prompt is None else 'empty'} prompt)</i></p>"
    return f'<p class="prompt" tabindex="0">{_text(prompt)}</p>'


def _full_size(picture: Picture, folder: Path) -> str:
    """A link to the image, as seen from the page; of one in a shard, where it is."""
    if picture.file.name != picture.row["image_name"]:
        return f"in {_text(picture.file.name)}"
    place = Path(os.path.relpath(picture.file, folder.absolute())).as_posix()
    return f'<a href="{escape(_address(place))}">Full size</a>'


def _pictures(
    place: Place,
    files: dict[str, str],
    rows: dict[str, dict[str, Any]],
    progress: Progress | None,
) -> Iterator[Picture]:
    for done, (name, data) in enumerate(stored_images(place.folder, files), 1):
        yield Picture(rows[name], thumbnail(data), place.folder / files[name])
        if progress is not None:
            progress(done, len(files), "images", "drawing thumbnails")


def _page_path(target: Path, number: int) -> Path:
    return target if number == 1 else target.with_name(f"{target.stem}-{number}{target.suffix}")


def _score(score: float | None) -> str:
    if score is None:
        return "unknown"
    return "blurred" if score == BLURRED else f"{score:.2f}"


def _address(path: str) -> str:
    """A relative path as an address; a colon in it begins no scheme."""
    from urllib.parse import quote

    return quote(path, safe="/")


def _text(text: str) -> str:
    return escape(printable(text))


def _beside(name: str) -> str:
    return Path(__file__).with_name(name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
