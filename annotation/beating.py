"""Whether beat, the clock, still runs: a task that it sends leaves a note, which fades."""

from contextlib import suppress

from django.conf import settings
from redis import Redis, RedisError

KEY = "counterpoint:beat"
FADES = 120  # seconds; beat sends every ten


def note() -> None:
    """Beat was heard just now. Without a broker nothing is noted, and nothing fails."""
    with suppress(RedisError), _wire() as wire:
        wire.set(KEY, 1, ex=FADES)


def heard() -> bool:
    """Whether beat was heard in the last two minutes. Raises RedisError."""
    with _wire() as wire:
        return bool(wire.exists(KEY))


def _wire() -> Redis:
    return Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2)
