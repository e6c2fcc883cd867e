"""The error tree: what callers may rely on, for each error."""

from collections.abc import Iterator

import pytest

from sampling import errors
from sampling.reasons import Reason


def tree(
    base: type[errors.SamplingError] = errors.SamplingError,
) -> Iterator[type[errors.SamplingError]]:
    for child in base.__subclasses__():
        if child.__module__ == errors.__name__:
            yield child
            yield from tree(child)


@pytest.mark.parametrize("error", list(tree()))
def test_every_error_is_drawn_in_the_tree_and_has_a_code_of_its_own(
    error: type[errors.SamplingError],
) -> None:
    assert error.__name__ in (errors.__doc__ or "")
    assert len([one for one in tree() if one.code == error.code]) == 1


def test_an_error_says_its_class_its_message_and_whether_to_retry() -> None:
    error = errors.EndpointBusy("the endpoint asked for a pause", retry_after=3)

    assert error.as_json() == {
        "class": "EndpointBusy",
        "message": "the endpoint asked for a pause",
        "retryable": True,
    }
    assert error.retry_after == 3
    assert error.calls == ()


ASIDE = {"bad_request", "stopped", "endpoint_error"}  # they never end a set's attempts


@pytest.mark.parametrize("error", [one for one in tree() if one.code not in ASIDE])
def test_every_end_of_an_attempt_has_words_for_the_person_who_waited(
    error: type[errors.SamplingError],
) -> None:
    assert Reason(error.code).label
