"""Selections: which images criteria mean, told again in plain Python."""

from __future__ import annotations

import contextlib
import datetime
import itertools
import warnings
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from selection_truth import (
    CONDITIONS,
    DELETED,
    ORDERS,
    POLICIES,
    SAMPLERS,
    SEARCHES,
    STRATA,
    allocated,
    rows_of,
    selected,
)

import ddb_query
from ddb_query.errors import MissingNamesWarning, SqlError, UsageError
from ddb_query.selection.criteria import Criteria, Fields
from ddb_query.selection.policy import policy_of
from ddb_query.selection.strata import allocate

if TYPE_CHECKING:
    from pathlib import Path

    from ddb_query.api.corpus import Corpus
    from ddb_query.api.selection import Selection

PUBLISHED = [
    ("image_name", pa.string()), ("prompt", pa.string()), ("part_id", pa.uint16()),
    ("seed", pa.uint32()), ("step", pa.uint16()), ("cfg", pa.float32()), ("sampler", pa.uint8()),
    ("width", pa.uint16()), ("height", pa.uint16()), ("user_name", pa.string()),
    ("timestamp", pa.timestamp("us", "UTC")), ("image_nsfw", pa.float32()),
    ("prompt_nsfw", pa.float32()),
]  # fmt: skip


@pytest.fixture(scope="module")
def rows(tables: Path) -> pl.DataFrame:
    return rows_of(tables / "metadata.parquet")


def names(found: Any) -> list[str]:
    return [row[0] for row in found.result().rows()]


scores = st.sampled_from([0.0, 0.05, 0.1, 0.2, 0.3, 0.5, 0.9, 1.0]) | st.floats(0, 1)
times = st.datetimes(datetime.datetime(2022, 8, 6), datetime.datetime(2022, 8, 21))
utc_times = times.map(lambda time: time.replace(tzinfo=datetime.UTC, microsecond=0))
counts = st.integers(0, 40) | st.integers(0, 4000)
policies = st.fixed_dictionaries(
    {"name": st.just("lab")},
    optional={
        "max_image_nsfw": scores, "max_prompt_nsfw": scores, "include_blurred": st.booleans(),
    },
)  # fmt: skip
groups = ["prompt", "family", "user"]

# Of `subset` every how many rows are in the file, of `user` whose turn it is.
FILTERS: dict[str, st.SearchStrategy[Any]] = {
    "subset": st.integers(1, 4),
    "where": st.sampled_from([*CONDITIONS]),
    "match": st.sampled_from([*SEARCHES]),
    "max_image_nsfw": scores,
    "max_prompt_nsfw": scores,
    "policy": st.sampled_from([*POLICIES]) | policies,
    "include_blurred": st.booleans(),
    "exclude_blurred": st.booleans(),
    "sampler": st.lists(st.sampled_from([*SAMPLERS, "1", "8"]), min_size=1, max_size=4),
    "user": st.lists(st.integers(0, 4), max_size=3),
    "part": st.lists(st.sampled_from(["1", "2-3", "1-2", "3-900", "70"]), max_size=2),
    "since": utc_times,
    "until": utc_times,
}
THINNING: dict[str, st.SearchStrategy[Any]] = {
    "one_per": st.sampled_from(groups),
    "max_per": st.builds("{}={}".format, st.sampled_from(groups), st.integers(1, 7)),
    "include_deleted": st.booleans(),
    "order_by": st.sampled_from([*ORDERS]),
    "limit": st.integers(1, 3000),
}
STRATIFYING: dict[str, st.SearchStrategy[Any]] = {
    "stratify": st.sampled_from([*STRATA]),
    "shares": st.sampled_from(["proportional", "equal"]),
}


def let_in(said: dict[str, Any]) -> bool:
    """Whether blurred images are asked for, so that they cannot be refused as well."""
    policy = said.get("policy")
    of_policy = isinstance(policy, dict) and policy.get("include_blurred")
    return bool(said.get("include_blurred") or of_policy)


