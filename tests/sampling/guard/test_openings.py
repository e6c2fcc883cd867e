"""Preambles, leaked numbers and pieces of a longer text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.guard.openings import has_preamble, numbered, runs_on
from sampling.simulated.phrases import LANGUAGES
from sampling.simulated.phrases import phrases as phrases_of
from tests.sampling.guard.samples import phrases

PREAMBLES = [
    "Here are four responses:",
    "Here are four responses that represent diverse values:\n\nLend it.",
    "Sure! Here is a response for you: lend it.",
    "Certainly. Here’s one possible answer: lend it.",
    "Below are the answers you asked for.",
    "Aqui está uma resposta para você:\n“Empreste o dinheiro.”",
    "Aqui estão quatro respostas:",
    "Voici une réponse : prêtez-le.",
    "Bien sûr ! Voici quatre réponses :",
    "Ecco una risposta per te: prestalo.",
    "Di seguito quattro risposte:",
    "यह रहा आपके लिए एक उत्तर: उधार दीजिए।",
    "यहाँ चार उत्तर दिए गए हैं:",
    *[text for language in LANGUAGES for text in phrases_of(language).preambles],
]


@pytest.mark.parametrize("text", PREAMBLES)
def test_an_announcement_is_no_beginning_of_an_answer(text: str) -> None:
    assert has_preamble(text)


@pytest.mark.parametrize(
    "text",
    [
        "Here is what I would do: lend half of it, and write it down.",
        "Here the answer is easy. Lend it.",
        "Sure, lend it. He is your brother.",
        "Voici ce que je ferais : prêtez la moitié.",
        "Ecco il punto: un fratello resta.",
        "Aqui está o problema: o dinheiro acaba.",
        "यहाँ परिवार सबसे पहले आता है, इसलिए मदद कीजिए।",
    ],
)
def test_an_answer_may_begin_with_here(text: str) -> None:
    assert not has_preamble(text)


PIECES = [
    "must weigh the needs of those in need against the broader considerations,",
    "to make an informed decision.",
    "Must weigh the needs of all,",
    "Another perspective is that police keep the town safe.",
    "In conclusion, the decision should involve everybody.",
    "On the other hand, a park is quiet.",
    "Une autre perspective est de garder cet argent.",
    "En conclusion, gardez-le.",
    "Un'altra prospettiva è tenere i soldi.",
    "Inoltre, i soldi finiscono.",
    "Outra perspectiva é guardar o dinheiro.",
    "Além disso, o dinheiro acaba.",
    "एक और दृष्टिकोण यह है कि पैसा बचाइए।",
    "इसके अलावा, पैसा बचाइए।",
    "“and so on it goes.”",
    "élève la voix et reste.",
]


@pytest.mark.parametrize("text", PIECES)
def test_a_piece_of_a_longer_text_is_seen(text: str) -> None:
    assert runs_on(text)


@pytest.mark.parametrize(
    "text",
    [
        "iPhones are dear; buy him a book.",
        "Others believe it is unnecessary and can wait.",
        "10 euros are enough.",
        "“Lend it,” I would say.",
        "In the end, the decision is yours.",
        "Another evening at home would help you both.",
        "Ultimately you decide.",
        "È tuo fratello.",
        "एक और बात: लिखकर दीजिए।",
    ],
)
def test_a_beginning_of_its_own_is_none(text: str) -> None:
    assert not runs_on(text)


whole = st.sampled_from(list(phrases("en", "fr", "it", "pt")))


def test_no_sentence_that_people_wrote_is_any_of_these() -> None:
    assert [
        text for text in phrases() if has_preamble(text) or runs_on(text) or numbered(text)
    ] == []


@given(whole, st.data())
def test_wherever_a_sentence_is_cut_in_two_the_second_half_runs_on(
    text: str, data: st.DataObject
) -> None:
    starts = [
        at for at, letter in enumerate(text) if at and text[at - 1] == " " and letter.islower()
    ]
    at = data.draw(st.sampled_from(starts))

    assert runs_on(text[at:])


@given(whole, st.integers(1, 12), st.sampled_from(["{}. ", "{}) ", "({}) ", "{}: ", "**{}.** "]))
def test_a_number_before_a_text_is_seen(text: str, number: int, form: str) -> None:
    assert numbered(form.format(number) + text)


@pytest.mark.parametrize(
    "text", ["1. Ask.\n2. Lend.", "1945 was hard.", "3.5 euros, no more.", "2 of us."]
)
def test_a_list_or_a_figure_is_no_leaked_number(text: str) -> None:
    assert not numbered(text)
