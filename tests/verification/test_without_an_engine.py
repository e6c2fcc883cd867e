"""After `test_when_the_engine_dies`: the server that was given has ended with its engine."""

import http.client
import time

import pytest

from sampling.errors import EndpointUnavailable
from tests.verification.asking import sent
from tests.verification.profiles import Profile
from tests.verification.wire import Wire

pytestmark = pytest.mark.parametrize("profile", ["given"], indirect=True)


def test_a_server_without_an_engine_cannot_be_reached(profile: Profile, wire: Wire) -> None:
    deadline = time.monotonic() + 60
    while answers(wire) and time.monotonic() < deadline:
        time.sleep(0.5)
    with pytest.raises(EndpointUnavailable):
        sent(profile)


def answers(wire: Wire) -> bool:
    try:
        return wire.root("/health")[0] == 200
    except (OSError, http.client.HTTPException):
        return False
