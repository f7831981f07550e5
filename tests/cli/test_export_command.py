"""`ddb export` and the selection options of `ddb search`: exit codes, files, and what is told."""

from __future__ import annotations

import contextlib
import functools
import json
import subprocess
from typing import TYPE_CHECKING

import duckdb
import installed
import polars as pl
import pyarrow.parquet as pq
import pytest
from conftest import write_table
from test_startup import HEAVY, loaded

import ddb_query
from ddb_query.errors import UsageError
from ddb_query.export.verify import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


def test_an_export_tells_rows_bytes_and_path_and_what_no_policy_left_out(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("export", "-o", "all.parquet")
    assert (ran.code, ran.out) == (0, b"")
    size = (tmp_path / "all.parquet").stat().st_size
    first, second = ran.err.splitlines()
    assert first == f"note: 3,000 rows, {size:,} bytes, all.parquet"
    with duckdb.connect() as connection:
        blurred, over = connection.sql(
            "select count(*) filter (where image_nsfw = 2), count(*) filter (where"
            " prompt_nsfw > 0.5::float or image_nsfw > 0.5::float and image_nsfw <> 2)"
            f" from '{tmp_path}/all.parquet'"
        ).fetchall()[0]
    assert second == (
        f"note: no policy: {blurred} of the images are blurred, {over} have a score over 0.5;"
        " --policy moderate leaves them out"
    )


def test_an_existing_file_is_kept_unless_told_otherwise(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    target = tmp_path / "x.csv"
    target.write_text("mine")
    kept = ddb("export", "-o", target, "--limit", "3")
    assert (kept.code, target.read_text()) == (2, "mine")
    assert kept.err == (
        f"ddb: {target} exists already\nhint: --force replaces it (force=True from Python)\n"
    )
    assert ddb("export", "-o", target, "--limit", "3", "--force").code == 0
    assert verify(target).rows == 3
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == [
        "x.csv", "x.csv.manifest.json",
    ]  # fmt: skip


def test_a_filter_that_matches_nothing_gives_the_schema_and_a_note(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("export", "-o", "none.parquet", "--where", "false", "--policy", "strict")
    assert ran.code == 0
    assert ran.err.endswith("note: nothing matches: the file has columns and no rows\n")
    assert pq.read_schema(tmp_path / "none.parquet").names[0] == "image_name"
    assert verify(tmp_path / "none.parquet").rows == 0


def test_what_cannot_be_made_again_is_told(ddb: Callable[..., Ran], tmp_path: Path) -> None:
    ran = ddb("export", "-o", "x.parquet", "--policy", "strict", "--order-by", "random()")
    assert ran.code == 0
    assert ran.err.splitlines()[1] == (
        "note: it cannot be made again: it calls random(), which is random"
    )
    assert "cannot be made again" in ddb("replay", "x.parquet").err


def test_strata_are_shown(ddb: Callable[..., Ran], tmp_path: Path) -> None:
    ran = ddb("export", "-o", "s.parquet", "--sample", "50", "--stratify", "sampler")
    head, *lines = ran.text.splitlines()
    assert head.split() == ["stratum", "size", "taken", "weight"]
    found = json.loads(pq.read_metadata(tmp_path / "s.parquet").metadata[b"ddb_manifest"])
    assert [line.split()[:3] for line in lines] == [
        [one["name"], str(one["size"]), str(one["taken"])] for one in found["strata"]
    ]


def test_of_many_strata_the_first_are_told_beside_a_stream(ddb: Callable[..., Ran]) -> None:
    sample = ("--dataset", "demo", "export", "--sample", "200", "--stratify", "user")
    ran = ddb(*sample, "-o", "-", "--format", "csv")
    notes = ran.err.splitlines()
    told = [line for line in notes if line.startswith("note: stratum ")]
    assert len(told) == 100
    (more,) = (line for line in notes if "the first 100 of" in line)
    users = int(more.removeprefix("note: the first 100 of ").split()[0].replace(",", ""))
    assert users > 100
    assert ddb("export", "--limit", "1", "-o", "one.csv").err.startswith("note: 1 row, ")
    whole = ddb(*sample, "-o", "x.csv")
    assert len(whole.text.splitlines()) == 1 + users
    assert max(map(len, whole.err.splitlines())) < 400


def test_names_that_are_not_in_the_dataset_are_counted_and_end_in_4(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    assert ddb("export", "-o", "known.csv", "--columns", "image_name", "--limit", "3").code == 0
    known = (tmp_path / "known.csv").read_text()
    (tmp_path / "names.csv").write_text(f"{known}x.png\ny.png\n")
    ran = ddb("export", "-o", "x.parquet", "--from", "names.csv")
    assert ran.code == 4
    assert "2 of the 5 images in names.csv are not in dataset" in ran.err
    assert verify(tmp_path / "x.parquet").rows == 3


@pytest.mark.parametrize(
    ("args", "code", "words"),
    [
        (["-o", "x.parquet", "--sample"], 2, "requires an argument"),
        (["-o", "x.parquet", "--sample", "-3"], 2, "-3"),
        (["-o", "x.parquet", "--sample", "many"], 2, "many"),
        (["-o", "x.parquet", "--seed", "3"], 2, "--sample N says how many"),
        (["-o", "x.parquet", "--stratify", "sampler"], 2, "--sample N says how many"),
        (["-o", "x.parquet", "--where", "widht > 5"], 1, "widht"),
        (["-o", "x.parquet", "--max-image-nsfw", "2"], 2, "2"),
        (["-o", "x.parquet", "--policy", "prudish"], 2, "no policy named prudish"),
        (["-o", "x.parquet", "--part", "x"], 2, "not a part"),
        (["-o", "x.parquet", "--part", "9-3"], 2, "hint: --part 3-9"),
        (["-o", "x.parquet", "--since", "noon"], 2, "noon is not a time"),
        (["-o", "x.parquet", "--columns", "promt"], 2, "did you mean prompt"),
        (["-o", "x.parquet", "--sql", "select 1", "--policy", "strict"], 2, "say it in the SQL"),
        (["-o", "x.parquet", "-p", "a=1"], 2, "-p is for"),
        (["-o", "x.parquet", "--query", "xyzzy"], 2, "no canned query named xyzzy"),
        (["-o", "x.parquet", "--from", "none.csv"], 2, "no subset file none.csv"),
        (["-o", "x.pdf"], 2, "cannot tell a format"),
        (["-o", "nowhere/x.parquet"], 3, "there is no folder nowhere"),
        (["-o", "nowhere/x.csv"], 3, "cannot write nowhere/x.csv: there is no folder nowhere"),
        (["-o", "home"], 2, "cannot tell a format"),
        ([], 2, "no file to write was named"),
    ],
    ids=lambda value: " ".join(value[2:] or value) if isinstance(value, list) else "",
)
def test_bad_options_are_told_in_a_line_and_leave_nothing(
    args: list[str], code: int, words: str, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("export", *args)
    assert (ran.code, ran.out) == (code, b"")
    assert words in ran.err
    assert "Traceback" not in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_print_sql_gives_sql_for_what_is_written_otherwise_and_writes_nothing(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    said = ["--match", "castle", "--one-per", "user", "--max-image-nsfw", "0.5"]
    said += ["--columns", "cfg, image_name, part_id", "--drop", "part_id", "--limit", "9"]
    said += ["--sample", "20", "--stratify", "sampler", "--order-by", "cfg"]
    ran = ddb("export", "--print", "sql", "-o", "x.parquet", *said)
    assert ran.code == 0
    assert "note: --print writes nothing: x.parquet is not made\n" in ran.err
    assert not (tmp_path / "x.parquet").exists()
    assert ddb("export", "-o", "x.parquet", *said).code == 0
    with duckdb.connect() as connection, contextlib.chdir(tables):
        found = connection.sql(ran.text)
        assert found is not None
        plain = found.to_arrow_table()
    assert plain.column_names == ["cfg", "image_name", "weight"]
    assert plain.equals(pq.read_table(tmp_path / "x.parquet").replace_schema_metadata())


def test_rows_of_sql_and_of_a_canned_query_are_exported(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = "select part_id, count(*) as n from images where width >= $w group by all order by all"
    assert ddb("export", "-o", "a.csv", "--sql", sql, "-p", "w=512").code == 0
    assert verify(tmp_path / "a.csv").parameters == {"w": 512}
    assert ddb("export", "-o", "b.parquet", "--query", "user-stats", "--limit", "3").code == 0
    assert verify(tmp_path / "b.parquet").query == "user-stats"


def test_help_is_readable_and_loads_nothing_heavy(ddb: Callable[..., Ran]) -> None:
    ran = ddb("export", "--help")
    assert "--one-per <prompt|family|user>" in ran.text
    assert max(map(len, ran.text.splitlines())) <= 100
    assert not loaded("export", "--help") & HEAVY
    assert not loaded("verify", "--help") & HEAVY


WORDS = "castle OR paint*"
SEARCHES = [
    ["--policy", "moderate"], ["--sample", "200", "--seed", "3"], ["--one-per", "prompt"],
    ["--max-per", "user=2", "--include-deleted"], ["--where", "width > 512", "--sampler", "k_lms"],
    ["--since", "2022-08-08", "--until", "2022-08-15", "--part", "1-2"],
    ["--sample", "300", "--stratify", "day", "--shares", "equal"], ["--match", "-portrait"],
]  # fmt: skip


@pytest.mark.parametrize("said", SEARCHES[::3], ids=" ".join)
def test_a_search_within_a_selection_finds_what_an_export_with_match_would(
    said: list[str], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    found = ddb("search", WORDS, "--images", "--limit", "0", "--format", "jsonl", *said)
    assert found.code == 0
    assert ddb("export", "-o", "x.parquet", "--columns", "image_name,prompt_id", *said).code == 0
    counted = ddb("search", WORDS, "--count", "--format", "csv", *said)
    names = {json.loads(line)["image_name"] for line in found.text.splitlines()}
    assert names <= {*pq.read_table(tmp_path / "x.parquet")["image_name"].to_pylist()}
    assert counted.text.splitlines()[1].split(",")[1] == str(len(names))


def test_on_a_full_disk_the_old_file_stays_and_no_other(tmp_path: Path) -> None:
    code = """
import resource, sys
from ddb_query.__main__ import main
resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
sys.exit(main())
"""
    for name in ("x.parquet", "x.csv", "tree"):
        target = tmp_path / name
        by = [] if target.suffix else ["--partition-by", "sampler"]
        done = subprocess.run(
            [installed.python(), "-c", code, "export", "-o", target, *by],
            capture_output=True, check=False, timeout=60, cwd=tmp_path,
        )  # fmt: skip
        assert done.returncode == 3
        assert done.stderr.decode().startswith(f"ddb: cannot write {target}: ")
        assert b"Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def part_ids(subset: Path) -> frozenset[int]:
    """The parts of which all images are in a whole subset."""
    if subset.suffix == ".csv":
        parts = pl.read_csv(subset)["part_id"]
    else:
        verify(subset)
        parts = pl.DataFrame(pl.from_arrow(pq.read_table(subset, columns=["part_id"])))["part_id"]
    assert parts.value_counts()["count"].to_list() == [1000] * 10
    return frozenset(parts.to_list())


OLD, NEW = frozenset(range(1, 11)), frozenset(range(11, 21))


@pytest.mark.slow
@pytest.mark.parametrize(("name", "kills"), [("x.parquet", 12), ("x.csv", 6), ("tree", 6)])
def test_an_export_killed_at_any_moment_leaves_the_old_or_the_new_and_nothing_else(
    name: str, kills: int, ddb: Callable[..., Ran], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tmp_path))
    write_table(tmp_path / "metadata.parquet", rows=20_000)
    folder = tmp_path / "exports"
    program = installed.SUPPORT / "killed_exports.py"
    subprocess.run(
        [installed.python(), program, folder, name, str(kills)],
        check=True, timeout=300,
    )  # fmt: skip
    left = {int(place.name): place for place in (folder / "kept").iterdir()}
    assert len(left) >= kills
    assert 0 < sum(place % 2 for place in left) < len(left)
    for place, there in left.items():
        whole = {part_ids(there / name)} if (there / name).exists() else set()
        assert whole in ([{OLD}, {NEW}] if place % 2 else [set(), {NEW}])
    if name != "tree":
        # Nothing else, but for a kill in the instant in which a file takes an old one's place.
        assert sum(bool([*there.glob(".*")]) for there in left.values()) <= max(1, kills // 8)
    by = ["--partition-by", "sampler"] if name == "tree" else []
    for there in left.values():
        if [*there.glob(".*")]:
            # What a kill left, the next to write there takes away.
            assert ddb("export", "-o", there / name, "--force", "--limit", "5", *by).code == 0
            assert not [*there.glob(".*")]
            break


def test_every_parquet_that_ddb_writes_says_how_it_was_made(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = "select image_name, seed from images where width >= $w order by image_name"
    assert ddb("sql", sql, "-p", "w=512", "-o", "a.parquet", "--limit", "20").code == 0
    assert ddb("run", "user-stats", "--min-images", "2", "-o", "b.parquet").code == 0
    several = "create temp table t as select 1 as a; select a from t"
    assert ddb("sql", several, "-o", "c.parquet").code == 0
    assert ddb("sql", "describe images", "-o", "d.parquet").code == 0
    made = [verify(tmp_path / f"{name}.parquet") for name in "abcd"]
    assert [(one.kind, one.replayable) for one in made] == [
        ("sql", True), ("query", True), ("sql", False), ("sql", False),
    ]  # fmt: skip
    assert (made[0].sql, made[0].parameters, made[0].limit) == (sql, {"w": 512}, 20)
    assert made[2].reason == "it is one of several statements"
    for name in "ab":
        assert ddb("replay", f"{name}.parquet").code == 0
    assert ddb("replay", "c.parquet").code == 4


def test_a_search_tells_what_its_selection_left_out_and_did_not_find(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "names.csv").write_text("image_name\nx.png\n")
    ran = ddb("search", "castle", "--from", "names.csv", "--one-per", "user", "--format", "csv")
    assert (ran.code, ran.out) == (4, b"")
    assert "none of the 1 images in names.csv is in dataset" in ran.err
    deleted = ddb("search", "castle", "--one-per", "user", "--count")
    assert "images without a known user" in deleted.err


ORDER = "width * height desc, images.user_name, seed -- the widest"


@pytest.mark.parametrize("form", ["csv", "jsonl", "parquet", "table"])
def test_a_search_in_an_order_shows_images_in_that_order(
    form: str, ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    said = ["--order-by", f"{ORDER}\n, part_id, image_name", "--policy", "moderate"]
    columns = ["--columns", "image_name"]
    assert ddb("export", "-o", "x.parquet", "--match", WORDS, *said, *columns).code == 0
    expected = pq.read_table(tmp_path / "x.parquet")["image_name"].to_pylist()
    target = tmp_path / ("found" if form == "table" else f"found.{form}")
    said += ["--limit", "12", "--format", form, "-o", str(target)]
    assert ddb("search", WORDS, "--images", *said).code == 0
    assert first_column(target, "image_name") == expected[:12]


@pytest.mark.parametrize("selection", [[], ["--policy", "moderate"]], ids=["all", "some"])
@pytest.mark.parametrize(
    ("column", "descending"),
    [("images", True), ("images", False), ("prompt", False), ("score", False), ("prompt_id", True)],
)
def test_a_search_is_ordered_by_the_column_that_it_shows(
    column: str, descending: bool, selection: list[str], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    order = f"{column}{' desc' if descending else ''}"
    said = ["--order-by", order, "--limit", "0", "-o", "found.parquet"]
    assert ddb("search", WORDS, *said, *selection).code == 0
    rows = pq.read_table(tmp_path / "found.parquet").to_pylist()
    assert len({row["images"] for row in rows}) > 1
    rank = sorted(rows, key=lambda row: (-row["score"], -row["images"], row["prompt_id"]))
    # Sorting keeps the rank of equal ones, from the end too.
    ordered = sorted(reversed(rank) if descending else rank, key=lambda row: row[column])
    assert rows == (ordered[::-1] if descending else ordered)


@pytest.mark.parametrize(
    ("said", "order", "names"),
    [
        (["search", "castle"], "seed", "prompt_id, score, images, prompt"),
        (["search", "castle"], "prompts", "prompt_id, score, images, prompt"),
        (["search", "castle", "--images"], "images", "image_name, prompt, prompt_id, part_id"),
        (["export", "-o", "x.parquet"], "images desc", "image_name, prompt, prompt_id, part_id"),
        (["export", "-o", "x.parquet"], "heigth", "image_name, prompt, prompt_id, part_id"),
    ],
)
def test_what_is_no_column_to_order_by_is_an_error_that_lists_the_columns(
    said: list[str], order: str, names: str, ddb: Callable[..., Ran]
) -> None:
    ran = ddb(*said, "--order-by", order)
    assert (ran.code, ran.out) == (1, b"")
    assert f"hint: one can order by {names}" in ran.err


def first_column(target: Path, name: str) -> list[str]:
    """What a file of rows has in its first column, as text."""
    if target.suffix == ".parquet":
        return [*map(str, pq.read_table(target)[name].to_pylist())]
    lines = target.read_text("utf-8").splitlines()
    if target.suffix == ".jsonl":
        return [str(json.loads(line)[name]) for line in lines]
    if target.suffix == ".csv":
        return [line.partition(",")[0] for line in lines[1:]]
    return [line.split("│")[1].strip() for line in lines[3:-1]]


@pytest.mark.parametrize("counting", [["--count"], ["--facet", "user"]], ids=" ".join)
def test_an_order_of_counts_is_refused(counting: list[str], ddb: Callable[..., Ran]) -> None:
    ran = ddb("search", "castle", "--order-by", "seed", *counting)
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == ("ddb: counts have an order of their own\nhint: leave --order-by out\n")


def test_what_is_like_a_prompt_comes_in_an_order_too(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        like = functools.partial(corpus.like, "a castle made of glass", images=True)
        found = like(order_by="seed", limit=20).rows()
        every = like(limit=0).rows()
        seeds = dict(corpus.sql("select image_name, seed from images").rows())
        assert len(found) == 20
        names = [row[0] for row in found]
        assert names == sorted((row[0] for row in every), key=lambda name: seeds[name])[:20]


def test_the_order_of_a_selection_is_not_taken_for_that_of_a_search(tables: Path) -> None:
    with ddb_query.open("2m", data_dir=tables) as corpus:
        with pytest.raises(UsageError, match="not the order of a search"):
            corpus.search("castle", corpus.select(order_by="seed"))
        first = corpus.select(order_by="seed", limit=30)
        assert len(corpus.like("a castle", first, images=True).rows()) <= 30
