"""What a user has added: read as a stranger's file, changed by several processes at a time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from ddb_query.datasets.names import is_free_name, name_of_file
from ddb_query.datasets.registry import FILE, Added, AddedParts, AddedTable, Registry
from ddb_query.errors import DamagedRegistryError, NameTakenError, OutputError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Ran

TABLE = {"name": "castles", "path": "/data/castles.parquet", "images": "2m"}
PARTS = {"kind": "zips", "path": "/data/zips", "images": "large"}


def registry_of(tmp_path: Path, content: object) -> Registry:
    registry = Registry(tmp_path / "config")
    registry.path.parent.mkdir(exist_ok=True)
    text = content if isinstance(content, str) else json.dumps(content)
    registry.path.write_text(text, "utf-8", errors="surrogateescape")
    return registry


def with_table(**fields: Any) -> dict[str, Any]:
    return {"version": 1, "tables": [TABLE | fields], "parts": [PARTS]}


def test_what_was_added_is_read_again_as_it_was_written(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "new" / "config")
    odd = tmp_path / os.fsdecode(b"caf\xe9 \xf0\x9f\x8f\xb0.parquet")
    added = Added(
        (AddedTable("castles", odd, None), AddedTable("2m", tmp_path / "x.parquet", "2m")),
        (AddedParts("folders", tmp_path / "parts", "large"),),
    )
    for table in added.tables:
        registry.add_table(table)
    registry.add_parts(added.parts[0])
    assert registry.read() == added
    registry.forget(Added((added.tables[0],)))
    assert registry.read() == Added(added.tables[1:], added.parts)


def test_a_name_is_given_to_another_table_only_when_that_is_said(tmp_path: Path) -> None:
    registry = Registry(tmp_path)
    first, second = (AddedTable("castles", tmp_path / name, "2m") for name in ("a", "b"))
    assert registry.add_table(first) is None
    with pytest.raises(NameTakenError) as caught:
        registry.add_table(second)
    assert str(tmp_path / "a") in caught.value.message
    assert registry.read().tables == (first,)
    assert registry.add_table(second, replacing_other=True) == first
    assert registry.read().tables == (second,)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "it is not what ddb wrote"),
        ("{", "it is not what ddb wrote"),
        ("[1]", "it is not of version 1"),
        ("\udcff", "it is not what ddb wrote"),
        ("[" * 200_000, "it is nested too deep"),
        ('{"version": ' + "9" * 5000 + "}", "it is not what ddb wrote"),
        ({"version": 2, "tables": [], "parts": []}, "it is not of version 1"),
        ({"version": 1, "tables": []}, "it is not what ddb wrote"),
        ({"version": 1, "tables": {}, "parts": []}, "tables and parts are no lists"),
        ({"version": 1, "tables": [1], "parts": []}, "it is not what ddb wrote"),
        ({"version": 1, "tables": [TABLE, TABLE], "parts": []}, "a name stands in it twice"),
        ({"version": 1, "tables": [], "parts": [PARTS] * 1001}, "it has more than 1,000 entries"),
        (with_table(name="images"), "it has a name that no dataset can have"),
        (with_table(name="demo"), "it has a name that no dataset can have"),
        (with_table(name='x"; drop view images; --'), "it has a name that no dataset can have"),
        (with_table(name="../x"), "it has a name that no dataset can have"),
        (with_table(name="x" * 51), "it has a name that no dataset can have"),
        (with_table(name=["castles"]), "it has a name that no dataset can have"),
        (
            with_table(images="castles"),
            "it says of castles that its images are from an unknown dataset",
        ),
        (
            with_table(name="2m", images="large"),
            "it says of 2m that its images are from an unknown dataset",
        ),
        (with_table(images=["2m"]), "it is not what ddb wrote"),
        (with_table(path="castles.parquet"), "it has a path that is none"),
        (with_table(path="/a\0b"), "it has a path that is none"),
        (with_table(path=7), "it has a path that is none"),
        (with_table(path="/\ud800"), "it is not what ddb wrote"),
        (
            {"version": 1, "tables": [], "parts": [PARTS | {"kind": "table"}]},
            "it has parts of an unknown kind or dataset",
        ),
    ],
)
def test_what_ddb_did_not_write_is_an_error_that_names_the_file(
    content: object, problem: str, tmp_path: Path
) -> None:
    registry = registry_of(tmp_path, content)
    before = registry.path.read_bytes()
    for use in (registry.read, lambda: registry.add_parts(AddedParts("zips", tmp_path, "2m"))):
        with pytest.raises(DamagedRegistryError) as caught:
            use()
        assert caught.value.problem == problem
    assert registry.path.read_bytes() == before


def test_a_list_that_is_too_long_or_is_no_file_is_not_read_through(tmp_path: Path) -> None:
    registry = registry_of(tmp_path, "")
    os.truncate(registry.path, 10**12)
    with pytest.raises(DamagedRegistryError, match="larger than"):
        registry.read()
    registry.path.unlink()
    os.mkfifo(registry.path)
    with pytest.raises(DamagedRegistryError, match="it is no file"):
        registry.read()
    registry.path.unlink()
    registry.path.mkdir()
    with pytest.raises(DamagedRegistryError, match="directory"):
        registry.read()


def test_more_than_can_be_read_again_is_not_added(tmp_path: Path) -> None:
    entries = [PARTS | {"path": f"/data/{n}"} for n in range(1000)]
    registry = registry_of(tmp_path, {"version": 1, "tables": [], "parts": entries})
    with pytest.raises(UsageError, match="1,000 tables and folders are added already"):
        registry.add_table(AddedTable("castles", tmp_path, None))
    assert len(registry.read().parts) == 1000


def test_the_commands_say_in_one_line_that_the_list_is_damaged(
    ddb: Callable[..., Ran], tables: Path, home: Path
) -> None:
    path = home / ".config" / "ddb-query" / FILE
    path.parent.mkdir(parents=True)
    path.write_text("{")
    for args in (["data", "status"], ["sql", "select 1"], ["data", "add", tables / "x.parquet"]):
        ran = ddb(*args)
        assert (ran.code, ran.out) == (3, b"")
        if args[1] != "add":
            assert ran.err == (
                f"ddb: {path}, the list of the data that you have added, is damaged: it is not what"
                f" ddb wrote\nhint: `rm {path}` deletes the list and no data; then add them again"
                " with `ddb data add PATH`\n"
            )
    demo = ddb("--dataset", "demo", "sql", "select 1 as n", "--format", "csv")
    assert "Traceback" not in demo.err


def test_a_folder_that_cannot_be_written_names_the_variable_that_names_another(
    tmp_path: Path,
) -> None:
    (tmp_path / "config").write_text("a file")
    with pytest.raises(OutputError) as caught:
        Registry(tmp_path / "config").add_parts(AddedParts("zips", tmp_path, "2m"))
    assert caught.value.hint == "DDB_CONFIG_DIR names another folder for what ddb remembers of you"


_ADD_MANY = """
import sys
from pathlib import Path
from ddb_query.datasets.registry import AddedTable, Registry
worker, folder = sys.argv[1], Path(sys.argv[2])
for number in range(10):
    Registry(folder).add_table(AddedTable(f"t-{worker}-{number}", folder / "x.parquet", None))
