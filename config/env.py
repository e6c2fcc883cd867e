"""Reads the environment, and fails loudly on nonsense.

Nothing else in the project reads environment variables: code imports `django.conf.settings`. When
no `DATABASE_URL` is set but a demo is running in `DATA_DIR`, its addresses and keys are used, and a
line on standard error says so.
"""

import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from config.supervisor import services

TRUE, FALSE = {"1", "true", "yes", "on"}, {"0", "false", "no", "off", ""}
# Seconds. Who finds the database away asks again soon, so the pool gives up soon as well: it would
# wait longer and longer between its own tries.
POOL_MANNERS = {"timeout": 3.0, "reconnect_timeout": 1.0}


class BadEnvironment(ValueError):
    """An environment variable is missing or cannot be understood; the message says which."""


def text(name: str, default: str = "") -> str:
    return os.environ.get(name, default)


def flag(name: str, *, default: bool = False) -> bool:
    value = os.environ.get(name)
    if value is None:
        return default
    if value.lower() in TRUE | FALSE:
        return value.lower() in TRUE
    raise BadEnvironment(f"{name}={value!r}: say yes or no")


def number(name: str, default: int) -> int:
    value = os.environ.get(name)
    if not value:
        return default
    try:
        return int(value)
    except ValueError:
        raise BadEnvironment(f"{name}={value!r}: a whole number is wanted") from None


def words(name: str) -> list[str]:
    """The comma-separated values of a variable; empty when it is not set."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def database(url: str, *, pool: int = 0, max_age: int = 0) -> dict[str, Any]:
    """Django's settings for a PostgreSQL URL; libpq itself parses it, sockets included.

    With a pool, the threads of the process share up to so many connections, which stay open with
    their prepared statements; without one, each thread keeps its own for `max_age` seconds.
    """
    try:
        parts = conninfo_to_dict(url)
    except Exception as fault:  # psycopg raises its own tree; the message must name the variable
        raise BadEnvironment(f"DATABASE_URL cannot be understood: {fault}") from fault
    named = {
        "dbname": "NAME",
        "user": "USER",
        "password": "PASSWORD",
        "host": "HOST",
        "port": "PORT",
    }
    settings = {ours: str(parts.pop(theirs, "")) for theirs, ours in named.items()}
    # A server that is gone is noticed in seconds, and not after the fifteen minutes of the kernel.
    wary = {
        "connect_timeout": "5",  # seconds
        "tcp_user_timeout": "10000",  # milliseconds
        "keepalives_idle": "10",
        "keepalives_interval": "5",
        "keepalives_count": "2",
    }
    # Pages send the same few statements for years: prepared, each costs about half.
    fast = {"server_side_binding": True, "prepare_threshold": 2}
    shared = {"pool": {"min_size": 1, "max_size": pool, **POOL_MANNERS}} if pool else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        **settings,
        "CONN_MAX_AGE": 0 if pool else max_age,
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {**wary, **fast, **shared, **parts},
    }


def loopback(url: str) -> bool:
    """Whether an address is plain http on this machine, where secure cookies would be dropped."""
    parts = urlsplit(url)
    return parts.scheme == "http" and parts.hostname in {"127.0.0.1", "localhost", "::1"}


def borrow_running_demo() -> None:
    """Take the addresses and keys of a running demo when the environment names no database."""
    if os.environ.get("DATABASE_URL"):
        return
    data_dir = Path(text("DATA_DIR", "var/demo"))
    found = services.environment(data_dir)
    if not found:
        return
    for name, value in found.items():
        os.environ.setdefault(name, value)
    print(f"Using the demo running in {data_dir}.", file=sys.stderr)


def model_secrets() -> dict[str, str]:
    """Keys of model endpoints by the name that an endpoint's row gives: every `*_KEY` variable.

    `SECRET_KEY` is left out: no study file can send the site's own key to an endpoint.
    """
    return {
        name: value
        for name, value in os.environ.items()
        if name.endswith("_KEY") and name != "SECRET_KEY"
    }
