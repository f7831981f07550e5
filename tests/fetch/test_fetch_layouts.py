"""The layouts of a folder of images, read by those who are to read them."""

from __future__ import annotations

import io
import json
import os
import tarfile
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest
from fetching import Fetcher, made_part, path_of, picture, rows_of
from hub import LoopbackHub
from PIL import Image

from ddb_query.errors import UsageError
from ddb_query.fetch.target import shards
from ddb_query.fetch.target.layouts import layout_of
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = [r | {"sampler": 1 + n % 9, "cfg": float("nan")} for n, r in enumerate(rows_of(1))]
ROWS[3]["image_nsfw"], ROWS[4]["image_nsfw"], ROWS[5]["image_nsfw"] = 0.3, 0.7, None
PART = made_part(ROWS)


@pytest.fixture
def fetcher(
    tmp_path: Path, one_certificate: Path | None, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Fetcher]:
    if one_certificate is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))
    with LoopbackHub({path_of(1): PART}) as hub:
        settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
        yield Fetcher(hub.endpoint, tmp_path / "images", settings)


def loaded(kind: str, folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """What `load_dataset` makes of a folder."""
    import warnings

    monkeypatch.setenv("HF_DATASETS_CACHE", str(tmp_path / "datasets"))
    with warnings.catch_warnings():
        # Of datasets and what it imports, none of ours.
        warnings.simplefilter("ignore")
        import datasets

        datasets.disable_progress_bars()
        return datasets.load_dataset(
            kind, data_dir=str(folder), split="train", cache_dir=str(tmp_path / "datasets")
        )


def assert_same_images(found: Any, rows: list[dict[str, Any]]) -> None:
    assert [r["image_name"] for r in found] == [r["image_name"] for r in rows]
    for one, r in zip(found, rows, strict=True):
        with Image.open(io.BytesIO(picture(r["seed"]))) as right:
            assert one["image"].tobytes() == right.tobytes()
        assert one["prompt"] == r["prompt"]


def by_name(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return sorted(rows, key=lambda r: r["image_name"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layout", "kind", "below"),
    [
        (layout_of("folder"), "imagefolder", ""),
        (layout_of(class_by="sampler"), "imagefolder", "images"),
        (layout_of("parquet"), "parquet", ""),
    ],
    ids=["folder", "classes", "parquet"],
)
def test_datasets_loads_images_with_their_metadata(
    fetcher: Fetcher, layout: Any, kind: str, below: str,
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
) -> None:  # fmt: skip
    fetcher.fetch(ROWS[:12], layout=layout)
    assert_same_images(
        loaded(kind, fetcher.folder / below, monkeypatch, tmp_path), by_name(ROWS[:12])
    )


class TestAFolder:
    def test_has_one_table_whose_first_column_is_the_file(self, fetcher: Fetcher) -> None:
        fetcher.fetch(ROWS[:6])
        table = pq.read_table(fetcher.folder / "metadata.parquet")
        assert table.column_names[:2] == ["file_name", "image_name"]
        assert table["file_name"].to_pylist() == [r["image_name"] for r in by_name(ROWS[:6])]
        assert {p.name for p in fetcher.folder.iterdir()} == {
            ".ddb", "metadata.parquet", *(r["image_name"] for r in ROWS[:6])
        }  # fmt: skip

    def test_that_grows_has_all_its_images_in_the_table(self, fetcher: Fetcher) -> None:
        fetcher.fetch(ROWS[:6])
        fetcher.fetch(ROWS[4:9])
        names = pq.read_table(fetcher.folder / "metadata.parquet")["file_name"].to_pylist()
        assert sorted(names) == sorted(r["image_name"] for r in ROWS[:9])

    def test_has_only_what_is_there_in_the_table(self, fetcher: Fetcher) -> None:
        fetcher.fetch([*ROWS[:3], *rows_of(2, 2)])
        assert pq.read_metadata(fetcher.folder / "metadata.parquet").num_rows == 3


class TestClasses:
    def test_by_sampler_are_folders_that_nothing_else_stands_beside(self, fetcher: Fetcher) -> None:
        fetcher.fetch(ROWS[:9], layout=layout_of(class_by="sampler"))
        images = fetcher.folder / "images"
        assert {p.name for p in images.iterdir() if p.is_dir()} == {
            "ddim", "plms", "k_euler", "k_euler_ancestral", "k_heun", "k_dpm_2",
            "k_dpm_2_ancestral", "k_lms", "others",
        }  # fmt: skip
        assert (images / "ddim" / ROWS[0]["image_name"]).read_bytes() == picture(ROWS[0]["seed"])

    def test_by_nsfw_band_are_named_by_their_upper_end(self, fetcher: Fetcher) -> None:
        rows = [*ROWS[:6], {**ROWS[6], "image_nsfw": 2.0}]
        fetcher.fetch(rows, layout=layout_of(class_by="nsfw-band"))
        found = {p.parent.name: p.name for p in (fetcher.folder / "images").glob("*/*.png")}
        assert found["to-0.5"] == ROWS[3]["image_name"]
        assert found["to-1"] == ROWS[4]["image_name"]
        assert found["none"] == ROWS[5]["image_name"]
        assert found["blurred"] == ROWS[6]["image_name"]
        assert set(found) == {"to-0.1", "to-0.5", "to-1", "none", "blurred"}

    def test_are_what_torchvision_takes_for_classes(self, fetcher: Fetcher) -> None:
        fetcher.fetch(ROWS[:9], layout=layout_of(class_by="sampler"))
        fetcher.fetch(ROWS[:9], layout=layout_of(class_by="sampler"))
        found = image_folder(fetcher.folder / "images")
        assert sorted(path.name for path in found) == sorted(r["image_name"] for r in ROWS[:9])
        assert found[fetcher.folder / "images" / "ddim" / ROWS[0]["image_name"]] == "ddim"
        with pytest.raises(FileNotFoundError, match=r"\.ddb"):
            image_folder(fetcher.folder)


def image_folder(root: Path) -> dict[Path, str]:
    """Images and their classes as torchvision's `ImageFolder` has them.

    Every folder is a class, hidden ones too, and one without an image is an error. Source:
    find_classes and make_dataset of torchvision.datasets 0.29.
    """
    found = {}
    for name in sorted(entry.name for entry in os.scandir(root) if entry.is_dir()):
        images = [p for p in (root / name).rglob("*") if p.suffix.lower() in (".png", ".webp")]
        if not images:
            raise FileNotFoundError(f"no valid file for the class {name}")
        found.update(dict.fromkeys(images, name))
    return found


class TestShards:
    def test_of_webdataset_have_json_beside_each_image(self, fetcher: Fetcher) -> None:
        fetcher.fetch(ROWS[:5], layout=layout_of("webdataset"))
        with tarfile.open(fetcher.folder / "images-000000.tar") as archive:
            files = {m.name: archive.extractfile(m).read() for m in archive}  # type: ignore[union-attr]
        names = [r["image_name"].removesuffix(".png") for r in by_name(ROWS[:5])]
        assert list(files) == [f"{n}.{end}" for n in names for end in ("png", "json")]
        about = json.loads(files[ROWS[0]["image_name"].replace(".png", ".json")])
        assert (about["prompt"], about["cfg"]) == (ROWS[0]["prompt"], None)
        assert about["timestamp"] == "2022-08-10T00:00:00Z"
        assert files[ROWS[0]["image_name"]] == picture(ROWS[0]["seed"])

    @pytest.mark.parametrize("name", ["webdataset", "parquet"])
    def test_are_of_a_bounded_size_grow_in_number_and_hold_nothing_twice(
        self, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        monkeypatch.setattr(shards, "SHARD_IMAGES", 4)
        fetcher.fetch(ROWS[:9], layout=layout_of(name))
        first = sorted(fetcher.folder.glob("images-*"))
        assert len(first) == 3
        before = [p.read_bytes() for p in first]
        again = fetcher.fetch(ROWS[:9], layout=layout_of(name))
        assert (again.new, again.before) == (0, 9)
        fetcher.fetch(ROWS[5:14], layout=layout_of(name))
        assert [p.read_bytes() for p in first] == before
        assert len(list(fetcher.folder.glob("images-*"))) == 5
        assert not (fetcher.folder / ".ddb" / "images").exists()

    def test_that_are_deleted_are_fetched_again_and_the_others_kept(
        self, fetcher: Fetcher, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(shards, "SHARD_IMAGES", 2)
        fetcher.fetch(ROWS[:4], layout=layout_of("parquet"))
        kept = (fetcher.folder / "images-000001.parquet").read_bytes()
        (fetcher.folder / "images-000000.parquet").unlink()
        assert fetcher.fetch(ROWS[:4], layout=layout_of("parquet")).new == 2
        assert pq.read_metadata(fetcher.folder / "images-000000.parquet").num_rows == 2
        assert (fetcher.folder / "images-000001.parquet").read_bytes() == kept


@pytest.mark.parametrize(
    ("name", "class_by"), [("zip", None), ("webdataset", "sampler"), (None, "colour")]
)
def test_a_layout_that_there_is_not_is_refused(name: str | None, class_by: str | None) -> None:
    with pytest.raises(UsageError):
        layout_of(name, class_by)
