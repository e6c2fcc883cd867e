"""With sets made ahead, a first turn waits for nothing: measured at the log of an endpoint."""

from collections.abc import Iterator

import pytest
from pytest_django.fixtures import Settings
from redis import Redis

from annotation.prefetching import fill_open_cohorts
from sampling import generating, loop, publishing, simulated
from sampling.models import CandidateSet, Endpoint, ModelCall
from sampling.running import runs
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page


@pytest.fixture
def endpoint(
    transactional_db: None, redis: Redis, settings: Settings
) -> Iterator[simulated.Endpoint]:
    """A simulated endpoint on a real socket, and this process's engine."""
    runs.stopping.clear()
    publishing.forget_failures()
    with simulated.running() as server:
        settings.MODEL_ALLOWLIST = [server.base_url]
        yield server
        loop.close()


@pytest.mark.parametrize("sets", ["shared", {"replicas": 2}, "fresh"])
def test_no_model_is_called_after_an_annotator_has_arrived(
    endpoint: simulated.Endpoint, sets: object
) -> None:
    world = factories.world(prompts=3, sets=sets)
    Endpoint.objects.update(base_url=endpoint.base_url, model=endpoint.model)
    talking.joined(world)  # somebody at work, so that sets are made ahead
    for _ in world.prompts:
        fill_open_cohorts()
    assert generating.work() == len(world.prompts)
    assert set(CandidateSet.objects.values_list("state", flat=True)) == {"ready"}
    asked, stored = len(endpoint.log()), ModelCall.objects.count()
    assert asked == stored >= 4 * len(world.prompts)

    client = browser_of(talking.joined(world))
    shown = page(client.get(client.get("/work/").headers["Location"]))

    assert len(list(shown.having("data-candidate"))) == 4
    assert generating.work() == 0
    assert (len(endpoint.log()), ModelCall.objects.count()) == (asked, stored)
