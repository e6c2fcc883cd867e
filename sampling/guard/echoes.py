"""Answers that repeat what they were given: our instruction, their stance, or the question."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import regex

from sampling.guard.language import COMMON_WORDS
from sampling.guard.words import words

# As many words in a row as an answer shares with its instruction by leaking, and hardly by chance.
RUN = 4
# An answer of one question that is made of the person's own words gives the question back.
_SHARE_OF_A_QUESTION = 0.6
_SHARE_OF_SEVERAL_SENTENCES = 0.75
# Without a question mark, more has to be theirs, and most of theirs has to be there.
_SHARE_OF_A_COPY = 0.85

_QUESTION_END = regex.compile(r"[?？]['\"”’»)\]*_\s]*$")
_SENTENCE_END = regex.compile(r"[.!?…।？]+[\"”’»)\]*_]*(?:\s|$)")

Run = tuple[str, ...]


def echoes(text: str, *, own: Iterable[str], said: Iterable[str] = ()) -> bool:
    """Whether the text shares a run of four words or more with `own`, our words to the model.

    Runs that also stand in `said` (the conversation) may be said again, and runs of nothing but the
    commonest words ("it is up to you") are nobody's.
    """
    shared = _runs(text) & frozenset().union(*map(_runs, own))
    if not shared:
        return False
    allowed = frozenset().union(*map(_runs, said))
    return any(not COMMON_WORDS.issuperset(run) for run in shared - allowed)


def asks_back(text: str, *, message: str) -> bool:
    """Whether the text is the message's question again, and no answer to it."""
    mine, theirs = words(text), words(message)
    if not mine or not theirs:
        return False
    known = frozenset(theirs)
    share = sum(map(known.__contains__, mine)) / len(mine)
    if _QUESTION_END.search(text[-40:]):
        return share >= (_SHARE_OF_A_QUESTION if only_asks(text) else _SHARE_OF_SEVERAL_SENTENCES)
    given_back = len(known.intersection(mine)) / len(known)
    return share >= _SHARE_OF_A_COPY and given_back >= _SHARE_OF_A_COPY


def only_asks(text: str) -> bool:
    """Whether the text is one question and nothing else, as headings of an article are."""
    return (
        _QUESTION_END.search(text[-40:]) is not None
        and len(_SENTENCE_END.findall(text.strip())) == 1
    )


@lru_cache(maxsize=128)
def _runs(text: str) -> frozenset[Run]:
    found = words(text)
    return frozenset(zip(*(found[at:] for at in range(RUN)), strict=False))
