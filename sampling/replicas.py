"""Which of an endpoint's servers takes a call: one process's view of them.

An endpoint may be several servers of one model at one revision. What makes a conversation fast is
the server's prefix cache, so all calls about a conversation go to the same server (rendezvous
hashing: when a server joins or leaves, only its own conversations move) while it has room there;
beyond that the least busy one takes them. A server that fails or falls silent is left out until it
answers again. Other processes find out for themselves.
"""

import asyncio
import hashlib
import logging
import math
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from urllib.parse import urlsplit

import aiohttp

from sampling.calls import Endpoint

logger = logging.getLogger(__name__)

REST = 1.0  # seconds until a server that is out is first tried again; doubled up to
LONGEST_REST = 15.0
ANSWER_SECONDS = 3.0
DEFAULT_PORTS = {"http": 80, "https": 443}


class Replicas:
    """The servers of all endpoints as this process sees them. Belongs to one event loop."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._out: dict[str, asyncio.Task[None]] = {}

    @contextmanager
    def taking(
        self, endpoint: Endpoint, *, conversation: str, avoiding: Collection[str] = ()
    ) -> Iterator[str]:
        """The address that a call goes to; it counts there as open until the block ends."""
        address = self.choose(endpoint, conversation=conversation, avoiding=avoiding)
        self._open[address] += 1
        try:
            yield address
        finally:
            self._open[address] -= 1

    def choose(
        self, endpoint: Endpoint, *, conversation: str, avoiding: Collection[str] = ()
    ) -> str:
        """The conversation's own server while it has room, else the least busy one.

        When all are out, the ones that were not tried yet are used rather than none.
        """
        if not endpoint.replicas:
            return endpoint.base_url
        untried = [one for one in endpoint.replicas if one not in avoiding]
        sound = [one for one in untried if one not in self._out] or untried
        ranked = sorted(sound, key=lambda one: _weight(conversation, one), reverse=True)
        if self._open[ranked[0]] < _room(endpoint):
            return ranked[0]
        return min(ranked, key=lambda one: self._open[one])

    def take_out(self, address: str) -> None:
        """Leave a server out until it answers again."""
        if address not in self._out:
            logger.warning("a replica is out: %s", place_of(address))
            self._out[address] = asyncio.get_running_loop().create_task(self._bring_back(address))

    def is_out(self, address: str) -> bool:
        return address in self._out

    async def close(self) -> None:
        """Stop trying."""
        trying, self._out = list(self._out.values()), {}
        for task in trying:
            task.cancel()
        await asyncio.gather(*trying, return_exceptions=True)

    async def _bring_back(self, address: str) -> None:
        rest = REST
        while True:
            await asyncio.sleep(rest)
            if await _answers(address):
                break
            rest = min(LONGEST_REST, rest * 2)
        logger.info("a replica is back: %s", place_of(address))
        self._out.pop(address, None)


def place_of(address: str) -> str:
    """host:port, as it is kept with a call."""
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port or DEFAULT_PORTS.get(parts.scheme)}"


def _weight(conversation: str, address: str) -> bytes:
    return hashlib.blake2b(f"{address}\n{conversation}".encode(), digest_size=8).digest()


def _room(endpoint: Endpoint) -> float:
    """Calls that one server takes before others help: its share of the endpoint's seats."""
    return math.ceil(endpoint.seats / len(endpoint.replicas)) if endpoint.seats else math.inf


async def _answers(address: str) -> bool:
    """Whether the server there answers for itself: a frozen one takes connections and says nothing,
    and one whose engine is gone answers 5xx. A refused key is an answer.
    """
    whole = aiohttp.ClientTimeout(total=ANSWER_SECONDS)
    try:
        async with (
            aiohttp.ClientSession(timeout=whole) as session,
            session.get(f"{address.rstrip('/')}/models", allow_redirects=False) as answer,
        ):
            return answer.status < HTTPStatus.INTERNAL_SERVER_ERROR
    except (aiohttp.ClientError, OSError, TimeoutError):
        return False
