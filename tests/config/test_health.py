"""The two questions of a load balancer."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from config import health
from config.supervisor.valkey import free_port

LIVE, READY = "/health/live/", "/health/ready/"


@pytest.fixture(autouse=True)
def _nothing_seen_yet() -> Iterator[None]:
    health._applied.clear()
    yield
    health._applied.clear()


def test_a_process_that_answers_is_alive_whatever_else_is_away(
    client: Client, settings: Any
) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    answer = client.get(LIVE)  # without a database, too: this test asked for none

    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.django_db
def test_it_is_ready_when_everything_answers(client: Client, valkey_url: str) -> None:
    answer = client.get(READY)

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(answer.json()["checks"]) == {"database", "migrations", "redis", "static_files"}
    assert answer["Cache-Control"] == "no-store"


@pytest.mark.django_db
def test_it_says_that_redis_is_away(client: Client, settings: Any) -> None:
    settings.REDIS_URL = f"redis://127.0.0.1:{free_port()}/0"

    answer = client.get(READY)

    assert answer.status_code == 503
    assert answer.json()["checks"]["redis"] == {"ok": False, "detail": "ConnectionError"}
    assert answer.json()["checks"]["database"]["ok"]


@pytest.mark.django_db(transaction=True)
def test_it_says_that_the_database_is_away(client: Client, valkey_url: str) -> None:
    host = connection.settings_dict["HOST"]
    connection.close()
    connection.settings_dict["HOST"] = "/nowhere"
    try:
        answer = client.get(READY)
    finally:
        connection.settings_dict["HOST"] = host

    assert answer.status_code == 503
    assert answer.json()["checks"]["database"] == {"ok": False, "detail": "OperationalError"}
    assert answer.json()["checks"]["redis"]["ok"]


@pytest.mark.django_db
def test_it_says_that_migrations_are_missing(client: Client, valkey_url: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM django_migrations WHERE app = 'annotation'")

    answer = client.get(READY)

    assert answer.status_code == 503
    assert "manage.py migrate" in answer.json()["checks"]["migrations"]["detail"]


@pytest.mark.django_db
def test_it_says_that_static_files_are_not_collected(
    client: Client, valkey_url: str, settings: Any
) -> None:
    settings.STATIC_ROOT = "/nowhere"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "servestatic.storage.CompressedManifestStaticFilesStorage"},
    }

    answer = client.get(READY)

    assert "collectstatic" in answer.json()["checks"]["static_files"]["detail"]
