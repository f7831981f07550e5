"""What a fetch asks for and leaves behind, when all goes well."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Literal

import pytest
from fetching import Fetcher, made_part, name_of, part_json, path_of, picture, row, rows_of, zipped
from hub import LoopbackHub, Status

from ddb_query.errors import BadTableError, OfflineError, UsageError
from ddb_query.fetch.parts.zip_directory import TAIL_BYTES
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = {part_id: rows_of(part_id) for part_id in (1, 2, 3)}
PARTS = {path_of(part_id): made_part(rows) for part_id, rows in ROWS.items()}
SOME = [*ROWS[1][5:50:9], *ROWS[2][:3], ROWS[3][40]]

pytestmark = pytest.mark.usefixtures("few_certificates")


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(PARTS) as hub:
        yield hub


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")


@pytest.fixture
def fetcher(hub: LoopbackHub, tmp_path: Path, settings: Settings) -> Fetcher:
    return Fetcher(hub.endpoint, tmp_path / "images", settings)


@pytest.fixture
def offline(fetcher: Fetcher) -> Fetcher:
    """One who may ask nobody."""
    fetcher.offline = True
    return fetcher


class TestAFetch:
    def test_leaves_the_images_and_a_ledger_that_agrees(self, fetcher: Fetcher) -> None:
        done = fetcher.fetch(SOME)
        assert (done.wanted, done.new, done.complete) == (len(SOME), len(SOME), True)
        assert done.bytes == sum(map(len, fetcher.files().values()))
        fetcher.assert_right(SOME)
        assert (fetcher.notes, fetcher.waits) == ([], [])

    def test_resolves_each_part_once_and_reads_its_directory_once(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        fetcher.fetch(SOME)
        assert len(hub.asked("hub")) == 3
        tails = [f"bytes={len(part) - TAIL_BYTES}-{len(part) - 1}" for part in PARTS.values()]
        assert sorted(r for r in hub.ranges() if r in tails) == sorted(tails)
        assert len(hub.asked("cdn")) <= 3 + len(SOME)

    def test_of_twenty_images_of_a_part_costs_one_resolve_and_at_most_twenty_one_reads(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        fetcher.fetch(ROWS[1][::3])
        assert len(hub.asked("hub")) == 1
        assert len(hub.asked("cdn")) <= 21

    def test_reads_no_more_than_the_members_and_the_directories(
        self, tmp_path: Path, settings: Settings
    ) -> None:
        far_apart = [row(number, 1, width=400, height=400) for number in range(6)]
        part = zipped((r["image_name"], picture(r["seed"], 400)) for r in far_apart)
        wanted = far_apart[::2]
        with LoopbackHub({path_of(1): part}) as hub:
            Fetcher(hub.endpoint, tmp_path / "images", settings).fetch(wanted)
            members = sum(len(picture(r["seed"], 400)) for r in wanted)
            assert hub.sent_bytes <= 1.05 * members + TAIL_BYTES
            assert len(hub.asked("cdn")) == 1 + len(wanted)

    def test_reads_neighbours_and_whole_parts_in_one_request(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        fetcher.fetch(ROWS[2])
        assert len(hub.asked("cdn")) == 2
        fetcher.assert_right(ROWS[2])

    def test_a_second_time_asks_for_nothing(self, hub: LoopbackHub, fetcher: Fetcher) -> None:
        fetcher.fetch(SOME)
        asked = len(hub.requests)
        again = fetcher.fetch(SOME)
        assert (again.new, again.before, again.complete) == (0, len(SOME), True)
        assert len(hub.requests) == asked

    def test_of_more_images_into_the_same_folder_fetches_only_those(self, fetcher: Fetcher) -> None:
        fetcher.fetch(SOME)
        more = ROWS[1][6:20:5]
        done = fetcher.fetch([*SOME, *more])
        assert (done.new, done.before) == (len(more), len(SOME))
        fetcher.assert_right([*SOME, *more])

    def test_reads_no_directory_that_was_read_before_by_anybody(
        self, hub: LoopbackHub, fetcher: Fetcher, tmp_path: Path
    ) -> None:
        fetcher.fetch(ROWS[1][:1])
        hub.requests.clear()
        fetcher.into(tmp_path / "other").fetch(ROWS[1][30:31])
        assert (len(hub.asked("hub")), len(hub.asked("cdn"))) == (1, 1)

    def test_fetches_again_what_was_deleted_and_replaces_what_is_no_image(
        self, fetcher: Fetcher
    ) -> None:
        fetcher.fetch(SOME)
        (fetcher.folder / SOME[0]["image_name"]).unlink()
        assert fetcher.fetch(SOME).new == 1
        fetcher.assert_right(SOME)

    def test_without_its_ledger_keeps_the_images_that_are_there(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        fetcher.fetch(SOME)
        (fetcher.folder / ".ddb" / "ledger.sqlite").unlink()
        (fetcher.folder / SOME[0]["image_name"]).write_bytes(b"no image")
        hub.requests.clear()
        fetcher.fetch(SOME)
        assert len(hub.asked("hub")) == 1
        fetcher.assert_right(SOME)

    @pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
    def test_takes_stored_and_deflated_members(
        self, hub: LoopbackHub, fetcher: Fetcher, method: int
    ) -> None:
        hub.files[path_of(1)] = made_part(ROWS[1], method)
        fetcher.fetch(ROWS[1][::7])
        fetcher.assert_right(ROWS[1][::7])

    def test_takes_webp_from_the_parts_of_large(self, tmp_path: Path, settings: Settings) -> None:
        name = name_of(7, "webp")
        files = {path_of(10_001, "large"): zipped([(name, picture(7, form="WEBP"))])}
        with LoopbackHub(files) as hub:
            fetcher = Fetcher(hub.endpoint, tmp_path / "images", settings, "large")
            assert fetcher.fetch([row(7, 10_001, image_name=name)]).complete
        assert (fetcher.folder / name).read_bytes() == picture(7, form="WEBP")

    def test_of_nothing_is_complete(self, fetcher: Fetcher) -> None:
        assert fetcher.fetch([]).complete

    def test_works_with_a_mirror_that_signs_nothing(
        self, tmp_path: Path, settings: Settings
    ) -> None:
        with LoopbackHub(PARTS, mirror=True) as mirror:
            fetcher = Fetcher(mirror.endpoint, tmp_path / "images", settings)
            fetcher.fetch(SOME)
            fetcher.assert_right(SOME)

    @pytest.mark.parametrize("head", ["chunked", "zero", "gzip"])
    def test_learns_the_size_from_the_first_byte_where_head_does_not_tell_it(
        self, tmp_path: Path, settings: Settings, head: Literal["chunked", "zero", "gzip"]
    ) -> None:
        with LoopbackHub(PARTS, mirror=True) as mirror:
            mirror.head = head
            fetcher = Fetcher(mirror.endpoint, tmp_path / "images", settings)
            fetcher.fetch(ROWS[1][::9])
            fetcher.assert_right(ROWS[1][::9])
            assert mirror.ranges()[0] == "bytes=0-0"
            assert None not in mirror.ranges()
            assert len(mirror.asked(method="HEAD")) == 1

    def test_learns_the_size_where_a_redirect_tells_only_the_sha256(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.etag_only = True
        fetcher.fetch(ROWS[1][::9])
        fetcher.assert_right(ROWS[1][::9])
        assert hub.ranges()[0] == "bytes=0-0"
        assert None not in hub.ranges()

    @pytest.mark.parametrize("mirror", [True, False], ids=["mirror", "hub"])
    def test_reads_headers_in_lower_case(
        self,
        tmp_path: Path,
        settings: Settings,
        mirror: bool,
    ) -> None:
        with LoopbackHub(PARTS, mirror=mirror) as hub:
            hub.lower_case = True
            fetcher = Fetcher(hub.endpoint, tmp_path / "images", settings)
            fetcher.fetch(ROWS[1][::9])
            fetcher.assert_right(ROWS[1][::9])
            assert None not in hub.ranges()

    @pytest.mark.parametrize("code", [405, 501])
    def test_works_with_a_mirror_that_knows_no_head(
        self, tmp_path: Path, settings: Settings, code: int
    ) -> None:
        with LoopbackHub(PARTS, mirror=True) as mirror:
            mirror.faults.append(Status(code, on="hub", method="HEAD", times=99))
            fetcher = Fetcher(mirror.endpoint, tmp_path / "images", settings)
            fetcher.fetch(ROWS[1][::9])
            fetcher.assert_right(ROWS[1][::9])
            assert None not in mirror.ranges()

    def test_from_a_server_without_head_size_or_ranges_fetches_the_whole_part_once(
        self, tmp_path: Path, settings: Settings
    ) -> None:
        with LoopbackHub(PARTS, mirror=True) as mirror:
            mirror.head, mirror.no_ranges = "chunked", True
            fetcher = Fetcher(mirror.endpoint, tmp_path / "images", settings)
            assert fetcher.fetch(ROWS[1][::9]).complete
            fetcher.assert_right(ROWS[1][::9])
            assert mirror.ranges().count(None) == 1

    def test_from_a_server_without_ranges_fetches_the_whole_part_once(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.no_ranges = True
        assert fetcher.fetch(ROWS[1][::9]).complete
        fetcher.assert_right(ROWS[1][::9])
        assert len(hub.asked("cdn")) == 2
        assert "fetching it whole" in fetcher.notes[0]

    def test_into_a_folder_of_another_dataset_or_layout_is_refused(self, fetcher: Fetcher) -> None:
        fetcher.fetch(SOME)
        fetcher.dataset = "large"
        with pytest.raises(UsageError, match="dataset 2m"):
            fetcher.fetch(SOME)


class TestBlurredImages:
    BLURRED = (*ROWS[1][:2], {**ROWS[1][2], "image_nsfw": 2.0}, {**ROWS[1][3], "prompt_nsfw": 0.7})

    def test_are_counted_beside_those_with_a_high_score(self, fetcher: Fetcher) -> None:
        done = fetcher.fetch(self.BLURRED)
        assert (done.wanted, done.counts.blurred, done.counts.unsafe) == (4, 1, 1)
        fetcher.assert_right(ROWS[1][:4])


class TestWhatIsHereAlready:
    def test_is_taken_from_zips_in_a_folder(self, offline: Fetcher, tmp_path: Path) -> None:
        _write_zips(tmp_path / "zips")
        offline.fetch(SOME, local=(tmp_path / "zips",))
        offline.assert_right(SOME)

    def test_is_taken_from_registered_zips(self, offline: Fetcher, tmp_path: Path) -> None:
        from ddb_query.datasets.registry import AddedParts, Registry

        _write_zips(tmp_path / "zips")
        zips = AddedParts("zips", tmp_path / "zips", "2m")
        Registry(offline.settings.config_dir).add_parts(zips)
        offline.fetch(SOME)
        offline.assert_right(SOME)

    def test_is_linked_from_extracted_parts(self, offline: Fetcher, tmp_path: Path) -> None:
        for r in SOME:
            folder = tmp_path / "extracted" / f"part-{r['part_id']:06d}"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / r["image_name"]).write_bytes(picture(r["seed"]))
        offline.fetch(SOME, local=(tmp_path / "extracted",))
        offline.assert_right(SOME)
        assert all((offline.folder / r["image_name"]).stat().st_nlink == 2 for r in SOME)

    def test_is_linked_from_an_earlier_fetch(
        self, hub: LoopbackHub, fetcher: Fetcher, tmp_path: Path
    ) -> None:
        fetcher.fetch(SOME)
        asked = len(hub.requests)
        other = fetcher.into(tmp_path / "other")
        other.fetch(SOME, local=(fetcher.folder,))
        other.assert_right(SOME)
        assert len(hub.requests) == asked
        name = SOME[0]["image_name"]
        assert (fetcher.folder / name).samefile(other.folder / name)

    def test_is_taken_from_the_hubs_own_cache(
        self, offline: Fetcher, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        cache = tmp_path / "hf"
        monkeypatch.setenv("HF_HUB_CACHE", str(cache))
        repository = cache / "datasets--poloclub--diffusiondb"
        for path, part in PARTS.items():
            target = repository / "snapshots" / "c0ffee" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(part)
        (repository / "refs").mkdir()
        (repository / "refs" / "main").write_text("c0ffee")
        offline.fetch(SOME)
        offline.assert_right(SOME)

    def test_is_taken_from_a_mirror_in_a_folder(self, offline: Fetcher, tmp_path: Path) -> None:
        _write_zips(tmp_path / "mirror" / "images")
        offline.endpoint = (tmp_path / "mirror").as_uri()
        offline.fetch(SOME)
        offline.assert_right(SOME)

    def test_is_taken_even_when_the_rest_needs_a_network(
        self, offline: Fetcher, tmp_path: Path
    ) -> None:
        _write_zips(tmp_path / "zips", {path_of(1)})
        done = offline.fetch(SOME, local=(tmp_path / "zips",))
        assert isinstance(done.stopped, OfflineError)
        here = [r for r in SOME if r["part_id"] == 1]
        assert (done.new, done.missing, done.failed) == (len(here), len(SOME) - len(here), 0)
        offline.assert_right(here)

    def test_is_looked_for_in_folders_that_hold_images(
        self, fetcher: Fetcher, tmp_path: Path
    ) -> None:
        with pytest.raises(BadTableError, match="no such folder"):
            fetcher.fetch(SOME, local=(tmp_path / "nowhere",))


class TestTheJsonOfAPart:
    def test_that_agrees_is_noted_once(self, hub: LoopbackHub, fetcher: Fetcher) -> None:
        done = fetcher.fetch(SOME, check_json=True)
        assert (done.complete, done.differences) == (True, [])
        asked = len(hub.requests)
        fetcher.fetch(SOME, check_json=True)
        assert len(hub.requests) == asked

    def test_that_differs_is_written_down(self, hub: LoopbackHub, fetcher: Fetcher) -> None:
        rows = ROWS[1][:5]
        said = [{**rows[0], "seed": 1}, {**rows[1], "cfg": 9.0}, *rows[3:]]
        files = [(r["image_name"], picture(r["seed"])) for r in rows]
        hub.files[path_of(1)] = zipped([*files, ("part-000001.json", part_json(said))])
        fetcher.fetch(rows)
        done = fetcher.fetch(rows, check_json=True)
        assert done.complete
        assert set(done.differences) == {
            (rows[0]["image_name"], "seed", "1000", "1"),
            (rows[1]["image_name"], "cfg", "7.5", "9.0"),
            (rows[2]["image_name"], "image", rows[2]["image_name"], None),
        }

    @pytest.mark.parametrize("text", [None, b"[1]", b"{", b'{"../x": 7}'])
    def test_that_is_missing_or_damaged_is_written_down(
        self, hub: LoopbackHub, fetcher: Fetcher, text: bytes | None
    ) -> None:
        files = [(ROWS[1][0]["image_name"], picture(1000))]
        hub.files[path_of(1)] = zipped([*files, *([("part-000001.json", text)] if text else [])])
        done = fetcher.fetch(ROWS[1][:1], check_json=True)
        assert done.complete
        assert len(done.differences) == 1

    def test_in_a_part_that_cannot_be_read_is_told_though_its_images_are_there(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        rows = ROWS[1][:3]
        fetcher.fetch(rows)
        whole = hub.files[path_of(1)]
        hub.files[path_of(1)] = whole[:-1000] + bytes(1000)
        done = fetcher.fetch(rows, check_json=True)
        assert (done.complete, done.not_compared) == (True, 1)
        assert done.differences[0].problem == (
            f"{path_of(1)} on 127.0.0.1: it does not end like a zip"
        )
        del hub.files[path_of(1)]
        (told,) = fetcher.fetch(rows, check_json=True).differences
        assert "has no images/part-000001.zip" in str(told.problem)
        hub.files[path_of(1)] = whole
        assert fetcher.fetch(rows, check_json=True).differences == []
        fetcher.assert_right(rows)

    def test_is_compared_in_a_part_that_comes_whole(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.no_ranges = True
        said = [{**r, "seed": 1} for r in ROWS[1]]
        files = [(r["image_name"], picture(r["seed"])) for r in ROWS[1]]
        hub.files[path_of(1)] = zipped([*files, ("part-000001.json", part_json(said))])
        done = fetcher.fetch(ROWS[1][:2], check_json=True)
        assert [difference.field for difference in done.differences] == ["seed", "seed"]


def _write_zips(folder: Path, paths: set[str] | None = None) -> None:
    folder.mkdir(parents=True)
    for path, part in PARTS.items():
        if paths is None or path in paths:
            (folder / path.rpartition("/")[2]).write_bytes(part)
