"""A canned query's file: what its header means, what breaks it and on which line; the library."""

from __future__ import annotations

import contextlib
import datetime
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ddb_query.errors import ParameterError, QueryFileError, UnknownQueryError, UsageError
from ddb_query.queries.canned_query import RESERVED_PARAMETERS, CannedQuery, Parameter, parse
from ddb_query.queries.library import QueryLibrary, sql_folder
from ddb_query.util.sql_tokens import tokens

if TYPE_CHECKING:
    from collections.abc import Callable

HEADER = "-- name: mine\n-- description: My own.\n"
FILE = Path("mine.sql")
KEYS = "choices, column, description, example, help, limit, maximum, minimum, name, param"
AMENDS = "help, choices, minimum and maximum follow the param they are about"
DESCRIBES = "a column is described as `-- column: name: meaning`"
IN_BERLIN = datetime.timezone(datetime.timedelta(hours=2))


def mine(text: str) -> CannedQuery:
    return parse("mine", text, FILE)


def test_every_key_of_a_header_is_read() -> None:
    query = mine(
        "-- name: mine\n"
        "-- description: Images per user: all of them.\n"
        "-- param: user text\n"
        "-- help: The user's name.\n"
        "-- param: grain text = day\n"
        "-- choices: hour, day\n"
        "-- limit: 20\n"
        "-- column: images: how many: all counted\n"
        "-- example: ddb run mine --user x\n"
        "-- example: ddb run mine --user y\n"
        "\n"
        "select $user as user_name, $grain as grain, 1 as images;\n"
    )
    assert query == CannedQuery(
        name="mine",
        path=FILE,
        sql="select $user as user_name, $grain as grain, 1 as images",
        description="Images per user: all of them.",
        parameters=(
            Parameter("user", "text", help="The user's name."),
            Parameter("grain", "text", required=False, default="day", choices=("hour", "day")),
        ),
        limit=20,
        columns=(("images", "how many: all counted"),),
        examples=("ddb run mine --user x", "ddb run mine --user y"),
    )


@pytest.mark.parametrize(
    ("declared", "default"),
    [
        ("text = a castle", "a castle"),
        ("text = it's [x] %d", "it's [x] %d"),
        ("text =", ""),
        ("text = null", None),
        ("integer = -3", -3),
        ("float = 0.2", 0.2),
        ("float = 1e300", 1e300),
        ("boolean = true", True),
        ("boolean = no", False),
        ("date = 2022-08-06", datetime.date(2022, 8, 6)),
        ("timestamp = 2022-08-06 21:59", datetime.datetime(2022, 8, 6, 21, 59)),
        ("timestamp = 2022-08-06T23:59+02:00", datetime.datetime(2022, 8, 6, 21, 59)),
        ("integer=5", 5),
    ],
)
def test_a_default_has_the_type_of_its_parameter(declared: str, default: object) -> None:
    query = mine(f"{HEADER}-- param: x {declared}\nselect $x as x\n")
    (parameter,) = query.parameters
    assert (parameter.required, parameter.default) == (False, default)
    assert query.values({}) == {"x": default}


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_windows_line_ends_make_no_difference(newline: str) -> None:
    text = f"{HEADER}select 1 as a\nfrom images\n".replace("\n", newline)
    assert mine(text).sql == "select 1 as a\nfrom images"


