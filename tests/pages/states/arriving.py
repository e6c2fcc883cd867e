"""From a link to the work: arriving, consent, questions, practice, instructions."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from studies.models import ConsentDocument
from tests import factories
from tests.annotation.visiting import Page
from tests.factories import World
from tests.pages import wordings
from tests.pages.states.people import (
    POSTED,
    TYPED,
    annotator,
    at_message,
    by_panel,
    consented,
    follower,
    main_form,
    page_of,
    refused,
    study,
)
from tests.pages.states.registry import Visit, state


@state("lost", status=403)
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.post, f"/conversation/{uuid4()}/message/", POSTED), client)


@state("lost-kept", status=403)
def _(locale: str) -> Visit:
    _enrolment, talk_client, scene = at_message(locale)
    form = page_of(talk_client, scene).open()
    posted = {**Page(form.content.decode()).form_to("/message/").fields, "text": TYPED}
    client = Client()
    client.cookies["seen"] = "yes"
    address = f"/conversation/{scene.conversation_id}/message/"
    return Visit(partial(client.post, address, posted), client)


@state("link-unknown", status=404)
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/join/nobody-made-this/"), client)


@state("link-expired", status=410)
def _(locale: str) -> Visit:
    yesterday = timezone.now() - timedelta(days=1)
    factories.invitation(study(locale).cohort, token="old-token", expires_at=yesterday)
    client = Client()
    return Visit(partial(client.get, "/join/old-token/"), client)


@state("link-used", status=410)
def _(locale: str) -> Visit:
    world = study(locale)
    by = factories.person(world).enrolment
    factories.invitation(world.cohort, kind="personal", token="used-token", used_by=by)
    client = Client()
    return Visit(partial(client.get, "/join/used-token/"), client)


@state("already")
def _(locale: str) -> Visit:
    world = study(locale)
    factories.invitation(world.cohort, token="open-token")
    _enrolment, client = annotator(world, locale)
    return Visit(partial(client.get, "/join/open-token/"), client)


@state("welcome")
def _(locale: str) -> Visit:
    client = follower(locale)
    return Visit(partial(client.get, "/welcome/"), client)


@state("welcome-fault", status=422)
def _(locale: str) -> Visit:
    return refused(follower(locale), "/welcome/")


@state("welcome-unpaid")
def _(locale: str) -> Visit:
    silent: dict[str, Any] = {"about": {}, "content_note": {}, "pay": None, "minutes": None}
    client = follower(locale, **silent)
    return Visit(partial(client.get, "/welcome/"), client)


# --- By a panel


@state("arrival-bad", status=400)
def _(locale: str) -> Visit:
    _world, client, link = by_panel(locale)
    return Visit(partial(client.get, link), client)


@state("sitting")
def _(locale: str) -> Visit:
    _world, client, link = by_panel(locale)
    again = {"PROLIFIC_PID": "p1", "SESSION_ID": "s2"}
    return Visit(partial(client.get, link, again, follow=True), client)


@state("duplicate")
def _(locale: str) -> Visit:
    _world, client, link = by_panel(locale)
    client.post("/withdraw/", {"extent": "stop"})
    again = {"PROLIFIC_PID": "p1", "SESSION_ID": "s2"}
    return Visit(partial(client.get, link, again, follow=True), client)


# --- Before the work


@state("consent")
def _(locale: str) -> Visit:
    client = consented(locale, questions=[], purposes=wordings.PURPOSES)
    return Visit(partial(client.get, "/consent/"), client)


@state("consent-fault", status=422)
def _(locale: str) -> Visit:
    client = consented(locale, questions=[], purposes=wordings.PURPOSES)
    return Visit(partial(client.post, "/consent/", {}), client)


@state("consent-changed")
def _(locale: str) -> Visit:
    world = study(locale, purposes=wordings.PURPOSES)
    _enrolment, client = annotator(world, locale)
    renew_consent(world)
    return Visit(partial(client.get, "/work/", follow=True), client)


def renew_consent(world: World, asks: Mapping[str, Mapping[str, str]] | None = None) -> None:
    """Another version of the study, whose consent text is another.

    `asks`: its own words for purposes, by purpose and language.
    """
    for document in ConsentDocument.objects.filter(study=world.study):
        factories.consent_document(
            world.study,
            version=2,
            body=document.body,
            purposes=document.purposes,
            locale=document.locale,
            asks={one: texts.get(document.locale, "") for one, texts in (asks or {}).items()},
        )
    rules = {**world.version.body, "consent_version": 2}
    factories.study_version(world.study, n=2, frozen=True, **rules)


@state("consent-change")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, purposes=wordings.PURPOSES), locale)
    return Visit(partial(client.get, "/consent/change/"), client)


@state("consent-change-late", status=409)
def _(locale: str) -> Visit:
    """A page that shows another version than the one answered last."""
    world = study(locale, purposes=wordings.PURPOSES)
    _enrolment, client = annotator(world, locale)
    renew_consent(world)
    later = ConsentDocument.objects.filter(study=world.study, version=2)[0]
    return Visit(partial(client.post, "/consent/change/", {"document": later.pk}), client)


@state("questions")
def _(locale: str) -> Visit:
    client = consented(locale)
    return Visit(partial(client.get, "/questions/"), client)


@state("questions-fault", status=422)
def _(locale: str) -> Visit:
    client = consented(locale)
    return refused(client, "/questions/", year_of_birth="1", work="x" * 501)


@state("questions-sensitive")
def _(locale: str) -> Visit:
    client = consented(
        locale, questions=wordings.QUESTIONS[-1:], purposes=["take_part", "sensitive_questions"]
    )
    client.post("/consent/", {"purpose-sensitive_questions": "yes"})
    return Visit(partial(client.get, "/questions/"), client)


def practising(locale: str, part: str = "", **tutorial: Any) -> Client:
    """Somebody before a tutorial: the whole one, or this part of it."""
    whole = {**wordings.TUTORIAL, **tutorial}
    return consented(locale, questions=[], tutorial={part: whole[part]} if part else whole)


@state("practice")
def _(locale: str) -> Visit:
    client = practising(locale)
    return Visit(partial(client.get, "/tutorial/"), client)


@state("practice-fault", status=422)
def _(locale: str) -> Visit:
    return refused(practising(locale), "/tutorial/")


@state("practice-feedback")
def _(locale: str) -> Visit:
    client = practising(locale)
    chosen = {"item": "practice-1", "choice": "1"}
    return Visit(partial(client.post, "/tutorial/", chosen, follow=True), client)


@state("check")
def _(locale: str) -> Visit:
    client = practising(locale, "check")
    return Visit(partial(client.get, "/tutorial/"), client)


@state("check-fault", status=422)
def _(locale: str) -> Visit:
    return refused(practising(locale, "check"), "/tutorial/")


@state("check-wrong")
def _(locale: str) -> Visit:
    client = practising(locale, "check")
    form = main_form(client, "/tutorial/")
    wrong = {key: values[0] for key, values in form.options.items()}
    return Visit(partial(client.post, "/tutorial/", {**form.fields, **wrong}, follow=True), client)


@state("check-reading")
def _(locale: str) -> Visit:
    client = practising(locale, "reading", reading=wordings.READING)
    return Visit(partial(client.get, "/tutorial/"), client)


@state("instructions")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/instructions/"), client)
