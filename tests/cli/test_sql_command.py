"""`ddb sql`, and `ddb` without a command: where SQL comes from, what is bound, what is shown."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow.parquet as pq
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Ran

ENDLESS = "select count(*) as n from range(100_000_000_000) as t(i) where i % 7 = 1"


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


def one_column(*values: object) -> str:
    width = max(len(str(value)) for value in values)
    name, *cells = (f"│ {value!s:>{width}} │" for value in values)
    rule = "─" * (width + 2)
    return "\n".join([f"┌{rule}┐", name, f"├{rule}┤", *cells, f"└{rule}┘", ""])


def test_sql_prints_a_table_and_nothing_else(ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", "select count(*) as n from images")
    assert (ran.code, ran.text, ran.err) == (0, one_column("n", 3000), "")


@pytest.mark.parametrize(("command", "mark"), [(["sql"], b"\xef\xbb\xbf"), ([], b"")])
def test_sql_comes_from_standard_input_when_there_is_no_text(
    command: list[str], mark: bytes, ddb: Callable[..., Ran]
) -> None:
    ran = ddb("--format", "csv", *command, stdin=mark + "select 'ü' as a".encode())
    assert (ran.code, ran.text, ran.err) == (0, "a\nü\n", "")


def test_sql_comes_from_a_file(ddb: Callable[..., Ran], tmp_path: Path) -> None:
    (tmp_path / "ask.sql").write_text("-- how many\nselect count(*) as n\nfrom images;\n", "utf-8")
    ran = ddb("sql", "-f", "ask.sql", "--format", "csv", stdin=b"select 'not this'")
    assert (ran.code, ran.text, ran.err) == (0, "n\n3000\n", "")


def test_a_text_and_a_file_at_once_are_a_usage_error(ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", "select 1", "-f", "ask.sql")
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err == "ddb: SQL and --file were both given\nhint: give one of them\n"


@pytest.mark.parametrize("sql", ["", " ; /* only a remark */ ; "])
def test_no_sql_at_all_is_a_usage_error(sql: str, ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", stdin=sql.encode())
    assert (ran.code, ran.out) == (2, b"")
    assert ran.err.startswith("ddb: no SQL to run\nhint: ")


def test_a_value_is_bound_with_the_type_that_it_looks_like(ddb: Callable[..., Ran]) -> None:
    values = {
        "a": ("5", "5", "INTEGER"), "b": ("-2.5", "-2.5", "DOUBLE"),
        "c": ("1e3", "1000.0", "DOUBLE"), "d": ("true", "true", "BOOLEAN"),
        "e": ("false", "false", "BOOLEAN"), "l": ("TRUE", "TRUE", "VARCHAR"),
        "f": ("null", "", '"NULL"'), "g": ("a castle", "a castle", "VARCHAR"),
        "h:text": ("007", "007", "VARCHAR"), "i:text": ("null", "null", "VARCHAR"),
        "j": ("", "", "VARCHAR"), "k": ("1_000", "1_000", "VARCHAR"),
        "m": ("nan", "nan", "DOUBLE"), "n": ("a=b", "a=b", "VARCHAR"), "o": ("007", "7", "INTEGER"),
        "p": ("ünï", "ünï", "VARCHAR"), "q": ("9" * 19, "9" * 19, "UBIGINT"),
        "r": ("2022-08-06", "2022-08-06", "VARCHAR"),
    }  # fmt: skip
    names = [name.removesuffix(":text") for name in values]
    rows = ", ".join(f"('{n}', coalesce(${n}::varchar, ''), typeof(${n}))" for n in names)
    given = [part for name, (text, _, _) in values.items() for part in ("-p", f"{name}={text}")]
    ran = ddb("sql", f"values {rows}", *given, "--format", "jsonl")
    assert (ran.code, ran.err) == (0, "")
    found = [tuple(json.loads(line).values()) for line in ran.text.splitlines()]
    assert found == [
        (name, shown, kind) for name, (_, shown, kind) in zip(names, values.values(), strict=True)
    ]


@pytest.mark.parametrize(
    ("sql", "given", "problem", "hint"),
    [
        ("select $a; select $b", ["a=1"], "parameter b: has no value", "-p b=VALUE"),
        ("select 1", ["a=1"], "parameter a: the SQL has no such parameter", "write $a in it"),
        ("select $a as a", ["a"], "parameter a: is not NAME=VALUE", "-p width=512"),
        ("select $a as a", ["1a=2"], "parameter 1a=2: is not NAME=VALUE", "-p width=512"),
        ("select ? as a", [], "a parameter needs a name", "write $name, not ? or $1"),
        ("set variable a = 5; select $a", [], "parameter a: has no value", "-p a=VALUE"),
    ],
)
def test_a_value_too_few_or_too_many_is_a_usage_error(
    sql: str, given: list[str], problem: str, hint: str, ddb: Callable[..., Ran]
) -> None:
    ran = ddb("sql", sql, *(part for one in given for part in ("-p", one)))
    assert (ran.code, ran.out) == (2, b"")
    first, second = ran.err.splitlines()
    assert first == f"ddb: {problem}"
    assert second.startswith(f"hint: {hint}")


def test_a_value_never_becomes_part_of_the_sql(ddb: Callable[..., Ran]) -> None:
    attempts = ["x' or 1=1 --", "'; drop view images; --", "1) union select 1 --", "$a", "\\'"]
    given = [part for place, text in enumerate(attempts) for part in ("-p", f"v{place}={text}")]
    shown = ", ".join(f"$v{place}" for place in range(len(attempts)))
    found = " or ".join(f"user_name = $v{place}" for place in range(len(attempts)))
    sql = f"select [{shown}] as given, (select count(*) from images where {found}) as found"
    ran = ddb("sql", sql, *given, "--format", "json")
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == [{"given": attempts, "found": 0}]


@pytest.mark.slow
def test_a_table_shows_the_result_of_every_statement(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = (
        "create temp table t as select 6 as a; select a from t; update t set a = 7; select a from t"
    )
    ran = ddb("sql", sql)
    assert (ran.code, ran.text, ran.err) == (0, one_column("a", 6) + one_column("a", 7), "")
    written = ddb("sql", sql, "-o", "both.txt")
    assert (written.code, written.out, written.err) == (0, b"", "")
    assert (tmp_path / "both.txt").read_bytes() == ran.out


def test_other_formats_hold_the_result_of_the_last_statement_alone(ddb: Callable[..., Ran]) -> None:
    sql = "create temp table t as select 6 as a; select a from t; select a + 1 as b from t"
    ran = ddb("sql", sql, "--format", "csv")
    assert (ran.code, ran.text, ran.err) == (0, "b\n7\n", "")


def test_what_was_shown_before_a_statement_that_fails_stays_shown(ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", "select 6 as a; select b from nowhere")
    assert (ran.code, ran.text) == (1, one_column("a", 6))
    assert ran.err.startswith("ddb: Catalog Error: Table with name nowhere does not exist!")


@pytest.mark.slow
def test_statements_that_give_no_rows_print_nothing(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("sql", "create temp table t(a integer); insert into t values (1); drop table t")
    assert (ran.code, ran.out, ran.err) == (0, b"", "")
    ran = ddb("sql", "checkpoint; begin; commit; set threads = 1; vacuum")
    assert (ran.code, ran.out, ran.err) == (0, b"", "")
    ran = ddb("sql", "copy (select 1 as a) to 'own.csv'", "--format", "json")
    assert (ran.code, ran.text, ran.err) == (0, "[]\n", "")
    assert (tmp_path / "own.csv").read_text() == "a\n1\n"


@pytest.mark.slow
def test_an_option_behind_the_command_wins_over_one_before_it(
    ddb: Callable[..., Ran], tables: Path
) -> None:
    sql = "select i from range(9) as t(i)"
    ran = ddb("--format", "json", "--limit", "5", "sql", sql, "--limit", "2", "--format", "csv")
    assert (ran.code, ran.text) == (0, "i\n0\n1\n")
    ran = ddb(
        "--data-dir", "nowhere", "--dataset", "2m", "sql", "select count(*) as n from images",
        "--data-dir", tables, "--dataset", "large", "--format", "csv",
    )  # fmt: skip
    assert (ran.code, ran.text, ran.err) == (0, "n\n5000\n", "")


def test_a_table_that_no_screen_shows_has_every_row(ddb: Callable[..., Ran]) -> None:
    sql = "select i from range($n) as t(i)"
    both = ddb("sql", f"{sql}; {sql.replace('$n', '$n + 1')}", "-p", "n=150")
    assert (both.code, both.err) == (0, "")
    assert both.text == one_column("i", *range(150)) + one_column("i", *range(151))


@pytest.mark.slow
def test_other_formats_give_everything_but_what_a_limit_cuts(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    sql = "select i from range(1000) as t(i)"
    ran = ddb("sql", sql, "--format", "csv")
    assert (ran.code, len(ran.text.split()), ran.err) == (0, 1001, "")
    ran = ddb("sql", sql, "-o", "some.parquet", "--limit", "7")
    assert (ran.code, ran.out, ran.err) == (0, b"", "")
    assert pq.read_table(tmp_path / "some.parquet")["i"].to_pylist() == list(range(7))


@pytest.mark.slow
def test_describe_show_and_explain_are_results_too(ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", "show tables", "--format", "csv")
    assert ran.code == 0
    assert set(ran.text.split()[1:]) >= {"images", "metadata", "metadata_large", "prompts", "users"}
    ran = ddb("sql", "describe images", "--limit", "1", "--format", "jsonl")
    assert json.loads(ran.out)["column_name"] == "image_name"


def test_a_plan_is_shown_as_lines(ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", "explain select seed from images where width > 512; select 'x' as \"Success\"")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.text.splitlines()
    assert lines[0].startswith("╭─")
    assert any("PARQUET_SCAN" in line for line in lines)
    assert "\\n" not in ran.text
    assert lines[-5:] == ["┌─────────┐", "│ Success │", "├─────────┤", "│ x       │", "└─────────┘"]
    ran = ddb("sql", "explain select 1", "--format", "jsonl")
    assert all(list(json.loads(line)) == ["plan"] for line in ran.text.splitlines())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("sql", "options"),
    [
        (ENDLESS, []),
        (
            "select i, md5(i::varchar) as h from range(100_000_000_000) as t(i)",
            ["-o", "big.parquet"],
        ),
        ("select i, md5(i::varchar) as h from range(100_000_000_000) as t(i)", ["-o", "big.csv"]),
    ],
    ids=["table", "parquet", "csv"],
)
def test_a_timeout_stops_the_statement_and_says_so(
    sql: str, options: list[str], ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    ran = ddb("sql", sql, *options, "--timeout", "0.5", timeout=60)
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith("ddb: stopped after 0.5 s (--timeout)\nhint: ")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_limit_of_memory_is_an_error_that_offers_more(ddb: Callable[..., Ran]) -> None:
    sql = "select list(md5(i::varchar)) as h from range(3_000_000) as t(i)"
    ran = ddb("sql", sql, "--memory-limit", "20MB")
    assert (ran.code, ran.out) == (1, b"")
    assert ran.err.startswith("ddb: Out of Memory Error: ")
    assert ran.err.endswith("hint: give it more with --memory-limit, for example 8GB\n")


@pytest.mark.slow
def test_what_does_not_fit_into_memory_goes_to_the_cache_and_is_gone_afterwards(
    ddb: Callable[..., Ran], tmp_path: Path
) -> None:
    stale = tmp_path / "cache" / "spill" / "999999999"
    stale.mkdir(parents=True)
    sql = "select count(distinct md5(i::varchar)) as n from range($rows) as t(i)"
    given = ("-p", "rows=600000", "--memory-limit", "22MB", "--format", "csv")
    for cache in ("cache", "new"):
        ran = ddb("sql", sql, *given, DDB_CACHE_DIR=str(tmp_path / cache))
        assert (ran.code, ran.text, ran.err) == (0, "n\n600000\n", "")
        assert list((tmp_path / cache / "spill").iterdir()) == []
    assert {path.name for path in tmp_path.iterdir()} == {"home", "cache", "new"}


@pytest.mark.slow
def test_the_same_bytes_on_any_number_of_threads(
    ddb: Callable[..., Ran], tables: Path, tmp_path: Path
) -> None:
    pq.write_table(pq.read_table(tables / "metadata.parquet"), tmp_path / "metadata.parquet", 150)
    sql = """
        select image_name, seed, cfg, image_nsfw from metadata where width > 512;
        select sampler, sum(image_nsfw::decimal(18, 9)) as s from images group by 1 order by 1;
        select prompt_id, images, users from prompts where images > 1 order by 1;
    """
    runs = [
        ddb("--data-dir", tmp_path, "--limit", "0", "sql", "--threads", threads, stdin=sql.encode())
        for threads in ("1", "2", "8")
    ]
    assert [(ran.code, ran.err) for ran in runs] == [(0, "")] * 3
    assert runs[0].text.count("\n") > 800
    assert runs[0].out == runs[1].out == runs[2].out


def test_several_statements_share_one_session_in_utc_without_side_doors(
    ddb: Callable[..., Ran],
) -> None:
    ran = ddb(
        "sql",
        "select current_setting('TimeZone') as zone, now()::varchar like '%+00' as utc,"
        " current_setting('autoinstall_known_extensions') as installs,"
        " current_setting('threads') as threads",
        "--threads", "1", "--format", "json", TZ="America/New_York",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert json.loads(ran.out) == [{"zone": "UTC", "utc": True, "installs": False, "threads": 1}]
