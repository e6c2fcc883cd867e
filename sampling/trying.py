"""Asks for one real call to an endpoint, which a worker makes (`sampling.real_call`)."""

from __future__ import annotations

import logging
from datetime import timedelta
from functools import partial
from uuid import UUID

from celery import current_app
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from kombu.exceptions import OperationalError

from config.queues import Queue
from config.requests import current_request_id
from sampling.checks.settings import CheckSettings
from sampling.models import Endpoint, Plan
from studies import auditing
from studies.models import Researcher

logger = logging.getLogger(__name__)

PATIENCE = timedelta(seconds=60)  # the call's own deadlines are shorter


def endpoints_of(researcher: Researcher) -> QuerySet[Endpoint]:
    """The endpoints of the researcher's studies, by name: those that write or check answers."""
    plans = Plan.objects.filter(study__memberships__researcher=researcher)
    checks = plans.filter(body__has_key="checks").values_list("body__checks", flat=True)
    checking = {
        name
        for told in filter(None, checks)
        for _, name, _ in CheckSettings.model_validate(told).endpoints()
    }
    writing = Endpoint.objects.filter(plan_endpoints__plan__in=plans).order_by()
    both = Endpoint.objects.filter(pk__in=writing.values("pk")) | Endpoint.objects.filter(
        name__in=checking
    )
    return both.order_by("name")


@transaction.atomic
def ask(*, endpoint: Endpoint, by: Researcher) -> None:
    """Have a worker call the endpoint, after the commit. Asking once more rings once more."""
    Endpoint.objects.filter(pk=endpoint.pk).update(try_asked_at=timezone.now())
    transaction.on_commit(partial(_ring, endpoint.pk), robust=True)
    auditing.record(by=f"researcher:{by.pk}", action="endpoint.try", on=f"endpoint:{endpoint.name}")


def stands_still(endpoint: Endpoint) -> bool:
    """Whether a call was asked for a while ago and no worker has made it."""
    asked = endpoint.try_asked_at
    return bool(asked and asked < timezone.now() - PATIENCE)


def _ring(endpoint_id: UUID) -> None:
    """A broker that is away is logged: the page then says that no worker answers."""
    try:
        current_app.send_task(
            "sampling.tasks.try_endpoint",
            kwargs={"endpoint_id": str(endpoint_id), "request_id": current_request_id()},
            # The workers that make sets: what they can reach is what counts.
            queue=Queue.PREFETCH.value,
            retry=False,
        )
    except OperationalError as fault:
        logger.warning("the bell of a try could not be rung: %s", type(fault).__name__)
