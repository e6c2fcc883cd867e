"""A request's messages as the tokens of a prompt, each with a made-up log-probability.

The same token after the same token always has the same one, so that scores can be seen, tested and
repeated; they say nothing of likelihood.
"""

import random
import zlib
from itertools import pairwise
from typing import Any

from sampling.simulated import tokens
from sampling.simulated.ask import Ask, Message

VOCABULARY = 128_000


def prompt_logprobs(ask: Ask) -> list[dict[str, Any] | None]:
    """Return one entry for each token of the prompt, as vLLM does: None for the first, then its id
    with what is known of it.
    """
    found = _prompt(ask)
    return [None, *(_entry(before, piece) for before, piece in pairwise(found))]


def _prompt(ask: Ask) -> list[str]:
    """Return the template's tokens; where the last message is not continued, an answer is begun."""
    pieces = [piece for message in ask.messages for piece in _of_message(message)]
    return pieces if ask.continues else [*pieces, *_of_message(Message("assistant", ""))]


def _of_message(message: Message) -> list[str]:
    # All four tokens that `prompt_tokens` counts for a message stand before its text.
    return ["<|start|>", message.role, "<|message|>", "\n", *tokens.pieces(message.text)]


def _entry(before: str, piece: str) -> dict[str, Any]:
    draw = random.Random(f"{before}\x1f{piece}")  # noqa: S311
    token = zlib.crc32(piece.encode("utf-8", "surrogatepass")) % VOCABULARY
    logprob = -round(draw.expovariate(1.6), 4)
    return {str(token): {"logprob": logprob, "rank": 1, "decoded_token": piece}}
