"""What the lab and `sample` make for a prompt is what its study would make: by its category, with
linked stances, with the texts that the plan brings; what they cannot make they refuse.
"""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sampling import generating, plans, tasks
from sampling.lab import asking
from sampling.lab.asking import CannotBeMade, Way
from sampling.models import CandidateSet, LabSet, Plan
from studies.models import Prompt
from tests import factories
from tests.sampling.conftest import Engine
from tests.sampling.lab_runs import asked, question

BY_CATEGORY: dict[str, Any] = {
    "first_turn": {"strategy": "nc_single"},
    "by_category": {"facts": {"strategy": "independent"}},
}
LINKED: dict[str, Any] = {"first_turn": {"strategy": "nc_planned", "linked": True}, "repairs": 1}
WORDS = ("First", "Second", "Third", "Fourth")


def given(prompt: str) -> dict[str, Any]:
    texts = [{"text": f"{word} text of our own.", "prompt": prompt} for word in WORDS]
    return {"first_turn": {"strategy": "given", "texts": texts}}


def way(**body: Any) -> Way:
    return Way("study/plan", plans.read({"k": 4, **body}))


def made(engine: Engine, prompt: Prompt, chosen: Way) -> list[LabSet]:
    """The sets of a run over all languages of the prompt, as a worker leaves them."""
    languages = list(prompt.texts.values_list("language", flat=True))
    questions = asking.questions_of(prompt.study, languages=languages, n=1, seed=1)
    run = asked(engine.endpoint, study=prompt.study, questions=questions, ways=[chosen])
    tasks.make_lab_sets(run_id=str(run.pk), endpoint_id=str(engine.endpoint.pk))
    return list(run.sets.order_by("place"))


def planning(engine: Engine) -> list[Any]:
    return [e["body"] for e in engine.server.log() if "response_format" in e["body"]]


def sample(*options: str) -> Any:
    out = io.StringIO()
    call_command("sample", *options, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


def named(plan: Plan) -> str:
    return f"{plan.study.slug}/{plan.version}"


def test_the_lab_makes_a_prompts_sets_by_its_category(engine: Engine) -> None:
    prompt = factories.prompt(category="facts")

    [row] = made(engine, prompt, way(**BY_CATEGORY))

    assert (row.state, row.strategy, row.category) == ("ready", "independent", "facts")
    assert row.result
    assert (row.result["strategy"], len(row.result["calls"])) == ("independent", 4)


def test_the_lab_plans_linked_stances_once_on_the_english_text(engine: Engine) -> None:
    prompt = factories.prompt(languages=["en", "fr"])

    sets = made(engine, prompt, way(**LINKED))

    assert [row.state for row in sets] == ["ready", "ready"]
    [request] = planning(engine)
    assert request["messages"][-1]["content"] == factories.opening(prompt)
    stances = [
        [one["provenance"]["stance"] for one in row.result["candidates"]]
        for row in sets
        if row.result
    ]
    assert stances[0] == stances[1]


def test_the_lab_asks_for_the_stances_that_the_study_asks_for(engine: Engine) -> None:
    plan = engine.another_plan(**plans.as_json(way(**LINKED).body))
    prompt = factories.prompt(plan.study)
    engine.ask(plan, context=prompt.texts.get().messages, prompt=prompt, shared=True)
    generating.work()

    made(engine, prompt, Way(named(plan), plans.read(plan.body)))

    first, second = planning(engine)
    assert first == second


def test_the_lab_shows_the_texts_that_a_plan_brings_for_the_prompt(engine: Engine) -> None:
    prompt = factories.prompt()

    [row] = made(engine, prompt, way(**given(prompt.key)))

    assert row.result
    assert [one["text"].split()[0] for one in row.result["candidates"]] == list(WORDS)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "lacking"),
    [(given("another"), "texts"), ({"first_turn": {"strategy": "multi_model"}}, "endpoints")],
)
def test_what_the_lab_cannot_make_it_refuses(body: dict[str, Any], lacking: str) -> None:
    with pytest.raises(CannotBeMade) as refused:
        asked(questions=[question()], ways=[way(**body)])

    assert refused.value.lacking == lacking
    assert not LabSet.objects.exists()


def test_sample_knows_the_category_of_a_prompt_of_the_study(engine: Engine) -> None:
    plan = engine.another_plan(**BY_CATEGORY)
    prompt = factories.prompt(plan.study, category="facts")

    told = sample("--plan", named(plan), "--prompt-key", prompt.key)
    stored = sample("--plan", named(plan), "--prompt-key", prompt.key, "--store")

    assert [one["strategy"] for one in (told, stored)] == ["independent", "independent"]
    row = CandidateSet.objects.get(pk=stored["set"])
    assert (row.prompt, row.category, row.state) == (prompt, "facts", "ready")


def test_sample_stores_a_linked_set_only_when_its_stances_are_planned(engine: Engine) -> None:
    plan = engine.another_plan(**LINKED)
    prompt = factories.prompt(plan.study, languages=["en", "fr"])
    options = ("--plan", named(plan), "--prompt-key", prompt.key, "--language", "fr", "--store")

    with pytest.raises(CommandError, match="a worker has to plan"):
        sample(*options)
    assert not CandidateSet.objects.exists()

    text = prompt.texts.get(language="en")
    engine.ask(plan, context=text.messages, prompt=prompt, shared=True)
    generating.work()
    row = CandidateSet.objects.get(pk=sample(*options)["set"])
    assert row.stance_list
    assert [one.stance for one in row.candidates.order_by("slot")] == row.stance_list.stances


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--plan", "independent", "--prompt-key", "x"], "goes with --plan study/version"),
        (["--prompt-key", "nowhere"], "has no prompt 'nowhere'"),
        (["--prompt-key", "there", "--language", "fr"], "is not there in fr; it is in en"),
        (["--prompt-key", "there", "--prompt", "x"], "or a study's --prompt-key"),
    ],
)
def test_sample_says_which_prompt_it_does_not_have(options: list[str], said: str) -> None:
    plan = factories.plan()
    factories.prompt(plan.study, key="there")

    with pytest.raises(CommandError, match=said):
        sample(*(options if "--plan" in options else ["--plan", named(plan), *options]))
