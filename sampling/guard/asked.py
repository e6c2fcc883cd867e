"""What a set was asked with, as far as the guard has to know it: what people said, and what we
added to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sampling.calls import CallRecord
from sampling.messages import Context, last_user_message
from sampling.strategies.strategy import Draft


@dataclass(frozen=True)
class Asked:
    """`message`: the person's last message; `said`: every text of the conversation.

    `ours` has by slot the texts that we put beside them: instructions, stances, worked examples.
    Empty fields: the measures that need them find nothing.
    """

    message: str = ""
    said: tuple[str, ...] = ()
    ours: Mapping[int, tuple[str, ...]] = field(default_factory=dict)


def asked_of(context: Context, *, drafts: Sequence[Draft], records: Iterable[CallRecord]) -> Asked:
    """What these drafts were asked with, read from the requests that they came from."""
    said = tuple(item["content"] for item in context)
    made = {record.n: record for record in records}
    replies = [record.reply.text.strip() for record in made.values() if record.reply]
    ours = {
        draft.slot: _ours(made[draft.call].body, said=said, replies=replies)
        for draft in drafts
        if draft.call in made
    }
    return Asked(message=last_user_message(context), said=said, ours=ours)


def _ours(
    body: Mapping[str, object], *, said: Sequence[str], replies: Sequence[str]
) -> tuple[str, ...]:
    """The texts of a request that are not just the conversation, without the earlier answers that
    they quote. Where our part stands in one message with the person's words, both are here.
    """
    messages = body.get("messages")
    contents = [str(item["content"]) for item in messages] if isinstance(messages, list) else []
    return tuple(_unquoted(content, replies) for content in contents if content not in said)


def _unquoted(content: str, replies: Sequence[str]) -> str:
    for text in replies:
        if text:
            content = content.replace(text, "\n")
    return content
