"""What an attempt at a set asks of its endpoints: streams at each, and tokens.

The tokens are an estimate, made before anything is sent: the limit of each answer of the first
round, and its request at four bytes a token. Repairs are not in it; what an attempt really used
replaces it when the attempt is stored.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sampling import plans
from sampling.calls import Call, CallRecord
from sampling.messages import Context, message, turn_of
from sampling.plans import PlanBody
from sampling.strategies import Ask, Strategy

BYTES_PER_TOKEN = 4
PER_MESSAGE = 8  # tokens of a chat template around each message
UNLIMITED = 1024  # tokens of an answer without a limit of its own
MANY = 16  # a plan's endpoints, at most
NEEDS = {
    "response_format": "structured_outputs",
    "structured_outputs": "structured_outputs",
    "n": "n",
    "logprobs": "logprobs",
}


@dataclass(frozen=True)
class Demand:
    """`streams_on` is empty when the endpoint that serves the set takes all its streams."""

    streams: int
    streams_on: tuple[int, ...]
    tokens: int


def demand_of(
    body: PlanBody,
    *,
    context: Context,
    language: str,
    endpoints: Callable[[], int],
    category: str = "",
) -> Demand:
    """The demand of one attempt. `endpoints` counts the plan's; only asked where it matters."""
    strategy = plans.step(body, turn_of(context), category)
    ask = Ask(context, body.k, language, 0, style=body.style)
    return Demand(
        streams=strategy.streams(body.k),
        streams_on=_streams_on(strategy, body.k, endpoints),
        tokens=_tokens(strategy, ask),
    )


def _streams_on(strategy: Strategy, k: int, endpoints: Callable[[], int]) -> tuple[int, ...]:
    if not any(strategy.streams_on(k, MANY)[1:]):
        return ()
    streams = tuple(strategy.streams_on(k, endpoints()))
    return streams if any(streams[1:]) else ()


def _tokens(strategy: Strategy, ask: Ask) -> int:
    """Lanes that quote answers which are not there yet count like the largest of the others."""
    lanes = strategy.lanes(ask.k)
    known = []
    for lane in range(lanes):
        try:
            known.append(_of_call(strategy.call(ask, lane=lane, earlier={})))
        except KeyError:
            continue
    return sum(known) + (lanes - len(known)) * max(known, default=UNLIMITED)


def features_of(body: PlanBody, *, language: str = "en") -> set[str]:
    """The capabilities (see `sampling.probing`) that a plan's requests rely on, read from the
    requests themselves.
    """
    found: set[str] = set()
    steps = (body.first_turn, body.later_turns or body.first_turn, *body.by_category.values())
    for strategy in steps:
        ask = Ask((message("user", "?"),), body.k, language, 0, style=body.style)
        for lane in range(strategy.lanes(body.k)):
            try:
                params = strategy.call(ask, lane=lane, earlier={}).params
            except KeyError:
                continue
            found |= {NEEDS[name] for name in NEEDS.keys() & params.keys()}
    return found


def _of_call(call: Call) -> int:
    limit = call.params.get("max_tokens")
    answer = limit if isinstance(limit, int) else UNLIMITED
    return answer + _of_request(item["content"] for item in call.messages)


def _of_request(texts: Iterable[object]) -> int:
    return sum(PER_MESSAGE + _of_text(str(text)) for text in texts)


def _of_text(text: str) -> int:
    return -(-len(text.encode()) // BYTES_PER_TOKEN)


def used(record: CallRecord) -> int:
    """Tokens that a call used: as the endpoint counted them, else estimated from what was sent and
    what came.
    """
    reply = record.reply
    counted = reply.usage if reply and reply.usage else {}
    if "total_tokens" in counted:
        return counted["total_tokens"]
    if "prompt_tokens" in counted and "completion_tokens" in counted:
        return counted["prompt_tokens"] + counted["completion_tokens"]
    came = reply.text if reply else str(getattr(record.error, "raw", ""))
    messages = record.body.get("messages")
    sent = [one["content"] for one in messages] if isinstance(messages, list) else []
    return _of_request(sent) + _of_text(came)
