"""Erasure: a person's words leave the whole database, and other people's stay."""

from uuid import UUID

import pytest
from django.apps import apps

from annotation import erasing
from annotation.drafts import save_draft
from annotation.erasing import ERASURES, WITHOUT_WORDS, erase_person
from annotation.leaving import withdraw
from annotation.models import Turn
from annotation.opening import open_own_conversation
from sampling.models import CandidateSet
from studies.models import Audit, ConsentRecord, Decision, Enquiry, Enrolment
from tests import factories
from tests.annotation.talking import claimed, joined, judge, opened, say, shown
from tests.architecture.files import APPS, name_of, python
from tests.breaking import refused, sql, update
from tests.factories import World

pytestmark = pytest.mark.django_db
SECRET = "quokka"
ASKED = {"rule": "always", "min_words": 0}


def ours() -> list[str]:
    models = [
        model
        for app in ("studies", "sampling", "annotation", "exports", "console")
        for model in apps.get_app_config(app).get_models()
    ]
    return sorted(model._meta.db_table for model in models)


def tables_with(words: str) -> list[str]:
    """Every table of the database that holds them, in whichever column."""
    tables = sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1")
    return [
        table
        for (table,) in tables
        if sql(f"SELECT 1 FROM {table} AS row WHERE row::text ILIKE %s LIMIT 1", [f"%{words}%"])
    ]


def talkative(of: World, words: str) -> Enrolment:
    """A person who has written these words into everything that takes any."""
    enrolment = joined(of)
    scene = shown(enrolment, opened(enrolment).pk)
    judge(enrolment, scene, explanation=f"Because of the {words}.")
    judge(
        enrolment,
        shown(enrolment, scene.conversation_id),
        place=1,
        explanation=f"No, the {words}!",
    )
    say(enrolment, scene, f"And what about the {words}?")
    scene = shown(enrolment, scene.conversation_id)
    quoting(scene.last.set_id, words)
    save_draft(enrolment=enrolment, form="message:x", fields={"text": f"My {words} is"})
    factories.answer(enrolment, value=words)
    Enquiry.objects.create(enrolment=enrolment, text=f"When does my {words} get paid?")
    Decision.objects.create(
        enrolment=enrolment,
        kind="other",
        reason=f"They asked about a {words}.",
        by=factories.researcher(of.study),
    )
    return enrolment


def quoting(set_id: UUID, words: str) -> None:
    """A call and a set given up before, which quote the words as a model would."""
    asked = CandidateSet.objects.select_related("plan").get(pk=set_id)
    factories.model_call(
        asked,
        request={"messages": asked.context},
        raw=f"Your {words} is fine.",
        error={"class": "cut_off", "message": f"in {words}"},
    )
    given_up = factories.candidate_set(
        asked.plan, context=asked.context, state="failed", language=asked.language
    )
    factories.model_call(given_up, request={"messages": asked.context}, raw=words)


def test_the_words_are_nowhere_in_the_database_afterwards() -> None:
    enrolment = talkative(factories.world(explanation=ASKED), SECRET)
    assert len(tables_with(SECRET)) > 7

    touched = erase_person(enrolment=enrolment, by="test")

    assert tables_with(SECRET) == []
    assert enrolment.state == "withdrawn"
    assert enrolment.erased_at is not None
    assert touched["annotation_comparison"] == 2


def test_the_words_of_an_own_opening_go_too() -> None:
    world = factories.world(own_prompt_share=1.0)
    enrolment = joined(world)
    open_own_conversation(
        enrolment=enrolment,
        assignment_id=claimed(enrolment).pk,
        text=f"Is a {SECRET} a good pet?",
        idempotency_key="k",
    )

    erase_person(enrolment=enrolment, by="test")

    assert tables_with(SECRET) == []


def test_what_other_people_said_and_were_shown_stays() -> None:
    world = factories.world(turns={"min": 1, "max": 3}, explanation=ASKED)
    other = talkative(world, "wombat")
    before = tables_with("wombat")
    shared = Turn.objects.filter(number=0).latest("asked_at").set

    erase_person(enrolment=talkative(world, SECRET), by="test")

    assert tables_with("wombat") == before
    assert all(shared.candidates.values_list("text", flat=True))
    other.refresh_from_db()
    assert other.erased_at is None


