"""Subset files: what is in them, their manifests, and what verifying says of a stranger's."""

from __future__ import annotations

import json
import os
import platform
import socket
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from selection_truth import content_hash, rows_of, selected

import ddb_query
from ddb_query.datasets import manifest
from ddb_query.errors import (
    BadManifestError,
    DdbError,
    DifferentSubsetError,
    ExistsError,
    MissingNamesWarning,
    NoManifestError,
    OutputError,
    UsageError,
)
from ddb_query.export import selected_rows
from ddb_query.export.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from ddb_query.api.corpus import Corpus

FORMATS = ["parquet", "csv", "tsv", "jsonl", "json", "arrow"]


@pytest.fixture(scope="module")
def rows(tables: Path) -> pl.DataFrame:
    return rows_of(tables / "metadata.parquet")


@pytest.fixture
def subset(corpus: Corpus, tmp_path: Path) -> Path:
    corpus.select(sample=100).export(tmp_path / "subset.parquet")
    return tmp_path / "subset.parquet"


def rewritten(path: Path, change: Callable[[dict[str, Any]], object]) -> Path:
    """The subset with another manifest."""
    table = pq.read_table(path)
    said = json.loads(pq.read_metadata(path).metadata[b"ddb_manifest"])
    changed = change(said)
    text = changed if isinstance(changed, bytes) else json.dumps(said).encode()
    new = path.with_name("changed.parquet")
    pq.write_table(table.replace_schema_metadata({"ddb_manifest": text}), new)
    return new


