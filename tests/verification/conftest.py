"""One running server of each kind for all of these tests, and a plain client of it."""

from collections.abc import Iterator

import pytest

from tests.verification.profiles import Profile, like_vllm, mortal, names, serving
from tests.verification.wire import Wire

# What only a real vLLM can show is not collected where there is none, or none that may die.
collect_ignore = [
    *(["test_vllm.py"] if "given" not in like_vllm() else []),
    *(["test_without_an_engine.py"] if "given" not in mortal() else []),
]


@pytest.fixture(scope="session", params=names())
def profile(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Profile]:
    with serving(request.param, tmp_path_factory.mktemp("verification")) as running:
        yield running


@pytest.fixture
def wire(profile: Profile) -> Wire:
    return Wire(profile)
