"""The bytes of every format, on standard output and in a file."""

from __future__ import annotations

import base64
import csv
import datetime
import decimal
import io
import json
import math
from typing import TYPE_CHECKING, Any

import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import ddb_query
from ddb_query.console import stdout
from ddb_query.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from conftest import Ran

TEXT_FORMATS = ("table", "csv", "tsv", "json", "jsonl", "markdown")
ENDINGS = {
    "table": "txt", "csv": "csv", "tsv": "tsv", "json": "json", "jsonl": "jsonl",
    "markdown": "md", "parquet": "parquet", "arrow": "arrow",
}  # fmt: skip

# One value of every kind, then a row of nothing.
ZOO = """
select * from (values (
    1, 'a,b "c"', '', e'two\\nlines\\tx', 0.5::double, 'nan'::double, '-inf'::float, true,
    1.50::decimal(10, 2), 18446744073709551615::ubigint, date '2022-08-06',
    timestamp '2022-08-06 21:59:00', timestamptz '2022-08-06 23:59:00+02', '\\x00\\xFFa'::blob,
    [1, null, 3], {'k': 1, 't': timestamp '2022-08-06 21:59:00'}, map {'a': 0.5::double}
), (
    null, null, null, null, null, null, null, null, null, null, null, null, null, null, null, null,
    null
)) as zoo(
    n, quoted, empty, lines, x, nan, inf, yes, price, big, day, seen, seen_utc, bytes, items, pair,
    shares
)
"""

GOLDEN = {
    "csv": (
        "n,quoted,empty,lines,x,nan,inf,yes,price,big,day,seen,seen_utc,bytes,items,pair,shares\n"
        '1,"a,b ""c""","","two\nlines\tx",0.5,nan,-inf,true,1.50,18446744073709551615,2022-08-06,'
        "2022-08-06 21:59:00,2022-08-06 21:59:00+00,AP9h,"
        "\"[1, NULL, 3]\",\"{'k': 1, 't': '2022-08-06 21:59:00'}\",{a=0.5}\n"
        ",,,,,,,,,,,,,,,,\n"
    ),
    "tsv": (
        "n\tquoted\tempty\tlines\tx\tnan\tinf\tyes\tprice\tbig\tday\tseen\tseen_utc\tbytes\titems"
        "\tpair\tshares\n"
        '1\t"a,b ""c"""\t""\t"two\nlines\tx"\t0.5\tnan\t-inf\ttrue\t1.50\t18446744073709551615'
        "\t2022-08-06\t2022-08-06 21:59:00\t2022-08-06 21:59:00+00\tAP9h"
        "\t[1, NULL, 3]\t{'k': 1, 't': '2022-08-06 21:59:00'}\t{a=0.5}\n"
        "\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\t\n"
    ),
    "jsonl": (
        '{"n":1,"quoted":"a,b \\"c\\"","empty":"","lines":"two\\nlines\\tx","x":0.5,"nan":null,'
        '"inf":null,"yes":true,"price":1.50,"big":18446744073709551615,"day":"2022-08-06",'
        '"seen":"2022-08-06T21:59:00Z","seen_utc":"2022-08-06T21:59:00Z","bytes":"AP9h",'
        '"items":[1,null,3],"pair":{"k":1,"t":"2022-08-06T21:59:00Z"},"shares":{"a":0.5}}\n'
        '{"n":null,"quoted":null,"empty":null,"lines":null,"x":null,"nan":null,"inf":null,'
        '"yes":null,"price":null,"big":null,"day":null,"seen":null,"seen_utc":null,"bytes":null,'
        '"items":null,"pair":null,"shares":null}\n'
    ),
    "markdown": (
        "| n | quoted | empty | lines | x | nan | inf | yes | price | big | day | seen "
        "| seen\\_utc | bytes | items | pair | shares |\n"
        "| --: | --- | --- | --- | --: | --: | --: | --- | --: | --: | --- | --- | --- | --- | ---"
        " | --- | --- |\n"
        '| 1 | a,b "c" |  | two\\\\nlines\\\\tx | 0.5 | nan | -inf | true | 1.50 '
        "| 18446744073709551615 | 2022-08-06 | 2022-08-06 21:59:00 | 2022-08-06 21:59:00+00 "
        "| \\\\x00\\\\xFFa | \\[1, NULL, 3\\] | \\{'k': 1, 't': '2022-08-06 21:59:00'\\} "
        "| \\{a=0.5\\} |\n"
        "|  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |  |\n"
    ),
}
GOLDEN["json"] = "[\n" + ",\n".join(GOLDEN["jsonl"].splitlines()) + "\n]\n"

