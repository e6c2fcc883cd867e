"""What an endpoint can do, found by real calls."""

import asyncio
import io
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sampling import probing, simulated
from sampling.calls import Endpoint as Called
from sampling.errors import EndpointMisconfigured
from sampling.models import Endpoint
from tests.sampling.conftest import Engine
from tests.sampling.drawings import endpoint
from tests.sampling.plain_server import serving_plainly


def probed(server: simulated.Endpoint, **fields: Any) -> probing.Capabilities:
    return asyncio.run(probing.probe(endpoint(server, **fields)))


def test_the_simulated_endpoint_shows_what_it_can_do() -> None:
    with simulated.running(context=4096) as server:
        found = probed(server)
        sent = server.log()

    assert found == probing.Capabilities(
        model_listed=True,
        context_length=4096,
        structured_outputs=True,
        n=True,
        seed=True,
        stream_usage=True,
        prompt_token_details=True,
        logprobs=True,
        prompt_logprobs=True,
    )
    assert all(entry["request_id"].startswith("probe.capabilities.") for entry in sent)


def test_a_model_that_is_unknown_there_is_no_result() -> None:
    with simulated.running() as server, pytest.raises(EndpointMisconfigured):
        probed(server, model="other")


@pytest.fixture
def plain_server() -> Iterator[str]:
    """A server that says 200 to everything, and knows neither schemas, n, seeds nor lists."""
    with serving_plainly() as base_url:
        yield base_url


def test_an_endpoint_that_only_says_yes_is_not_believed(plain_server: str) -> None:
    found = asyncio.run(probing.probe(Called(name="x", base_url=plain_server, model="any")))

    assert found == probing.Capabilities(
        model_listed=None,
        context_length=None,
        structured_outputs=False,
        n=False,
        seed=False,
        stream_usage=False,
        prompt_token_details=False,
        logprobs=False,
        prompt_logprobs=False,
    )


def test_the_command_keeps_what_it_found_with_the_row(engine: Engine) -> None:
    out = io.StringIO()

    call_command("probe_endpoints", engine.endpoint.name, stdout=out)

    row = Endpoint.objects.get(pk=engine.endpoint.pk)
    assert row.probed_at
    assert row.capabilities
    assert row.capabilities["structured_outputs"] is True
    assert row.context_length == 8192
    assert f"{row.name}: model_listed yes, context_length 8192" in out.getvalue()


def test_an_endpoint_that_is_away_keeps_what_was_known_of_it(engine: Engine) -> None:
    dead = engine.row(base_url="http://127.0.0.1:9/v1", capabilities={"n": True})
    engine.settings.MODEL_ALLOWLIST.append("http://127.0.0.1:9")

    with pytest.raises(CommandError, match=f"not probed: {dead.name}") as raised:
        call_command("probe_endpoints", stdout=io.StringIO())

    assert raised.value.returncode == 3
    dead.refresh_from_db()
    assert (dead.capabilities, dead.probed_at) == ({"n": True}, None)


def test_a_name_that_is_not_there_is_two(db: None) -> None:
    with pytest.raises(CommandError) as raised:
        call_command("probe_endpoints", "nowhere")

    assert raised.value.returncode == 2
