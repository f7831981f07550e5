"""An exception that nobody expected ends in one line, and never in a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.fixture
def broken(tmp_path: Path) -> Callable[[str, str], str]:
    """Put a library that cannot be imported before the installed one; gives PYTHONPATH."""

    def place(library: str, raised: str) -> str:
        folder = tmp_path / "broken"
        folder.mkdir()
        (folder / f"{library}.py").write_text(f"raise {raised}\n")
        return str(folder)

    return place


@pytest.mark.parametrize(
    ("library", "args", "doing"),
    [
        ("tantivy", ("search", "castle"), "`ddb search`"),
        ("duckdb", ("sql", "select 1"), "`ddb sql`"),
        ("typer", ("sql", "select 1"), "`ddb`"),
    ],
)
def test_an_unforeseen_exception_is_told_in_one_line_with_the_versions(
    library: str, args: tuple[str, ...], doing: str,
    ddb: Callable[..., Ran], broken: Callable[[str, str], str],
) -> None:  # fmt: skip
    path = broken(library, r"RuntimeError('first line\nsecond \x1b[31m line')")
    ran = ddb("--dataset", "demo", *args, PYTHONPATH=path)
    assert (ran.code, ran.out) == (70, b"")
    said = [line for line in ran.err.splitlines() if not line.startswith("note: ")]
    words = f"ddb: unexpected error in {doing}: RuntimeError: first line second \\x1b[31m line"
    assert said[0] == words
    assert len(said) == 2
    for part in ("hint: ", "Python 3.", "duckdb 2.", "pyarrow ", "DDB_DEBUG=1"):
        assert part in said[1]


def test_a_missing_library_is_told_in_one_line(
    ddb: Callable[..., Ran], broken: Callable[[str, str], str]
) -> None:
    path = broken("duckdb", "ModuleNotFoundError('No module named duckdb')")
    ran = ddb("--dataset", "demo", "sql", "select 1", PYTHONPATH=path)
    assert ran.code == 70
    assert "ModuleNotFoundError: No module named duckdb" in ran.err
    assert "Traceback" not in ran.err


def test_debugging_shows_the_traceback_of_an_unforeseen_exception(
    ddb: Callable[..., Ran], broken: Callable[[str, str], str]
) -> None:
    path = broken("duckdb", "RuntimeError('x')")
    ran = ddb("--dataset", "demo", "sql", "select 1", PYTHONPATH=path, DDB_DEBUG="1")
    assert ran.code == 70
    assert "Traceback (most recent call last):" in ran.err
    assert "ddb: unexpected error" in ran.err


def test_a_long_text_of_an_exception_is_cut(
    ddb: Callable[..., Ran], broken: Callable[[str, str], str]
) -> None:
    path = broken("duckdb", "RuntimeError('x' * 100_000)")
    ran = ddb("--dataset", "demo", "sql", "select 1", PYTHONPATH=path)
    assert ran.code == 70
    assert len(ran.err) < 2_000
