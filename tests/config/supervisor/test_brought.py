from pathlib import Path

import pytest

from config.supervisor import brought
from config.supervisor.links import fetch
from config.supervisor.options import OwnModel
from config.supervisor.postgres import Postgres
from config.supervisor.trouble import Trouble
from config.supervisor.valkey import Valkey
from sampling import simulated
from tests.config.supervisor.started import Started


def test_servers_that_answer_are_used(postgres: Postgres, valkey: Valkey) -> None:
    brought.check_database(postgres.url)
    brought.check_redis(valkey.url)


def test_beside_servers_that_are_brought_none_of_ours_is_started(
    postgres: Postgres, valkey: Valkey, place: Path
) -> None:
    there = {"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}
    there |= {"MODEL_BASE_URL": "http://127.0.0.1:9/v1", "MODEL_NAME": "away"}
    started = Started(place / "demo", **there)
    try:
        started.wait()
        assert set(started.pids()) == {"web", "worker generate", "worker default", "beat"}
        assert fetch(started.links()["cohorts"][0]["join_url"]) == 200
    finally:
        if started.process.poll() is None:
            started.stop()


@pytest.mark.parametrize("url", ["nonsense", "postgresql://127.0.0.1:9/x"])
def test_a_database_that_does_not_answer_is_named(url: str) -> None:
    with pytest.raises(Trouble, match=r"^DATABASE_URL leads to no server that answers"):
        brought.check_database(url)


@pytest.mark.parametrize("url", ["nonsense", "redis://127.0.0.1:9/0"])
def test_a_broker_that_does_not_answer_is_named(url: str) -> None:
    with pytest.raises(Trouble, match=r"^REDIS_URL leads to no server that answers"):
        brought.check_redis(url)


def test_a_wrong_password_is_named_and_not_repeated(valkey: Valkey) -> None:
    with pytest.raises(Trouble, match="invalid username-password") as raised:
        brought.check_redis(valkey.url.replace(valkey.password, "open-sesame"))

    assert "open-sesame" not in str(raised.value)


def test_a_model_that_answers_is_no_warning() -> None:
    with simulated.running() as server:
        model = OwnModel(server.model, server.base_url, server.key)

        assert brought.warnings_about_model(model) == []


def test_a_model_that_cannot_serve_is_told_with_what_to_do() -> None:
    with simulated.running(key="right") as server:
        wrong_name = OwnModel("big", server.base_url, server.key)
        (unknown,) = brought.warnings_about_model(wrong_name)
        (refused,) = brought.warnings_about_model(OwnModel("big", server.base_url, "wrong"))
    (away,) = brought.warnings_about_model(OwnModel("big", "http://127.0.0.1:9/v1", "k"))

    assert "has no model big" in unknown
    assert "correct MODEL_NAME" in unknown
    assert "correct MODEL_API_KEY" in refused
    assert "does not answer yet" in away
    assert "correct MODEL_BASE_URL" in away
