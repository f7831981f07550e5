"""A prompt cut into the smallest pieces that the normaliser treats by themselves."""

from __future__ import annotations

import re
import unicodedata

_PARTS_WORDS = re.compile(r"[\s\x00-/:-@\[-`{-\x7f]")
# Characters that are words of their own: those of sql/functions/folded.sql, and those that become
# such in form NFKC, the half-width kana and jamo among them.
_ALONE = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1100-\u11ff\u1780-\u17ff\u2e80-\u2fdf\u3005-\u3007"
    "\u3021-\u3029\u3038-\u303b\u3040-\u30ff\u3105-\u9fff\ua960-\ua97f\ua9e0-\ua9ff"
    "\uaa60-\uaa7f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U000323af]"
)
# Vowels and finals of hangul, and the half-width marks of kana: they join what stands before them.
_JOINS = re.compile("[\u1160-\u11ff\ud7b0-\ud7ff\uff9e\uff9f\uffc2-\uffdc]")
_MARK_OR_UNSEEN = frozenset({"Mn", "Mc", "Me", "Cf"})


def pieces_of(text: str) -> list[tuple[int, int]]:
    """Where the pieces of a text begin and end, in order.

    A piece is a run of what may be letters and digits, or one character that is a word of its own,
    each with the marks that follow it.
    """
    pieces: list[tuple[int, int]] = []
    open_piece = alone = False
    for place, character in enumerate(text):
        if _PARTS_WORDS.match(character):
            open_piece = False
            continue
        is_alone = _ALONE.match(character) is not None
        if open_piece and (_joins(character) or not (alone or is_alone)):
            pieces[-1] = (pieces[-1][0], place + 1)
            continue
        pieces.append((place, place + 1))
        open_piece, alone = True, is_alone
    return pieces


def _joins(character: str) -> bool:
    """Whether a character belongs to the one before it."""
    if character.isascii():
        return False
    return unicodedata.category(character) in _MARK_OR_UNSEEN or bool(_JOINS.match(character))
