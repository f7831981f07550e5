"""Writes `spark_table/`: a table of made-up rows as Spark saves one, for test_saved_again.py.

Usage: python tests/support/spark_table.py   (with pyspark and Java, which the tests do not need)

Half of it in each of two files; some scores and settings NaN, some rows on it twice.
"""

from __future__ import annotations

import shutil
from pathlib import Path

FOLDER = Path(__file__).with_name("spark_table")
_ROWS = 240


def main() -> None:
    """Write the folder anew."""
    from pyspark.sql import SparkSession
    from pyspark.sql import functions as f

    spark = SparkSession.builder.master("local[2]").config("spark.sql.session.timeZone", "UTC")
    session = spark.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    number = f.col("id")
    nan = f.lit(float("nan"))
    rows = session.range(_ROWS).select(
        f.format_string("%08x-0000-4000-8000-%012x.png", number * 7919, number).alias("image_name"),
        f.when(number % 31 == 5, None)
        .when(number % 31 == 6, "")
        .otherwise(f.format_string("a castle no. %d, 8k, by greg rutkowski", number % 60))
        .alias("prompt"),
        (number / 100 + 1).cast("int").alias("part_id"),
        (number * 17 % 2**31).alias("seed"),
        f.when(number % 19 == 1, 0).otherwise(50).cast("int").alias("step"),
        f.when(number % 23 == 2, nan).otherwise(7.5).cast("float").alias("cfg"),
        (number % 8 + 1).cast("int").alias("sampler"),
        f.lit(512).cast("int").alias("width"),
        f.lit(768).cast("int").alias("height"),
        f.when(number % 13 == 4, "deleted_account")
        .otherwise(f.sha2((number % 40).cast("string"), 256))
        .alias("user_name"),
        f.timestamp_seconds(number * 3600 + 1_659_916_800).alias("timestamp"),
        f.when(number % 11 == 3, nan)
        .when(number % 11 == 4, 2.0)
        .otherwise(number / _ROWS)
        .cast("float")
        .alias("image_nsfw"),
        f.when(number % 17 == 3, nan).otherwise(number / _ROWS / 2).cast("float")
        .alias("prompt_nsfw"),
    )  # fmt: skip
    shutil.rmtree(FOLDER, ignore_errors=True)
    again = rows.filter(number % 50 == 9)
    rows.union(again).coalesce(2).write.parquet(str(FOLDER))
    session.stop()


if __name__ == "__main__":
    main()
