"""The search index: alone imports tantivy. Builds it, opens it, finds and ranks prompts.

Prompts are added with the most used first and keep that order, so that equal scores come in it:
images descending, then prompt_id ascending.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from array import array
from json.encoder import encode_basestring as _quoted
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias, cast

from ddb_query.errors import DamagedIndexError, OutputError
from ddb_query.search.index_query import IndexQueries
from ddb_query.util.atomic_files import make_ordinary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import tantivy

    from ddb_query.search.ast import Node
    from ddb_query.util.progress import Progress

    _Found: TypeAlias = list[tuple[float, tantivy.DocAddress]]

# Most of it is address space: 1.8 M prompts use about 300 MB, and become one segment.
HEAP_BYTES = 500_000_000
SMALLEST_HEAP_BYTES = 15_000_000
FORM = 1
_FILES = "files.json"
_LOOKED_AT = 1_000
_TOLD_EVERY = 10_000
_LABEL = "building the search index"


@contextlib.contextmanager
def _lockable(folder: Path) -> Iterator[Path]:
    """A folder that tantivy can open: it writes a lock beside the files even to read them.

    Where somebody else's index cannot be written to, these are links to its files, which an open
    index needs no more.
    """
    if os.access(folder, os.W_OK):
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="ddb-index-") as links:
        for file in folder.iterdir():
            if not file.name.endswith(".lock"):
                Path(links, file.name).symlink_to(file)
        yield Path(links)


class UnorderedRowsError(ValueError):
    """A mistake of the caller: ties would come in another order than promised."""


class Row(NamedTuple):
    """A prompt as the index takes it."""

    prompt_id: int
    images: int
    text: str
    artists: str


class Hits(NamedTuple):
    """Prompts that match, the best first: two columns of the same length."""

    prompt_ids: array[int]
    scores: array[float]


class Index:
    """An index over prompts, open for reading; several threads may share it."""

    def __init__(self, index: tantivy.Index, place: Path | None = None) -> None:
        self._place = place
        with _reading(place):
            index.config_reader("manual")
            index.reload()
            self._searcher = index.searcher()
            self._queries = IndexQueries(index.schema, self._searcher)
            self._as_added = self._is_as_added()

    @classmethod
    def open(cls, folder: Path) -> Index:
        """Open an index that was built.

        Raises:
            DamagedIndexError: It is not there, not whole, or of another version.

        """
        import tantivy

        _check_files(folder)
        with _reading(folder), _lockable(folder) as place:
            return cls(tantivy.Index.open(str(place)), folder)

    def __len__(self) -> int:
        return self._searcher.num_docs

    def search(self, tree: Node, limit: int) -> Hits:
        """The best matches: by score, then images descending, then prompt_id.

        Raises:
            DamagedIndexError: The index cannot be read.

        """
        with _reading(self._place):
            return self._best(self._queries.of(tree), limit)

    def count(self, tree: Node) -> int:
        """How many prompts match.

        Raises:
            DamagedIndexError: The index cannot be read.

        """
        with _reading(self._place):
            return self._count(self._queries.of(tree))

    def all(self, tree: Node) -> Hits:
        """All matches, in the order of `search`.

        Raises:
            DamagedIndexError: The index cannot be read.

        """
        with _reading(self._place):
            query = self._queries.of(tree)
            return self._best(query, self._count(query))

    def like(self, text: str, limit: int | None) -> Hits:
        """The prompts whose rarer words are those of a normalised text, itself among them.

        Args:
            text: Normalised.
            limit: At most so many, the most similar first; None for all.

        Raises:
            DamagedIndexError: The index cannot be read.

        """
        with _reading(self._place):
            query = self._queries.like(text)
            return self._best(query, self._count(query) if limit is None else limit)

    def count_like(self, text: str) -> int:
        """How many prompts `like` finds.

        Raises:
            DamagedIndexError: The index cannot be read.

        """
        with _reading(self._place):
            return self._count(self._queries.like(text))

    def _is_as_added(self) -> bool:
        """Whether equal scores come in order by themselves: one segment, and not a merged one.

        tantivy merges segments in any order; each has thousands of prompts. (It could sort them by
        `place`, but that makes building a third slower.)
        """
        import tantivy

        if self._searcher.num_segments > 1:
            return False
        looked_at = range(0, len(self), max(len(self) // _LOOKED_AT, 1))
        places = self._searcher.fast_field_values(
            "place", [tantivy.DocAddress(0, place) for place in looked_at]
        )
        return places == list(looked_at)

    def _count(self, query: tantivy.Query) -> int:
        # tantivy's type hints leave out this attribute.
        return int(self._searcher.search(query, 1).count)  # type: ignore[attr-defined]

    def _best(self, query: tantivy.Query, limit: int) -> Hits:
        limit = min(limit, len(self))
        if limit <= 0:
            return Hits(array("q"), array("d"))
        found = self._searcher.search(query, limit, count=False).hits
        if not self._as_added:
            found = self._ordered(query, limit, found)
        ids = self._numbers("prompt_id", found)
        return Hits(array("q", ids), array("d", [score for score, _ in found]))

    def _ordered(self, query: tantivy.Query, limit: int, found: _Found) -> _Found:
        """The best where prompts are not in the order in which they were added."""
        asked = limit
        while len(found) == asked < len(self) and found[-1][0] == found[limit - 1][0]:
            asked = min(asked * 4, len(self))
            found = self._searcher.search(query, asked, count=False).hits
        places = self._numbers("place", found)
        ordered = sorted(zip(found, places, strict=True), key=lambda hit: (-hit[0][0], hit[1]))
        return [hit for hit, _ in ordered[:limit]]

    def _numbers(self, field: str, found: _Found) -> list[int]:
        values = self._searcher.fast_field_values(field, [address for _, address in found])
        return cast("list[int]", values)


def build(
    folder: Path | None,
    rows: Iterable[tuple[int, int, str, str]],
    *,
    total: int | None = None,
    heap_bytes: int = HEAP_BYTES,
    progress: Progress | None = None,
) -> Index:
    """Build an index.

    Args:
        folder: An empty folder, which the caller puts into place afterwards; None for an index in
            memory.
        rows: `Row`s or tuples like it: prompt_id, images, normalised text, normalised lists of
            artists; images descending, then prompt_id ascending.
        total: How many rows there are, when that is known.
        heap_bytes: How much memory to use for what is not written yet. Where it does not suffice
            for all, the index is of several segments, and searches take longer.
        progress: Called as rows are added.

    Raises:
        OutputError: The folder cannot be written.
        UnorderedRowsError: The rows are not in order.

    """
    import tantivy

    with _writing(folder):
        index = tantivy.Index(_schema(), None if folder is None else str(folder))
        writer = index.writer(max(heap_bytes, SMALLEST_HEAP_BYTES), 1)
        place = -1
        for place, row in enumerate(_checked(rows)):
            writer.add_json(_document(place, *row))
            if progress is not None and place % _TOLD_EVERY == 0:
                progress(place, total, "prompts", _LABEL)
        writer.commit()
        if progress is not None:
            progress(place + 1, place + 1, "prompts", _LABEL)
        writer.wait_merging_threads()
        if folder is not None:
            _note_files(folder)
            for file in folder.iterdir():
                make_ordinary(file)
    return Index(index, folder)


def _document(place: int, prompt_id: int, _: int, text: str, artists: str) -> str:
    """A prompt as JSON: one call instead of one for each field takes half the time."""
    more = f',"artists":{_quoted(artists)}' if artists else ""
    return f'{{"prompt_id":{prompt_id},"place":{place},"text":{_quoted(text)}{more}}}'


def _schema() -> tantivy.Schema:
    import tantivy

    schema = tantivy.SchemaBuilder()
    schema.add_integer_field("prompt_id", fast=True)
    schema.add_integer_field("place", fast=True)
    schema.add_text_field("text", tokenizer_name="whitespace")
    schema.add_text_field("artists", tokenizer_name="whitespace")
    return schema.build()


def _checked(rows: Iterable[tuple[int, int, str, str]]) -> Iterator[tuple[int, int, str, str]]:
    last_images, last_id = 1 << 62, -1
    for row in rows:
        prompt_id, images = row[0], row[1]
        if images > last_images or (images == last_images and prompt_id <= last_id):
            raise UnorderedRowsError(
                "rows must come by images descending, then prompt_id ascending"
            )
        last_images, last_id = images, prompt_id
        yield row


def _note_files(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in folder.iterdir() if path.name[0] != "."}
    (folder / _FILES).write_text(json.dumps({"form": FORM, "files": sizes}), "utf-8")


def _check_files(folder: Path) -> None:
    """See whether all files are there and whole, before tantivy meets them."""
    try:
        noted = json.loads((folder / _FILES).read_text("utf-8"))
        form, sizes = noted["form"], dict(noted["files"])
        if form != FORM:
            raise DamagedIndexError(folder, f"it is of form {form}, not {FORM}")
        for name, size in sizes.items():
            if (folder / name).stat().st_size != size:
                raise DamagedIndexError(folder, f"{name} is not whole")
    except OSError as error:
        raise DamagedIndexError(folder, f"{error.filename}: {error.strerror}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise DamagedIndexError(folder, f"{_FILES} is not what ddb wrote") from error


@contextlib.contextmanager
def _reading(place: Path | None) -> Iterator[None]:
    try:
        yield
    except (ValueError, OSError) as error:
        raise DamagedIndexError(place or "in memory", str(error)) from error
    except BaseException as error:
        # A panic inside tantivy, which is no Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise DamagedIndexError(place or "in memory", str(error)) from error


@contextlib.contextmanager
def _writing(folder: Path | None) -> Iterator[None]:
    """Turn tantivy's errors of a full disk or a missing folder into ours."""
    try:
        yield
    except UnorderedRowsError:
        raise
    except (OSError, ValueError) as error:
        if folder is None:
            raise
        raise OutputError(folder, getattr(error, "strerror", None) or str(error)) from error