def test_only_the_line_ends_of_a_text_file_end_a_line() -> None:
    assert mine(HEADER + "select '\u2028\x0b\x85' as a").sql == "select '\u2028\x0b\x85' as a"


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("select 1", 1, "name must be the file's stem, mine"),
        ("-- name: other\n-- description: x\nselect 1", 1, "name must be the file's stem, mine"),
        ("-- name: mine\nselect 1", 1, "description is missing"),
        (HEADER + "-- a remark\nselect 1", 3, "a header line is `-- key: value`"),
        (HEADER + "--\nselect 1", 3, "a header line is `-- key: value`"),
        (
            HEADER + "-- colour: red\nselect 1",
            3,
            f"unknown key colour; known are {KEYS}",
        ),
        (
            HEADER + "-- param: x\nselect $x",
            3,
            "a parameter is `-- param: name type` or `-- param: name type = default`",
        ),
        (HEADER + "-- param: X text\nselect $X", 3, "parameter X: names are snake_case"),
        (
            HEADER + "-- param: x number\nselect $x",
            3,
            (
                "parameter x: type number is not one of"
                " text, integer, float, boolean, date, timestamp, user"
            ),
        ),
        (
            HEADER + "-- param: x integer = many\nselect $x",
            3,
            "parameter x: the default many is not an integer",
        ),
        (
            HEADER + "-- param: x date = 2022-13-01\nselect $x",
            3,
            "parameter x: the default 2022-13-01 is not a date",
        ),
        (
            HEADER + "-- param: x boolean = maybe\nselect $x",
            3,
            "parameter x: the default maybe is not a boolean",
        ),
        (
            HEADER + "-- param: x text\n-- param: x text\nselect $x",
            4,
            "parameter x is declared twice",
        ),
        (
            HEADER + "-- param: x boolean\n-- param: no_x text\nselect $x, $no_x",
            4,
            "parameter no_x: another one has the option --no-x",
        ),
        (
            HEADER + "-- param: x text = c\n-- choices: a, b\nselect $x",
            4,
            "the default c is not one of the choices",
        ),
        (HEADER + "-- choices: a, b\nselect 1", 3, AMENDS),
        (HEADER + "-- help: Me.\nselect 1", 3, AMENDS),
        (HEADER + "-- minimum: 1\nselect 1", 3, AMENDS),
        (
            HEADER + "-- param: x integer\n-- minimum: few\nselect $x",
            4,
            "few is not a number",
        ),
        (
            HEADER + "-- param: x text\n-- minimum: 1\nselect $x",
            4,
            "a minimum is for an integer or a float",
        ),
        (
            HEADER + "-- param: x integer = 0\n-- minimum: 1\nselect $x",
            4,
            "the default 0 is below the minimum",
        ),
        (
            HEADER + "-- param: x float = 2\n-- maximum: 1\nselect $x",
            4,
            "the default 2.0 is above the maximum",
        ),
        (
            HEADER + "-- param: x float = inf\nselect $x",
            3,
            "parameter x: the default inf is not a float",
        ),
        (
            HEADER + "-- param: x float = nan\nselect $x",
            3,
            "parameter x: the default nan is not a float",
        ),
        (HEADER + "-- limit: ten\nselect 1", 3, "limit is a number of rows, or `N per column`"),
        (HEADER + "-- limit: 0\nselect 1", 3, "limit is a number of rows, or `N per column`"),
        (HEADER + "-- limit: 5 per k\nselect 1", 3, "parameter limit is declared but not used"),
        (HEADER + "-- limit: 5\nselect $limit", 4, "$limit is not declared by a param"),
        (HEADER + "-- column: a\nselect 1", 3, DESCRIBES),
        (
            HEADER + "-- param: x text\n-- param: y text\nselect $x",
            4,
            "parameter y is declared but not used",
        ),
        (HEADER + "-- param: x text\nselect '$x'", 3, "parameter x is declared but not used"),
        (HEADER + "-- param: x text\nselect 1 /* $x */", 3, "parameter x is declared but not used"),
        (HEADER + "\n\nselect 1,\n  $y", 6, "$y is not declared by a param"),
        (HEADER + "\nselect 1\n;\nselect 2", 5, "one statement only"),
        (HEADER + "select 1\nfrom images\nlimit 5", 5, "no limit of its own: say `-- limit: N`"),
        (HEADER, 3, "below the header stands one SELECT"),
        (HEADER + "\n/* nothing */\n", 3, "below the header stands one SELECT"),
        (HEADER + "drop table metadata", 3, "below the header stands one SELECT"),
    ],
)  # fmt: skip
def test_a_broken_file_is_an_error_that_names_file_line_and_problem(
    text: str, line: int, problem: str
) -> None:
    with pytest.raises(QueryFileError) as caught:
        mine(text)
    assert (caught.value.path, caught.value.line, caught.value.problem) == (FILE, line, problem)
    assert caught.value.message == f"mine.sql:{line}: {problem}"
    assert caught.value.hint
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("name", sorted(RESERVED_PARAMETERS))
def test_a_parameter_may_not_be_named_like_an_option_of_every_command(name: str) -> None:
    with pytest.raises(QueryFileError, match=f"parameter {name}: an option of every command"):
        mine(f"{HEADER}-- param: {name} text\nselect ${name}")


def test_every_option_of_every_command_is_reserved() -> None:
    from ddb_query.cli._options import common_parameters

    assert {parameter.name for parameter in common_parameters()} <= RESERVED_PARAMETERS


