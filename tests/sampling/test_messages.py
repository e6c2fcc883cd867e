"""What a context is, and what may never be in one."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling import messages
from sampling.errors import BadRequest
from tests.sampling.drawings import context

USER = {"role": "user", "content": "Hello?"}


@pytest.mark.parametrize(
    ("items", "said"),
    [
        ([], "at least one message"),
        ("text", "at least one message"),
        (None, "at least one message"),
        ({"role": "user"}, "at least one message"),
        (["text"], r"messages\[0\]: expected an object"),
        ([{"role": "robot", "content": "x"}, USER], r"messages\[0\]\.role"),
        ([USER, {"role": "user"}], r"messages\[1\]\.content: expected text"),
        ([{"role": "user", "content": " \n"}], r"messages\[0\]\.content: expected text"),
        ([{"role": "user", "content": "a\x00b"}], "NUL"),
        ([{"role": "user", "content": "a\ud800b"}], "lone surrogate"),
        ([USER, {"role": "assistant", "content": "Hi."}], r"messages\[1\]\.role: the last"),
        ([{"role": "user", "content": "x" * 200_001}], "more than 200000"),
    ],
)
def test_a_context_that_cannot_be_used_is_refused_by_place(items: Any, said: str) -> None:
    with pytest.raises(BadRequest, match=said) as caught:
        messages.read_context(items)

    assert not caught.value.retryable


def test_a_context_keeps_roles_and_texts_and_nothing_else() -> None:
    read = messages.read_context([{**USER, "id": 5}])

    assert read == ({"role": "user", "content": "Hello?"},)


def test_our_part_ends_the_last_message_of_a_copy() -> None:
    asked = context("One?", "Two.", "Three?")

    changed = messages.add_to_last_user_message(asked, "Ours.")

    assert changed[-1]["content"] == "Three?\n\nOurs."
    assert changed[:-1] == asked[:-1]
    assert asked[-1]["content"] == "Three?"


def test_turns_are_counted_by_the_answers_that_were_given() -> None:
    assert messages.turn_of(context("One?")) == 0
    assert messages.turn_of(context("One?", "Two.", "Three?")) == 1


@given(st.text())
def test_whatever_is_kept_as_raw_can_be_stored(text: str) -> None:
    assert messages.unusable(messages.storable(text)) is None


@given(st.lists(st.text(min_size=1), min_size=1, max_size=4))
def test_equal_contexts_have_equal_fingerprints_and_others_do_not(texts: list[str]) -> None:
    usable = context(*(messages.storable(text) for text in texts))
    other = context(*(messages.storable(text) for text in texts), "more")

    assert messages.context_sha256(usable) == messages.context_sha256(list(usable))
    assert messages.context_sha256(usable) != messages.context_sha256(other)
