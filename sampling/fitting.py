"""Holds a request against its endpoint's context before it is sent.

Nobody but the server can count its tokens, so the count here is the fewest that a text can have:
what is refused here could not have been answered, and what only nearly fits is the server's to
refuse. Nothing is ever cut: a conversation without its beginning is another conversation.
"""

from __future__ import annotations

from collections.abc import Mapping

from sampling.calls import Endpoint
from sampling.errors import ContextTooLong

# No tokenizer that we know joins words, or has tokens for longer pieces of prose than this.
LONGEST_TOKEN = 16  # characters
FEWEST_PER_MESSAGE = 2  # a chat template's marks around each message


def require_room(endpoint: Endpoint, body: Mapping[str, object]) -> None:
    """Raise ContextTooLong when the messages and the answer's limit together cannot fit.

    An endpoint whose context length is not known takes everything.
    """
    if endpoint.context_length is None:
        return
    prompt, answer = fewest_tokens(body), answer_tokens(body)
    if prompt + answer > endpoint.context_length:
        raise ContextTooLong(
            f"not sent: at least {prompt} tokens of conversation and {answer} for the answer do "
            f"not fit into the {endpoint.context_length} of {endpoint.name}"
        )


def fewest_tokens(body: Mapping[str, object]) -> int:
    """The fewest tokens that the messages of a request can have."""
    messages = body.get("messages")
    contents = [str(one["content"]) for one in messages] if isinstance(messages, list) else []
    return sum(FEWEST_PER_MESSAGE + _fewest(text) for text in contents)


def answer_tokens(body: Mapping[str, object]) -> int:
    """The room that the answer asks for: its limit, or a single token where it has none."""
    limit = body.get("max_tokens")
    return limit if isinstance(limit, int) else 1


def _fewest(text: str) -> int:
    return sum(-(-len(word) // LONGEST_TOKEN) for word in text.split())