@pytest.mark.parametrize("stem", ["Mine", "my_query", "-mine", "mine-", "1st", "a--b", ""])
def test_a_query_is_named_in_kebab_case(stem: str) -> None:
    with pytest.raises(QueryFileError, match=r"named like `my-query\.sql`"):
        parse(stem, f"-- name: {stem}\n-- description: x\nselect 1", FILE)


@pytest.mark.parametrize(
    "body",
    [
        "with recent as (from images limit 5) select * from recent",
        "from images",
        "SELECT 'a limit; of $y' AS a, \"limit\", $$ ; limit $z $$ -- limit $w;",
        "select e'it\\'s; $y' as a",
        "/* drop; */ select 1;",
        "select 1; -- the end",
    ],
)
def test_limits_semicolons_and_parameters_in_texts_comments_and_brackets_are_no_matter(
    body: str,
) -> None:
    assert mine(f"{HEADER}\n{body}").name == "mine"


@given(st.text())
@settings(max_examples=100, deadline=None)
def test_whatever_a_file_holds_it_is_a_query_or_a_named_error(text: str) -> None:
    with contextlib.suppress(QueryFileError):
        assert mine(HEADER + text).name == "mine"


@given(st.text(alphabet="ab$'\"-/*\n();eE\\ "))
@settings(max_examples=100, deadline=None)
def test_tokens_leave_out_white_space_alone(sql: str) -> None:
    told = [(token.text, token.line) for token in tokens(sql)]
    assert "".join("".join(text.split()) for text, _ in told) == "".join(sql.split())
    assert all(1 <= line <= sql.count("\n") + 1 for _, line in told)


@pytest.mark.parametrize(
    ("kind", "given", "value"),
    [
        ("text", "007", "007"),
        ("text", "null", "null"),
        ("integer", "-7", -7),
        ("integer", 7, 7),
        ("float", "1e3", 1000.0),
        ("float", 7, 7.0),
        ("boolean", "YES", True),
        ("boolean", "0", False),
        ("boolean", False, False),
        ("date", "2022-08-06", datetime.date(2022, 8, 6)),
        ("date", datetime.date(2022, 8, 6), datetime.date(2022, 8, 6)),
        ("timestamp", "2022-08-06", datetime.datetime(2022, 8, 6)),
        (
            "timestamp",
            datetime.datetime(2022, 8, 6, 12, tzinfo=IN_BERLIN),
            datetime.datetime(2022, 8, 6, 10),
        ),
    ],
)  # fmt: skip
def test_a_value_is_read_from_text_or_from_its_python_type(
    kind: str, given: object, value: object
) -> None:
    found = Parameter("x", kind).value(given)
    assert (type(found), found) == (type(value), value)


@pytest.mark.parametrize(
    ("kind", "given"),
    [
        ("text", 7),
        ("integer", "7.0"),
        ("integer", 7.0),
        ("integer", True),
        ("integer", "9" * 20),
        ("integer", ""),
        ("float", "2,5"),
        ("float", "nan"),
        ("float", "inf"),
        ("float", float("-inf")),
        ("float", True),
        ("boolean", "maybe"),
        ("boolean", 1),
        ("date", "06.08.2022"),
        ("date", datetime.datetime(2022, 8, 6)),
        ("timestamp", "yesterday"),
        ("integer", None),
    ],
)
def test_a_value_of_the_wrong_type_is_an_error_with_an_example(kind: str, given: object) -> None:
    with pytest.raises(ParameterError) as caught:
        Parameter("my_value", kind).value(given)
    assert caught.value.name == "my_value"
    assert caught.value.exit_code == 2
    assert (caught.value.hint or "").startswith("for example --my-value")


@pytest.mark.parametrize(("kind", "choice"), [("text", "hour"), ("integer", "3")])
def test_a_value_out_of_its_choices_is_an_error_that_lists_them(kind: str, choice: str) -> None:
    parameter = Parameter("x", kind, choices=(choice, "5"))
    assert str(parameter.value(choice)) == choice
    with pytest.raises(ParameterError, match=f"expected one of {choice}, 5, found '4'"):
        parameter.value("4")