# What stands in the prompts of strangers, and what must not reach a terminal as it is.
HOSTILE = {
    "[/bold] [red]x[/red] [link=http://x]y": "[/bold] [red]x[/red] [link=http://x]y",
    "\x1b[31mred\x1b]0;title\x07": r"\x1b[31mred\x1b]0;title\x07",
    "two\nlines\r\n": r"two\nlines\r\n",
    "carriage\rreturn": r"carriage\rreturn",
    "a\ttab, \"quoted\" and 'single'": r"""a\ttab, "quoted" and 'single'""",
    "nul\0inside": r"nul\0inside",
    "\u202eright to left\u2066": r"\u202eright to left\u2066",
    "\x7f\x85\x9b": r"\x7f\x85\x9b",
    "城の絵 \uff57ide": "城の絵 \uff57ide",
    "é 👩\u200d🎨 ❤️": "é 👩\u200d🎨 ❤️",
    "| <b>&amp;</b> \\ `code`": "| <b>&amp;</b> \\ `code`",
    " spaces around ": " spaces around ",
    "": "",
    "NULL": "NULL",
}


@pytest.fixture(autouse=True)
def dataset(tables: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DDB_DATA_DIR", str(tables))
    monkeypatch.setenv("DDB_DATASET", "2m")


@pytest.fixture
def corpus(dataset: None) -> Iterator[ddb_query.Corpus]:
    with ddb_query.open() as opened:
        yield opened


def in_file(result: ddb_query.Result, form: str, folder: Path, **options: int) -> bytes:
    path = folder / f"result.{ENDINGS[form]}"
    stdout.results([result], form, path, **options)
    return path.read_bytes()


@pytest.fixture
def both_ways(ddb: Callable[..., Ran], tmp_path: Path) -> Callable[[str, str], bytes]:
    """Write the rows of a SELECT to standard output and to a file: the bytes are the same."""

    def write(form: str, sql: str) -> bytes:
        path = tmp_path / f"zoo.{ENDINGS[form]}"
        printed = ddb("sql", "--format", form, stdin=sql.encode())
        written = ddb("sql", "--force", "-o", path, stdin=sql.encode())
        assert (printed.code, printed.err) == (written.code, written.err) == (0, "")
        assert written.out == b""
        assert path.read_bytes() == printed.out
        return printed.out

    return write


@pytest.mark.slow
@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "markdown"])
def test_every_text_format_has_these_bytes_in_a_file_and_on_standard_output(
    form: str, both_ways: Callable[[str, str], bytes]
) -> None:
    assert both_ways(form, ZOO).decode() == GOLDEN[form]


@pytest.mark.slow
def test_a_table_has_these_bytes_in_a_file_and_on_standard_output(
    both_ways: Callable[[str, str], bytes],
) -> None:
    assert both_ways("table", f"select n, quoted, empty, lines, x, seen from ({ZOO})").decode() == (
        "┌──────┬─────────┬───────┬───────────────┬──────┬─────────────────────┐\n"
        "│    n │ quoted  │ empty │ lines         │    x │ seen                │\n"
        "├──────┼─────────┼───────┼───────────────┼──────┼─────────────────────┤\n"
        '│    1 │ a,b "c" │       │ two\\nlines\\tx │  0.5 │ 2022-08-06 21:59:00 │\n'
        "│ NULL │ NULL    │ NULL  │ NULL          │ NULL │ NULL                │\n"
        "└──────┴─────────┴───────┴───────────────┴──────┴─────────────────────┘\n"
    )


def check_zoo(table: pa.Table) -> None:
    types = {field.name: str(field.type) for field in table.schema}
    assert types == {
        "n": "int32", "quoted": "string", "empty": "string", "lines": "string", "x": "double",
        "nan": "double", "inf": "float", "yes": "bool", "price": "decimal128(10, 2)",
        "big": "uint64", "day": "date32[day]", "seen": "timestamp[us]",
        "seen_utc": "timestamp[us, tz=UTC]", "bytes": "binary", "items": types["items"],
        "pair": "struct<k: int32, t: timestamp[us]>", "shares": types["shares"],
    }  # fmt: skip
    assert types["items"].startswith("list<")
    assert types["items"].endswith(": int32>")
    assert types["shares"].startswith("map<string, double")
    first, second = table.to_pylist()
    assert math.isnan(first.pop("nan"))
    assert set(second.values()) == {None}
    at = datetime.datetime(2022, 8, 6, 21, 59)
    assert first == {
        "n": 1, "quoted": 'a,b "c"', "empty": "", "lines": "two\nlines\tx", "x": 0.5,
        "inf": -math.inf, "yes": True, "price": decimal.Decimal("1.50"), "big": 2**64 - 1,
        "day": at.date(), "seen": at, "seen_utc": at.replace(tzinfo=datetime.UTC),
        "bytes": b"\x00\xffa", "items": [1, None, 3], "pair": {"k": 1, "t": at},
        "shares": [("a", 0.5)],
    }  # fmt: skip


