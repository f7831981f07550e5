"""Runs the tests that start `ddb` with each Python from 3.11 to 3.14 that is found here.

Usage: python tests/support/pythons.py [pytest's arguments]
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

MINORS = (11, 12, 13, 14)


def interpreters() -> dict[str, str]:
    """Those on the PATH, and those that pyenv has, by version."""
    found = {}
    versions = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    for minor in MINORS:
        on_path = shutil.which(f"python3.{minor}")
        named = map(str, versions.glob(f"3.{minor}.*/bin/python"))
        for path in [on_path, *named] if on_path else named:
            # pyenv leaves a program of that name on the PATH for versions that are not there.
            if not subprocess.run([path, "--version"], capture_output=True, check=False).returncode:
                found[f"3.{minor}"] = path
    return found


def main() -> int:
    """Run pytest for each; 1 when one of them has failed."""
    failed = []
    for version, path in interpreters().items():
        print(f"Python {version}: {path}", flush=True)  # noqa: T201 - a program for people
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-m", "installed", *sys.argv[1:]],
            check=False, env={**os.environ, "DDB_TEST_PYTHON": path},
        )  # fmt: skip
        failed += [version] if done.returncode else []
    print("failed with Python " + ", ".join(failed) if failed else "passed with all")  # noqa: T201
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
