"""What a download of one file from the Hub does, against a Hub on loopback that fails on demand."""

from __future__ import annotations

import email.utils
import json
import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, NoReturn

import httpx2
import pytest
from hub import (
    REPOSITORY_PATH,
    Compressed,
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

import ddb_query
from ddb_query.errors import (
    BadTableError,
    BrokenTransferError,
    DamagedDownloadError,
    HubAccessError,
    HubBusyError,
    HubError,
    HubUnreachableError,
    NoConnectionError,
    NoRoomError,
    NotOnHubError,
    OfflineError,
    OutputError,
    RefusedRedirectError,
)
from ddb_query.hub.client import connect
from ddb_query.hub.config import PATIENCE_SECONDS, Hub
from ddb_query.hub.download import Downloaded, download
from ddb_query.hub.provenance import read_source
from ddb_query.hub.reach import reach
from ddb_query.hub.responses import next_address

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from hub import Host

PATH = "metadata.parquet"
TABLE = random.Random(7).randbytes(300_000)
OTHER_TABLE = random.Random(8).randbytes(300_000)
TOKEN = "hf_secretToken"
PROXIES = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")
# What a second `ddb` does, in a process that can be killed.
DOWNLOAD = """
import sys
from pathlib import Path
from ddb_query.hub.download import download
from ddb_query.hub.config import Hub
say = lambda *said: print(*said, file=sys.stderr, flush=True)
done = download(Hub(sys.argv[1]), "metadata.parquet", Path(sys.argv[2]),
    progress=lambda *_: None, on_note=say)
print(done.already_there)
"""


class Told(NamedTuple):
    """One call of a progress callback."""

    done: int
    total: int | None
    unit: str
    label: str


@dataclass
class Caller:
    """One who downloads, and remembers all that was said; waits take no time."""

    endpoint: str
    token: str | None = None
    notes: list[str] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)
    patience: float = PATIENCE_SECONDS
    stop_after: int = sys.maxsize

    def progress(self, done: int, total: int | None, unit: str, label: str) -> None:
        self.told.append(Told(done, total, unit, label))
        if done > self.stop_after:
            raise KeyboardInterrupt

    def hub(self, *, offline: bool = False) -> Hub:
        return Hub(
            self.endpoint,
            self.token,
            offline=offline,
            read_timeout_seconds=0.3,
            patience_seconds=self.patience,
            sleep=self.waits.append,
        )

    def pull(
        self, target: Path, *, check: Callable[[Path], None] | None = None, offline: bool = False
    ) -> Downloaded:
        return download(
            self.hub(offline=offline),
            PATH,
            target,
            progress=self.progress,
            on_note=self.notes.append,
            check=check,
        )


@pytest.fixture(autouse=True)
def _no_settings_of_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, one_certificate: Path | None
) -> None:
    if one_certificate is not None:
        monkeypatch.setenv("SSL_CERT_FILE", str(one_certificate))
    for name in tuple(os.environ):
        if name.startswith("HF_") or name.upper() in PROXIES:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub({PATH: TABLE}) as hub:
        yield hub


@pytest.fixture
def mirror() -> Iterator[LoopbackHub]:
    with LoopbackHub({PATH: TABLE}, mirror=True) as hub:
        yield hub


@pytest.fixture
def caller(hub: LoopbackHub) -> Caller:
    return Caller(hub.endpoint)


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "data" / PATH


def part(target: Path) -> Path:
    return target.with_name(f"{PATH}.part")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} - {f"{PATH}.lock"}


