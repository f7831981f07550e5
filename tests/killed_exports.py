"""Exports that are killed at random moments; a program, since it forks.

Usage: killed_exports.py DATA FOLDER NAME KILLS KEPT. Each child exports to FOLDER/NAME again and
again, now 10 rows and now 2,000, and is killed on the way; NAME.bin is 10 bytes or a million,
without an engine. After each kill a line tells what is there, and the target is copied to KEPT.
"""

import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import ddb_query
from ddb_query.files import writing


def export_for_ever(data: str, target: Path, turns: int) -> None:
    corpus = ddb_query.open("2m", data_dir=data, threads=1)
    by = None if target.suffix else "sampler"
    for turn in range(1_000_000):
        os.write(turns, b"1")
        limit = 2000 if turn % 2 else 10
        corpus.select(limit=limit).export(target, partition_by=by, force=True)


def write_for_ever(target: Path, turns: int) -> None:
    for turn in range(1_000_000):
        os.write(turns, b"1")
        with writing(target) as sink:
            for _ in range(10):
                sink.write(b"x" * (100_000 if turn % 2 else 1))


def killed_at_random(data: str, target: Path) -> None:
    told, turns = os.pipe()
    child = os.fork()
    if not child:
        try:
            if target.suffix == ".bin":
                write_for_ever(target, turns)
            export_for_ever(data, target, turns)
        finally:
            os._exit(1)
    os.read(told, 1)
    began = time.monotonic()
    # At some moment of the first, the second or the third export.
    turns_before = random.randint(0, 1)
    for _ in range(turns_before):
        os.read(told, 1)
    a_turn = (time.monotonic() - began) / turns_before if turns_before else 0.1
    time.sleep(random.uniform(0, a_turn))
    os.kill(child, signal.SIGKILL)
    assert os.WIFSIGNALED(os.waitpid(child, 0)[1])
    os.close(told)
    os.close(turns)


def main(data: str, folder: str, name: str, kills: str, kept: str) -> None:
    target = Path(folder) / name
    for turn in range(int(kills)):
        killed_at_random(data, target)
        if target.exists():
            # Engines do not outlive a fork: what is there is looked at afterwards.
            keep = Path(kept) / str(turn)
            (shutil.copytree if target.is_dir() else shutil.copy)(target, keep)
        sys.stdout.write(" ".join(sorted(path.name for path in target.parent.iterdir())) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
