"""Where images come from: every source is asked until one has the image, the nearest first."""

from __future__ import annotations

import io
import shutil
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa
import pytest
from fetching import SCHEMA, Fetcher, made_part, part_json, path_of, picture, rows_of, zipped
from hub import LoopbackHub
from PIL import Image

from ddb_query.datasets.part_names import recognise_parts
from ddb_query.datasets.registry import AddedParts, Registry
from ddb_query.diffusiondb import part_number, published_name
from ddb_query.fetch.options import FetchOptions
from ddb_query.fetch.plan import plan
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from fetching import Row

ROWS = rows_of(1)
SOME = ROWS[5:50:9]
FORK = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X        " + bytes(80)
FILES = [(r["image_name"], picture(r["seed"])) for r in ROWS]
JSON = ("part-000001.json", part_json(ROWS))


def jpeg(number: int) -> bytes:
    sink = io.BytesIO()
    Image.open(io.BytesIO(picture(number))).save(sink, "JPEG")
    return sink.getvalue()


def webp(number: int) -> bytes:
    return picture(number, form="WEBP")


def below(folder: str) -> list[tuple[str, bytes]]:
    return [(f"{folder}{name}", data) for name, data in [*FILES, JSON]]


ON_A_MAC = [
    ("part-000001/", b""), *below("part-000001/"),
    *((f"__MACOSX/part-000001/._{name}", FORK) for name, _ in FILES),
    *((f"__MACOSX/part-000001/{name}", FORK) for name, _ in FILES),
]  # fmt: skip
ZIPS = {
    "as published": ("part-000001.zip", below("")),
    "made on a Mac": ("part-000001.zip", ON_A_MAC),
    "with a folder inside": ("part-000001.zip", below("part-000001/")),
    "with two folders inside": ("part-000001.zip", below("images/part-000001/")),
    "with folders of Windows": ("part-000001.zip", below("part-000001\\")),
    "with capitals": ("PART-000001.ZIP", [(name.upper(), data) for name, data in FILES]),
    "downloaded twice": ("part-000001 (1).zip", below("")),
    "copied": ("Copy of part-000001.zip", below("")),
    "in a folder": ("images/part-000001.zip", below("")),
    "in a folder named after it": ("part-000001/part-000001.zip", below("")),
}
EXTRACTED = {
    "as published": ("part-000001/", FILES),
    "on a Mac": ("part-000001/", [*FILES, *((f"._{name}", FORK) for name, _ in FILES)]),
    "twice": ("part-000001/part-000001/", FILES),
    "with the repository's folder": ("images/part-000001/", FILES),
    "all into one folder": ("all/", FILES),
    "into the folder itself": ("", FILES),
    "with capitals": ("part-000001/", [(name.upper(), data) for name, data in FILES]),
    "with a capital ending": ("all/", [(name[:-3] + "PNG", data) for name, data in FILES]),
}

pytestmark = pytest.mark.usefixtures("few_certificates")


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub({path_of(1): made_part(ROWS)}) as hub:
        yield hub


@pytest.fixture
def fetcher(hub: LoopbackHub, tmp_path: Path) -> Fetcher:
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    return Fetcher(hub.endpoint, tmp_path / "images", settings)


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """A folder of parts on this machine."""
    folder = tmp_path / "near"
    folder.mkdir()
    return folder


