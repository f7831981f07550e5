"""What a command loads: a fresh interpreter tells. Time is measured in benchmarks, not here."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import installed
import pytest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.installed

ENGINES = {"duckdb", "pyspark", "sqlglot"}
DATA_LIBRARIES = {"PIL", "polars", "pyarrow", "pandas", "numpy", "tantivy"}
HTTP = {"httpx2", "httpx", "huggingface_hub", "requests", "urllib3", "aiohttp"}
HEAVY = ENGINES | DATA_LIBRARIES | HTTP


def loaded(*args: str, code: str | None = None) -> set[str]:
    """Top-level names of the modules that a command, or a piece of Python, loads."""
    what = ["-c", code] if code is not None else ["-m", "ddb_query"]
    done = subprocess.run(
        [installed.python(), "-X", "importtime", *what, *args],
        stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    lines = done.stderr.decode().splitlines()
    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in lines if "|" in line}
    assert "ddb_query" in names
    return names


@pytest.mark.parametrize(
    "args",
    [
        ["--version"],
        ["--help"],
        ["queries"],
        ["queries", "--format", "json"],
        ["queries", "user-stats"],
        ["run", "user-stats", "--help"],
        ["sql", "--help"],
        ["data", "--help"],
        ["shell", "--help"],
    ],
    ids=" ".join,
)
def test_help_version_and_lists_load_no_engine_no_data_library_and_no_http(args: list[str]) -> None:
    assert not loaded(*args) & HEAVY


def test_the_version_loads_no_command_line_either() -> None:
    assert not loaded("--version") & {"typer", "rich", "click"}


def test_importing_the_package_loads_nothing_heavy() -> None:
    names = loaded(code="import ddb_query; ddb_query.DdbError, ddb_query.__version__")
    assert not names & (HEAVY | {"typer", "rich"})


@pytest.mark.parametrize("form", ["table"])
def test_a_table_needs_duckdb_and_no_other_data_library(
    form: str, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    names = loaded("--dataset", "2m", "sql", "select 1 as a", "--format", form)
    assert "duckdb" in names
    assert not names & (HEAVY - {"duckdb"})


def test_a_canned_query_as_a_table_needs_duckdb_and_no_other_data_library(
    tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    names = loaded("--dataset", "2m", "run", "sampler-stats")
    assert "duckdb" in names
    assert not names & (HEAVY - {"duckdb"})


@pytest.mark.parametrize("form", ["json", "parquet"])
def test_no_format_needs_polars_pandas_or_http(
    form: str, tables: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    names = loaded("--dataset", "2m", "sql", "select 1 as a", "--format", form)
    assert not names & ({"polars", "pandas", "tantivy"} | HTTP)


def test_status_of_the_data_asks_nobody(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    assert not loaded("data", "status") & HTTP


def test_the_first_prompt_of_the_shell_waits_for_no_engine() -> None:
    modules = "ddb_query.shell.repl, ddb_query.shell.session, ddb_query.shell.prompt.editor"
    names = loaded(code=f"import ddb_query.cli.shell, ddb_query.datasets, {modules}")
    assert "prompt_toolkit" in names
    assert not names & (HEAVY | {"pygments"})