@st.composite
def criteria(draw: st.DrawFn) -> dict[str, Any]:
    """Any fields together."""
    # Each criterion leaves out much: a few at a time, so that something is left.
    kept = draw(st.lists(st.sampled_from([*FILTERS]), unique=True, max_size=4))
    said: dict[str, Any] = {name: draw(FILTERS[name]) for name in kept}
    said |= draw(st.fixed_dictionaries({}, optional=THINNING))
    if draw(st.booleans()):
        said["sample"] = draw(counts)
        if draw(st.booleans()):
            said |= draw(st.fixed_dictionaries(STRATIFYING))
    if let_in(said):
        said.pop("exclude_blurred", None)
    if {"sample", "one_per", "max_per"} & said.keys():
        said["seed"] = draw(st.integers(0, 2**40))
    return said


def check_export(said: dict[str, Any], corpus: Corpus, rows: pl.DataFrame, folder: Path) -> None:
    """See that an export holds what criteria mean, in its order, to the last bit but of zero."""
    often = rows["user_name"].drop_nulls().value_counts(sort=True)["user_name"].head(3)
    users = [*often, *DELETED]
    said = said | ({"user": [users[turn] for turn in said["user"]]} if "user" in said else {})
    meant, names_file = dict(said), folder / "names.csv"
    if every := said.get("subset"):
        names = rows["image_name"].gather_every(every)
        names.append(pl.Series(["nobody.png"])).to_frame().write_csv(names_file)
        said, meant = said | {"subset": names_file}, said | {"subset": names.to_list()}
    selection = corpus.select(**said)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", MissingNamesWarning)
        selection.export(folder / "subset.parquet", force=True)
    found = pq.read_table(folder / "subset.parquet")
    weight = [("weight", pa.float64())] if "stratify" in said else []
    assert found.schema.remove_metadata() == pa.schema(PUBLISHED + weight)
    expected = selected(rows, meant)
    assert_frame_equal(pl.DataFrame(pl.from_arrow(found)), expected, check_exact=True)
    assert selection.count() == expected.height