def put(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def nearby(fetcher: Fetcher, rows: Sequence[Row], *local: Path) -> int:
    """How many images a plan says need no network."""
    reader = pa.Table.from_pylist(list(rows), schema=SCHEMA).to_reader()
    order = FetchOptions(local=local)
    return plan(reader, None, "2m", order, fetcher.settings, fetcher.hub()).nearby


@pytest.mark.parametrize("form", ZIPS)
def test_a_part_zip_is_understood_however_it_was_made(
    hub: LoopbackHub, fetcher: Fetcher, near: Path, form: str
) -> None:
    name, files = ZIPS[form]
    put(near / name, zipped(files))
    assert recognise_parts(near).images == "2m"
    assert nearby(fetcher, SOME, near) == len(SOME)
    fetcher.fetch(SOME, local=(near,))
    fetcher.assert_right(SOME)
    assert hub.requests == []


@pytest.mark.parametrize("form", EXTRACTED)
def test_an_extracted_part_is_understood_wherever_its_images_went(
    hub: LoopbackHub, fetcher: Fetcher, near: Path, form: str
) -> None:
    folder, files = EXTRACTED[form]
    for name, data in files:
        put(near / folder / name, data)
    assert recognise_parts(near).images == "2m"
    assert nearby(fetcher, SOME, near) == len(SOME)
    fetcher.fetch(SOME, local=(near,))
    fetcher.assert_right(SOME)
    assert hub.requests == []


class TestASourceThatLacksImages:
    def test_is_named_and_the_hub_gives_the_rest(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path
    ) -> None:
        zip_path = put(near / "part-000001.zip", zipped(FILES[:30]))
        held = [r for r in SOME if r in ROWS[:30]]
        assert 0 < len(held) < len(SOME)
        assert nearby(fetcher, SOME, near) == len(held)
        assert fetcher.fetch(SOME, local=(near,)).complete
        fetcher.assert_right(SOME)
        lacking = len(SOME) - len(held)
        assert fetcher.notes == [
            f"{zip_path} does not hold {lacking} of the wanted images; the next source is asked"
        ]
        assert len(hub.asked("hub")) == 1

    def test_is_followed_by_the_other_sources_before_the_hub(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path, tmp_path: Path
    ) -> None:
        put(near / "part-000001.zip", zipped(FILES[:10]))
        put(near / "part-000001 (1).zip", zipped(FILES[10:20]))
        put(near / "part-000001" / FILES[23][0], FILES[23][1])
        put(tmp_path / "added" / "part-000001.zip", zipped(FILES[30:]))
        added = AddedParts("zips", tmp_path / "added", "2m")
        Registry(fetcher.settings.config_dir).add_parts(added)
        assert nearby(fetcher, SOME, near) == len(SOME)
        assert fetcher.fetch(SOME, local=(near,)).complete
        fetcher.assert_right(SOME)
        assert hub.requests == []

    def test_is_read_no_second_time_and_neither_is_the_hubs_directory(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path, tmp_path: Path
    ) -> None:
        put(near / "part-000001.zip", zipped(FILES[:30]))
        fetcher.fetch(SOME, local=(near,))
        hub.requests.clear()
        fetcher.into(tmp_path / "other").fetch(SOME[-1:], local=(near,))
        assert (len(hub.asked("hub")), len(hub.asked("cdn"))) == (1, 1)

    def test_is_named_beside_the_hub_when_nobody_has_an_image_and_all_are_asked_again(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path
    ) -> None:
        zip_path = put(near / "part-000001.zip", zipped(FILES[:30]))
        whole = hub.files.pop(path_of(1))
        done = fetcher.fetch(SOME, local=(near,))
        assert done.failed == sum(r in ROWS[30:] for r in SOME)
        (name, error), *_ = done.errors
        assert error.startswith(f"{zip_path} does not hold it; 127.0.0.1 has no {path_of(1)} at")
        put(zip_path, zipped(FILES[:40]))
        assert fetcher.fetch(SOME, local=(near,), retry_failed=True).failed == 1
        hub.files[path_of(1)] = whole
        assert fetcher.fetch(SOME, local=(near,), retry_failed=True).complete
        fetcher.assert_right(SOME)
        assert name in fetcher.files()

    def test_leaves_images_wanted_when_the_hub_may_not_be_asked(
        self, fetcher: Fetcher, near: Path
    ) -> None:
        put(near / "part-000001.zip", zipped(FILES[:30]))
        fetcher.offline = True
        done = fetcher.fetch(SOME, local=(near,))
        assert (done.failed, done.missing) == (0, sum(r in ROWS[30:] for r in SOME))

    def test_lets_go_a_folder_that_is_gone(self, fetcher: Fetcher, near: Path) -> None:
        put(near / "part-000001.zip", zipped(FILES))
        Registry(fetcher.settings.config_dir).add_parts(AddedParts("zips", near, "2m"))
        shutil.rmtree(near)
        assert nearby(fetcher, SOME) == 0
        assert fetcher.fetch(SOME).complete
        fetcher.assert_right(SOME)


class TestABrokenSource:
    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (b"", "it does not end like a zip"),
            (b"<html>Log in</html>" * 99, "it does not end like a zip"),
            (zipped(FILES)[:-700], "it does not end like a zip"),
        ],
        ids=["empty", "a page", "cut"],
    )
    def test_that_is_no_zip_is_named_and_the_hub_asked(
        self, fetcher: Fetcher, near: Path, data: bytes, problem: str
    ) -> None:
        zip_path = put(near / "part-000001.zip", data)
        assert nearby(fetcher, SOME, near) == 0
        assert fetcher.fetch(SOME, local=(near,)).complete
        fetcher.assert_right(SOME)
        assert fetcher.notes == [f"{zip_path}: {problem}"]

    @pytest.mark.parametrize(
        ("other", "problem"),
        [
            (lambda number: picture(number, 27), "27 x 27 pixels, where the metadata says 54 x 54"),
            (lambda number: picture(number, 60), "60 x 60 pixels, where the metadata says 54 x 54"),
            (jpeg, "it is neither PNG nor WebP"),
            (webp, "it is WEBP, unlike its name"),
            (lambda number: picture(number)[:-900], "it does not decode"),
            (lambda _: b"", "it is neither PNG nor WebP"),
        ],
        ids=["smaller", "larger", "jpeg", "webp", "cut", "empty"],
    )
    @pytest.mark.parametrize("packed", [True, False], ids=["zip", "files"])
    def test_with_other_pictures_is_named_and_the_hub_asked(
        self,
        fetcher: Fetcher,
        near: Path,
        other: Callable[[int], bytes],
        problem: str,
        packed: bool,
    ) -> None:
        files = [(r["image_name"], other(r["seed"])) for r in SOME]
        if packed:
            put(near / "part-000001.zip", zipped(files))
        for name, data in () if packed else files:
            put(near / "part-000001" / name, data)
        assert fetcher.fetch(SOME, local=(near,)).complete
        fetcher.assert_right(SOME)
        name = near / "part-000001.zip" if packed else near
        (note,) = set(fetcher.notes)
        assert note.startswith(f"{name}: an image is not taken: {problem}")

    def test_with_a_wrong_checksum_costs_only_that_image(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path
    ) -> None:
        part = bytearray(zipped(FILES))
        part[part.index(picture(SOME[0]["seed"])) + 200] ^= 1
        put(near / "part-000001.zip", bytes(part))
        assert fetcher.fetch(SOME, local=(near,)).complete
        fetcher.assert_right(SOME)
        assert len(hub.asked("cdn")) == 2

    def test_is_believed_of_its_size_when_it_is_the_hub_itself(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        smaller = [(r["image_name"], picture(r["seed"], 27)) for r in SOME]
        hub.files[path_of(1)] = zipped(smaller)
        assert fetcher.fetch(SOME).complete
        assert fetcher.files() == dict(smaller)


class TestTheJsonOfAPart:
    def test_is_taken_from_an_extracted_part(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path
    ) -> None:
        for name, data in [*FILES, JSON]:
            put(near / "part-000001" / name, data)
        done = fetcher.fetch(SOME, local=(near,), check_json=True)
        assert (done.complete, done.not_compared, hub.requests) == (True, 0, [])

    @pytest.mark.parametrize("text", [None, b"{"])
    def test_that_a_near_zip_lacks_or_has_damaged_is_the_hubs(
        self, hub: LoopbackHub, fetcher: Fetcher, near: Path, text: bytes | None
    ) -> None:
        files = [*FILES, *([(JSON[0], text)] if text else [])]
        put(near / "part-000001.zip", zipped(files))
        done = fetcher.fetch(SOME, local=(near,), check_json=True)
        assert (done.complete, done.not_compared) == (True, 0)
        assert len(hub.asked("hub")) == 1

    def test_that_nobody_gives_does_not_end_the_work(self, fetcher: Fetcher, near: Path) -> None:
        put(near / "part-000001.zip", zipped(FILES))
        fetcher.offline = True
        done = fetcher.fetch(SOME, local=(near,), check_json=True)
        assert (done.complete, done.stopped, done.not_compared) == (True, None, 1)
        assert "HF_HUB_OFFLINE" in str(done.differences[0].problem)


def test_an_image_in_several_zips_is_one_row_of_members(
    fetcher: Fetcher, near: Path, tmp_path: Path
) -> None:
    from contextlib import closing

    from ddb_query.engines.duckdb.connection import DuckDBEngine, Limits

    put(near / "part-000001.zip", zipped(ON_A_MAC[:40]))
    fetcher.fetch(SOME, local=(near,))
    cached = list((tmp_path / "cache" / "directories").rglob("*.parquet"))
    assert len(cached) == 2
    with closing(DuckDBEngine.open(tmp_path / "cache", Limits())) as engine:
        engine._connection.execute("create schema source")
        engine.add_members(fetcher.settings.directories)
        rows = engine._connection.sql("select image_name, source from members").fetchall()
    assert sorted(rows) == sorted((r["image_name"], "hub") for r in ROWS)
    with duckdb.connect() as connection:
        (count,) = connection.sql(f"select count(*) from '{cached[0].parent}/*.parquet'").fetchall()
    assert count[0] == 40 + len(ROWS) + 1


@pytest.mark.parametrize(
    ("path", "name"),
    [
        (FILES[0][0], FILES[0][0]),
        (f"a/b/{FILES[0][0]}", FILES[0][0]),
        (f"a\\{FILES[0][0].upper()}", FILES[0][0]),
        ("part-000001/part-000001.json", "part-000001.json"),
        (f"__MACOSX/{FILES[0][0]}", None),
        (f"a/._{FILES[0][0]}", None),
        (f"{FILES[0][0]}/", None),
        (f"{FILES[0][0]}.jpg", None),
        ("part-000001/", None),
        ("", None),
    ],
)
def test_a_published_name_is_the_end_of_a_path(path: str, name: str | None) -> None:
    assert published_name(path) == name


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("part-000001.zip", 1), ("part-014000", 14_000), ("part-000002 (1).zip", 2),
        ("PART-000003.ZIP", 3), ("Copy of part-000004.zip", 4), ("part-0000012.zip", None),
        ("._part-000001.zip", None), ("diffusiondb-large-part-1", None), ("parts", None),
    ],
)  # fmt: skip
def test_a_part_is_told_by_the_number_in_its_name(name: str, number: int | None) -> None:
    assert part_number(name) == number
