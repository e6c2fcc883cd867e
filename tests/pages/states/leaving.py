"""Breaks, one’s own work, and the last pages."""

from functools import partial

from django.test import Client

from annotation import enquiring
from studies import enrolling, withdrawal_codes
from studies.models import Enrolment, Sitting, Study
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of
from tests.pages import wordings
from tests.pages.states.people import (
    annotator,
    at_answers,
    at_message,
    by_panel,
    follower,
    said,
    study,
)
from tests.pages.states.registry import Visit, state


@state("paused")
def _(locale: str) -> Visit:
    world = study(locale)
    _enrolment, client = annotator(world, locale)
    Study.objects.filter(pk=world.study.pk).update(state="paused")
    return Visit(partial(client.get, "/work/"), client)


@state("paused-before")
def _(locale: str) -> Visit:
    world = study(locale, state="draft")
    factories.invitation(world.cohort, token="open-token")
    client = Client()
    return Visit(partial(client.get, "/join/open-token/"), client)


@state("day-over")
def _(locale: str) -> Visit:
    limits = {"per_day": 1}
    enrolment, client, scene = at_answers(locale, turns={"min": 1, "max": 1}, limits=limits)
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    return Visit(partial(client.get, "/work/"), client)


@state("break")
def _(locale: str) -> Visit:
    _enrolment, client, _scene = at_message(locale)
    return Visit(partial(client.post, "/pause/", follow=True), client)


@state("break-offered")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/pause/"), client)


@state("my-work")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale, turns={"min": 1, "max": 1})
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    factories.decision(enrolment, amount=3, reason=said(wordings.REASON, locale))
    by = factories.researcher(enrolment.study)
    asked = factories.enquiry(enrolment, text=said(wordings.ENQUIRY, locale))
    enquiring.answer(enquiry=asked, text=said(wordings.REASON, locale), by=by)
    factories.enquiry(enrolment, text=said(wordings.ENQUIRY, locale))
    return Visit(partial(client.get, "/my-work/"), client)


@state("my-work-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.post, "/my-work/enquiry/", {"text": " "}), client)


@state("closing-panel")
def _(locale: str) -> Visit:
    _world, client, _link = by_panel(locale)
    enrolment = Enrolment.objects.get()
    enrolling.end_before_work(enrolment, Sitting.ExitCode.QUOTA_FULL)
    return Visit(partial(client.get, "/closing/"), client)


def closing(locale: str, *, exit_code: Sitting.ExitCode) -> Visit:
    """The last page of somebody who did not come to work."""
    world = study(locale)
    enrolment = factories.enrolment(world.cohort, state="consented", ui_language=locale)
    enrolling.end_before_work(enrolment, exit_code)
    client = browser_of(enrolment)
    return Visit(partial(client.get, "/closing/"), client)


state("closing-screened-out")(partial(closing, exit_code=Sitting.ExitCode.SCREEN_OUT))
state("closing-checks-failed")(partial(closing, exit_code=Sitting.ExitCode.QUALITY_TERM))


@state("closing-complete")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale, turns={"min": 1, "max": 1}, conversations=1)
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    return Visit(partial(client.get, "/closing/"), client)


@state("closing-withdrawn")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    client.post("/withdraw/", {"extent": "stop"})
    return Visit(partial(client.get, "/closing/"), client)


@state("closing-no-consent")
def _(locale: str) -> Visit:
    client = follower(locale)
    client.post("/welcome/", {"consent": "no"})
    return Visit(partial(client.get, "/closing/"), client)


@state("withdraw")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/withdraw/"), client)


@state("closing-erased")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    client.post("/withdraw/", {"extent": "delete"})
    return Visit(partial(client.get, "/closing/"), client)


@state("withdraw-later")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    client.post("/withdraw/", {"extent": "stop"})
    return Visit(partial(client.get, "/withdraw/"), client)


@state("withdraw-stranger")
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/withdraw/"), client)


@state("withdraw-fault", status=422)
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.post, "/withdraw/", {"code": "AAAA", "extent": "delete"}), client)


@state("withdrawal-code")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/withdraw/code/"), client)


@state("withdrawal-code-made")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.post, "/withdraw/code/", follow=True), client)


@state("withdrawn")
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/withdraw/done/"), client)


@state("withdrawal-code-used", status=410)
def _(locale: str) -> Visit:
    enrolment, client = annotator(study(locale), locale)
    code = withdrawal_codes.letters_of(withdrawal_codes.make_code(enrolment=enrolment).pk)
    client.post("/withdraw/", {"extent": "delete"})
    stranger = Client()
    again = {"code": code, "extent": "delete"}
    return Visit(partial(stranger.post, "/withdraw/", again), stranger)


@state("privacy")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/privacy/"), client)


@state("accessibility")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/accessibility/"), client)


@state("help")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/help/"), client)


@state("help-stranger")
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/help/"), client)


@state("language")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/language/?next=/work/"), client)
