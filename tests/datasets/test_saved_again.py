"""A table that other programs saved again gives the answers of the published one, or is refused."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import warnings
from contextlib import closing
from typing import TYPE_CHECKING, Any

import duckdb
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
import spark_table
from conftest import write_table
from query_truth import (
    SCHEMA,
    TRUTHS,
    VIEW_STATEMENTS,
    cases,
    data_quality,
    difference,
    images,
    normalise,
    published,
    views,
    without_rank,
    words_of,
)
from report_truth import assert_true
from selection_truth import content_hash, rows_of, selected

import ddb_query
from ddb_query.api.replay import replay
from ddb_query.datasets import check_table
from ddb_query.datasets.manifest import read as read_manifest
from ddb_query.engines.open import open_engine
from ddb_query.errors import BadColumnError, BadTableError, BadValueError
from ddb_query.settings import Settings
from ddb_query.store.paths import source_is_gone, stores

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus

NAN = float("nan")

# --- one table, by every writer ---

ROWS = 2_100
REPEATED = 40


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    """Rows with every quirk: scores and cfg that are NaN, cfg infinite or negative, and so on."""
    folder = tmp_path_factory.mktemp("made")
    frame = pl.read_parquet(write_table(folder / "metadata.parquet", rows=ROWS, seed=11))
    place, some = pl.int_range(pl.len()), pl.col("prompt").str.len_bytes() % 17 == 3
    return frame.with_columns(
        image_nsfw=pl.when(place % 41 == 3).then(NAN).otherwise("image_nsfw").cast(pl.Float32),
        prompt_nsfw=pl.when(some).then(NAN).otherwise("prompt_nsfw").cast(pl.Float32),
        cfg=pl.when(place % 97 == 5).then(NAN).when(place % 97 == 6).then(-1e12)
        .when(place % 97 == 7).then(float("inf")).otherwise("cfg").cast(pl.Float32),
        step=pl.when(place % 89 == 1).then(0).otherwise("step").cast(pl.UInt16),
        seed=pl.when(place % 83 == 1).then(2**32 - 1).otherwise("seed").cast(pl.UInt32),
        timestamp=pl.col("timestamp").cast(pl.Datetime("us", "UTC")),
    ).select(
        # pandas, and so fastparquet, does not tell a float that is missing from one that is NaN.
        pl.col(name).cast(kind).fill_null(NAN) if kind == pl.Float32 else pl.col(name).cast(kind)
        for name, kind in SCHEMA.items()
    )  # fmt: skip


@pytest.fixture(scope="module")
def doubled(made: pl.DataFrame) -> pl.DataFrame:
    """The same, and some images once more: half of them as they are, half in a later part."""
    again = made.sample(REPEATED, seed=1)
    later = again.tail(REPEATED // 2).with_columns(part_id=(pl.col("part_id") + 1).cast(pl.UInt16))
    return pl.concat([made, again.head(REPEATED // 2), later]).sample(
        fraction=1, shuffle=True, seed=2
    )


def by_pyarrow(frame: pl.DataFrame, path: Path, group: int) -> None:
    pq.write_table(frame.to_arrow(), path, row_group_size=group)


def by_polars(frame: pl.DataFrame, path: Path, group: int) -> None:
    frame.write_parquet(path, row_group_size=group)


def by_duckdb(frame: pl.DataFrame, path: Path, group: int) -> None:
    table = frame.to_arrow()
    with duckdb.connect() as connection:
        connection.execute("set TimeZone = 'UTC'")
        # DuckDB's groups are whole vectors of 2,048 rows.
        connection.from_arrow(table).write_parquet(str(path), row_group_size=max(group, 2048))


def by_fastparquet(frame: pl.DataFrame, path: Path, group: int) -> None:
    # It says nothing of its types, which is why it is not imported.
    import fastparquet

    table = frame.to_pandas().astype({"user_name": "object"})
    table["user_name"] = table["user_name"].where(table["user_name"].notna(), None)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pd.errors.Pandas4Warning)
        # Otherwise it writes NULL for NaN.
        nullable = ["prompt", "user_name", "timestamp"]
        fastparquet.write(str(path), table, row_group_offsets=group, has_nulls=nullable)


def as_a_folder(frame: pl.DataFrame, path: Path, group: int) -> None:
    """As Spark leaves one: a folder that is called as the file, with files of its own beside."""
    step = max(group, len(frame) // 3)
    path.mkdir()
    for place in range(0, len(frame), step):
        pq.write_table(
            frame[place : place + step].to_arrow(), path / f"part-{place:05}-x.c000.parquet"
        )
    (path / "_SUCCESS").touch()
    (path / "_metadata.parquet").write_text("no table")
    (path / ".part-00000-x.c000.parquet.crc").touch()


WRITERS = {
    "pyarrow": by_pyarrow, "polars": by_polars, "duckdb": by_duckdb,
    "fastparquet": by_fastparquet, "a folder": as_a_folder,
}  # fmt: skip
SELECTIONS: list[dict[str, Any]] = [
    {},
    {"max_image_nsfw": 0.2},
    {"max_prompt_nsfw": 0.1},
    {"policy": "moderate"},
    {"max_image_nsfw": 0.5, "include_blurred": True},
    {"sample": 50, "seed": 3},
    {"sample": 60, "seed": 4, "stratify": "nsfw-band"},
    {"one_per": "user"},
    {"max_per": "prompt=2", "limit": 100},
]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("group", "stored"), [(100_000, False), (100, True)], ids=["one group", "many, over a store"]
)
@pytest.mark.parametrize("writer", WRITERS)
def test_every_answer_is_the_same_whoever_saved_the_table(
    writer: str, group: int, stored: bool, made: pl.DataFrame, doubled: pl.DataFrame,
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    WRITERS[writer](doubled, tmp_path / "metadata.parquet", group)
    reference = tmp_path / "reference.parquet"
    by_pyarrow(made, reference, 100_000)
    if stored:
        with ddb_query.open("2m", data_dir=tmp_path) as corpus:
            assert corpus.build()
    notes: list[str] = []
    with ddb_query.open("2m", data_dir=tmp_path, note=notes.append) as corpus:
        assert notes[0].endswith(
            f"left out {REPEATED} rows that have the image name of an earlier row:"
            " each image is taken once"
        )
        assert corpus.sql("select count(*) from metadata").rows() == [(ROWS + REPEATED,)]
        check_views_and_queries(corpus, images(made, "2m"), REPEATED)
        assert_true(corpus.select().report(), reference)
        check_selections(corpus, reference, tmp_path)
        check_searches(corpus, made)


def test_every_answer_is_right_over_a_table_that_spark_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    shutil.copytree(spark_table.FOLDER, tmp_path / "metadata.parquet")
    saved = pl.from_arrow(pq.read_table(tmp_path / "metadata.parquet"))
    assert isinstance(saved, pl.DataFrame)
    saved = saved.with_columns(timestamp=pl.col("timestamp").dt.replace_time_zone("UTC"))
    saved = saved.select(pl.col(name).cast(kind) for name, kind in SCHEMA.items())
    once = saved.unique("image_name", keep="first", maintain_order=True)
    reference = tmp_path / "reference.parquet"
    by_pyarrow(once, reference, 100_000)
    with ddb_query.open("2m", data_dir=tmp_path, note=lambda _: None) as corpus:
        assert corpus.sql("select count(*) from metadata").rows() == [(len(saved),)]
        check_views_and_queries(corpus, images(once, "2m"), len(saved) - len(once))
        assert_true(corpus.select().report(), reference)
        check_selections(corpus, reference, tmp_path)
        check_searches(corpus, once)


def check_views_and_queries(corpus: Corpus, table: pl.DataFrame, repeated: int) -> None:
    for view, expected in views(table).items():
        word = difference(corpus.sql(VIEW_STATEMENTS[view]).rows(), expected)
        assert word is None, f"{view}: {word}"
    for name, truth in TRUTHS.items():
        for parameters in cases(name, table)[:2]:
            found = corpus.run(name, **parameters).rows()
            expected = truth(table, **parameters)
            if name == "prompt-search":
                found = without_rank(found)
            if truth is data_quality:
                expected = data_quality(table, left_out=repeated)
            word = difference(found, expected)
            assert word is None, f"{name} with {parameters}: {word}"


def check_selections(corpus: Corpus, reference: Path, folder: Path) -> None:
    rows = rows_of(reference)
    for said in SELECTIONS:
        expected = selected(rows, said)
        chosen = corpus.select(**said)
        assert chosen.count() == expected.height, said
        chosen.export(folder / "x.parquet", force=True)
        found = read_manifest(folder / "x.parquet")
        assert found.content_hash == content_hash(expected.iter_rows()), said


def check_searches(corpus: Corpus, made: pl.DataFrame) -> None:
    prompts = made["prompt"].drop_nulls().unique().to_list()
    for word in ("castle", "painting", "8k"):
        expected = {text for text in prompts if normalise(word) in words_of(text)}
        found = corpus.search(word, limit=0).arrow()["prompt"].to_pylist()
        assert sorted(found) == sorted(expected), word


# --- what a column may have become ---


@pytest.fixture(scope="module")
def plain(tables: Path) -> pl.DataFrame:
    return pl.read_parquet(tables / "metadata.parquet").sample(300, seed=1)


def put(table: pa.Table, name: str, column: Any) -> pa.Table:
    return table.set_column(table.schema.get_field_index(name), name, column)


def cast(*names: str, to: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        for name in names:
            table = put(table, name, table[name].cast(to))
        return table

    return change


def times_as_text(spelled: str) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        times = table["timestamp"].to_pylist()
        texts = [None if time is None else time.strftime(spelled) for time in times]
        return put(table, "timestamp", pa.array(texts, pa.string()))

    return change


def epoch(divisor: int, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        numbers = table["timestamp"].cast(pa.timestamp("us", "UTC")).cast(pa.int64())
        return put(table, "timestamp", pc.divide(numbers, divisor).cast(kind))

    return change


def samplers_by_name(table: pa.Table) -> pa.Table:
    names = images(pl.DataFrame(pl.from_arrow(table)), "2m")["sampler_name"].to_arrow()
    return put(table, "sampler", names)


def without_endings(table: pa.Table) -> pa.Table:
    return put(table, "image_name", pc.utf8_slice_codeunits(table["image_name"], 0, 36))


def missing_as_nan(table: pa.Table) -> pa.Table:
    """Whole numbers as pandas has them as soon as one is missing."""
    seeds = [NAN if place % 7 == 0 else n for place, n in enumerate(table["seed"].to_pylist())]
    return put(table, "seed", pa.array(seeds, pa.float64()))


WHOLE = ("part_id", "seed", "step", "sampler", "width", "height")
TAKEN: dict[str, Callable[[pa.Table], pa.Table]] = {
    "whole numbers as double": cast(*WHOLE, to=pa.float64()),
    "small ones as float": cast("part_id", "step", "sampler", "width", to=pa.float32()),
    "as decimal": cast(*WHOLE, to=pa.decimal128(20, 0)),
    "as decimal with a fraction of nothing": cast(*WHOLE, to=pa.decimal128(22, 3)),
    "as int64": cast(*WHOLE, to=pa.int64()),
    "as text": cast(*WHOLE, to=pa.string()),
    "floats as text": cast("cfg", "image_nsfw", "prompt_nsfw", to=pa.string()),
    "text as binary": cast("image_name", "prompt", "user_name", to=pa.binary()),
    "large text": cast("image_name", "prompt", "user_name", to=pa.large_string()),
    "text as a view": cast("image_name", "prompt", "user_name", to=pa.string_view()),
    "times as Python writes them": times_as_text("%Y-%m-%d %H:%M:%S+00:00"),
    "times as text without a zone": times_as_text("%Y-%m-%d %H:%M:%S"),
    "times in ISO 8601": times_as_text("%Y-%m-%dT%H:%M:%S.%fZ"),
    "seconds since 1970": epoch(1_000_000, pa.int64()),
    "milliseconds as double": epoch(1_000, pa.float64()),
    "microseconds": epoch(1, pa.int64()),
    "samplers by name": samplers_by_name,
    "names without endings": without_endings,
    "dictionaries": lambda table: put(table, "prompt", table["prompt"].dictionary_encode()),
}


@pytest.mark.parametrize("form", TAKEN)
def test_a_column_that_lost_nothing_is_taken(
    form: str, plain: pl.DataFrame, tmp_path: Path
) -> None:
    pq.write_table(TAKEN[form](plain.to_arrow()), tmp_path / "metadata.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        corpus.sql("set TimeZone = 'Asia/Tokyo'")
        found = corpus.sql(VIEW_STATEMENTS["images"]).rows()
        assert difference(found, images(plain, "2m").sort("image_name").rows()) is None
        kinds = {column.name: column.type for column in corpus.sql("from metadata").columns}
        assert kinds["seed"] == "UINTEGER"
        assert kinds["timestamp"] == "TIMESTAMP WITH TIME ZONE"


def test_a_missing_number_that_pandas_made_nan_is_missing(
    plain: pl.DataFrame, tmp_path: Path
) -> None:
    table = missing_as_nan(plain.to_arrow())
    pq.write_table(table, tmp_path / "metadata.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        found = corpus.sql("select count(*) from images where seed is null").rows()
    assert found == [(43,)]


@pytest.mark.parametrize("name", ["user_name", "timestamp", "image_nsfw", "prompt", "cfg", "seed"])
@pytest.mark.parametrize("kind", [pa.null(), pa.int32(), pa.string()], ids=str)
def test_a_column_of_nothing_has_no_type_that_matters(
    kind: pa.DataType, name: str, plain: pl.DataFrame, tmp_path: Path
) -> None:
    table = put(plain.to_arrow(), name, pa.nulls(len(plain), kind))
    pq.write_table(table, tmp_path / "metadata.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        assert corpus.sql(f"select count(*), count({name}) from images").rows() == [(300, 0)]


def spark(table: pa.Table, folder: Path) -> None:
    as_a_folder(pl.DataFrame(pl.from_arrow(table)), folder, 100)


def shards(table: pa.Table, folder: Path) -> None:
    """As the Hub has them, in a folder of data."""
    (folder / "data").mkdir(parents=True)
    for place in range(2):
        name = f"train-{place:05}-of-00002.parquet"
        pq.write_table(table.slice(place * 150, 150), folder / "data" / name)


def hive(table: pa.Table, folder: Path) -> None:
    parts = ds.partitioning(pa.schema([("part_id", pa.uint16())]), flavor="hive")
    ds.write_dataset(table, folder, format="parquet", partitioning=parts)


def of_differing_types(table: pa.Table, folder: Path) -> None:
    folder.mkdir()
    first = put(table.slice(0, 150), "user_name", pa.nulls(150))
    pq.write_table(cast("seed", to=pa.int64())(first), folder / "a.parquet")
    pq.write_table(cast("seed", to=pa.float64())(table.slice(150)), folder / "b.parquet")


def saved_to_disk(table: pa.Table, folder: Path) -> None:
    """As the library datasets does: streams of Arrow, and beside them what they are."""
    folder.mkdir()
    for place in range(2):
        rows = table.slice(place * 150, 150)
        with pa.ipc.new_stream(folder / f"data-0000{place}-of-00002.arrow", table.schema) as file:
            file.write_table(rows, max_chunksize=50)
    (folder / "dataset_info.json").write_text("{}")
    (folder / "state.json").write_text("{}")


def feather(table: pa.Table, folder: Path) -> None:
    folder.mkdir()
    with pa.ipc.new_file(folder / "table.arrow", table.schema) as file:
        file.write_table(table)


FOLDERS = {
    "Spark": spark,
    "the Hub's shards": shards,
    "hive": hive,
    "differing": of_differing_types,
    "save_to_disk": saved_to_disk,
    "Arrow with a footer": feather,
}


@pytest.mark.parametrize("form", FOLDERS)
@pytest.mark.parametrize("stored", [False, True])
def test_a_folder_of_files_is_a_table(
    form: str, stored: bool, plain: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    FOLDERS[form](plain.to_arrow(), tmp_path / "metadata.parquet")
    expected = images(plain, "2m")
    if form == "differing":
        first = pl.int_range(pl.len()) < 150
        expected = expected.with_columns(user_name=pl.when(~first).then("user_name"))
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        if stored:
            corpus.build()
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        found = corpus.sql(VIEW_STATEMENTS["images"]).rows()
        assert difference(found, expected.sort("image_name").rows()) is None
        corpus.select().export(tmp_path / "x.parquet")
        replay(corpus, tmp_path / "x.parquet")


def test_a_changed_file_of_a_folder_makes_it_another_table(
    plain: pl.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    folder = tmp_path / "metadata.parquet"
    shards(plain.to_arrow(), folder)
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        corpus.build()
    (store,) = stores(tmp_path / "cache")
    assert not source_is_gone(store)
    pq.write_table(plain[:10].to_arrow(), folder / "data" / "train-00001-of-00002.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        assert corpus.sql("select count(*), count(distinct image_name) from images").rows() == [
            (160 - len({*plain[:10]["image_name"]} & {*plain[:150]["image_name"]}), 150)
        ]
        assert source_is_gone(store)
        assert corpus.build()


# --- what is refused ---


def first_as(name: str, value: Any, kind: pa.DataType) -> Callable[[pa.Table], pa.Table]:
    def change(table: pa.Table) -> pa.Table:
        values = [None if one is None else pa.scalar(one).cast(kind).as_py() for one in
                  table[name].to_pylist()]  # fmt: skip
        return put(table, name, pa.array([*values[:5], value, *values[6:]], kind))

    return change


REFUSED: dict[str, tuple[Callable[[pa.Table], pa.Table], str, str]] = {
    "a fraction": (first_as("step", 7.5, pa.float64()), "step", "7.5"),
    "a negative number": (first_as("seed", -3, pa.int64()), "seed", "-3"),
    "a number too large": (first_as("width", 70_000, pa.int32()), "width", "70000"),
    "a word for a number": (first_as("height", "tall", pa.string()), "height", "tall"),
    "an unknown sampler": (first_as("sampler", "k_new", pa.string()), "sampler", "k_new"),
    "bytes that are no text": (first_as("prompt", b"\xff", pa.binary()), "prompt", "\\xFF"),
    "a day without its time": (
        lambda table: put(table, "timestamp", table["timestamp"].cast(pa.date32())),
        "timestamp", "2022-08",
    ),
    "a time of another form": (times_as_text("%d.%m.%Y %H:%M"), "timestamp", ".2022 "),
}  # fmt: skip


@pytest.mark.parametrize("form", REFUSED)
def test_a_value_that_would_be_lost_is_named_and_the_command_mends_the_table(
    form: str, plain: pl.DataFrame, tmp_path: Path, ddb: Callable[..., Ran]
) -> None:
    change, name, value = REFUSED[form]
    path = tmp_path / "metadata.parquet"
    pq.write_table(change(plain.to_arrow()), path)
    with pytest.raises(BadValueError) as caught:
        ddb_query.open("2m", data_dir=tmp_path)
    error = caught.value
    assert (error.path, error.column, error.exit_code) == (path, name, 3)
    assert value in error.value
    assert repr(error.value) in error.message
    assert error.hint is not None
    [command] = re.findall("`ddb (.*)`", error.hint)
    ran = ddb(*shlex.split(command))
    assert (ran.code, ran.out) == (0, b"")
    many = "1 value" if error.rows == 1 else f"{error.rows:,} values"
    assert ran.err == f"note: column {name}: {many} did not fit\nnote: written: mended.parquet\n"
    (tmp_path / "mended.parquet").replace(path)
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        [(rows, left)] = corpus.sql(f"select count(*), count({name}) from images").rows()
    assert rows == 300
    lost = 0 if form == "a day without its time" else error.rows
    assert left == len(plain) - plain[name].null_count() - lost


WITHOUT = {
    "the loading script's": (
        [name for name in SCHEMA if name not in ("image_name", "part_id")],
        "image_name: the table has what the dataset's loading script gives",
    ),
    "those of October 2022": (
        [*SCHEMA][:7],
        "width: the table has the seven columns of October 2022",
    ),
    "all but one": (
        [*SCHEMA][:-1],
        "prompt_nsfw: no such column",
    ),
}  # fmt: skip


@pytest.mark.parametrize("form", WITHOUT)
def test_a_table_without_columns_says_which_form_it_has(
    form: str, plain: pl.DataFrame, tmp_path: Path
) -> None:
    columns, words = WITHOUT[form]
    path = tmp_path / "metadata.parquet"
    plain.select(columns).write_parquet(path)
    with pytest.raises(BadColumnError) as caught:
        ddb_query.open("2m", data_dir=tmp_path)
    name, _, why = words.partition(": ")
    assert caught.value.message.startswith(f"{path}: column {name}: ")
    assert why in caught.value.message
    assert caught.value.hint is not None
    assert "ddb data pull 2m" in caught.value.hint


def test_a_damaged_arrow_file_is_one_line(plain: pl.DataFrame, tmp_path: Path) -> None:
    folder = tmp_path / "metadata.parquet"
    saved_to_disk(plain.to_arrow(), folder)
    file = folder / "data-00001-of-00002.arrow"
    file.write_bytes(file.read_bytes()[:2000])
    with pytest.raises(BadTableError, match="damaged"):
        ddb_query.open("2m", data_dir=tmp_path)


def test_a_file_without_a_column_is_named_among_those_of_a_folder(
    plain: pl.DataFrame, tmp_path: Path
) -> None:
    folder = tmp_path / "metadata.parquet"
    folder.mkdir()
    plain[:100].write_parquet(folder / "a.parquet")
    plain[100:].drop("seed").write_parquet(folder / "b.parquet")
    with pytest.raises(BadColumnError) as caught:
        ddb_query.open("2m", data_dir=tmp_path)
    assert (caught.value.path, caught.value.column) == (folder / "b.parquet", "seed")


def test_a_folder_whose_files_may_be_deleted_rows_is_refused(
    plain: pl.DataFrame, tmp_path: Path
) -> None:
    folder = tmp_path / "metadata.parquet"
    shards(plain.to_arrow(), folder)
    (folder / "_delta_log").mkdir()
    with pytest.raises(BadTableError, match="a Delta table"):
        ddb_query.open("2m", data_dir=tmp_path)


# --- images on more than one row ---


@pytest.fixture
def twice(plain: pl.DataFrame, tmp_path: Path) -> Path:
    """30 images, three of them on two rows, two of these in another part the second time."""
    rows = plain.unique("image_name", maintain_order=True)[:30]
    later = rows[1:3].with_columns(part_id=pl.lit(9000, pl.UInt16))
    pl.concat([rows, rows[:1], later]).write_parquet(tmp_path / "metadata.parquet")
    return tmp_path


def test_who_adds_or_opens_a_table_with_repeated_images_is_told(
    twice: Path, tmp_path: Path, ddb: Callable[..., Ran]
) -> None:
    words = "3 rows that have the image name of an earlier row: each image is taken once"
    added = ddb("data", "add", twice / "metadata.parquet")
    assert added.code == 0
    assert f"note: left out {words}" in added.err
    for asked in (["sql", "select 1"], ["data", "build"], ["export", "-o", tmp_path / "x.parquet"]):
        assert f"left out {words}" in ddb("--data-dir", twice, *asked).err
    one = ddb("--data-dir", twice, "run", "data-quality", "--format", "csv")
    assert '"image name on an earlier row too, left out",3,0.1\n' in one.text


@pytest.mark.parametrize("stored", [False, True])
def test_every_consumer_takes_an_image_once(
    stored: bool, twice: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_CACHE_DIR", str(tmp_path / "cache"))
    if stored:
        with ddb_query.open("2m", data_dir=twice) as corpus:
            corpus.build()
    with ddb_query.open("2m", data_dir=twice) as corpus:
        assert corpus.sql("select count(*) from metadata").rows() == [(33,)]
        assert corpus.sql("select count(*) from images where part_id = 9000").rows() == [(0,)]
        assert corpus.select().count() == 30
        assert corpus.select().export(tmp_path / "x.parquet").rows == 30
        for said in ({"sample": 29}, {"sample": 29, "stratify": "sampler"}, {"one_per": "user"}):
            names = corpus.select(**said).arrow()["image_name"].to_pylist()
            assert len(names) == len(set(names)) == corpus.select(**said).count()
            assert "sample" not in said or len(names) == 29
        assert corpus.select().report(sections=["overview"]).images == 30
        assert corpus.select().plan().images + corpus.select().plan().counts.left_out == 30
        known = corpus.select(subset=tmp_path / "x.parquet")
        assert (known.count(), known.missing) == (30, 0)
        assert replay(corpus, tmp_path / "x.parquet").rows == 30


def test_its_sql_takes_an_image_once_too(twice: Path) -> None:
    with ddb_query.open("2m", data_dir=twice) as corpus:
        sql = corpus.select().sql
        expected = corpus.select().arrow()["image_name"].to_pylist()
    with duckdb.connect() as connection:
        connection.execute(f"set file_search_path = '{twice}'")
        for statement in connection.extract_statements(sql)[:-1]:
            connection.execute(statement)
        found = connection.sql(connection.extract_statements(sql)[-1].query).fetchall()
    assert [row[0] for row in found] == expected


def test_rows_without_a_name_are_no_repeats(tmp_path: Path) -> None:
    frame = published({"image_name": None}, {"image_name": None}, {})
    frame.write_parquet(tmp_path / "metadata.parquet")
    notes: list[str] = []
    with ddb_query.open("2m", data_dir=tmp_path, note=notes.append) as corpus:
        assert corpus.sql("select count(*) from images").rows() == [(3,)]
    assert notes == []


def test_a_csv_is_refused_with_the_command_that_makes_a_table_of_it(
    plain: pl.DataFrame, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    plain.with_columns(pl.col("timestamp").dt.to_string("iso:strict")).write_csv(path)
    settings = Settings.from_environment()
    with closing(open_engine(settings)) as engine, pytest.raises(BadTableError) as caught:
        check_table(engine, path)
    assert caught.value.problem == "not a parquet file"
    assert caught.value.hint is not None
    words = shlex.split(caught.value.hint.partition(": ")[2])
    assert words[0] == "python"
    subprocess.run([sys.executable, *words[1:]], cwd=tmp_path, check=True, timeout=60)
    (tmp_path / "table.parquet").rename(tmp_path / "metadata.parquet")
    with ddb_query.open("2m", data_dir=tmp_path) as corpus:
        found = corpus.sql("select count(*), count(timestamp), sum(seed)::bigint from images")
        expected = (300, 300 - plain["timestamp"].null_count(), plain["seed"].cast(pl.Int64).sum())
        assert found.rows() == [expected]
