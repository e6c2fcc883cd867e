"""What the simulated endpoint says of prompts that it has read before, and how it refuses."""

import http.client
import json
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager

import pytest

from sampling import simulated
from sampling.simulated.prefix_cache import BLOCK, PrefixCache
from tests.sampling.simulated.asking import chat, get, system, user

LONG = "Tell me about the market in our town, and who sells what there on Saturdays. " * 12


def cached(endpoint: simulated.Endpoint, *texts: str) -> int:
    answer = chat(endpoint, messages=[system(LONG), *map(user, texts)])
    return int(answer.json["usage"]["prompt_tokens_details"]["cached_tokens"])


def metric(endpoint: simulated.Endpoint, name: str) -> int:
    lines = get(endpoint, "/metrics").body.decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"vllm:{name} "))


def test_a_prompt_is_new_once_and_its_beginning_known_afterwards() -> None:
    with simulated.running() as endpoint:
        found = [cached(endpoint, "One."), cached(endpoint, "Two."), cached(endpoint, "One.")]

    assert found[0] == 0
    assert found[1] == found[2] > 100
    assert found[1] % BLOCK == 0


def test_what_varies_at_the_beginning_shares_nothing() -> None:
    with simulated.running() as endpoint:
        chat(endpoint, messages=[system(f"1. {LONG}")])
        answer = chat(endpoint, messages=[system(f"2. {LONG}")])

    assert answer.json["usage"]["prompt_tokens_details"]["cached_tokens"] == 0


def test_several_answers_read_one_prompt_once() -> None:
    with simulated.running() as endpoint:
        prompt = chat(endpoint, messages=[system(LONG)], n=4).json["usage"]["prompt_tokens"]
        queries = metric(endpoint, "prefix_cache_queries_total")
        hits = metric(endpoint, "prefix_cache_hits_total")

    assert queries == 4 * prompt
    assert hits == 3 * ((prompt - 1) // BLOCK) * BLOCK


def test_the_cache_forgets_what_was_used_longest_ago(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sampling.simulated.prefix_cache.KEPT", 3)
    cache = PrefixCache()
    texts = [[f"{word} " * 40] for word in ("one", "two", "three")]

    for text in texts:
        cache.read(text, count=40)

    assert cache.read(texts[0], count=40) == 0
    assert cache.read(texts[0], count=40) == 2 * BLOCK


@contextmanager
def held(endpoint: simulated.Endpoint, count: int, **fields: object) -> Iterator[None]:
    """So many requests that are being answered, in silence."""
    body = json.dumps({"messages": [user("Should I?")], "stream": True, **fields})
    with ExitStack() as stack:
        for _ in range(count):
            line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
            stack.enter_context(closing(line))
            line.request("POST", "/v1/chat/completions", body, {"Content-Type": "application/json"})
            stack.enter_context(line.getresponse())
        yield


def test_a_full_queue_refuses_and_counts_every_answer() -> None:
    with simulated.running(first_token=30, queue=4) as endpoint:
        with held(endpoint, 1, n=3):
            refused = chat(endpoint, n=2)
            assert len(endpoint.open()) == 1
        assert refused.status == 503
        assert refused.json["error"]["code"] == 503
        assert "retry-after" not in refused.headers
        assert [entry["status"] for entry in endpoint.wait_for(2)] == [503, 200]


def test_without_a_limit_nothing_is_refused() -> None:
    with simulated.running(first_token=30) as endpoint, held(endpoint, 40):
        assert len(endpoint.open()) == 40