@settings(
    max_examples=50, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(said=criteria())
def test_an_export_holds_the_rows_that_the_criteria_mean_in_their_order(
    said: dict[str, Any], corpus: Corpus, rows: pl.DataFrame, tmp_path: Path
) -> None:
    check_export(said, corpus, rows, tmp_path)


ALONE: list[dict[str, Any]] = [
    *({"where": where} for where in CONDITIONS), *({"match": words} for words in SEARCHES),
    *({"order_by": order} for order in ORDERS), *({"user": [turn]} for turn in range(5)),
    *({"one_per": group} for group in groups),
]  # fmt: skip


@pytest.mark.parametrize("said", ALONE, ids=repr)
def test_every_condition_search_order_and_user_by_itself_means_what_polars_says(
    said: dict[str, Any], corpus: Corpus, rows: pl.DataFrame, tmp_path: Path
) -> None:
    check_export(said, corpus, rows, tmp_path)


def test_every_criterion_is_among_those_of_the_random_selections() -> None:
    drawn = {*FILTERS, *THINNING, *STRATIFYING, "sample", "seed"}
    # What is on the disk is nothing of a table's; tests of fetching tell of it.
    assert drawn == {*Criteria.__dataclass_fields__} - {"on_disk"}


@given(
    sizes=st.lists(st.integers(0, 50), max_size=8),
    count=st.integers(0, 200),
    shares=st.sampled_from(["proportional", "equal"]),
)
def test_shares_are_those_of_water_filling_with_the_largest_remainder(
    sizes: list[int], count: int, shares: Any
) -> None:
    taken = allocate(sizes, count, shares)
    assert taken == allocated(sizes, count, shares)
    assert sum(taken) == min(count, sum(sizes))
    assert all(0 <= one <= size for one, size in zip(taken, sizes, strict=True))


@given(st.lists(st.integers(1, 6), min_size=1, max_size=4), st.integers(0, 12))
def test_no_other_shares_are_closer_to_equal(sizes: list[int], count: int) -> None:
    def spread(taken: tuple[int, ...]) -> list[int]:
        return sorted(taken)

    taken = allocate(sizes, count, "equal")
    choices = itertools.product(*(range(size + 1) for size in sizes))
    best = max(spread(one) for one in choices if sum(one) == min(count, sum(sizes)))
    assert spread(tuple(taken)) == best


def test_strata_tell_size_taken_and_weight_and_the_rows_carry_the_weight(corpus: Corpus) -> None:
    selection = corpus.select(sample=100, stratify="nsfw-band", shares="equal")
    assert sum(one.taken for one in selection.strata) == 100
    assert sum(one.size for one in selection.strata) == corpus.select().count()
    frame = selection.pl()
    weighed = sum(one.size for one in selection.strata if one.taken)
    assert frame["weight"].sum() == pytest.approx(weighed)


SAMPLES: list[dict[str, Any]] = [
    {"sample": 200, "seed": 9},
    {"sample": 300, "stratify": "user", "shares": "equal"},
    {"one_per": "family", "sample": 100},
    {"max_per": "user=3", "max_image_nsfw": 0.3},
    {"match": "castle OR paint*", "one_per": "user", "include_deleted": True},
]


@pytest.mark.parametrize("said", SAMPLES, ids=repr)
def test_a_sample_is_the_same_on_any_number_of_threads_and_with_the_store_or_without(
    said: dict[str, Any], corpus: Corpus, tables: Path, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    corpus.build()
    expected = names(corpus.select(**said))
    assert expected
    with ddb_query.open("2m", data_dir=tables, threads=8) as many:
        assert names(many.select(**said)) == expected
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "without a store"))
    monkeypatch.setenv("DDB_NO_BUILD", "1")
    for threads in (1, 2):
        with ddb_query.open("2m", data_dir=tables, threads=threads) as bare:
            assert names(bare.select(**said)) == expected


TO_FETCH: list[dict[str, Any]] = [
    {"sample": 2800},
    {"sample": 500, "seed": 3, "where": "seed % 2 = 1"},
    {"sample": 300, "stratify": "user", "shares": "equal"},
    {"limit": 900, "order_by": "image_nsfw_score desc"},
    {"one_per": "prompt"},
    {"max_per": "user=3", "sample": 100},
    {"max_image_nsfw": 0.4, "sample": 100},
    {"policy": "open"},
]


@pytest.mark.parametrize("said", TO_FETCH, ids=repr)
def test_a_fetch_leaves_blurred_images_out_before_it_samples(
    said: dict[str, Any], corpus: Corpus, rows: pl.DataFrame
) -> None:
    blurred = pl.col("image_nsfw") == 2.0
    expected = selected(rows, {**said, "exclude_blurred": True})
    selection = corpus.select(**said)
    plan = selection.plan()
    assert plan.images == expected.height == plan.counts.images
    assert plan.images == said.get("sample", said.get("limit", plan.images))
    assert plan.counts.blurred == expected.filter(blurred).height == 0
    passing: dict[str, Any] = {
        name: said[name] for name in said if name in ("where", "max_image_nsfw")
    }
    left_out = selected(rows, {**passing, "include_blurred": True}).filter(blurred).height
    assert plan.counts.left_out == (0 if "max_image_nsfw" in said else left_out)
    assert sorted(names(selection.to_fetch())) == sorted(expected["image_name"])


def test_a_fetch_takes_blurred_images_that_are_asked_for(
    corpus: Corpus, rows: pl.DataFrame
) -> None:
    plan = corpus.select(include_blurred=True).plan()
    blurred = rows.filter(pl.col("image_nsfw") == 2.0).height
    assert (plan.images, plan.counts.blurred, plan.counts.left_out) == (rows.height, blurred, 0)


