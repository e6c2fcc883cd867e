"""What follows a failed attempt."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sampling.errors import (
    BadRequest,
    EndpointBusy,
    EndpointMisconfigured,
    EndpointUnavailable,
    GuardRejected,
    MessageBlocked,
    RequestRefused,
    SamplingError,
    SetAside,
)
from sampling.guard import Verdict
from sampling.retrying import LONGEST_PAUSE, LONGEST_RETRY_AFTER, Again, after_failure


def after(error: SamplingError, **facts: int) -> Again | None:
    told = {"spent": 1, "allowed": 3, "rank": 0, "endpoints": 1, **facts}
    return after_failure(error, **told, chance=random.Random(1))  # noqa: S311


def test_an_endpoint_that_is_away_is_tried_again() -> None:
    again = after(EndpointUnavailable("refused"))

    assert again
    assert again.rank == 0
    assert 0 <= again.pause <= 2


def test_the_next_endpoint_of_the_plan_comes_next_and_round() -> None:
    first = after(EndpointUnavailable("refused"), endpoints=2)
    second = after(EndpointUnavailable("refused"), endpoints=2, rank=1)

    assert first
    assert second
    assert (first.rank, second.rank) == (1, 0)


def test_when_the_attempts_are_spent_the_set_has_failed() -> None:
    assert after(EndpointUnavailable("refused"), spent=3) is None


@pytest.mark.parametrize(
    "error", [BadRequest("plan"), RequestRefused("400"), EndpointMisconfigured("401")]
)
def test_what_no_other_try_can_mend_is_not_tried_again(error: SamplingError) -> None:
    assert after(error) is None


def test_another_endpoint_may_mend_a_wrong_key() -> None:
    assert after(EndpointMisconfigured("401"), endpoints=2) is not None
    assert after(RequestRefused("400"), endpoints=2) is None


def test_texts_that_the_guard_refused_are_drawn_again_at_the_next_endpoint() -> None:
    refused = GuardRejected("alike", verdict=Verdict(()))
    elsewhere, alone = after(refused, endpoints=2), after(refused)

    assert elsewhere
    assert alone
    assert (elsewhere.rank, alone.rank) == (1, 0)


@pytest.mark.parametrize("kind", [MessageBlocked, SetAside])
def test_what_the_safety_check_keeps_back_goes_to_no_other_endpoint(
    kind: type[GuardRejected],
) -> None:
    assert after(kind("harm", verdict=Verdict(())), endpoints=2) is None


def test_an_endpoint_that_asks_for_a_pause_gets_it_within_reason() -> None:
    asked = after(EndpointBusy("429", retry_after=7.0))
    far = after(EndpointBusy("429", retry_after=86400.0))

    assert asked
    assert far
    assert (asked.pause, far.pause) == (7.0, LONGEST_RETRY_AFTER)


@given(st.integers(1, 30), st.integers(1, 30), st.integers(0, 4), st.integers(1, 5))
def test_pauses_are_bounded_and_ranks_exist(
    spent: int, allowed: int, rank: int, endpoints: int
) -> None:
    again = after_failure(
        EndpointUnavailable("refused"),
        spent=spent,
        allowed=allowed,
        rank=rank % endpoints,
        endpoints=endpoints,
    )

    assert (again is None) == (spent >= allowed)
    if again:
        assert 0 <= again.pause <= LONGEST_PAUSE
        assert 0 <= again.rank < endpoints
