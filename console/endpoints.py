"""The page of model endpoints: what is known of each, and one real call that a worker makes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Sum
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from annotation.views.answering import see_other
from console.lab.numbers import number
from console.lab.showing import why
from sampling import trying
from sampling.models import Endpoint, Seat
from studies.access_rules import researcher, signed_in
from studies.models import Researcher

CLOCK = "%H:%M:%S UTC"


@dataclass(frozen=True)
class Tried:
    """What the last real call got: `seconds`, or in words `why` not, and what was `said`."""

    at: datetime
    seconds: str
    why: str
    said: str


@dataclass(frozen=True)
class Shown:
    """An endpoint of the page. `waits`: a call is asked for; `still`: and no worker makes it."""

    row: Endpoint
    facts: list[tuple[str, str]]
    able: list[str]
    unable: list[str]
    tried: Tried | None
    waits: bool
    still: bool


@require_GET
@never_cache
@researcher
def endpoints(request: HttpRequest) -> HttpResponse:
    """The endpoints of the researcher's studies; to htmx only the part that changes."""
    shown = endpoints_of(signed_in(request))
    template = (
        "console/endpoints/_list.html"
        if request.headers.get("HX-Request")
        else "console/endpoints/page.html"
    )
    looks_again = any(one.waits and not one.still for one in shown)
    context = {"endpoints": shown, "looks_again": looks_again}
    return render(request, template, context)


@require_POST
@never_cache
@researcher
def try_endpoint(request: HttpRequest, endpoint_id: UUID) -> HttpResponse:
    """Have a worker call one."""
    found = get_object_or_404(trying.endpoints_of(signed_in(request)), pk=endpoint_id)
    trying.ask(endpoint=found, by=signed_in(request))
    return see_other("endpoints")


def endpoints_of(reader: Researcher) -> list[Shown]:
    """What the page shows, by name, as it is now."""
    rows = list(trying.endpoints_of(reader))
    held = Seat.objects.filter(endpoint__in=rows, lease_until__gt=timezone.now())
    in_use = dict(held.values_list("endpoint").annotate(n=Sum("streams")))
    return [_shown(row, in_use.get(row.pk, 0)) for row in rows]


def _shown(row: Endpoint, in_use: int) -> Shown:
    seen: Mapping[str, Any] = row.capabilities or {}
    return Shown(
        row=row,
        facts=_facts(row, in_use),
        able=[name for name, value in seen.items() if value is True],
        unable=[name for name, value in seen.items() if value is False],
        tried=_tried(row.tried),
        waits=row.try_asked_at is not None,
        still=trying.stands_still(row),
    )


def _facts(row: Endpoint, in_use: int) -> list[tuple[str, str]]:
    limit, room = row.tokens_per_minute, row.context_length
    facts = [
        (_("Model"), row.model),
        (_("Revision"), row.revision),
        (_("Seats in use"), f"{in_use}/{row.seats}"),
        (_("Tokens a minute"), number(limit) if limit else _("no limit")),
        (_("Context length, tokens"), number(room) if room else _("unknown")),
        (_("Calls to it"), _breaker(row)),
    ]
    return [(name, value) for name, value in facts if value]


def _breaker(row: Endpoint) -> str:
    if row.open_until is None and not row.failures:
        return _("are made")
    failures = ngettext("%(n)d failed in a row", "%(n)d failed in a row", row.failures)
    said = failures % {"n": row.failures}
    if row.open_until and row.open_until > timezone.now():
        rest = _("none until %(time)s") % {"time": f"{row.open_until:{CLOCK}}"}
        return f"{said} · {rest}"
    return said


def _tried(told: Mapping[str, Any] | None) -> Tried | None:
    if told is None:
        return None
    return Tried(
        at=datetime.fromisoformat(told["at"]),
        seconds=number(told["seconds"], 1) if "seconds" in told else "",
        why=why(told["code"]) if "code" in told else "",
        said=told.get("message", ""),
    )
