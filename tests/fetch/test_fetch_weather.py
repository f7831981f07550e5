"""A fetch in bad weather: whatever the Hub, the network, the zips and the disk do."""

from __future__ import annotations

import struct
import zipfile
from typing import TYPE_CHECKING

import pytest
from fetching import (
    SIDE,
    Fetcher,
    made_part,
    name_of,
    part_json,
    path_of,
    picture,
    row,
    rows_of,
    zipped,
)
from hub import (
    Compressed,
    Corrupt,
    Drip,
    Fault,
    IgnoreRange,
    LoopbackHub,
    OtherFile,
    Redirect,
    Reset,
    ShiftRange,
    ShortRange,
    Stall,
    Status,
    Truncate,
)

from ddb_query.errors import (
    HubAccessError,
    HubBusyError,
    HubUnreachableError,
    MissingDataError,
    OutputError,
    RefusedRedirectError,
)
from ddb_query.fetch.parts.zip_directory import TAIL_BYTES
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = {part_id: rows_of(part_id) for part_id in (1, 2)}
PARTS = {path_of(part_id): made_part(rows) for part_id, rows in ROWS.items()}
SOME = [*ROWS[1][:20], *ROWS[1][40:50:3], *ROWS[2][::20]]
TOKEN = "hf_secretToken"

pytestmark = pytest.mark.usefixtures("few_certificates")


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(PARTS) as hub:
        yield hub


@pytest.fixture
def fetcher(hub: LoopbackHub, tmp_path: Path) -> Fetcher:
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    return Fetcher(hub.endpoint, tmp_path / "images", settings)


def errors(fetcher: Fetcher) -> dict[str, str | None]:
    """The errors in the ledger, by name."""
    return {name: error for name, (_, _, _, error) in fetcher.ledger().items() if error}


