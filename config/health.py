"""Is this process alive, and could it serve a page now? For load balancers and containers.

Both are cheap enough to be asked every few seconds. `manage.py doctor` checks far more.
"""

from collections.abc import Callable
from threading import Event
from typing import Any

from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import DatabaseError, InterfaceError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from redis import Redis
from redis.exceptions import RedisError

from studies.access_rules import public

PATIENCE = 2.0  # seconds for the Redis-protocol server to answer
_applied = Event()  # no migration is taken back while this process runs


class NotReady(Exception):
    """What is missing, in a few words that give nothing away: anybody may ask."""


@public
def live(_request: HttpRequest) -> HttpResponse:
    """200 as long as the process answers; asks nobody else."""
    return JsonResponse({"status": "ok"}, headers={"Cache-Control": "no-store"})


@public
def ready(_request: HttpRequest) -> HttpResponse:
    """200 when a page could be served, else 503; with one entry for each thing it needs."""
    checks = {name: _entry(check) for name, check in CHECKS.items()}
    ok = all(entry["ok"] for entry in checks.values())
    return JsonResponse(
        {"status": "ok" if ok else "unavailable", "checks": checks},
        status=200 if ok else 503,
        headers={"Cache-Control": "no-store"},
    )


def database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return "answers"


def migrations() -> str:
    """Every migration of this version is applied; asked for until it is so."""
    if _applied.is_set():
        return "applied"
    executor = MigrationExecutor(connection)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if missing:
        raise NotReady(f"{len(missing)} to apply: manage.py migrate")
    _applied.set()
    return "applied"


def redis() -> str:
    limits = {"socket_timeout": PATIENCE, "socket_connect_timeout": PATIENCE}
    with Redis.from_url(settings.REDIS_URL, **limits) as client:
        client.ping()
    return "answers"


def static_files() -> str:
    """Every page links this file; with hashed names it is found only after collectstatic."""
    try:
        staticfiles_storage.url("css/tokens.css")
    except ValueError:
        raise NotReady("not collected: manage.py collectstatic") from None
    return "collected"


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "redis": redis,
    "static_files": static_files,
}


def _entry(check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"ok": True, "detail": check()}
    except NotReady as missing:
        return {"ok": False, "detail": str(missing)}
    except (DatabaseError, InterfaceError, RedisError, OSError) as fault:
        return {"ok": False, "detail": type(fault).__name__}


urlpatterns = [
    path("live/", live, name="health-live"),
    path("ready/", ready, name="health-ready"),
]
