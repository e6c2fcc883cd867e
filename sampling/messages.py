"""Role-tagged messages: what a context is, and what may never be in one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Literal, TypedDict, cast

from sampling.canonical import fingerprint
from sampling.errors import BadRequest

Role = Literal["system", "user", "assistant"]
ROLES = ("system", "user", "assistant")

# Far above any conversation here (four turns of a few hundred words), far below what hurts.
MAX_CONTEXT_CHARS = 200_000


class Message(TypedDict):
    role: Role
    content: str


Context = tuple[Message, ...]


def message(role: Role, content: str) -> Message:
    return {"role": role, "content": content}


def unusable(text: str) -> str | None:
    """Why no database row can hold `text`, or None when one can."""
    if "\x00" in text:
        return "the text holds a NUL character"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the text holds a lone surrogate"
    return None


def read_context(items: object) -> Context:
    """The context that `items` (a list of role-tagged objects) describes.

    Raises BadRequest, naming the message, when one is missing a part, has an unknown role, is
    empty, or holds text that cannot be stored; and when the last one is not the user's.
    """
    if not isinstance(items, Sequence) or isinstance(items, str) or not items:
        raise BadRequest("messages: expected a list with at least one message")
    context = tuple(_read_message(item, number) for number, item in enumerate(items))
    if context[-1]["role"] != "user":
        raise BadRequest(f"messages[{len(context) - 1}].role: the last message must be the user's")
    if sum(len(item["content"]) for item in context) > MAX_CONTEXT_CHARS:
        raise BadRequest(f"messages: more than {MAX_CONTEXT_CHARS} characters")
    return context


def _read_message(item: object, number: int) -> Message:
    where = f"messages[{number}]"
    if not isinstance(item, Mapping):
        raise BadRequest(f"{where}: expected an object with role and content")
    role, content = item.get("role"), item.get("content")
    if role not in ROLES:
        raise BadRequest(f"{where}.role: expected one of {', '.join(ROLES)}")
    if not isinstance(content, str) or not content.strip():
        raise BadRequest(f"{where}.content: expected text")
    if reason := unusable(content):
        raise BadRequest(f"{where}.content: {reason}")
    return message(cast("Role", role), content)


def context_sha256(context: Iterable[Message]) -> str:
    """The fingerprint under which sets of the same context are shared."""
    return fingerprint([{"role": item["role"], "content": item["content"]} for item in context])


def turn_of(context: Iterable[Message]) -> int:
    """The number of the turn that the context asks for: 0 when no assistant has spoken yet."""
    return sum(1 for item in context if item["role"] == "assistant")


def opening_of(context: Sequence[Message]) -> str:
    """The text of the context's first user message: what all turns of a conversation share."""
    return next(item["content"] for item in context if item["role"] == "user")


def last_user_message(context: Sequence[Message]) -> str:
    """The text of the context's last user message (read_context promises one)."""
    return next(item["content"] for item in reversed(context) if item["role"] == "user")


def add_to_last_user_message(context: Sequence[Message], part: str) -> Context:
    """A copy of the context whose last user message ends with a blank line and `part`.

    The stored context stays as it is: the part belongs to the request only.
    """
    *earlier, last = context
    return (*earlier, message(last["role"], f"{last['content']}\n\n{part}"))


def with_system(context: Sequence[Message], text: str) -> Context:
    """The context under a first system message of its own; without text, the context itself."""
    return (message("system", text), *context) if text else tuple(context)


def storable(text: str) -> str:
    """The text with what no row can hold replaced: for raw output that is kept and never shown."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
