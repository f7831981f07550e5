"""Every canned query beside an independent computation, on tables with all that can be odd."""

from __future__ import annotations

import math
import random
import re
import shlex
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import polars as pl
import pytest
from query_truth import (
    SCHEMA,
    TABLES,
    TRUTHS,
    cases,
    difference,
    images,
    published,
    single,
    without_rank,
    write,
)

import ddb_query
from ddb_query.queries.library import QueryLibrary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus

NAMES = QueryLibrary().names()

FIRST_COLUMNS = {
    "artists": "artist prompts images users share",
    "cfg-stats": "cfg images share users",
    "data-quality": "check_name rows share",
    "duplicates": "prompt seed step cfg sampler width height images",
    "modifiers": "modifier prompts images share following_share",
    "nsfw-filter": (
        "image_name prompt part_id image_nsfw prompt_nsfw width height user_name timestamp"
    ),
    "nsfw-histogram": "kind low high images",
    "nsfw-retention": "max_image_nsfw max_prompt_nsfw images prompts users share",
    "part-stats": "part_id part_path images prompts blurred",
    "prompt-families": "text prompt spellings images",
    "prompt-lengths": "low high prompts",
    "prompt-search": "image_name prompt score part_id image_nsfw prompt_nsfw",
    "prompt-terms": "term prompts images",
    "prompt-top": "prompt images users first_seen last_seen",
    "sampler-stats": (
        "sampler sampler_name images share users prompts mean_cfg median_cfg median_step blurred"
    ),
    "size-stats": "width height images share users",
    "step-stats": "step images share users",
    "timeline": "period images prompts users",
    "user-profile": "section item images share",
    "user-stats": (
        "user_name images prompts first_seen last_seen active_days mean_image_nsfw blurred"
    ),
}

LIMITS = {
    "artists": 50, "modifiers": 50,
    "cfg-stats": 20, "duplicates": 20, "part-stats": 20, "prompt-families": 20,
    "prompt-search": 20, "prompt-terms": 50, "prompt-top": 20, "size-stats": 20, "step-stats": 20,
    "user-profile": 20, "user-stats": 20,
}  # fmt: skip

PARAMETERS: dict[str, dict[str, object]] = {
    "artists": {"min_prompts": 1},
    "modifiers": {"min_prompts": 1},
    "nsfw-filter": {"max_image_nsfw": 0.2, "max_prompt_nsfw": 0.5, "include_blurred": False},
    "nsfw-histogram": {"bins": 20},
    "nsfw-retention": {"steps": 10},
    "prompt-families": {"min_spellings": 2},
    "prompt-lengths": {"bins": 20},
    "timeline": {"grain": "day"},
    "user-stats": {"min_images": 1, "include_deleted": True},
}

PLAIN_TYPES = {"VARCHAR", "BIGINT", "INTEGER", "DOUBLE", "BOOLEAN", "TIMESTAMP"}

# The next scores above and below those that published tables have most.
A_HAIR = [single(x + y) for x in (0.1, 0.2, 0.3, 0.7) for y in (-2e-8, 0, 2e-8, 4e-7)]


@pytest.fixture(scope="module")
def patched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """A cache without a store, for what is opened once for all tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(tmp_path_factory.mktemp("query-cache")))
        patch.setenv("DDB_NO_BUILD", "1")
        yield


@pytest.fixture(autouse=True)
def storeless(home: Path, patched: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A cache without a store, for what a test opens: a store is there when a test builds it."""
    monkeypatch.setenv("DDB_CACHE_DIR", str(home / "cache"))
    monkeypatch.setenv("DDB_NO_BUILD", "1")


@pytest.fixture(scope="module", params=sorted(TABLES))
def opened(
    request: pytest.FixtureRequest,
    tables: Path,
    tmp_path_factory: pytest.TempPathFactory,
    patched: None,
) -> Iterator[tuple[Corpus, pl.DataFrame]]:
    """A part of each dataset's small table, opened, and beside it its images without SQL."""
    dataset: str = request.param
    frame = pl.read_parquet(tables / TABLES[dataset]).head(1_500)
    folder = write(frame, tmp_path_factory.mktemp("opened"), dataset)
    with ddb_query.open(dataset, data_dir=folder) as corpus:
        yield corpus, images(frame, dataset)


@pytest.fixture(scope="module")
def corpus(tables: Path, patched: None) -> Iterator[Corpus]:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        yield corpus


