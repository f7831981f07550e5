"""Tables for people: what a box and a Markdown table look like, and that text stays text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ddb_query.console.tables import box, listed, markdown, streamed_box
from ddb_query.engines.base import Column
from ddb_query.util.escape import printable

TEXT = Column("prompt", "VARCHAR")
NUMBER = Column("images", "BIGINT")
quickly = settings(max_examples=50, deadline=None)


def test_a_box_sets_numbers_right_text_left_and_spells_null() -> None:
    assert box([TEXT, NUMBER], [("a castle", "7"), (None, "1024"), ("", None)], None)[0] == (
        "┌──────────┬────────┐\n"
        "│ prompt   │ images │\n"
        "├──────────┼────────┤\n"
        "│ a castle │      7 │\n"
        "│ NULL     │   1024 │\n"
        "│          │   NULL │\n"
        "└──────────┴────────┘\n"
    )


def test_a_box_without_rows_shows_its_columns() -> None:
    assert box([NUMBER], [], None)[0] == "┌────────┐\n│ images │\n├────────┤\n└────────┘\n"


def test_double_width_text_keeps_the_columns_in_line() -> None:
    assert box([TEXT, NUMBER], [("城 castle", "1"), ("x", "2")], None)[0] == (
        "┌───────────┬────────┐\n"
        "│ prompt    │ images │\n"
        "├───────────┼────────┤\n"
        "│ 城 castle │      1 │\n"
        "│ x         │      2 │\n"
        "└───────────┴────────┘\n"
    )


@pytest.mark.parametrize("width", range(20, 31))
def test_a_box_is_as_wide_as_the_terminal_when_text_is_cut(width: int) -> None:
    lines = box([TEXT, NUMBER], [("a castle on a hill", "7")], width)[0].splitlines()
    assert {cell_len(line) for line in lines} == {width}
    assert "…" in lines[3]


def test_text_too_wide_for_the_terminal_is_cut_with_a_mark() -> None:
    assert box([TEXT, NUMBER], [("a castle on a hill", "7")], 28)[0] == (
        "┌─────────────────┬────────┐\n"
        "│ prompt          │ images │\n"
        "├─────────────────┼────────┤\n"
        "│ a castle on a … │      7 │\n"
        "└─────────────────┴────────┘\n"
    )


def test_a_double_width_character_is_not_cut_in_half() -> None:
    lines = box([TEXT], [("城城城城城城",)], 12)[0].splitlines()
    assert {cell_len(line) for line in lines} == {12}
    assert lines[3] == "│ 城城城 … │"


def test_columns_that_could_not_be_read_any_more_are_left_out_in_the_middle() -> None:
    shown, hidden = box([TEXT] * 5, [("a castle",) * 5], 27)
    assert hidden == 3
    assert shown.splitlines()[3] == "│ a castle │ … │ a castle │"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[/bold][red]x[/red]", "[/bold][red]x[/red]"),
        ("\x1b[31mred\x1b]0;title\x07", r"\x1b[31mred\x1b]0;title\x07"),
        ("two\nlines\r\n\tand a tab", r"two\nlines\r\n\tand a tab"),
        ("nul\0here", r"nul\0here"),
        ("\u202eright to left\u202c", r"\u202eright to left\u202c"),
        ("\u2066isolate\u2069", r"\u2066isolate\u2069"),
        ("\x7f\x85\x9b", r"\x7f\x85\x9b"),
        ("line\u2028paragraph\u2029", r"line\u2028paragraph\u2029"),
        ("\ufeffmark", r"\ufeffmark"),
        ("\U000e0041tag", r"\U000e0041tag"),
        ("\udcff", r"\udcff"),
        ("back\\slash", "back\\slash"),
        ("城 é e\u0301 👩\u200d🎨 میخواهم\u200c", "城 é e\u0301 👩\u200d🎨 میخواهم\u200c"),
    ],
)
def test_controls_show_as_escapes_and_all_else_is_verbatim(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert f"│ {shown} " in box([TEXT], [(text,)], None)[0]


@quickly
@given(st.text())
def test_nothing_printable_moves_the_cursor_or_turns_the_line(text: str) -> None:
    allowed = {"\u200c", "\u200d"}
    left = {unicodedata.category(mark) for mark in printable(text) if mark not in allowed}
    assert not left & {"Cc", "Cf", "Cs", "Zl", "Zp"}


@quickly
@given(
    st.lists(st.tuples(st.none() | st.text(), st.none() | st.text()), max_size=5),
    st.none() | st.integers(min_value=20, max_value=60),
)
def test_every_line_of_a_box_is_equally_wide(
    rows: list[tuple[str | None, str | None]], width: int | None
) -> None:
    lines = box([TEXT, NUMBER], rows, width)[0].split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(rows) + 4
    widths = {cell_len(line) for line in lines}
    assert len(widths) == 1
    assert width is None or widths.pop() <= width


def test_markdown_escapes_what_it_would_read_as_its_own() -> None:
    rows = [("| *a* _b_ `c` <b> [x](y) # ~~ ! & $ \\", "1"), (None, None), ("two\nlines", "2")]
    assert markdown([TEXT, NUMBER], rows) == (
        "| prompt | images |\n"
        "| --- | --: |\n"
        r"| \| \*a\* \_b\_ \`c\` \<b\> \[x\](y) \# \~\~ \! \& \$ \\ | 1 |" "\n"
        "|  |  |\n"
        r"| two\\nlines | 2 |" "\n"
    )  # fmt: skip


@quickly
@given(st.lists(st.text(), min_size=1, max_size=4))
def test_a_row_of_markdown_is_one_line_with_one_bar_more_than_cells(cells: list[str]) -> None:
    lines = markdown([TEXT] * len(cells), [cells]).split("\n")
    assert len(lines) == 4
    assert lines[2].replace("\\\\", "").replace("\\|", "").count("|") == len(cells) + 1


WIDE = [
    Column("image_name", "VARCHAR"), TEXT, Column("part_id", "INTEGER"),
    Column("a_column_with_a_name_of_forty_characters", "DOUBLE"), Column("文字の列", "VARCHAR"),
    Column("timestamp", "TIMESTAMP"), Column("width", "BIGINT"), Column("cfg", "DOUBLE"),
    Column("prompt_nsfw", "FLOAT"), Column("user_name", "VARCHAR"), Column("blurred", "BOOLEAN"),
]  # fmt: skip
ROWS = [
    ("0e3d2f4c-0000-4000-8000-000000000000.png", "a castle " * 30, "12", "0.123456789",
     "城の文字 " * 20, "2022-08-06 21:59:00", "1234567890123", "-1000000000000.0", "nan", "x" * 64,
     "true"),
    (None, "", None, None, "短い", None, "512", "7.5", None, None, None),
]  # fmt: skip


@pytest.mark.parametrize("width", range(20, 251))
def test_a_box_is_never_wider_than_the_terminal_and_its_numbers_are_whole(width: int) -> None:
    shown, hidden = box(WIDE, ROWS, width)
    streamed, hidden_too = streamed_box(WIDE, ROWS, width)
    assert ("".join(streamed), hidden_too) == (shown, hidden)
    lines = shown.splitlines()
    assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
    assert cell_len(lines[0]) <= width
    assert (" … " in lines[1]) is bool(hidden)
    header = [name.strip() for name in lines[1].strip("│").split("│")]
    assert len(header) - bool(hidden) == len(WIDE) - hidden
    # What a table begins with stays, and what it ends with.
    assert header[0].startswith("imag")
    assert len(header) == 1 or header[-1] in ("blurred", "…")
    cells = [cell.strip() for cell in lines[3].strip("│").split("│")]
    for name, cell in zip(header, cells, strict=True):
        if name in ("width", "cfg", "part_id", "timestamp"):
            assert "…" not in cell
        elif name in ("prompt", "文字の列", "user_name"):
            assert cell_len(cell) >= 10


def test_a_screen_as_wide_as_all_text_hides_and_cuts_nothing() -> None:
    shown, hidden = box(WIDE, ROWS, 1000)
    assert (hidden, "…" in shown) == (0, False)


def test_a_listed_row_loses_nothing() -> None:
    columns = [Column("text", "VARCHAR"), Column("nothing", "VARCHAR")]
    text = "文字 and more " * 9
    lines = listed(columns, [[text, None]], 30).splitlines()
    assert all(cell_len(line) <= 30 for line in lines)
    assert "".join(line[10:] for line in lines[1:-1]).replace(" ", "") == text.replace(" ", "")
    assert lines[-1] == "nothing │ NULL"
