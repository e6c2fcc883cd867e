"""Every page in every state, for the tests that look at all of them.

A state is a function under `@state`: it makes its rows in the interface language it is given, and
returns a Visit, whose `open` answers with the page. `axe`, the pictures, the pseudo-language and
the scripts all go through STATES. A page that no state shows fails a test.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.http import HttpResponse
from django.template.loader import render_to_string
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from annotation.models import Conversation, Turn
from annotation.progress import Scene
from config.pages import csrf_failure
from config.unavailable import unavailable
from sampling.models import CandidateSet, LabRun
from studies.models import Enrolment, Study
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Form, Page, browser_of
from tests.console.test_lab import finish
from tests.factories import World
from tests.pages import wordings
from tests.sampling import lab_runs

# The language of the data for an interface in this language, where it is not English.
DATA_LANGUAGES = {"fr": "fr", "it": "it", "pt-br": "pt", "hi": "hi"}
TYPED = "Not <lost> & not changed"
POSTED = {"text": TYPED, "idempotency_key": "k" * 32, "csrfmiddlewaretoken": "old"}

Make = Callable[[str], "Visit"]
STATES: dict[str, "State"] = {}


@dataclass(frozen=True)
class Visit:
    """A page in its state: `open` asks for it (once), `client` is the browser that did."""

    open: Callable[[], Any]
    client: Client = field(default_factory=Client)


@dataclass(frozen=True)
class State:
    """A name, who sees it, the status of its page, and how it comes about."""

    name: str
    make: Make
    status: int
    console: bool

    def visit(self, locale: str) -> Visit:
        """The state's rows, and the way to its page in this interface language."""
        with translation.override(locale):
            made = self.make(locale)
        made.client.cookies[settings.LANGUAGE_COOKIE_NAME] = locale
        return made


def state(name: str, *, status: int = 200, console: bool = False) -> Callable[[Make], Make]:
    """Add a state under this name, which other tests use as its file name."""

    def add(make: Make) -> Make:
        assert name not in STATES, f"two states called {name}"
        STATES[name] = State(name=name, make=make, status=status, console=console)
        return make

    return add


# --- People ---------------------------------------------------------------------------------------


def study(locale: str, **rules: Any) -> World:
    """An open study that speaks this interface language."""
    data = DATA_LANGUAGES.get(locale, "en")
    world = factories.world(language=data, prompts=2, **{**wordings.RULES, **rules})
    world.endpoint.notice = wordings.NOTICE
    world.endpoint.save(update_fields=["notice"])
    language = locale.partition("-")[0]
    if language in wordings.CONSENT and language != "en":
        factories.consent_document(world.study, locale=locale, body=wordings.CONSENT[language])
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


# --- Arriving -------------------------------------------------------------------------------------


@state("lost", status=403)
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.post, f"/conversation/{uuid4()}/message/", POSTED), client)


@state("lost-kept", status=403)
def _(locale: str) -> Visit:
    enrolment, talk_client, scene = at_message(locale)
    form = page_of(talk_client, scene).open()
    posted = {**Page(form.content.decode()).form_to("/message/").fields, "text": TYPED}
    client = Client()
    client.cookies["seen"] = "yes"
    return Visit(
        partial(client.post, f"/conversation/{scene.conversation_id}/message/", posted), client
    )


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


@state("questions")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale, state="consented")
    return Visit(partial(client.get, "/questions/"), client)


@state("questions-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale, state="consented")
    return refused(client, "/questions/")


@state("instructions")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    return Visit(partial(client.get, "/instructions/"), client)


# --- Conversing -----------------------------------------------------------------------------------


@state("own-question")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0), locale)
    return Visit(partial(client.get, "/work/", follow=True), client)


@state("own-question-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0), locale)
    return refused(client, "/work/", text=" ")


@state("own-question-late", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0), locale)
    form = main_form(client, "/work/")
    client.post(form.action, {**form.fields, "text": said(wordings.ASKED, locale)})
    again = {**form.fields, "text": said(wordings.NEXT, locale)}
    return Visit(partial(client.post, form.action, again), client)