def test_a_sample_from_few_parts_has_all_its_images(corpus: Corpus, rows: pl.DataFrame) -> None:
    sharp = rows.filter((pl.col("image_nsfw") != 2.0).fill_null(value=True))
    most = max(sharp["part_id"].value_counts()["count"].to_list())
    plan = corpus.select(sample=most).from_fewest_parts().plan()
    assert plan.images == most


def test_strata_without_an_image_in_the_sample_are_told(corpus: Corpus, rows: pl.DataFrame) -> None:
    selection = corpus.select(sample=5, stratify="sampler")
    sizes = dict(rows["sampler"].value_counts().iter_rows())
    none = [one for one in selection.strata if not one.taken]
    assert none
    told = "; ".join(selection.notes())
    for one in none:
        size = sizes[SAMPLERS.index(str(one.name)) + 1]
        assert f"{one.name} ({size:,} images)" in told
    assert not corpus.select(sample=rows.height, stratify="sampler").notes()


def test_strata_that_have_fewer_images_than_an_equal_share_are_told(
    corpus: Corpus, rows: pl.DataFrame
) -> None:
    selection = corpus.select(sample=rows.height // 2, stratify="sampler", shares="equal")
    most = max(one.taken for one in selection.strata)
    small = [one.name for one in selection.strata if one.taken < most - 1]
    assert small
    told = "; ".join(selection.notes())
    assert "fewer than an equal share from " in told
    assert all(f"{name} (" in told for name in small)


def test_a_family_is_one_text_however_it_is_spelled(corpus: Corpus) -> None:
    found = corpus.select(one_per="family").relation()
    counted = corpus.workspace.ask(
        type(found)(
            "select count(*), count(distinct prompts.text) from"
            f" ({found.sql}) as kept inner join prompts using (prompt_id)",
            found.values,
        )
    ).rows()[0]
    families = corpus.sql("select count(distinct text) from prompts").rows()[0][0]
    assert counted == (families, families)


def test_candidates_without_a_user_are_dropped_and_counted(
    corpus: Corpus, rows: pl.DataFrame
) -> None:
    deleted = [None, "deleted-account", "deleted_account"]
    unknown = rows["user_name"].is_in(deleted, nulls_equal=True).sum()
    assert unknown
    selection = corpus.select(one_per="user")
    assert selection.notes() == [f"left out {unknown:,} images without a known user"]
    assert not corpus.select(one_per="user", include_deleted=True).notes()


def test_more_than_there_are_gives_all_and_says_so(corpus: Corpus, rows: pl.DataFrame) -> None:
    selection = corpus.select(sample=5000)
    assert selection.count() == len(rows)
    assert selection.notes() == [f"the sample has all that there are: {len(rows):,} images"]


def test_sampling_says_the_same_as_criteria_and_a_sample_is_not_sampled_again(
    corpus: Corpus,
) -> None:
    sample = corpus.select(sampler="plms").sample(20, seed=3)
    assert names(sample) == names(corpus.select(sampler="plms", sample=20, seed=3))
    with pytest.raises(UsageError, match="cannot be sampled"):
        sample.sample(5)


def test_a_selection_is_read_in_every_form(corpus: Corpus) -> None:
    selection = corpus.select(max_image_nsfw=0.2, limit=30)
    frame = selection.pl()
    assert frame.height == selection.arrow().num_rows == len(selection.result().rows()) == 30
    assert len(selection.head(3).rows()) == 3
    assert "published_cfg" not in frame.columns
    assert repr(selection) == "<Selection: max_image_nsfw=0.2, limit=30>"


def test_a_notebook_shows_rows_escaped(corpus: Corpus) -> None:
    shown = corpus.select(where="prompt like '%<%'")._repr_html_()
    assert shown.startswith("<table>")
    assert "&lt;" in shown


PLAIN: list[dict[str, Any]] = [
    {"match": 'castle OR "oil painting" -portrait'},
    {"match": "cast* ~paintin~ artgem~2"},
    {"match": '(wide OR "digital paint*") AND NOT (castle city)'},
    {"match": 'by:"greg rutkowski"'},
    {"match": "-castle"},
    {"match": "8k", "one_per": "family", "limit": 50},
    {"one_per": "prompt", "max_per": "user=2", "sample": 20, "seed": 3},
    {"one_per": "user", "include_deleted": True, "policy": "moderate"},
    {"sample": 50, "stratify": "day", "shares": "equal"},
    {"sample": 60, "stratify": "user"},
    {"order_by": "width * height desc, user_name -- the widest", "include_blurred": True,
     "max_image_nsfw": 0.4},
    {"where": 'prompt_id in (select prompt_id from "Prompts" where images > 1) and user_name in'
     " (select source.user_name from users source where source.images > 1)"},
    {"where": "prompt <> 'source.images $f0' /* it's */ and prompt not in (select p.prompt from"
     " metadata p where p.width > 900)", "max_image_nsfw": 0.3},
    {"where": "exists (from terms where images > 3) and seed = $$1$$ or width = 512"},
    {"match": "o'x source.images $f1"},
    {"user": ["deleted-account"], "since": "2022-08-10", "part": "1-2"},
    {"until": "2022-08-10T12:00+05:00", "sampler": ["k_lms", "1"]},
]  # fmt: skip


@pytest.mark.parametrize("said", PLAIN, ids=repr)
def test_its_sql_gives_the_same_rows_in_plain_duckdb(
    said: dict[str, Any], corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    check_plain(corpus.select(**said), tables, tmp_path)


EVERY_COLUMN = [
    "part_path", "cfg", "user_name", "timestamp", "image_blurred", "sampler_name", "part_id",
    "image_nsfw_score", "image_nsfw", "prompt_id", "image_name", "seed", "width", "prompt_nsfw",
]  # fmt: skip
STRATIFIED: dict[str, Any] = {"sample": 40, "stratify": "sampler", "order_by": "cfg desc, seed"}
COLUMNS: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"limit": 500, "order_by": "image_name desc"}, {"columns": EVERY_COLUMN}),
    ({"match": "castle"}, {"columns": ["prompt"]}),
    ({"sample": 30, "seed": 2}, {"drop": ["user_name", "part_id", "image_name"]}),
    (STRATIFIED, {"columns": ["weight", "sampler_name"]}),
    (STRATIFIED, {"columns": ["cfg", "seed"], "drop": ["seed"]}),
    (STRATIFIED, {"drop": ["weight", "seed", "cfg"]}),
    ({"where": "cfg > 7", "limit": 30}, {"columns": ["cfg", "width"], "drop": ["width"]}),
]


