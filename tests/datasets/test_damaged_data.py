"""Tables whose footer is whole and whose pages are not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import duckdb
import pytest
from conftest import write_table

import ddb_query
from ddb_query.diffusiondb import DATASETS
from ddb_query.errors import DamagedDataError
from ddb_query.store.paths import store_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


def damage_page(path: Path, column: str) -> None:
    """Flip bytes in the middle of a column's first data page."""
    with duckdb.connect() as connection:
        found = connection.execute(
            "select data_page_offset, total_compressed_size from parquet_metadata($path)"
            " where path_in_schema = $column",
            {"path": str(path), "column": column},
        ).fetchone()
    assert found is not None
    offset, size = found
    content = bytearray(path.read_bytes())
    for place in range(offset + size // 2, offset + size // 2 + 100):
        content[place] ^= 0x5A
    path.write_bytes(content)


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A metadata table with a damaged page of prompts."""
    (tmp_path / "data").mkdir()
    table = write_table(tmp_path / "data" / "metadata.parquet")
    damage_page(table, "prompt")
    monkeypatch.setenv("DDB_DATA_DIR", str(table.parent))
    # The store of a whole copy of it would answer in its place.
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    return table


@pytest.mark.parametrize("view", ["metadata", "images"])
@pytest.mark.parametrize("how", [[], ["--format", "csv"], ["-o", "x.csv"], ["-o", "x.parquet"]])
def test_a_damaged_page_ends_with_the_name_of_the_file(
    how: list[str], view: str, damaged: Path, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("old")
    force = ["--force"] if how[:1] == ["-o"] else []
    ran = ddb("sql", f"select prompt from {view}", *how, *force)
    assert ran.code == 3
    problem, hint = ran.err.splitlines()
    assert problem.startswith(f"ddb: {damaged}: the data is damaged: ")
    assert hint == "hint: `ddb data pull 2m` replaces it"
    assert (tmp_path / "x.csv").read_text() == "old"
    assert not (tmp_path / "x.parquet").exists()


def test_what_is_not_damaged_can_still_be_asked(damaged: Path, ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", "select count(seed) as n from metadata", "--format", "csv")
    assert (ran.code, ran.text, ran.err) == (0, "n\n3000\n", "")


def test_a_mistake_in_the_sql_is_not_taken_for_damage(
    damaged: Path, ddb: Callable[..., Ran]
) -> None:
    for sql in ("select error('x')", "select 'a'::int", "from nothing", "select regexp_matches('a', '(')"):  # fmt: skip  # noqa: E501
        assert ddb("sql", sql).code == 1


def test_damage_wherever_it_is_names_the_file_or_shows_in_the_values(
    tables: Path, tmp_path: Path
) -> None:
    content = (tables / "metadata.parquet").read_bytes()
    end = len(content) - 8 - int.from_bytes(content[-8:-4], "little")
    table = tmp_path / "metadata.parquet"
    named = []
    for place in range(1000, end - 64, end // 12):
        table.write_bytes(content[:place] + bytes(64) + content[place + 64 :])
        with ddb_query.open("2m", data_dir=tmp_path) as corpus:
            try:
                corpus.sql("from metadata").arrow()
            except DamagedDataError as error:
                named.append(error.path)
    assert len(named) > 5
    assert set(named) == {table}


def test_a_damaged_store_is_named_and_built_anew(ddb: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    table = write_table(tmp_path / "data" / "metadata.parquet")
    env = {"DDB_CACHE_DIR": str(tmp_path / "cache"), "DDB_DATA_DIR": str(table.parent)}
    asked = ("sql", "select sum(length(text)) as n from prompts", "--format", "csv")
    assert ddb("data", "build", **env).code == 0
    whole = ddb(*asked, **env)
    prompts = store_of(tmp_path / "cache", DATASETS["2m"], table).table("prompts")
    damage_page(prompts, "text")
    ran = ddb(*asked, **env)
    assert (ran.code, ran.out) == (3, b"n\n")
    assert ran.err.startswith(f"ddb: {prompts}: the data is damaged: ")
    assert ran.err.endswith("hint: `ddb data build` replaces it\n")
    assert ddb("data", "build", **env).err.endswith("2m: built\n")
    assert ddb(*asked, **env).out == whole.out

    size = prompts.stat().st_size
    prompts.write_bytes(b"\0" * size)
    ran = ddb(*asked, **env)
    assert (ran.code, ran.out) == (0, whole.out)
    assert "note: the store of dataset 2m is not used: " in ran.err
    assert ddb("data", "build", **env).err.endswith("2m: built\n")
    assert ddb("data", "build", **env).err.endswith("2m: already there\n")