@pytest.mark.slow
def test_parquet_keeps_every_type_for_every_reader(
    both_ways: Callable[[str, str], bytes], tmp_path: Path
) -> None:
    written = both_ways("parquet", ZOO)
    check_zoo(pq.read_table(io.BytesIO(written)))
    frame = pl.read_parquet(tmp_path / "zoo.parquet")
    assert frame.schema["seen"] == pl.Datetime("us")
    assert frame.schema["price"] == pl.Decimal(10, 2)
    assert frame["pair"].to_list()[0] == {"k": 1, "t": datetime.datetime(2022, 8, 6, 21, 59)}
    with duckdb.connect() as connection:
        kinds = connection.sql(f"describe from '{tmp_path / 'zoo.parquet'}'").fetchall()
    assert {name: kind for name, kind, *_ in kinds} == {
        "n": "INTEGER", "quoted": "VARCHAR", "empty": "VARCHAR", "lines": "VARCHAR", "x": "DOUBLE",
        "nan": "DOUBLE", "inf": "FLOAT", "yes": "BOOLEAN", "price": "DECIMAL(10,2)",
        "big": "UBIGINT", "day": "DATE", "seen": "TIMESTAMP",
        "seen_utc": "TIMESTAMP WITH TIME ZONE", "bytes": "BLOB", "items": "INTEGER[]",
        "pair": "STRUCT(k INTEGER, t TIMESTAMP)",
        "shares": "MAP(VARCHAR, DOUBLE)",
    }  # fmt: skip


@pytest.mark.slow
def test_arrow_is_an_ipc_file_that_keeps_every_type(
    both_ways: Callable[[str, str], bytes],
) -> None:
    written = both_ways("arrow", ZOO)
    assert written[:6] == b"ARROW1"
    check_zoo(pa.ipc.open_file(pa.BufferReader(written)).read_all())
    assert pl.read_ipc(written)["big"].to_list() == [
        2**64 - 1,
        None,
    ]


@pytest.mark.parametrize(
    "rows",
    [
        "(values (1::bigint), (null), (3)) as t(n)",
        "(select lag(i) over (order by i) from range(5000) as t(i)) as t(n)",
    ],
)
def test_arrow_holds_zeros_under_null_and_not_what_was_in_memory(
    rows: str, corpus: ddb_query.Corpus, tmp_path: Path
) -> None:
    result = corpus.sql(f"select n, [n] as items, {{'k': n}} as pair from {rows}")
    written = in_file(result, "arrow", tmp_path)
    batch = pa.ipc.open_file(pa.BufferReader(written)).get_batch(0)
    for column in (batch["n"], batch["items"].flatten(), batch["pair"].field("k")):
        _, values = column.buffers()
        kept = memoryview(values).cast("q")[: len(column)]
        assert column.null_count
        assert {value for value, held in zip(kept, column, strict=True) if not held.is_valid} == {0}


def hostile_sql() -> str:
    codes = (" || ".join(f"chr({ord(mark)})" for mark in text) or "''" for text in HOSTILE)
    rows = ", ".join(f"({place}, {text})" for place, text in enumerate(codes))
    return f"select prompt from (values {rows}) as hostile(place, prompt) order by place"


def test_prompts_are_exact_in_every_format_for_programs(
    corpus: ddb_query.Corpus, tmp_path: Path
) -> None:
    def written(form: str) -> bytes:
        return in_file(corpus.sql(hostile_sql()), form, tmp_path)

    rows = list(csv.reader(io.StringIO(written("csv").decode(), newline="")))
    assert [prompt for (prompt,) in rows] == ["prompt", *HOSTILE]
    rows = list(csv.reader(io.StringIO(written("tsv").decode(), newline=""), delimiter="\t"))
    assert [prompt for (prompt,) in rows] == ["prompt", *HOSTILE]
    assert json.loads(written("json")) == [{"prompt": prompt} for prompt in HOSTILE]
    lines = written("jsonl").decode().split("\n")
    assert [json.loads(line)["prompt"] for line in lines if line] == list(HOSTILE)
    assert pl.read_parquet(written("parquet"))["prompt"].to_list() == list(HOSTILE)
    assert pl.read_ipc(written("arrow"))["prompt"].to_list() == list(HOSTILE)


