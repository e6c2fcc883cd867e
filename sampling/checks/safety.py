"""Whether a message or an answer is safe, in the words of a guard model.

Such a model is asked like any other, and answers `safe`, or `unsafe` and in the next line the
categories of its policy (`S1,S10`), as Llama Guard does. It judges the last message in the light of
the one before it. Another answer is no verdict.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import regex

from sampling.calls import Endpoint
from sampling.errors import BrokenStream
from sampling.messages import Message

PATH = "/chat/completions"
LONGEST = 48  # tokens of a verdict
CATEGORY = regex.compile(r"[\p{L}\p{N}_-]{1,40}")
MOST_CATEGORIES = 20


@dataclass(frozen=True)
class Safety:
    """`categories` are the model's own names of what it found."""

    safe: bool
    categories: tuple[str, ...] = ()


def body_of(endpoint: Endpoint, messages: Sequence[Message]) -> dict[str, object]:
    return {
        "model": endpoint.model,
        "messages": [dict(one) for one in messages],
        "temperature": 0.0,
        "max_tokens": LONGEST,
    }


def read_verdict(told: Mapping[str, Any]) -> Safety:
    """What the model said. Raises BrokenStream for anything that is no verdict: a text that could
    not be judged is not safe.
    """
    first, _, rest = _text(told).strip().partition("\n")
    word = first.strip().casefold()
    if word == "safe":
        return Safety(safe=True)
    if word == "unsafe":
        return Safety(safe=False, categories=tuple(CATEGORY.findall(rest)[:MOST_CATEGORIES]))
    raise BrokenStream("the safety model gave no verdict")


def _text(told: Mapping[str, Any]) -> str:
    try:
        return str(told["choices"][0]["message"]["content"])
    except (KeyError, IndexError, TypeError):
        raise BrokenStream("the safety model's answer had another shape") from None
