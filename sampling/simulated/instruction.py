"""What the messages ask for: how many responses, in which language, how long, from which side."""

import unicodedata
from dataclasses import dataclass

import regex

from sampling.simulated.ask import Ask, Message
from sampling.simulated.phrases import LANGUAGES, STANCES, phrases

NUMBERS = {
    word: number
    for number, word in enumerate(
        "one two three four five six seven eight nine ten".split(), start=1
    )
}
RESPONSES = regex.compile(r"\bGenerate (\w+) responses\b", regex.IGNORECASE)
LANGUAGE_LINE = regex.compile(
    r"\b(?:Write(?: each response| it)?|Answer|Respond|Reply) in ([\p{L}\p{M} ()]+)",
    regex.IGNORECASE,
)
WORDS = regex.compile(r"\b(?:(\d+) ?(?:-|–|to) ?)?(\d+) words\b", regex.IGNORECASE)
FEW_WORDS = regex.compile(r"\bat most (\w+) words\b", regex.IGNORECASE)
SENTENCES = regex.compile(r"\bin (\w+) sentences?\b", regex.IGNORECASE)
# The last one begins where a sentence does: else a long message made the search quadratic.
STANCE_LINE = regex.compile(
    r"(?m)\b(?:Position|Stance): *(.+)$|\bYou value ([^.\n]+)"
    r"|(?<![^.\n])([^.\n]{1,300}) come first\b"
)
DIFFER = regex.compile(r"\bdiffers?\b|\bdifferent from\b|\bunlike\b", regex.IGNORECASE)
OWN_LINE = regex.compile(
    rf"{LANGUAGE_LINE.pattern}|^ *(?:Position|Stance):|{RESPONSES.pattern}"
    r"|\banswers were given already"
)
DEVANAGARI = regex.compile(r"\p{Devanagari}")
WORD = regex.compile(r"[\p{L}\p{M}]+")


@dataclass(frozen=True)
class Instruction:
    """`sections` is the number of responses under `###` markers; None asks for one answer."""

    language: str
    topic: str
    sections: int | None = None
    words: int = 60
    sentences: int | None = None
    position: str = ""
    stance: str = ""
    said: str = ""
    avoided: frozenset[str] = frozenset()


def read_instruction(ask: Ask) -> Instruction:
    """Return what the request asks for, from its system messages and its last user message."""
    instructions, users = _sorted(ask.messages)
    told = "\n\n".join([*instructions, users[-1] if users else ""])
    asked = [_without_own_lines(text) for text in reversed(users)]
    language = _named_language(told) or _language_of(asked)
    position = _position(told)
    return Instruction(
        language=language,
        topic=_topic(asked, language),
        sections=_sections(told),
        words=_words(told),
        sentences=_sentences(told),
        position=position,
        stance=stance_of(position, language),
        said="\n".join(message.text for message in ask.messages),
        avoided=_avoided(told, ask.messages, language),
    )


def asked(ask: Ask) -> str:
    """Return the user's last words, without lines of ours."""
    return _without_own_lines(_sorted(ask.messages)[1][-1])


def _sorted(messages: tuple[Message, ...]) -> tuple[list[str], list[str]]:
    """Return the texts of the instructions, and those of the user's part of the conversation.

    A user message that another one follows is an instruction too: that is how models are told that
    know no system role.
    """
    instructions, users = [], []
    for message, following in zip(messages, (*messages[1:], None), strict=True):
        if message.role == "user" and not (following and following.role == "user"):
            users.append(message.text)
        elif message.role != "assistant":
            instructions.append(message.text)
    return instructions, users


def _without_own_lines(text: str) -> str:
    # Hindi letters with a dot below are typed in two ways; the keywords know the one of NFC.
    text = unicodedata.normalize("NFC", text)
    blocks = text.split("\n\n")
    return "\n\n".join(block for block in blocks if not OWN_LINE.search(block)) or text


def _named_language(told: str) -> str:
    for match in LANGUAGE_LINE.finditer(told):
        named = match[1].casefold()
        for language in LANGUAGES:
            if any(name.casefold() in named for name in phrases(language).names):
                return language
    return ""


def _language_of(asked: list[str]) -> str:
    """Return the language of the latest text that shows one; English when none does."""
    for text in asked:
        if DEVANAGARI.search(text):
            return "hi"
        words = [word.casefold() for word in WORD.findall(text)]
        scores = {
            language: sum(word in phrases(language).common_words for word in words)
            for language in LANGUAGES
        }
        best = max(scores, key=lambda language: scores[language])
        if scores[best]:
            return best
    return "en"


def _topic(asked: list[str], language: str) -> str:
    """Return the topic that the latest text speaks of most, the first one of equals."""
    topics = phrases(language).topics
    for text in asked:
        scores = {name: len(topic.keywords.findall(text)) for name, topic in topics.items()}
        best = max(scores, key=lambda name: scores[name])
        if scores[best]:
            return best
    return "general"


def _sections(told: str) -> int | None:
    match = RESPONSES.search(told)
    if not match:
        return None
    return _count(match[1]) or 4


def _count(word: str) -> int | None:
    return int(word) if word.isdecimal() else NUMBERS.get(word.casefold())


def _words(told: str) -> int:
    if few := FEW_WORDS.search(told):
        return _count(few[1]) or 10
    if not (match := WORDS.search(told)):
        return 60
    return (int(match[1] or match[2]) + int(match[2])) // 2


def _sentences(told: str) -> int | None:
    match = SENTENCES.search(told)
    return _count(match[1]) if match else None


def _position(told: str) -> str:
    """Return the stance that the messages prescribe, the last one named; empty for none."""
    matches = list(STANCE_LINE.finditer(told))
    return next((group for group in matches[-1].groups() if group), "").strip() if matches else ""


def stance_of(position: str, language: str) -> str:
    """Return the stance that the position states; empty when it shows none.

    A position of our own writing is known by its text, another by its words.
    """
    if not position:
        return ""
    # A position may be English, as plans are, in a conversation of another language.
    sources = [phrases(source).stances for source in dict.fromkeys(("en", language))]
    for stances in sources:
        for name in STANCES:
            if any(known in position for known in stances[name].positions):
                return name
    scores = {
        name: sum(len(stances[name].keywords.findall(position)) for stances in sources)
        for name in STANCES
    }
    best = max(scores, key=lambda name: scores[name])
    return best if scores[best] else ""


def _avoided(told: str, messages: tuple[Message, ...], language: str) -> frozenset[str]:
    """Return the stances already taken by answers that this one was asked to differ from."""
    if not DIFFER.search(told):
        return frozenset()
    shown = "\n".join(message.text for message in messages)
    found = phrases(language).stances.items()
    return frozenset(
        name
        for name, stance in found
        if any(text in shown for text in (*stance.sentences, *stance.leads))
    )
