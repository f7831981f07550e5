"""Tables for people: what a box and a Markdown table look like, and that text stays text."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from ddb_query.engines.base import Column
from ddb_query.layout import box, listed, markdown, screen
from ddb_query.printable import printable

TEXT = Column("prompt", "VARCHAR")
NUMBER = Column("images", "BIGINT")
quickly = settings(max_examples=50, deadline=None)


def test_a_box_sets_numbers_right_text_left_and_spells_null() -> None:
    assert box([TEXT, NUMBER], [("a castle", "7"), (None, "1024"), ("", None)], None) == (
        "┌──────────┬────────┐\n"
        "│ prompt   │ images │\n"
        "├──────────┼────────┤\n"
        "│ a castle │      7 │\n"
        "│ NULL     │   1024 │\n"
        "│          │   NULL │\n"
        "└──────────┴────────┘\n"
    )


def test_a_box_without_rows_shows_its_columns() -> None:
    assert box([NUMBER], [], None) == "┌────────┐\n│ images │\n├────────┤\n└────────┘\n"


def test_double_width_text_keeps_the_columns_in_line() -> None:
    assert box([TEXT, NUMBER], [("城 castle", "1"), ("x", "2")], None) == (
        "┌───────────┬────────┐\n"
        "│ prompt    │ images │\n"
        "├───────────┼────────┤\n"
        "│ 城 castle │      1 │\n"
        "│ x         │      2 │\n"
        "└───────────┴────────┘\n"
    )


@pytest.mark.parametrize("width", range(20, 31))
def test_a_box_is_as_wide_as_the_terminal_when_text_is_cut(width: int) -> None:
    lines = box([TEXT, NUMBER], [("a castle on a hill", "7")], width).splitlines()
    assert {cell_len(line) for line in lines} == {width}
    assert "…" in lines[3]


def test_text_too_wide_for_the_terminal_is_cut_with_a_mark() -> None:
    assert box([TEXT, NUMBER], [("a castle on a hill", "7")], 28) == (
        "┌─────────────────┬────────┐\n"
        "│ prompt          │ images │\n"
        "├─────────────────┼────────┤\n"
        "│ a castle on a … │      7 │\n"
        "└─────────────────┴────────┘\n"
    )


def test_a_double_width_character_is_not_cut_in_half() -> None:
    lines = box([TEXT], [("城城城城城城",)], 12).splitlines()
    assert {cell_len(line) for line in lines} == {12}
    assert lines[3] == "│ 城城城 … │"


def test_a_column_is_never_narrower_than_four_cells_however_narrow_the_terminal() -> None:
    lines = box([TEXT] * 5, [("a castle",) * 5], 10).splitlines()
    assert lines[3] == "│ a c… │ a c… │ a c… │ a c… │ a c… │"


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
    assert f"│ {shown} " in box([TEXT], [(text,)], None)


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
    lines = box([TEXT, NUMBER], rows, width).split("\n")
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


def test_a_screen_is_never_left_and_numbers_are_whole() -> None:
    columns = [Column(f"column_{i}", "BIGINT" if i % 2 else "VARCHAR") for i in range(12)]
    row = ["1234567890123" if i % 2 else "text " * 20 for i in range(12)]
    for width in (40, 80, 120, 400):
        shown, hidden = screen(columns, [row], width)
        lines = shown.splitlines()
        assert {cell_len(line) for line in lines} == {cell_len(lines[0])}
        assert cell_len(lines[0]) <= width
        numbers = sum(cell.strip().isdecimal() for cell in lines[3].split("│"))
        assert lines[3].count("1234567890123") == numbers
        assert (" … " in lines[1]) is bool(hidden)


def test_a_listed_row_loses_nothing() -> None:
    columns = [Column("text", "VARCHAR"), Column("nothing", "VARCHAR")]
    text = "文字 and more " * 9
    lines = listed(columns, [[text, None]], 30).splitlines()
    assert all(cell_len(line) <= 30 for line in lines)
    assert "".join(line[10:] for line in lines[1:-1]).replace(" ", "") == text.replace(" ", "")
    assert lines[-1] == "nothing │ NULL"
