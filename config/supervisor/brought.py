"""Servers that DATABASE_URL and REDIS_URL bring along: they must answer before we start."""

import psycopg
import redis

from config.supervisor.trouble import Trouble


def check_database(url: str) -> None:
    """Raise Trouble, in a sentence, when there is no database at this address."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as fault:
        raise _unreachable("DATABASE_URL", "PostgreSQL", fault) from fault


def check_redis(url: str) -> None:
    """Raise Trouble, in a sentence, when nobody answers at this address."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as wire:
            wire.ping()
    except (redis.RedisError, ValueError) as fault:
        raise _unreachable("REDIS_URL", "a Valkey or Redis", fault) from fault


def _unreachable(variable: str, server: str, fault: Exception) -> Trouble:
    said = str(fault).strip().partition("\n")[0]
    return Trouble(
        f"{variable} leads to no server that answers: {said}",
        advice=f"correct it, or unset it to let {server} be started here.",
    )
