"""The simulated endpoint: an OpenAI-compatible server on a real socket.

It answers like vLLM (statuses, error bodies, order of chunks) from example sentences, so that the
whole machinery can be seen, tested and measured without a model. It knows nothing of Django.
"""

import asyncio
import hmac
import json
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sampling.simulated.ask import Ask, Refused, read_ask
from sampling.simulated.checks import SAFETY_MODEL, embeddings, verdict
from sampling.simulated.connection import Connection, Request
from sampling.simulated.events import (
    Completion,
    Event,
    Whole,
    body_events,
    choice_of,
    encoded,
    stream_events,
    whole_events,
)
from sampling.simulated.instruction import read_instruction
from sampling.simulated.log import Entry, Log
from sampling.simulated.misbehaviour import BEHAVIOURS, BUSY, Behaviour
from sampling.simulated.orders import Order, OrderError, Orders, read_order
from sampling.simulated.pacing import Pacer
from sampling.simulated.playing import Reply
from sampling.simulated.prefix_cache import PrefixCache
from sampling.simulated.writing import write

PHASES = 5  # of answers that begin together


@dataclass(frozen=True)
class Options:
    """How a server runs. `speed` is tokens per second and stream, 0 for at once; `queue` is how
    many answers it writes at most before it refuses more, 0 for no limit.

    For measuring: an answer takes as long as `answer_tokens` tokens whatever its text (k times that
    for k sections), one under a schema as long as `schema_tokens`; 0 leaves it to the text. With
    `together` answers begin at the multiples of so many seconds (within a token's time of them, as
    streams are never in step), so that they end at one moment.
    """

    host: str = "127.0.0.1"
    port: int = 0
    key: str = ""
    models: tuple[str, ...] = ("simulated", SAFETY_MODEL)
    speed: float = 40.0
    first_token: float = 0.4
    context: int = 8192
    queue: int = 0
    answer_tokens: int = 0
    schema_tokens: int = 0
    together: float = 0
    log: Path | None = None
    orders: tuple[Order, ...] = ()


@dataclass(frozen=True)
class Played:
    """What is sent for a request: the events, whether as chunks, and at what speed."""

    events: Iterator[Event]
    is_chunked: bool
    speed: float


Route = Callable[[Request], Whole]


