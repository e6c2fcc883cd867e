"""Orders to misbehave: a queue of (which behaviour, how often, for which requests)."""

from dataclasses import dataclass, field
from typing import Any

from sampling.simulated.misbehaviour import BEHAVIOURS, Behaviour


class OrderError(ValueError):
    """The order names no behaviour of ours, or has a part that does not exist."""


@dataclass
class Order:
    """Applies to the next `times` chat requests (None: all) that match.

    `contains` looks in the text of all messages, `request_id` at the beginning of the
    X-Request-Id, and `nth` takes only the nth matching request after the order was given.
    """

    behaviour: str
    times: int | None = 1
    contains: str = ""
    request_id: str = ""
    nth: int | None = None
    options: dict[str, Any] = field(default_factory=dict)
    seen: int = field(default=0, init=False)

    def takes(self, *, text: str, request_id: str) -> bool:
        """Count a request and return whether this order is for it."""
        if self.contains not in text or not request_id.startswith(self.request_id):
            return False
        self.seen += 1
        if self.nth is not None and self.seen != self.nth:
            return False
        if self.times is not None:
            self.times -= 1
        return True


def read_order(found: object) -> Order:
    """Return the order of a JSON object or of a behaviour's bare name. Raises OrderError."""
    told = {"behaviour": found} if isinstance(found, str) else found
    if not isinstance(told, dict) or told.get("behaviour") not in BEHAVIOURS:
        raise OrderError(f"An order needs a behaviour of: {', '.join(BEHAVIOURS)}.")
    try:
        return Order(**told)
    except TypeError as error:
        raise OrderError(str(error)) from None


class Orders:
    """The waiting orders, the oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Order] = []

    def add(self, order: Order) -> None:
        self.waiting.append(order)

    def clear(self) -> None:
        self.waiting.clear()

    def take(self, *, text: str, request_id: str) -> Behaviour | None:
        """Return the behaviour for this chat request; None when it is to be answered well."""
        for order in self.waiting:
            if BEHAVIOURS[order.behaviour].needs_request and order.takes(
                text=text, request_id=request_id
            ):
                return self._use(order)
        return None

    def take_at_accept(self) -> bool:
        """Return whether the connection that has just been made is to be dropped."""
        for order in self.waiting:
            if not BEHAVIOURS[order.behaviour].needs_request and order.takes(
                text="", request_id=""
            ):
                self._use(order)
                return True
        return False

    def _use(self, order: Order) -> Behaviour:
        if order.times == 0 or order.nth is not None:
            self.waiting.remove(order)
        return BEHAVIOURS[order.behaviour](order.options)
