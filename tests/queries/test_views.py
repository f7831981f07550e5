"""What `images`, `prompts` and `users` mean, whatever form the published table comes in."""

from __future__ import annotations

import hashlib
import math
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from query_truth import (
    SCHEMA,
    TABLES,
    VIEW_STATEMENTS,
    difference,
    images,
    published,
    single,
    views,
    write,
)
from test_queries import odd_table

import ddb_query
from ddb_query.diffusiondb import COLUMNS, part_path

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ddb_query.api.corpus import Corpus

VIEWS = {
    "images": {
        "image_name": "VARCHAR",
        "prompt": "VARCHAR",
        "prompt_id": "BIGINT",
        "part_id": "INTEGER",
        "seed": "BIGINT",
        "step": "INTEGER",
        "width": "BIGINT",
        "height": "BIGINT",
        "cfg": "DOUBLE",
        "sampler": "INTEGER",
        "sampler_name": "VARCHAR",
        "user_name": "VARCHAR",
        "timestamp": "TIMESTAMP",
        "image_nsfw": "DOUBLE",
        "prompt_nsfw": "DOUBLE",
        "image_blurred": "BOOLEAN",
        "image_nsfw_score": "DOUBLE",
        "part_path": "VARCHAR",
    },
    "prompts": {
        "prompt_id": "BIGINT",
        "prompt": "VARCHAR",
        "text": "VARCHAR",
        "images": "BIGINT",
        "users": "BIGINT",
        "prompt_nsfw": "DOUBLE",
        "first_seen": "TIMESTAMP",
        "last_seen": "TIMESTAMP",
    },
    "users": {
        "user_name": "VARCHAR",
        "images": "BIGINT",
        "prompts": "BIGINT",
        "first_seen": "TIMESTAMP",
        "last_seen": "TIMESTAMP",
    },
    "activity": {
        "prompt_id": "BIGINT",
        "user_name": "VARCHAR",
        "sampler": "INTEGER",
        "hour": "TIMESTAMP",
        "images": "BIGINT",
        "first_seen": "TIMESTAMP",
        "last_seen": "TIMESTAMP",
    },
    "repeats": {
        "prompt_id": "BIGINT",
        "prompt": "VARCHAR",
        "seed": "BIGINT",
        "step": "INTEGER",
        "cfg": "DOUBLE",
        "sampler": "INTEGER",
        "width": "BIGINT",
        "height": "BIGINT",
        "images": "BIGINT",
    },
}


