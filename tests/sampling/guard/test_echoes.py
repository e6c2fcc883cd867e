"""Answers that repeat their instruction, and questions given back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.guard.echoes import RUN, asks_back, echoes, only_asks
from sampling.guard.words import words
from sampling.strategies.persona import STANCES
from sampling.wordings import ANSWER, PUBLISHED
from tests.sampling.drawings import QUESTION, TEXTS
from tests.sampling.guard.samples import phrases

OURS = (
    *STANCES.values(),
    PUBLISHED.text,
    ANSWER.filled(language="English", sentences="two sentences", words=45).text,
)


@pytest.mark.parametrize(
    "text",
    [
        "As a person valuing reason, evidence, and each person's own judgement, I would lend it.",
        "It is up to the customs that you grew up with. Lend it.",
        "Here, in two sentences about 45 words as plain text: lend it.",
        "These are responses that represent diverse values: lend it or keep it.",
        "REASON,  EVIDENCE and EACH person’s own judgement say: keep it.",
    ],
)
def test_a_run_of_our_words_in_an_answer_is_seen(text: str) -> None:
    assert echoes(text, own=OURS)


@pytest.mark.parametrize("text", TEXTS)
def test_answers_in_their_own_words_echo_nothing(text: str) -> None:
    assert not echoes(text, own=OURS)


def test_what_the_person_said_may_be_said_again() -> None:
    own = [f"{QUESTION}\n\nPosition: you should open a shop together."]
    answer = "Borrow money to open a shop and you will both work harder."

    assert echoes(answer, own=own)
    assert not echoes(answer, own=own, said=[QUESTION])


def test_a_run_of_the_commonest_words_is_nobodys() -> None:
    assert not echoes("It is not for you to be there.", own=["Say that it is not for you to be."])


@given(st.sampled_from(OURS), st.integers(0, 40), st.integers(RUN, 9), st.sampled_from(TEXTS))
def test_any_leak_of_enough_words_is_seen_wherever_it_stands(
    ours: str, start: int, length: int, text: str
) -> None:
    mine = words(ours)
    leak = mine[start % (len(mine) - RUN + 1) :][:length]

    leaked = f"{text} {' '.join(leak)} {text}"

    assert echoes(leaked, own=[ours]) == echoes(" ".join(leak), own=[ours])


@given(st.sampled_from(OURS), st.integers(0, 40), st.integers(1, RUN - 1))
def test_fewer_words_in_common_are_none(ours: str, start: int, length: int) -> None:
    mine = words(ours)
    few = mine[start % len(mine) :][:length]

    assert not echoes(f"Zum Beispiel {' '.join(few)} sagt man.", own=[ours])


@pytest.mark.parametrize(
    ("message", "text"),
    [
        (QUESTION, "Should I lend it?"),
        (QUESTION, "Your brother wants to borrow money to open a shop. Should you lend it?"),
        (
            "क्या शादी परिवार की पसंद से होनी चाहिए या अपनी पसंद से?",
            "क्या शादी परिवार की पसंद से होनी चाहिए या अपनी पसंद से?",
        ),
        (
            "क्या शादी परिवार की पसंद से होनी चाहिए या अपनी पसंद से?",
            "शादी परिवार की पसंद से होनी चाहिए या अपनी पसंद से।",
        ),
        ("Dois-je prêter de l'argent à mon frère ?", "Dois-je prêter de l’argent à mon frère ?"),
    ],
)
def test_a_question_given_back_is_no_answer(message: str, text: str) -> None:
    assert asks_back(text, message=message)


@pytest.mark.parametrize(
    "text",
    [
        *TEXTS,
        "Yes, lend it.",
        "Have you asked your wife what she thinks of it?",
        "Would he lend it to you? Then lend it.",
        "",
    ],
)
def test_answers_and_other_questions_are_not(text: str) -> None:
    assert not asks_back(text, message=QUESTION)


@given(st.sampled_from(list(phrases())))
def test_a_message_is_always_seen_in_itself(message: str) -> None:
    assert asks_back(message, message=message)
    assert asks_back(f"{message.rstrip('.।!')}?", message=message)


@pytest.mark.parametrize(
    ("text", "only"),
    [
        ("How can I balance my child's happiness and academic success?", True),
        ("“What would she say?”", True),
        ("Ask her. What would she say?", False),
        ("What would she say? Ask her.", False),
        ("Nothing is asked.", False),
    ],
)
def test_one_question_alone_is_told_from_a_question_in_an_answer(text: str, *, only: bool) -> None:
    assert only_asks(text) is only
