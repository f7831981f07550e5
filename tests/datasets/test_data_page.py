"""docs/data.md is true: its commands run, its folders are right, no variable is missing."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from ddb_query.settings import Settings, config_dir

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text("utf-8")
COMMANDS = re.compile(r"<!-- commands in an empty folder -->\n```sh\n(.*?)```", re.DOTALL)


@pytest.mark.slow
def test_the_commands_run_one_after_the_other(ddb: Callable[..., Ran]) -> None:
    found = COMMANDS.search(PAGE)
    assert found
    lines = found[1].splitlines()
    assert len(lines) == 6
    for line in lines:
        ran = ddb(*shlex.split(line)[1:])
        assert ran.code == 0, (line, ran.err)


def test_every_variable_that_the_program_reads_is_on_the_page() -> None:
    read = {
        name
        for path in (ROOT / "ddb_query").rglob("*.py")
        for name in re.findall(r"DDB_[A-Z_]*[A-Z]", path.read_text("utf-8"))
    }
    assert len(read) >= 8
    assert {name for name in read if f"`{name}`" not in PAGE} == set()


def test_the_folders_are_those_of_the_platforms(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unix = pytest.importorskip("platformdirs.unix")
    macos = pytest.importorskip("platformdirs.macos")
    for name in ("DDB_DATA_DIR", "DDB_CACHE_DIR"):
        monkeypatch.delenv(name)
    for kind in ("data", "cache", "config", "state"):
        for system in (unix.Unix, macos.MacOS):
            folder = getattr(system("ddb-query", appauthor=False), f"user_{kind}_dir")
            row = next(line for line in PAGE.splitlines() if line.startswith(f"| {kind}"))
            assert f"`{folder.replace(str(home), '~')}`" in row
    assert Settings.from_environment().config_dir == config_dir()