def test_prompts_are_verbatim_in_a_table_with_controls_as_escapes(ddb: Callable[..., Ran]) -> None:
    ran = ddb("sql", stdin=hostile_sql().encode())
    assert (ran.code, ran.err) == (0, "")
    lines = ran.text.split("\n")[3:-2]
    assert [line[2:-2].rstrip(" ") for line in lines] == [
        shown.rstrip(" ") for shown in HOSTILE.values()
    ]


def test_a_column_name_is_text_as_well(corpus: ddb_query.Corpus, tmp_path: Path) -> None:
    sql = 'select 1 as "a,b", 2 as "say ""hi""", 3 as "two\nlines", 4 as "[red]\x1b"'
    assert in_file(corpus.sql(sql), "csv", tmp_path) == (
        b'"a,b","say ""hi""","two\nlines",[red]\x1b\n1,2,3,4\n'
    )
    assert json.loads(in_file(corpus.sql(sql), "json", tmp_path)) == [
        {"a,b": 1, 'say "hi"': 2, "two\nlines": 3, "[red]\x1b": 4}
    ]
    assert pl.read_parquet(in_file(corpus.sql(sql), "parquet", tmp_path)).columns == [
        "a,b", 'say "hi"', "two\nlines", "[red]\x1b",
    ]  # fmt: skip
    table = in_file(corpus.sql(sql), "table", tmp_path).decode()
    assert table.splitlines()[1] == r'│ a,b │ say "hi" │ two\nlines │ [red]\x1b │'


@pytest.mark.slow
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_text_is_utf8_whatever_the_locale(ddb: Callable[..., Ran], encoding: str) -> None:
    ran = ddb(
        "sql", "select $word as wört, '城' as b", "-p", "word=ünï",
        LC_ALL="C", PYTHONIOENCODING=encoding, PYTHONUTF8="0", PYTHONCOERCECLOCALE="0",
    )  # fmt: skip
    assert (ran.code, ran.err) == (0, "")
    assert ran.text.splitlines()[1:4:2] == ["│ wört │ b  │", "│ ünï  │ 城 │"]


@pytest.mark.parametrize("form", ENDINGS)
def test_repeated_column_names_are_told_apart_whatever_their_case(
    form: str, corpus: ddb_query.Corpus, tmp_path: Path
) -> None:
    sql = 'select 1 as a, 2 as A, 3 as a, 4 as b, 5 as b, 6 as "B_1"'
    written = in_file(corpus.sql(sql), form, tmp_path)
    names = ["a", "A_1", "a_2", "b", "b_2", "B_1"]
    match form:
        case "parquet":
            assert pq.read_table(io.BytesIO(written)).column_names == names
        case "arrow":
            assert pa.ipc.open_file(pa.BufferReader(written)).schema.names == names
        case "json" | "jsonl":
            assert list(json.loads(written.decode().strip("[]\n"))) == names
        case _:
            marks = str.maketrans("│|,", "   ", "┌┐─\\")
            line = written.decode().splitlines()[1 if form == "table" else 0]
            assert line.translate(marks).split() == names


def test_a_result_without_rows_has_its_columns_in_every_format(
    corpus: ddb_query.Corpus, tmp_path: Path
) -> None:
    def written(form: str) -> bytes:
        return in_file(corpus.sql("select 1 as a, 'x' as b where false"), form, tmp_path)

    assert written("table").decode() == "┌───┬───┐\n│ a │ b │\n├───┼───┤\n└───┴───┘\n"
    assert written("markdown") == b"| a | b |\n| --: | --- |\n"
    assert written("csv") == b"a,b\n"
    assert written("tsv") == b"a\tb\n"
    assert written("json") == b"[]\n"
    assert written("jsonl") == b""
    for table in (
        pq.read_table(io.BytesIO(written("parquet"))),
        pa.ipc.open_file(pa.BufferReader(written("arrow"))).read_all(),
    ):
        assert [(field.name, str(field.type)) for field in table.schema] == [
            ("a", "int32"), ("b", "string"),
        ]  # fmt: skip
        assert table.num_rows == 0


