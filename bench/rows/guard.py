"""What the guard costs: CPU from four finished texts to a verdict as the row keeps it."""

import time
from collections.abc import Iterator
from itertools import chain, cycle, islice
from statistics import median

from bench.report import Row, bounded
from bench.servers import Servers
from sampling import guard
from sampling.simulated.phrases import LANGUAGES, POLES, phrases
from sampling.strategies import Draft
from sampling.strategies.persona import STANCES
from sampling.wordings import answer_part

WORDS = 150
ROUNDS = 60
AT_MOST = 5.0  # ms
WARM_UP = 5  # sets: tables of the regular expressions are filled by the first ones


def measure(_: Servers) -> Iterator[Row]:
    """The dearest of the five languages, by the median over sets of which none was seen before."""
    costs = {language: median(rounds(language)) for language in LANGUAGES}
    yield bounded(
        row=f"guard, 4 answers of {WORDS} words",
        figure=max(costs.values()),
        unit="ms CPU",
        at_most=AT_MOST,
    )


def rounds(language: str) -> list[float]:
    """CPU in ms of each set."""
    asked = asked_in(language)
    costs = []
    for turn in range(WARM_UP + ROUNDS):
        drafts = answers(language, turn)
        started = time.process_time()
        mended = guard.mend(drafts, settings=SETTINGS, baseline=False)
        verdict = guard.judge(
            mended, k=len(drafts), language=language, settings=SETTINGS, baseline=False, asked=asked
        )
        verdict.as_json()
        costs.append((time.process_time() - started) * 1000)
        if not verdict.passed:
            raise AssertionError(verdict.why())
    return costs[WARM_UP:]


SETTINGS = guard.GuardSettings()


def asked_in(language: str) -> guard.Asked:
    """A question, and what `persona` puts beside it."""
    question = phrases(language).stances["balanced"].sentences[0]
    lines = answer_part(language=language, sentences=8, words=WORDS).text
    return guard.Asked(
        message=question,
        said=(question,),
        ours={slot: (f"{text} {lines}",) for slot, text in enumerate(STANCES.values())},
    )


def answers(language: str, turn: int) -> list[Draft]:
    """Four texts of WORDS words in whole sentences, one towards each pole, other ones each turn."""
    return [
        Draft(
            slot=slot,
            text=text(language, pole, turn),
            role="bench",
            finish_reason="stop",
            call=slot,
        )
        for slot, pole in enumerate(POLES)
    ]


def text(language: str, pole: str, turn: int) -> str:
    stance = phrases(language).stances[pole]
    sentences = [*stance.sentences, *stance.closings]
    spoken = islice(cycle(sentences), turn, turn + len(sentences))
    written = list(islice(chain.from_iterable(one.split() for one in spoken), WORDS - 1))
    return f"{' '.join(written).rstrip(',;:.')} {turn}."
