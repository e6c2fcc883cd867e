"""Linked sets: stances planned once per prompt, written in every language."""

from typing import Any

import pytest

from sampling import generating, linking, plans
from sampling.calls import CallRecord
from sampling.claiming import claim_next
from sampling.drawing import Planned
from sampling.explaining import explain
from sampling.guard.language import detect
from sampling.models import CandidateSet, Plan, StanceList
from studies.models import Prompt, PromptText
from tests import factories, racing
from tests.sampling.conftest import Engine

LINKED = {"strategy": "nc_planned", "linked": True}


@pytest.fixture
def plan(engine: Engine) -> Plan:
    return engine.another_plan(first_turn=LINKED, repairs=1)


@pytest.fixture
def prompt(plan: Plan) -> Prompt:
    return factories.prompt(plan.study, languages=["en", "fr", "hi"])


def ask(engine: Engine, plan: Plan, prompt: Prompt, language: str) -> CandidateSet:
    text = PromptText.objects.get(prompt=prompt, language=language)
    return engine.ask(plan, context=text.messages, language=language, prompt=prompt, shared=True)


def planning(engine: Engine) -> list[dict[str, Any]]:
    return [e["body"] for e in engine.server.log() if "response_format" in e["body"]]


def test_the_sets_of_all_languages_write_stances_that_were_planned_once(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    asked = [ask(engine, plan, prompt, language) for language in ("hi", "fr", "en")]
    generating.work()

    sets = [CandidateSet.objects.get(pk=one.pk) for one in asked]
    stances = StanceList.objects.get()
    assert [one.state for one in sets] == ["ready"] * 3
    assert {one.stance_list_id for one in sets} == {stances.pk}
    for one in sets:
        assert [c.stance for c in one.candidates.order_by("slot")] == stances.stances
        assert {detect(c.text) for c in one.candidates.all()} == {one.language}
    assert len(planning(engine)) == 1


def test_they_are_planned_on_the_english_text_whichever_language_comes_first(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    ask(engine, plan, prompt, "hi")
    generating.work()

    [request] = planning(engine)
    stances = StanceList.objects.get()
    assert request["messages"][-1]["content"] == factories.opening(prompt)
    assert "Write in English" in request["messages"][0]["content"]
    assert (stances.language, detect(" ".join(stances.stances))) == ("en", "en")


def test_a_prompt_without_english_is_planned_on_the_first_language_it_has(
    engine: Engine, plan: Plan
) -> None:
    prompt = factories.prompt(plan.study, languages=["hi", "fr"])
    ask(engine, plan, prompt, "hi")
    generating.work()

    assert StanceList.objects.get().language == "fr"


def test_every_request_of_linked_sets_is_built_again_from_rows(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    asked = [ask(engine, plan, prompt, language) for language in ("fr", "en")]
    generating.work()

    told = [explain(str(one.pk)) for one in asked]

    sent = {call.request_id: call.request for one in told for call in one.calls}
    assert sent == {entry["request_id"]: entry["body"] for entry in engine.server.log()}
    assert all(call.rebuilt_equal for one in told for call in one.calls)
    planned_by = {one.set["stances"]["planned_by"] for one in told}
    assert len(planned_by) == 1
    assert planned_by <= set(sent)


def test_an_attempt_that_left_no_rows_is_built_again_from_its_stances(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    asked = ask(engine, plan, prompt, "fr")
    generating.work()
    made = CandidateSet.objects.get(pk=asked.pk)
    forgotten = factories.candidate_set(
        plan,
        context=made.context,
        language="fr",
        seed=made.seed,
        prompt=prompt,
        category=prompt.category,
        stance_list=made.stance_list,
        attempt=1,
        attempt_log=made.attempt_log,
    )

    rebuilt = [call.request for call in explain(str(forgotten.pk)).calls]

    assert all(entry["body"] in rebuilt for entry in engine.server.log())


@pytest.mark.parametrize("kind", ["own opening", "later turn"])
def test_own_openings_and_later_turns_plan_for_themselves(
    engine: Engine, plan: Plan, prompt: Prompt, kind: str
) -> None:
    later = [
        factories.user(factories.opening(prompt)),
        factories.assistant("Stay at home."),
        factories.user("And if they need me?"),
    ]
    asked = (
        engine.ask(plan)
        if kind == "own opening"
        else engine.ask(plan, context=later, prompt=prompt)
    )
    generating.work()

    made = CandidateSet.objects.get(pk=asked.pk)
    assert (made.state, made.stance_list) == ("ready", None)
    assert not StanceList.objects.exists()
    assert all(call.rebuilt_equal for call in explain(str(made.pk)).calls)


def test_stances_in_another_language_are_planned_again(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    engine.server.order("wrong_language", language="it")
    asked = ask(engine, plan, prompt, "fr")
    generating.work()

    assert len(planning(engine)) == 2
    assert detect(" ".join(StanceList.objects.get().stances)) == "en"
    assert CandidateSet.objects.get(pk=asked.pk).state == "ready"
    assert all(call.rebuilt_equal for call in explain(str(asked.pk)).calls)


def test_stances_that_cannot_be_planned_fail_the_attempt_and_say_why(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    engine.server.order("identical", times=2)
    asked = ask(engine, plan, prompt, "en")
    generating.work(rounds=1)

    made = CandidateSet.objects.get(pk=asked.pk)
    assert (made.state, made.attempt_log[0]["outcome"]) == ("pending", "guard_rejected")
    assert made.guard
    assert made.guard["notes"] == ["two planned stances were the same"]
    assert made.calls.count() == 2
    assert not StanceList.objects.exists()


def _planned(*stances: str) -> Planned:
    now = factories.in_hours(0)
    call = CallRecord(
        1, 0, "test", "m", "plan", f"{stances[0]}.1.0", {}, 1, {}, started_at=now, ended_at=now
    )
    return Planned(stances, (call,))


def test_of_two_that_plan_at_once_the_first_to_store_decides(
    engine: Engine, plan: Plan, prompt: Prompt
) -> None:
    for language in ("en", "fr"):
        ask(engine, plan, prompt, language)
    claims = [claim_next(), claim_next()]
    rows = CandidateSet.objects.select_related("plan__study", "prompt", "stance_list")
    first, second = (rows.get(pk=claim.set_id) for claim in claims if claim)

    ground = linking.origin_of(first, plans.read(plan.body)).ground
    assert ground == linking.origin_of(second, plans.read(plan.body)).ground

    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(linking.keep, first, ground, _planned("Yes.", "No.", "Later.", "Never."))
        bruno.start(linking.keep, second, ground, _planned("Go.", "Stay.", "Wait.", "Ask."))
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.result() == ("Yes.", "No.", "Later.", "Never.")

    for one in (first, second):
        one.refresh_from_db()
        assert one.stance_list == StanceList.objects.get()
