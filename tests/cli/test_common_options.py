"""The common options: the same meaning before a command, after it, and inside a group."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

from ddb_query.queries.library import QueryLibrary

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.mark.parametrize(
    "args",
    [
        ["--limit", "3", "run", "part-stats"],
        ["run", "--limit", "3", "part-stats"],
        ["run", "part-stats", "--limit", "3"],
        ["--limit", "1", "run", "--limit", "2", "part-stats", "--limit", "3"],
        ["--limit", "1", "run", "--limit", "3", "part-stats"],
    ],
    ids=" ".join,
)
def test_the_innermost_of_a_common_option_wins(
    args: list[str], ddb: Callable[..., Ran], tables: Path
) -> None:
    ran = ddb("--data-dir", tables, "--format", "csv", "--dataset", "2m", *args)
    assert (ran.code, ran.err) == (0, "")
    assert len(ran.text.splitlines()) == 4


def test_a_group_takes_the_common_options_before_its_command(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    ran = ddb(
        "--data-dir", tmp_path, "data", "--data-dir", tables, "status", "-q", "--format", "csv"
    )
    assert (ran.code, ran.err) == (0, "")
    assert str(tables / "metadata.parquet") in ran.text
    (tmp_path / "mine.sql").write_text("-- name: mine\n-- description: Mine.\nselect 7 as n\n")
    for args in (["run", "--sql-dir", tmp_path, "--help"], ["--sql-dir", tmp_path, "run", "-h"]):
        assert "\n  mine " in ddb(*args).text
    ran = ddb("--data-dir", tables, "run", "--sql-dir", tmp_path, "-o", "n.csv", "mine", "-q")
    assert (ran.code, (tmp_path / "n.csv").read_text(), ran.err) == (0, "n\n7\n", "")


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "parquet"])
def test_the_list_of_queries_takes_every_format_a_limit_and_a_file(
    form: str, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("queries", "--format", form, "--limit", "4")
    assert ddb("queries", "--limit", "4", "-o", f"q.{form}").out == b""
    written = (tmp_path / f"q.{form}").read_bytes()
    assert (ran.code, ran.out == written, ran.err) == (0, True, "")
    match form:
        case "csv" | "tsv":
            separator = "," if form == "csv" else "\t"
            found = list(csv.DictReader(io.StringIO(ran.text), delimiter=separator))
        case "json":
            found = json.loads(ran.text)
        case "jsonl":
            found = [json.loads(line) for line in ran.text.splitlines()]
        case _:
            found = pq.read_table(tmp_path / "q.parquet").to_pylist()
    queries = QueryLibrary().all()[:4]
    assert [row["name"] for row in found] == [query.name for query in queries]
    assert [row["description"] for row in found] == [query.description for query in queries]
    assert list(found[0]) == ["name", "parameters", "description"]


def test_one_query_goes_into_a_file_as_text_or_as_a_row(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    shown = ddb("queries", "duplicates")
    assert ddb("queries", "duplicates", "-o", "q.txt").out == b""
    assert (tmp_path / "q.txt").read_bytes() == shown.out
    (row,) = json.loads(ddb("queries", "duplicates", "--format", "json").text)
    assert row["sql"] == QueryLibrary().find("duplicates").sql
    assert row["parameters"] is None


def test_the_status_of_the_data_is_data_too(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    where = ("--data-dir", tables, "data", "status")
    assert ddb(*where, "--limit", "2", "-o", "s.json").out == b""
    small, large = json.loads((tmp_path / "s.json").read_text("utf-8"))
    assert (small["dataset"], small["rows"], small["row_groups"]) == ("2m", 3000, 1)
    assert (large["dataset"], large["rows"]) == ("large", 5000)
    assert small["megabytes"] == round((tables / "metadata.parquet").stat().st_size / 1e6, 1)
    listed = ddb(*where)
    assert ddb(*where, "-o", "s.txt").code == 0
    assert (tmp_path / "s.txt").read_bytes() == listed.out
