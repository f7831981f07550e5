"""Replaying: the same rows again, and nothing else that a stranger's manifest may ask for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pyarrow.parquet as pq
import pytest

import ddb_query
from ddb_query.api.replay import replay
from ddb_query.datasets import manifest
from ddb_query.engines.base import Relation
from ddb_query.errors import (
    BadManifestError,
    DdbError,
    DifferentSubsetError,
    SqlError,
    UntrustedError,
    UsageError,
)
from ddb_query.export.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus
    from ddb_query.engines.duckdb.connection import DuckDBEngine

NAMES = "select image_name, prompt from images order by image_name limit 50"


@pytest.fixture(autouse=True)
def data(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))


@pytest.fixture
def corpus() -> Iterator[Corpus]:
    with ddb_query.open("2m") as opened:
        yield opened


@pytest.fixture
def subset(corpus: Corpus, tmp_path: Path) -> Path:
    """A subset whose manifest stands beside it, to be changed."""
    corpus.select(sample=10).export(tmp_path / "subset.csv")
    return tmp_path / "subset.csv"


def changed(subset: Path, **fields: Any) -> Path:
    beside = manifest.beside(subset)
    beside.write_text(json.dumps(json.loads(beside.read_text("utf-8")) | fields), "utf-8")
    return subset


def again(path: Path, **said: Any) -> list[str]:
    """Replay it with a corpus of its own, as the command does; what was told."""
    told: list[str] = []
    with ddb_query.open("2m") as corpus:
        replay(corpus, path, note=told.append, **said)
    return told


SELECTIONS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("parquet", {}, {}),
    ("csv", {"sample": 100, "stratify": "nsfw-band", "shares": "equal", "seed": 4}, {}),
    ("jsonl", {"match": "castle", "one_per": "family"}, {"columns": ["score", "cfg", "prompt"]}),
    ("arrow", {"policy": "strict", "max_per": "user=2"}, {"drop": ["user_name"]}),
    ("json", {"where": "width > 512", "order_by": "cfg desc", "limit": 40}, {}),
    ("tsv", {"where": "prompt_id in (select prompt_id from search('castle'))"}, {}),
    ("parquet", {"sampler": ["plms"]}, {"partition_by": "day"}),
    ("parquet", {"match": "x'; drop view images --"}, {"hashed": False}),
]


@pytest.mark.parametrize(("form", "said", "how"), SELECTIONS, ids=repr)
def test_a_selection_comes_out_the_same_again(
    form: str, said: dict[str, Any], how: dict[str, Any], corpus: Corpus, tmp_path: Path
) -> None:
    path = tmp_path / ("tree" if "partition_by" in how else f"subset.{form}")
    corpus.select(**said).export(path, **how)
    told = again(path)
    assert len(told) == 1
    assert told[0].startswith("runs: a selection of ")


def test_rows_of_sql_and_of_a_canned_query_come_out_the_same_again(
    corpus: Corpus, tmp_path: Path
) -> None:
    corpus.export(tmp_path / "a.parquet", sql=NAMES + " offset $n", params={"n": 3})
    assert again(tmp_path / "a.parquet") == [f'runs: {NAMES} offset $n {{"n": 3}}']
    corpus.export(tmp_path / "b.csv", query="user-stats", params={"min_images": 3}, limit=5)
    assert again(tmp_path / "b.csv") == ['runs: canned query user-stats {"min_images": 3}']


@pytest.mark.parametrize("output", [None, "again.csv"])
def test_a_file_with_other_rows_than_its_manifest_is_not_the_same_again(
    output: str | None, corpus: Corpus, subset: Path, tmp_path: Path
) -> None:
    whole = subset.read_text("utf-8")
    subset.write_text("".join(whole.splitlines(keepends=True)[:-1]), "utf-8")
    with pytest.raises(DifferentSubsetError) as caught:
        replay(corpus, subset, output=tmp_path / output if output else None)
    assert caught.value.differences == ("has 9 rows, not 10",)
    if output:
        assert (tmp_path / output).read_text("utf-8") == whole, "what was asked for is there"


def test_strata_that_were_tampered_with_are_named(corpus: Corpus, tmp_path: Path) -> None:
    path = tmp_path / "subset.csv"
    made = corpus.select(sample=50, stratify="user", shares="equal").export(path)
    again(path)
    strata = [dict(one) for one in made.manifest.strata]
    strata[0]["size"] = 7
    with pytest.raises(DifferentSubsetError, match="gives other strata now"):
        again(changed(path, strata=strata))


def test_it_is_written_again_in_another_format_and_keeps_its_manifest(
    subset: Path, tmp_path: Path
) -> None:
    new = tmp_path / "new.parquet"
    again(subset, output=new)
    assert verify(new).selection == {"sample": 10}
    assert pq.read_table(new).num_rows == 10
    with pytest.raises(DdbError, match="exists already"):
        again(subset, output=new)
    again(new, output=new, force=True)
    again(new, output=tmp_path / "said", form="jsonl")
    assert len((tmp_path / "said").read_text("utf-8").splitlines()) == 10


def test_what_is_written_again_says_how_it_was_made_this_time(
    corpus: Corpus, tables: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.select(sample=10).export(tmp_path / "a.csv")
    corpus.export(tmp_path / "b.csv", sql=NAMES)
    (tmp_path / "fewer").mkdir()
    table = pq.read_table(tables / "metadata.parquet")
    pq.write_table(table.slice(0, 2000), tmp_path / "fewer" / "metadata.parquet")
    monkeypatch.setenv("DDB_DATA_DIR", str(tmp_path / "fewer"))
    for name in ("a", "b"):
        before = manifest.read(tmp_path / f"{name}.csv")
        with pytest.raises(DifferentSubsetError, match="another content"):
            again(tmp_path / f"{name}.csv", output=tmp_path / f"{name}-again.csv")
        after = verify(tmp_path / f"{name}-again.csv")
        assert after.source_footer != before.source_footer
        assert (after.kind, after.sql, after.seed) == (before.kind, before.sql, before.seed)


@pytest.mark.parametrize("by", ["sampler", "day", "part"])
def test_a_folder_of_partitions_is_made_again_as_the_same_folder(
    by: str, corpus: Corpus, tmp_path: Path
) -> None:
    tree, new = tmp_path / "tree", tmp_path / "new"
    corpus.select(sample=400, stratify="nsfw-band").export(tree, partition_by=by, drop=["prompt"])
    again(tree, output=new)
    assert verify(new) == verify(tree)
    assert files_in(new) == files_in(tree)
    with pytest.raises(DdbError, match="exists already"):
        again(tree, output=new)
    corpus.select(sample=5).export(new, partition_by="part", force=True)
    again(tree, output=new, force=True)
    assert files_in(new) == files_in(tree)
    (tmp_path / "mine").mkdir()
    with pytest.raises(DdbError, match="did not write"):
        again(tree, output=tmp_path / "mine", force=True)


def files_in(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file()]
    assert len(found) > 3
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_folder_of_partitions_becomes_one_file_when_a_file_is_named(
    corpus: Corpus, tmp_path: Path
) -> None:
    tree, one = tmp_path / "tree", tmp_path / "one.parquet"
    corpus.select(sample=400).export(tree, partition_by="sampler")
    again(tree, output=one)
    assert verify(one).partition_by is None
    assert verify(one).content_hash == verify(tree).content_hash
    beside = manifest.beside(tree)
    said = json.loads(beside.read_text("utf-8"))
    beside.write_text(json.dumps(said | {"rows": 399}), "utf-8")
    with pytest.raises(DifferentSubsetError, match="gives 400 rows now, not 399"):
        again(tree, output=tmp_path / "changed")


def test_a_replay_that_needs_no_search_builds_no_store(subset: Path, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
        again(subset)
    assert not [*(tmp_path / "cache").glob("stores/*")]


def test_another_table_and_other_rules_are_told_before_anything_runs(subset: Path) -> None:
    told = again(changed(subset, source_footer="0" * 64, match_rules=99))
    assert "match rules 99" in told[0]
    assert "another metadata table" in told[1]
    assert told[2].startswith("runs: ")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"rows": 9}, "gives 10 rows now, not 9"),
        ({"content_hash": "10:1:1"}, "another content"),
        ({"seed": 3, "selection": {"sample": 10, "seed": 3}}, "another content"),
        ({"strata": [{"name": "a", "size": 9, "taken": 1, "weight": 9.0}]}, "other strata"),
        ({"columns": [["image_name", "VARCHAR"]]}, "another content"),
        ({"columns": [["image_name", "BIGINT"]], "content_hash": None}, "other columns"),
    ],
    ids=repr,
)  # fmt: skip
def test_another_result_is_named(fields: dict[str, Any], words: str, subset: Path) -> None:
    with pytest.raises(DifferentSubsetError, match=words) as told:
        again(changed(subset, **fields))
    assert told.value.exit_code == 4


@pytest.mark.parametrize(
    "selection",
    [
        {"colour": 1}, {"subset": "/etc/passwd"}, {"sample": "5"}, {"sample": 10**18 * 10},
        {"where": 5}, {"one_per": ["user"]}, {"policy": {"name": "x", "max_image_nsfw": "1"}},
        {"policy": {"name": 5}}, {"policy": [1]}, {"include_blurred": 1}, {"max_per": {}},
        {"user": {"a": 1}}, {"part": [[1]]}, {"since": 5}, {"limit": -1}, {"seed": True},
    ],
    ids=repr,
)  # fmt: skip
def test_a_selection_that_makes_no_sense_is_the_manifests_fault(
    selection: dict[str, Any], subset: Path
) -> None:
    with pytest.raises(BadManifestError) as told:
        again(changed(subset, selection=selection))
    assert told.value.exit_code == 4
    assert "\n" not in told.value.message


def test_a_policy_of_a_manifest_is_never_a_file(subset: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text("max_image_nsfw = 0.1")
    for policy in (str(tmp_path / "mine.toml"), "strict"):
        with pytest.raises(BadManifestError, match="a policy is said in fields"):
            again(changed(subset, selection={"policy": policy}))


def outside(folder: Path) -> dict[str, str]:
    """SQL that reaches out of the corpus, by what it does."""
    secret, stolen = folder / "secret.csv", folder / "stolen.csv"
    return {
        "reads a text": f"select content from read_text('{secret}')",
        "reads a csv": f"select * from read_csv('{secret}')",
        "names a path": f"select * from '{secret}'",
        "names a path that a CTE hides": (
            f"select * from '{secret}' where exists (with \"{secret}\" as (select 1) select 1)"
        ),
        "lists a folder": f"select * from glob('{folder}/*')",
        "reads the settings": "select * from duckdb_settings()",
        "reads secrets": "select * from duckdb_secrets()",
        "hides a query in text": f"select * from query('select * from read_text(''{secret}'')')",
        "copies in a CTE": f"with m as (copy (select 1) to '{stolen}') select 1 as a",
        "copies deeper": (
            f"select * from (with m as (copy (select 1) to '{stolen}') select 1 as a) as x"
        ),
        "hides a copy in text": (
            f"select * from query('with m as (copy (select 1) to ''{stolen}'') select 1')"
        ),
        "copies": f"copy (select 1) to '{stolen}'",
        "attaches": f"attach '{stolen}' as x",
        "inserts": "with m as (insert into images values (1)) select 1 as a",
        "updates": "with m as (update images set seed = 1) select 1 as a",
        "deletes": "with m as (delete from images) select 1 as a",
        "sets": "set lock_configuration = false",
        "two statements": f"select 1; copy (select 1) to '{stolen}'",
        "calls random": "select random() as a",
        "calls now": "select now() as a",
        "reads the environment": "select getenv('HOME') as a",
    }


CASES = [*outside(__import__("pathlib").Path("x"))]


@pytest.mark.parametrize("case", CASES)
def test_sql_that_reaches_out_is_not_run(case: str, subset: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    sql = outside(tmp_path)[case]
    path = changed(subset, kind="sql", sql=sql, selection={}, columns=[["a", "INTEGER"]], rows=1,
                   content_hash=None, seed=None)  # fmt: skip
    with pytest.raises(DdbError) as told:
        again(path, output=tmp_path / "new.csv")
    assert told.value.exit_code in (1, 2, 4)
    assert not (tmp_path / "stolen.csv").exists()
    assert not (tmp_path / "new.csv").exists()


@pytest.mark.parametrize(
    ("field", "case"),
    [
        *(("where", case) for case in ("reads a text", "names a path", "hides a query in text",
                                       "copies in a CTE", "hides a copy in text", "calls random")),
        ("order_by", "reads a text"), ("order_by", "hides a copy in text"),
    ],
)  # fmt: skip
def test_a_condition_or_an_order_that_reaches_out_is_not_run(
    field: str, case: str, subset: Path, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    sql = f"exists ({outside(tmp_path)[case]})"
    with pytest.raises(DdbError) as told:
        again(changed(subset, selection={field: sql}), output=tmp_path / "new.csv")
    assert told.value.exit_code in (1, 2, 4)
    assert not (tmp_path / "stolen.csv").exists()
    assert not (tmp_path / "new.csv").exists()


def run(engine: DuckDBEngine, sql: str) -> list[object]:
    answer = engine.answer(Relation(sql))
    return [*answer.cells()] if answer else []


def test_what_the_checks_do_not_know_the_locked_connection_refuses(
    corpus: Corpus, tmp_path: Path
) -> None:
    (tmp_path / "secret.csv").write_text("a\n1\n")
    corpus.workspace.lock()
    engine = corpus.workspace.engine
    refused = [
        f"select * from read_csv('{tmp_path}/secret.csv')",
        f"copy (select 1) to '{tmp_path}/stolen.csv'",
        f"with m as (copy (select 1) to '{tmp_path}/stolen.csv') select 1",
        f"attach '{tmp_path}/x.db' as x",
        "set enable_external_access = true",
        "install httpfs",
        "select * from 'https://localhost/x.parquet'",
    ]
    for sql in refused:
        with pytest.raises(SqlError):
            run(engine, sql)
    assert not (tmp_path / "stolen.csv").exists()
    assert corpus.sql("select count(*) from images").rows() == [(3000,)]


def test_a_locked_connection_may_still_spill(tmp_path: Path) -> None:
    with ddb_query.open("2m", memory_limit="40MB", threads=1) as small:
        small.workspace.lock()
        rows = small.sql(
            "select count(*) from (select md5(i::varchar) as h, repeat('x', 100) as t"
            " from range(600000) as r(i) order by h)"
        ).rows()
        ordered = small.sql(
            "select max(h) from (select md5(i::varchar) as h, repeat('x', 100) as t,"
            " row_number() over (order by md5(i::varchar)) as n from range(600000) as r(i))"
            " where n > 0 and t <> ''"
        ).rows()
    assert rows == [(600000,)]
    assert ordered[0][0].startswith("ffff")


def test_trust_runs_what_is_refused_otherwise(corpus: Corpus, subset: Path, tmp_path: Path) -> None:
    (tmp_path / "mine.csv").write_text("a\n1\n")
    made = corpus.export(
        tmp_path / "x.parquet", sql=f"select * from read_csv('{tmp_path}/mine.csv')"
    )
    assert not made.manifest.replayable
    with pytest.raises(UntrustedError) as told:
        again(tmp_path / "x.parquet")
    assert told.value.exit_code == 4
    assert told.value.hint is not None
    assert "--trust" in told.value.hint
    again(tmp_path / "x.parquet", trust=True)
    writing = changed(
        subset, kind="sql", selection={},
        sql=f"with m as (copy (select 1) to '{tmp_path}/stolen.csv') select 1 as a",
    )  # fmt: skip
    with pytest.raises(UsageError):
        again(writing, trust=True)
    assert not (tmp_path / "stolen.csv").exists()


def test_another_dataset_is_refused(subset: Path) -> None:
    with pytest.raises(BadManifestError, match="dataset large, not of 2m"):
        again(changed(subset, dataset="large", images="large", source_footer="0" * 64))


def test_a_subset_of_a_subset_needs_the_file_that_it_was_made_from(
    corpus: Corpus, subset: Path, tmp_path: Path
) -> None:
    made = tmp_path / "made.parquet"
    corpus.select(subset=subset, where="width > 0").export(made)
    with pytest.raises(UsageError, match="made from a subset file"):
        again(made)
    again(made, subset=subset)
    name = corpus.sql("select max(image_name) from images").rows()[0][0]
    (tmp_path / "other.csv").write_text(f"image_name\n{name}\n")
    with pytest.raises(DifferentSubsetError, match="another subset file"):
        again(made, subset=tmp_path / "other.csv")


def test_the_commands_say_what_they_did_and_nothing_on_standard_output(
    ddb: Callable[..., Ran], subset: Path, tmp_path: Path
) -> None:
    verified = ddb("verify", subset)
    assert (verified.code, verified.out) == (0, b"")
    assert verified.err == (
        f"note: {subset}: 10 rows; rows, columns and content are as its manifest says\n"
    )
    replayed = ddb("replay", subset, "-o", tmp_path / "new.csv")
    assert (replayed.code, replayed.out) == (0, b"")
    assert replayed.err == (
        f'note: runs: a selection of {{"sample": 10}}\nnote: {subset}: 10 rows, the same again\n'
    )
    assert (tmp_path / "new.csv").read_bytes() == subset.read_bytes()
    sql = "select '\x1b[31m'"
    path = changed(
        subset, dataset="narnia", kind="sql", selection={}, sql=sql, source_footer="0" * 64
    )
    odd = ddb("replay", path)
    assert odd.code == 3
    assert odd.err == (
        "ddb: the table of dataset narnia, which this was made from, is not here\n"
        "hint: `ddb data add TABLE --as narnia` registers it\n"
    )
    none = ddb("verify", tmp_path / "none.csv")
    assert (none.code, none.err.count("\n")) == (2, 2)
    escape = ddb("replay", changed(subset, dataset="2m"))
    assert escape.code == 4
    assert "\x1b" not in escape.err
    assert "\\x1b[31m" in escape.err
