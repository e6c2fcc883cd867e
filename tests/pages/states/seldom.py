"""What few people come to: what a study may leave out, what happens seldom, what comes late."""

from datetime import timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from django.test import Client
from django.utils import timezone

from annotation import drafts
from annotation.models import Assignment, Conversation
from annotation.scenes import Scene
from config.pages import csrf_failure
from sampling.models import CandidateSet, Endpoint
from studies.models import Enrolment, Prompt, Sitting, Study
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import page
from tests.breaking import sql
from tests.factories import World
from tests.pages import wordings
from tests.pages.states.arriving import renew_consent
from tests.pages.states.last_resort import in_trouble
from tests.pages.states.people import (
    DATA_LANGUAGES,
    POSTED,
    annotator,
    answered,
    at_answers,
    at_message,
    consented,
    follower,
    in_turn,
    main_form,
    page_of,
    refused,
    said,
    study,
    talk_in,
)
from tests.pages.states.registry import Visit, state

# --- Before the work


@state("lost-no-cookies", status=403)
def _(locale: str) -> Visit:
    client = Client(headers={"accept-language": locale})

    def open_without_cookies() -> Any:
        client.cookies.clear()
        return client.post(f"/conversation/{uuid4()}/message/", {"idempotency_key": "k" * 32})

    return Visit(open_without_cookies, client)


state("form-token-empty", status=403)(lambda locale: in_trouble(csrf_failure, locale, {}))


@state("welcome-by-the-hour")
def _(locale: str) -> Visit:
    pay = {"amount": 12, "currency": "USD", "per": "hour"}
    client = follower(locale, pay=pay, limits={"per_day": 2})
    Endpoint.objects.update(country="", retention="")
    return Visit(partial(client.get, "/welcome/"), client)


@state("consent-in-own-words", status=422)
def _(locale: str) -> Visit:
    """One purpose in the study's own words, answered; another one is left out."""
    world = study(locale, questions=[], purposes=wordings.PURPOSES)
    _enrolment, client = annotator(world, locale, state="consented")
    renew_consent(world, {"recontact": wordings.RECONTACT})
    return Visit(partial(client.post, "/consent/", {"purpose-recontact": "yes"}), client)


@state("questions-again")
def _(locale: str) -> Visit:
    """Back to what was answered; the page after it has the way back."""
    client = consented(locale, questions=wordings.TWO_PAGES)
    form = main_form(client, "/questions/")
    client.post("/questions/", {**form.fields, **wordings.ANSWERED_FIRST})
    return Visit(partial(client.get, "/questions/", {"page": form.fields["page"]}), client)


@state("questions-second-page")
def _(locale: str) -> Visit:
    client = consented(locale, questions=wordings.TWO_PAGES)
    form = main_form(client, "/questions/")
    client.post("/questions/", {**form.fields, **wordings.ANSWERED_FIRST})
    return Visit(partial(client.get, "/questions/"), client)


@state("questions-personal")
def _(locale: str) -> Visit:
    faith = {key: value for key, value in wordings.QUESTIONS[-1].items() if key != "section"}
    purposes = ["take_part", "sensitive_questions"]
    client = consented(locale, questions=[faith], purposes=purposes)
    client.post("/consent/", {"purpose-sensitive_questions": "yes"})
    return Visit(partial(client.get, "/questions/"), client)


@state("own-question-plain")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0, own_prompts={}), locale)
    return Visit(partial(client.get, "/work/", follow=True), client)


@state("own-question-over", status=409)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0), locale)
    form = main_form(client, "/work/")
    Assignment.objects.update(state="expired", deadline=None, surplus=True)
    return Visit(partial(client.post, form.action, {**form.fields, **POSTED}), client)


@state("distress-plain", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0, own_prompts={}), locale)
    return refused(client, "/work/", text=said(wordings.IN_PAIN, locale))


# --- Waiting


@state("waiting-in-line")
def _(locale: str) -> Visit:
    world, _enrolment, client, talk = in_turn(locale)
    made = factories.ready_set(world.plan)
    started = timezone.now() - timedelta(minutes=11)
    made.attempt_log = [{"attempt": 1, "started_at": started.isoformat(), "outcome": "ready"}]
    made.ready_at = started + timedelta(minutes=11)
    made.save(update_fields=["attempt_log", "ready_at"])
    return page_of(client, talk)