def test_the_columns_are_those_published_with_their_types_spelling_and_bytes(
    corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    corpus.select().export(tmp_path / "all.parquet")
    published = pq.read_table(tables / "metadata.parquet")
    by_part = published.sort_by([("part_id", "ascending"), ("image_name", "ascending")])
    found = pq.read_table(tmp_path / "all.parquet")
    assert found.schema.remove_metadata() == published.schema.remove_metadata()
    for name in published.column_names:
        # As bytes, so that NaN equals itself and -0.0 is not 0.0.
        assert repr(found[name].to_pylist()) == repr(by_part[name].to_pylist())
    assert "deleted-account" in found["user_name"].to_pylist()


def test_columns_are_named_and_left_out(corpus: Corpus, tmp_path: Path) -> None:
    selection = corpus.select(match="castle", sample=40, stratify="sampler")
    file = tmp_path / "x.parquet"
    selection.export(file, columns=["score", "image_name", "cfg", "user_name"])
    found = pq.read_schema(file).remove_metadata()
    assert found == pa.schema(
        [("score", pa.float64()), ("image_name", pa.string()), ("cfg", pa.float64()),
         ("user_name", pa.string()), ("weight", pa.float64())]
    )  # fmt: skip
    assert "deleted-account" not in pq.read_table(file)["user_name"].to_pylist()
    selection.export(file, columns="cfg", drop="weight", force=True)
    assert pq.read_schema(file).names == ["cfg"]
    selection.export(file, drop=["user_name", "weight"], force=True)
    assert pq.read_schema(file).names == [name for name, _ in _published() if name != "user_name"]
    verify(file)


def _published() -> list[tuple[str, str]]:
    from ddb_query.diffusiondb import COLUMNS

    return [(column.name, column.type) for column in COLUMNS]


@pytest.mark.parametrize(
    "said",
    [
        {"columns": ["xyzzy"]}, {"columns": ["score"]}, {"columns": ["weight"]},
        {"columns": ["seed", "seed"]}, {"drop": ["prompt_id"]}, {"partition_by": "user"},
        {"columns": ["published_cfg"]}, {"columns": ["seed"], "drop": ["seed"]},
        {"columns": ['seed" from images --']}, {"partition_by": "day", "form": "csv"},
    ],
    ids=repr,
)  # fmt: skip
def test_columns_that_are_not_there_are_usage_errors(
    said: dict[str, Any], corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(UsageError):
        corpus.select().export(tmp_path / "x.parquet", **said)
    assert not [*tmp_path.glob("*.parquet")]


def test_a_subset_reads_back_in_pandas_polars_and_duckdb(subset: Path) -> None:
    import pandas as pd

    expected = pq.read_table(subset)
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        assert connection.from_parquet(str(subset)).to_arrow_table().equals(expected)
    assert pl.read_parquet(subset).equals(pl.DataFrame(pl.from_arrow(expected)))
    frame = pd.read_parquet(subset)
    assert frame["image_name"].to_list() == expected["image_name"].to_pylist()
    assert [*frame.columns] == expected.column_names


@pytest.mark.slow
def test_datasets_loads_a_subset_and_a_folder_of_partitions(
    subset: Path, corpus: Corpus, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    corpus.select(sample=100).export(tmp_path / "tree", partition_by="day")
    expected = sorted(pq.read_table(subset)["image_name"].to_pylist())
    for file in (subset, tmp_path / "tree" / "**" / "*.parquet"):
        assert sorted(loaded(file, monkeypatch, tmp_path)["image_name"]) == expected


def loaded(file: Path, monkeypatch: pytest.MonkeyPatch, folder: Path) -> Any:
    """What `load_dataset` makes of parquet files."""
    import warnings

    cache = str(folder / "datasets")
    monkeypatch.setenv("HF_DATASETS_CACHE", cache)
    with warnings.catch_warnings():
        # Of datasets and what it imports, none of ours.
        warnings.simplefilter("ignore")
        import datasets

        datasets.disable_progress_bars()
        return datasets.load_dataset(
            "parquet", data_files=str(file), split="train", cache_dir=cache
        )


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_verifies_and_its_hash_is_that_of_the_agreement(
    form: str, corpus: Corpus, rows: pl.DataFrame, tmp_path: Path
) -> None:
    said: dict[str, Any] = {"sample": 700, "seed": 5}
    file = tmp_path / f"subset.{form}"
    made = corpus.select(**said).export(file)
    assert (made.rows, made.size) == (700, file.stat().st_size)
    finite_only = form in ("json", "jsonl")
    expected = content_hash(selected(rows, said).iter_rows(), finite_only=finite_only)
    assert verify(file).content_hash == expected
    beside = file.with_name(f"subset.{form}.manifest.json")
    assert beside.exists() == (form != "parquet")


VALUES = """select * from (values
    ('a', 1::tinyint, true, 'nan'::float, -0.0::double, timestamp '2022-08-06 21:59:00.000001'),
    ('', -5, false, 'inf'::float, 14.6, timestamp '1969-12-31 23:59:59.999999'),
    (null, null, null, '-inf'::float, 1e12, null),
    (chr(31) || 'ü🏰"', 0, null, -1e12::float, -999999999999.0, timestamp '2022-01-01'),
    ('NULL', 127, true, null, null, timestamp '2022-01-01'),
    ('nan', 1, true, 0.1::float, -0.0000005, timestamp '2022-01-01')
) as t(text, whole, flag, single, twice, time)"""


@pytest.mark.parametrize("form", FORMATS)
def test_the_hash_of_odd_values_is_that_of_the_agreement(
    form: str, corpus: Corpus, tmp_path: Path
) -> None:
    import datetime

    def utc(value: Any) -> Any:
        odd = isinstance(value, datetime.datetime) and value.tzinfo is None
        return value.replace(tzinfo=datetime.UTC) if odd else value

    file = tmp_path / f"odd.{form}"
    corpus.export(file, sql=VALUES)
    found = corpus.sql(VALUES).rows()
    expected = content_hash(
        (tuple(map(utc, row)) for row in found), finite_only=form in ("json", "jsonl")
    )
    assert verify(file).content_hash == expected


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "sql",
    [
        "select user_name from images",
        "select '' as a union all select null union all select 'x' order by 1",
        'select part_id as "odd "" name, \'", seed as a, seed as a from images limit 7',
        """select sum(seed) as s, 1.5::decimal(9, 3) as d, date '2022-08-06' as day,
        time '12:00' as t, 'ab'::blob as b, uuid() is null as u from images""",
        "select image_name from images where false",
    ],
    ids=["one column with NULL", "empty text", "odd names", "other types", "no rows"],
)
def test_rows_of_sql_verify_in_every_format(
    form: str, sql: str, corpus: Corpus, tmp_path: Path
) -> None:
    made = corpus.export(tmp_path / f"x.{form}", sql=sql)
    assert verify(tmp_path / f"x.{form}").rows == made.rows


@pytest.mark.parametrize("by", ["sampler", "day", "part"])
def test_partitions_are_a_folder_that_readers_of_hive_folders_know_and_that_verifies(
    by: str, corpus: Corpus, tmp_path: Path
) -> None:
    made = corpus.select().export(tmp_path / "tree", partition_by=by)
    assert made.rows == verify(tmp_path / "tree").rows == 3000
    name = {"sampler": "sampler_name", "day": "day", "part": "part"}[by]
    key = {
        "sampler": "sampler_name",
        "day": "cast(cast(timestamp as date) as varchar)",
        "part": "lpad(cast(part_id as varchar), 6, '0')",
    }[by]
    files = str(tmp_path / "tree" / "*" / "*.parquet")
    with duckdb.connect() as connection:
        found = connection.sql(
            f'select "{name}"::varchar, count(*), count(distinct image_name)'
            f" from read_parquet('{files}', hive_partitioning = true,"
            " hive_types_autocast = false) group by all"
        ).fetchall()
    expected = corpus.sql(f"select {key}, count(*), count(*) from images group by all").rows()
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    with pytest.raises(ExistsError, match="exists already"):
        corpus.select().export(tmp_path / "tree", partition_by=by)
    corpus.select(limit=10).export(tmp_path / "tree", partition_by=by, force=True)
    assert verify(tmp_path / "tree").rows == 10
    assert [path.name for path in tmp_path.glob("*tree*")] == ["tree"]


@pytest.mark.parametrize("form", [*FORMATS, "tree"])
def test_no_row_is_a_subset_too_that_has_columns_and_verifies(
    form: str, corpus: Corpus, tmp_path: Path
) -> None:
    file, by = tmp_path / f"none.{form}", None
    if form == "tree":
        file, by = tmp_path / "none", "day"
    assert corpus.select(where="false").export(file, partition_by=by).rows == 0
    assert [name for name, _ in verify(file).columns] == [name for name, _ in _published()]
    if form == "tree":
        with duckdb.connect() as connection:
            found = connection.from_parquet(f"{file}/**/*.parquet", hive_partitioning=True)
            assert found.columns == [*(name for name, _ in _published()), "day"]
            assert found.fetchall() == []


def test_a_folder_of_someone_else_is_never_replaced(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    with pytest.raises(OutputError, match="did not write"):
        corpus.select().export(tmp_path / "mine", partition_by="part", force=True)
    assert (tmp_path / "mine" / "thesis.txt").exists()


@pytest.mark.parametrize("said", [{}, {"one_per": "prompt"}, {"match": "castle"}], ids=repr)
def test_rows_in_slices_are_the_same_bytes_as_at_once(
    said: dict[str, Any], corpus: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for form in ("csv", "parquet"):
        once, slices = tmp_path / f"once.{form}", tmp_path / f"slices.{form}"
        made = corpus.select(**said).export(once)
        with monkeypatch.context() as patch:
            patch.setattr(selected_rows, "SLICE_ROWS", 70)
            again = corpus.select(**said).export(slices)
        assert again.manifest == made.manifest
        if form == "csv":
            assert slices.read_bytes() == once.read_bytes()
        else:
            assert pq.read_table(slices).equals(pq.read_table(once)) or (
                repr(pq.read_table(slices).to_pylist()) == repr(pq.read_table(once).to_pylist())
            )


def test_a_manifest_says_how_the_subset_was_made_and_nothing_of_who_made_it(
    corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    name = corpus.sql("select min(image_name) from images").rows()[0][0]
    (tmp_path / "names.csv").write_text(f"image_name\n{name}\n")
    policy = tmp_path / "lab.toml"
    policy.write_text("max_image_nsfw = 0.5")
    made = corpus.select(policy=policy, sample=50, seed=3, stratify="sampler").export(
        tmp_path / "a.parquet"
    )
    said = json.loads(pq.read_metadata(tmp_path / "a.parquet").metadata[b"ddb_manifest"])
    assert said == json.loads(made.manifest.to_text())
    assert (said["version"], said["kind"], said["seed"]) == (1, "selection", 3)
    assert said["policy"]["max_image_nsfw"] == 0.5
    assert sum(one["taken"] for one in said["strata"]) == said["rows"] == 50
    assert {*said["strata"][0]} == {"name", "size", "taken", "weight"}
    assert (said["licence"], said["replayable"]) == ("CC0-1.0", True)
    assert {"ddb", "duckdb", "python"} <= said["versions"].keys()
    corpus.select(subset=tmp_path / "names.csv").export(tmp_path / "b.parquet")
    for name in ("a", "b"):
        text = pq.read_metadata(tmp_path / f"{name}.parquet").metadata[b"ddb_manifest"].decode()
        secrets = [str(tables), str(tmp_path), "names.csv", socket.gethostname()]
        secrets += [os.environ["HOME"], platform.node()]
        assert not [secret for secret in secrets if secret in text]


NO_POLICY = dict.fromkeys(["name", "max_image_nsfw", "max_prompt_nsfw", "include_blurred"])
POLICIES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {}),
    ({"policy": "open"}, {"name": "open"}),
    ({"max_prompt_nsfw": 0.5}, {"max_prompt_nsfw": 0.5}),
    ({"max_image_nsfw": 0.5}, {"max_image_nsfw": 0.5, "include_blurred": False}),
    ({"include_blurred": True}, {"include_blurred": True}),
    (
        {"policy": "strict"},
        {"name": "strict", "max_image_nsfw": 0.1, "max_prompt_nsfw": 0.1, "include_blurred": False},
    ),
    (
        {"policy": "strict", "max_image_nsfw": 0.9},
        {"max_image_nsfw": 0.9, "max_prompt_nsfw": 0.1, "include_blurred": False},
    ),
]


@pytest.mark.parametrize(("said", "policy"), POLICIES, ids=repr)
def test_the_policy_of_a_manifest_is_what_was_done_to_the_images_inside(
    said: dict[str, Any], policy: dict[str, Any], corpus: Corpus, tmp_path: Path
) -> None:
    file = tmp_path / "x.parquet"
    made = corpus.select(**said).export(file)
    text = json.loads(made.manifest.to_text())
    assert text["policy"] == NO_POLICY | policy
    blurred = 2.0 in pq.read_table(file)["image_nsfw"].to_pylist()
    for one in (text["policy"], text["selection"].get("policy", {})):
        assert not blurred or one.get("include_blurred") is not False
    verify(file)


REASONS = {
    "select random() as r": "it calls random()",
    "select now() as t": "it calls now()",
    "select current_date as t": "it calls current_date",
    "select * from images using sample 3": "it takes a random sample",
    "select * from range(3)": None,
    "select * from duckdb_settings()": "it reads duckdb_settings",
    "select * from (describe images)": "it reads describe",
    "with images_2 as (from images) select count(*) as n from images_2": None,
    "select count(*) as n from metadata_large": None,
    "select clauses, term from clauses, terms": None,
}


@pytest.mark.parametrize("sql", REASONS)
def test_rows_that_may_be_others_next_time_are_marked_with_the_reason(
    sql: str, corpus: Corpus, tmp_path: Path
) -> None:
    made = corpus.export(tmp_path / "x.parquet", sql=sql)
    assert made.manifest.replayable == (REASONS[sql] is None)
    assert (made.manifest.reason or "").startswith(REASONS[sql] or "")


def test_a_condition_that_may_change_marks_the_selection(corpus: Corpus, tmp_path: Path) -> None:
    made = corpus.select(where="random() < 2").export(tmp_path / "x.parquet")
    assert (made.manifest.replayable, made.manifest.reason) == (
        False, "it calls random(), which is random",
    )  # fmt: skip


@pytest.mark.parametrize(
    "sql",
    [
        "create table x as select 1", "with m as (copy (select 1) to 'f.csv') select 1", "",
        "select 1; select 2", "attach 'x'", "with m as (insert into x values (1)) select 1",
    ],
)  # fmt: skip
def test_only_one_select_that_reads_is_exported(sql: str, corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(DdbError):
        corpus.export(tmp_path / "x.parquet", sql=sql)
    assert not [*tmp_path.glob("*.parquet")]


# A stranger's file.


def changing(**fields: Any) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.update(fields)


def without(field: str) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.pop(field)


HOSTILE: dict[str, Callable[[dict[str, Any]], object]] = {
    "10 MB": changing(citation="x" * 10_000_000),
    "10,000 deep": lambda _: b'{"a":' + b"[" * 10_000 + b"]" * 10_000 + b"}",
    "no JSON": lambda _: b"{",
    "no text": lambda _: b"\xff\xfe",
    "half a character": lambda _: b'{"version": 1, "kind": "\\ud800"}',
    "a list": lambda _: b"[]",
    "unknown version": changing(version=2),
    "version of the wrong type": changing(version=True),
    "unknown field": changing(path="/etc/passwd"),
    "no rows": without("rows"),
    "no columns": changing(columns=[]),
    "columns of the wrong type": changing(columns=[["a", 1]]),
    "columns that are text": changing(columns="image_name"),
    "negative rows": changing(rows=-1),
    "huge rows": changing(rows=10**30),
    "rows of digits without end": lambda _: b'{"version": 1, "rows": ' + b"9" * 5000 + b"}",
    "huge limit": changing(limit=10**30),
    "strata of the wrong type": changing(strata=[5]),
    "parameters of the wrong type": changing(parameters={"a": [{"b": 1}]}),
    "huge parameter": changing(parameters={"a": 10**40}),
    "unknown kind": changing(kind="python"),
    "kind without its SQL": changing(kind="sql"),
    "SQL in a selection": changing(sql="select 1"),
    "unknown format": changing(form="sqlite"),
    "another policy": lambda said: said["policy"].update(name="strict", max_image_nsfw=0.1),
    "no policy": changing(policy=None),
    "another seed": changing(seed=5),
    "a selection of nothing known": changing(selection={"colour": 1}),
    "a policy that may be a file": changing(selection={"sample": 100, "policy": "strict"}),
    "unknown partition": changing(partition_by="../x"),
    "a partition of SQL": lambda said: said.update(
        kind="query", query="user-stats", selection={}, partition_by="day"
    ),
}


@pytest.mark.parametrize("change", HOSTILE.values(), ids=[*HOSTILE])
def test_a_manifest_out_of_bounds_is_named(
    change: Callable[[dict[str, Any]], object], subset: Path
) -> None:
    with pytest.raises(BadManifestError) as told:
        verify(rewritten(subset, change))
    assert told.value.exit_code == 4
    assert "\n" not in told.value.message
    assert len(told.value.message) < 1000


TAMPERED: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "rows": (changing(rows=99), "has 100 rows, not 99"),
    "hash": (changing(content_hash="100:1:2"), "another content"),
    "column": (lambda said: said["columns"][0].__setitem__(0, "name"), "has columns image_name"),
    "type": (lambda said: said["columns"][2].__setitem__(1, "BIGINT"), "part_id is USMALLINT"),
    "SQL as a type": (
        lambda said: said["columns"][0].__setitem__(1, "INTEGER), (select 1"),
        "image_name is VARCHAR",
    ),
    "another format": (changing(form="csv"), "csv"),
    "arrow": (changing(form="arrow"), "arrow"),
    "json": (changing(form="json"), "json"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_a_subset_that_is_not_what_its_manifest_says_is_told_apart(name: str, subset: Path) -> None:
    change, words = TAMPERED[name]
    with pytest.raises(DifferentSubsetError, match=words) as told:
        verify(rewritten(subset, change))
    assert told.value.exit_code == 4
    assert "\n" not in told.value.message


@pytest.mark.parametrize("form", ["csv", "jsonl"])
def test_sql_for_types_and_names_of_a_text_file_never_runs(
    form: str, corpus: Corpus, tmp_path: Path
) -> None:
    file, stolen = tmp_path / f"x.{form}", tmp_path / "stolen"
    corpus.select(limit=5).export(file)
    beside = manifest.beside(file)
    for kind in ("INTEGER), (select 1", f"ENUM(); copy (select 1) to '{stolen}'", "JSON[", "\0"):
        said = json.loads(beside.read_text("utf-8"))
        said["columns"][0][1] = kind
        beside.write_text(json.dumps(said), "utf-8")
        # Text is text whatever the type is called.
        verify(file)
    said["columns"][0][0] = f"a\"'); copy (select 1) to '{stolen}'; --"
    beside.write_text(json.dumps(said), "utf-8")
    with pytest.raises(DifferentSubsetError):
        verify(file)
    assert not stolen.exists()


def test_changed_rows_are_found(subset: Path) -> None:
    table = pq.read_table(subset)
    prompts = table["prompt"].to_pylist()
    prompts[3] = "something else"
    changed = table.set_column(1, "prompt", pa.array(prompts))
    pq.write_table(changed.replace_schema_metadata(pq.read_metadata(subset).metadata), subset)
    with pytest.raises(DifferentSubsetError, match="another content"):
        verify(subset)


def test_a_file_without_a_manifest_is_a_usage_error(tables: Path, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("image_name\n")
    os.mkfifo(tmp_path / "pipe")
    for path in (tables / "metadata.parquet", tmp_path / "x.csv", tmp_path / "none", tmp_path,
                 tmp_path / "pipe"):  # fmt: skip
        with pytest.raises(NoManifestError) as told:
            verify(path)
        assert told.value.exit_code == 2


def test_a_damaged_file_is_named(subset: Path) -> None:
    content = subset.read_bytes()
    subset.write_bytes(content[:2000] + b"\0" * 2000 + content[4000:])
    with pytest.raises(DifferentSubsetError, match="cannot be read as parquet"):
        verify(subset)
    subset.write_bytes(content[:-100])
    with pytest.raises((BadManifestError, NoManifestError)):
        verify(subset)


def test_without_a_hash_rows_and_columns_are_checked(corpus: Corpus, tmp_path: Path) -> None:
    made = corpus.select(limit=7).export(tmp_path / "x.parquet", hashed=False)
    assert made.manifest.content_hash is None
    assert verify(tmp_path / "x.parquet").rows == 7
    with pytest.raises(DifferentSubsetError, match="has 7 rows, not 8"):
        verify(rewritten(tmp_path / "x.parquet", changing(rows=8)))


# Selecting from a subset file.


@pytest.mark.parametrize("form", ["parquet", "csv", "tsv", "jsonl", "json"])
def test_the_images_of_a_file_are_selected_and_unknown_names_counted(
    form: str, corpus: Corpus, rows: pl.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / f"names.{form}"
    found = rows["image_name"].head(5).to_list()
    odd = [*found, found[0], "') or true --", "x.png"]
    corpus.export(file, sql="select unnest($names::varchar[]) as image_name", params={"names": odd})
    selection = corpus.select(subset=file)
    with pytest.warns(MissingNamesWarning, match="2 of the 7"):
        assert sorted(row[0] for row in selection.result().rows()) == sorted(found)
    assert selection.missing == 2


def test_a_folder_of_partitions_is_a_subset_file_too(corpus: Corpus, tmp_path: Path) -> None:
    corpus.select(limit=20).export(tmp_path / "tree", partition_by="sampler")
    assert corpus.select(subset=tmp_path / "tree").count() == 20


def test_a_file_without_image_names_is_a_usage_error(corpus: Corpus, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("title,prompt\na,b\n")
    (tmp_path / "x.parquet").write_bytes(b"not parquet")
    (tmp_path / "x.jsonl").write_text("{")
    (tmp_path / "folder").mkdir()
    corpus.export(tmp_path / "folder" / "a.parquet", sql="select image_name from images")
    corpus.export(tmp_path / "folder" / "b.parquet", sql="select prompt from images")
    os.mkfifo(tmp_path / "pipe.csv")
    for name in ("x.csv", "x.parquet", "x.jsonl", "none.csv", "folder", "pipe.csv"):
        with pytest.raises(UsageError) as told:
            corpus.select(subset=tmp_path / name).count()
        assert "\n" not in told.value.message


def test_a_subset_of_another_dataset_is_refused(
    corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    with ddb_query.open("large", data_dir=tables) as large:
        large.select(limit=3).export(tmp_path / "large.parquet")
    with pytest.raises(
        BadManifestError, match="names images of large, and dataset 2m has images of 2m"
    ) as told:
        corpus.select(subset=tmp_path / "large.parquet").count()
    assert told.value.exit_code == 4
