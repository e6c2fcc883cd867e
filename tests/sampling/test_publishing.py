"""The worker's side of the live channel."""

import json
import uuid
from collections.abc import Callable, Iterator

import pytest
from django.db import transaction
from pytest_django.fixtures import Settings
from redis import Redis

from sampling import generating, publishing
from sampling.publishing import Note
from tests.sampling.conftest import Engine


@pytest.fixture
def no_broker(settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    publishing._client.cache_clear()
    publishing.forget_failures()
    yield
    publishing._client.cache_clear()
    publishing.forget_failures()


def heard(redis: Redis, during: Callable[[], object]) -> list[dict[str, object]]:
    """What every subscriber hears; the channel is one for all databases of the server."""
    with redis.pubsub(ignore_subscribe_messages=True) as subscription:  # type: ignore[no-untyped-call]
        subscription.subscribe(publishing.CHANNEL)
        subscription.get_message(timeout=1)
        during()
        found = []
        while message := subscription.get_message(timeout=0.2):
            found.append(json.loads(message["data"]))
        return found


def test_a_sets_way_is_told_without_any_text(engine: Engine, redis: Redis) -> None:
    asked = engine.ask()

    told = heard(redis, generating.work)

    notes = [note for note in told if note["set"] == str(asked.pk)]
    assert [note["state"] for note in notes] == ["generating", "ready"]
    assert notes[-1] == {"set": str(asked.pk), "state": "ready", "progress": 4}
    assert {frozenset(note) for note in told} == {frozenset({"set", "state", "progress"})}


@pytest.mark.django_db(transaction=True)
def test_nothing_is_told_of_what_was_rolled_back(redis: Redis) -> None:
    set_id = uuid.uuid4()

    def fail() -> None:
        with transaction.atomic():
            publishing.publish_after_commit(set_id=set_id, state="ready")
            transaction.set_rollback(True)

    assert str(set_id) not in [note["set"] for note in heard(redis, fail)]


def test_an_absent_broker_harms_nothing_and_is_counted(no_broker: None) -> None:
    assert publishing.publish([Note(uuid.uuid4(), "ready")]) is False
    assert publishing.failures.count == 1


def test_after_a_failure_it_rests_for_a_moment(no_broker: None) -> None:
    for _ in range(5):
        publishing.publish([Note(uuid.uuid4(), "ready")])

    assert publishing.failures.count == 1


def test_a_set_becomes_ready_without_the_channel(engine: Engine, no_broker: None) -> None:
    asked = engine.ask()

    generating.work()

    asked.refresh_from_db()
    assert asked.state == "ready"
    assert publishing.failures.count >= 1
