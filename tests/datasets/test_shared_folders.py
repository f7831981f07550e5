"""Folders that several people share and this one may only read: a server's data, a built store."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from conftest import Ran

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_SOMEBODY = 65534
# Without these even root is held to the permissions of other people's files.
_HELD = ("setpriv", "--bounding-set=-dac_override,-dac_read_search,-fowner", "--inh-caps=-all")
SEARCH = ("search", "castle", "--format", "csv", "--limit", "5")

pytestmark = pytest.mark.slow


def give_away(folder: Path) -> tuple[str, ...]:
    """Have a folder be one that can only be read; gives what a command must begin with."""
    paths = [folder, *folder.rglob("*")]
    if os.geteuid() != 0:
        for path in paths:
            path.chmod(0o555 if path.is_dir() else 0o444)
        return ()
    if shutil.which("setpriv") is None:
        pytest.skip("root reads and writes everything here")
    for path in paths:
        os.chown(path, _SOMEBODY, _SOMEBODY)
    return _HELD


def run(before: tuple[str, ...], *args: str, cwd: Path) -> Ran:
    done = subprocess.run(
        [*before, sys.executable, "-m", "ddb_query", *args],
        capture_output=True, timeout=120, check=False, cwd=cwd,
    )  # fmt: skip
    return Ran(done.returncode, done.stdout, done.stderr.decode())


@pytest.fixture
def shared(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> tuple[Path, Ran]:
    """A folder with data and a built store, and what a search there gives its owner."""
    folder = tmp_path / "shared"
    (folder / "data").mkdir(parents=True)
    for table in tables.glob("*.parquet"):
        shutil.copy(table, folder / "data")
    monkeypatch.setenv("DDB_DATA_DIR", str(folder / "data"))
    monkeypatch.setenv("DDB_CACHE_DIR", str(folder / "cache"))
    assert ddb("data", "build").code == 0
    return folder, ddb("--quiet", *SEARCH)


def content(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_data_and_a_built_store_are_used_by_people_who_cannot_write_there(
    shared: tuple[Path, Ran], tmp_path: Path
) -> None:
    folder, owners = shared
    before = content(folder)
    held = give_away(folder)
    found = run(held, "--dataset", "2m", *SEARCH, cwd=tmp_path)
    assert (found.code, found.err, found.text) == (0, "", owners.text)
    assert len(found.text.splitlines()) == 6
    mine = tmp_path / "mine.parquet"
    assert run(held, "--dataset", "2m", "export", "--sample", "9", "-o", str(mine),
               cwd=tmp_path).code == 0  # fmt: skip
    assert run(held, "data", "add", str(mine), cwd=tmp_path).code == 0
    counted = run(
        held, "--dataset", "mine", "sql", "select count(*) as n from images", "--format", "csv",
        cwd=tmp_path,
    )  # fmt: skip
    assert (counted.code, counted.text) == (0, "n\n9\n")
    assert content(folder) == before


def test_a_damaged_store_that_cannot_be_replaced_is_told_once_and_done_without(
    shared: tuple[Path, Ran], tmp_path: Path
) -> None:
    folder, owners = shared
    (meta,) = folder.rglob("meta.json")
    meta.write_bytes(b"x" * meta.stat().st_size)
    held = give_away(folder)
    found = run(held, "--dataset", "2m", *SEARCH, cwd=tmp_path)
    assert (found.code, found.text) == (0, owners.text)
    assert found.err.count("\n") == 1
    assert found.err.endswith("; the search index lives in memory for now\n")


def test_folders_that_may_not_be_looked_into_are_one_line_each(
    shared: tuple[Path, Ran], tmp_path: Path
) -> None:
    folder, _ = shared
    table = folder / "data" / "metadata.parquet"
    held = give_away(folder)
    assert run(held, "data", "add", str(table), "--as", "mine", cwd=tmp_path).code == 0
    (folder / "data").chmod(0)
    for args in (["sql", "select 1"], ["--dataset", "mine", "sql", "select 1"]):
        ran = run(held, *args, cwd=tmp_path)
        assert (ran.code, ran.out) == (3, b""), ran.err
        assert f"ddb: {table}: Permission denied\n" in ran.err
        assert "Traceback" not in ran.err
    status = run(held, "data", "status", "--format", "json", cwd=tmp_path)
    assert status.code == 0, status.err
    problems = {line["dataset"]: line["problem"] for line in json.loads(status.text)}
    assert problems["2m"] == problems["mine"] == "Permission denied"
    ran = run(held, "data", "add", str(folder / "data"), cwd=tmp_path)
    assert (ran.code, "is not readable" in ran.err) == (2, True)
    more = folder / "data" / "more"
    ran = run(held, "data", "add", str(more), cwd=tmp_path)
    assert (ran.code, ran.err.splitlines()[0]) == (3, f"ddb: {more}: Permission denied")
    (folder / "data").chmod(0o755)
