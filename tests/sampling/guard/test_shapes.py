"""Shapes that no candidate may have, and the ordinary texts that look a little like them."""

import pytest

from sampling.guard import shapes

ORDINARY = [
    "I would lend it, with a date on paper. Errors happen in every family: forgive early.",
    "Error is human, so forgive him.",
    "There is a 500 euro limit in our house; 404 ways around it are known.",
    "Service in a shop is hard work, and unavailable fathers are missed.",
    "Connection matters more than money: call her tonight.",
    "Le message est clair : votre code d'honneur d'abord.",
    "L'errore più grande sarebbe tacere.",
    "O erro dele não é o seu.",
    "गलती सबसे होती है, इसलिए उसे माफ़ कर दीजिए।",
    "C# and #hashtags are no markers; 1 < 2 and 3 > 2.",
    'She said "detail matters" and left.',
    "Value your time. Type less, and talk more.",
    "<3 to you both, whatever you decide!",
]


@pytest.mark.parametrize("text", ORDINARY)
def test_ordinary_texts_have_none_of_the_shapes(text: str) -> None:
    assert not shapes.error_text(text)
    assert not shapes.special_token(text)
    assert not shapes.leaked_marker(text)
    assert not shapes.loops(text)
    assert not shapes.formatted(text)


@pytest.mark.parametrize(
    "text",
    [
        '{"error": {"message": "The model is overloaded.", "code": 503}}',
        '{"error": "Unauthorized"}',
        '{"detail": "Not Found"}',
        '[{"error": "x"}]',
        '```json\n{"error": "x"}\n```',
        '{"error": {"message": "cut in the mid',
        '{"object": "error", "message": "x"}',
        "<!DOCTYPE html><html><body>Bad gateway</body></html>",
        "<html>\n<head><title>502 Bad Gateway</title></head>",
        "  <h1>Service Unavailable</h1>",
        "Internal Server Error",
        "HTTP/1.1 503 Service Unavailable",
        "502 Bad Gateway",
        "Error code: 429 - rate limit",
        "Error: connection refused",
        "Errore: impossibile connettersi",
        "upstream connect error or disconnect/reset before headers",
        "Traceback (most recent call last):\n  File",
        "openai.APIConnectionError: Connection error.",
        "RuntimeError: CUDA out of memory",
        "Rate limit exceeded, try again in 20 s",
        'data: {"choices": []}',
    ],
)
def test_an_error_in_place_of_an_answer_is_seen(text: str) -> None:
    assert shapes.error_text(text)


@pytest.mark.parametrize(
    "token",
    [
        *("<|end_of_text|>", "<|im_start|>assistant", "<|eot_id|>", "</s>", "<s>", "[INST]"),
        *("[/INST]", "<<SYS>>", "<start_of_turn>", "<eos>", "<pad>", "<unk>", "</think>"),
        *("<｜end▁of▁sentence｜>", "\ufffd"),
    ],
)
def test_template_tokens_are_seen_wherever_they_stand(token: str) -> None:
    assert shapes.special_token(f"Lend it to him. {token} Then talk.")


@pytest.mark.parametrize(
    "text", ["Lend it. ### Or not.", "#### Title", "Response 2: lend it.", "उत्तर 3: हाँ।"]
)
def test_what_is_left_of_the_sets_own_format_is_seen(text: str) -> None:
    assert shapes.leaked_marker(text)


@pytest.mark.parametrize(
    "text",
    [
        "Lend **all** of it.",
        "- one\n- two",
        "1. First, ask.\n2. Then lend.",
        "# Title\ntext",
        "```",
    ],
)
def test_markdown_is_seen(text: str) -> None:
    assert shapes.formatted(text)


@pytest.mark.parametrize(
    "text",
    [
        "no no no no no no no",
        "It depends on what you want. It depends on what you want. It depends on what you want.",
        "नहीं नहीं नहीं नहीं नहीं नहीं",
    ],
)
def test_a_text_that_goes_round_is_seen(text: str) -> None:
    assert shapes.loops(text)


@pytest.mark.parametrize("piece", ["\n", " ", "<h1", "{", '[{"a":', "data:\n", "|a", "**", "<|"])
def test_a_text_at_the_cap_is_judged_as_quickly_as_a_short_one(piece: str) -> None:
    endless = piece * (30_000 // len(piece))

    assert not shapes.special_token(endless)
    assert not shapes.leaked_marker(endless)
    shapes.error_text(endless)
    shapes.formatted(endless)
