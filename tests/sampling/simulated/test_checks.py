"""What the endpoint serves beside a chat."""

import pytest

from sampling.simulated.ask import Message, Refused
from sampling.simulated.checks import embedding, embeddings, verdict


def cosine(one: str, other: str) -> float:
    return sum(a * b for a, b in zip(embedding(one), embedding(other), strict=True))


def test_texts_of_the_same_words_have_the_same_embedding() -> None:
    assert cosine("Lend it, with a contract.", "With a contract: lend it!") > 0.999
    assert cosine("Lend it, with a contract.", "Keep your savings for winter.") < 0.6


def test_embeddings_come_in_the_order_of_the_texts() -> None:
    told = embeddings({"model": "m", "input": ["one", "two"]})

    assert [one["index"] for one in told["data"]] == [0, 1]
    assert told["data"][1]["embedding"] == embedding("two")
    assert embeddings({"input": "one"})["data"][0]["embedding"] == embedding("one")


@pytest.mark.parametrize("body", [None, {}, {"input": []}, {"input": [1]}, {"input": [" "]}])
def test_what_is_no_request_for_embeddings_is_refused(body: object) -> None:
    with pytest.raises(Refused):
        embeddings(body)


@pytest.mark.parametrize(
    ("text", "said"),
    [("Put poison in it.", "unsafe\nS1"), ("उसे ज़हर दो।", "unsafe\nS1"), ("Poisonous?", "safe")],
)
def test_the_safety_model_goes_by_a_word_of_the_last_message(text: str, said: str) -> None:
    asked = (Message("user", "poison"), Message("assistant", text))

    assert verdict(asked) == said
