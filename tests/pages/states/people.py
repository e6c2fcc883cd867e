"""The cast of the states: studies that speak the interface language, and browsers in them."""

from collections.abc import Mapping
from functools import partial
from typing import Any

from django.conf import settings
from django.test import Client

from annotation.models import Conversation, Turn
from annotation.scenes import Scene
from sampling.models import CandidateSet, Endpoint
from studies import access as links
from studies.models import Enrolment
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Form, Page, browser_of
from tests.factories import World
from tests.pages import wordings
from tests.pages.states.registry import Visit

# The language of the data for an interface in this language, where it is not English.
DATA_LANGUAGES = {"fr": "fr", "it": "it", "pt-br": "pt", "hi": "hi"}
TYPED = "Not <lost> & not changed"
POSTED = {"text": TYPED, "idempotency_key": "k" * 32, "csrfmiddlewaretoken": "old"}


def study(locale: str, **rules: Any) -> World:
    """An open study that speaks this interface language."""
    data = DATA_LANGUAGES.get(locale, "en")
    asks = {"questions": wordings.QUESTIONS, "sections": wordings.SECTIONS}
    said = {**wordings.RULES, **asks, "consent": wordings.CONSENT["en"], **rules}
    world = factories.world(language=data, prompts=2, **said)
    Endpoint.objects.update(notice=wordings.NOTICE, **wordings.MADE_BY)
    language = locale.partition("-")[0]
    if language in wordings.CONSENT and language != "en":
        body, purposes = wordings.CONSENT[language], world.consent.purposes
        factories.consent_document(world.study, locale=locale, body=body, purposes=purposes)
    return world


def annotator(world: World, locale: str, **fields: Any) -> tuple[Enrolment, Client]:
    """Somebody of the study, and their browser."""
    enrolment = talking.joined(world, ui_language=locale, **fields)
    return enrolment, browser_of(enrolment)


def follower(locale: str, **rules: Any) -> Client:
    """A browser that has followed the study's link."""
    factories.invitation(study(locale, **rules).cohort, token="open-token")
    client = Client()
    client.get("/join/open-token/")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = locale
    return client


def consented(locale: str, **rules: Any) -> Client:
    """Somebody who has agreed to take part, and to nothing else yet, before the questions."""
    _enrolment, client = annotator(study(locale, **rules), locale, state="consented")
    return client


def by_panel(locale: str) -> tuple[World, Client, str]:
    """Somebody whom a panel sent, after the consent form, and the panel's link to the study."""
    world = study(locale, panels=wordings.PANELS)
    link = f"/panel/{links.invite_by_panel(world.cohort, 'prolific')}/"
    client = Client()
    client.get(link, {"PROLIFIC_PID": "p1", "SESSION_ID": "s1"})
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = locale
    client.post("/welcome/", {"consent": "yes"})
    return world, client, link


def talk_in(enrolment: Enrolment) -> Conversation:
    """A conversation at its first turn, which is not answered yet."""
    return talking.opened(enrolment)


def answered(world: World, enrolment: Enrolment, talk: Conversation) -> Scene:
    """The same with four answers, which the annotator has been shown."""
    last = Turn.objects.filter(conversation=talk).latest("number")
    asked = CandidateSet.objects.get(pk=last.set_id)
    language = world.cohort.language
    factories.make_ready(asked, texts=wordings.ANSWERS.get(language, wordings.ANSWERS["en"]))
    return talking.shown(enrolment, talk.pk)


def in_turn(locale: str, **rules: Any) -> tuple[World, Enrolment, Client, Conversation]:
    world = study(locale, **rules)
    enrolment, client = annotator(world, locale)
    return world, enrolment, client, talk_in(enrolment)


def at_answers(locale: str, **rules: Any) -> tuple[Enrolment, Client, Scene]:
    """In front of the four answers of the first turn."""
    world, enrolment, client, talk = in_turn(locale, **rules)
    return enrolment, client, answered(world, enrolment, talk)


def at_message(locale: str, **rules: Any) -> tuple[Enrolment, Client, Scene]:
    """After the choice of the first turn."""
    enrolment, client, scene = at_answers(locale, **rules)
    talking.judge(enrolment, scene, place=1, explanation=said(wordings.WHY, locale))
    return enrolment, client, scene


def said(texts: Mapping[str, str], locale: str) -> str:
    return texts.get(DATA_LANGUAGES.get(locale, "en"), texts["en"])


def page_of(client: Client, scene_or_talk: Scene | Conversation) -> Visit:
    is_scene = isinstance(scene_or_talk, Scene)
    pk = scene_or_talk.conversation_id if is_scene else scene_or_talk.pk  # type: ignore[union-attr]
    return Visit(partial(client.get, f"/conversation/{pk}/"), client)


def main_form(client: Client, path: str) -> Form:
    return Page(client.get(path, follow=True).content.decode()).forms[0]


def refused(client: Client, path: str, **changes: str) -> Visit:
    """The page again, after its main form was sent with these fields changed."""
    form = main_form(client, path)
    address = form.action or path
    return Visit(partial(client.post, address, {**form.fields, **changes}), client)
