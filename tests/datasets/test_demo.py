"""The generated dataset, run in a real DuckDB."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import duckdb
import pytest

from ddb_query.datasets.demo import LONGEST_PROMPT, MOST_ROWS, demo_sql
from ddb_query.diffusiondb import COLUMNS, IMAGES_PER_PART, SAMPLERS, is_image_name
from ddb_query.errors import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 12_000

ORDERED = "part_id, user_name nulls last, timestamp nulls last"


def generate(
    path: Path,
    rows: int,
    seed: int = 0,
    *,
    dataset: str = "demo",
    prompts: int | None = None,
    users: int | None = None,
    threads: int = 2,
) -> duckdb.DuckDBPyConnection:
    """Write a generated table and open it as `demo`, with `place`, its rows' order in the file."""
    connection = duckdb.connect(config={"threads": threads})
    connection.execute("set TimeZone = 'UTC'")
    sql, values = demo_sql(rows, seed, dataset=dataset, prompts=prompts, users=users)
    connection.sql(sql, params=values).write_parquet(str(path), row_group_size=122_880)
    connection.execute(
        f"create view demo as select * rename (file_row_number as place)"
        f" from read_parquet('{path}', file_row_number = true)"
    )
    return connection


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    with generate(tmp_path_factory.mktemp("demo") / "demo.parquet", ROWS) as connection:
        yield connection


def one(connection: duckdb.DuckDBPyConnection, sql: str) -> tuple[object, ...]:
    (row,) = connection.sql(sql).fetchall()
    return tuple(row)


def number(connection: duckdb.DuckDBPyConnection, expression: str, where: str = "true") -> float:
    """One number over the table, such as `count(*)`."""
    (value,) = one(connection, f"select {expression} from demo where {where}")
    assert isinstance(value, int | float)
    return value


def content(connection: duckdb.DuckDBPyConnection) -> str:
    """A hash of all rows in the order of the file, floats to the last bit."""
    rows = connection.sql(
        "select * exclude (place) replace (epoch_us(timestamp) as timestamp, cfg::double as cfg,"
        " image_nsfw::double as image_nsfw, prompt_nsfw::double as prompt_nsfw)"
        " from demo order by place"
    ).fetchall()
    exact = [[v.hex() if isinstance(v, float) else v for v in row] for row in rows]
    return hashlib.md5(repr(exact).encode()).hexdigest()


def test_columns_and_types_are_as_published(demo: duckdb.DuckDBPyConnection) -> None:
    described = demo.sql("describe select * exclude (place) from demo").fetchall()
    assert [(row[0], row[1]) for row in described] == [(c.name, c.type) for c in COLUMNS]


@pytest.mark.parametrize("rows", [1, 41, 999, 1_001])
def test_there_are_as_many_rows_as_asked_for(tmp_path: Path, rows: int) -> None:
    with generate(tmp_path / "t.parquet", rows) as table:
        assert number(table, "count(*)") == rows
        assert number(table, "max(part_id)") == (rows + 999) // 1_000