def test_two_people_who_said_the_same_after_the_same_answer_lose_only_their_own() -> None:
    world = factories.world()
    people = []
    for _ in range(2):
        enrolment = joined(world)
        scene = shown(enrolment, opened(enrolment).pk)
        slot_0 = next(
            place
            for place, one in enumerate(scene.last.candidates)
            if one.text.startswith("Answer 0 ")
        )
        judge(enrolment, scene, place=slot_0)
        say(enrolment, scene, f"The {SECRET}?")
        people.append(enrolment)

    erase_person(enrolment=people[0], by="test")

    assert Turn.objects.filter(message=f"The {SECRET}?").count() == 1
    assert CandidateSet.objects.filter(shared=False, erased_at=None).count() == 1


@pytest.mark.parametrize("shared", [True, False])
def test_a_set_that_somebody_else_was_shown_is_never_touched(shared: bool) -> None:
    world = factories.world()
    asked = "Is a tidy house a good house?"
    answers = factories.ready_set(world.plan, context=[factories.user(asked)], shared=shared)
    turns = [
        factories.turn(
            world,
            within=factories.conversation(world, under=factories.assignment(world, own=True)),
            message=asked,
            answered_by=answers,
        )
        for _ in range(2)
    ]

    erase_person(enrolment=turns[0].conversation.assignment.enrolment, by="test")

    answers.refresh_from_db()
    assert answers.erased_at is None
    assert all(answers.candidates.values_list("text", flat=True))


def test_erasing_is_on_record_without_words_and_twice_is_once() -> None:
    enrolment = talkative(factories.world(explanation=ASKED), SECRET)
    withdraw(enrolment=enrolment)

    erase_person(enrolment=enrolment, by=f"annotator:{enrolment.pseudonym}")

    assert erase_person(enrolment=enrolment, by="test") == {}
    assert list(Audit.objects.order_by("seq").values_list("action", flat=True)) == [
        "withdraw",
        "erase",
    ]


def test_what_was_agreed_to_stays_as_the_proof_of_it() -> None:
    enrolment = talkative(factories.world(explanation=ASKED), SECRET)
    erase_person(enrolment=enrolment, by="test")
    assert ConsentRecord.objects.filter(enrolment=enrolment).exists()


def test_somebody_who_never_consented_has_nothing_to_erase() -> None:
    enrolment = factories.enrolment(state="no_consent")
    assert erase_person(enrolment=enrolment, by="test") == {}
    enrolment.refresh_from_db()
    assert (enrolment.state, enrolment.erased_at) == ("no_consent", None)


def test_the_door_is_closed_again_behind_an_erasure() -> None:
    world = factories.world(explanation=ASKED)
    kept = factories.judged_turn(world)
    erase_person(enrolment=talkative(world, SECRET), by="test")

    with refused("comparison_superseded_once"):
        update(kept, explanation="")
    with refused("turn_set_once"):
        update(kept.turn, message="Something else?")
    with refused("candidate_never_changes"):
        update(kept.set.candidates.get(slot=0), text="Something else.")


def test_even_an_erasure_changes_nothing_but_words() -> None:
    kept = factories.judged_turn()
    record = kept.conversation.assignment.enrolment.consent_records.get()
    sql(erasing.ALLOW, ["on"])
    with refused("comparison_superseded_once"):
        update(kept, outcome="tie", chosen_id=None)
    with refused("turn_set_once"):
        update(kept.turn, number=1)
    with refused("set_asked_once"):
        update(kept.set, seed=8)
    with refused("consent_record_append_only"):
        update(record, granted=False)
    sql(erasing.ALLOW, ["off"])


def test_every_table_is_known_to_erasure() -> None:
    named = [erasure.table for erasure in ERASURES]

    assert sorted([*named, *WITHOUT_WORDS]) == ours(), "name new tables in annotation.erasing"


def test_only_erasure_opens_the_door() -> None:

    users = {
        name_of(path)
        for app in APPS
        for path, _ in python(app)
        if "counterpoint.erasing" in path.read_text() and "migrations" not in path.parts
    }
    assert users == {"annotation/erasing.py"}
