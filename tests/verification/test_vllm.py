"""What only a real vLLM can show: its own figures, by which an installation is watched.

Collected where VERIFY_BASE_URL names one, started with the flags of docs/operating.md.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from sampling.drawing import SetResult
from sampling.messages import message
from tests.verification.asking import QUESTION, outcome, plan
from tests.verification.test_contract import strings
from tests.verification.wire import Wire

Record = Callable[[str, object], None]

pytestmark = pytest.mark.parametrize("profile", ["given"], indirect=True)

WATCHED = [
    *("num_requests_running", "num_requests_waiting", "kv_cache_usage_perc"),
    *("prefix_cache_queries_total", "prefix_cache_hits_total", "generation_tokens_total"),
    *("time_to_first_token_seconds_count", "e2e_request_latency_seconds_count"),
]


@pytest.mark.parametrize("name", WATCHED)
def test_a_figure_that_we_watch_is_there(wire: Wire, name: str) -> None:
    wire.ask()
    lines = wire.root("/metrics")[1].splitlines()
    assert any(line.startswith(f"vllm:{name}{{") for line in lines)


def test_a_refusal_by_the_full_queue_is_counted(wire: Wire) -> None:
    before = wire.metric("vllm:admission_rejections_total")
    with wire.held(wire.profile.queue, max_tokens=400, ignore_eos=True):
        assert wire.ask().status == 503
    assert wire.metric("vllm:admission_rejections_total") == before + 1


def test_the_models_own_sampling_defaults_are_left_out(wire: Wire) -> None:
    """A request without a temperature is drawn at 1.0, whatever the weights' files say."""
    texts = {wire.ask(max_tokens=24).body["choices"][0]["message"]["content"] for _ in range(4)}
    assert len(texts) > 1


def test_the_key_guards_only_a_part(wire: Wire) -> None:
    """Why it must stand on a private network: /metrics and /tokenize answer to anybody."""
    statuses = {path: wire.root(path, key="")[0] for path in ("/metrics", "/v1/models", "/health")}
    assert statuses == {"/metrics": 200, "/v1/models": 401, "/health": 200}


def test_equal_seeds_side_by_side_are_recorded(wire: Wire, record_property: Record) -> None:
    """In a batch a seed need not give the same text: nothing of ours may stand on it."""

    def text(_: int) -> str:
        answer = wire.ask(seed=11, temperature=0.8, max_tokens=24)
        return str(answer.body["choices"][0]["message"]["content"])

    with ThreadPoolExecutor(8) as pool:
        texts = list(pool.map(text, range(8)))
    record_property("different texts of 8 with one seed, side by side", len(set(texts)))
    assert all(texts)


def test_many_arrays_are_whole_or_cut(wire: Wire, record_property: Record) -> None:
    """The whitespace that ran on to the limit without the flag: twelve arrays of four strings."""
    form = strings(4)

    def choice(seed: int) -> tuple[str, str]:
        answer = wire.ask(response_format=form, seed=seed, temperature=1.0, max_tokens=160)
        found = answer.body["choices"][0]
        return found["message"]["content"], found["finish_reason"]

    with ThreadPoolExecutor(6) as pool:
        found = list(pool.map(choice, range(12)))
    whole = [json.loads(text) for text, reason in found if reason == "stop"]
    record_property("arrays that ended by themselves, of 12", len(whole))
    assert all(len(array) == 4 for array in whole)
    assert not any(text.endswith("\n" * 3) for text, _ in found)


def test_the_first_four_calls_share_a_cold_prefix(wire: Wire, record_property: Record) -> None:
    """Four calls that arrive together: the first reads the prompt, the others find it."""
    wire.rest()
    texts = " ".join([QUESTION] * 30)
    before = wire.metric("vllm:prefix_cache_hits_total")
    result = outcome(
        wire.profile,
        plan({"strategy": "independent", "max_tokens": 16}),
        context=(message("user", f"{id(wire)} {texts}"),),
    )
    assert isinstance(result, SetResult)
    hits = wire.metric("vllm:prefix_cache_hits_total") - before
    prompt = (result.calls[0].reply.usage or {})["prompt_tokens"] if result.calls[0].reply else 0
    record_property("prompt tokens, tokens found by the other three", f"{prompt}, {hits:.0f}")
    assert hits >= 2.5 * prompt * 0.9
