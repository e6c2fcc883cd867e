"""For measuring: answers that take a given time whatever their text, and end at one moment."""

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

from sampling import simulated
from tests.sampling.simulated.asking import FOUR_STRINGS, chat, set_messages, user


def seconds_of(endpoint: simulated.Endpoint) -> list[float]:
    return [entry["seconds"] for entry in endpoint.log()]


def test_an_answer_takes_as_long_as_its_tokens_whatever_its_text() -> None:
    with simulated.running(speed=200, first_token=0.1, answer_tokens=61) as endpoint:
        for words in ("three", "fifty"):
            text = f"Should I go? Answer in at most {words} words."
            chat(endpoint, messages=[user(text)], stream=True)
        took = seconds_of(endpoint)
    assert all(0.4 <= seconds < 1.0 for seconds in took), took


def test_an_answer_of_four_sections_takes_four_times_its_tokens() -> None:
    with simulated.running(speed=200, answer_tokens=25) as endpoint:
        chat(endpoint, messages=set_messages(), stream=True)
        (took,) = seconds_of(endpoint)
    assert 0.495 <= took < 1.0


def test_an_answer_under_a_schema_takes_its_own_time() -> None:
    with simulated.running(speed=200, answer_tokens=500, schema_tokens=41) as endpoint:
        chat(endpoint, messages=[user("Well?")], response_format=FOUR_STRINGS, stream=True)
        (took,) = seconds_of(endpoint)
    assert 0.2 <= took < 1.5


def test_answers_that_begin_together_end_together() -> None:
    with (
        simulated.running(speed=200, answer_tokens=21, together=0.5) as endpoint,
        ThreadPoolExecutor(3) as threads,
    ):
        for number in range(3):
            threads.submit(chat, endpoint, messages=[user(f"Well? {number}")], stream=True)
            time.sleep(0.03)
        entries = endpoint.wait_for(3)
    begun = [datetime.fromisoformat(one["time"]).timestamp() for one in entries]
    ended = [start + one["seconds"] for start, one in zip(begun, entries, strict=True)]
    # All three came within half a second, or one of them just after the moment of the others.
    gaps = [abs(ended[0] - one) % 0.5 for one in ended]
    assert all(gap < 0.1 or gap > 0.4 for gap in gaps), gaps
