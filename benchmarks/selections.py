"""Selections beside the same by hand in bare DuckDB on the published file: time and memory.

Exports are compared with COPY of the same rows in the same order. Samples have targets in seconds:
what DuckDB takes for the nearest that one would write by hand says how fast the machine is.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

from harness import ddb, measure, python, record

if TYPE_CHECKING:
    from collections.abc import Callable

WHERE = "width = 512 and height = 512 and seed % 2 = 0"
CALM = "image_nsfw <= 0.1::real and prompt_nsfw <= 0.1::real"
BY_HAND = """
import duckdb
con = duckdb.connect()
con.execute("set TimeZone = 'UTC'")
con.execute({sql!r}).fetchall()
"""


def main() -> None:
    """Exports and counts in turns with bare DuckDB, then samples by themselves."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dataset", choices=["2m", "large"], default="large")
    parser.add_argument("--tries", type=int, default=3)
    asked = parser.parse_args()
    name = "metadata.parquet" if asked.dataset == "2m" else "metadata-large.parquet"
    table = asked.data_dir / name
    common = ["--data-dir", str(asked.data_dir), "--dataset", asked.dataset, "--quiet"]
    with tempfile.TemporaryDirectory() as folder:
        target = str(Path(folder) / "ours.parquet")
        export = [*common, "export", "-o", target, "--force"]
        copy = (
            f"copy (select * from '{table}' where {WHERE} order by part_id, image_name)"
            f" to '{folder}/copy.parquet'"
        )
        rows = [
            _beside("export, no hash", [*export, "--where", WHERE, "--no-hash"], copy, 1.15, asked),
            _beside("export", [*export, "--where", WHERE], copy, 1.7, asked),
            _counted(table, asked),
        ]
        for what, options, seconds, names in SAMPLES:
            sql = (
                f"copy (select * from '{table}' where image_name in ({names.format(table)})"
                f" order by part_id, image_name) to '{folder}/copy.parquet'"
            )
            found, hand = measure(
                ddb(*export, *options), python(BY_HAND.format(sql=sql)), tries=asked.tries
            )
            rows.append(
                {"what": what, "seconds": found.seconds, "target_seconds": seconds,
                 "peak_megabytes": found.peak_megabytes, "duckdb_seconds": hand.seconds,
                 "duckdb_peak_megabytes": hand.peak_megabytes}
            )  # fmt: skip
            print(rows[-1], flush=True)
    record(f"selections-{asked.dataset}", rows, table)


# Each: its options, its target in seconds, and names of about as many images by hand.
_FIRST = "select image_name from '{}' order by md5(image_name) limit 1000"
_EACH = "select unnest(arg_min(image_name, md5(image_name), {count})) from '{{}}' group by {by}"
SAMPLES = (
    ("sample of 1,000", ["--sample", "1000", "--seed", "7"], 3, _FIRST),
    (
        "1,000 by sampler", ["--sample", "1000", "--stratify", "sampler"], 4,
        _EACH.format(count=120, by="sampler"),
    ),
    (
        "1,000 by user", ["--sample", "1000", "--stratify", "user", "--shares", "equal"], 4,
        _EACH.format(count=1, by="user_name") + " limit 1000",
    ),
    (
        "one per prompt", ["--one-per", "prompt"], 15,
        "select arg_min(image_name, md5(image_name)) from '{}' group by prompt",
    ),
)  # fmt: skip


def _counted(table: Path, asked: argparse.Namespace) -> dict[str, object]:
    """In one process, since starting takes longer than counting."""
    import duckdb

    import ddb_query

    by_hand = f"select count(*) from '{table}' where {CALM}"
    bare = duckdb.connect()
    with ddb_query.open(asked.dataset, data_dir=asked.data_dir) as corpus:
        mine = _best(lambda: corpus.select(policy="strict").count())
        hand = _best(lambda: bare.sql(by_hand).fetchall())
    row: dict[str, object] = {
        "what": "count", "ddb_seconds": mine, "duckdb_seconds": hand,
        "ratio": round(mine / hand, 3), "target_ratio": 1.2,
    }  # fmt: skip
    print(row, flush=True)
    return row


def _best(work: Callable[[], object], tries: int = 7) -> float:
    taken = []
    for _ in range(tries):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return round(min(taken), 4)


def _beside(
    what: str, ours: list[str], theirs: str, target: float, asked: argparse.Namespace
) -> dict[str, object]:
    mine, hand = measure(ddb(*ours), python(BY_HAND.format(sql=theirs)), tries=asked.tries)
    row: dict[str, object] = {
        "what": what,
        "ddb_seconds": mine.seconds,
        "duckdb_seconds": hand.seconds,
        "ratio": round(mine.seconds / hand.seconds, 3),
        "target_ratio": target,
        "ddb_peak_megabytes": mine.peak_megabytes,
        "duckdb_peak_megabytes": hand.peak_megabytes,
    }
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