def test_a_part_has_a_thousand_images(demo: duckdb.DuckDBPyConnection) -> None:
    parts = demo.sql("select part_id, count(*) from demo group by part_id order by 1").fetchall()
    assert parts == [(n, IMAGES_PER_PART) for n in range(1, ROWS // IMAGES_PER_PART + 1)]


def test_rows_lie_by_part_then_user_then_time(demo: duckdb.DuckDBPyConnection) -> None:
    keys = f"select {ORDERED.replace(' nulls last', '')}".replace(
        "timestamp", "epoch_us(timestamp)"
    )
    in_file = demo.sql(f"{keys} from demo order by place").fetchall()
    sorted_again = demo.sql(f"{keys} from demo order by {ORDERED}, place").fetchall()
    assert in_file == sorted_again


def test_image_names_are_unique_and_may_become_paths(demo: duckdb.DuckDBPyConnection) -> None:
    names = [name for (name,) in demo.sql("select image_name from demo").fetchall()]
    assert len(set(names)) == ROWS
    assert all(is_image_name(name) and name.endswith(".png") for name in names)


def test_image_names_are_spread_evenly(demo: duckdb.DuckDBPyConnection) -> None:
    counts = demo.sql("select count(*) from demo group by image_name[1] order by 1").fetchall()
    assert len(counts) == 16
    assert min(counts)[0] > ROWS / 16 * 0.8


def test_images_of_large_are_webp(tmp_path: Path) -> None:
    with generate(tmp_path / "t.parquet", 100, dataset="large") as table:
        assert number(table, "count(*)", "image_name like '%.webp'") == 100


def test_the_number_of_threads_does_not_matter(tmp_path: Path) -> None:
    with (
        generate(tmp_path / "one.parquet", 3_000, threads=1) as one_thread,
        generate(tmp_path / "four.parquet", 3_000, threads=4) as four_threads,
    ):
        assert content(one_thread) == content(four_threads)


def test_the_generator_has_not_changed(tmp_path: Path) -> None:
    """Whoever changes the words or the SQL on purpose pins the new hash and tells the changelog."""
    with generate(tmp_path / "t.parquet", 200, seed=7) as table:
        assert content(table) == "ec4103ea0dab5c1b4436ef2064bde0a0"


def test_another_seed_gives_other_images_but_a_text_keeps_its_score(
    demo: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    generate(tmp_path / "other.parquet", 6_000, seed=1).close()
    other = f"read_parquet('{tmp_path / 'other.parquet'}')"
    assert one(demo, f"select count(*) from demo join {other} using (image_name)") == (0,)
    shared, differing = one(
        demo,
        "select count(*), count(*) filter (a.prompt_nsfw <> b.prompt_nsfw)"
        f" from (select distinct prompt, prompt_nsfw from demo) as a"
        f" join (select distinct prompt, prompt_nsfw from {other}) as b using (prompt)",
    )
    assert shared
    assert differing == 0


def test_a_prompt_has_one_score(demo: duckdb.DuckDBPyConnection) -> None:
    scores = demo.sql("select count(distinct prompt_nsfw) from demo group by prompt").fetchall()
    assert set(scores) == {(1,)}


def test_three_quarters_of_the_prompts_are_distinct(demo: duckdb.DuckDBPyConnection) -> None:
    assert 0.7 < number(demo, "count(distinct prompt)") / ROWS < 0.8


def test_one_prompt_is_far_ahead_of_the_others(demo: duckdb.DuckDBPyConnection) -> None:
    first, *others = demo.sql(
        "select count(*) from demo group by prompt order by count(*) desc limit 5"
    ).fetchall()
    assert first[0] > ROWS * 0.001
    assert first[0] > others[0][0] * 1.5


def test_a_few_users_make_most_images(demo: duckdb.DuckDBPyConnection) -> None:
    counts = [n for (n,) in demo.sql("select count(*) n from demo group by user_name").fetchall()]
    counts.sort(reverse=True)
    assert 0.01 * ROWS < counts[0] < 0.03 * ROWS
    assert sum(counts[: len(counts) // 10]) > 0.4 * ROWS


def test_users_are_hashes_or_one_of_two_spellings_or_nobody(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    kinds = demo.sql(
        "select distinct case when regexp_full_match(user_name, '[0-9a-f]{64}') then 'hash'"
        " else user_name end from demo"
    ).fetchall()
    assert {kind for (kind,) in kinds} == {"hash", "deleted-account", "deleted_account", None}
    deleted = number(demo, "count(*)", "user_name = 'deleted-account'")
    assert deleted > number(demo, "count(*)", "user_name = 'deleted_account'")


def test_user_and_time_are_missing_together_and_alone(demo: duckdb.DuckDBPyConnection) -> None:
    assert number(demo, "count(*)", "user_name is null and timestamp is null")
    assert number(demo, "count(*)", "user_name is null and timestamp is not null")
    assert 0 < number(demo, "count(*)", "user_name is not null and timestamp is null") < ROWS / 100


def test_times_are_whole_minutes_of_the_published_fortnight(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    assert number(demo, "count(*)", "epoch_us(timestamp) % 60000000 <> 0") == 0
    first, last = one(demo, "select min(timestamp)::varchar, max(timestamp)::varchar from demo")
    assert str(first) >= "2022-08-06 21:59:00+00"
    assert str(last) <= "2022-08-20 13:33:00+00"
    assert number(demo, "count(distinct epoch_us(timestamp) // 86400000000)") == 15


def test_nights_are_quieter_than_evenings(demo: duckdb.DuckDBPyConnection) -> None:
    hour = "epoch_us(timestamp) // 3600000000 % 24"
    night = number(demo, "count(*)", f"{hour} between 6 and 9")
    assert night * 2 < number(demo, "count(*)", f"{hour} between 18 and 21")


def test_messages_of_up_to_nine_images_differ_in_seed_alone(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    messages = demo.sql(
        "select count(*), count(distinct seed), count(distinct (step, cfg, sampler, width, height))"
        " from demo group by user_name, prompt, timestamp having count(*) between 2 and 9"
    ).fetchall()
    assert {images for images, _, _ in messages} >= {2, 3, 4, 5, 9}
    assert sum(images == seeds for images, seeds, _ in messages) > len(messages) * 0.9


def test_some_images_were_made_twice(demo: duckdb.DuckDBPyConnection) -> None:
    twice = demo.sql(
        "select count(*) from demo group by prompt, seed, step, cfg, sampler, width, height"
        " having count(*) > 1"
    ).fetchall()
    assert 0 < len(twice) < ROWS / 50


def test_most_images_use_k_lms_and_every_sampler_occurs(demo: duckdb.DuckDBPyConnection) -> None:
    found = dict(demo.sql("select sampler, count(*) from demo group by sampler").fetchall())
    assert found.keys() == SAMPLERS.keys()
    assert found[8] > 0.9 * ROWS


@pytest.mark.parametrize(
    "odd",
    [
        "isnan(cfg)",
        "cfg = 'inf'",
        "cfg = '-inf'",
        "cfg = -1e12::float",
        "cfg < 0",
        "cfg = 14.6::float",
    ],
)
def test_cfg_is_mostly_seven_and_sometimes_odd(demo: duckdb.DuckDBPyConnection, odd: str) -> None:
    assert number(demo, "count(*)", "cfg = 7") > 0.6 * ROWS
    assert 0 < number(demo, "count(*)", odd) < 0.05 * ROWS


def test_step_is_mostly_fifty_and_sometimes_zero(demo: duckdb.DuckDBPyConnection) -> None:
    assert number(demo, "count(*)", "step = 50") > 0.7 * ROWS
    assert number(demo, "count(*)", "step = 0")


def test_sizes_are_multiples_of_64(demo: duckdb.DuckDBPyConnection) -> None:
    assert number(demo, "count(*)", "width = 512 and height = 512") > 0.4 * ROWS
    assert number(demo, "count(*)", "width % 64 <> 0 or height % 64 <> 0") == 0
    assert number(demo, "count(distinct width::int * 10000 + height)") > 15


def test_two_percent_of_images_are_blurred(demo: duckdb.DuckDBPyConnection) -> None:
    assert 0.01 < number(demo, "count(*)", "image_nsfw = 2") / ROWS < 0.03
    assert number(demo, "count(*)", "image_nsfw < 0 or (image_nsfw > 1 and image_nsfw <> 2)") == 0


@pytest.mark.parametrize("score", ["image_nsfw", "prompt_nsfw"])
def test_scores_are_skewed_and_some_are_round(demo: duckdb.DuckDBPyConnection, score: str) -> None:
    assert number(demo, f"median({score}) * 1.5 - avg({score})", f"{score} <= 1") < 0
    assert number(demo, f"max({score})", f"{score} <= 1") > 0.9
    assert number(demo, "count(*)", f"{score} = 0.2::float")
    assert number(demo, f"min({score})") >= 0


@pytest.mark.parametrize(
    "text",
    [
        "% 8 k%", "%8k%", "%1 9 6 0%", "%3 d%", "%3d%", "%sci - fi%", "%d & d%",
        "%cyberpunk 2 0 7 7%", "%by artgerm and greg rutkowski and alphonse mucha%",
        "%in the style of%", "%[[x]]%", "%((x))%", "%[bold red]%", "%[/bold]%", "%<b>%",
        "%<script>%", "%\"quoted\"%", "%''hello''%", "%`%", "%🐉%", "%富士山%", "%зимний%", "%ç%",
        "%\u001b[31m%", "%\n%", "%\t%", "%\u202e%", "%\u2066%", "%=SUM(%", "",
    ],
)  # fmt: skip
def test_prompts_hold_anything(demo: duckdb.DuckDBPyConnection, text: str) -> None:
    assert number(demo, "count(*)", f"prompt like '{text}'")


def test_the_longest_prompt_is_as_long_as_the_longest_published(
    demo: duckdb.DuckDBPyConnection,
) -> None:
    assert number(demo, "max(length(prompt))") == LONGEST_PROMPT
    assert 100 < number(demo, "avg(length(prompt))") < 170


def test_two_thirds_of_the_prompts_end_in_a_space(demo: duckdb.DuckDBPyConnection) -> None:
    assert 0.6 < number(demo, "count(*)", "prompt like '% '") / ROWS < 0.78


def test_some_prompts_differ_in_space_and_case_alone(demo: duckdb.DuckDBPyConnection) -> None:
    folded = r"lower(trim(regexp_replace(prompt, '\s+', ' ', 'g')))"
    prompts = number(demo, "count(distinct prompt)")
    assert 10 < prompts - number(demo, f"count(distinct {folded})") < prompts * 0.1


def test_numbers_of_users_and_prompts_are_kept_to(tmp_path: Path) -> None:
    with generate(tmp_path / "t.parquet", 20_000, prompts=6_000, users=300) as table:
        assert number(table, "count(distinct user_name)") == pytest.approx(302, abs=15)
        assert number(table, "count(distinct prompt)") == pytest.approx(6_000, rel=0.1)


def test_values_are_bound_and_no_part_of_the_sql() -> None:
    assert demo_sql(10)[0] == demo_sql(2_000, seed=2, dataset="large", prompts=7, users=9)[0]


def test_bound_names_are_those_of_the_sql() -> None:
    sql, values = demo_sql(10)
    (statement,) = duckdb.extract_statements(sql)
    assert set(statement.named_parameters) == values.keys()


@pytest.mark.parametrize("rows", [0, -1, MOST_ROWS + 1])
def test_impossible_numbers_of_rows_are_refused(rows: int) -> None:
    with pytest.raises(ParameterError, match="rows"):
        demo_sql(rows)


def test_nobody_and_nothing_are_refused() -> None:
    with pytest.raises(ParameterError, match="users"):
        demo_sql(10, users=0)
    with pytest.raises(ParameterError, match="prompts"):
        demo_sql(10, prompts=0)