@state("waiting-set-aside")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    CandidateSet.objects.update(state="failed", reason="set_aside")
    return page_of(client, talk)


# --- Comparing


@state("compare-opening", unfolded=True)
def _(locale: str) -> Visit:
    """A prompt of several messages, the last of which is answered."""
    world = study(locale, state="draft")
    longer = factories.prompt(world.study, languages=[])
    texts = [said(one, locale) for one in (wordings.ASKED, wordings.WHY, wordings.NEXT)]
    made = [factories.user(texts[0]), factories.assistant(texts[1]), factories.user(texts[2])]
    longer.texts.create(language=world.cohort.language, messages=made)
    for cell in world.cells:
        cell.delete()
    factories.cell(world.cohort, of_prompt=longer)
    Prompt.objects.filter(pk=longer.pk).update(frozen_at=timezone.now())
    Study.objects.filter(pk=world.study.pk).update(state="open")
    enrolment, client = annotator(world, locale)
    return page_of(client, answered(world, enrolment, talk_in(enrolment)))


@state("compare-own-question")
def _(locale: str) -> Visit:
    world = study(locale, own_prompt_share=1.0)
    enrolment, client = annotator(world, locale)
    form = main_form(client, "/work/")
    client.post(form.action, {**form.fields, "text": said(wordings.ASKED, locale)})
    talk = Conversation.objects.get()
    return page_of(client, answered(world, enrolment, talk))


@state("compare-flagged")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    flag()
    return page_of(client, scene)


@state("message-flagged")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    flag()
    return page_of(client, scene)


def flag() -> None:
    """What the safety check leaves on a set, where the plan has it shown with a notice."""
    finding = {"measure": "unsafe", "action": "mark", "slots": [2], "said": "found"}
    CandidateSet.objects.update(guard={"findings": [finding]})


@state("compare-plain")
def _(locale: str) -> Visit:
    """Nothing is asked beside the choice, nobody may skip, and the models have no notice."""
    asks = {"explanation": {"rule": "never", "min_words": 0}}
    _enrolment, client, scene = at_answers(locale, skips=0, **asks)
    Endpoint.objects.update(notice={})
    return page_of(client, scene)


@state("compare-none-unexplained")
def _(locale: str) -> Visit:
    """Only who chose is asked why, and by an example of the study's own."""
    asks = {**wordings.RULES["explanation"], "rule": "chosen", "example": wordings.WHY}
    enrolment, client, scene = at_answers(locale, explanation=asks)
    form = drafts.comparison_form(scene.last.id, 0)
    drafts.save_draft(enrolment=enrolment, form=form, fields={"choice": "none"})
    return page_of(client, scene)


@state("compare-none-unasked")
def _(locale: str) -> Visit:
    """Nobody is asked why, and none of them was chosen all the same."""
    asks = {"explanation": {"rule": "never"}, "comparing": {"reasons": "general-1"}}
    enrolment, client, scene = at_answers(locale, **asks)
    form = drafts.comparison_form(scene.last.id, 0)
    drafts.save_draft(enrolment=enrolment, form=form, fields={"choice": "none"})
    return page_of(client, scene)


@state("compare-second")
def _(locale: str) -> Visit:
    """In the second conversation, whose minutes are known from the first."""
    world, enrolment, client = with_one_done(locale)
    return page_of(client, answered(world, enrolment, talk_in(enrolment)))


def with_one_done(locale: str, **rules: Any) -> tuple[World, Enrolment, Client]:
    """Somebody between two conversations, after one of four minutes."""
    world = study(locale, turns={"min": 1, "max": 1}, **rules)
    enrolment, client = annotator(world, locale)
    scene = talking.shown(enrolment, talking.opened(enrolment).pk)
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    sql("UPDATE annotation_assignment SET created_at = ended_at - interval '4 min'")
    return world, enrolment, client