@pytest.mark.parametrize(("said", "columns"), COLUMNS, ids=repr)
def test_its_sql_gives_the_columns_that_an_export_writes_with_their_types(
    said: dict[str, Any], columns: dict[str, Any], corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    check_plain(corpus.select(**said), tables, tmp_path, **columns)


def check_plain(selection: Selection, tables: Path, folder: Path, **columns: Any) -> None:
    """See that its SQL, run where only the tables are, gives what an export writes."""
    selection.export(folder / "subset.parquet", **columns)
    with duckdb.connect() as connection, contextlib.chdir(tables):
        found = connection.sql(selection.plain_sql(**columns))
        assert found is not None
        plain = found.to_arrow_table()
    expected = pq.read_table(folder / "subset.parquet")
    assert plain.schema == expected.schema.remove_metadata()
    assert [*map(repr, plain.to_pylist())] == [*map(repr, expected.to_pylist())]


def test_plain_sql_of_what_plain_duckdb_does_not_have_is_refused(
    corpus: Corpus, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"no search\(\)"):
        _ = corpus.select(where="prompt_id in (select prompt_id from search('x'))").sql
    with pytest.raises(UsageError, match=r"no search\(\)"):
        _ = corpus.select(order_by="(select count(*) from search('x'))").sql
    with pytest.raises(UsageError, match="no score"):
        corpus.select(match="castle").plain_sql(columns=["prompt", "score"])
    with pytest.raises(UsageError, match="no column named xyzzy"):
        corpus.select().plain_sql(drop=["xyzzy"])


BAD: list[dict[str, Any]] = [
    {"nonsense": 1}, {"max_image_nsfw": 1.5}, {"max_image_nsfw": float("nan")},
    {"max_prompt_nsfw": True}, {"sample": -1}, {"sample": 1.5}, {"sample": 10**5000},
    {"seed": 4}, {"shares": "equal", "sample": 3}, {"stratify": "sampler"},
    {"stratify": "size", "sample": 3}, {"one_per": "part"}, {"one_per": ["user"]},
    {"max_per": "user"}, {"max_per": "user=0"}, {"max_per": "user=" + "9" * 5000},
    {"max_per": 5}, {"sampler": "euler"}, {"sampler": {"a": 1}}, {"part": "1-2-3"}, {"part": "9-3"},
    {"part": "٣"}, {"part": "9" * 5000}, {"since": "yesterday"}, {"until": 5}, {"policy": "none"},
    {"policy": {"name": "x", "colour": 1}}, {"policy": {"name": 5}}, {"policy": 5}, {"limit": -1},
    {"policy": {"name": "x", "max_image_nsfw": "0.1"}}, {"include_blurred": "yes"},
    {"where": 5}, {"where": "\ud800"}, {"user": "\ud800"}, {"since": "\ud800"},
    {"order_by": ["seed"]}, {"subset": "nowhere.parquet"}, {"subset": 5}, {"subset": ""},
]  # fmt: skip


@pytest.mark.parametrize("said", BAD, ids="-".join)
def test_criteria_that_make_no_sense_are_refused(said: dict[str, Any], corpus: Corpus) -> None:
    with pytest.raises(UsageError) as told:
        corpus.select(**said).count()
    assert "\n" not in told.value.message


@pytest.mark.parametrize(
    "said",
    [
        {"where": "widht > 5"}, {"where": "width >"}, {"where": "1 = 1) or (1 = 1"},
        {"where": "true; drop view images"}, {"where": "width > 5 limit 3"}, {"where": ""},
        {"where": "width > $w"}, {"order_by": "heigth"}, {"order_by": "seed limit 3"},
        {"order_by": "images desc"},
        {"order_by": "seed; select 1"}, {"where": "true union select 1"}, {"where": "width\0 > 5"},
    ],
    ids=repr,
)  # fmt: skip
def test_a_bad_condition_gets_the_words_of_duckdb(said: dict[str, Any], corpus: Corpus) -> None:
    with pytest.raises(SqlError):
        corpus.select(**said).count()


def test_a_condition_that_writes_is_refused_before_it_runs(corpus: Corpus, tmp_path: Path) -> None:
    target = tmp_path / "stolen.csv"
    writing = f"exists (with m as (copy (select 1) to '{target}') select 1)"
    written: tuple[Fields, ...] = ({"where": writing}, {"order_by": f"(select {writing})"})
    for said in written:
        with pytest.raises((UsageError, SqlError)):
            corpus.select(**said).count()
    assert not target.exists()


def test_policy_files_say_thresholds_and_their_errors_are_named(
    corpus: Corpus, rows: pl.DataFrame, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text("max_image_nsfw = 0.3\nmax_prompt_nsfw = 0.4\ninclude_blurred = true\n")
    fields = {"max_image_nsfw": 0.3, "max_prompt_nsfw": 0.4, "include_blurred": True}
    assert policy_of(file).name == "mine"
    assert corpus.select(policy=file).count() == selected(rows, fields).height
    wrong = ["max_image = 1", "max_image_nsfw = 2", "max_image_nsfw = ", "name = 3", "\xff"]
    for text in wrong:
        file.write_text(text, "latin-1")
        with pytest.raises(UsageError):
            corpus.select(policy=str(file))
