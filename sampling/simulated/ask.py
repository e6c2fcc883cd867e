"""A chat request as the simulated endpoint reads it, refused where a real vLLM refuses it."""

import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sampling.simulated import tokens


class Refused(Exception):
    """The request is answered with an error body and nothing is generated."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "BadRequestError", param: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body = {
            "error": {"message": message, "type": kind, "param": param or None, "code": status}
        }


@dataclass(frozen=True)
class Message:
    role: str
    text: str


@dataclass(frozen=True)
class Ask:
    """One accepted request: everything that decides what is written, and how it is sent."""

    messages: tuple[Message, ...]
    model: str
    stream: bool = False
    include_usage: bool = False
    n: int = 1
    seed: int = 0
    max_tokens: int = 512
    min_tokens: int = 0
    stop: tuple[str, ...] = ()
    logprobs: int | None = None
    scores_prompt: bool = False
    continues: bool = False
    schema: dict[str, Any] | None = None
    choice: tuple[str, ...] = ()
    prompt_tokens: int = 0
    digest: str = field(default="", repr=False)


def read_ask(body: object, *, models: tuple[str, ...], context: int) -> Ask:
    """Return the request of a JSON body. Raises Refused with the status that vLLM would give."""
    if not isinstance(body, dict):
        raise Refused("The body must be a JSON object.")
    _check_kinds(body)
    model = _model(body, models)
    messages = _messages(body)
    _check_ranges(body)
    _check_prompt_options(body)
    prompt = 4 * len(messages) + tokens.count(message.text for message in messages)
    return Ask(
        messages=messages,
        model=model,
        stream=bool(body.get("stream")),
        include_usage=_include_usage(body),
        n=_number(body, "n", 1),
        seed=_seed(body),
        max_tokens=_room(body, prompt=prompt, context=context),
        min_tokens=_number(body, "min_tokens", 0),
        stop=_stop(body),
        logprobs=_logprobs(body),
        scores_prompt=body.get("prompt_logprobs") is not None,
        continues=bool(body.get("continue_final_message")),
        schema=_schema(body),
        choice=tuple(_structured(body).get("choice") or ()),
        prompt_tokens=prompt,
        digest=_digest(body),
    )


def _model(body: dict[str, Any], models: tuple[str, ...]) -> str:
    name = body.get("model") or models[0]
    if name not in models:
        raise Refused(
            f"The model `{name}` does not exist. Valid aliases: {', '.join(models)}.",
            status=404,
            kind="NotFoundError",
            param="model",
        )
    return str(name)


def _messages(body: dict[str, Any]) -> tuple[Message, ...]:
    found = body.get("messages")
    if not isinstance(found, list) or not found:
        raise Refused("messages must be a list that is not empty.")
    return tuple(_message(item) for item in found)


def _message(item: object) -> Message:
    if not isinstance(item, dict):
        raise Refused("A message must be an object.", param="messages")
    content = item.get("content")
    if isinstance(content, list):
        content = "\n".join(_part(part) for part in content)
    if not isinstance(content, str):
        raise Refused("The content of a message must be text.", param="messages")
    return Message(role=str(item.get("role", "user")), text=content)


def _part(part: object) -> str:
    if not isinstance(part, dict) or part.get("type") != "text":
        raise Refused("This model reads text only.", param="messages")
    return str(part.get("text", ""))


def _check_kinds(body: dict[str, Any]) -> None:
    """Refuse fields of another kind, as vLLM's own reader of bodies does: in words of its own."""
    rules: tuple[tuple[str, Callable[[object], bool]], ...] = (
        ("seed", lambda value: str(value).lstrip("-").isdecimal()),
        ("stop", _is_text_or_texts),
        ("response_format", lambda value: isinstance(value, dict)),
    )
    for name, holds in rules:
        value = body.get(name)
        if value is not None and not holds(value):
            said = f"1 validation error: body.{name} is of another kind."
            raise Refused(said, kind="Bad Request", param=f"body.{name}")


def _is_text_or_texts(value: object) -> bool:
    texts = value if isinstance(value, list) else [value]
    return all(isinstance(text, str) for text in texts)


