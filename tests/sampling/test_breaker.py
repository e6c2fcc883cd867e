"""The breaker of an endpoint."""

from datetime import timedelta

import pytest
from django.utils import timezone

from sampling import breaker
from sampling.models import Endpoint
from sampling.retrying import LONGEST_RETRY_AFTER
from tests import factories

pytestmark = pytest.mark.django_db


def failing(times: int, **fields: object) -> Endpoint:
    row = factories.endpoint(**fields)  # type: ignore[arg-type]
    for _ in range(times):
        breaker.note_failure(row.pk)
    row.refresh_from_db()
    return row


def rest(row: Endpoint) -> float:
    assert row.open_until
    return (row.open_until - timezone.now()).total_seconds()


def test_a_few_failures_leave_it_closed() -> None:
    row = failing(breaker.THRESHOLD - 1)

    assert (row.failures, row.open_until) == (breaker.THRESHOLD - 1, None)


def test_failures_in_a_row_open_it() -> None:
    assert 0 < rest(failing(breaker.THRESHOLD)) <= breaker.FIRST_REST


def test_failures_while_it_is_open_do_not_count() -> None:
    row = failing(breaker.THRESHOLD + 20)

    assert row.failures == breaker.THRESHOLD
    assert rest(row) <= breaker.FIRST_REST


def test_each_failed_try_makes_the_rest_longer_up_to_a_bound() -> None:
    past = timezone.now() - timedelta(seconds=1)
    second = failing(1, failures=breaker.THRESHOLD, open_until=past)
    last = failing(1, failures=40, open_until=past)

    assert breaker.FIRST_REST < rest(second) <= 2 * breaker.FIRST_REST
    assert 2 * breaker.FIRST_REST < rest(last) <= breaker.LONGEST_REST


def test_an_endpoint_that_asks_for_a_pause_gets_it_from_everybody_within_reason() -> None:
    asking, wanting_much = factories.endpoint(), factories.endpoint()

    breaker.note_failure(asking.pk, pause=60.0)
    breaker.note_failure(wanting_much.pk, pause=86400.0)

    asking.refresh_from_db()
    wanting_much.refresh_from_db()
    assert 59 < rest(asking) <= 60
    assert rest(wanting_much) <= LONGEST_RETRY_AFTER


def test_one_that_rests_already_rests_for_as_long_as_it_asks() -> None:
    row = failing(breaker.THRESHOLD)

    breaker.note_failure(row.pk, pause=60.0)
    breaker.note_failure(row.pk, pause=20.0)

    row.refresh_from_db()
    assert row.failures == breaker.THRESHOLD
    assert 59 < rest(row) <= 60


def test_one_success_closes_it() -> None:
    row = failing(breaker.THRESHOLD)

    breaker.note_success(row.pk)

    row.refresh_from_db()
    assert (row.failures, row.open_until) == (0, None)
