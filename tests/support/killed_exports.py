"""Runs of `ddb export` that are killed at random moments; a program, since it forks.

Usage: killed_exports.py FOLDER NAME KILLS. Two at a time export parts 11 to 20 to FOLDER/0/NAME and
FOLDER/1/NAME, where every other time an export of parts 1 to 10 stands, and are killed on the way.
What a kill left is copied to FOLDER/kept/N: N is even where there was nothing before.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

# What every run loads, loaded once: a fork is a run that has begun.
import duckdb  # noqa: F401
import pyarrow.compute
import pyarrow.parquet  # noqa: F401

import ddb_query.api.corpus
import ddb_query.api.replay
import ddb_query.cli.export  # noqa: F401
from ddb_query.__main__ import main as ddb


def start(target: Path, parts: str = "11-20") -> int:
    """Begin an export; the process."""
    by = [] if target.suffix else ["--partition-by", "sampler"]
    process = os.fork()
    if not process:
        sys.argv = ["ddb", "export", "-o", str(target), "--part", parts, "--force", *by]
        sys.argv += ["--quiet", "--threads", "1"]
        code = 1
        try:
            code = ddb()
        finally:
            os._exit(code)
    return process


def seconds_of_one(target: Path) -> float:
    """How long an export takes; it is the old one from then on."""
    began = time.monotonic()
    assert os.waitpid(start(target, "1-10"), 0)[1] == 0
    return time.monotonic() - began


def killed_on_the_way(targets: list[Path], longest: float) -> list[Path]:
    """Export to all of them at once; those that were killed before they ended."""
    moments = sorted((random.uniform(0, longest), target) for target in targets)
    began = time.monotonic()
    processes = {target: start(target) for target in targets}
    found = []
    for moment, target in moments:
        time.sleep(max(0, began + moment - time.monotonic()))
        os.kill(processes[target], signal.SIGKILL)
        status = os.waitpid(processes[target], 0)[1]
        assert status in (0, signal.SIGKILL)
        found += [target] if status else []
    return found


def main(folder: str, name: str, kills: str) -> None:
    old, kept, *places = (Path(folder) / place for place in ("old", "kept", "0", "1"))
    old.mkdir(parents=True)
    longest = 1.5 * seconds_of_one(old / name)
    done = [0, 0]
    while sum(done) < int(kills):
        was_there = int(done[0] > done[1])
        for place in places:
            shutil.rmtree(place, ignore_errors=True)
            shutil.copytree(old, place) if was_there else place.mkdir()
        for target in killed_on_the_way([place / name for place in places], longest):
            # Engines do not outlive a fork: what is there is looked at afterwards.
            shutil.copytree(target.parent, kept / str(2 * done[was_there] + was_there))
            done[was_there] += 1


if __name__ == "__main__":
    main(*sys.argv[1:])
