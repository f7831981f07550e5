"""A whole table written by `ddb sql -o FILE` beside DuckDB's COPY and pandas, time and memory."""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from harness import ddb, measure, python, record

COPY = """
import duckdb
con = duckdb.connect()
con.execute("set TimeZone = 'UTC'")
con.execute("copy (select * from read_parquet({table!r})) to {target!r} ({options})")
"""
OPTIONS = {"parquet": "format parquet", "csv": "format csv, header", "jsonl": "format json"}
VIEWS = {
    "2m": ("metadata.parquet", "metadata"),
    "large": ("metadata-large.parquet", "metadata_large"),
}


def main() -> None:
    """Write the published table whole, in each format, in turns with COPY."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--dataset", choices=["2m", "large"], default="2m")
    parser.add_argument("--formats", nargs="*", default=list(OPTIONS))
    parser.add_argument("--tries", type=int, default=3)
    asked = parser.parse_args()
    name, view = VIEWS[asked.dataset]
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for form in asked.formats:
            target = str(Path(folder) / f"ours.{form}")
            ours = ddb(
                "--data-dir", str(asked.data_dir), "--dataset", asked.dataset, "sql",
                f"select * from {view}", "-o", target,
            )  # fmt: skip
            copy = python(
                COPY.format(
                    table=str(asked.data_dir / name), target=f"{target}.copy", options=OPTIONS[form]
                )
            )
            mine, theirs = measure(ours, copy, tries=asked.tries)
            rows.append(
                {
                    "format": form,
                    "ddb_seconds": mine.seconds,
                    "copy_seconds": theirs.seconds,
                    "ratio": round(mine.seconds / theirs.seconds, 3),
                    "ddb_peak_megabytes": mine.peak_megabytes,
                    "copy_peak_megabytes": theirs.peak_megabytes,
                    "bytes": Path(target).stat().st_size,
                }
            )
            print(rows[-1], flush=True)
    record(f"exports-{asked.dataset}", rows, asked.data_dir / name)


if __name__ == "__main__":
    main()
