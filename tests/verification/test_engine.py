"""What the platform makes of each server's answers: its own client, held against real ones."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

import pytest

from sampling.client import ModelClient
from sampling.errors import (
    ContextTooLong,
    EndpointError,
    EndpointMisconfigured,
    EndpointUnavailable,
)
from sampling.messages import Context, message
from tests.verification.asking import SLOW, endpoint, outcome, plan, sent, with_client
from tests.verification.profiles import Profile, like_vllm
from tests.verification.wire import Wire

Record = Callable[[str, object], None]
ENDLESS: dict[str, Any] = {"max_tokens": 400, "min_tokens": 400, "ignore_eos": True}
SENTENCE = "On Saturday the market opens early, and people come to talk as much as to buy."


def error_of(profile: Profile, **body: Any) -> EndpointError:
    with pytest.raises(EndpointError) as caught:
        sent(profile, **body)
    return caught.value


class TestAnswers:
    def test_an_answer_comes_whole_with_its_end_and_its_count(self, profile: Profile) -> None:
        reply = sent(profile)
        assert reply.text
        assert reply.finish_reason in {"stop", "length"}
        assert 1 <= (reply.n_tokens or 0) <= 16
        assert reply.first_byte_at

    def test_a_call_alone_can_be_repeated_by_its_seed(self, profile: Profile) -> None:
        first, again, other = (sent(profile, seed=seed, temperature=1.0) for seed in (5, 5, 6))
        assert first.text == again.text != other.text


class TestRefusals:
    def test_a_conversation_that_is_too_long_has_its_own_error(self, profile: Profile) -> None:
        error = error_of(profile, messages=[message("user", "a word and more " * 4000)])
        assert isinstance(error, ContextTooLong)
        assert not error.retryable

    def test_a_wrong_key_is_for_a_person_to_mend(self, profile: Profile) -> None:
        error = error_of(profile, to=endpoint(profile, key="another-key"))
        assert isinstance(error, EndpointMisconfigured)

    @pytest.mark.parametrize("profile", like_vllm(), indirect=True)
    def test_an_unknown_model_is_for_a_person_to_mend(self, profile: Profile) -> None:
        error = error_of(profile, to=endpoint(profile, model="another-model"))
        assert isinstance(error, EndpointMisconfigured)

    @pytest.mark.parametrize("profile", like_vllm(), indirect=True)
    def test_a_full_queue_is_tried_again_later(self, profile: Profile, wire: Wire) -> None:
        wire.rest()
        long = {**ENDLESS, "max_tokens": 1500, "min_tokens": 1500}  # seconds of a quick server
        with wire.held(profile.queue, **long):
            error = error_of(profile)
        assert isinstance(error, EndpointUnavailable)
        assert error.retryable
        assert error.retry_after is None


class TestStopping:
    @pytest.mark.parametrize("profile", like_vllm(), indirect=True)
    def test_a_set_that_is_given_up_stops_all_its_streams(
        self, profile: Profile, wire: Wire, record_property: Record
    ) -> None:
        wire.rest()
        seconds = with_client(lambda client: self._give_up(profile, wire, client))
        record_property("seconds until the server rested", round(seconds, 2))
        generated = wire.figures().generated
        time.sleep(1)
        assert wire.figures().generated == generated

    async def _give_up(self, profile: Profile, wire: Wire, client: ModelClient) -> float:
        """Cancel four endless calls as the watch would; return after how long all were gone."""

        async def one() -> None:
            body = {
                "model": profile.model,
                "messages": [message("user", SENTENCE)],
                "stream": True,
                **ENDLESS,
            }
            await client.send(
                endpoint=endpoint(profile), body=body, request_id="given-up.1.0", deadlines=SLOW
            )

        calls = asyncio.gather(*(one() for _ in range(4)))
        while (await asyncio.to_thread(wire.figures)).running < 4:
            await asyncio.sleep(0.02)
        calls.cancel()
        began = time.monotonic()
        with pytest.raises(asyncio.CancelledError):
            await calls
        await asyncio.to_thread(wire.rest)
        return time.monotonic() - began


@pytest.mark.parametrize("profile", like_vllm(), indirect=True)
class TestPrefixes:
    def test_the_writing_calls_of_a_plan_share_their_prefix(
        self, profile: Profile, wire: Wire, record_property: Record
    ) -> None:
        """Stances fixed by the plan: so the four writing calls are all that is sent."""
        wire.rest()
        stances = ["Family first.", "Safety first.", "Think for yourself.", "Follow your heart."]
        step = {"strategy": "nc_planned", "stances": stances, "max_tokens": 16}
        before = counted(wire)
        began = time.monotonic()
        result = outcome(profile, plan(step), context=unseen(profile.name))
        seconds = time.monotonic() - began
        queries, hits = (now - then for now, then in zip(counted(wire), before, strict=True))
        record_property("prompt tokens of four calls", queries)
        record_property("of them cached", hits)
        record_property("seconds", round(seconds, 1))
        assert not isinstance(result, EndpointError)
        # The first call reads the prompt; of the other three all but the last lines are known.
        assert hits >= 0.6 * queries
        usages = [call.reply.usage or {} for call in result.calls if call.reply]
        assert sum(usage["cached_tokens"] for usage in usages) == hits

    def test_calls_that_differ_at_the_beginning_share_nothing(
        self, profile: Profile, wire: Wire, record_property: Record
    ) -> None:
        wire.rest()
        step = {"strategy": "persona", "max_tokens": 16}
        before = counted(wire)
        result = outcome(profile, plan(step), context=unseen(f"{profile.name} again"))
        queries, hits = (now - then for now, then in zip(counted(wire), before, strict=True))
        record_property("prompt tokens of four calls", queries)
        record_property("of them cached", hits)
        assert not isinstance(result, EndpointError)
        assert hits < 0.3 * queries


def counted(wire: Wire) -> tuple[float, float]:
    names = ("prefix_cache_queries_total", "prefix_cache_hits_total")
    queries, hits = (wire.metric(f"vllm:{name}") for name in names)
    return queries, hits


def unseen(mark: str) -> Context:
    """A conversation of some hundred tokens that the server has not read in this run."""
    told = f"{mark} {time.time_ns()}. {' '.join([SENTENCE] * 24)} What would you buy there?"
    return (message("user", told),)
