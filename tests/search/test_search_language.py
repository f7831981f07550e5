"""What is typed becomes the tree that it means, and never a crash."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from search_truth import normalise

from ddb_query.errors import SearchSyntaxError, UsageError
from ddb_query.search.ast import (
    And,
    AnyBy,
    By,
    Fuzzy,
    Node,
    Not,
    Or,
    Phrase,
    Prefix,
    Word,
    only_negative,
)
from ddb_query.search.highlight import highlights
from ddb_query.search.normalizer import Memory, grouped
from ddb_query.search.parser import MAX_CHARACTERS, MAX_WORDS, parse
from ddb_query.search.segments import pieces_of


def words(text: str) -> tuple[Word, ...]:
    return tuple(Word(word) for word in text.split())


A, B, C, D = words("a b c d")
SCI_FI = Phrase(("sci", "fi"))
GREG = Phrase(("greg", "rutkowski"))

MEANINGS: list[tuple[str, Node]] = [
    ("castle", Word("castle")),
    ("Castle, TOWER!", And(words("castle tower"))),
    ("castle castle", Word("castle")),
    ('"matte painting"', Phrase(("matte", "painting"))),
    ("\u201cmatte painting\u201d", Phrase(("matte", "painting"))),
    ('"castle"', Word("castle")),
    ("a -b", And((A, Not(B)))),
    ("-a", Not(A)),
    ("-(a b)", Not(And((A, B)))),
    ("-(-a)", A),
    ('-"a b" c', And((Not(Phrase(("a", "b"))), C))),
    ("a OR b c", Or((A, And((B, C))))),
    ("a (b OR c)", And((A, Or((B, C))))),
    ("(a OR (b OR c))", Or((A, B, C))),
    ("a AND b", And((A, B))),
    ("a or b", And((A, Word("or"), B))),
    ("((((a))))", A),
    ("cast*", Prefix("cast")),
    ("sci-fi*", Phrase(("sci", "fi"), prefix=True)),
    ('"greg rut*"', Phrase(("greg", "rut"), prefix=True)),
    ('"greg rut"*', Phrase(("greg", "rut"), prefix=True)),
    ("castel~", Fuzzy("castel")),
    ("sci-fi~", SCI_FI),
    ("by:wlop", By(Word("wlop"))),
    ('by:"Greg Rutkowski"', By(GREG)),
    ("BY:rutk*", By(Prefix("rutk"))),
    ("by:rutkowsky~", By(Fuzzy("rutkowsky"))),
    ("by:x~", By(Word("x"))),
    ('-by:"greg rutkowski"', Not(By(GREG))),
    ("by:* -by:wlop", And((AnyBy(), Not(By(Word("wlop")))))),
]

NORMALISED: list[tuple[str, Node]] = [
    ("8 k", Word("8k")),
    ("8k", Word("8k")),
    ("Café", Word("cafe")),
    ("CAFE\u0301", Word("cafe")),
    ("sci-fi", SCI_FI),
    ('"sci - fi"', SCI_FI),
    ("2 0 7 7", Word("2077")),
    ("cyberpunk 2 0 7 7 art, 8 k", And(words("cyberpunk 2077 art 8k"))),
    ("3 5 mm", Word("35mm")),
    ("8 k 4 k", And(words("8k 4k"))),
    ("2  0", And(words("2 0"))),
    ("1.2 3", Phrase(("1", "23"))),
    ("-2 0 7 7 a", And((Not(Word("2077")), A))),
    ("東京", Phrase(("東", "京"))),
    ("東京*", Phrase(("東", "京"), prefix=True)),
    ("cafe\u0301*", Prefix("cafe")),
    ("नमस्ते*", Prefix("नमस्ते")),
    ("नमस्ते~", Fuzzy("नमस्ते")),
    ("ча\u0438\u0306ник~", Fuzzy("чайник")),
    ("\uff41\uff52\uff54*", Prefix("art")),
    ("pain\u00adting\u200b*", Prefix("painting")),
    ("หมอก", Phrase(("ห", "ม", "อ", "ก"))),
    ("\uff18\u3000\uff4b", Word("8k")),
    ("8\u00a0k", Word("8k")),
    ('by:"\uff27\uff52\uff45\uff47 Rutkowski"', By(GREG)),
    ("by:Á.B", By(Phrase(("a", "b")))),
    ("🎨 a", A),
    ("-🎨 a", A),
    ("a\0b", Phrase(("a", "b"))),
    ("a \x1b[31m b", And((A, Word("31m"), B))),
    ("a \udcff b", And((A, B))),
]

# What looks like an operator and is none: the meaning as text, and the place of the caret.
STRAYS: list[tuple[str, Node, int]] = [
    ('5" a', And((Word("5"), A)), 1),
    ('"a b', And((A, B)), 0),
    ('a "', A, 2),
    ("(a b", And((A, B)), 0),
    ("a) b", And((A, B)), 1),
    ("a (b) c) d", And((A, B, C, D)), 7),
    ("a(b c) d", And((Phrase(("a", "b")), C, D)), 1),
    ("(a(b) OR c)", Or((Phrase(("a", "b")), C)), 2),
    ("a OR", And((A, Word("or"))), 2),
    ("OR a", And((Word("or"), A)), 0),
    ("a OR OR b", Or((And((A, Word("or"))), B)), 2),
    ("(a OR) b", And((A, Word("or"), B)), 3),
    ("a - b", And((A, B)), 2),
    ("--a", A, 0),
    ("by: a", And((Word("by"), A)), 0),
    ("by:(a b)", And((Word("by"), A, B)), 0),
    ("a*b", Phrase(("a", "b")), 1),
    ("*a", A, 0),
    ("a ~", A, 2),
    ("a :-)", A, 4),
    ('say"a b"', And((Phrase(("say", "a")), B)), 3),
]


@pytest.mark.parametrize(("typed", "meant"), MEANINGS + NORMALISED)
def test_a_search_means(typed: str, meant: Node) -> None:
    assert parse(typed, normalise) == meant


@pytest.mark.parametrize(("typed", "meant"), MEANINGS)
def test_exact_syntax_lets_what_is_right_pass(typed: str, meant: Node) -> None:
    assert parse(typed, normalise, exact_syntax=True) == meant


@pytest.mark.parametrize(("typed", "meant", "place"), STRAYS)
def test_a_stray_operator_is_text_and_an_error_in_exact_syntax(
    typed: str, meant: Node, place: int
) -> None:
    assert parse(typed, normalise) == meant
    with pytest.raises(SearchSyntaxError) as caught:
        parse(typed, normalise, exact_syntax=True)
    assert caught.value.place == place


def test_the_caret_stands_under_the_place_also_after_wide_characters() -> None:
    with pytest.raises(SearchSyntaxError) as caught:
        parse("東京\te\u0301 (a", normalise, exact_syntax=True)
    assert caught.value.message.splitlines()[1:] == ["  東京.e\u0301 (a", "         ^"]


def test_the_caret_of_a_long_search_shows_its_surroundings_alone() -> None:
    with pytest.raises(SearchSyntaxError) as caught:
        parse("word " * 1000 + "(", normalise, exact_syntax=True)
    _, shown, caret = caught.value.message.splitlines()
    assert len(shown) < 150
    assert shown[caret.index("^")] == "("


@pytest.mark.parametrize("typed", ["", " \t\n", "🎨", '"" ()', "\0", "-", "***", '-"', "-(🎨)"])
def test_a_search_without_a_word_is_a_usage_error(typed: str) -> None:
    with pytest.raises(UsageError, match="nothing to search for"):
        parse(typed, normalise)


@pytest.mark.parametrize(
    "typed",
    [
        "a" * 100_000,
        "a b " * 25_000,
        " ".join(f"w{number}" for number in range(3_000)),
        " ".join(f"w{number}*" for number in range(300)),
        "".join(f"(a{number} OR (b{number} " for number in range(100)) + "x" + "))" * 100,
        "".join(f"(w{number} " for number in range(2_500)) + ")" * 2_500,
        "abcdefghijklmnopqrs~",
    ],
)
def test_a_search_that_is_too_much_is_an_error(typed: str) -> None:
    with pytest.raises(UsageError, match=r"at most|deeper"):
        parse(typed, normalise)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("(" * 9_999 + "a" + ")" * 9_999, A),
        ("(" * 10_000 + "a", A),
        ("(a " * 900 + ")" * 900, A),
        (")" * 10_000 + "a", A),
        ("-(" * 5_000 + "a" + ")" * 5_000, A),
        ('"' * 9_999 + "a", A),
        ("1 " * 9_999 + "1", Word("1" * 10_000)),
        (" ".join(f"w{number}" for number in range(MAX_WORDS)), None),
    ],
)
def test_a_large_search_is_parsed_at_once(typed: str, meant: Node | None) -> None:
    assert len(typed) <= MAX_CHARACTERS
    began = time.process_time()
    found = parse(typed, normalise)
    assert time.process_time() - began < 2
    assert meant is None or found == meant


@settings(deadline=None, max_examples=100)
@given(
    st.one_of(
        st.text(max_size=30),
        st.lists(
            st.sampled_from(
                [*'ab8()"-*~: \t,\0', "OR", " AND ", "by:", "by:*", "k", "é", "東", "\udcff"]
            ),
            max_size=25,
        ).map("".join),
    )
)
def test_whatever_is_typed_gives_a_tree_or_a_usage_error(typed: str) -> None:
    for exact_syntax in (False, True):
        try:
            tree = parse(typed, normalise, exact_syntax=exact_syntax)
        except UsageError:
            continue
        assert isinstance(only_negative(tree), bool)


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("-a", True),
        ("-a -b", True),
        ("-a OR -b", True),
        ("-(a OR b)", True),
        ("-a b", False),
        ("-a OR b", False),
        ("-(-a)", False),
        ("by:*", False),
    ],
)
def test_a_search_of_nothing_but_what_must_not_be(typed: str, expected: bool) -> None:
    assert only_negative(parse(typed, normalise)) is expected


PROMPT = "Castle, in 8 k and (cyberpunk 2 0 7 7) by greg-rutkowski, cafe\u0301s 東京タワー"


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("castle", ["Castle"]),
        ("8k", ["8 k"]),
        ('"cyberpunk 2077"', ["cyberpunk 2 0 7 7"]),
        ('"greg rut*"', ["greg-rutkowski"]),
        ('by:"greg rutkowski"', ["greg-rutkowski"]),
        ("caste~", ["Castle"]),
        ("cafés", ["cafe\u0301s"]),
        ("東京", ["東京"]),
        ("castle -cyberpunk", ["Castle"]),
        ("castle OR tower", ["Castle"]),
        ("by:*", []),
        ("missing", []),
    ],
)
def test_matches_are_shown_in_the_prompt_as_it_is_written(typed: str, shown: list[str]) -> None:
    spans = highlights(parse(typed, normalise), [PROMPT, "no match"], normalise)
    assert [PROMPT[start:end] for start, end in spans[0]] == shown
    assert spans[1] == []


HANGUL = unicodedata.normalize("NFD", "한국 도시")


@pytest.mark.parametrize(
    ("prompt", "typed", "shown"),
    [
        (HANGUL, "국", [unicodedata.normalize("NFD", "국")]),
        ("ｶﾞﾗｽの城", "ガ", ["ｶﾞ"]),
        ("ｶﾞﾗｽの城", "ガラス", ["ｶﾞﾗｽ"]),
        ("ปราสาทในหมอก", "หมอก", ["หมอก"]),
        ("a pain\u00adting, \uff18 \uff4b", "painting 8k", ["pain\u00adting", "\uff18 \uff4b"]),
        ("ча\u0438\u0306ник и", "чайник", ["ча\u0438\u0306ник"]),
        ("葛\U000e0100城", "葛", ["葛\U000e0100"]),
        ("ﬁelds and Straße", "field* strasse", ["ﬁelds", "Straße"]),
        ("\U00020bb7野屋", "野", ["野"]),
        (
            "by \uff21\uff52\uff54\uff47\uff45\uff52\uff4d",
            "by:artgerm",
            ["\uff21\uff52\uff54\uff47\uff45\uff52\uff4d"],
        ),
    ],
)
def test_matches_are_shown_as_they_are_written_in_whatever_form(
    prompt: str, typed: str, shown: list[str]
) -> None:
    (spans,) = highlights(parse(typed, normalise), [prompt], normalise)
    assert [prompt[start:end] for start, end in spans] == shown


@settings(deadline=None, max_examples=100)
@example("8,\u0301,k")
@example("8 \u200b, bit")
@given(
    st.text(
        st.sampled_from("a8k ,é\u0301ｶﾞ\uff18\uff4b\u3000\u200b한\u1112\u1161\u11abห\u0e49城ﬁ™"),
        max_size=12,
    )
)
def test_a_prompt_cut_into_pieces_has_the_words_that_it_has_as_a_whole(prompt: str) -> None:
    groups = grouped(prompt, pieces_of(prompt), Memory(normalise))
    assert " ".join(word for group in groups for word in group.words) == normalise([prompt])[0]


def test_plain_words_are_what_the_normaliser_makes_of_them() -> None:
    asked: list[str] = []

    def recording(texts: list[str], /) -> list[str]:
        asked.extend(texts)
        return normalise(texts)

    plain = ["Castle", "8K", "GREG Rutkowski", "0", "a1b2"]
    for text in plain:
        parse(f'"{text}"', recording)
    assert not asked
    assert normalise(plain) == [text.lower() for text in plain]