@pytest.fixture(scope="module")
def threaded(
    tables: Path, tmp_path_factory: pytest.TempPathFactory, patched: None
) -> Iterator[list[Corpus]]:
    """A table in many row groups on 1, 2 and 4 threads, and shuffled."""
    frame = pl.read_parquet(tables / TABLES["large"]).head(2_000)
    base = tmp_path_factory.mktemp("threads")
    orders = {"ordered": frame, "shuffled": frame.sample(fraction=1, shuffle=True, seed=5)}
    for name, rows in orders.items():
        (base / name).mkdir()
        rows.write_parquet(base / name / TABLES["large"], row_group_size=100)
    with ExitStack() as stack:
        ways = (("ordered", 1), ("shuffled", 2), ("ordered", 4))
        yield [
            stack.enter_context(ddb_query.open("large", data_dir=base / name, threads=threads))
            for name, threads in ways
        ]


def any_parameters(name: str) -> dict[str, Any]:
    # Of a table without users there is no profile to ask for.
    return next(iter(cases(name, published())), {"user": "deleted_account"})


def assert_equals_truth(
    corpus: Corpus, name: str, table: pl.DataFrame, most: int | None = None
) -> None:
    for parameters in cases(name, table)[:most]:
        found = corpus.run(name, **parameters).rows()
        if name == "prompt-search":
            found = without_rank(found)
        word = difference(found, TRUTHS[name](table, **parameters))
        assert word is None, f"{name} with {parameters}: {word}"


def assert_all_equal_truth(
    frame: pl.DataFrame,
    folder: Path,
    dataset: str = "2m",
    *,
    most: int | None = 1,
    stored: bool = False,
) -> None:
    """Compare all queries over a table, each with so many sets of parameters; None for all."""
    table = images(frame, dataset)
    if stored:
        with ddb_query.open(dataset, data_dir=write(frame, folder, dataset)) as corpus:
            assert corpus.build()
    with ddb_query.open(dataset, data_dir=write(frame, folder, dataset)) as corpus:
        for name in NAMES:
            assert_equals_truth(corpus, name, table, most)


# --- what each query gives ---


def test_every_canned_query_has_a_truth_and_every_truth_a_query() -> None:
    assert len(NAMES) >= 17
    assert sorted(TRUTHS) == NAMES
    assert sorted(FIRST_COLUMNS) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_query_gives_what_an_independent_computation_gives(
    opened: tuple[Corpus, pl.DataFrame], name: str
) -> None:
    corpus, table = opened
    assert_equals_truth(corpus, name, table)


@pytest.mark.parametrize("name", NAMES)
def test_a_querys_columns_begin_with_the_agreed_ones_in_order_and_have_plain_types(
    corpus: Corpus, name: str
) -> None:
    columns = corpus.run(name, **any_parameters(name)).columns
    agreed = FIRST_COLUMNS[name].split()
    assert [column.name for column in columns][: len(agreed)] == agreed
    assert {column.type for column in columns} <= PLAIN_TYPES


@pytest.mark.parametrize("name", NAMES)
def test_a_querys_columns_can_be_named_without_quotes(corpus: Corpus, name: str) -> None:
    query = corpus.query(name)
    parameters = query.values(any_parameters(name))
    columns = ", ".join(FIRST_COLUMNS[name].split())
    assert corpus.sql(f"select {columns} from (\n{query.sql}\n)", parameters).columns


@pytest.mark.parametrize("name", NAMES)
def test_every_described_column_is_in_the_result(corpus: Corpus, name: str) -> None:
    described = {column for column, _ in corpus.query(name).columns}
    assert described <= set(FIRST_COLUMNS[name].split())


@pytest.mark.parametrize("name", NAMES)
def test_a_querys_default_limit_and_parameters_are_the_agreed_ones(
    corpus: Corpus, name: str
) -> None:
    query = corpus.query(name)
    assert query.limit == LIMITS.get(name)
    defaults = {p.name: p.default for p in query.parameters if not p.required}
    required = [p.name for p in query.parameters if p.required]
    assert defaults == PARAMETERS.get(name, {})
    assert required == {"prompt-search": ["words"], "user-profile": ["user"]}.get(name, [])


@pytest.mark.parametrize("name", NAMES)
def test_a_querys_text_has_no_limit_of_its_own(corpus: Corpus, name: str) -> None:
    text = re.sub("--.*", "", corpus.query(name).sql)
    assert not re.search(r"(?<!\$)\b(limit|fetch|offset|sample)\b", text, re.IGNORECASE)


def test_without_a_limit_all_rows_are_given_and_a_limit_takes_the_first(corpus: Corpus) -> None:
    everything = corpus.run("user-stats").rows()
    assert len(everything) > LIMITS["user-stats"]
    assert corpus.run("user-stats", limit=0).rows() == everything
    assert corpus.run("user-stats", limit=3).rows() == everything[:3]


@pytest.mark.parametrize("name", NAMES)
def test_rows_and_their_order_do_not_depend_on_threads_row_groups_or_the_sources_order(
    threaded: list[Corpus], name: str
) -> None:
    parameters = any_parameters(name)
    results = [repr(one.run(name, **parameters).rows()) for one in (*threaded, threaded[-1])]
    assert len(results) == 4
    assert set(results) == {results[0]}


