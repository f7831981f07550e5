"""The `ddb` that a user gets: a virtual environment with the built wheel and what it declares.

Every test that starts `ddb` starts this one, so that nothing works only because the tests' own
environment holds more. It is made once for each wheel, in `.venv-installed/` of the checkout:

    python tests/support/installed.py        make it, and print where it is

`DDB_TEST_INSTALLED` names one that is there already. `DDB_TEST_VERSIONS` says which versions of the
dependencies it gets: `locked` (requirements/tested.txt, the default), `newest` that the registry
has, or `lowest` that pyproject.toml allows. `DDB_TEST_PYTHON` names another interpreter.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
ENVIRONMENTS = ROOT / ".venv-installed"
SUPPORT = Path(__file__).parent
LOCKED = ROOT / "requirements" / "tested.txt"
INSTALLED = "DDB_TEST_INSTALLED"
# An environment takes 0.6 GB where the file system has no hard links.
_KEPT_SECONDS = 24 * 3600


def environment() -> Path:
    """The environment; it is made if it is not there yet."""
    if named := os.environ.get(INSTALLED):
        return Path(named)
    from filelock import FileLock

    ENVIRONMENTS.mkdir(exist_ok=True)
    with FileLock(ENVIRONMENTS / "lock"), tempfile.TemporaryDirectory() as folder:
        wheel = build(Path(folder))
        found = ENVIRONMENTS / _key(wheel)
        if not (found / "complete").exists():
            _make(found, wheel)
        (found / "complete").touch()
        _remove_old()
        return found


def build(folder: Path) -> Path:
    """Build the wheel; the same sources give the same bytes."""
    _uv("build", "--wheel", "--no-build-isolation", "--out-dir", folder, ROOT)
    (wheel,) = folder.glob("*.whl")
    return wheel


@cache
def python() -> str:
    """The interpreter of the environment; nothing is imported from the checkout by it."""
    return str(environment() / "bin" / "python")


@cache
def ddb() -> str:
    """The command of the environment."""
    return str(environment() / "bin" / "ddb")


def _versions() -> str:
    return os.environ.get("DDB_TEST_VERSIONS", "locked")


def _key(wheel: Path) -> str:
    interpreter = os.environ.get("DDB_TEST_PYTHON", sys.version)
    parts = [wheel.read_bytes(), LOCKED.read_bytes(), interpreter.encode()]
    # What is newest changes from day to day.
    day = date.today().isoformat() if _versions() == "newest" else ""
    hashed = hashlib.sha256(b"\0".join([*parts, day.encode()])).hexdigest()
    return f"{_versions()}-{hashed[:16]}"


def _make(folder: Path, wheel: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    interpreter = os.environ.get("DDB_TEST_PYTHON", sys.executable)
    _uv("venv", "--python", interpreter, "--no-project", folder)
    lowest = folder / "lowest.txt"
    how: dict[str, list[str | Path]] = {
        "locked": ["--constraint", LOCKED],
        "newest": ["--upgrade", "--refresh"],
        "lowest": ["--constraint", lowest],
    }
    if _versions() == "lowest":
        # The wheel's own dependencies are not direct ones of an installation of the wheel.
        _uv("pip", "compile", ROOT / "pyproject.toml", "--resolution", "lowest-direct",
            "--python", folder / "bin" / "python", "--output-file", lowest)  # fmt: skip
    # Compiled now: a test in which no file can grow would leave half a compiled module behind.
    target: list[str | Path] = ["--python", folder / "bin" / "python", "--compile-bytecode"]
    _uv("pip", "install", *target, *how[_versions()], wheel)


def _remove_old() -> None:
    """Remove environments that nobody has asked for in a day."""
    for mark in ENVIRONMENTS.glob("*/complete"):
        if time.time() - mark.stat().st_mtime > _KEPT_SECONDS:
            shutil.rmtree(mark.parent)


def _uv(*arguments: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "uv", *map(str, arguments), "--quiet"], check=True)


if __name__ == "__main__":
    print(environment())  # noqa: T201 - what the program is for
