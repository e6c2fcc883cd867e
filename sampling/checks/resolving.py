"""From a plan's checks to endpoints that can be called, and a try of each for those who look after
them.
"""

from __future__ import annotations

from collections.abc import Mapping

from sampling import endpoints
from sampling.calls import Deadlines, Endpoint
from sampling.checks import embeddings, safety
from sampling.checks.checking import Checks, Fetch
from sampling.checks.settings import EMBEDDINGS, CheckSettings
from sampling.errors import CheckUnavailable, EndpointMisconfigured
from sampling.messages import message
from sampling.models import Endpoint as EndpointRow
from studies.models import Study

TRY_DEADLINES = Deadlines(connect=3.0, total=30.0)


def checks_of(
    settings: CheckSettings | None, *, study_kind: str, about: str, fetch: Fetch
) -> Checks | None:
    """The checks of an attempt, None where the plan has none. Raises CheckUnavailable."""
    if settings is None or not (wanted := list(settings.endpoints())):
        return None
    rows = EndpointRow.objects.in_bulk({name for _, name, _ in wanted}, field_name="name")
    found = {
        check: _resolved(rows, name, serves=serves, study_kind=study_kind)
        for check, name, serves in wanted
    }
    return Checks(settings=settings, endpoints=found, fetch=fetch, about=about)


def _resolved(
    rows: Mapping[str, EndpointRow], name: str, *, serves: str, study_kind: str
) -> Endpoint:
    row = rows.get(name)
    if row is None:
        raise CheckUnavailable(f"there is no endpoint {name} to check with")
    if row.serves != serves:
        raise CheckUnavailable(f"endpoint {name} serves {row.serves}, and {serves} is needed")
    if study_kind == Study.Kind.REAL and row.kind == EndpointRow.Kind.SIMULATED:
        raise CheckUnavailable(f"endpoint {name} is simulated, and the study is real")
    try:
        return endpoints.resolve(row)
    except EndpointMisconfigured as error:
        raise CheckUnavailable(error.message) from error


async def try_out(endpoint: Endpoint, *, serves: str, fetch: Fetch) -> None:
    """One real call of the kind that a check makes. Raises EndpointError."""
    if serves == EMBEDDINGS:
        texts = ["Say yes.", "Say no."]
        path, body = embeddings.PATH, embeddings.body_of(endpoint, texts)
    else:
        path, body = safety.PATH, safety.body_of(endpoint, [message("user", "Say yes.")])
    told = await fetch(
        endpoint=endpoint,
        path=path,
        body=body,
        request_id=f"probe.{endpoint.name}",
        deadlines=TRY_DEADLINES,
    )
    if serves == EMBEDDINGS:
        embeddings.read_cosines(told, count=2)
    else:
        safety.read_verdict(told)
