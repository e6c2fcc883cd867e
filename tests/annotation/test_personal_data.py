"""What tells who somebody is, and what only looks like it."""

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from annotation.personal_data import Kind, personal_data


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Write to anna.rossi+x@posta.example.it please", Kind.EMAIL),
        ("मुझे लिखें: रवि@उदाहरण.भारत", Kind.EMAIL),
        ("Call me on +91 98765 43210", Kind.PHONE),
        ("फ़ोन ९८७६५ ४३२१०", Kind.PHONE),
        ("Appelle le 06 12 34 56 78.", Kind.PHONE),
        ("my number: (415) 555-0134", Kind.PHONE),
        ("ligue (11) 91234-5678", Kind.PHONE),
        ("card 4111 1111 1111 1111", Kind.CARD),
        ("IBAN FR14 2004 1010 0505 0001 3M02 606", Kind.ACCOUNT),
        ("meu CPF é 529.982.247-25", Kind.IDENTITY),
        ("aadhaar 2341 2341 2346", Kind.IDENTITY),
        ("il mio codice è RSSMRA85T10A562S", Kind.IDENTITY),
        ("SSN 219-09-9999", Kind.IDENTITY),
        ("NIR 2 55 08 14 168 025 38", Kind.IDENTITY),
    ],
)
def test_what_tells_who_somebody_is_is_found(text: str, kind: Kind) -> None:
    assert personal_data(text) == [kind]


@pytest.mark.parametrize(
    "text",
    [
        "Between 1990 and 2000, in 1990-2000 or 12/05/2024, was it better?",
        "It costs 1.000.000.000 or 100 000 000 euros, 3,000,000 rupees, 25%.",
        "At 10:30 I pay @home 15 dollars; call 112 or 911.",
        "Is 4111 1111 1111 1112 a large number? And 000000000000?",
        "What should I do about my neighbour?",
    ],
)
def test_other_numbers_are_left_alone(text: str) -> None:
    assert personal_data(text) == []


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_any_text_can_be_looked_at(text: str) -> None:
    assert set(personal_data(text)) <= set(Kind)


def checked(nine: list[int]) -> list[int]:
    """The eleven digits of a Brazilian number: nine, and the two that check them."""
    digits = [*nine]
    for n in (9, 10):
        total = sum(digit * (n + 1 - place) for place, digit in enumerate(digits))
        digits.append(total * 10 % 11 % 10)
    return digits


@settings(max_examples=30)
@given(st.integers(1, 9), st.integers(1, 9), st.lists(st.integers(0, 9), min_size=9, max_size=9))
def test_an_identity_number_with_a_wrong_digit_is_none(by: int, at: int, nine: list[int]) -> None:
    digits = checked(nine)
    wrong = [*digits]
    wrong[at] = (wrong[at] + by) % 10
    if len(set(digits)) > 1:
        assert Kind.IDENTITY in personal_data("".join(map(str, digits)))
    assume(wrong != checked(wrong[:9]))  # the sums of two numbers may be checked by one digit: 0
    assert Kind.IDENTITY not in personal_data("".join(map(str, wrong)))
