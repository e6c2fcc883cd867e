"""Plans that are rows, for the command line: `study/version`, and a set made and stored outside the
queue.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from django.db import OperationalError, transaction
from django.utils import timezone

from sampling import endpoints, linking, plans, storing
from sampling.calls import Endpoint
from sampling.claiming import Claim
from sampling.drawing import SetResult
from sampling.errors import BadRequest, SamplingError
from sampling.lab.asking import texts_of
from sampling.messages import Context
from sampling.models import CandidateSet, Plan, PlanEndpoint, Seat
from sampling.models import Endpoint as EndpointRow
from sampling.requesting import drop_candidate_sets, request_candidate_set
from sampling.strategies import Origin
from studies.models import Prompt, PromptText
from studies.models.study import Language

SPARE_SECONDS = 30


@contextmanager
def database() -> Iterator[None]:
    """Says in the words of this app that the database is away. Raises BadRequest."""
    try:
        yield
    except OperationalError as fault:
        raise BadRequest(f"a stored plan needs the database, and it is away: {fault}") from fault


def find(name: str) -> Plan:
    """The plan `study/version`. Raises BadRequest, naming the study's versions where it has any."""
    slug, _, version = name.partition("/")
    listed = Plan.objects.filter(study__slug=slug).select_related("study")
    found = listed.filter(version=version).first()
    if found:
        return found
    known = ", ".join(listed.order_by("version").values_list("version", flat=True))
    raise BadRequest(
        f"--plan: study {slug} has no plan {version!r}; it has {known}"
        if known
        else f"--plan: there is no study {slug} with plans"
    )


def endpoints_of(plan: Plan) -> tuple[Endpoint, ...]:
    """The plan's endpoints in order. Raises EndpointMisconfigured when the first has a fault."""
    return tuple(endpoints.resolve_all(_rows(plan)))


def endpoint_named(name: str) -> Endpoint:
    """The stored endpoint of that name. Raises BadRequest, naming those that there are, and
    EndpointMisconfigured for one that cannot be called.
    """
    row = EndpointRow.objects.filter(name=name).first()
    if row:
        return endpoints.resolve(row)
    known = ", ".join(EndpointRow.objects.order_by("name").values_list("name", flat=True))
    raise BadRequest(f"--endpoint: there is no {name!r}; there are {known or 'none'}")


def _rows(plan: Plan) -> list[EndpointRow]:
    listed = PlanEndpoint.objects.filter(plan=plan).select_related("endpoint").order_by("rank")
    rows = [one.endpoint for one in listed]
    if not rows:
        raise BadRequest(f"plan {plan.version} has no endpoint")
    return rows


def prompt_of(plan: Plan, key: str, language: str) -> PromptText:
    """The newest version of the prompt in the language, with its prompt and study. Raises
    BadRequest.
    """
    known = texts_of(plan.study).filter(prompt__key=key)
    found = known.filter(language=language).first()
    if found:
        return found
    there = ", ".join(known.values_list("language", flat=True))
    raise BadRequest(
        f"--prompt-key: {key} is not there in {language}; it is in {there}"
        if there
        else f"--prompt-key: study {plan.study.slug} has no prompt {key!r}"
    )


@transaction.atomic
def take(
    plan: Plan, *, context: Context, language: str, prompt: Prompt | None = None
) -> tuple[CandidateSet, Claim, Origin]:
    """A fresh set of the plan that is ours from the start, with seats where it asks; and where its
    context comes from.

    Raises BadRequest for a linked set whose stances nobody has planned: that is for a worker to do,
    who keeps them for all languages. The set's lease lasts as long as one attempt may; if we die, a
    worker makes the set when it is over. Locks the endpoints' rows.
    """
    if language not in Language.values:
        raise BadRequest(f"--language: stored sets are in one of {', '.join(Language.values)}")
    body = plans.read(plan.body)
    rows = _locked(_rows(plan))
    made = request_candidate_set(
        plan=plan, context=context, language=language, shared=False, prompt=prompt
    )
    wanted = made.streams_on or [made.streams]
    streams_on = [min(want, row.seats) for want, row in zip(wanted, rows, strict=False)]
    streams = sum(streams_on)
    waves = math.ceil(made.streams / streams) * (body.repairs + 1)
    now = timezone.now()
    made.state, made.attempt = CandidateSet.State.GENERATING, 1
    made.lease_until = now + timedelta(seconds=body.deadlines.total * waves + SPARE_SECONDS)
    made.attempt_log = [_opened(rows[0].name, streams=streams, started_at=now.isoformat())]
    made.save(update_fields=["state", "attempt", "lease_until", "attempt_log"])
    Seat.objects.bulk_create(
        Seat(set=made, endpoint=row, attempt=1, streams=count, lease_until=made.lease_until)
        for row, count in zip(rows, streams_on, strict=False)
        if count
    )
    origin = linking.origin_of(made, body)
    if origin.ground:
        origin = replace(origin, stances=linking.adopt(made, origin.ground))
        if not origin.stances:
            raise BadRequest("--store: a worker has to plan this prompt's stances; leave it out")
    several = tuple(streams_on) if made.streams_on else ()
    return made, Claim(made.pk, 1, rows[0].pk, 0, streams, made.priority, several), origin


def _locked(rows: list[EndpointRow]) -> list[EndpointRow]:
    """The rows in their order, locked in the order of their ids as by every claim."""
    ids = EndpointRow.objects.filter(pk__in=[row.pk for row in rows]).order_by("pk")
    held = {row.pk: row for row in ids.select_for_update(no_key=True)}
    return [held[row.pk] for row in rows]


def _opened(endpoint: str, *, streams: int, started_at: str) -> dict[str, object]:
    return {
        "attempt": 1,
        "endpoint": endpoint,
        "streams": streams,
        "started_at": started_at,
        "outcome": None,
    }


def store(claim: Claim, result: SetResult) -> None:
    """The set is ready. Raises BadRequest when it was taken from us in the meantime."""
    try:
        storing.store_ready(claim, result)
    except storing.Superseded as fault:
        raise BadRequest("the set was withdrawn while it was made; nothing is stored") from fault


def give_up(claim: Claim, error: SamplingError) -> UUID:
    """The attempt and its calls are stored, and no worker tries again. Returns the set's id."""
    try:
        storing.store_failure(claim, error)
    except storing.Superseded:
        return claim.set_id
    drop_candidate_sets([claim.set_id])
    return claim.set_id