def after_none(locale: str) -> tuple[World, Enrolment, Client, Scene]:
    """At the message after "none", where the conversation goes on from the third answer."""
    world, enrolment, client, talk = in_turn(locale, **wordings.EVERYTHING)
    scene = answered(world, enrolment, talk)
    form = main_form(client, f"/conversation/{talk.pk}/")
    on_from = str(scene.last.candidates[2].id)
    none = {"choice": "none", "continue_from": on_from, "explanation": said(wordings.WHY, locale)}
    client.post(form.action, {**form.fields, **none})
    return world, enrolment, client, scene


@state("compare-after-none", unfolded=True)
def _(locale: str) -> Visit:
    world, enrolment, client, scene = after_none(locale)
    talking.say(enrolment, scene, said(wordings.NEXT, locale))
    talk = Conversation.objects.get()
    return page_of(client, answered(world, enrolment, talk))


@state("waiting-after-none")
def _(locale: str) -> Visit:
    _world, enrolment, client, scene = after_none(locale)
    talking.say(enrolment, scene, said(wordings.NEXT, locale))
    return page_of(client, scene)


@state("compare-mended", status=422)
def _(locale: str) -> Visit:
    """Everything that can be said beside a choice was said, one thing of it at too great length."""
    _world, enrolment, client, talk = in_turn(locale, **wordings.EVERYTHING)
    language = DATA_LANGUAGES.get(locale, "en")
    texts = wordings.ANSWERS.get(language, wordings.ANSWERS["en"])
    long = [f"{text}\n\n" * 4 for text in texts]
    factories.make_ready(CandidateSet.objects.get(), texts=long)
    scene = talking.shown(enrolment, talk.pk)
    form = main_form(client, f"/conversation/{talk.pk}/")
    boxes = {name: values[:2] for name, values in form.boxes.items()}
    strength = {"strength": form.options["strength"][1], "choice": "none"}
    on_from = {"continue_from": str(scene.last.candidates[0].id), "should_say": "x" * 4001}
    posted = {**form.fields, **boxes, **strength, **on_from}
    return Visit(partial(client.post, form.action, posted), client)


@state("compare-conflict-none", status=409)
def _(locale: str) -> Visit:
    """Another window has said "none" and more; this one says it otherwise."""
    _enrolment, client, scene = at_answers(locale, **wordings.EVERYTHING)
    form = main_form(client, f"/conversation/{scene.conversation_id}/")
    why = said(wordings.WHY, locale)
    none = {"choice": "none", "explanation": why}
    ways = [str(one.id) for one in scene.last.candidates]
    client.post(form.action, {**form.fields, **none, "continue_from": ways[0]})
    late = {**none, "idempotency_key": "k" * 32, "continue_from": ways[1]}
    return Visit(partial(client.post, form.action, {**form.fields, **late}), client)


@state("compare-too-late", status=409)
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale)
    form = main_form(client, f"/conversation/{scene.conversation_id}/")
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    talking.say(enrolment, scene, said(wordings.NEXT, locale))
    late = {"choice": str(scene.last.candidates[0].id), "explanation": ""}
    return Visit(partial(client.post, form.action, {**form.fields, **late}), client)


@state("report-unfinished", status=422)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    posted = {"candidate": str(scene.last.candidates[1].id), "then": "leave"}
    report = f"/conversation/{scene.conversation_id}/report/"
    return Visit(partial(client.post, report, posted), client)


@state("message-change-fault", status=422)
def _(locale: str) -> Visit:
    """A choice was to be changed, and the new one is not explained."""
    _enrolment, client, scene = at_message(locale)
    shown = page(client.get(f"/conversation/{scene.conversation_id}/"))
    form = shown.form_to("/comparison/")
    changed = {**form.fields, "choice": str(scene.last.candidates[0].id), "explanation": ""}
    return Visit(partial(client.post, form.action, changed), client)


# --- Over


@state("over-none", unfolded=True)
def _(locale: str) -> Visit:
    enrolment, client, scene = at_answers(locale)
    talking.judge(enrolment, scene, place=None, explanation=said(wordings.WHY, locale))
    return page_of(client, scene)


