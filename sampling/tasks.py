"""Doorways for the bell: each says "there may be work", and PostgreSQL says which."""

import logging
from uuid import UUID

from celery import shared_task

from config.requests import request_id_is
from sampling import generating, real_call, working
from sampling.lab import making

logger = logging.getLogger(__name__)

__all__ = [
    "generate",
    "make_lab_sets",
    "prefetch",
    "try_endpoint",
    "working",
]  # working: the hooks of a worker process


@shared_task
def generate(*, set_id: str, request_id: str = "-") -> int:
    """Somebody waits for a set. Returns how many sets were made, of whichever kind."""
    return _work(set_id, request_id)


@shared_task
def prefetch(*, set_id: str, request_id: str = "-") -> int:
    """A set is wanted ahead of time. Returns how many sets were made, of whichever kind."""
    return _work(set_id, request_id)


@shared_task
def make_lab_sets(*, run_id: str, endpoint_id: str, request_id: str = "-") -> int:
    """A researcher wants sets side by side. Returns how many were worked on; safe to run twice."""
    with request_id_is(request_id):
        return making.work(run_id=UUID(run_id), endpoint_id=UUID(endpoint_id))


@shared_task
def try_endpoint(*, endpoint_id: str, request_id: str = "-") -> bool:
    """A researcher asks whether an endpoint answers. Whether a call was still wanted."""
    with request_id_is(request_id):
        return real_call.work(UUID(endpoint_id))


def _work(set_id: str, request_id: str) -> int:
    with request_id_is(request_id):
        logger.debug("the bell rang", extra={"set": set_id})
        return generating.work()