@pytest.mark.parametrize(("kind", "low"), [("integer", 0), ("integer", "-7"), ("float", "0.99")])
def test_a_value_below_its_minimum_is_an_error_that_says_it(kind: str, low: object) -> None:
    (parameter,) = mine(f"{HEADER}-- param: x {kind}\n-- minimum: 1\nselect $x").parameters
    assert parameter.value("1") == 1
    with pytest.raises(ParameterError) as caught:
        parameter.value(low)
    assert caught.value.problem == f"expected at least 1, found {low!r}"
    assert caught.value.hint == f"for example --x {5 if kind == 'integer' else 1}"


def test_null_is_a_value_only_where_it_is_the_default() -> None:
    assert Parameter("x", "integer", required=False).value(None) is None
    with pytest.raises(ParameterError, match="null is not a value for it"):
        Parameter("x", "integer", required=False, default=1).value(None)


def test_a_missing_value_is_an_error_with_the_option_that_gives_it() -> None:
    query = mine(HEADER + "-- param: min_images integer\nselect $min_images as n")
    with pytest.raises(ParameterError) as caught:
        query.values({})
    assert caught.value.message == "parameter min_images: mine needs a value for it"
    assert caught.value.hint == "ddb run mine --min-images VALUE"


def test_an_unknown_parameter_is_an_error_that_says_which_there_are() -> None:
    query = mine(HEADER + "-- param: a integer\n-- param: b text\nselect $a as a, $b as b")
    with pytest.raises(ParameterError) as caught:
        query.values({"c": 1})
    assert caught.value.message == "parameter c: mine has no such parameter"
    assert caught.value.hint == "it has a, b"


def user_query(folder: Path, name: str = "mine", body: str = "select 1 as a") -> Path:
    path = folder / f"{name}.sql"
    path.write_text(f"-- name: {name}\n-- description: My own.\n{body}\n", encoding="utf-8")
    return path


def test_the_shipped_queries_are_found_sorted_and_whole() -> None:
    library = QueryLibrary()
    names = [query.name for query in library.all()]
    assert names == library.names() == sorted(names)
    assert len(names) >= 17
    for name in names:
        query = library.find(name)
        assert query.shipped
        assert query.description
        assert query.examples


def test_a_user_folder_stands_beside_the_shipped_queries(tmp_path: Path) -> None:
    user_query(tmp_path)
    (tmp_path / "notes.txt").write_text("not a query")
    (tmp_path / ".hidden.sql").write_text("not a query")
    library = QueryLibrary(tmp_path)
    assert set(library.names()) == {*QueryLibrary().names(), "mine"}
    assert not library.find("mine").shipped
    assert library.find("user-stats").shipped


def make_huge(path: Path) -> None:
    with path.open("wb") as opened:
        opened.truncate(10**12)


# What may lie in a folder of queries, and what is wrong with it: where, and in which words.
MALFORMED: dict[str, tuple[Callable[[Path], object], str]] = {
    "no-header.sql": (lambda path: path.write_text("select"), "1: name must be"),
    "wrong-key.sql": (
        lambda path: path.write_text("-- name: wrong-key\n-- descriptn: x\nselect 1"),
        "2: unknown key descriptn",
    ),
    "two-statements.sql": (
        lambda path: path.write_text(
            "-- name: two-statements\n-- description: x\nselect 1;\nselect 2"
        ),
        "3: one statement only",
    ),
    "too-large-a-default.sql": (
        lambda path: path.write_text(
            "-- name: too-large-a-default\n-- description: x\n"
            f"-- param: x integer = {10**30}\nselect $x as x"
        ),
        f"3: parameter x: the default {10**30} is not an integer",
    ),
    "not-utf8.sql": (lambda path: path.write_bytes(b"-- name: not-utf8\n\xff"), "2: not UTF-8"),
    "user-stats.sql": (
        lambda path: user_query(path.parent, path.stem), "1: user-stats is the name of a shipped",
    ),
    "Mine.sql": (lambda path: user_query(path.parent, path.stem), "1: a query's file is named"),
    "mine.SQL": (lambda path: path.write_text("select 1"), "1: its name should end in .sql"),
    "folder.sql": (Path.mkdir, "1: not a file"),
    "pipe.sql": (os.mkfifo, "1: not a file"),
    "device.sql": (lambda path: path.symlink_to("/dev/zero"), "1: not a file"),
    "dangling.sql": (lambda path: path.symlink_to("nowhere"), "1: No such file or directory"),
    "itself.sql": (lambda path: path.symlink_to(path), "1: Too many levels of symbolic links"),
    "huge.sql": (make_huge, "1: longer than 1,000,000 bytes"),
}  # fmt: skip


