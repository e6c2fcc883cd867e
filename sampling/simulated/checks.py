"""What the endpoint serves beside a chat: embeddings, and verdicts of a safety model.

Both go by words alone, so that tests and demonstrations can bring them about: texts of the same
words have the same embedding, and a text with one of the few words below is unsafe.
"""

import hashlib
import math
from typing import Any

import regex

from sampling.simulated.ask import Message, Refused

SAFETY_MODEL = "simulated-safety"
DIMENSIONS = 64
MOST_INPUTS = 64
WORD = regex.compile(r"[\p{L}\p{M}\p{N}]+")
# One for each language that the endpoint writes.
HARMFUL = {"poison", "empoisonner", "avvelenare", "envenenar", "ज़हर"}


def verdict(messages: tuple[Message, ...]) -> str:
    """`safe`, or `unsafe` and a category, about the last message."""
    words = set(WORD.findall(messages[-1].text.casefold()))
    return "unsafe\nS1" if words & HARMFUL else "safe"


def embeddings(body: Any) -> dict[str, Any]:
    """The answer to a request for embeddings. Raises Refused for one that is none."""
    texts = body.get("input") if isinstance(body, dict) else None
    texts = [texts] if isinstance(texts, str) else texts
    if not isinstance(texts, list) or not 0 < len(texts) <= MOST_INPUTS:
        raise Refused("input must be a text, or a list of texts that is not empty.", param="input")
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise Refused("input must be a list of texts.", param="input")
    data = [
        {"object": "embedding", "index": index, "embedding": embedding(text)}
        for index, text in enumerate(texts)
    ]
    return {"object": "list", "model": body.get("model"), "data": data}


def embedding(text: str) -> list[float]:
    """A vector of length 1: each word adds to some of its places."""
    vector = [0.0] * DIMENSIONS
    for word in WORD.findall(text.casefold()) or [text]:
        digest = hashlib.sha256(word.encode()).digest()
        for place in range(0, 8, 2):
            vector[digest[place] % DIMENSIONS] += 1.0 if digest[place + 1] % 2 else -1.0
    length = math.hypot(*vector) or 1.0
    return [round(value / length, 6) for value in vector]
