"""What the shell makes of text: pieces of a script, what stands at the cursor, what was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddb_query.engines.base import Column
from ddb_query.shell.names import Names
from ddb_query.shell.prompt.cursor_context import context
from ddb_query.shell.prompt.highlighter import coloured
from ddb_query.shell.script import complete, pieces
from ddb_query.shell.suggestions import close, hint_for
from ddb_query.util.sql_tokens import reads_last, tokens

NAMES = Names(
    {
        "images": (
            Column("prompt", "VARCHAR"), Column("user_name", "VARCHAR"), Column("width", "BIGINT")
        ),
        "users": (Column("user_name", "VARCHAR"), Column("active_days", "BIGINT")),
    },
    ("sampler_name", "count"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("select 1; select 2", ["select 1", "select 2"]),
        ("select ';' ; select $$a;b$$;", ["select ';'", "select $$a;b$$"]),
        ("select 1 -- no; end\n;", ["select 1 -- no; end"]),
        ("-- a remark\n.tables\n/* ; */ select 1;", [".tables", "select 1"]),
        (".search it's;\nselect 2;", [".search it's;", "select 2"]),
        (";;\n;", []),
        ("select .5;", ["select .5"]),
        ("select 1\n.mode csv", ["select 1\n.mode csv"]),
        ("exit; select 1", [".quit", "select 1"]),
        ("select 1; QUIT ;\nHelp", ["select 1", ".quit", ".help"]),
        ("-- done\nexit", [".quit"]),
        ("\\q", [".quit"]),
        ("select exit; select 'exit;';", ["select exit", "select 'exit;'"]),
    ],
)
def test_a_script_is_cut_at_semicolons_and_dot_commands(text: str, found: list[str]) -> None:
    assert [piece.text for piece in pieces(text)] == found


def test_pieces_know_their_lines_and_their_ends() -> None:
    found = list(pieces("\nselect 1;\n\n.mode csv\nselect\n2\\G select 3"))
    assert [(piece.line, piece.whole_rows, piece.ended) for piece in found] == [
        (2, False, True), (4, False, True), (5, True, True), (6, False, False)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "ready"),
    [
        ("", True), ("select 1", False), ("select 1;", True), ("select 1; -- done", True),
        ("select ';", False), ("select ';';", True), ("/* ;", False), ('select "a;', False),
        ("select e'\\';", False), ("select $$;", False), (".tables", True), ("select 1\\G", True),
        ("select 1;\nselect 2", False), ("-- only", True), ("exit", True), ("quit;", True),
        ("exits", False),
    ],
)  # fmt: skip
def test_enter_runs_what_is_complete(text: str, ready: bool) -> None:
    assert complete(text) is ready


@given(st.text(alphabet="a1'\"$-/*;\\\n ._()eEG", max_size=40))
def test_any_text_can_be_cut_coloured_and_looked_at(text: str) -> None:
    assert "".join(part[1] for part in coloured(text)) == text
    for piece in pieces(text):
        assert piece.text in text
    context(text)
    found = list(tokens(text))
    assert all(text[token.start : token.end] == token.text for token in found)


def test_underscore_is_the_last_result_only_as_a_name() -> None:
    assert reads_last("select * from _")
    assert reads_last('select "_".a from "_"')
    assert not reads_last("select '_', a_b from t -- _")


@pytest.mark.parametrize(
    ("before", "kind", "word", "owner"),
    [
        ("sel", "name", "sel", ""),
        ("select count(", "name", "", ""),
        ("select a from ", "relation", "", ""),
        ("select a from ima", "relation", "ima", ""),
        ("select a from images, us", "relation", "us", ""),
        ("select * from images join us", "relation", "us", ""),
        ("select u.act", "column", "act", "u"),
        ("select u.", "column", "", "u"),
        ("select 'castle", "nothing", "castle", ""),
        ("select * from images where user_name = 'ab", "value", "ab", "user_name"),
        ("select * from images where user_name in ('a', '", "value", "", "user_name"),
        ("select * from images where user_name not like '", "value", "", "user_name"),
        ("select 1 -- rema", "nothing", "", ""),
        ("select 12", "nothing", "", ""),
        ("select $", "variable", "$", ""),
        ("select $wi", "variable", "$wi", ""),
        ("select 1; descr", "name", "descr", ""),
        ("describe ", "relation", "", ""),
    ],
)
def test_the_cursor_stands_in_a_context(before: str, kind: str, word: str, owner: str) -> None:
    found = context(before)
    assert (found.kind, found.word, found.owner) == (kind, word, owner)


def test_relations_are_known_by_name_and_alias_before_and_behind_the_cursor() -> None:
    found = context(
        "with few as (select 1 as n) select u. ", " from users as u join images i on true"
    )
    assert dict(found.relations) == {
        "users": "users",
        "u": "users",
        "images": "images",
        "i": "images",
    }
    assert found.relation("U") == "users"
    assert found.aliases == ("few", "n", "u")


@pytest.mark.parametrize(
    ("message", "sql", "hint"),
    [
        ('Referenced column "promt" not found in FROM clause!', "select promt from images",
         "did you mean prompt?"),
        ('Values list "u" does not have a column named "activ"', "select u.activ from users u",
         "did you mean active_days?"),
        ('Referenced column "zzz" not found in FROM clause!', "select zzz from images",
         ".schema NAME lists the columns of a view"),
        ("Table with name imges does not exist!", "from imges", "did you mean images?"),
        ("Table with name _ does not exist!", "from _",
         "_ is the last result, and there is none yet"),
        ("Scalar Function with name sampler_nam does not exist!", "select sampler_nam(1)",
         "did you mean sampler_name?"),
        ('syntax error at or near "images"', "select * form images", "did you mean from?"),
        ("something else", "select 1", None),
    ],
)  # fmt: skip
def test_a_hint_offers_the_closest_name(message: str, sql: str, hint: str | None) -> None:
    assert hint_for(message, sql, NAMES) == hint


def test_a_known_name_has_no_closer_one() -> None:
    assert close("width", ["width", "widths"]) == []