"""


def test_processes_that_add_at_the_same_time_lose_nothing(tmp_path: Path) -> None:
    running = [
        subprocess.Popen([sys.executable, "-c", _ADD_MANY, worker, str(tmp_path)])
        for worker in ("a", "b", "c")
    ]
    assert [process.wait() for process in running] == [0, 0, 0]
    names = {table.name for table in Registry(tmp_path).read().tables}
    assert names == {f"t-{worker}-{number}" for worker in "abc" for number in range(10)}


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("castles.parquet", "castles"),
        ("My Castles (2).parquet", "my-castles-2"),
        ("châteaux_d'été.parquet", "chateaux-d-ete"),
        ("2022-08.parquet", "table-2022-08"),
        ("train-00000-of-00001.parquet", "train-00000-of-00001"),
        ("castles.v2.parquet", "castles-v2"),
        ("folder", "folder"),
        ("--x--.parquet", "x"),
        ("x" * 80 + ".parquet", "x" * 50),
    ],
)
def test_a_table_is_called_like_its_file(file: str, name: str) -> None:
    assert name_of_file(Path("/data") / file) == name
    assert is_free_name(name)


def test_a_file_without_a_letter_that_a_name_can_have_needs_one() -> None:
    with pytest.raises(UsageError) as caught:
        name_of_file(Path("/data/замки.parquet"))
    assert caught.value.hint == "`ddb data add '/data/замки.parquet' --as NAME` names it"


@pytest.mark.parametrize(
    "name",
    [
        "2m", "large", "demo", "images", "prompts", "clauses", "terms", "activity", "repeats",
        "users", "user-totals", "members", "metadata", "metadata-large", "search", "ddb-x",
        "Castles", "1x", "-x", "x_y", "", "x y", "é", "x" * 51,
    ],
)  # fmt: skip
def test_names_that_mean_something_else_or_are_not_of_the_form_are_taken_by_nobody(
    name: str,
) -> None:
    assert not is_free_name(name)
