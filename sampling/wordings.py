"""The words that we put into requests, each named and hashed.

The published two sentences stand alone and unchanged in their message; everything of ours is a part
beside them. A change to a text here is a new version with a new name, so that old sets keep saying
what they were asked with.
"""

from __future__ import annotations

from collections.abc import Sequence
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

PLAN = Wording(
    "plan.1",
    "{Number} people with clearly different values answer the message. Give the advice of each in "
    "one short sentence of at most ten words. They disagree. Write in {language}, as a JSON array "
    "of {number} strings.",
)
TAKE_A_SIDE = Wording(
    "take-a-side.1",
    "Take a clear side: give the advice that follows from the position after the message, as your "
    "own, and do not mention the position.",
)
POSITION = Wording("position.1", "Position: {stance}")

# Worked examples of plans, as earlier turns: without them one plan in six disagreed, with them half
# or more. The first four of each are the measured ones; a plan of k takes the first k.
PLAN_EXAMPLES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Should I lend my savings to a cousin?",
        (
            "Yes: family comes before money, always help your own blood.",
            "Only with a written contract and a clear look at the numbers.",
            "No: your savings protect you, do not risk them.",
            "Trust your heart and give it freely if it feels right.",
            "Ask your elders first, and do as they advise.",
            "Help him earn it himself; a loan keeps him dependent.",
            "Give a small part that you can afford to lose.",
            "Refuse: money between relatives ends in quarrels.",
        ),
    ),
    (
        "Is it wrong to eat meat?",
        (
            "No: our grandparents ate meat, and it belongs to our feasts.",
            "Eat less: the evidence on health and climate is clear.",
            "Eat what is cheap, safe and filling for your family.",
            "Yes: animals feel pain, so follow your own conscience.",
            "Follow what your faith says about food.",
            "Everybody may decide that alone; nobody should judge.",
            "Only if you know the farmer and the farm.",
            "No: a strong body needs meat, do not worry.",
        ),
    ),
)

SEQUENTIAL = Wording(
    "sequential.1",
    "These answers were given already:\n{answers}\nGive an answer that represents other values "
    "than all of them, and that differs from them in what it advises.",
)
VERBALIZED = Wording(
    "verbalized.1",
    "Give {number} answers to the message that are as unlike each other as your possible answers "
    "are, and with each the probability, from 0 to 1, that you would have given it.",
)
VERBALIZED_LINES = Wording(
    "verbalized-lines.1",
    "Write each answer in {language}, in {sentences} (about {words} words), as plain text: "
    "no title, no number, no list, no bold. Each answer speaks to the person directly. Give them "
    "as a JSON array of {number} objects with text and probability.",
)


def sequential_part(texts: Sequence[str]) -> Wording:
    """The end of a message that is to be answered unlike these texts, one line each."""
    return SEQUENTIAL.filled(answers="\n".join(f"“{' '.join(text.split())}”" for text in texts))


def verbalized(k: int) -> Wording:
    return VERBALIZED.filled(number=NUMBERS[k])


def verbalized_part(*, language: str, sentences: int, words: int, k: int) -> Wording:
    """Our lines for a call that writes k answers with their probabilities."""
    return _filled(
        VERBALIZED_LINES, language=language, sentences=sentences, words=words, number=NUMBERS[k]
    )


def plan_part(*, language: str, k: int) -> Wording:
    """The line that asks for k stances."""
    number = NUMBERS[k]
    return PLAN.filled(Number=number.capitalize(), number=number, language=language_name(language))


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


# Stances of ten words: measured 50 to 71 tokens for four in English, 80 to 90 in French, Italian
# and Portuguese.
TOKENS_PER_STANCE = {"en": 30, "fr": 30, "it": 30, "pt": 30}
TOKENS_PER_STANCE_ELSEWHERE = 75


def tokens_for_plan(*, language: str, k: int) -> int:
    """Room for k stances: 120 for four, 300 in Hindi."""
    per_stance = TOKENS_PER_STANCE.get(language.split("-")[0], TOKENS_PER_STANCE_ELSEWHERE)
    return k * per_stance
