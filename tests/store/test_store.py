"""The store makes everything faster and nothing different."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import installed
import pytest
from conftest import write_table

import ddb_query
from ddb_query.diffusiondb import DATASETS
from ddb_query.queries.library import QueryLibrary
from ddb_query.store.paths import store_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

VALUES: dict[str, dict[str, object]] = {
    "prompt-search": {"words": "castle OR light*"},
    "user-profile": {"user": "deleted_account"},
    "user-stats": {"min_images": 2},
    "timeline": {"grain": "hour"},
}
VIEWS = (
    "metadata", "images", "prompts", "activity", "users", "terms", "repeats",
    "prompt_artists", "artists",
)  # fmt: skip


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory, tables: Path) -> Path:
    """A cache folder with the stores of both small tables."""
    cache = tmp_path_factory.mktemp("store-cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(cache))
        for dataset in ("2m", "large"):
            with ddb_query.open(dataset, data_dir=tables) as corpus:
                assert corpus.build()
    return cache


def rows_of(dataset: str, tables: Path, sql: str, **values: object) -> list[tuple[object, ...]]:
    with ddb_query.open(dataset, data_dir=tables) as corpus:
        return [tuple(map(repr, row)) for row in corpus.sql(sql, values or None).rows()]


@pytest.mark.parametrize("dataset", ["2m", "large"])
@pytest.mark.parametrize("name", QueryLibrary().names())
def test_every_canned_query_gives_the_same_rows_with_and_without_the_store(
    name: str, dataset: str, tables: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rows() -> list[tuple[str, ...]]:
        with ddb_query.open(dataset, data_dir=tables) as corpus:
            found = corpus.run(name, limit=None, **VALUES.get(name, {})).rows()
        # Scanning gives no rank: the score is 0 then, and so is the order.
        drop = 2 if name == "prompt-search" else None
        shown = [tuple(repr(v) for i, v in enumerate(row) if i != drop) for row in found]
        return sorted(shown) if drop else shown

    monkeypatch.setenv("DDB_NO_BUILD", "1")
    without = rows()
    monkeypatch.delenv("DDB_NO_BUILD")
    monkeypatch.setenv("DDB_CACHE_DIR", str(built))
    assert rows() == without
    assert without


@pytest.mark.parametrize("dataset", ["2m", "large"])
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_is_the_same_with_and_without_the_store(
    view: str, dataset: str, tables: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = "metadata_large" if (view, dataset) == ("metadata", "large") else view
    sql = f"select * from {view} order by all"
    without = rows_of(dataset, tables, sql)
    with ddb_query.open(dataset, data_dir=tables) as corpus:
        types = corpus.sql(sql).columns
    monkeypatch.setenv("DDB_CACHE_DIR", str(built))
    assert rows_of(dataset, tables, sql) == without
    with ddb_query.open(dataset, data_dir=tables) as corpus:
        assert corpus.sql(sql).columns == types


def test_a_copied_and_a_touched_table_keep_their_store(tables: Path, tmp_path: Path) -> None:
    first = store_of(tmp_path, DATASETS["2m"], tables / "metadata.parquet")
    copy = tmp_path / "copy.parquet"
    copy.write_bytes((tables / "metadata.parquet").read_bytes())
    os.utime(copy, (1, 1))
    assert store_of(tmp_path, DATASETS["2m"], copy) == first


def test_a_changed_table_and_another_dataset_have_another_store(
    tables: Path, tmp_path: Path
) -> None:
    first = store_of(tmp_path, DATASETS["2m"], tables / "metadata.parquet")
    other = write_table(tmp_path / "other.parquet", rows=2_000, seed=9)
    assert store_of(tmp_path, DATASETS["2m"], other).folder != first.folder
    assert store_of(tmp_path, DATASETS["demo"], tables / "metadata.parquet").folder != first.folder


def test_search_builds_the_store_once_and_says_so(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    env = {"DDB_CACHE_DIR": str(tmp_path / "cache")}
    first = ddb("--data-dir", tables, "--dataset", "2m", "search", "castle", "--count", **env)
    assert first.err == "note: building the store of dataset 2m, once\n"
    second = ddb("--data-dir", tables, "--dataset", "2m", "search", "castle", "--count", **env)
    assert (second.out, second.err) == (first.out, "")


def test_only_search_builds_by_itself(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    env = {"DDB_CACHE_DIR": str(tmp_path / "cache")}
    ddb("--data-dir", tables, "--dataset", "2m", "run", "prompt-top", **env)
    assert not (tmp_path / "cache" / "stores").exists()
    ddb(
        "--data-dir", tables, "--dataset", "2m", "sql", "select count(*) from search('castle')",
        **env,
    )  # fmt: skip
    assert (tmp_path / "cache" / "stores").exists()


def test_ddb_no_build_scans_instead(
    ddb: Callable[..., Ran], tables: Path, built: Path, tmp_path: Path
) -> None:
    command = ("--data-dir", tables, "--dataset", "2m", "search", 'castle -"by greg"', "--count")
    scanned = ddb(*command, DDB_CACHE_DIR=str(tmp_path / "cache"), DDB_NO_BUILD="1")
    assert not (tmp_path / "cache" / "stores").exists()
    assert scanned.out == ddb(*command, DDB_CACHE_DIR=str(built)).out


def test_where_nothing_can_be_written_the_index_lives_in_memory(
    ddb: Callable[..., Ran], tables: Path, built: Path, tmp_path: Path
) -> None:
    blocked = tmp_path / "cache"
    blocked.write_text("a file where the cache folder should be")
    command = ("--data-dir", tables, "--dataset", "2m", "search", "castle")
    ran = ddb(*command, DDB_CACHE_DIR=str(blocked))
    assert ran.code == 0
    assert "lives in memory" in ran.err
    assert ran.out == ddb(*command, DDB_CACHE_DIR=str(built)).out


@pytest.mark.parametrize("damage", ["truncate", "delete", "index", "note"])
def test_a_damaged_store_is_noticed_and_bypassed_and_search_builds_it_anew(
    damage: str, ddb: Callable[..., Ran], tables: Path, built: Path, tmp_path: Path
) -> None:
    shutil.copytree(built, tmp_path / "cache")
    env = {"DDB_CACHE_DIR": str(tmp_path / "cache")}
    command = ("--data-dir", tables, "--dataset", "2m", "search", "castle", "--limit", "3")
    whole = ddb(*command, **env)
    assert whole.err == ""
    (store,) = (tmp_path / "cache" / "stores").glob("2m-*[0-9]")
    if damage == "truncate":
        os.truncate(store / "prompts.parquet", 1000)
    elif damage == "delete":
        (store / "users.parquet").unlink()
    elif damage == "index":
        victim = max((store / "index").iterdir(), key=lambda path: path.stat().st_size)
        os.truncate(victim, 10)
    else:
        (store / "store.json").write_text("{")
    ran = ddb("--data-dir", tables, "--dataset", "2m", "run", "prompt-top", "--limit", "1", **env)
    assert ran.code == 0
    assert "the store of dataset 2m is not used" in ran.err
    again = ddb(*command, **env)
    assert (again.code, again.out) == (0, whole.out)
    assert ddb(*command, **env).err == ""


def build_in(cache: str, tables: str) -> None:
    os.environ["DDB_CACHE_DIR"] = cache
    with ddb_query.open("2m", data_dir=tables) as corpus:
        corpus.build()


@pytest.mark.slow
def test_two_builds_at_once_make_one_store(tables: Path, tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    processes = [
        context.Process(target=build_in, args=(str(tmp_path), str(tables))) for _ in range(2)
    ]
    for process in processes:
        process.start()
    for process in processes:
        process.join(120)
    assert [process.exitcode for process in processes] == [0, 0]
    folders = [path.name for path in (tmp_path / "stores").iterdir() if path.is_dir()]
    assert len(folders) == 1


@pytest.mark.slow
def test_a_build_that_is_killed_leaves_no_store_and_the_next_one_succeeds(
    tables: Path, tmp_path: Path
) -> None:
    code = f"import ddb_query; ddb_query.open('2m', data_dir={str(tables)!r}).build()"
    env = {**os.environ, "DDB_CACHE_DIR": str(tmp_path)}
    for delay in (0.5, 0.8, 1.1):
        process = subprocess.Popen([installed.python(), "-c", code], env=env)
        time.sleep(delay)
        process.send_signal(signal.SIGKILL)
        process.wait()
        store = store_of(tmp_path, DATASETS["2m"], tables / "metadata.parquet")
        assert store.whole or not store.folder.exists()
    build_in(str(tmp_path), str(tables))
    assert store_of(tmp_path, DATASETS["2m"], tables / "metadata.parquet").whole
    assert not list((tmp_path / "stores").glob("*.building-*"))


def test_status_shows_stores_and_remove_drops_those_whose_table_is_gone(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    env = {"DDB_CACHE_DIR": str(tmp_path / "cache"), "DDB_DATA_DIR": str(tmp_path / "data")}
    (tmp_path / "data").mkdir()
    table = write_table(tmp_path / "data" / "metadata.parquet", rows=1_000)
    assert ddb("data", "build", **env).code == 0
    assert "2m store" in ddb("data", "status", **env).text
    assert "stores deleted: 0" in ddb("data", "remove", "--stores", "--yes", **env).err
    table.unlink()
    refused = ddb("data", "remove", "--stores", **env)
    assert refused.code == 2
    assert "--yes" in refused.err
    assert "stores deleted: 1" in ddb("data", "remove", "--stores", "--yes", **env).err
    assert "store" not in ddb("data", "status", **env).text


def test_a_table_with_one_name_that_is_no_uuid_keeps_all_names_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = write_table(tmp_path / "metadata.parquet", rows=500)
    table = pq.read_table(path)
    names = table["image_name"].to_pylist()
    names[7] = names[7].upper()
    names[9] = None
    place = table.schema.get_field_index("image_name")
    pq.write_table(table.set_column(place, "image_name", pa.array(names, pa.string())), path)
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        assert corpus.build()
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        stored = [row[0] for row in corpus.sql("select image_name from images").rows()]
    assert sorted(map(str, stored)) == sorted(map(str, names))


@pytest.mark.parametrize(
    ("by", "column"),
    [("sampler", "sampler_name"), ("user", "user_name"), ("day", "cast(timestamp as date)")],
)
def test_a_facet_counts_all_images_that_match_of_the_dataset_or_of_a_selection(
    by: str, column: str, tables: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(built))
    words = "castle OR light*"
    plain = (
        f"select {column}, count(*), count(distinct prompt_id)"
        " from images inner join search($words) using (prompt_id) group by 1"
    )
    with ddb_query.open("2m", data_dir=tables) as corpus:
        expected = sorted(corpus.sql(plain, {"words": words}).rows(), key=repr)
        assert len(expected) > 1
        for within in (None, corpus.select(where="true")):
            found = corpus.search(words, within, facet=by, limit=None).rows()
            assert sorted(found, key=repr) == expected


def test_the_facet_of_terms_is_the_same_of_the_dataset_or_of_a_selection(
    tables: Path, built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(built))
    with ddb_query.open("2m", data_dir=tables) as corpus:
        without = corpus.search("castle", facet="term", limit=None).rows()
        assert without
        assert (
            corpus.search("castle", corpus.select(where="true"), facet="term", limit=None).rows()
            == without
        )
