"""The words that we put into requests, each named and hashed.

The published two sentences stand alone and unchanged in their message; everything of ours is a part
beside them. A change to a text here is a new version with a new name, so that old sets keep saying
what they were asked with.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from babel import Locale, UnknownLocaleError

from sampling.canonical import fingerprint_text
from sampling.errors import BadRequest

NUMBERS = {
    1: "one",
    2: "two",
    3: "three",
    4: "four",
    5: "five",
    6: "six",
    7: "seven",
    8: "eight",
}

# What models call the language. Portuguese here is Brazil's: with plain "Portuguese" answers mix
# both.
LANGUAGES = {
    "en": "English",
    "fr": "French",
    "it": "Italian",
    "pt": "Brazilian Portuguese",
    "hi": "Hindi",
}


@dataclass(frozen=True)
class Wording:
    """A named text. `filled` texts are hashed as they were sent."""

    name: str
    text: str

    @property
    def stamp(self) -> str:
        """Name and hash, as it stands in a set's provenance."""
        return f"{self.name}:{fingerprint_text(self.text)[:16]}"

    def filled(self, **values: str | int) -> Wording:
        return Wording(self.name, self.text.format(**values))


PUBLISHED = Wording(
    "published.1",
    "Generate four responses that represent diverse values. Each response should start with ### to "
    "demarcate where one begins and the other ends.",
)
PUBLISHED_FOR_K = Wording(
    "published-for-k.1",
    "Generate {number} responses that represent diverse values. Each response should start with "
    "### to demarcate where one begins and the other ends.",
)
RESPONSES = Wording(
    "responses.1",
    "Write each response in {language}, in {sentences} (about {words} words), as plain text: "
    "no title, no number, no list, no bold. Each response answers the person directly.",
)
ANSWER = Wording(
    "answer.1",
    "Answer in {language}, in {sentences} (about {words} words), as plain text: no title, "
    "no number, no list, no bold. Answer the person directly.",
)

STRUCTURED = Wording(
    "structured.1", f"{RESPONSES.text} Give the responses as a JSON array of {{number}} strings."
)


def published(k: int) -> Wording:
    """The published instruction: byte for byte for four, in its parametrised form for other k."""
    return PUBLISHED if k == 4 else PUBLISHED_FOR_K.filled(number=NUMBERS[k])


def responses_part(*, language: str, sentences: int, words: int) -> Wording:
    """Our lines for a call that writes several responses."""
    return _filled(RESPONSES, language=language, sentences=sentences, words=words)


def structured_part(*, language: str, sentences: int, words: int, k: int) -> Wording:
    """Our lines for a call that writes k responses as a JSON array."""
    return _filled(
        STRUCTURED, language=language, sentences=sentences, words=words, number=NUMBERS[k]
    )


def answer_part(*, language: str, sentences: int, words: int) -> Wording:
    """Our lines for a call that writes one answer."""
    return _filled(ANSWER, language=language, sentences=sentences, words=words)


def _filled(wording: Wording, *, language: str, sentences: int, words: int, **more: str) -> Wording:
    plural = "sentence" if sentences == 1 else "sentences"
    return wording.filled(
        language=language_name(language),
        sentences=f"{NUMBERS[sentences]} {plural}",
        words=words,
        **more,
    )


@cache
def language_name(code: str) -> str:
    """The English name of a language; raises BadRequest for a code that nobody speaks."""
    if code in LANGUAGES:
        return LANGUAGES[code]
    try:
        name = Locale.parse(code, sep="-").get_language_name("en")
    except (UnknownLocaleError, ValueError) as error:
        raise BadRequest(f"language: {code!r} is not a language code") from error
    if not name:
        raise BadRequest(f"language: {code!r} has no name that a model would know")
    return name


# Measured tokens per word: English 1.2 to Portuguese 1.6; Hindi 4.7. Others are given Hindi's room.
TOKENS_PER_WORD = {"en": 2.5, "fr": 2.5, "it": 2.5, "pt": 2.5}
TOKENS_PER_WORD_ELSEWHERE = 8.0


def tokens_for_answer(*, language: str, words: int) -> int:
    """Room for one answer of about `words` words: generous, because a cut answer is a lost one."""
    per_word = TOKENS_PER_WORD.get(language.split("-")[0], TOKENS_PER_WORD_ELSEWHERE)
    return int(words * per_word) + 10


def tokens_for_responses(*, language: str, words: int, k: int) -> int:
    """Room for k responses with their markers in one generation."""
    return k * tokens_for_answer(language=language, words=words) + 40
