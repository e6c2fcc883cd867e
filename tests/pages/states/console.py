"""The pages of researchers."""

from datetime import timedelta
from functools import partial

from django.test import Client
from django.utils import timezone

from annotation import enquiring, reporting
from sampling.models import Endpoint, LabRun
from studies.models import Enquiry
from tests import factories
from tests.console.test_lab import finish
from tests.factories import World
from tests.pages import wordings
from tests.pages.states.people import (
    annotator,
    at_answers,
    said,
    study,
)
from tests.pages.states.registry import Visit, state
from tests.sampling import lab_runs


def researcher(*worlds: World) -> Client:
    client = Client()
    client.force_login(factories.researcher(*(world.study for world in worlds)))
    return client


@state("login", console=True)
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/accounts/login/"), client)


@state("login-fault", console=True, status=422)
def _(_locale: str) -> Visit:
    client = Client()
    wrong = {"username": "r@example.org", "password": "no"}
    return Visit(partial(client.post, "/accounts/login/", wrong), client)


@state("console", console=True)
def _(locale: str) -> Visit:
    world = study(locale)
    factories.judged_turn(world)
    client = researcher(world)
    return Visit(partial(client.get, "/console/"), client)


@state("console-empty", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/console/"), client)


@state("reports", console=True)
def _(locale: str) -> Visit:
    enrolment, _client, scene = at_answers(locale)
    reporting.report_candidate(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        candidate_id=scene.last.candidates[0].id,
        reason="dangerous",
        leave=False,
    )
    client = Client()
    client.force_login(factories.researcher(enrolment.study))
    return Visit(partial(client.get, "/console/reports/"), client)


@state("reports-none", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/console/reports/"), client)


def asked(locale: str) -> tuple[Client, Enquiry]:
    """A researcher to whom an annotator has written twice, and had one answer; the open message."""
    world = study(locale)
    client = researcher(world)
    enrolment, _browser = annotator(world, locale)
    factories.decision(enrolment, reason=said(wordings.REASON, locale))
    before = factories.enquiry(enrolment, text=said(wordings.ENQUIRY, locale))
    by = factories.researcher(world.study)
    enquiring.answer(enquiry=before, text=said(wordings.REASON, locale), by=by)
    return client, factories.enquiry(enrolment, text=said(wordings.ENQUIRY, locale))


@state("enquiries", console=True)
def _(locale: str) -> Visit:
    client, _enquiry = asked(locale)
    return Visit(partial(client.get, "/console/enquiries/"), client)


@state("enquiries-none", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/console/enquiries/"), client)


@state("enquiries-fault", status=422, console=True)
def _(locale: str) -> Visit:
    client, enquiry = asked(locale)
    answer = f"/console/enquiries/{enquiry.pk}/answer/"
    return Visit(partial(client.post, answer, {"text": " "}), client)


@state("annotator", console=True)
def _(locale: str) -> Visit:
    client, enquiry = asked(locale)
    return Visit(partial(client.get, f"/console/annotators/{enquiry.enrolment_id}/"), client)


@state("annotator-fault", status=422, console=True)
def _(locale: str) -> Visit:
    client, enquiry = asked(locale)
    unpaid = {"kind": "paid", "reason": said(wordings.REASON, locale)}
    return Visit(
        partial(client.post, f"/console/annotators/{enquiry.enrolment_id}/", unpaid), client
    )


@state("find-annotator", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/console/annotators/?pseudonym=nobody"), client)


@state("style", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/style/"), client)


@state("lab", console=True)
def _(locale: str) -> Visit:
    world = study(locale)
    client = researcher(world)
    return Visit(partial(client.get, "/console/lab/"), client)


@state("lab-none", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/console/lab/"), client)


@state("lab-batch", console=True)
def _(locale: str) -> Visit:
    client = researcher(study(locale))
    return Visit(partial(client.get, "/console/lab/batch/"), client)


@state("lab-run", console=True)
def _(locale: str) -> Visit:
    world = study(locale)
    client = researcher(world)
    run = lab_runs.asked(world.endpoint, study=world.study)
    finish(run, texts=wordings.ANSWERS["en"])
    return Visit(partial(client.get, f"/console/lab/{run.pk}/"), client)


@state("lab-run-batch", console=True)
def _(locale: str) -> Visit:
    world = study(locale)
    client = researcher(world)
    run = lab_runs.asked(world.endpoint, study=world.study, kind=LabRun.Kind.BATCH)
    finish(run, texts=wordings.ANSWERS["en"])
    return Visit(partial(client.get, f"/console/lab/{run.pk}/"), client)


@state("lab-reading", console=True)
def _(locale: str) -> Visit:
    world = study(locale)
    client = researcher(world)
    finish(lab_runs.asked(world.endpoint, study=world.study), texts=wordings.ANSWERS["en"])
    return Visit(partial(client.get, f"/console/lab/reading/{world.study.slug}/en/"), client)


@state("endpoints", console=True)
def _(locale: str) -> Visit:
    world = study(locale)
    at = timezone.now()
    Endpoint.objects.filter(pk=world.endpoint.pk).update(
        revision="r7",
        capabilities={"structured_outputs": True, "seed": True, "n": False},
        probed_at=at,
        failures=6,
        open_until=at + timedelta(minutes=1),
        tried={"at": at.isoformat(), "code": "endpoint_timeout", "message": "no text came"},
    )
    called = factories.endpoint(try_asked_at=at)
    still = factories.endpoint(try_asked_at=at - timedelta(minutes=5))
    well = factories.endpoint(tried={"at": at.isoformat(), "seconds": 0.8})
    other = factories.plan(endpoints=[called, still, well])
    client = Client()
    client.force_login(factories.researcher(world.study, other.study))
    return Visit(partial(client.get, "/console/endpoints/"), client)


@state("endpoints-none", console=True)
def _(_locale: str) -> Visit:
    client = researcher()
    return Visit(partial(client.get, "/console/endpoints/"), client)