@pytest.fixture(autouse=True)
def storeless(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache without a store: one is there when a test builds it."""
    monkeypatch.setenv("DDB_CACHE_DIR", str(home / "cache"))


@contextmanager
def opened(folder: Path, *rows: Mapping[str, object], dataset: str = "2m") -> Iterator[Corpus]:
    """A table by hand, opened."""
    with ddb_query.open(dataset, data_dir=write(published(*rows), folder, dataset)) as corpus:
        yield corpus


def column(corpus: Corpus, expression: str, source: str = "images") -> list[Any]:
    """One expression, row by row, in the order of the image names where there are any."""
    order = "order by image_name" if source == "images" else "order by all"
    return [value for (value,) in corpus.sql(f"select {expression} from {source} {order}").rows()]


def assert_views_equal_truth(corpus: Corpus, frame: pl.DataFrame, dataset: str) -> None:
    for view, expected in views(images(frame, dataset)).items():
        word = difference(corpus.sql(VIEW_STATEMENTS[view]).rows(), expected)
        assert word is None, f"{view}: {word}"


# --- all of it ---


@pytest.mark.parametrize("dataset", sorted(TABLES))
def test_the_views_are_what_an_independent_computation_gives(dataset: str, tables: Path) -> None:
    frame = pl.read_parquet(tables / TABLES[dataset])
    with ddb_query.open(dataset, data_dir=tables) as corpus:
        assert_views_equal_truth(corpus, frame, dataset)


@pytest.mark.parametrize("dataset", sorted(TABLES))
def test_the_views_are_right_on_a_table_of_odd_values_also_over_a_store(
    dataset: str, tmp_path: Path
) -> None:
    frame = odd_table(seed=4)
    with ddb_query.open(dataset, data_dir=write(frame, tmp_path, dataset)) as corpus:
        assert_views_equal_truth(corpus, frame, dataset)
        assert corpus.build()
    with ddb_query.open(dataset, data_dir=tmp_path) as corpus:
        assert_views_equal_truth(corpus, frame, dataset)
        assert not corpus.build()


@pytest.mark.parametrize(
    "frame",
    [
        pytest.param(published(), id="no rows"),
        pytest.param(published({}), id="one row"),
        pytest.param(published(*[dict.fromkeys(SCHEMA)] * 2), id="nulls alone"),
    ],
)
def test_the_views_are_right_on_tables_of_nearly_nothing(
    frame: pl.DataFrame, tmp_path: Path
) -> None:
    with ddb_query.open("2m", data_dir=write(frame, tmp_path)) as corpus:
        assert_views_equal_truth(corpus, frame, "2m")


def test_the_columns_of_the_views_begin_with_the_agreed_ones(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        for view, agreed in VIEWS.items():
            columns = corpus.sql(f"select * from {view}").columns[: len(agreed)]
            assert [(c.name, c.type) for c in columns] == list(agreed.items())


def test_every_column_can_be_selected_by_its_bare_name(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        for view in VIEWS:
            names = [c.name for c in corpus.sql(f"select * from {view}").columns]
            for name in names:
                result = corpus.sql(f"select {name} from {view} where {name} is not null limit 1")
                assert [c.name for c in result.columns] == [name]
                assert len(result.rows()) == 1
            every = ", ".join(names)
            assert corpus.sql(f"select {every} from {view} order by {every} limit 1").rows()


def test_both_published_tables_are_there_as_published(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        for view, dataset in (("metadata", "2m"), ("metadata_large", "large")):
            result = corpus.sql(f"select * from {view}")
            assert [(c.name, c.type) for c in result.columns] == [(c.name, c.type) for c in COLUMNS]
            assert result.pl().equals(pl.read_parquet(tables / TABLES[dataset]), null_equal=True)


# --- column by column ---


def test_areas_and_seeds_do_not_overflow(tmp_path: Path) -> None:
    row = {"width": 65_535, "height": 65_535, "seed": 4_294_967_295, "step": 65_535}
    with opened(tmp_path, {**row, "part_id": 65_535}) as corpus:
        assert column(corpus, "width * height") == [4_294_836_225]
        assert column(corpus, "seed + 1") == [4_294_967_296]
        assert column(corpus, "step + part_id - 140000") == [-8_930]


def test_a_guidance_scale_is_found_by_what_a_person_writes(tmp_path: Path) -> None:
    scales = (14.6, 0.1, 6.9, 9.4, 123.45, 0.0, -7.3)
    count = "select count(*) from images where cfg ="
    with opened(tmp_path, *({"cfg": cfg} for cfg in scales)) as corpus:
        for cfg in scales:
            assert corpus.sql(f"{count} {cfg}").rows() == [(1,)]
            assert corpus.sql(f"{count} $cfg", {"cfg": cfg}).rows() == [(1,)]


def test_odd_guidance_scales_stay(tmp_path: Path) -> None:
    odd = (math.nan, math.inf, -math.inf, -1e12, 3e38, None)
    with opened(tmp_path, *({"cfg": cfg} for cfg in odd)) as corpus:
        found = column(corpus, "cfg")
    assert [repr(cfg) for cfg in found] == [
        "nan", "inf", "-inf", repr(single(-1e12)), repr(single(3e38)), "None"
    ]  # fmt: skip


def test_there_is_one_zero_and_halves_are_rounded_away_from_it(tmp_path: Path) -> None:
    odd = (-0.0, 0.0, -0.00004, 0.03125, -0.03125)
    with opened(tmp_path, *({"cfg": cfg} for cfg in odd)) as corpus:
        assert [repr(cfg) for cfg in column(corpus, "cfg")] == [
            "0.0", "0.0", "0.0", "0.0313", "-0.0313"
        ]  # fmt: skip


def test_samplers_have_their_published_names(tmp_path: Path) -> None:
    with opened(tmp_path, *({"sampler": n} for n in (*range(11), None))) as corpus:
        assert column(corpus, "sampler_name") == [
            None, "ddim", "plms", "k_euler", "k_euler_ancestral", "k_heun", "k_dpm_2",
            "k_dpm_2_ancestral", "k_lms", "others", None, None,
        ]  # fmt: skip


def test_both_spellings_of_a_deleted_account_are_one_user(tmp_path: Path) -> None:
    names = ("deleted-account", "deleted_account", "deleted account", None, "")
    with opened(tmp_path, *({"user_name": name} for name in names)) as corpus:
        assert column(corpus, "user_name") == [
            "deleted_account", "deleted_account", "deleted account", None, ""
        ]  # fmt: skip
        assert column(corpus, "user_name || ':' || images", "users") == [
            ":1", "deleted account:1", "deleted_account:2"
        ]  # fmt: skip


def test_times_are_utc_without_a_zone(tmp_path: Path) -> None:
    time = datetime(2022, 8, 20, 13, 33, tzinfo=UTC)
    with opened(tmp_path, {"timestamp": time}, {"timestamp": None}) as corpus:
        assert column(corpus, "timestamp") == [time.replace(tzinfo=None), None]
        assert column(corpus, "timestamp = timestamp '2022-08-20 13:33:00'") == [True, None]


def test_two_is_the_mark_of_a_blurred_image_and_no_score_nor_is_nan(tmp_path: Path) -> None:
    scores = (2.0, 0.0, 1.0, single(2.0 - 2e-7), None, math.nan)
    with opened(tmp_path, *({"image_nsfw": score} for score in scores)) as corpus:
        assert column(corpus, "image_blurred") == [True, False, False, False, False, False]
        assert column(corpus, "image_nsfw_score") == [None, *scores[1:-1], None]
        assert column(corpus, "image_nsfw") == [*scores[:-1], None]


def test_a_published_score_passes_the_threshold_of_its_own_value(tmp_path: Path) -> None:
    scores = (0.1, 0.2, 0.3, 0.5, 0.7)
    with opened(
        tmp_path, *({"image_nsfw": score, "prompt_nsfw": score} for score in scores)
    ) as corpus:
        for score in scores:
            passing = "<= cast($x as real) and prompt_nsfw >= cast($x as real)"
            sql = f"select count(*) from images where image_nsfw_score {passing}"
            assert corpus.sql(sql, {"x": score}).rows() == [(1,)]


@pytest.mark.parametrize("dataset", ["2m", "large"])
def test_a_part_lies_where_the_dataset_says(dataset: str, tmp_path: Path) -> None:
    parts = (1, 9, 10, 999, 2_000, 9_999, 10_000, 10_001, 14_000, 65_535)
    rows: list[dict[str, object]] = [{"part_id": part} for part in parts]
    with opened(tmp_path, *rows, {"part_id": None}, dataset=dataset) as corpus:
        assert column(corpus, "part_path") == [*(part_path(dataset, p) for p in parts), None]


PROMPTS = (
    "", " ", "a", "a castle", "a castle ", "A castle", "é", "e\u0301", "\N{CASTLE}\ufe0f", "a\nb",
    "'; drop table images; --", "%", "\\", "\x00", "x" * 1_923, None,
)  # fmt: skip


def test_a_prompts_id_is_the_first_15_hex_digits_of_its_md5(tmp_path: Path) -> None:
    with opened(tmp_path, *({"prompt": prompt} for prompt in PROMPTS)) as corpus:
        assert column(corpus, "prompt_id") == [
            None if p is None else int(hashlib.md5(p.encode()).hexdigest()[:15], 16)
            for p in PROMPTS
        ]
        by_prompt = dict(corpus.sql("select prompt, prompt_id from prompts").rows())
        joined = corpus.sql("select count(*) from images join prompts using (prompt_id)").rows()
    assert set(by_prompt) == {prompt for prompt in PROMPTS if prompt is not None}
    assert joined == [(len(PROMPTS) - 1,)]


def test_the_empty_prompt_is_a_prompt_and_a_missing_one_is_none(tmp_path: Path) -> None:
    with opened(tmp_path, {"prompt": ""}, {"prompt": ""}, {"prompt": None}) as corpus:
        rows = corpus.sql("select prompt, text, images from prompts").rows()
        assert rows == [("", "", 2)]
        assert column(corpus, "prompt_id is null") == [False, False, True]
        assert corpus.sql("select prompts, images from users").rows() == [(1, 3)]


def test_a_prompt_knows_its_users_and_times(tmp_path: Path) -> None:
    times = [datetime(2022, 8, 7, tzinfo=UTC) + timedelta(hours=hour) for hour in range(3)]
    rows: list[dict[str, object]] = [
        {"user_name": "a", "timestamp": times[1]},
        {"user_name": "a", "timestamp": times[0]},
        {"user_name": "deleted-account", "timestamp": times[2]},
        {"user_name": "deleted_account", "timestamp": None},
        {"user_name": None, "timestamp": None},
    ]
    seen = "first_seen, last_seen"
    with opened(tmp_path, *rows) as corpus:
        first, final = (times[place].replace(tzinfo=None) for place in (0, 2))
        assert corpus.sql(f"select images, users, {seen} from prompts").rows() == [
            (5, 2, first, final)
        ]
        assert corpus.sql(f"select user_name, images, {seen} from users order by all").rows() == [
            ("a", 2, first, first + timedelta(hours=1)),
            ("deleted_account", 2, final, final),
        ]


# --- the forms that a table comes in ---


def with_types(**types: Any) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        for name, kind in types.items():
            place = table.schema.get_field_index(name)
            table = table.set_column(place, name, table[name].cast(kind))
        return table

    return change


def with_times(unit: str, zone: str | None) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        place = table.schema.get_field_index("timestamp")
        times = table["timestamp"].cast(pa.timestamp(unit, "UTC")).cast(pa.timestamp(unit, zone))
        return table.set_column(place, "timestamp", times)

    return change


def in_another_order(table: pa.Table) -> pa.Table:
    extra = pa.array(range(table.num_rows))
    return table.select(table.column_names[::-1]).append_column("an extra column", extra)


def with_dictionaries(table: pa.Table) -> pa.Table:
    for name in ("prompt", "user_name"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, table[name].dictionary_encode())
    return table


WIDER = with_types(
    part_id=pa.int32(), seed=pa.int64(), step=pa.int32(), width=pa.int64(), height=pa.uint64(),
    sampler=pa.int16(), cfg=pa.float64(), image_nsfw=pa.float64(), prompt_nsfw=pa.float64(),
    image_name=pa.large_string(), prompt=pa.large_string(), user_name=pa.large_string(),
)  # fmt: skip

FORMS: dict[str, tuple[Callable[[pa.Table], pa.Table], dict[str, Any]]] = {
    "one row group": (with_types(), {}),
    "many row groups": (with_types(), {"row_group_size": 50}),
    "wider types": (WIDER, {}),
    "wider types, no Arrow schema": (WIDER, {"store_schema": False, "row_group_size": 100}),
    "int96 times": (with_types(), {"use_deprecated_int96_timestamps": True}),
    "old parquet, uncompressed": (with_types(), {"version": "1.0", "compression": "none"}),
    "dictionaries": (with_dictionaries, {}),
    "another order, an extra column": (in_another_order, {}),
    **{
        f"{unit}, zone {zone}": (with_times(unit, zone), {"coerce_timestamps": None})
        for unit in ("s", "ms", "us", "ns")
        for zone in (None, "Asia/Tokyo")
    },
}


@pytest.fixture(scope="module")
def plain(tables: Path) -> pl.DataFrame:
    return pl.read_parquet(tables / TABLES["2m"]).sample(400, seed=1)


@pytest.mark.parametrize("form", FORMS)
def test_a_table_means_the_same_in_whatever_form_it_is_stored(
    form: str, plain: pl.DataFrame, tmp_path: Path
) -> None:
    change, options = FORMS[form]
    pq.write_table(change(plain.to_arrow()), tmp_path / TABLES["2m"], **options)
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        result = corpus.sql(VIEW_STATEMENTS["images"])
        assert {c.name: c.type for c in result.columns} == VIEWS["images"]
        assert difference(result.rows(), images(plain, "2m").sort("image_name").rows()) is None


def test_a_folder_that_cannot_be_written_is_read(plain: pl.DataFrame, tmp_path: Path) -> None:
    folder = write(plain, tmp_path / "data")
    (folder / TABLES["2m"]).chmod(0o444)
    folder.chmod(0o555)
    before = sorted(folder.iterdir())
    try:
        with ddb_query.open("2m", data_dir=folder) as corpus:
            assert_views_equal_truth(corpus, plain, "2m")
            assert corpus.run("user-stats").rows()
        assert sorted(folder.iterdir()) == before
    finally:
        folder.chmod(0o755)
