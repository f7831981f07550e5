"""Write a metadata table of full size for the benchmarks, with the generator of the demo dataset.

    python benchmarks/make_corpus.py --rows 2000000 -o DIR
    python benchmarks/make_corpus.py --rows 14000000 -o DIR

Up to 2.5 million rows the table is shaped like the 2M subset (`metadata.parquet`: three quarters of
all prompts distinct), beyond that like Large (`metadata-large.parquet`: nearly eight images for
each prompt).
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb

from ddb_query.datasets.demo import demo_sql
from ddb_query.diffusiondb import DATASETS
from ddb_query.util.atomic_files import make_folder, replacing

if TYPE_CHECKING:
    from collections.abc import Sequence

USERS = 10_381
LARGE_FROM = 2_500_000

FIGURES = """
with by_user as (select user_name, count(*) as images from corpus group by user_name),
by_prompt as (select prompt, count(*) as images from corpus group by prompt)
select
    (select count(*) from by_prompt) as prompts,
    (select max(images) from by_prompt) as top_prompt,
    (select count(user_name) from by_user) as users,
    (select max(images) from by_user where user_name not like 'deleted%') as top_user,
    (select avg(length(prompt)) from by_prompt) as mean_length
"""

# Whether each row group's parts come after those of the group before.
IN_ORDER = """
select bool_and(low >= high_before) is not false
from (
    select
        stats_min_value::integer as low,
        lag(stats_max_value::integer) over (order by row_group_id) as high_before
    from parquet_metadata($path)
    where path_in_schema = 'part_id'
)
"""


@dataclass(frozen=True)
class Shape:
    """Whose table a corpus resembles, and how many prompts it has."""

    dataset: str
    prompts: int


def shape_of(rows: int) -> Shape:
    """The subset that a table of this many rows resembles."""
    if rows > LARGE_FROM:
        return Shape("large", rows * 13 // 100)
    return Shape("2m", rows * 3 // 4)


def write(connection: duckdb.DuckDBPyConnection, path: Path, options: argparse.Namespace) -> None:
    """Generate the table and write it, whole or not at all."""
    shape = shape_of(options.rows)
    sql, values = demo_sql(
        options.rows, options.seed, dataset=shape.dataset, prompts=shape.prompts, users=USERS
    )
    with replacing(path) as temporary:
        connection.sql(sql, params=values).write_parquet(
            str(temporary),
            compression=options.compression,
            row_group_size=options.row_group_rows,
            overwrite=True,
        )


def report(connection: duckdb.DuckDBPyConnection, path: Path, rows: int, seconds: float) -> None:
    """Print what was written, read back from the file."""
    connection.from_parquet(str(path)).create_view("corpus")
    prompts, top_prompt, users, top_user, length = connection.sql(FIGURES).fetchall()[0]
    print(f"{path}: {rows:,} rows, {path.stat().st_size:,} bytes, {seconds:.1f} s")
    print(f"prompts: {prompts:,} distinct, mean length {length:.0f}, top {top_prompt:,} images")
    print(f"users: {users:,}, top {top_user:,} images")
    if connection.sql(IN_ORDER, params={"path": str(path)}).fetchall() != [(True,)]:
        raise SystemExit(f"{path}: the parts are not in order; does DuckDB keep insertion order?")


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, required=True)
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--row-group-rows", type=int, default=122_880)
    parser.add_argument("--compression", choices=("zstd", "snappy"), default="snappy")
    parser.add_argument("--threads", type=int)
    parser.add_argument("--memory-limit", default="4GB")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the table and say what it holds."""
    options = parse(arguments)
    path = make_folder(options.output) / DATASETS[shape_of(options.rows).dataset].table
    with duckdb.connect(config={"memory_limit": options.memory_limit}) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute(
            "SET temp_directory = $folder", {"folder": str(options.output / ".spill")}
        )
        if options.threads:
            connection.execute("SET threads = $threads", {"threads": options.threads})
        started = time.perf_counter()
        write(connection, path, options)
        seconds = time.perf_counter() - started
        report(connection, path, options.rows, seconds)


if __name__ == "__main__":
    main()