class TestAServerThatFails:
    @pytest.mark.parametrize(
        "fault",
        [
            Reset(after=3000, times=3), Reset(after=0, times=3), Truncate(after=70_000, times=2),
            Truncate(after=0, times=3), Stall(after=5000, times=1), ShiftRange(times=3),
            ShortRange(bytes=20_000, times=5), Corrupt(at=5000, times=1),
            Corrupt(at=5000, times=1, after_requests=2), Drip(bytes=60_000, pause_seconds=0.01),
            IgnoreRange(times=2, after_requests=2), IgnoreRange(times=1, after=9, after_requests=2),
            Compressed(times=2), OtherFile(times=1, after_requests=2), Status(500, times=3),
            Status(502, times=3), Status(503, times=3), Status(429, times=3),
            Status(429, {"Retry-After": "7"}, times=2), Status(403, times=2),
            Status(404, times=2), Status(500, times=3, on="hub"), Status(429, times=2, on="hub"),
            Status(503, {"Retry-After": "3"}, times=2, on="hub"),
            Redirect("/elsewhere", times=1, after_requests=1),
        ],
        ids=repr,
    )  # fmt: skip
    def test_for_a_while_delays_a_fetch_and_no_more(
        self, hub: LoopbackHub, fetcher: Fetcher, fault: Fault
    ) -> None:
        fault = type(fault)(**vars(fault))
        hub.faults.append(fault)
        assert fetcher.fetch(SOME).complete
        fetcher.assert_right(SOME)
        assert fault.times == 0 or isinstance(fault, Drip)

    def test_for_good_ends_it_and_the_next_run_goes_on(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.faults.append(Status(503, times=1000, after_requests=4))
        done = fetcher.fetch(SOME, jobs=1)
        assert isinstance(done.stopped, HubBusyError)
        assert (done.failed, done.missing > 0, done.new > 0) == (0, True, True)
        fetcher.assert_right(r for r in SOME if r["image_name"] in fetcher.files())
        hub.faults.clear()
        again = fetcher.fetch(SOME)
        assert (again.complete, again.before) == (True, done.new)
        fetcher.assert_right(SOME)

    def test_to_answer_at_all_ends_it(self, fetcher: Fetcher) -> None:
        fetcher.endpoint = "http://127.0.0.1:1"
        done = fetcher.fetch(SOME)
        assert isinstance(done.stopped, HubUnreachableError)
        assert (done.missing, done.new) == (len(SOME), 0)

    def test_one_part_costs_only_the_images_of_that_part(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.faults.append(Reset(after=100, times=1000, path="part-000001.zip"))
        done = fetcher.fetch(SOME)
        here = [r for r in SOME if r["part_id"] == 2]
        assert (done.stopped, done.new, done.missing) == (None, len(here), len(SOME) - len(here))
        fetcher.assert_right(here)
        assert all("the connection broke" in str(error) for error in errors(fetcher).values())

    def test_asks_for_quiet_and_gets_it_from_all_connections(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.faults.append(Status(429, {"Retry-After": "7"}))
        fetcher.fetch(SOME)
        assert fetcher.waits
        assert all(4 < wait <= 8 for wait in fetcher.waits)

    def test_has_no_requests_left_and_is_not_asked_until_it_has(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.rate_limit = '"resolvers";r=0;t=55'
        fetcher.fetch(SOME, jobs=1)
        assert [50 < wait <= 56 for wait in fetcher.waits] == [True]


class TestASignedAddress:
    def test_that_expires_is_asked_for_again(self, hub: LoopbackHub, fetcher: Fetcher) -> None:
        hub.signature_uses = 2
        far_apart = ROWS[1][::20]
        hub.files[path_of(1)] = made_part([row(n, 1) for n in range(500)])
        rows = [row(n, 1) for n in range(0, 500, 60)]
        assert fetcher.fetch(rows, jobs=1).complete
        fetcher.assert_right(rows)
        assert 1 < len(hub.asked("hub")) <= len(rows)
        assert far_apart

    def test_and_a_token_stand_in_no_file_and_no_note(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        fetcher.token = TOKEN
        hub.faults += [Reset(after=10, times=7), Status(500, times=2), Status(403)]
        hub.faults.append(Status(404, on="hub", path="part-000002.zip", times=1000))
        done = fetcher.fetch(SOME)
        written = b"".join(
            path.read_bytes()
            for folder in (fetcher.folder, fetcher.settings.cache_dir)
            for path in folder.rglob("*")
            if path.is_file()
        )
        said = " ".join([*fetcher.notes, repr(done)]).encode()
        for secret in (b"secret-signature", TOKEN.encode()):
            assert secret not in written + said

    def test_never_gets_the_token(self, hub: LoopbackHub, fetcher: Fetcher) -> None:
        fetcher.token = TOKEN
        fetcher.fetch(SOME)
        told = {r.host for r in hub.requests if "authorization" in r.headers}
        assert told == {"hub"}
        assert {r.headers["accept-encoding"] for r in hub.requests} == {"identity"}


class TestAPart:
    def test_that_is_not_there_fails_for_its_images_alone(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        del hub.files[path_of(2)]
        done = fetcher.fetch(SOME)
        gone = [r["image_name"] for r in SOME if r["part_id"] == 2]
        assert (done.failed, done.missing, done.stopped) == (len(gone), 0, None)
        assert sorted(errors(fetcher)) == sorted(gone)
        assert "has no images/part-000002.zip" in done.errors[0][1]
        fetcher.assert_right(r for r in SOME if r["part_id"] == 1)

    def test_that_failed_is_tried_again_when_asked(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        part = hub.files.pop(path_of(2))
        fetcher.fetch(SOME)
        hub.files[path_of(2)] = part
        assert fetcher.fetch(SOME).failed
        assert fetcher.fetch(SOME, retry_failed=True).complete
        fetcher.assert_right(SOME)

    def test_that_is_replaced_meanwhile_is_read_anew(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        fetcher.fetch(ROWS[1][:1])
        hub.files[path_of(1)] = made_part(ROWS[1][::-1])
        fetcher.fetch(SOME)
        fetcher.assert_right(SOME)

    def test_that_is_replaced_between_two_reads_is_read_anew(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.faults.append(Reset(after=10, times=1, after_requests=1))
        new = made_part(ROWS[1][::-1])
        fetcher.sleep = lambda _: hub.files.update({path_of(1): new})
        rows = ROWS[1][:50:7]
        assert fetcher.fetch(rows, jobs=1).complete
        fetcher.assert_right(rows)
        assert len(hub.asked("hub")) == 2

    def test_that_is_replaced_while_its_address_expires_is_read_anew(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.faults.append(Status(403, times=1, after_requests=1))
        new = made_part(ROWS[1][::-1])
        fetcher.sleep = lambda _: hub.files.update({path_of(1): new})
        rows = ROWS[1][:50:7]
        assert fetcher.fetch(rows, jobs=1).complete
        fetcher.assert_right(rows)
        assert len(hub.asked("hub")) == 3

    def test_that_is_replaced_on_a_mirror_is_read_anew(self, fetcher: Fetcher) -> None:
        with LoopbackHub(PARTS, mirror=True) as mirror:
            fetcher.endpoint = mirror.endpoint
            mirror.faults.append(Reset(after=10, on="hub", method="GET", after_requests=1))
            new = made_part(ROWS[1][::-1])
            fetcher.sleep = lambda _: mirror.files.update({path_of(1): new})
            rows = ROWS[1][:50:7]
            assert fetcher.fetch(rows, jobs=1).complete
            fetcher.assert_right(rows)

    @pytest.mark.parametrize(
        ("part", "problem"),
        [
            (b"", "does not end like a zip"),
            (b"no zip at all" * 100, "does not end like a zip"),
            (PARTS[path_of(1)][:-500], "does not end like a zip"),
            (zipped([]), "does not hold it"),
            (made_part(ROWS[1][59:]), "does not hold it"),
        ],
        ids=["empty", "text", "cut", "no members", "other members"],
    )
    def test_that_is_no_good_fails_for_its_images(
        self, hub: LoopbackHub, fetcher: Fetcher, part: bytes, problem: str
    ) -> None:
        hub.files[path_of(1)] = part
        done = fetcher.fetch(SOME)
        assert done.failed == sum(r["part_id"] == 1 for r in SOME)
        assert all(problem in str(error) for error in errors(fetcher).values())
        fetcher.assert_right(r for r in SOME if r["part_id"] == 2)


class TestAnImage:
    def test_with_a_wrong_checksum_is_read_again_and_then_given_up(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        part = bytearray(PARTS[path_of(1)])
        part[part.index(picture(1003)) + 200] ^= 1
        hub.files[path_of(1)] = bytes(part)
        done = fetcher.fetch(SOME)
        assert (done.failed, done.new) == (1, len(SOME) - 1)
        assert "checksum" in done.errors[0][1]
        fetcher.assert_right(r for r in SOME if r["seed"] != 1003)

    @pytest.mark.parametrize(
        ("data", "problem"),
        [
            (picture(1, SIDE + 1), "where the metadata says 54 x 54"),
            (picture(1)[:4000], "does not decode"),
            (b"GIF89a" + bytes(100), "neither PNG nor WebP"),
            (b"", "neither PNG nor WebP"),
            (b"\x89PNG\r\n\x1a\n" + struct.pack(">L4s2L", 13, b"IHDR", 2**31 - 1, 2**31 - 1), "NG"),
        ],
        ids=["too large", "cut", "gif", "empty", "endless"],
    )
    def test_that_is_no_picture_of_its_size_is_not_written(
        self, hub: LoopbackHub, fetcher: Fetcher, data: bytes, problem: str
    ) -> None:
        rows = ROWS[1][:3]
        files = [(r["image_name"], picture(r["seed"])) for r in rows[1:]]
        hub.files[path_of(1)] = zipped([(rows[0]["image_name"], data), *files])
        done = fetcher.fetch(rows)
        assert (done.failed, done.new) == (1, 2)
        assert problem in done.errors[0][1] or problem == "NG"
        fetcher.assert_right(rows[1:])

    def test_that_unpacks_to_too_much_is_refused(self, hub: LoopbackHub, fetcher: Fetcher) -> None:
        bomb = zipped([(ROWS[1][0]["image_name"], bytes(50_000_000))], zipfile.ZIP_DEFLATED)
        hub.files[path_of(1)] = bomb
        done = fetcher.fetch(ROWS[1][:1])
        assert "too many for its pixels" in done.errors[0][1]

    @pytest.mark.parametrize(
        "name", ["../x.png", "x.png", "/etc/x.png", f"../{name_of(1)}", f"{name_of(1)}/x", "", "."]
    )
    def test_with_a_name_that_is_none_is_never_written(
        self, hub: LoopbackHub, fetcher: Fetcher, name: str, tmp_path: Path
    ) -> None:
        bad = row(1, 1, image_name=name)
        good = ROWS[1][0]
        files = [(r["image_name"] or "empty", picture(r["seed"])) for r in (bad, good)]
        hub.files[path_of(1)] = zipped([*files, ("part-000001.json", part_json([bad, good]))])
        before = {path.name for path in tmp_path.iterdir()}
        done = fetcher.fetch([bad, good], check_json=True)
        assert (done.failed, done.new) == (1, 1)
        assert errors(fetcher) == {name: "its name is not <uuid>.png or <uuid>.webp"}
        assert {path.name for path in tmp_path.iterdir()} - before == {"images", "cache"}
        fetcher.assert_right([good])
        assert fetcher.fetch([bad, good], retry_failed=True).failed == 1


class TestARedirect:
    def test_that_goes_round_in_circles_ends_the_fetch(
        self, hub: LoopbackHub, fetcher: Fetcher
    ) -> None:
        hub.faults.append(Redirect("/datasets/round", on="hub", times=1000))
        done = fetcher.fetch(SOME)
        assert isinstance(done.stopped, RefusedRedirectError)

    @pytest.mark.parametrize("location", ["ftp://127.0.0.1/x", "file:///etc/passwd", "http://"])
    def test_that_leads_away_from_http_is_refused(
        self, hub: LoopbackHub, fetcher: Fetcher, location: str
    ) -> None:
        hub.faults.append(Redirect(location, times=1000))
        assert isinstance(fetcher.fetch(SOME).stopped, RefusedRedirectError)


class TestAFolder:
    def test_that_holds_a_link_in_place_of_an_image_gets_the_image(
        self, fetcher: Fetcher, tmp_path: Path
    ) -> None:
        outside = tmp_path / "outside"
        outside.write_bytes(picture(SOME[0]["seed"]))
        fetcher.folder.mkdir()
        (fetcher.folder / SOME[0]["image_name"]).symlink_to(outside)
        fetcher.fetch(SOME)
        assert not (fetcher.folder / SOME[0]["image_name"]).is_symlink()
        fetcher.assert_right(SOME)

    @pytest.mark.parametrize("link", [".ddb", ".ddb/ledger.sqlite", ".ddb/lock", ".ddb/new"])
    def test_whose_state_is_a_link_is_refused(
        self, fetcher: Fetcher, tmp_path: Path, link: str
    ) -> None:
        outside = tmp_path / "outside"
        outside.mkdir()
        path = fetcher.folder / link
        path.parent.mkdir(parents=True)
        path.symlink_to(outside)
        with pytest.raises(OutputError, match="link"):
            fetcher.fetch(SOME)
        assert not list(outside.iterdir())

    def test_of_a_class_that_is_a_link_is_refused(self, fetcher: Fetcher, tmp_path: Path) -> None:
        from ddb_query.fetch.target.layouts import layout_of

        outside = tmp_path / "outside"
        outside.mkdir()
        (fetcher.folder / ".ddb").mkdir(parents=True)
        (fetcher.folder / "images").mkdir()
        (fetcher.folder / "images" / "k_lms").symlink_to(outside)
        with pytest.raises(OutputError, match="link"):
            fetcher.fetch(SOME, layout=layout_of(class_by="sampler"))
        assert not list(outside.iterdir())

    def test_that_is_a_file_is_refused(self, fetcher: Fetcher) -> None:
        fetcher.folder.write_text("a file")
        with pytest.raises(OutputError, match="cannot write"):
            fetcher.fetch(SOME)

    def test_with_a_folder_in_place_of_an_image_is_refused_and_loses_nothing(
        self, fetcher: Fetcher
    ) -> None:
        (fetcher.folder / SOME[0]["image_name"]).mkdir(parents=True)
        with pytest.raises(OutputError, match="directory"):
            fetcher.fetch(SOME)
        (fetcher.folder / SOME[0]["image_name"]).rmdir()
        assert fetcher.fetch(SOME).complete
        fetcher.assert_right(SOME)

    def test_with_a_damaged_ledger_says_what_mends_it(self, fetcher: Fetcher) -> None:
        fetcher.fetch(SOME)
        (fetcher.folder / ".ddb" / "ledger.sqlite").write_bytes(b"no database" * 1000)
        with pytest.raises(MissingDataError, match="damaged") as caught:
            fetcher.fetch(SOME)
        assert "delete" in str(caught.value.hint)


def test_a_hub_that_lets_nobody_in_ends_the_fetch(hub: LoopbackHub, fetcher: Fetcher) -> None:
    hub.gated = True
    assert isinstance(fetcher.fetch(SOME).stopped, HubAccessError)


def test_a_directory_in_the_cache_that_is_damaged_is_read_anew(
    hub: LoopbackHub, fetcher: Fetcher, tmp_path: Path
) -> None:
    fetcher.fetch(SOME[:1])
    for path in (tmp_path / "cache").rglob("*.parquet"):
        path.write_bytes(b"no parquet")
    assert fetcher.fetch(SOME).complete
    tail = f"bytes={len(PARTS[path_of(1)]) - TAIL_BYTES}-"
    assert sum((asked or "").startswith(tail) for asked in hub.ranges()) >= 2