@pytest.mark.parametrize("name", MALFORMED)
def test_a_malformed_file_is_left_out_and_told_of_once(name: str, tmp_path: Path) -> None:
    user_query(tmp_path)
    make, problem = MALFORMED[name]
    make(tmp_path / name)
    told: list[str] = []
    library = QueryLibrary(tmp_path, told.append)
    assert {*library.names(), *library.names()} == {*QueryLibrary().names(), "mine"}
    (note,) = told
    assert note.startswith(f"left out of the canned queries: {tmp_path / name}:{problem}")
    assert library.find("mine").sql == "select 1 as a"
    assert len(told) == 1


@pytest.mark.parametrize("name", [name for name in MALFORMED if name != "mine.SQL"])
def test_a_malformed_file_is_an_error_where_it_is_asked_for(name: str, tmp_path: Path) -> None:
    make, problem = MALFORMED[name]
    make(tmp_path / name)
    with pytest.raises(QueryFileError) as caught:
        QueryLibrary(tmp_path).find(Path(name).stem)
    assert caught.value.message.startswith(f"{tmp_path / name}:{problem}")


def test_one_note_tells_of_all_malformed_files_and_again_when_they_change(tmp_path: Path) -> None:
    for name in ("a", "b", "c", "d", "e"):
        (tmp_path / f"{name}.sql").write_text("select")
    told: list[str] = []
    library = QueryLibrary(tmp_path, told.append)
    library.all()
    library.all()
    assert len(told) == 1
    assert told[0].count(".sql:1: ") == 3
    assert told[0].endswith("; and 2 more")
    (tmp_path / "a.sql").unlink()
    library.all()
    assert told[1].endswith("; and 1 more")


def test_a_byte_order_mark_is_no_part_of_a_query(tmp_path: Path) -> None:
    path = user_query(tmp_path)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert QueryLibrary(tmp_path).find("mine").sql == "select 1 as a"


def test_a_file_that_is_not_utf8_is_an_error_with_the_line_of_its_first_bad_byte(
    tmp_path: Path,
) -> None:
    path = tmp_path / "mine.sql"
    path.write_bytes(HEADER.encode() + b"select 'caf\xe9' as a\n")
    with pytest.raises(QueryFileError) as caught:
        QueryLibrary(tmp_path).find("mine")
    assert (caught.value.path, caught.value.line, caught.value.problem) == (
        path,
        3,
        "not UTF-8 text",
    )


@pytest.mark.parametrize("kind", ["folder", "dangling link"])
def test_what_cannot_be_read_is_an_error_that_names_it(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "mine.sql"
    if kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere.sql")
    with pytest.raises(QueryFileError) as caught:
        QueryLibrary(tmp_path).find("mine")
    assert caught.value.path == path


@pytest.mark.parametrize("kind", ["missing", "file"])
def test_a_user_folder_that_is_none_is_a_usage_error(tmp_path: Path, kind: str) -> None:
    folder = tmp_path / "queries"
    if kind == "file":
        folder.write_text("x")
    with pytest.raises(UsageError, match="is not a folder of queries"):
        QueryLibrary(folder).names()


@pytest.mark.parametrize(
    ("wrong", "close"),
    [("user-statz", "user-stats"), ("nsfwfilter", "nsfw-filter"), ("prompt_top", "prompt-top")],
)
def test_a_wrong_name_offers_close_matches(wrong: str, close: str) -> None:
    with pytest.raises(UnknownQueryError) as caught:
        QueryLibrary().find(wrong)
    assert caught.value.close[0] == close
    assert caught.value.message == f"no canned query named {wrong}"
    assert (caught.value.hint or "").startswith(f"did you mean {close}")


@pytest.mark.parametrize("wrong", ["xyzzy", "", "../views/images", "user-stats.sql"])
def test_a_name_is_never_a_path(wrong: str) -> None:
    with pytest.raises(UnknownQueryError):
        QueryLibrary().find(wrong)


def test_the_folder_of_shipped_sql_has_what_is_shipped() -> None:
    assert {path.name for path in sql_folder().iterdir() if path.is_dir()} >= {
        "demo", "functions", "queries", "views",
    }  # fmt: skip
