"""The measures of the guard and the deadlines in words: `docs/sampling.md` has the same rows."""

from collections.abc import Iterator
from typing import get_args

from sampling.guard.settings import DEFAULTS, GuardSettings
from sampling.plans import DeadlineSettings

MEANINGS = {
    "empty": "no text, or one that cannot be stored",
    "duplicate": "the same text as another of the set",
    "error_text": "an error in place of an answer",
    "special_tokens": "tokens of a chat template, broken characters",
    "markers": "`###`, numbering, a label, what is left of an array",
    "preamble": "an answer that announces itself (“Sure! Here is ...”)",
    "run_on": "a piece of a text that runs on over several answers",
    "echo": "our instruction, its stance or an earlier turn repeated",
    "question_back": "the question given back, or only questions asked",
    "refusal": "the model refuses to answer",
    "self_identification": "the model speaks of itself as a model",
    "foreign_script": "letters of another script",
    "near_duplicate": "nearly the wording of another of the set, by `likeness`",
    "cut_off": "no whole last sentence",
    "too_short": "fewer words than `min_words`",
    "too_long": "more words than `max_words`",
    "loop": "the same words over and over",
    "length_spread": "the longest is more than `max_length_ratio` times the shortest",
    "language": "surely another language than was asked for",
    "formatting": "Markdown: headings, lists, bold",
}
LIMITS = {
    "likeness": "share of common letter sequences from which two texts are near-duplicates",
    "min_words": "words that an answer has at least",
    "max_words": "words that an answer has at most",
    "max_length_ratio": "longest to shortest answer of a set, in words",
}
DEADLINES = {
    "connect": "until the connection stands",
    "first_byte": "from the request to the first text",
    "between_chunks": "from one piece of text to the next",
    "total": "for the whole answer",
}


def measures() -> Iterator[str]:
    """A row for each measure: its name, its meaning, what it leads to, and in baselines."""
    silent = GuardSettings()
    for name in DEFAULTS:
        usual, baseline = (silent.action(name, baseline=one) for one in (False, True))
        choices = ", ".join(f"`{one}`" for one in allowed(name))
        yield f"| `{name}` | {MEANINGS[name]} | `{usual}` | `{baseline}` | {choices} |"


def allowed(measure: str) -> list[str]:
    """What a plan may choose for a measure, in the order of their weight."""
    alternatives = get_args(GuardSettings.model_fields[measure].annotation)
    chosen = {action for one in alternatives for action in get_args(one)}
    return [one for one in ("fail", "repair", "mark") if one in chosen]


def limits() -> Iterator[str]:
    for name, meaning in LIMITS.items():
        yield f"| `{name}` | {meaning} | {GuardSettings.model_fields[name].default:g} |"


def deadlines() -> Iterator[str]:
    for name, meaning in DEADLINES.items():
        yield f"| `{name}` | {meaning} | {DeadlineSettings.model_fields[name].default:g} |"
