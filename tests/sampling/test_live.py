"""Signed addresses of the live channel."""

import uuid
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import signing
from pytest_django.fixtures import Settings

from sampling import live
from sampling.live import live_url, set_of_token


def token_of(address: str) -> str:
    return parse_qs(urlsplit(address).query)["token"][0]


def test_a_token_names_its_set() -> None:
    set_id = uuid.uuid4()
    address = live_url(set_id)

    assert address.startswith("/live/?token=")
    assert set_of_token(token_of(address)) == set_id


SOME_SET = "0b9c6c1e-6f1c-4a0e-9a55-3f6c1f1f2a77"


@pytest.mark.parametrize("token", ["", "x", SOME_SET, f"{SOME_SET}:1:2"])
def test_a_token_that_is_not_ours_names_none(token: str) -> None:
    assert set_of_token(token) is None


def test_a_token_of_another_site_names_none(settings: Settings) -> None:
    token = token_of(live_url(uuid.uuid4()))
    settings.SECRET_KEY = "another" * 8

    assert set_of_token(token) is None


def test_a_signature_for_something_else_names_none() -> None:
    assert set_of_token(signing.TimestampSigner(salt="other").sign(str(uuid.uuid4()))) is None


def test_an_old_token_names_none(monkeypatch: pytest.MonkeyPatch) -> None:
    token = token_of(live_url(uuid.uuid4()))
    monkeypatch.setattr(live, "MAX_AGE", -1)

    assert set_of_token(token) is None