def start_process(hub: LoopbackHub, target: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", DOWNLOAD, hub.endpoint, str(target)],
        env=process_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def process_environment(**settings: str) -> dict[str, str]:
    checkout = Path(ddb_query.__file__).parents[1]
    return {**os.environ, "PYTHONPATH": str(checkout), **settings}


def wait_until(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "this did not happen"
        time.sleep(0.005)


def size_of(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


class TestADownload:
    def test_puts_the_file_in_place_and_keeps_where_it_came_from(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        done = caller.pull(target)
        assert target.read_bytes() == TABLE
        assert (done.path, done.verified, done.already_there) == (target, True, False)
        assert done.source.sha256 == hub.sha256(PATH)
        assert done.source == read_source(target)
        assert names(target.parent) == {PATH, f"{PATH}.source.json"}
        assert (caller.notes, caller.waits) == ([], [])

    def test_keeps_no_host_no_folder_and_no_token_with_the_file(
        self, hub: LoopbackHub, target: Path
    ) -> None:
        Caller(hub.endpoint, TOKEN).pull(target)
        text = target.with_name(f"{PATH}.source.json").read_text()
        assert json.loads(text) == {
            "repository": "poloclub/diffusiondb",
            "revision": "main",
            "commit": hub.commit,
            "etag": hub.sha256(PATH),
            "sha256": hub.sha256(PATH),
            "size": len(TABLE),
        }

    def test_tells_how_far_it_is(self, caller: Caller, target: Path) -> None:
        caller.pull(target)
        transfer = [told for told in caller.told if told.label == PATH]
        assert [told.done for told in transfer] == sorted({told.done for told in transfer})
        assert transfer[-1] == (len(TABLE), len(TABLE), "bytes", PATH)
        assert caller.told[-1] == (len(TABLE), len(TABLE), "bytes", f"checking {PATH}")

    def test_asks_for_bytes_as_they_are(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        caller.pull(target)
        assert {request.headers["accept-encoding"] for request in hub.requests} == {"identity"}

    def test_gets_a_small_file_without_a_sha256_too(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.files[PATH] = b""
        assert caller.pull(target).source.size == 0
        assert target.read_bytes() == b""


class TestASecondDownload:
    def test_of_the_same_file_asks_for_no_bytes(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        first = caller.pull(target)
        again = caller.pull(target)
        assert again.already_there
        assert again.source == first.source
        assert len(hub.ranges()) == 1

    def test_of_a_file_that_was_put_there_by_hand_only_checks_it(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        target.parent.mkdir()
        target.write_bytes(TABLE)
        done = caller.pull(target)
        assert (done.already_there, done.verified, hub.ranges()) == (True, True, [])
        assert read_source(target) == done.source

    def test_of_a_file_that_has_changed_on_the_hub_replaces_the_old_one(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        caller.pull(target)
        hub.files[PATH] = OTHER_TABLE
        assert not caller.pull(target).already_there
        assert target.read_bytes() == OTHER_TABLE
        source = read_source(target)
        assert source is not None
        assert source.sha256 == hub.sha256(PATH)

    def test_at_the_same_time_waits_and_then_finds_the_file(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Drip())
        with start_process(hub, target) as other:
            wait_until(lambda: size_of(part(target)) > 0)
            done = caller.pull(target)
            output, errors = other.communicate(timeout=10)
        assert (output, errors, other.returncode) == ("False\n", "", 0)
        assert done.already_there
        assert caller.notes == [f"{PATH} is being downloaded by another ddb; waiting for it"]
        assert hub.ranges() == [None]


class TestASourceFile:
    def test_says_nothing_of_a_table_that_was_replaced_by_another(
        self, caller: Caller, target: Path
    ) -> None:
        caller.pull(target)
        target.write_bytes(b"another table")
        assert read_source(target) is None

    @pytest.mark.parametrize("text", ["", "[]", "{}", '{"size": 3', "\x00"])
    def test_that_is_damaged_says_nothing(self, target: Path, text: str) -> None:
        target.parent.mkdir()
        target.write_bytes(b"abc")
        target.with_name(f"{PATH}.source.json").write_text(text)
        assert read_source(target) is None


class TestATransferThatBreaks:
    @pytest.mark.parametrize("fault", [Truncate(100_000), Reset(100_000), Stall(100_000)])
    def test_goes_on_where_it_stopped(
        self, hub: LoopbackHub, caller: Caller, target: Path, fault: Fault
    ) -> None:
        hub.faults.append(fault)
        assert caller.pull(target).verified
        whole, rest = hub.ranges()
        assert (whole, target.read_bytes()) == (None, TABLE)
        # A reset may overtake the last bytes that were sent before it.
        assert rest is None or 0 < int(rest.removeprefix("bytes=").removesuffix("-")) <= 100_000
        assert len(caller.waits) == 1
        assert "trying again in" in caller.notes[0]

    def test_asks_only_for_the_missing_bytes(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.extend([Truncate(1000), Truncate(2000)])
        caller.pull(target)
        assert hub.ranges() == [None, "bytes=1000-", "bytes=3000-"]

    def test_is_given_up_after_five_more_tries_and_keeps_what_has_arrived(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Truncate(1000, times=6))
        with pytest.raises(BrokenTransferError, match=r"connection broke") as caught:
            caller.pull(target)
        assert caught.value.hint is not None
        assert "it goes on from there" in caught.value.hint
        assert len(caller.waits) == 5
        assert size_of(part(target)) == 6000
        assert not target.exists()
        caller.pull(target)
        assert hub.ranges()[-1] == "bytes=6000-"

    def test_is_not_given_up_while_it_gets_on(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.files[PATH] = random.Random(9).randbytes(9 << 20)
        hub.faults.append(Truncate(1 << 20, times=8))
        assert caller.pull(target).verified
        assert len(hub.ranges()) == 9

    def test_asks_for_a_new_address_when_the_signed_one_expires_half_way(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.extend([Truncate(1000), Status(403)])
        caller.pull(target)
        addresses = [request.path for request in hub.asked("cdn")]
        assert len(set(addresses)) == 3
        assert hub.ranges() == [None, "bytes=1000-", "bytes=1000-"]

    def test_works_with_addresses_that_are_good_for_one_request(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.signature_uses = 1
        hub.faults.append(Truncate(1000, times=3))
        assert caller.pull(target).verified

    def test_by_ctrl_c_leaves_what_has_arrived(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        caller.stop_after = 100_000
        with pytest.raises(KeyboardInterrupt):
            caller.pull(target)
        arrived = size_of(part(target))
        assert 100_000 < arrived < len(TABLE)
        Caller(hub.endpoint).pull(target)
        assert hub.ranges() == [None, f"bytes={arrived}-"]
        assert target.read_bytes() == TABLE

    def test_by_a_kill_asks_only_for_the_missing_bytes_the_next_time(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Drip())
        with start_process(hub, target) as process:
            wait_until(lambda: size_of(part(target)) > 50_000)
            process.kill()
        assert process.returncode == -signal.SIGKILL
        assert not target.exists()
        arrived = size_of(part(target))
        assert caller.pull(target).verified
        assert hub.ranges() == [None, f"bytes={arrived}-"]
        assert target.read_bytes() == TABLE
        assert names(target.parent) == {PATH, f"{PATH}.source.json"}

    @pytest.mark.slow
    def test_by_kills_at_any_moment_ends_with_the_file(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        moments = random.Random(11)
        for _ in range(5):
            hub.faults[:] = [Drip(bytes=4096, pause_seconds=0.001)]
            with start_process(hub, target) as process:
                time.sleep(moments.uniform(0.2, 0.6))
                process.kill()
        hub.faults.clear()
        caller.pull(target)
        assert target.read_bytes() == TABLE
        assert names(target.parent) == {PATH, f"{PATH}.source.json"}

    def test_after_the_rename_leaves_no_source_of_the_old_file(
        self, hub: LoopbackHub, caller: Caller, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        caller.pull(target)
        hub.files[PATH] = OTHER_TABLE

        def killed_after_the_rename(_: int) -> None:
            if target.read_bytes() == OTHER_TABLE:
                raise KeyboardInterrupt

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", killed_after_the_rename)
            with pytest.raises(KeyboardInterrupt):
                caller.pull(target)
        assert read_source(target) is None
        assert caller.pull(target).already_there
        assert len(hub.ranges()) == 2
        assert names(target.parent) == {PATH, f"{PATH}.source.json"}

    def test_after_the_last_byte_asks_for_no_more_bytes(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        def interrupted(_: Path) -> None:
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            caller.pull(target, check=interrupted)
        assert not target.exists()
        assert caller.pull(target).verified
        assert len(hub.ranges()) == 1


class TestAResume:
    def leave_a_part(self, hub: LoopbackHub, target: Path) -> None:
        with pytest.raises(KeyboardInterrupt):
            Caller(hub.endpoint, stop_after=100_000).pull(target)
        assert size_of(part(target)) > 0

    def test_starts_again_when_the_file_has_changed_since(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        hub.files[PATH] = OTHER_TABLE
        caller.pull(target)
        assert caller.notes == [f"{PATH}: it has changed since; starting again"]
        assert hub.ranges() == [None, None]
        assert target.read_bytes() == OTHER_TABLE

    def test_never_takes_old_bytes_for_new_ones_after_a_failure(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        hub.files[PATH] = OTHER_TABLE
        hub.faults.append(Status(503, times=6))
        with pytest.raises(HubBusyError):
            caller.pull(target)
        caller.pull(target)
        assert hub.ranges() == [None] * 8
        assert target.read_bytes() == OTHER_TABLE

    def test_starts_again_when_the_file_changes_in_the_middle(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Truncate(1000))
        caller.waits = Waits(lambda: hub.files.update({PATH: OTHER_TABLE}))
        caller.pull(target)
        assert target.read_bytes() == OTHER_TABLE
        assert hub.ranges() == [None, None]

    @pytest.mark.parametrize("record", [None, "", "[]", "{}", "null", '{"identity": null}'])
    def test_starts_again_when_nothing_says_what_has_arrived(
        self, hub: LoopbackHub, caller: Caller, target: Path, record: str | None
    ) -> None:
        self.leave_a_part(hub, target)
        sidecar = target.with_name(f"{PATH}.part.json")
        sidecar.unlink() if record is None else sidecar.write_text(record)
        assert caller.pull(target).verified
        assert hub.ranges() == [None, None]

    def test_starts_again_when_more_has_arrived_than_there_is(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        part(target).write_bytes(TABLE + b"more")
        assert caller.pull(target).verified
        assert hub.ranges() == [None, None]

    def test_starts_again_when_the_server_gives_the_whole_file(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        hub.faults.append(IgnoreRange())
        assert caller.pull(target).verified
        assert caller.notes == [f"{PATH}: the server gives no ranges; starting again"]
        assert target.read_bytes() == TABLE

    def test_keeps_only_the_new_bytes_when_the_whole_file_breaks_off_too(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        hub.faults.append(IgnoreRange(after=1000))
        assert caller.pull(target).verified
        assert hub.ranges()[-1] == "bytes=1000-"

    def test_asks_again_for_what_the_server_left_out(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.extend([Truncate(1000), ShortRange(500)])
        assert caller.pull(target).verified
        assert hub.ranges() == [None, "bytes=1000-", "bytes=1500-"]

    def test_starts_again_when_the_server_refuses_the_range(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        hub.faults.append(Status(416))
        assert caller.pull(target).verified
        assert hub.ranges()[-1] is None

    def test_takes_no_bytes_from_elsewhere_in_the_file(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        hub.faults.append(ShiftRange(by=5, times=2))
        assert caller.pull(target).verified
        assert len(caller.waits) == 2
        assert "sends other bytes than those from" in caller.notes[0]

    def test_gives_up_on_a_server_that_always_sends_other_bytes(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        self.leave_a_part(hub, target)
        arrived = part(target).read_bytes()
        hub.faults.append(ShiftRange(by=-5, times=99))
        with pytest.raises(BrokenTransferError):
            caller.pull(target)
        assert part(target).read_bytes() == arrived


class Waits(list[float]):
    """Waits during which something happens."""

    def __init__(self, event: Callable[[], None]) -> None:
        super().__init__()
        self._event = event

    def append(self, seconds: float) -> None:
        super().append(seconds)
        self._event()


class TestAFileThatIsNotWhatTheHubDescribes:
    def test_is_removed_and_the_old_one_stays(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        caller.pull(target)
        hub.files[PATH] = OTHER_TABLE
        hub.faults.append(OtherFile())
        with pytest.raises(DamagedDownloadError) as caught:
            caller.pull(target)
        assert caught.value.expected == hub.sha256(PATH)
        assert target.read_bytes() == TABLE
        assert names(target.parent) == {PATH, f"{PATH}.source.json"}

    def test_is_noticed_after_a_resume(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.extend([Truncate(1000), OtherFile()])
        with pytest.raises(DamagedDownloadError, match=r"its sha256 should be"):
            caller.pull(target)
        assert names(target.parent) == set()

    def test_is_not_taken_when_it_has_another_size(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(OtherFile(longer_by=1))
        assert caller.pull(target).verified
        assert f"a file of {len(TABLE) + 1} bytes, not of {len(TABLE)}" in caller.notes[0]

    def test_is_not_taken_when_it_is_compressed(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Compressed())
        assert caller.pull(target).verified
        assert "compressed, which nobody asked for" in caller.notes[0]


class TestAMirror:
    def test_that_names_no_sha256_gives_a_file_that_is_not_verified(
        self, mirror: LoopbackHub, target: Path
    ) -> None:
        caller, checked = Caller(mirror.endpoint), list[bytes]()
        done = caller.pull(target, check=lambda path: checked.append(path.read_bytes()))
        assert not done.verified
        assert done.source.sha256 == mirror.sha256(PATH)
        assert done.source.commit is None
        assert checked == [TABLE]
        assert caller.notes == [
            f"{PATH}: the server names no sha256, so that only its size could be verified"
        ]

    def test_is_asked_once_for_the_same_file(self, mirror: LoopbackHub, target: Path) -> None:
        Caller(mirror.endpoint).pull(target)
        assert Caller(mirror.endpoint).pull(target).already_there
        assert len(mirror.ranges()) == 1

    def test_is_asked_for_the_rest_only_of_the_same_version(
        self, mirror: LoopbackHub, target: Path
    ) -> None:
        mirror.etag = '"version-1"'
        mirror.faults.append(Truncate(1000, on="hub", method="GET"))
        Caller(mirror.endpoint).pull(target)
        last = mirror.requests[-1].headers
        assert (last["range"], last["if-range"]) == ("bytes=1000-", '"version-1"')

    @pytest.mark.parametrize("etag", ['W/"weak"', ""])
    def test_without_a_strong_etag_is_never_resumed(
        self, mirror: LoopbackHub, target: Path, etag: str
    ) -> None:
        mirror.etag = etag or " "
        mirror.faults.append(Truncate(1000, on="hub", method="GET"))
        caller = Caller(mirror.endpoint)
        caller.pull(target)
        assert mirror.ranges() == [None, None]
        assert "the server names no version; starting again" in caller.notes[1]
        assert target.read_bytes() == TABLE

    def test_whose_file_changes_between_two_requests_gives_only_one_version(
        self, mirror: LoopbackHub, target: Path
    ) -> None:
        mirror.faults.append(Truncate(1000, on="hub", method="GET"))
        caller = Caller(mirror.endpoint)
        caller.waits = Waits(lambda: mirror.files.update({PATH: OTHER_TABLE}))
        caller.pull(target)
        assert target.read_bytes() == OTHER_TABLE

    def test_whose_file_changes_before_the_first_byte_gives_no_mixture(
        self, mirror: LoopbackHub, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        usage = shutil.disk_usage("/")

        def changed_meanwhile(_: Path) -> object:
            mirror.files[PATH] = OTHER_TABLE
            return usage

        monkeypatch.setattr(shutil, "disk_usage", changed_meanwhile)
        caller = Caller(mirror.endpoint)
        done = caller.pull(target)
        assert "it has changed on the server meanwhile" in caller.notes[0]
        assert done.source.etag == mirror.sha256(PATH)[:32]

    def test_that_sends_on_to_the_hub_gives_a_verified_file_without_the_token(
        self, hub: LoopbackHub, mirror: LoopbackHub, target: Path
    ) -> None:
        on = f"{hub.endpoint}{REPOSITORY_PATH}main/{PATH}"
        mirror.faults.append(Redirect(on, on="hub", code=308))
        done = Caller(mirror.endpoint, TOKEN).pull(target)
        assert (done.verified, done.source.commit) == (True, hub.commit)
        assert not any("authorization" in request.headers for request in hub.requests)

    def test_that_knows_no_head_is_asked_for_one_byte(
        self, mirror: LoopbackHub, target: Path
    ) -> None:
        mirror.faults.append(Status(405, on="hub", method="HEAD"))
        done = Caller(mirror.endpoint).pull(target)
        assert mirror.ranges() == ["bytes=0-0", None]
        assert done.source.size == len(TABLE)

    @pytest.mark.parametrize("head", ["chunked", "zero", "gzip"])
    def test_whose_head_tells_no_size_is_asked_for_one_byte(
        self, mirror: LoopbackHub, target: Path, head: Literal["chunked", "zero", "gzip"]
    ) -> None:
        mirror.head = head
        caller = Caller(mirror.endpoint)
        assert caller.pull(target).source.size == len(TABLE)
        assert mirror.ranges() == ["bytes=0-0", None]
        assert {told.total for told in caller.told} == {len(TABLE)}

    def test_that_only_redirects_is_followed_without_the_token(
        self, hub: LoopbackHub, target: Path
    ) -> None:
        hub.faults.append(Redirect(hub.sign(PATH), on="hub"))
        done = Caller(hub.endpoint, TOKEN).pull(target)
        assert not done.verified
        assert done.source.size == len(TABLE)
        assert not any("authorization" in request.headers for request in hub.asked("cdn"))

    def test_file_that_is_no_table_is_removed(self, mirror: LoopbackHub, target: Path) -> None:
        def no_table(path: Path) -> None:
            raise BadTableError(path, "this is a login page")

        with pytest.raises(BadTableError):
            Caller(mirror.endpoint).pull(target, check=no_table)
        assert names(target.parent) == set()

    def test_check_that_cannot_be_made_keeps_what_has_arrived(
        self, mirror: LoopbackHub, target: Path
    ) -> None:
        def cannot(_: Path) -> None:
            raise MemoryError

        with pytest.raises(MemoryError):
            Caller(mirror.endpoint).pull(target, check=cannot)
        assert part(target).read_bytes() == TABLE


class TestTheToken:
    def test_goes_to_the_hub_and_nowhere_else(self, hub: LoopbackHub, target: Path) -> None:
        hub.token, hub.gated, hub.renamed = TOKEN, True, True
        hub.faults.append(Truncate(1000))
        caller = Caller(hub.endpoint, TOKEN)
        caller.pull(target)
        assert {request.headers["authorization"] for request in hub.asked("hub")} == {
            f"Bearer {TOKEN}"
        }
        assert hub.asked("cdn")
        assert not any(TOKEN in str(request) for request in hub.asked("cdn"))

    def test_is_not_taken_along_a_redirect_of_the_signed_address(
        self, hub: LoopbackHub, target: Path
    ) -> None:
        hub.faults.append(Redirect(hub.sign(PATH), on="cdn"))
        assert Caller(hub.endpoint, TOKEN).pull(target).verified
        assert len(hub.asked("cdn")) == 2
        assert not any("authorization" in request.headers for request in hub.asked("cdn"))

    def test_is_not_sent_over_open_http_to_another_machine(
        self, hub: LoopbackHub, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", hub.endpoint)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        assert Caller("http://hub.example", TOKEN).pull(target).verified
        assert hub.asked("hub")
        assert not any(TOKEN in str(request.headers) for request in hub.requests)

    def test_is_in_no_note_and_no_error_and_no_signed_address_is_either(
        self, hub: LoopbackHub, target: Path
    ) -> None:
        caller = Caller(hub.endpoint, TOKEN)
        faults = (Status(403), Truncate(10), Reset(10), ShiftRange(), Compressed(), Status(500))
        for fault in (*faults, Status(416), Status(418), OtherFile(), Redirect("ftp://x/")):
            fault.times = 9
            hub.faults[:] = [fault]
            with pytest.raises(HubError) as caught:
                caller.pull(target)
            caller.notes.append(f"{caught.value!r} {caught.value.hint} {vars(caught.value)}")
        caller.notes.append(repr(caller.hub()))
        assert len(caller.notes) > 30
        assert not [note for note in caller.notes if TOKEN in note or "secret-sig" in note]

    def test_that_the_hub_does_not_accept_is_named_as_the_problem(
        self, hub: LoopbackHub, target: Path
    ) -> None:
        hub.token = "hf_another"
        with pytest.raises(HubAccessError, match="does not accept the token") as caught:
            Caller(hub.endpoint, TOKEN).pull(target)
        assert "HF_TOKEN" in str(caught.value.hint)

    def test_has_no_company_from_netrc_or_from_addresses(
        self,
        hub: LoopbackHub,
        target: Path,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        netrc = tmp_path / "netrc"
        netrc.write_text("machine 127.0.0.1 login name password word\n")
        netrc.chmod(0o600)
        monkeypatch.setenv("NETRC", str(netrc))
        signed = hub.sign(PATH).replace("http://", "http://name:word@")
        hub.faults.append(Redirect(signed, on="cdn"))
        Caller(hub.endpoint).pull(target)
        assert len(hub.asked("cdn")) == 2
        assert not any("authorization" in request.headers for request in hub.requests)


class TestRedirects:
    def test_to_a_new_name_of_the_repository_are_followed(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.renamed = True
        assert caller.pull(target).source.commit == hub.commit

    @pytest.mark.parametrize("on", ["hub", "cdn"])
    def test_without_end_are_an_error(
        self, hub: LoopbackHub, caller: Caller, target: Path, on: Host
    ) -> None:
        hub.faults.append(Redirect("/round/and/round", on=on, times=99))
        with pytest.raises(RefusedRedirectError, match="more than 5 times"):
            caller.pull(target)
        assert len(hub.asked(on)) == 6
        assert caller.waits == []

    @pytest.mark.parametrize(
        ("location", "problem"),
        [
            ("ftp://127.0.0.1/file", "to something that is not http"),
            ("file:///etc/passwd", "to something that is not http"),
            ("http://127.0.0.1:99999/", "to something that is not http"),
            ("http://127.0.0.1:port/", "to something that is no address"),
        ],
    )
    def test_that_leave_http_are_an_error(
        self, hub: LoopbackHub, caller: Caller, target: Path, location: str, problem: str
    ) -> None:
        hub.faults.append(Redirect(location, on="hub"))
        with pytest.raises(RefusedRedirectError, match=problem):
            caller.pull(target)

    def test_from_https_to_open_http_are_an_error(self) -> None:
        with pytest.raises(RefusedRedirectError, match=r"unprotected http on cdn\.example"):
            next_address(httpx2.URL("https://hub.example/a"), "http://cdn.example/b")

    @pytest.mark.parametrize(
        ("address", "location", "target"),
        [
            ("https://hub.example/a/b?c", "/d", "https://hub.example/d"),
            ("https://hub.example/a", "https://cdn.example/b", "https://cdn.example/b"),
            ("https://hub.example/a", "http://[::1]:8080/b", "http://[::1]:8080/b"),
            ("http://hub.example/a", "http://cdn.example/b", "http://cdn.example/b"),
            ("http://hub.example/a", "https://cdn.example/b%2Fc~", "https://cdn.example/b%2Fc~"),
        ],
    )
    def test_elsewhere_are_followed(self, address: str, location: str, target: str) -> None:
        assert str(next_address(httpx2.URL(address), location)) == target


class TestABusyHub:
    @pytest.mark.parametrize("code", [429, 500, 502, 503, 504])
    def test_is_asked_again_after_growing_waits(
        self, hub: LoopbackHub, caller: Caller, target: Path, code: int
    ) -> None:
        hub.faults.append(Status(code, on="hub", times=5))
        assert caller.pull(target).verified
        assert len(caller.waits) == 5
        for count, wait in enumerate(caller.waits):
            assert 2**count / 2 <= wait <= 2**count
        assert f"is busy (HTTP {code}); trying again in" in caller.notes[0]

    def test_is_left_alone_after_five_more_tries(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Status(503, on="hub", times=99))
        with pytest.raises(HubBusyError) as caught:
            caller.pull(target)
        assert caught.value.status == 503
        assert len(hub.requests) == 6

    @pytest.mark.parametrize("on", ["hub", "cdn"])
    @pytest.mark.parametrize("code", [429, 503])
    @pytest.mark.parametrize(
        "headers",
        [
            {"Retry-After": "20"},
            {"RateLimit": '"resolvers";r=0;t=20'},
            {"RateLimit": '"resolvers";r=0;t=3', "Retry-After": "20"},
            {"RateLimit": '"resolvers";r=12;t=60', "Retry-After": " 20 "},
        ],
    )
    def test_says_how_long_to_wait(
        self,
        hub: LoopbackHub,
        caller: Caller,
        target: Path,
        on: Host,
        code: int,
        headers: dict[str, str],
    ) -> None:
        hub.faults.append(Status(code, headers, on=on))
        caller.pull(target)
        assert [15 < wait <= 21 for wait in caller.waits] == [True]

    def test_may_say_until_when_to_wait(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        moment = email.utils.formatdate(time.time() + 30, usegmt=True)
        hub.faults.append(Status(429, {"Retry-After": moment}, on="hub"))
        caller.pull(target)
        assert [25 < wait <= 31 for wait in caller.waits] == [True]

    @pytest.mark.parametrize("text", ["soon", "-5", "1e9", "²", "", "9" * 40])
    def test_that_says_nonsense_is_asked_again_soon(
        self, hub: LoopbackHub, caller: Caller, target: Path, text: str
    ) -> None:
        hub.faults.append(Status(429, {"Retry-After": text}, on="hub"))
        caller.pull(target)
        assert caller.waits[0] <= 1

    def test_that_asks_for_more_than_ten_minutes_is_an_error_at_once(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Status(429, {"Retry-After": "3600"}, on="hub"))
        with pytest.raises(HubBusyError, match="asks to wait 3600 s") as caught:
            caller.pull(target)
        assert "hf auth login" in str(caught.value.hint)
        assert caller.waits == []


class TestAHubThatDoesNotGiveTheFile:
    def test_because_it_is_not_there(self, hub: LoopbackHub, caller: Caller, target: Path) -> None:
        hub.files.clear()
        with pytest.raises(NotOnHubError, match=f"has no {PATH} at revision main"):
            caller.pull(target)
        assert (caller.waits, names(target.parent)) == ([], set())

    def test_because_it_wants_to_know_who_asks(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.faults.append(Status(401, on="hub"))
        with pytest.raises(HubAccessError, match="who asks") as caught:
            caller.pull(target)
        assert "hf auth login" in str(caught.value.hint)

    def test_because_the_dataset_is_gated(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        hub.gated = True
        with pytest.raises(HubAccessError, match="only for accounts that were let in") as caught:
            caller.pull(target)
        assert "ask for access" in str(caught.value.hint)

    def test_because_nobody_listens_there(self, target: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        caller = Caller(f"http://127.0.0.1:{port}")
        with pytest.raises(HubUnreachableError, match=r"cannot reach 127\.0\.0\.1: "):
            caller.pull(target)
        assert 0 < sum(caller.waits) <= PATIENCE_SECONDS

    @pytest.mark.parametrize("endpoint", ["http://127.0.0.1:1", "http://nowhere.invalid"])
    def test_because_there_is_no_network_and_the_user_waits_for_one(
        self, target: Path, endpoint: str
    ) -> None:
        caller = Caller(endpoint, patience=60)
        with pytest.raises(NoConnectionError, match="cannot reach") as caught:
            caller.pull(target)
        assert sum(caller.waits) == pytest.approx(60)
        assert "--patience" in str(caught.value.hint)

    def test_but_the_network_comes_while_the_user_waits(
        self, hub: LoopbackHub, target: Path
    ) -> None:
        caller = Caller(hub.endpoint, patience=60)
        ours = socket.create_connection

        def connected(*args: Any, **options: Any) -> socket.socket:
            if len(caller.waits) < 5:
                raise OSError(101, "Network is unreachable")
            return ours(*args, **options)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(socket, "create_connection", connected)
            assert caller.pull(target).verified
        assert len(caller.waits) == 5

    def test_because_it_is_gone_after_it_has_answered(self, hub: LoopbackHub, target: Path) -> None:
        caller = Caller(hub.endpoint)
        with socket.create_server(("127.0.0.1", 0)) as server:
            port = server.getsockname()[1]
        hub.faults.append(Redirect(f"http://127.0.0.1:{port}/", on="hub", times=99))
        with pytest.raises(NoConnectionError):
            caller.pull(target)
        # Once something has answered, failures are counted.
        assert len(caller.waits) == 5

    def test_because_the_name_server_is_silent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        over = threading.Event()

        def silent(*_: object) -> NoReturn:
            over.wait(30)
            raise OSError

        monkeypatch.setattr(socket, "getaddrinfo", silent)
        begun = time.monotonic()
        with pytest.raises(NoConnectionError, match=r"no connection within 0\.2 s"):
            reach(httpx2.URL("http://silent.example"), 0.2)
        assert time.monotonic() - begun < 5
        over.set()

    def test_is_asked_of_the_proxy_where_there_is_one(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
        reach(httpx2.URL("http://nowhere.invalid"), 1)
        with pytest.raises(NoConnectionError):
            reach(httpx2.URL("https://nowhere.invalid"), 1)

    def test_because_the_user_is_offline(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        with pytest.raises(OfflineError, match="HF_HUB_OFFLINE is set"):
            caller.pull(target, offline=True)
        assert hub.requests == []

    @pytest.mark.parametrize(
        "endpoint",
        [
            "",
            "hub.example",
            "ftp://hub.example",
            "http://hub.example:port",
            "http://127.0.0.1:99999",
        ],
    )
    def test_because_its_address_is_none(self, target: Path, endpoint: str) -> None:
        with pytest.raises(HubError, match="HF_ENDPOINT is not the http address of a Hub"):
            Caller(endpoint).pull(target)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("ALL_PROXY", "gopher://name:word@proxy.example"),
            ("ALL_PROXY", "http://name:word@proxy.example:port"),
            ("SSL_CERT_FILE", "missing.pem"),
        ],
    )
    def test_because_the_environment_is_no_good(
        self, caller: Caller, target: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
    ) -> None:
        monkeypatch.setenv(name, value)
        with pytest.raises(HubError, match="that the environment names") as caught:
            caller.pull(target)
        assert "word" not in f"{caught.value} {caught.value.hint}"


class TestTheDisk:
    def leave_room(self, monkeypatch: pytest.MonkeyPatch, free: int) -> None:
        usage = shutil.disk_usage("/")._replace(free=free)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)

    def test_without_room_for_the_file_is_an_error_before_a_byte_is_asked_for(
        self, hub: LoopbackHub, caller: Caller, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.leave_room(monkeypatch, len(TABLE) - 1)
        with pytest.raises(NoRoomError, match=r"0\.3 MB more are needed") as caught:
            caller.pull(target)
        assert caught.value.needed_bytes == len(TABLE)
        assert hub.ranges() == []

    def test_needs_room_only_for_what_is_missing(
        self, hub: LoopbackHub, caller: Caller, target: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with pytest.raises(KeyboardInterrupt):
            Caller(hub.endpoint, stop_after=200_000).pull(target)
        self.leave_room(monkeypatch, 100_000)
        assert caller.pull(target).verified

    def test_that_takes_no_more_keeps_what_has_arrived(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, hard))
        try:
            with pytest.raises(OutputError, match="File too large") as caught:
                caller.pull(target)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert caught.value.path == target
        assert size_of(part(target)) == 100_000
        caller.pull(target)
        assert hub.ranges() == [None, "bytes=100000-"]

    def test_with_a_folder_of_that_name_is_an_error(
        self, hub: LoopbackHub, caller: Caller, target: Path
    ) -> None:
        target.mkdir(parents=True)
        with pytest.raises(OutputError, match="a folder has that name"):
            caller.pull(target)
        assert hub.requests == []


class TestARange:
    def test_is_read_without_the_bytes_around_it(self, hub: LoopbackHub, caller: Caller) -> None:
        with connect(caller.hub(), caller.notes.append) as connection:
            file = connection.resolve(PATH)
            with connection.open(file, start=100, stop=300) as body:
                assert b"".join(body.chunks) == TABLE[100:300]
                assert (body.start, body.size) == (100, len(TABLE))
            with connection.open(file, start=0, stop=1) as body:
                assert b"".join(body.chunks) == TABLE[:1]
        assert hub.ranges() == ["bytes=100-299", "bytes=0-0"]
        assert len(hub.asked("hub")) == 1


class TestTheSettings:
    def read(self, **settings: str) -> subprocess.CompletedProcess[str]:
        code = (
            "from ddb_query.hub.config import Hub\n"
            "from ddb_query.errors import HubError\n"
            "try:\n"
            "    hub = Hub.from_environment()\n"
            "    print(hub.endpoint, hub.token, hub.offline, hub.read_timeout_seconds)\n"
            "except HubError as error:\n"
            "    print(error, error.hint)\n"
        )
        environment = process_environment(**settings)
        return subprocess.run(
            [sys.executable, "-c", code],
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )

    def test_are_those_of_huggingface_hub(self) -> None:
        read = self.read(
            HF_ENDPOINT="http://mirror.example/", HF_TOKEN=TOKEN, HF_HUB_DOWNLOAD_TIMEOUT="90"
        )
        assert read.stdout == f"http://mirror.example {TOKEN} False 90\n"

    def test_find_the_stored_token(self, tmp_path: Path) -> None:
        home = tmp_path / "hf"
        home.mkdir()
        (home / "token").write_text(TOKEN)
        assert self.read(HF_ENDPOINT="").stdout.split()[1:] == [TOKEN, "False", "30.0"]

    def test_of_one_who_is_offline_need_no_token(self) -> None:
        assert self.read(HF_HUB_OFFLINE="1", HF_TOKEN=TOKEN).stdout.split()[1:3] == ["None", "True"]

    @pytest.mark.parametrize(
        "settings", [{"HF_TOKEN": "hf_secret with ümlaut"}, {"HF_HUB_DOWNLOAD_TIMEOUT": "long"}]
    )
    def test_that_make_no_sense_are_an_error(self, settings: dict[str, str]) -> None:
        read = self.read(**settings)
        assert "check HF_" in read.stdout
        assert "secret" not in read.stdout

    def test_and_the_client_load_no_http_client_before_they_are_used(self) -> None:
        code = (
            "import sys, ddb_query.hub.client, ddb_query.hub.download\n"
            "print([name for name in ('httpx2', 'huggingface_hub', 'filelock', 'hashlib')"
            " if name in sys.modules])"
        )
        run = subprocess.run(
            [sys.executable, "-c", code],
            env=process_environment(),
            capture_output=True,
            text=True,
            check=True,
        )
        assert run.stdout == "['hashlib']\n"
