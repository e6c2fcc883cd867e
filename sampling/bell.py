"""Tells the workers that there may be work. Lost, doubled and late messages do no harm."""

import logging
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

from config.queues import Queue
from config.requests import current_request_id
from sampling.models import CandidateSet

logger = logging.getLogger(__name__)

EXPIRES = 60  # seconds; by then the watch of every worker has looked for itself


def ring_after_commit(*, set_id: UUID, priority: int) -> None:
    """Ring once the surrounding transaction is stored; at once when there is none."""
    ring_now = partial(ring, set_id=set_id, priority=priority)
    transaction.on_commit(ring_now, robust=True)


def ring(*, set_id: UUID, priority: int) -> None:
    """Say that there may be work. The set's id is a hint for the logs: one line here has it beside
    the request's id, and what becomes of the set is logged and sent under the set's own.

    A broker that is away is logged: the watch of the workers finds the row within two seconds.
    """
    logger.info("asked for a set", extra={"set": str(set_id), "priority": priority})
    prefetch = priority == CandidateSet.Priority.PREFETCH
    try:
        current_app.send_task(
            "sampling.tasks.prefetch" if prefetch else "sampling.tasks.generate",
            kwargs={"set_id": str(set_id), "request_id": current_request_id()},
            queue=(Queue.PREFETCH if prefetch else Queue.GENERATE).value,
            expires=EXPIRES,
            retry=False,
        )
    except OperationalError as fault:
        logger.warning("the bell could not be rung: %s", type(fault).__name__)
