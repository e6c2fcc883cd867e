"""One real call of a few tokens to an endpoint: for `doctor`, and for the page of endpoints.

The page only asks (`sampling.trying`); a worker calls: no request of a page waits for a model.
"""

from __future__ import annotations

import asyncio
import uuid
from dataclasses import replace
from uuid import UUID

from django.utils import timezone

from sampling import endpoints
from sampling.calls import Call, Deadlines, Endpoint, wire_body
from sampling.checks.resolving import try_out
from sampling.client import ModelClient
from sampling.errors import SamplingError
from sampling.models import Endpoint as EndpointRow

CALL = Call(
    purpose="probe",
    messages=({"role": "user", "content": "Say yes."},),
    params={"max_tokens": 4, "temperature": 0.0},
)
DEADLINES = Deadlines(connect=3.0, first_byte=20.0, between_chunks=10.0, total=30.0)


def work(endpoint_id: UUID) -> bool:
    """Make the call that was asked for, and keep what came of it; whether one was asked for.

    Run twice it calls once, unless both runs begin together: then the later answer stays.
    """
    row = EndpointRow.objects.filter(pk=endpoint_id, try_asked_at__isnull=False).first()
    if row is None:
        return False
    outcome = _outcome(row) | {"at": timezone.now().isoformat(timespec="seconds")}
    EndpointRow.objects.filter(pk=row.pk).update(tried=outcome, try_asked_at=None)
    return True


def _outcome(row: EndpointRow) -> dict[str, object]:
    try:
        return {"seconds": round(seconds_of(row), 2)}
    except SamplingError as fault:
        return {"code": fault.code, "message": fault.message}


def seconds_of(row: EndpointRow, *, serves: str = "") -> float:
    """Seconds until a whole answer, at the slowest of its addresses; `serves`, where it is to serve
    something else than its row says. Raises SamplingError.
    """
    endpoint = endpoints.resolve(row)
    alone = [replace(endpoint, base_url=one, replicas=()) for one in endpoint.replicas]
    return max(asyncio.run(_call(one, serves or row.serves)) for one in alone or [endpoint])


async def _call(endpoint: Endpoint, serves: str) -> float:
    client = ModelClient()
    began = timezone.now()
    try:
        if serves != EndpointRow.Serves.CHAT:
            await try_out(endpoint, serves=serves, fetch=client.fetch)
            return (timezone.now() - began).total_seconds()
        reply = await client.send(
            endpoint=endpoint,
            body=wire_body(endpoint=endpoint, call=CALL, seed=1),
            request_id=f"probe.doctor.{uuid.uuid4()}",
            deadlines=DEADLINES,
        )
    finally:
        await client.close()
    return (reply.ended_at - reply.started_at).total_seconds()
