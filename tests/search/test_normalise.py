"""The text that is searched: `normalise` beside a second implementation of its rules."""

# ruff: noqa: RUF001 - letters of many scripts that look alike are what is tested

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from query_truth import composed, is_word_character, normalise, published, write
from unicode_table import TABLE, UNICODE, table_sql

import ddb_query

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ddb_query.api.corpus import Corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Corpus]:
    folder = write(published({}), tmp_path_factory.mktemp("normalise"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DDB_CACHE_DIR", str(folder / "cache"))
        with ddb_query.open("2m", data_dir=folder) as corpus:
            yield corpus


def in_sql(corpus: Corpus, texts: list[str], function: str = "normalise") -> list[str]:
    """The texts, normalised by the SQL function in one go."""
    sql = f"""
        select {function}(text)
        from (select unnest($texts) as text, unnest(range(len($texts))) as place)
        order by place
    """
    return [text for (text,) in corpus.sql(sql, {"texts": texts}).rows()]


CASES = {
    "": "",
    " ": "",
    "A Castle": "a castle",
    "a  castle ,on\ta\nhill": "a castle on a hill",
    "sci - fi": "sci fi",
    "sci-fi": "sci fi",
    "d & d": "d d",
    "[[x]] ((y)) <b>z</b>": "x y b z b",
    "a|b <c> d": "a b c d",
    # digits and suffixes
    "8 k": "8k",
    "8k": "8k",
    "8 K,": "8k",
    "8-k": "8k",
    "1 9 6 0": "1960",
    "1 9 6 0 s": "1960s",
    "cyberpunk 2 0 7 7, 3 d": "cyberpunk 2077 3d",
    "2 0 7 7": "2077",
    "2 0  7 7": "20 77",
    "2 0\t7 7": "20 77",
    "1.2": "1 2",
    "1 . 2": "1 2",
    "1, 2": "1 2",
    "12 34": "12 34",
    "1 23": "1 23",
    "12 3 4": "12 34",
    "3 5 mm f 1 . 4": "35mm f 1 4",
    "35 mm": "35mm",
    "24 fps 10 bit 48 mp": "24fps 10bit 48mp",
    "1 st 2 nd 3 rd 4 th": "1st 2nd 3rd 4th",
    "8 k 4 k": "8k 4k",
    "8 k d": "8k d",
    "k 8": "k 8",
    "8 kk": "8 kk",
    "a1 k": "a1 k",
    "8 k8 k": "8 k8 k",
    "1 2k": "1 2k",
    "16:9": "16 9",
    "٣ ٤": "٣ ٤",
    "½ k": "1 2k",
    # accents
    "ÀÉÎõü ñ ç": "aeiou n c",
    "e\u0301": "e",
    "Øresund, Łódź, İstanbul ı": "oresund lodz istanbul i",
    "\u212bngström": "angstrom",
    "ǿ ǽ Æ œ ß ẞ þ": "o ae ae oe ss ss th",
    "ΆΣ\u03c2 Ωmega": "ασσ ωmega",
    "Ёж й": "еж й",
    "и\u0306 е\u0308": "й е",
    "а\u0301": "а",
    # words of one character
    "画像8 k": "画 像 8k",
    "日本a語": "日 本 a 語",
    "한국어": "한 국 어",
    "ｶﾀ": "カ タ",
    "\U00020bb7野屋": "\U00020bb7 野 屋",
    "\uf900\u8c48": "\u8c48 \u8c48",
    # words of other scripts stay whole
    "ᏣᎳᎩ": "ᏣᎳᎩ".lower(),
    "\ua188\ua320": "\ua188\ua320",
    "नमस्ते": "नमस्ते",
    # symbols
    "castle \N{CASTLE}\ufe0f 🔥!": "castle",
    "1\ufe0f\u20e3": "1",
    "it’s “here”": "it s here",
}


def test_the_rules_hold_for_cases_written_by_hand(corpus: Corpus) -> None:
    found = dict(zip(CASES, in_sql(corpus, list(CASES)), strict=True))
    assert found == CASES
    assert {text: normalise(text) for text in CASES} == CASES


def test_a_missing_text_stays_missing(corpus: Corpus) -> None:
    assert corpus.sql("select normalise(null::varchar)").rows() == [(None,)]


# What this and later versions of Unicode agree on, whichever of them Python and DuckDB know.
KNOWN = [
    character
    for character in map(chr, [*range(0xD800), *range(0xE000, 0x110000)])
    if unicodedata.ucd_3_2_0.category(character) not in ("Cn", "Co")
]


def test_every_character_is_folded_by_the_rules(corpus: Corpus) -> None:
    lines = ["\n".join(f"x{c}x" for c in KNOWN[at : at + 500]) for at in range(0, len(KNOWN), 500)]
    wrong: list[tuple[str, str, str]] = []
    for line, found in zip(lines, in_sql(corpus, lines), strict=True):
        if found != normalise(line):
            characters = list(line[1::4])
            singles = in_sql(corpus, [f"x{character}x" for character in characters])
            pairs = zip(characters, singles, strict=True)
            wrong += [(c, x, normalise(f"x{c}x")) for c, x in pairs if x != normalise(f"x{c}x")]
    assert len(KNOWN) > 90_000
    assert not wrong, wrong[:20]


LETTERS = "abkdsxKDSÉéøŁσςΣЁйяїمرحन्ते์ไทยᏣᎩ"
WIDE = "画像日々ーカかがﾀ한\u8c48\uf900\U00020bb7"
MARKS = "\u0301\u0308\u0306\ufe0f\u200d\u20e3\u3099\u093f"
SIGNS = ",.;:!?-_'\"()[]{}<>|&%$#@*+=/\\^~`“”’…—。、，・🔥🏰"
SPACES = "   \t\n\u00a0\u3000"
DIGITS = "0123456789٣४²½Ⅷ"

PIECES = st.one_of(
    st.sampled_from(list(LETTERS + WIDE + MARKS + SIGNS + SPACES + DIGITS)),
    st.sampled_from(["k", "d", "s", "th", "st", "nd", "rd", "mm", "cm", "mp", "p", "bit", "fps"]),
    st.sampled_from(["1 9 6 0", "8 k", " 2 ", "3", " ", " | ", "><", "castle"]),
    st.sampled_from(KNOWN),
)
TEXTS = st.lists(st.lists(PIECES, max_size=14).map("".join), min_size=1, max_size=20)

several = settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


@several
@given(texts=TEXTS)
def test_any_text_is_normalised_by_the_rules(corpus: Corpus, texts: list[str]) -> None:
    assert in_sql(corpus, texts) == [normalise(text) for text in texts]


@several
@given(texts=TEXTS)
def test_clauses_are_what_stands_between_commas_each_normalised(
    corpus: Corpus, texts: list[str]
) -> None:
    expected = [
        "".join(f"{normalise(one)}," for one in composed(text).split(",")) for text in texts
    ]
    assert in_sql(corpus, texts, "prompt_clauses") == expected


@several
@given(texts=TEXTS)
def test_what_comes_out_is_words_one_space_apart(corpus: Corpus, texts: list[str]) -> None:
    for text in in_sql(corpus, texts):
        assert text == " ".join(filter(None, text.split(" ")))
        assert all(is_word_character(character) for character in text.replace(" ", ""))


@several
@given(texts=TEXTS)
def test_normalising_again_changes_nothing_but_digits_that_punctuation_kept_apart(
    corpus: Corpus, texts: list[str]
) -> None:
    apart = re.compile("(?<![^ ])[0-9] [0-9](?![^ ])")
    once = [text for text in in_sql(corpus, texts) if not apart.search(text)]
    assert in_sql(corpus, once) == once


def test_digits_that_punctuation_kept_apart_are_joined_by_normalising_again(
    corpus: Corpus,
) -> None:
    assert in_sql(corpus, ["1.2", "1 2", "v1.5"]) == ["1 2", "12", "v1 5"]


@several
@given(texts=TEXTS)
def test_case_and_accents_make_no_difference(corpus: Corpus, texts: list[str]) -> None:
    plain = [text for text in texts if text.isascii()]
    accented = [re.sub("[a-z]", lambda match: match.group() + "\u0301", text) for text in plain]
    assert in_sql(corpus, [text.upper() for text in plain]) == in_sql(corpus, plain)
    assert in_sql(corpus, accented) == in_sql(corpus, plain)


# What looks the same, or is the same to readers: held by a prompt, and typed.
SAME = {
    "й of two characters": ("красны\u0438\u0306 ча\u0438\u0306ник", "чайник"),
    "ё written as е": ("чёрный кот", "черный"),
    "a stress mark": ("за\u0301мок", "замок"),
    "a soft hyphen": ("matte pain\u00adting", "painting"),
    "a zero width space": ("matte pain\u200bting", "painting"),
    "a zero width joiner": ("matte pain\u200dting", "painting"),
    "a word joiner": ("matte pain\u2060ting", "painting"),
    "a byte order mark": ("\ufeffcastle", "castle"),
    "a mark of direction": ("castle\u200e tower", "castle"),
    "a direction isolate": ("\u2066castle\u2069 tower", "castle"),
    "hangul of jamo": (unicodedata.normalize("NFD", "한국 도시"), "한국"),
    "kana and its mark": (unicodedata.normalize("NFD", "ガラスの城"), "ガラス"),
    "half-width kana": ("ｶﾞﾗｽの城", "ガラス"),
    "full-width letters": ("ＡＲＴ station", "art"),
    "full-width digits and space": ("８\u3000ｋ", "8k"),
    "mathematical letters": ("𝓯𝓪𝓷𝓬𝔂 dress", "fancy"),
    "a ligature": ("a ﬁeld of wheat", "field"),
    "ß": ("Straße STRAẞE", "strasse"),
    "æ": ("encyclopædia", "encyclopaedia"),
    "œ": ("hors d'œuvre", "oeuvre"),
    "a Roman numeral": ("Louis Ⅳ", "iv"),
    "a superscript": ("m²", "m2"),
    "a circled digit": ("① castle", "1"),
    "Arabic vowel signs": ("قَلْعَة", "قلعة"),
    "the long stroke of Arabic": ("قـــلعة", "قلعة"),
    "a presentation form of Arabic": ("\ufefb", "لا"),
    "Hebrew vowel signs": ("שָׁלוֹם", "שלום"),
    "a Persian zero width non-joiner": ("می\u200cخواهم", "میخواهم"),
    "a variation selector of a kanji": ("葛\U000e0100城市", "葛城市"),
    "a compatibility ideograph": ("\uf900", "\u8c48"),
    "a radical": ("⽔", "水"),
    "a word within Thai": ("ปราสาทในหมอก", "หมอก"),
    "a word within Lao": ("ພະລາຊະວັງໃນໝອກ", "ໝອກ"),
    "the sign am of Thai": ("น\u0e49\u0e4d\u0e32", "น้ำ"),
    "Turkish capital İ": ("İSTANBUL", "istanbul"),
    "Turkish ı": ("ıstanbul", "istanbul"),
    "the last sigma": ("ΟΔΥΣΣΕΥΣ", "οδυσσευς"),
    "a letter apostrophe": ("donʼt", "don't"),
    "a typographic apostrophe": ("don’t", "don't"),
    "a no-break space": ("greg\u00a0rutkowski", "greg rutkowski"),
    "a trade mark": ("disney™ castle", "disney"),
    "Vietnamese": ("phở bò", "pho"),
    "the nukta of Hindi": ("\u0958\u0932\u092e", "\u0915\u093c\u0932\u092e"),
    "Å": ("\u212bngström", "angstrom"),
}


@pytest.mark.parametrize("name", SAME)
def test_what_looks_the_same_is_the_same_on_either_side(corpus: Corpus, name: str) -> None:
    held, typed = SAME[name]
    one, other = in_sql(corpus, [held, typed])
    assert f" {other} " in f" {one} "


def test_forms_of_unicode_make_no_difference(corpus: Corpus) -> None:
    texts = [text for pair in SAME.values() for text in pair]
    expected = in_sql(corpus, texts)
    for form in ("NFC", "NFD", "NFKC", "NFKD"):
        again = in_sql(corpus, [unicodedata.normalize(form, text) for text in texts])
        # The sign of a trade mark parts words, where these forms make letters of it.
        assert [a for a, t in zip(again, texts, strict=True) if "™" not in t] == [
            e for e, t in zip(expected, texts, strict=True) if "™" not in t
        ]


def test_letters_that_differ_stay_different(corpus: Corpus) -> None:
    for one, other in [
        ("и", "й"),
        ("が", "か"),
        ("ガ", "が"),
        ("ס", "ם"),
        ("ا", "أ"),
        ("國", "国"),
    ]:
        assert len(set(in_sql(corpus, [one, other]))) == 2


def test_the_table_of_compatibility_characters_is_what_unicode_says() -> None:
    assert TABLE.is_file()
    if unicodedata.unidata_version == UNICODE:
        assert TABLE.read_text("utf-8") == table_sql()