@state("waiting-queued")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    return page_of(client, talk)


@state("waiting-written")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    CandidateSet.objects.update(state="generating", progress=2, lease_until=factories.in_hours(1))
    return page_of(client, talk)


@state("waiting-failed")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    CandidateSet.objects.update(state="failed", reason="endpoint_unavailable")
    return page_of(client, talk)


@state("compare")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    return page_of(client, scene)


@state("compare-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    return refused(
        client,
        f"/conversation/{scene.conversation_id}/",
        choice=str(scene.last.candidates[0].id),
        explanation="",
    )


@state("compare-conflict", status=409)
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale)
    path = f"/conversation/{scene.conversation_id}/"
    form = main_form(client, path)
    talking.judge(enrolment, scene, place=1, explanation=said(wordings.WHY, locale))
    late = {"choice": str(scene.last.candidates[0].id), "explanation": said(wordings.WHY, locale)}
    return Visit(partial(client.post, form.action, {**form.fields, **late}), client)


@state("compare-last-turn")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_message(locale, turns={"min": 2, "max": 2})
    talking.say(enrolment, scene, said(wordings.NEXT, locale))
    last = Turn.objects.get(conversation=scene.conversation_id, number=1)
    asked = CandidateSet.objects.get(pk=last.set_id)
    language = DATA_LANGUAGES.get(locale, "en")
    factories.make_ready(asked, texts=wordings.ANSWERS.get(language, wordings.ANSWERS["en"]))
    return page_of(client, scene)


@state("message")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    return page_of(client, scene)


@state("message-finish")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale, turns={"min": 1, "max": 3})
    return page_of(client, scene)


@state("message-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    return refused(client, f"/conversation/{scene.conversation_id}/", text="x" * 4001)


@state("over-finished")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale, turns={"min": 1, "max": 1})
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    return page_of(client, scene)


@state("skip-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    return Visit(partial(client.post, f"/work/{scene.assignment_id}/skip/", {}), client)


# --- Leaving --------------------------------------------------------------------------------------


@state("paused")
def _(locale: str) -> Visit:
    world = study(locale)
    _enrolment, client = annotator(world, locale)
    Study.objects.filter(pk=world.study.pk).update(state="paused")
    return Visit(partial(client.get, "/work/"), client)


@state("closing-complete")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale, turns={"min": 1, "max": 1}, conversations=1)
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    return Visit(partial(client.get, "/closing/"), client)


@state("closing-withdrawn")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale), locale)
    client.post("/withdraw/")
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


# --- Pages of the last resort ---------------------------------------------------------------------


def last_resort(name: str, locale: str) -> Visit:
    def show() -> HttpResponse:
        with translation.override(locale):
            return HttpResponse(render_to_string(name))

    return Visit(show)


def in_trouble(answer: Callable[..., HttpResponse], locale: str, posted: dict[str, str]) -> Visit:
    def show() -> HttpResponse:
        make = RequestFactory()
        with translation.override(locale):
            return answer(make.post("/work/", posted) if posted else make.get("/work/"))

    return Visit(show)


state("unreadable")(partial(last_resort, "400.html"))
state("broken")(partial(last_resort, "500.html"))
state("form-token", status=403)(lambda locale: in_trouble(csrf_failure, locale, POSTED))
state("no-database", status=503)(lambda locale: in_trouble(unavailable, locale, {}))
state("no-database-form", status=503)(lambda locale: in_trouble(unavailable, locale, POSTED))


# --- Researchers ----------------------------------------------------------------------------------


def researcher(*worlds: World) -> Client:
    client = Client()
    client.force_login(factories.researcher(*(world.study for world in worlds)))
    return client


@state("login", console=True)
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/accounts/login/"), client)


@state("login-fault", console=True)
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
