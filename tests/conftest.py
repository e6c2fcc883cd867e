"""Fixtures of every test. The servers behind them are in tests/servers.py."""

import os
from collections.abc import Generator, Iterator

import pytest
from django.conf import global_settings
from django.test import override_settings
from django.utils import translation
from hypothesis import settings
from pytest_django.plugin import DjangoDbBlocker
from redis import Redis

from tests import servers

# A run of every day looks at some examples; `--hypothesis-profile=thorough` at many.
settings.register_profile("daily", deadline=None, max_examples=40)
settings.register_profile("thorough", deadline=None, max_examples=2000)
settings.load_profile("daily")

# They mostly wait, for processes that start and are killed: begun first, beside the others.
LONGEST = (
    "tests/config/supervisor/test_demo.py",
    "tests/journeys/test_own_endpoint.py",
    "tests/sampling/test_fault_table.py",
    "tests/verification/test_contract.py",
    "tests/sampling/test_working.py",
    "tests/journeys/test_annotator.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first: the others then fill what time is left evenly."""
    places = {file: place for place, file in enumerate(LONGEST)}
    items.sort(key=lambda item: places.get(item.nodeid.partition("::")[0], len(places)))


@pytest.fixture(scope="session")
def django_db_setup(django_db_blocker: DjangoDbBlocker) -> Generator[None]:
    """A database of this process's own, cloned from the migrated one."""
    with pytest.MonkeyPatch.context() as monkeypatch:
        servers.quick_emptying(monkeypatch)
        yield from servers.use_clone(django_db_blocker)


@pytest.fixture(scope="session", autouse=True)
def quick_passwords() -> Iterator[None]:
    """Passwords made here cost nothing to check; those that our commands made are read as ever."""
    quick = "django.contrib.auth.hashers.MD5PasswordHasher"
    with override_settings(PASSWORD_HASHERS=[quick, *global_settings.PASSWORD_HASHERS]):
        yield


@pytest.fixture(autouse=True)
def every_test_begins_in_english() -> None:
    """A page of the test before may have left its language behind in this thread."""
    translation.deactivate()


@pytest.fixture(scope="session")
def valkey_url(django_db_blocker: DjangoDbBlocker) -> str:
    """The address of a running Valkey; each process of the run has its own numbered database."""
    servers.start(django_db_blocker)
    return os.environ["REDIS_URL"]


@pytest.fixture
def redis(valkey_url: str) -> Iterator["Redis"]:
    """A client on an empty Valkey database."""
    with Redis.from_url(valkey_url) as client:
        client.flushdb()
        yield client