class Server:
    """One listening endpoint. All methods run in the loop that started it."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.orders = Orders()
        self.orders.waiting.extend(options.orders)
        self.log = Log(options.log)
        self._cache = PrefixCache()
        self.port = options.port
        self._reopening: asyncio.Task[None] | None = None
        self._connections: set[Connection] = set()
        self._routes: dict[tuple[str, str], Route] = {
            ("GET", "/health"): lambda _: Whole(200, b""),
            ("GET", "/metrics"): self._metrics,
            ("GET", "/v1/models"): self._models,
            ("POST", "/tokenize"): self._tokenize,
            ("POST", "/v1/embeddings"): self._embeddings,
            ("GET", "/control/log"): self._read_log,
            ("GET", "/control/behaviours"): self._behaviours,
            ("GET", "/control/orders"): self._read_orders,
            ("POST", "/control/orders"): self._add_orders,
            ("DELETE", "/control/orders"): self._clear_orders,
        }

    async def start(self) -> None:
        """Listen. Raises OSError when the port is taken; `port` is then the real one."""
        self._loop = asyncio.get_running_loop()
        self._pacer = Pacer(self._loop)
        await self._listen()

    async def _listen(self) -> None:
        self._listener = await self._loop.create_server(
            lambda: Connection(self), self.options.host, self.port, backlog=1024
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and cut what runs, as a killed server would."""
        if self._reopening:
            self._reopening.cancel()
        self._listener.close()
        for connection in list(self._connections):
            connection.abort()
        while self._connections:
            await asyncio.sleep(0.005)
        self.log.close()

    def take(self, connection: Connection) -> bool:
        self._connections.add(connection)
        return not self.orders.take_at_accept()

    def leave(self, connection: Connection) -> None:
        self._connections.discard(connection)

    def answer(self, connection: Connection, request: Request) -> None:
        """Answer a request: the chat with a reply over time, the rest at once."""
        if not self._is_allowed(request):
            connection.send(Whole(401, encoded({"error": "Unauthorized"})))
        elif (request.method, request.path) == ("POST", "/v1/chat/completions"):
            self._chat(connection, request)
        else:
            connection.send(self._route(request))

    def _is_allowed(self, request: Request) -> bool:
        if not self.options.key or not request.path.startswith(("/v1/", "/control/")):
            return True
        told = request.headers.get("authorization", "")
        return hmac.compare_digest(told.encode(), f"Bearer {self.options.key}".encode())

    def _route(self, request: Request) -> Whole:
        route = self._routes.get((request.method, request.path))
        if route:
            return route(request)
        if any(request.path == path for _, path in self._routes):
            return Whole(405, encoded({"detail": "Method Not Allowed"}))
        return Whole(404, encoded({"detail": "Not Found"}))

    def _chat(self, connection: Connection, request: Request) -> None:
        body = _json(request.body)
        request_id = request.headers.get("x-request-id", "")
        entry = self.log.begin(request_id=request_id, body=body)
        behaviour = self.orders.take(text=_all_text(body), request_id=request_id)
        entry.behaviour = behaviour.name if behaviour else None
        if behaviour and behaviour.hangs_up:
            self._hang_up(connection, entry, behaviour)
            return
        played = self._played(body, entry, behaviour or Behaviour({}))
        connection.reply = Reply(
            line=connection,
            events=played.events,
            entry=entry,
            pacer=self._pacer,
            speed=played.speed,
            first_token=self._until_first_token(entry.number),
            is_chunked=played.is_chunked,
            on_end=lambda reply: self.log.end(reply.entry),
        )
        connection.reply.start()

    def _hang_up(self, connection: Connection, entry: Entry, behaviour: Behaviour) -> None:
        entry.finish = "misbehaved"
        self.log.end(entry)
        if behaviour.hangs_up == "reset":
            connection.reset()
        else:
            connection.abort()

    def _until_first_token(self, number: int) -> float:
        """Seconds from now; with `together`, those until the next moment at which answers begin."""
        wait, moments = self.options.first_token, self.options.together
        if not moments:
            return wait
        step = number % PHASES / PHASES / self.options.speed if self.options.speed else 0.0
        return wait + -self._pacer.now() % moments + step

    def _played(self, body: object, entry: Entry, behaviour: Behaviour) -> Played:
        """Return what is sent, and how."""
        whole = behaviour.at_once()
        if whole is None:
            try:
                ask = read_ask(body, models=self.options.models, context=self.options.context)
                self._admit(ask, entry)
                return self._written(ask, entry, behaviour)
            except Refused as refused:
                whole = Whole(refused.status, encoded(refused.body))
            except (AttributeError, LookupError, TypeError, ValueError) as error:
                # Fields of kinds that nobody sends; a real server validates them one by one.
                unread = Refused(f"The request could not be read: {error}")
                whole = Whole(unread.status, encoded(unread.body))
        entry.status = whole.status
        return Played(whole_events(whole), is_chunked=False, speed=self.options.speed)

    def _admit(self, ask: Ask, entry: Entry) -> None:
        """Refuse what is over the queue's length, where there is one."""
        held = sum(one.answers for one in self.log.open.values())
        if self.options.queue and held + ask.n > self.options.queue:
            raise Refused(BUSY, status=503, kind="Service Unavailable")
        entry.answers = ask.n

    def _written(self, ask: Ask, entry: Entry, behaviour: Behaviour) -> Played:
        texts = behaviour.texts(ask, [_write(ask, index) for index in range(ask.n)])
        completion = Completion(
            id=f"chatcmpl-{entry.request_id or uuid.uuid4().hex}",
            created=int(time.time()),
            ask=ask,
            choices=tuple(behaviour.choices([choice_of(text, ask) for text in texts])),
            cached_tokens=self._cache.read(_prompt(ask), count=ask.prompt_tokens, times=ask.n),
        )
        plain = stream_events(completion) if ask.stream else body_events(completion)
        return Played(
            behaviour.events(plain), is_chunked=ask.stream, speed=self._speed(ask, completion)
        )

    def _speed(self, ask: Ask, completion: Completion) -> float:
        """Tokens a second at which the completion takes as long as it should."""
        sections = read_instruction(ask).sections or 1
        lasts = self.options.answer_tokens * sections
        if ask.schema is not None:
            lasts = self.options.schema_tokens
        longest = max(len(choice.pieces) for choice in completion.choices)
        # The first token has a delay of its own.
        stretch = (longest - 1) / (lasts - 1) if lasts > 1 and longest > 1 else 1.0
        return self.options.speed * stretch

    def _models(self, _: Request) -> Whole:
        models = [
            {
                "id": name,
                "object": "model",
                "owned_by": "simulated",
                "max_model_len": self.options.context,
            }
            for name in self.options.models
        ]
        return Whole(200, encoded({"object": "list", "data": models}))

    def _metrics(self, _: Request) -> Whole:
        """Return the figures by which a test sees that generation has stopped, and what the
        prefix cache carried.
        """
        made = self.log.tokens + sum(entry.tokens for entry in self.log.open.values())
        figures = {
            "num_requests_running": len(self.log.open),
            "num_requests_waiting": 0,
            "generation_tokens_total": made,
            "prefix_cache_queries_total": self._cache.queries,
            "prefix_cache_hits_total": self._cache.hits,
        }
        lines = "".join(f"vllm:{name} {figure}\n" for name, figure in figures.items())
        return Whole(200, lines.encode(), "text/plain; version=0.0.4")

    def _tokenize(self, request: Request) -> Whole:
        try:
            ask = read_ask(_json(request.body), models=self.options.models, context=2**31)
        except Refused as refused:
            return Whole(refused.status, encoded(refused.body))
        found = {"count": ask.prompt_tokens, "max_model_len": self.options.context}
        return Whole(200, encoded(found))

    def _embeddings(self, request: Request) -> Whole:
        try:
            return Whole(200, encoded(embeddings(_json(request.body))))
        except Refused as refused:
            return Whole(refused.status, encoded(refused.body))

    def _read_log(self, request: Request) -> Whole:
        after = int(request.query.get("after", "0"))
        found = {
            "entries": [entry for entry in self.log.entries if entry["number"] > after],
            "open": [entry.record() for entry in self.log.open.values()],
        }
        return Whole(200, encoded(found))

    def _behaviours(self, _: Request) -> Whole:
        return Whole(200, encoded({name: found.says for name, found in BEHAVIOURS.items()}))

    def _read_orders(self, _: Request) -> Whole:
        return Whole(200, encoded({"orders": [asdict(order) for order in self.orders.waiting]}))

    def _clear_orders(self, request: Request) -> Whole:
        self.orders.clear()
        return self._read_orders(request)

    def _add_orders(self, request: Request) -> Whole:
        # A page of another origin cannot send this type without asking first.
        if not request.headers.get("content-type", "").startswith("application/json"):
            return Whole(415, encoded({"detail": "Orders are application/json."}))
        told = _json(request.body)
        try:
            orders = [read_order(item) for item in (told if isinstance(told, list) else [told])]
        except OrderError as error:
            return Whole(400, encoded({"detail": str(error)}))
        for order in orders:
            self._give(order)
        return self._read_orders(request)

    def _give(self, order: Order) -> None:
        if not BEHAVIOURS[order.behaviour].is_immediate:
            self.orders.add(order)
            return
        self._listener.close()
        seconds = float(order.options.get("seconds", 1))
        self._reopening = self._loop.create_task(self._listen_after(seconds))

    async def _listen_after(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await self._listen()


def _write(ask: Ask, index: int) -> str:
    return verdict(ask.messages) if ask.model == SAFETY_MODEL else write(ask, index=index)


def _prompt(ask: Ask) -> Iterator[str]:
    """Yield the texts that the model reads, each after some tokens of a template with its role."""
    for message in ask.messages:
        yield from ("<|", message.role, "|>", "\n", message.text)


def _json(raw: bytes) -> Any:
    """Return the parsed body; the text itself where it is no JSON."""
    try:
        return json.loads(raw)
    except ValueError:
        return raw.decode("utf-8", "replace")


def _all_text(body: object) -> str:
    if not isinstance(body, dict) or not isinstance(body.get("messages"), list):
        return ""
    found = [item.get("content") for item in body["messages"] if isinstance(item, dict)]
    return "\n".join(str(content) for content in found)
