"""A conversation in each of its stages, and what is refused in it."""

from functools import partial
from typing import Any

from annotation import drafts, leaving
from annotation.models import Assignment, Turn
from sampling.models import CandidateSet
from tests import factories
from tests.annotation import talking
from tests.breaking import sql
from tests.pages import wordings
from tests.pages.states.people import (
    DATA_LANGUAGES,
    annotator,
    at_answers,
    at_message,
    in_turn,
    main_form,
    page_of,
    refused,
    said,
    study,
)
from tests.pages.states.registry import Visit, state


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


@state("own-question-pointed-out", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0), locale)
    return refused(client, "/work/", text="amina@example.org")


@state("distress", status=422)
def _(locale: str) -> Visit:
    _enrolment, client = annotator(study(locale, own_prompt_share=1.0), locale)
    return refused(client, "/work/", text=said(wordings.IN_PAIN, locale))


@state("waiting-queued")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    return page_of(client, talk)


@state("waiting-written")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    CandidateSet.objects.update(state="generating", progress=2, lease_until=factories.in_hours(1))
    return page_of(client, talk)


@state("waiting-long")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_message(locale)
    talking.say(enrolment, scene, said(wordings.NEXT, locale))
    sql("SET LOCAL session_replication_role = replica")  # a turn keeps when it was asked
    sql("UPDATE annotation_turn SET asked_at = now() - interval '5 min' WHERE number = 1")
    sql("SET LOCAL session_replication_role = DEFAULT")
    return page_of(client, scene)


@state("waiting-blocked")
def _(locale: str) -> Visit:
    _world, _enrolment, client, talk = in_turn(locale)
    CandidateSet.objects.update(state="failed", reason="message_blocked")
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


@state("compare-all")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale, **wordings.EVERYTHING)
    return page_of(client, scene)


@state("compare-chosen")
def _(locale: str) -> Visit:
    return chosen_before(locale)


@state("compare-unfolded", unfolded=True)
def _(locale: str) -> Visit:
    return chosen_before(locale, **wordings.EVERYTHING)


def chosen_before(locale: str, **rules: Any) -> Visit:
    """The comparison with a choice and an explanation that were kept, and not sent."""
    enrolment, client, scene = at_answers(locale, **rules)
    chosen = {"choice": str(scene.last.candidates[1].id), "explanation": said(wordings.WHY, locale)}
    form = drafts.comparison_form(scene.last.id, 0)
    drafts.save_draft(enrolment=enrolment, form=form, fields=chosen)
    return page_of(client, scene)


@state("compare-none-fault", status=422)
def _(locale: str) -> Visit:
    return judged_wrongly(locale, choice="none", should_say=said(wordings.NEXT, locale))


@state("compare-tie-fault", status=422)
def _(locale: str) -> Visit:
    return judged_wrongly(locale, choice="tie")


def judged_wrongly(locale: str, **posted: str) -> Visit:
    """A comparison that leaves something out, where everything may be said."""
    _enrolment, client, scene = at_answers(locale, **wordings.EVERYTHING)
    return refused(client, f"/conversation/{scene.conversation_id}/", **posted)


@state("report-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    posted = {"reason": "hateful"}
    report = f"/conversation/{scene.conversation_id}/report/"
    return Visit(partial(client.post, report, posted), client)


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


@state("message-unfolded", unfolded=True)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    return page_of(client, scene)


@state("message-after-none")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale, **wordings.EVERYTHING)
    form = main_form(client, f"/conversation/{scene.conversation_id}/")
    on_from = str(scene.last.candidates[2].id)
    none = {"choice": "none", "continue_from": on_from, "explanation": said(wordings.WHY, locale)}
    client.post(form.action, {**form.fields, **none})
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


@state("over-skipped")
def _(locale: str) -> Visit:
    enrolment, client, scene = at_message(locale)
    leaving.skip_assignment(
        enrolment=enrolment, assignment_id=scene.assignment_id, reason="uncomfortable"
    )
    return page_of(client, scene)


@state("over-expired")
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_message(locale)
    Assignment.objects.update(state="expired", deadline=None)
    return page_of(client, scene)


@state("skips-used", status=409)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale, skips=0)
    skip = f"/work/{scene.assignment_id}/skip/"
    return Visit(partial(client.post, skip, {"reason": "other"}), client)


@state("skip-fault", status=422)
def _(locale: str) -> Visit:
    _enrolment, client, scene = at_answers(locale)
    return Visit(partial(client.post, f"/work/{scene.assignment_id}/skip/", {}), client)
