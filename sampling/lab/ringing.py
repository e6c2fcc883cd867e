"""The lab's bell. Lost, doubled and late messages do no harm: a run that stands still says so, and
can be rung for again.
"""

import logging
from uuid import UUID

from celery import current_app
from kombu.exceptions import OperationalError

from config.queues import Queue
from config.requests import current_request_id

logger = logging.getLogger(__name__)


def ring(*, run_id: UUID, endpoint_id: UUID) -> None:
    """Say that a run may have sets left to make at an endpoint. A broker that is away is logged."""
    try:
        current_app.send_task(
            "sampling.tasks.make_lab_sets",
            kwargs={
                "run_id": str(run_id),
                "endpoint_id": str(endpoint_id),
                "request_id": current_request_id(),
            },
            # Model calls that no annotator waits for, in the workers that hold an event loop.
            queue=Queue.PREFETCH.value,
            retry=False,
        )
    except OperationalError as fault:
        logger.warning("the lab's bell could not be rung: %s", type(fault).__name__)