def test_json_holds_every_kind_of_value(corpus: ddb_query.Corpus, tmp_path: Path) -> None:
    values: dict[str, Any] = {
        "'nan'::float": None,
        "[1.5::double, 'nan'::double, 'inf'::double]": [1.5, None, None],
        "[]::integer[]": [],
        "[[1, 2], null]": [[1, 2], None],
        "{'a b': {'c': ['x\"y']}}": {"a b": {"c": ['x"y']}},
        "map {1: 'x', 2: null}": {"1": "x", "2": None},
        "array_value(1, 2)": [1, 2],
        "'{\"a\": [1]}'::json": {"a": [1]},
        "timestamp '2022-08-06 21:59:00.123456'": "2022-08-06T21:59:00.123456Z",
        "timestamp_s '2022-08-06 21:59:00'": "2022-08-06T21:59:00Z",
        "timestamp_ns '2022-08-06 21:59:00.123456789'": "2022-08-06T21:59:00.123456789Z",
        "timestamp 'infinity'": "infinity",
        "date '2022-08-06'": "2022-08-06",
        "time '21:59:00'": "21:59:00",
        "interval 90 minutes": "01:30:00",
        "''::blob": "",
        "'\\xFF\\x00'::blob": base64.b64encode(b"\xff\x00").decode(),
        "uuid '00000000-0000-4000-8000-00000000000a'": "00000000-0000-4000-8000-00000000000a",
        "170141183460469231731687303715884105727::hugeint": 2**127 - 1,
        "'c'::enum('b', 'c')": "c",
        "1e300::double": 1e300,
        "1e-7::double": 1e-7,
        "0.1::float": 0.1,
        "-0.5::decimal(3, 2)": -0.5,
        "'\\u2028 \\ / \x01'": "\\u2028 \\ / \x01",
    }
    columns = ", ".join(f"{sql} as c{place}" for place, sql in enumerate(values))
    (found,) = json.loads(in_file(corpus.sql(f"select {columns}"), "json", tmp_path))
    assert dict(zip(values, found.values(), strict=True)) == values


def test_csv_tells_null_from_the_empty_text(corpus: ddb_query.Corpus, tmp_path: Path) -> None:
    sql = "select * from (values (null, '', 'x'), ('NULL', null, '')) as t(a, b, c)"
    assert in_file(corpus.sql(sql), "csv", tmp_path) == b'a,b,c\n,"",x\nNULL,,""\n'


@pytest.mark.parametrize("form", ["csv", "json", "jsonl", "parquet", "arrow"])
def test_many_batches_arrive_whole_and_in_order(
    form: str, corpus: ddb_query.Corpus, tmp_path: Path
) -> None:
    rows = 250_000
    written = in_file(corpus.sql(f"select i from range({rows}) as t(i)"), form, tmp_path)
    match form:
        case "csv":
            found = [int(line) for line in written.split()[1:]]
        case "json":
            found = [row["i"] for row in json.loads(written)]
        case "jsonl":
            found = [json.loads(line)["i"] for line in written.splitlines()]
        case "parquet":
            found = pl.read_parquet(written)["i"].to_list()
        case _:
            found = pl.read_ipc(written)["i"].to_list()
    assert found == list(range(rows))


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("x.csv", "csv"), ("x.tsv", "tsv"), ("x.json", "json"), ("x.jsonl", "jsonl"),
        ("x.ndjson", "jsonl"), ("x.md", "markdown"), ("x.parquet", "parquet"),
        ("x.arrow", "arrow"), ("x.feather", "arrow"), ("x.txt", "table"), ("X.CSV", "csv"),
        ("a.b.parquet", "parquet"),
    ],
)  # fmt: skip
def test_the_ending_of_a_file_says_the_format(name: str, form: str, tmp_path: Path) -> None:
    assert stdout.format_for(tmp_path / name, None) == form
    assert stdout.format_for(tmp_path / name, "csv") == "csv"


@pytest.mark.parametrize("name", ["x", "x.xlsx", ".csv", "x.csv.gz"])
def test_an_ending_that_says_nothing_is_an_error(name: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        stdout.format_for(tmp_path / name, None)
    assert caught.value.message == f"cannot tell a format from the ending of {name}"
    assert "--format" in (caught.value.hint or "")
    assert stdout.format_for(tmp_path / name, "json") == "json"


def test_without_a_file_and_a_format_a_result_is_a_table() -> None:
    assert stdout.format_for(None, None) == "table"


@pytest.mark.parametrize("form", TEXT_FORMATS)
def test_text_ends_with_one_newline_and_holds_no_carriage_return(
    form: str, corpus: ddb_query.Corpus, tmp_path: Path
) -> None:
    written = in_file(corpus.sql("select 1 as a, 'x' as b"), form, tmp_path)
    assert written.endswith(b"\n")
    assert not written.endswith(b"\n\n")
    assert b"\r" not in written
