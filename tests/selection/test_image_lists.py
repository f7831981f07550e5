"""Lists of images as people have them: what is read, what is refused, and what is told."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import json
import lzma
import os
import zipfile
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import feather

import ddb_query
from ddb_query.errors import BadListError, DdbError, MissingNamesWarning, UnknownNamesError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from conftest import Ran

    from ddb_query.api.corpus import Corpus

NOBODY = "00000000-0000-4000-8000-000000000000.png"


@pytest.fixture(scope="module")
def names(tables: Path) -> list[str]:
    found: list[str] = pq.read_table(tables / "metadata.parquet")["image_name"].to_pylist()[:10]
    return found


def lines(header: str, rows: Sequence[str], end: str = "\n") -> str:
    return end.join([header, *rows, ""])


TEXTS: dict[str, Callable[[list[str]], str | bytes]] = {
    "a column": lambda n: lines("image_name", n),
    "no header": "\n".join,
    "no header, other columns": lambda n: "\n".join(f"5,{name},good" for name in n),
    "a header in capitals with spaces": lambda n: lines(" Image Name , x", [f"{i} , a" for i in n]),
    "ids": lambda n: lines("id,rating", [f"{name[:-4]},5" for name in n]),
    "paths": lambda n: lines("path", [f"images/part-000001/{name}" for name in n]),
    "paths with commas": lambda n: "\n".join(f"/home/me, and you/{name}" for name in n),
    "paths of Windows": lambda n: lines("file;x", [f"C:\\a, b\\{name};1" for name in n], "\r\n"),
    "capitals": lambda n: lines("image_name", [name.upper() for name in n]),
    "other endings": lambda n: lines("filename", [name.replace(".png", ".jpg.txt") for name in n]),
    "each twice": lambda n: lines("image_name", [*n, *(name[:-4] for name in n)]),
    "blank lines, empty names": lambda n: lines("image_name,x", ["", *[f"{i}," for i in n], ","]),
    "an index of pandas": lambda n: lines(",image_name", [f"{i},{x}" for i, x in enumerate(n)]),
    "semicolons": lambda n: lines("image_name;text", [f"{name};a, b" for name in n], "\r\n"),
    "tabs": lambda n: lines("image_name\ttext", [f"{name}\ta, b; c" for name in n]),
    "the delimiter said": lambda n: lines("sep=|", ["id|x", *[f"{i}|a,b" for i in n]], "\r\n"),
    "carriage returns": lambda n: lines("image_name,x", [f"{name},a" for name in n], "\r"),
    "UTF-8 with its mark": lambda n: lines("id,x", [f"{i},é" for i in n]).encode("utf-8-sig"),
    "UTF-16": lambda n: lines("image_name\tx", [f"{i}\té" for i in n], "\r\n").encode("utf-16"),
    "UTF-16 without a mark": lambda n: lines("id", n).encode("utf-16-le"),
    "the other UTF-16": lambda n: lines("id", n).encode("utf-16-be"),
    "two kinds of line ends": lambda n: lines("id,x", [f"{n[0]},a\r", *[f"{i},a" for i in n[1:]]]),
    "a list": json.dumps,
    "a list over many lines": lambda n: json.dumps(n, indent=2),
    "objects": lambda n: json.dumps([{"prompt": "x", "file_name": name} for name in n]),
    "objects a line": lambda n: "\n".join(json.dumps({"image_name": i, "x": "é"}) for i in n),
    "names a line": lambda n: "\n".join(json.dumps(name) for name in n),
    "a part's JSON": lambda n: json.dumps({name: {"p": "x", "se": 1} for name in n}, indent=1),
    "columns of pandas": lambda n: json.dumps({"x": {"0": 1}, "id": dict(enumerate(n))}),
    "columns of lists": lambda n: json.dumps({"image_name": n, "x": [1] * len(n)}),
    "JSON in UTF-16": lambda n: json.dumps(n).encode("utf-16"),
    "gzip": lambda n: gzip.compress(lines("image_name", n).encode()),
    "gzip of JSON": lambda n: gzip.compress(json.dumps(n).encode()),
    "bzip2": lambda n: bz2.compress(lines("image_name", n).encode()),
    "xz": lambda n: lzma.compress("\n".join(n).encode()),
    "zstd": lambda n: pa.compress(lines("id", n).encode(), codec="zstd", asbytes=True),
}  # fmt: skip


@pytest.mark.parametrize("ending", [".csv", ".anything"])
@pytest.mark.parametrize("form", TEXTS)
def test_a_text_is_read_by_what_is_in_it_whatever_its_name(
    form: str, ending: str, corpus: Corpus, names: list[str], tmp_path: Path
) -> None:
    content = TEXTS[form](names)
    file = tmp_path / f"list{ending}"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    selection = corpus.select(subset=file)
    assert (selection.count(), selection.missing) == (10, 0)


def tables_of(names: list[str]) -> dict[str, pa.Table]:
    text = pa.array(names)
    return {
        "text": pa.table({"x": range(10), "image_name": text}),
        "binary": pa.table({"image_name": text.cast(pa.binary())}),
        "categories": pa.table({"file_name": text.dictionary_encode()}),
        "large text": pa.table({"id": text.cast(pa.large_string())}),
    }


def file_of(table: pa.Table, path: Path) -> Path:
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".feather":
        feather.write_feather(table, str(path), compression="lz4")
    else:
        new = pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as sink, new(sink, table.schema) as writer:
            writer.write_table(table)
    return path


@pytest.mark.parametrize("kind", ["text", "binary", "categories", "large text"])
@pytest.mark.parametrize("ending", [".parquet", ".feather", ".arrow", ".arrows"])
def test_a_table_of_any_kind_is_read(
    ending: str, kind: str, corpus: Corpus, names: list[str], tmp_path: Path
) -> None:
    file = file_of(tables_of(names)[kind], tmp_path / f"list{ending}")
    assert corpus.select(subset=file).count() == 10
    assert corpus.select(subset=file.rename(tmp_path / "list.csv")).count() == 10


@pytest.mark.parametrize("form", ["parquet", "csv", "tsv", "jsonl", "json", "arrow"])
def test_what_an_export_writes_is_a_list_of_images(
    form: str, corpus: Corpus, tmp_path: Path
) -> None:
    corpus.select(limit=20, match="castle").export(tmp_path / f"x.{form}")
    found = corpus.select(subset=tmp_path / f"x.{form}")
    assert (found.count(), found.missing) == (20, 0)


def written(rows: Sequence[tuple[str, str]], **how: Any) -> str:
    sink = io.StringIO()
    writer = csv.writer(sink, lineterminator="\n", **how)
    writer.writerow(("image_name", "prompt"))
    writer.writerows(rows)
    return sink.getvalue()


# The value of all rows but the last, that of the last, and how they are written.
PROMPTS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "a quote at the end": ("castle", 'a "quoted", one', {}),
    "a line break at the end": ("castle", "two\nlines", {}),
    "line breaks": ('two\r\nlines, "more"', "x", {}),
    "quotes alone": ('"', '"', {}),
    "a quote and a comma": ("a", '",', {}),
    "other delimiters": ("a; b\tc | d", "x", {}),
    "a hash": ("#nofilter", "x", {}),
    "a backslash at the end": ("c:\\art\\", "x\\", {}),
    "a backslash before each mark": (
        'say "hi", ok\\', '"', {"escapechar": "\\", "doublequote": False}
    ),
    "no quotes but backslashes": ("a, b", "x", {"escapechar": "\\", "quoting": csv.QUOTE_NONE}),
    "backslashes and doubled quotes": ('c:\\"x"\\', "x", {"escapechar": "\\"}),
    "apostrophes": ("'tis a castle, isn't it", "'", {}),
    "long ones": ("word " * 400, "x", {}),
    "empty ones": ("", "", {}),
    "all in quotes": ("a", "b", {"quoting": csv.QUOTE_ALL}),
}  # fmt: skip


@pytest.mark.parametrize("kind", PROMPTS)
def test_the_dialect_does_not_depend_on_the_rows(
    kind: str, corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    everyone = pq.read_table(tables / "metadata.parquet")["image_name"].to_pylist()
    most, last, how = PROMPTS[kind]
    rows = [*((name, most) for name in everyone[:-1]), (everyone[-1], last)]
    (tmp_path / "x.csv").write_bytes(written(rows, **how).encode())
    assert corpus.select(subset=tmp_path / "x.csv").count() == len(everyone)


A = "aaaaaaaa-0000-4000-8000-000000000000.png"
BAD: dict[str, tuple[str | bytes, str]] = {
    "a value too many": (
        f"id,x\n{A},1\n\n{A},1,extra\n",
        "line 4, column 3: a value too many, 'extra'; the header has 2 columns",
    ),
    "a value too few": (
        f"id,prompt\n{A}\n",
        "line 2, no value for column prompt; the header has 2 columns",
    ),
    "no header, a value too many": (
        f"{A},1\n{A},1,2\n",
        "line 2, column 3: a value too many, '2'; the first row has 2",
    ),
    "a quote that is not closed": (
        f'id,prompt\n{A},x\n{A},"a\nb\n',
        "line 3, column prompt: a quote is not closed",
    ),
    "text after a quote": (
        f'id,prompt\n{A},"two\nlines"\n{A},"a" b\n',
        "line 4, column prompt: text after the quote",
    ),
    "text after a quote below sep=": (
        f'sep=;\nid;p\n{A};"a" b\n',
        "line 3, column p: text after the quote",
    ),
    "Latin-1": (
        f"id,prompt\n{A},x\n{A},café\n".encode("latin-1"),
        "line 3, column prompt: byte 0xE9 is not UTF-8",
    ),
    "NUL": (f"id,prompt\n{A},a\0b\n", "line 2, character 43: a NUL"),
    "half of UTF-16": ("id\nx".encode("utf-16")[:-1], "not UTF-16 text"),
    "no column of names": ("title,prompt\na,b\n", "no column of image names among title, prompt"),
    "two columns of names": ("id,x,ID\na,b,c\n", "2 columns called id"),
    "nothing": ("", "it names no image"),
    "a header alone": ("image_name\n", "it names no image"),
    "half of an object": ('{"image_name": ', "line 1, character"),
    "a line that is no JSON": (f'{{"id": "{A}"}}\n{{"id"\n', "line 2, character 6: not JSON"),
    "objects without names": ('[{"id": "x"}, {"title": 5}]', "value 2: no image names among title"),
    "numbers": ('{"id": 5}', "the JSON, id: 5 is no name|line 1, id: 5 is no name"),
    "deep JSON": ("[" * 100_000, "nested too deep"),
    "half a character": ('["\\ud800"]', "half a character"),
    "a spreadsheet": (b"PK\x03\x04xxxxxxxx", "a spreadsheet program's own file"),
    "half of gzip": (gzip.compress(b"id\n" + b"a" * 5000)[:-9], "end-of-stream"),
    "bad gzip": (b"\x1f\x8b\x08\0\0\0\0\0\0\xff" + b"\xff" * 50, "cannot read image names"),
    "half of arrow": (b"ARROW1\0\0xxxx", "damaged, or not whole"),
    "half of parquet": (b"PAR1xxxx", "cannot read image names"),
}  # fmt: skip


@pytest.mark.parametrize("kind", BAD)
def test_what_is_wrong_with_a_list_is_told_with_its_place(
    kind: str, corpus: Corpus, tmp_path: Path
) -> None:
    content, words = BAD[kind]
    file = tmp_path / "list.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(BadListError, match=words) as told:
        corpus.select(subset=file).count()
    assert (told.value.exit_code, "\n" in told.value.message) == (2, False)


def test_files_that_cannot_be_read_are_told(corpus: Corpus, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    (tmp_path / "empty").mkdir()
    zipfile.ZipFile(tmp_path / "x.zip", "w").close()
    for name in ("pipe.csv", "empty", "x.zip", "none.csv"):
        with pytest.raises(DdbError) as told:
            corpus.select(subset=tmp_path / name).count()
        assert told.value.exit_code == 2


def test_names_that_are_missing_are_counted_and_shown(
    corpus: Corpus, names: list[str], tmp_path: Path
) -> None:
    odd = ["') or true --", "x" * 500, NOBODY, NOBODY.upper(), "../" + NOBODY[:-4], "y.png"]
    (tmp_path / "x.txt").write_text("\n".join([*names[:3], *odd]))
    selection = corpus.select(subset=tmp_path / "x.txt")
    with pytest.warns(MissingNamesWarning, match="4 of the 7 images in .*x.txt are not in") as told:
        assert selection.count() == 3
    assert selection.missing == 4
    assert len(str(told[0].message)) < 400


def test_a_table_that_holds_a_name_twice_lacks_none_for_it(
    tables: Path, names: list[str], tmp_path: Path
) -> None:
    table = pq.read_table(tables / "metadata.parquet")
    pq.write_table(pa.concat_tables([table, table.slice(0, 3)]), tmp_path / "metadata.parquet")
    (tmp_path / "known.txt").write_text("\n".join(names[:3]))
    (tmp_path / "unknown.txt").write_text("\n".join([*names[:3], "x.png", "y.png", "z.png"]))
    with ddb_query.open("2m", data_dir=tmp_path) as twice:
        assert twice.select(subset=tmp_path / "known.txt").missing == 0
        with pytest.warns(MissingNamesWarning, match="3 of the 6"):
            assert twice.select(subset=tmp_path / "unknown.txt").missing == 3


def test_names_that_a_table_spells_in_its_own_way_are_found_as_they_are_written(
    tables: Path, tmp_path: Path
) -> None:
    table = pq.read_table(tables / "metadata.parquet").slice(0, 4)
    own = ["a.png", "b", "ABCDEF01-0000-4000-8000-00000000000A.PNG", "c/d.webp"]
    pq.write_table(table.set_column(0, "image_name", pa.array(own)), tmp_path / "metadata.parquet")
    (tmp_path / "list.txt").write_text("\n".join(own))
    with ddb_query.open("2m", data_dir=tmp_path) as opened:
        assert opened.select(subset=tmp_path / "list.txt").count() == 4


def test_a_list_of_which_nothing_is_known_shows_a_name_of_either_side(
    corpus: Corpus, tables: Path, tmp_path: Path
) -> None:
    (tmp_path / "x.csv").write_text("id\n1\n2\n")
    first = min(pq.read_table(tables / "metadata.parquet")["image_name"].to_pylist())
    with pytest.raises(UnknownNamesError, match="none of the 2 images") as told:
        corpus.select(subset=tmp_path / "x.csv").export(tmp_path / "x.parquet")
    assert f"for example, 1, and the dataset, for example, {first}" in told.value.message
    assert told.value.exit_code == 4
    assert not (tmp_path / "x.parquet").exists()


def test_a_list_is_the_same_list_in_another_spelling(
    corpus: Corpus, names: list[str], tmp_path: Path
) -> None:
    (tmp_path / "a.csv").write_text(lines("image_name", names))
    (tmp_path / "b.json").write_text(json.dumps([name[:-4].upper() for name in names]))
    one, other = (corpus.select(subset=tmp_path / name) for name in ("a.csv", "b.json"))
    assert one.names_hash == other.names_hash


def test_the_sql_of_a_list_holds_its_names(
    corpus: Corpus, tables: Path, names: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import duckdb

    (tmp_path / "a.txt").write_text("\n".join(name[:-4] for name in names))
    sql = corpus.select(subset=tmp_path / "a.txt").plain_sql(columns=["image_name"])
    monkeypatch.chdir(tables)
    with duckdb.connect() as connection:
        found = connection.sql(sql)
        assert found is not None
        assert sorted(row[0] for row in found.fetchall()) == sorted(names)


COMMANDS: dict[str, list[str]] = {
    "export": ["export", "-o", "x.csv", "--from", "l.txt"],
    "count": ["export", "--print", "count", "--from", "l.txt"],
    "sql": ["export", "--print", "sql", "--from", "l.txt"],
    "plan": ["fetch", "--plan", "--from", "l.txt"],
    "fetch": ["fetch", "-o", "images", "--yes", "--from", "l.txt"],
    "report": ["report", "--section", "cost", "--from", "l.txt"],
    "report of the others": ["report", "--section", "cost", "--sampler", "plms", "--vs", "l.txt"],
    "report, other options": ["report", "--section", "cost", "--vs", "--from l.txt"],
    "search": ["search", "castle", "--images", "--from", "l.txt"],
    "search for a count": ["search", "castle", "--count", "--from", "l.txt"],
    "shell export": [".export x.csv from=l.txt"],
    "shell report": [".report x.md from=l.txt"],
    "shell fetch": [".fetch images subset=l.txt"],
    "shell report of a result": [
        "select column0 as image_name from read_csv('l.txt', header = false);\n.report x.md"
    ],
}


@pytest.fixture(scope="module")
def made_up(tmp_path_factory: pytest.TempPathFactory, demo_cache: Path) -> list[str]:
    """Names of images of the demo dataset."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_DATA_DIR", str(tmp_path_factory.mktemp("data")))
        patch.setenv("DDB_CACHE_DIR", str(demo_cache))
        with ddb_query.open("demo") as corpus:
            sql = "select image_name from images where not image_blurred limit 5"
            return [row[0] for row in corpus.sql(sql).rows()]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_that_takes_a_list_tells_what_is_not_there_and_ends_in_4(
    command: str, ddb: Callable[..., Ran], made_up: list[str], tmp_path: Path
) -> None:
    (tmp_path / "l.txt").write_text("\n".join([*made_up, NOBODY, "x.png"]))
    args = COMMANDS[command]
    shell = args[0].startswith((".", "select"))
    if shell:
        ran = ddb("--dataset", "demo", "-q", stdin=f"{args[0]}\n".encode())
    else:
        ran = ddb("--dataset", "demo", "-q", *args)
    assert ran.code == 4, ran.err
    assert "2 of the 7 images in" in ran.err
    assert "not in dataset demo" in ran.err


def test_a_command_that_fails_tells_what_is_not_there_all_the_same(
    ddb: Callable[..., Ran], made_up: list[str], tmp_path: Path
) -> None:
    (tmp_path / "l.txt").write_text("\n".join([*made_up, NOBODY]))
    ran = ddb(
        "--dataset", "demo", "export", "--from", "l.txt", "--order-by", "1 // (seed - seed)",
        "-o", "x.csv",
    )  # fmt: skip
    assert ran.code == 1
    assert "note: 1 of the 6 images in l.txt is not in dataset demo" in ran.err