def _check_ranges(body: dict[str, Any]) -> None:
    rules: tuple[tuple[str, Callable[[float], bool], str], ...] = (
        ("temperature", lambda value: 0 <= value <= 2, "in [0, 2]"),
        ("top_p", lambda value: 0 < value <= 1, "in (0, 1]"),
        ("n", lambda value: 1 <= value <= 64, "in [1, 64]"),
        ("max_tokens", lambda value: value >= 1, "at least 1"),
        ("max_completion_tokens", lambda value: value >= 1, "at least 1"),
        ("top_logprobs", lambda value: 0 <= value <= 20, "in [0, 20]"),
    )
    for name, holds, wanted in rules:
        value = body.get(name)
        if value is not None and not (_is_number(value) and holds(value)):
            param = "" if name == "n" else name  # which it does not name
            raise Refused(f"{name} must be {wanted}, got {value}.", param=param)
    if _number(body, "n", 1) > 1 and body.get("temperature") == 0:
        raise Refused("n must be 1 when using greedy sampling.")
    if body.get("stream_options") and not body.get("stream"):
        raise Refused("stream_options needs stream=True.", param="stream_options")
    if body.get("top_logprobs") and not body.get("logprobs"):
        raise Refused("top_logprobs needs logprobs=True.", param="top_logprobs")
    if body.get("tools"):
        raise Refused("This model calls no tools.", param="tools")


def _check_prompt_options(body: dict[str, Any]) -> None:
    wanted = body.get("prompt_logprobs")
    if wanted not in (None, 0):
        raise Refused(
            "This model gives no alternatives to tokens of a prompt.", param="prompt_logprobs"
        )
    if wanted is not None and body.get("stream"):
        raise Refused("prompt_logprobs are not available when stream=True.", param="stream")
    if body.get("continue_final_message") and body.get("add_generation_prompt", True):
        raise Refused("continue_final_message needs add_generation_prompt=False.")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(body: dict[str, Any], name: str, default: int) -> int:
    value = body.get(name)
    return default if value is None else int(value)


def _include_usage(body: dict[str, Any]) -> bool:
    options = body.get("stream_options")
    return isinstance(options, dict) and bool(options.get("include_usage"))


def _seed(body: dict[str, Any]) -> int:
    """Return the request's seed; a fresh one for none, and one for all at temperature 0."""
    if body.get("temperature") == 0:
        return 0
    seed = body.get("seed")
    return secrets.randbits(62) if seed is None else int(seed)


def _room(body: dict[str, Any], *, prompt: int, context: int) -> int:
    """Return how many tokens may be written: what was asked, clipped to the context's rest."""
    if prompt >= context:
        raise Refused(
            f"This model's maximum context length is {context} tokens. However, your prompt "
            f"contains {prompt} input tokens.",
            param="input_tokens",
        )
    asked = body.get("max_completion_tokens") or body.get("max_tokens") or context - prompt
    if asked > context:
        raise Refused(f"max_tokens={asked} is over the context {context}.", param="max_tokens")
    return min(int(asked), context - prompt)


def _stop(body: dict[str, Any]) -> tuple[str, ...]:
    stop = body.get("stop") or ()
    return (stop,) if isinstance(stop, str) else tuple(text for text in stop if text)


def _logprobs(body: dict[str, Any]) -> int | None:
    return _number(body, "top_logprobs", 0) if body.get("logprobs") else None


def _structured(body: dict[str, Any]) -> dict[str, Any]:
    found = body.get("structured_outputs")
    return found if isinstance(found, dict) else {}


def _schema(body: dict[str, Any]) -> dict[str, Any] | None:
    wanted = body.get("response_format") or {}
    if wanted.get("type") == "json_object":
        return {"type": "object", "properties": {"answer": {"type": "string"}}}
    schema = (wanted.get("json_schema") or {}).get("schema") or _structured(body).get("json")
    if schema is None:
        return None
    if not isinstance(schema, dict):
        raise Refused("The JSON schema must be an object.", param="response_format")
    if "uniqueItems" in json.dumps(schema):
        raise Refused("The JSON schema contains features not supported by xgrammar.")
    return schema


def _digest(body: dict[str, Any]) -> str:
    """Return a hash of what the text may depend on beside the seed."""
    told = [body.get("messages"), body.get("response_format"), body.get("structured_outputs")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()
