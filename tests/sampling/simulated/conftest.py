"""One endpoint for the tests of a module; its orders are forgotten after each."""

from collections.abc import Iterator

import pytest

from sampling import simulated


@pytest.fixture(scope="module")
def shared_endpoint() -> Iterator[simulated.Endpoint]:
    with simulated.running() as running:
        yield running


@pytest.fixture
def endpoint(shared_endpoint: simulated.Endpoint) -> Iterator[simulated.Endpoint]:
    yield shared_endpoint
    shared_endpoint.forget_orders()
