"""What follows a failed attempt: another one, where and when, or the end. A pure choice."""

import random
from dataclasses import dataclass

from sampling.errors import SamplingError

FIRST_PAUSE = 2.0  # seconds; doubled by each attempt that counted
LONGEST_PAUSE = 20.0
LONGEST_RETRY_AFTER = 300.0  # an endpoint that asks for more is asked again sooner


@dataclass(frozen=True)
class Again:
    """Another attempt, after `pause` seconds, at the endpoint of that rank."""

    pause: float
    rank: int


def after_failure(
    error: SamplingError,
    *,
    spent: int,
    allowed: int,
    rank: int,
    endpoints: int,
    chance: random.Random | None = None,
) -> Again | None:
    """Another attempt, or None when the set has failed.

    An error that another try cannot mend still goes to the plan's next endpoint, where it depends
    on the endpoint and there is another. Pauses are drawn from nothing up to a bound that doubles,
    so that sets which failed together do not come back together.
    """
    elsewhere = error.depends_on_endpoint and endpoints > 1
    if spent >= allowed or not (error.retryable or elsewhere):
        return None
    next_rank = (rank + 1) % endpoints if elsewhere else rank
    if error.retry_after is not None and not elsewhere:
        return Again(min(error.retry_after, LONGEST_RETRY_AFTER), next_rank)
    bound = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** max(0, spent - 1))
    draw = (chance or random).random()
    return Again(bound * draw, next_rank)