@pytest.mark.parametrize("name", NAMES)
def test_a_querys_examples_run(name: str, tables: Path, ddb: Callable[..., Ran]) -> None:
    examples = QueryLibrary().find(name).examples
    assert examples
    for example in examples:
        words = shlex.split(example)
        assert words[:3] == ["ddb", "run", name]
        ran = ddb(*words[1:], DDB_DATA_DIR=str(tables))
        assert (ran.code, "error" in ran.err) == (0, False), ran.err
        assert ran.out.count(b"\n") > 3


# --- odd tables ---


@pytest.mark.parametrize("stored", [False, True])
def test_no_query_stumbles_over_a_table_without_rows(stored: bool, tmp_path: Path) -> None:
    assert_all_equal_truth(published(), tmp_path, stored=stored)


def test_no_query_stumbles_over_a_single_row(tmp_path: Path) -> None:
    assert_all_equal_truth(published({}), tmp_path)


@pytest.mark.parametrize("stored", [False, True])
def test_no_query_stumbles_over_a_table_of_nulls(stored: bool, tmp_path: Path) -> None:
    frame = published(*[dict.fromkeys(SCHEMA)] * 3)
    assert_all_equal_truth(frame, tmp_path, stored=stored)


@pytest.mark.parametrize(
    "columns", [("prompt",), ("user_name", "timestamp"), ("image_nsfw", "prompt_nsfw", "cfg")]
)
def test_no_query_stumbles_over_a_column_of_nulls(columns: tuple[str, ...], tmp_path: Path) -> None:
    rows = [{"seed": place // 2, **dict.fromkeys(columns)} for place in range(6)]
    assert_all_equal_truth(published(*rows), tmp_path)


ODD_VALUES: dict[str, list[object]] = {
    "prompt": [
        None, "", " ", ",", "castle", "Castle ", "castle,castle , CASTLE", "a, b", "8 k, 3 d ",
        "the portrait of the portrait, 8k", "...", "\N{CJK UNIFIED IDEOGRAPH-753B}8 k", "é, É, e",
    ],
    "part_id": [None, 1, 2, 10_000, 10_001, 65_535],
    "seed": [None, 0, 4_294_967_295],
    "step": [None, 0, 50, 65_535],
    "cfg": [
        None, math.nan, math.inf, -math.inf, 0.0, -0.0, -0.00001, 0.03125, 7.0, 14.6, 100.0,
        100.5, -7.0, 1e9, -1e12, 3.4e38,
    ],
    "sampler": [None, 0, 1, 5, 9, 10, 255],
    "width": [None, 0, 512, 65_535],
    "height": [None, 0, 512, 65_535],
    "user_name": [None, "", "deleted-account", "deleted_account", "a" * 64, "b" * 64],
    "timestamp": [
        None,
        *(datetime(2022, 8, day, hour, 59, tzinfo=UTC) for day in (6, 7, 20) for hour in (0, 23)),
    ],
    "image_nsfw": [
        None, math.nan, math.inf, -math.inf, -0.5, 0.0, 1.0, 1.5, 2.0, 2.0, 2.0, 3.4e38, *A_HAIR,
    ],
}  # fmt: skip

ODD_SCORES: list[object] = [None, 0.0, 1.0, -0.5, 1.5, *A_HAIR]


def odd_table(seed: int, rows: int = 400) -> pl.DataFrame:
    """Rows drawn from what is odd; a prompt's score depends on the prompt alone, as published."""
    dice = random.Random(seed)
    scores = {prompt: dice.choice(ODD_SCORES) for prompt in ODD_VALUES["prompt"]}
    drawn = [{name: dice.choice(pool) for name, pool in ODD_VALUES.items()} for _ in range(rows)]
    return published(*({**row, "prompt_nsfw": scores[row["prompt"]]} for row in drawn))


@pytest.mark.parametrize(
    ("dataset", "stored", "most"), [("2m", False, None), ("2m", True, None), ("large", True, 1)]
)
def test_queries_are_right_on_a_table_of_odd_values(
    dataset: str, stored: bool, most: int | None, tmp_path: Path
) -> None:
    frame = odd_table(seed=len(dataset))
    assert_all_equal_truth(frame, tmp_path, dataset, most=most, stored=stored)


def run(folder: Path, frame: pl.DataFrame, name: str, **parameters: Any) -> list[Any]:
    with ddb_query.open("2m", data_dir=write(frame, folder)) as corpus:
        return corpus.run(name, **parameters).rows()


def test_a_score_just_above_a_threshold_does_not_pass_it_and_the_published_one_does(
    tmp_path: Path,
) -> None:
    above = single(single(0.2) + 2e-8)
    frame = published({"image_nsfw": 0.2}, {"image_nsfw": above}, {"prompt_nsfw": above})
    rows = run(tmp_path, frame, "nsfw-filter", max_image_nsfw=0.2, max_prompt_nsfw=0.2)
    assert [row[0][-5] for row in rows] == ["0"]


def test_retention_counts_the_images_that_the_filter_lets_through(tmp_path: Path) -> None:
    frame = published(*({"image_nsfw": x, "prompt_nsfw": y} for x in A_HAIR for y in A_HAIR))
    with ddb_query.open("2m", data_dir=write(frame, tmp_path)) as corpus:
        for image, prompt, kept, *_ in corpus.run("nsfw-retention", steps=5).rows():
            passed = corpus.run("nsfw-filter", max_image_nsfw=image, max_prompt_nsfw=prompt)
            assert kept == passed.arrow().num_rows, (image, prompt)


def test_a_published_score_at_the_end_of_a_bin_is_in_the_bin_that_it_opens(tmp_path: Path) -> None:
    tenths = [k / 10 for k in range(10)]
    rows = run(tmp_path, published(*({"image_nsfw": x} for x in tenths)), "nsfw-histogram", bins=10)
    assert [(low, count) for kind, low, _, count in rows if kind == "image"] == [
        *((low, 1) for low in tenths),
        (2.0, 0),
    ]


def test_a_mean_leaves_out_scores_that_are_none(tmp_path: Path) -> None:
    scores = (0.25, 0.75, 2.0, math.nan, math.inf, -1.0, 1e30, None)
    ((*_, mean, blurred),) = run(
        tmp_path, published(*({"image_nsfw": score} for score in scores)), "user-stats"
    )
    assert (mean, blurred) == (0.5, 1)


def test_a_profile_begins_with_the_users_images_even_when_all_are_blurred(tmp_path: Path) -> None:
    frame = published({"user_name": "a", "image_nsfw": 2.0}, {"user_name": "b"})
    assert run(tmp_path, frame, "user-profile", user="a")[:2] == [
        ("summary", "images of the user", 1, 0.5),
        ("summary", "blurred", 1, 1.0),
    ]


def test_there_is_one_zero_among_the_guidance_scales(tmp_path: Path) -> None:
    frame = published(*({"cfg": cfg} for cfg in (-0.0, 0.0, -0.00001, 0.00001)))
    ((cfg, *rest),) = run(tmp_path, frame, "cfg-stats")
    assert (repr(cfg), rest) == ("0.0", [4, 1.0, 1])


@pytest.mark.parametrize("longest", [19, 20, 21])
def test_every_prompt_is_in_a_bin_of_lengths(longest: int, tmp_path: Path) -> None:
    frame = published(*({"prompt": "é" * length} for length in range(longest + 1)))
    rows = run(tmp_path, frame, "prompt-lengths", bins=10)
    width = 2 if longest < 20 else 3
    assert [(low, high) for low, high, _ in rows] == [
        (place * width, place * width + width - 1) for place in range(10)
    ]
    assert sum(count for *_, count in rows) == longest + 1


def test_a_search_finds_split_and_joined_spellings_alike(tmp_path: Path) -> None:
    spellings = ("a castle, 8 k", "a castle, 8k", "CASTLE 8K!", "castles 8k", "castle 18k", "8 kk")
    frame = published(*({"prompt": prompt} for prompt in spellings))
    for words in ("8k castle", "8 K  Castle", "castle 8k 8 k"):
        found = run(tmp_path, frame, "prompt-search", words=words)
        assert [row[1] for row in found] == list(spellings[:3])


def test_spellings_of_one_prompt_are_a_family(tmp_path: Path) -> None:
    spellings = ("A castle, 8 k", "a castle 8k ", "a  Castle; 8K", "a castle 8k ", "castle 8k", "!")
    frame = published(*({"prompt": prompt} for prompt in spellings))
    assert run(tmp_path, frame, "prompt-families") == [("a castle 8k", "A castle, 8 k", 3, 4)]


def test_an_hour_and_a_day_begin_where_utc_has_them(tmp_path: Path) -> None:
    late = datetime(2022, 8, 6, 23, 59, tzinfo=UTC)
    frame = published(
        {"timestamp": late}, {"timestamp": late + timedelta(minutes=1)}, {"timestamp": None}
    )
    hours = run(tmp_path, frame, "timeline", grain="hour")
    days = run(tmp_path, frame, "timeline")
    assert [row[0] for row in hours] == [datetime(2022, 8, 6, 23), datetime(2022, 8, 7), None]
    assert [row[0] for row in days] == [datetime(2022, 8, 6), datetime(2022, 8, 7), None]
