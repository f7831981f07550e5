"""What the bounds in a parquet file leave out, NaN, changes no answer."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, BinaryIO

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from query_truth import published

import ddb_query
from ddb_query.datasets.manifest import KEY
from ddb_query.engines.float_bounds import parquet_writer
from ddb_query.export.verify import verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from ddb_query.api.corpus import Corpus

CFG = [math.nan if place % 100 == 7 else place % 50 / 5 for place in range(3000)]
NANS = 30

# What DuckDB decides by bounds, in the ways that were found to be decided wrongly, and some more.
CONDITIONS = {
    "isnan(cfg)": NANS,
    "not isnan(cfg)": 2970,
    "isfinite(cfg)": 2970,
    "cfg < 100": 2970,
    "cfg > 100": NANS,
    "not (cfg < 100)": NANS,
    "cfg between 0 and 20": 2970,
    "cfg = 'nan'::float": NANS,
    "cfg in (100, 'nan'::float)": NANS,
    "cfg <> 'nan'::float": 2970,
    "cfg is distinct from 'nan'::float": 2970,
    "cast(cfg as double) < 100": 2970,
    "round(cfg, 1) < 50": 2970,
    "abs(cfg) < 50": 2970,
    "cfg + 1 < 100": 2970,
    "coalesce(cfg, 0) < 100": 2970,
    "greatest(cfg, 0) < 100": 2970,
    "[cfg][1] < 100": 2970,
    "{'x': cfg}.x < 100": 2970,
    "case when cfg < 100 then 1 else 2 end = 1": 2970,
}
WAYS = {
    "a filter": "select count(*) from {view} where {condition}",
    "an aggregate's filter": "select count(*) filter (where {condition}) from {view}",
    "a materialized CTE": (
        "with kept as materialized (select * from {view}) select count(*) from kept"
        " where {condition}"
    ),
    "a union": (
        "select count(*) // 2 from (select * from {view} union all select * from {view})"
        " where {condition}"
    ),
    "a join": (
        "select count(*) from {view} inner join (select image_name from {view}) using (image_name)"
        " where {condition}"
    ),
    "groups": (
        "select coalesce(sum(n), 0)::bigint from (select cfg, count(*) as n from {view} group by"
        " cfg) where {condition}"
    ),
}  # fmt: skip


def table_of(cfg: list[float]) -> pa.Table:
    return published(*({"cfg": value} for value in cfg)).to_arrow()


@pytest.fixture(scope="module", params=[3000, 100], ids=["one row group", "many"])
def corpus(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Corpus]:
    """A table by pyarrow, which leaves NaN out of the bounds that it writes."""
    folder = tmp_path_factory.mktemp("bounds")
    table = table_of(CFG)
    pq.write_table(table, folder / "metadata.parquet", row_group_size=request.param)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(folder / "cache"))
        with ddb_query.open("2m", data_dir=folder) as opened:
            yield opened


def test_duckdb_still_trusts_bounds_that_leave_nan_out(tmp_path: Path) -> None:
    """When this fails, look whether the views still need what float_bounds.py does."""
    pq.write_table(table_of(CFG), tmp_path / "bounds.parquet")
    with duckdb.connect() as connection:
        bounded = connection.from_parquet(f"{tmp_path}/bounds.parquet")
        assert bounded.filter("isnan(cfg)").fetchall() == []


@pytest.mark.parametrize("view", ["images", "metadata"])
@pytest.mark.parametrize("way", WAYS)
def test_no_condition_is_decided_by_bounds(way: str, view: str, corpus: Corpus) -> None:
    sql = {c: WAYS[way].format(view=view, condition=c) for c in CONDITIONS}
    assert {c: corpus.sql(one).rows()[0][0] for c, one in sql.items()} == CONDITIONS


@pytest.mark.parametrize("view", ["images", "metadata"])
def test_no_aggregate_nor_order_is_decided_by_bounds(view: str, corpus: Corpus) -> None:
    def one(sql: str) -> float:
        return float(corpus.sql(sql).rows()[0][0])

    assert math.isnan(one(f"select max(cfg) from {view}"))
    assert one(f"select min(cfg) from {view}") == 0
    assert math.isnan(one(f"select cfg from {view} order by cfg desc limit 1"))
    assert one(f"select count(distinct cfg) from {view}") == len({*map(repr, CFG)})


@pytest.mark.parametrize("view", ["images", "metadata"])
def test_no_nan_is_made_up_where_there_is_none(view: str, tmp_path: Path) -> None:
    pq.write_table(table_of([1.0, 2.0, 3.0]), tmp_path / "metadata.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        assert corpus.sql(f"select max(cfg), min(cfg) from {view}").rows() == [(3.0, 1.0)]


def test_the_files_that_ddb_writes_have_no_bounds_that_leave_nan_out(
    corpus: Corpus, tmp_path: Path
) -> None:
    corpus.select().export(tmp_path / "all.parquet")
    corpus.select().export(tmp_path / "parts", partition_by="sampler")
    files = [tmp_path / "all.parquet", *(tmp_path / "parts").rglob("*.parquet")]
    for file in files:
        with duckdb.connect() as connection:
            found = connection.from_parquet(str(file)).filter("isnan(cfg)").fetchall()
        assert len(found) == NANS


def test_a_writer_gives_bounds_for_what_is_no_float(tmp_path: Path) -> None:
    table = pa.table({"n": [1, 2], "x": [1.0, math.nan], "xs": [[1.0], [math.nan]]})
    with parquet_writer(tmp_path / "x.parquet", table.schema) as writer:
        writer.write_table(table)
    group = pq.read_metadata(tmp_path / "x.parquet").row_group(0)
    assert [group.column(place).is_stats_set for place in range(3)] == [True, False, False]


def test_an_error_while_a_file_is_written_is_not_hidden_by_one_of_closing_it(
    tmp_path: Path,
) -> None:
    def write(sink: BinaryIO) -> None:
        with parquet_writer(sink, pa.schema({"n": pa.int64()})):
            # Where the file is closed, its footer cannot be written.
            sink.close()
            raise KeyboardInterrupt

    with (tmp_path / "x.parquet").open("wb") as sink, pytest.raises(KeyboardInterrupt):
        write(sink)


@pytest.mark.parametrize("row_group_size", [3000, 100])
def test_a_subset_with_bounds_that_leave_nan_out_is_verified(
    row_group_size: int, corpus: Corpus, tmp_path: Path
) -> None:
    path = tmp_path / "saved-again.parquet"
    corpus.select().export(path)
    said = {KEY: pq.read_metadata(path).metadata[KEY.encode()]}
    table = pq.read_table(path).replace_schema_metadata(said)
    pq.write_table(table, path, row_group_size=row_group_size)
    assert pq.read_metadata(path).row_group(0).column(5).is_stats_set
    assert verify(path).rows == 3000


# --- a score that is NaN ---

SCORES = [0.1, 0.6, 2.0, None, math.nan]


@pytest.fixture
def scored(tmp_path: Path) -> Iterator[Corpus]:
    """All pairs of odd scores, in a table whose bounds leave NaN out."""
    rows: list[dict[str, Any]] = [
        {"image_nsfw": image, "prompt_nsfw": prompt, "prompt": f"castle {prompt}"}
        for image in SCORES
        for prompt in SCORES
    ]
    pq.write_table(published(*rows).to_arrow(), tmp_path / "metadata.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as opened:
        yield opened


@pytest.mark.parametrize("stored", [False, True])
def test_a_score_that_is_nan_passes_no_threshold(
    stored: bool, scored: Corpus, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    if stored:
        scored.build()
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        for name in ("image_nsfw", "image_nsfw_score", "prompt_nsfw"):
            sql = f"select count(*), count({name}) from images where {name} > 0.5 or {name} <= 0.5"
            assert corpus.sql(sql).rows() == [(10 if name.endswith("score") else 15,) * 2], name
        assert corpus.select(max_image_nsfw=1.0).count() == 10
        assert corpus.select(max_image_nsfw=1.0, include_blurred=True).count() == 15
        assert corpus.select(max_prompt_nsfw=1.0).count() == 10
        kept = corpus.run("nsfw-filter", max_image_nsfw=1.0, max_prompt_nsfw=1.0).rows()
        assert len(kept) == 4
        highest = corpus.run("nsfw-retention", steps=2).rows()[-1]
        assert highest[2] == 4
        bins = corpus.run("nsfw-histogram").rows()
        # Ten with a score, and five in the bin of those blurred.
        assert sum(row[-1] for row in bins if row[0] == "image") == 15
        missing = dict(row[:2] for row in corpus.run("data-quality").rows())
        assert missing["image score missing"] == missing["prompt score missing"] == 10


def test_a_report_and_a_sample_by_band_take_nan_for_no_score(scored: Corpus) -> None:
    [summary] = [
        table for section in scored.select().report(sections=["nsfw"]).sections
        for table in section.tables if table.name == "summary"
    ]  # fmt: skip
    facts = dict(summary.rows)
    assert facts["image_scored"] == 10
    assert facts["image_score_over_half_share"] == 0.5
    strata = scored.select().sample(25, stratify="nsfw-band").strata
    assert {one.name: one.size for one in strata} == {
        "to 0.1": 5, "to 1": 5, "blurred": 5, "none": 10,
    }  # fmt: skip


def test_an_export_tells_how_many_are_over_a_half_without_nan(
    scored: Corpus, tmp_path: Path
) -> None:
    # All but those of four image scores with three prompt scores.
    assert scored.select().export(tmp_path / "x.parquet").over == 13
    kept = pl.read_parquet(tmp_path / "x.parquet")
    assert kept["image_nsfw"].is_nan().sum() == 5, "as published"


def test_a_plan_counts_nan_as_no_score(scored: Corpus) -> None:
    counts = scored.select().plan().counts
    assert (counts.images, counts.left_out) == (20, 5)


def test_json_has_nothing_for_nan(scored: Corpus) -> None:
    result = scored.sql("select image_nsfw from images")
    lines = b"".join(map(bytes, result.lines("jsonl"))).splitlines()
    assert [json.loads(line)["image_nsfw"] for line in lines].count(None) == 10
