"""The worker's side of the live channel: says that a set changed, never what was written.

Nothing depends on it: pages poll without it, and the rows are the truth. So there is one try with a
short timeout, after the commit; a failure is counted and logged, and for a moment nothing more is
tried.
"""

import json
import logging
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial
from uuid import UUID

from django.conf import settings
from django.db import transaction
from redis import BlockingConnectionPool, Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

logger = logging.getLogger(__name__)

CHANNEL = "counterpoint:sets"
TIMEOUT = 0.5  # seconds
REST = 2.0  # seconds without a try after a failure


@dataclass(frozen=True)
class Note:
    """What a page may know before a set is ready."""

    set_id: UUID
    state: str
    progress: int = 0

    def as_json(self) -> str:
        return json.dumps({"set": str(self.set_id), "state": self.state, "progress": self.progress})


@dataclass
class Failures:
    """How often publishing failed in this process, and until when it rests."""

    count: int = 0
    rest_until: float = 0.0


failures = Failures()
_lock = threading.Lock()


def publish_after_commit(*, set_id: UUID, state: str, progress: int = 0) -> None:
    """Publish once the surrounding transaction is stored; at once when there is none."""
    note = Note(set_id, state, progress)
    transaction.on_commit(partial(publish, [note]), robust=True)


def publish(notes: Iterable[Note]) -> bool:
    """Tell every web process. Returns whether the broker took it; never raises for its absence."""
    if time.monotonic() < failures.rest_until:
        return False
    try:
        with _client().pipeline(transaction=False) as pipe:
            for note in notes:
                pipe.publish(CHANNEL, note.as_json())
            pipe.execute()
    except RedisError as fault:
        _note_failure(fault)
        return False
    return True


def forget_failures() -> None:
    """Try again at once, as after a start."""
    failures.count, failures.rest_until = 0, 0.0


def _note_failure(fault: RedisError) -> None:
    with _lock:
        failures.count += 1
        failures.rest_until = time.monotonic() + REST
    logger.warning("publishing failed: %s (%s times)", type(fault).__name__, failures.count)


@cache
def _client() -> "Redis":
    """One small pool per process. No retries: a late message is worth nothing."""
    pool = BlockingConnectionPool.from_url(
        settings.REDIS_URL,
        max_connections=4,
        timeout=TIMEOUT,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
    return Redis(connection_pool=pool)