@state("over-tie", unfolded=True)
def _(locale: str) -> Visit:
    """As many turns as there may be, the last of them a tie."""
    rules = {"turns": {"min": 1, "max": 1}, "comparing": wordings.EVERYTHING["comparing"]}
    _enrolment, client, scene = at_answers(locale, **rules)
    form = main_form(client, f"/conversation/{scene.conversation_id}/")
    tied = [str(one.id) for one in scene.last.candidates[:2]]
    both = {"choice": "tie", "tied": tied, "explanation": said(wordings.WHY, locale)}
    client.post(form.action, {**form.fields, **both})
    return page_of(client, scene)


@state("over-surplus")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    sql("UPDATE annotation_conversation SET ended_reason = 'expired', ended_at = now()")
    Assignment.objects.update(state="expired", deadline=None, surplus=True)
    return page_of(client, scene)


@state("closing-timeout")
def _(locale: str) -> Visit:
    _enrolment, client, _scene = at_message(locale)
    Sitting.objects.update(deadline=timezone.now() - timedelta(hours=1))
    return Visit(partial(client.get, "/closing/"), client)


@state("closing-over")
def _(locale: str) -> Visit:
    _enrolment, client, _scene = at_message(locale)
    Study.objects.update(state="closed")
    return Visit(partial(client.get, "/closing/"), client)


@state("closing-panel-complete")
def _(locale: str) -> Visit:
    rules = {"turns": {"min": 1, "max": 1}, "conversations": 1, "panels": wordings.PANELS}
    enrolment, client, scene = at_answers(locale, **rules)
    factories.identity(enrolment)
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    return Visit(partial(client.get, "/closing/"), client)


# --- Breaks, and one’s own work


@state("break-offered-after-work")
def _(locale: str) -> Visit:
    _world, _enrolment, client = with_one_done(locale)
    return Visit(partial(client.get, "/pause/"), client)


@state("break-almost-over")
def _(locale: str) -> Visit:
    _world, _enrolment, client = with_one_done(locale)
    Sitting.objects.update(deadline=timezone.now() + timedelta(seconds=90))
    return Visit(partial(client.get, "/pause/"), client)


@state("break-before-choosing")
def _(locale: str) -> Visit:
    world, enrolment, client, talk = in_turn(locale)
    scene = answered(world, enrolment, talk)
    talking.judge(enrolment, scene, explanation=said(wordings.WHY, locale))
    talking.say(enrolment, scene, said(wordings.NEXT, locale))
    answered(world, enrolment, talk)
    return Visit(partial(client.post, "/pause/", follow=True), client)


@state("break-after-none")
def _(locale: str) -> Visit:
    _world, _enrolment, client, _scene = after_none(locale)
    return Visit(partial(client.post, "/pause/", follow=True), client)


@state("paused-kept")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    form = main_form(client, f"/conversation/{scene.conversation_id}/")
    Study.objects.update(state="paused")
    posted = {**form.fields, "text": said(wordings.NEXT, locale)}
    return Visit(partial(client.post, form.action, posted), client)


@state("my-work-by-the-hour")
def _(locale: str) -> Visit:
    pay = {"amount": 12, "currency": "USD", "per": "hour"}
    _world, enrolment, client = with_one_done(locale, pay=pay)
    why = said(wordings.REASON, locale)
    factories.decision(enrolment, kind="excluded", amount=None, currency="", reason=why)
    return Visit(partial(client.get, "/my-work/"), client)


@state("my-work-done")
def _(locale: str) -> Visit:
    pay = {"amount": 9, "currency": "USD", "per": "sitting"}
    _world, _enrolment, client = with_one_done(locale, pay=pay, conversations=1)
    return Visit(partial(client.get, "/my-work/"), client)


@state("my-work-erased")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, pay=None), locale)
    client.post("/withdraw/", {"extent": "delete"})
    return Visit(partial(client.get, "/my-work/"), client)


# --- Whom to ask


@state("help-no-contact")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, contact=None), locale)
    return Visit(partial(client.get, "/help/"), client)


@state("privacy-stranger")
def _(_locale: str) -> Visit:
    client = Client()
    return Visit(partial(client.get, "/privacy/"), client)


@state("privacy-plain")
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, privacy={}, contact=None), locale)
    Endpoint.objects.update(operator="", country="", retention="")
    return Visit(partial(client.get, "/privacy/"), client)
