"""Fetches that are killed at any moment, that meet each other, and that the disk refuses."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import installed
import pytest
from fetching import Fetcher, made_part, path_of, rows_of
from hub import Drip, LoopbackHub, Stall
from PIL import Image

import ddb_query
from ddb_query.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddb_query.fetch.options import FetchResult

ROWS = {part_id: rows_of(part_id) for part_id in (1, 2)}
PARTS = {path_of(part_id): made_part(rows) for part_id, rows in ROWS.items()}
SOME = [*ROWS[1][::2], *ROWS[2][::3]]
KILLS = 50

# Loads everything once; forks a fetch for each line that it reads, and says its process id.
NURSERY = """
import os, sys
from pathlib import Path
sys.path[:0] = sys.argv[1:]
import pyarrow.compute, pyarrow.parquet, httpx2, filelock, huggingface_hub, resource
from fetching import Fetcher
from test_fetch_killed import SOME
from ddb_query.settings import Settings
for line in sys.stdin:
    endpoint, folder, limit = line.split()
    child = os.fork()
    if child == 0:
        if limit != "0":
            resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
        home = Path(folder).parent
        settings = Settings(data_dir=home / "data", cache_dir=home / "cache")
        try:
            Fetcher(endpoint, Path(folder), settings).fetch(SOME)
        except BaseException as error:
            print(type(error).__name__, error, flush=True)
            os._exit(1)
        os._exit(0)
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
"""


class Nursery:
    """A process that starts fetches quickly, which may be killed."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def start(self, fetcher: Fetcher, *, largest_file: int = 0) -> int:
        """Begin to fetch; returns the process id."""
        assert self._process.stdin is not None
        self._process.stdin.write(f"{fetcher.endpoint} {fetcher.folder} {largest_file}\n")
        self._process.stdin.flush()
        return int(self._line())

    def wait(self) -> list[str]:
        """What the fetch said, and its status."""
        lines = [self._line()]
        while not lines[-1].isdigit():
            lines.append(self._line())
        return lines

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()


pytestmark = pytest.mark.usefixtures("few_certificates")


@pytest.fixture
def hub() -> Iterator[LoopbackHub]:
    with LoopbackHub(PARTS) as hub:
        yield hub


@pytest.fixture
def fetcher(hub: LoopbackHub, tmp_path: Path) -> Fetcher:
    settings = Settings(data_dir=tmp_path / "data", cache_dir=tmp_path / "cache")
    return Fetcher(hub.endpoint, tmp_path / "images", settings)


@pytest.fixture
def nursery(few_certificates: None) -> Iterator[Nursery]:
    folders = [Path(__file__).parent, installed.SUPPORT, installed.SUPPORT.parent]
    environment = {**os.environ, "PYTHONPATH": str(Path(ddb_query.__file__).parents[1])}
    with subprocess.Popen(
        [sys.executable, "-c", NURSERY, *map(str, folders)], env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()


@pytest.mark.slow
def test_a_fetch_killed_fifty_times_loses_nothing_and_leaves_no_piece_of_an_image(
    hub: LoopbackHub, fetcher: Fetcher, nursery: Nursery
) -> None:
    chance = random.Random(5)
    hub.faults.append(Drip(bytes=20_000, pause_seconds=0.003, times=10**6))
    longest, there = 0.3, 0
    for _ in range(KILLS):
        process = nursery.start(fetcher)
        time.sleep(chance.uniform(0, longest))
        os.kill(process, signal.SIGKILL)
        status = nursery.wait()[-1]
        for path in fetcher.folder.glob("*.png"):
            with Image.open(path) as image:
                image.load()
        found = len(fetcher.files())
        assert found >= there, "an image was lost"
        there = found
        if status == "0":
            # It was done before it was killed: the next one starts with nothing.
            for path in fetcher.folder.glob("*.png"):
                path.unlink()
            there = 0
    hub.faults.clear()
    assert fetcher.fetch(SOME).complete
    fetcher.assert_right(SOME)


def test_two_fetches_into_one_folder_take_turns(hub: LoopbackHub, fetcher: Fetcher) -> None:
    hub.faults.append(Drip(bytes=20_000, pause_seconds=0.01, times=10))
    other = fetcher.into(fetcher.folder)
    other.notes = []
    done: list[FetchResult] = []

    def run(one: Fetcher) -> None:
        done.append(one.fetch(SOME))

    threads = [threading.Thread(target=run, args=(one,)) for one in (fetcher, other)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found.new for found in done) == [0, len(SOME)]
    assert all(found.complete for found in done)
    assert ["another ddb fetches" in note for note in [*fetcher.notes, *other.notes]] == [True]
    fetcher.assert_right(SOME)


def test_two_fetches_into_two_folders_share_what_they_learn(
    fetcher: Fetcher, tmp_path: Path
) -> None:
    fetchers = [fetcher.into(tmp_path / f"images-{n}") for n in range(4)]
    threads = [threading.Thread(target=f.fetch, args=(SOME,)) for f in fetchers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in fetchers:
        one.assert_right(SOME)


def test_a_disk_that_takes_no_more_ends_the_fetch_with_one_line_and_the_next_goes_on(
    fetcher: Fetcher, nursery: Nursery
) -> None:
    nursery.start(fetcher, largest_file=8000)
    said = nursery.wait()
    assert said[0].startswith("OutputError")
    assert not fetcher.files()
    assert fetcher.fetch(SOME).complete
    fetcher.assert_right(SOME)


def test_ctrl_c_stops_at_once_and_keeps_what_is_there(
    hub: LoopbackHub, fetcher: Fetcher, nursery: Nursery
) -> None:
    hub.faults.append(Stall(after=10_000, times=10**6, after_requests=3))
    process = nursery.start(fetcher)
    while len(hub.asked("cdn")) < 4:
        time.sleep(0.01)
    started = time.monotonic()
    os.kill(process, signal.SIGINT)
    assert nursery.wait()[0] == "KeyboardInterrupt"
    assert time.monotonic() - started < 2
    hub.faults.clear()
    assert fetcher.fetch(SOME).complete
    fetcher.assert_right(SOME)
