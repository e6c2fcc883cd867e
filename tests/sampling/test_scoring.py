"""Scores of candidates by a model's log-probabilities."""

import io
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from sampling import generating, scoring
from sampling.errors import BrokenStream, RequestRefused
from sampling.models import Candidate, CandidateScore, CandidateSet, Endpoint
from sampling.scoring import Token
from studies.models import Study
from tests import factories
from tests.sampling.conftest import Engine
from tests.sampling.plain_server import serving_plainly


def score(study: Study, *options: str) -> str:
    out = io.StringIO()
    told = ["--study", study.slug, *options]
    call_command("score_candidates", *told, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def refused(study: Study, *options: str) -> CommandError:
    with pytest.raises(CommandError) as caught:
        score(study, *options)
    return caught.value


def made(engine: Engine, sets: int = 1) -> list[CandidateSet]:
    asked = [engine.ask() for _ in range(sets)]
    generating.work()
    assert Candidate.objects.count() == 4 * sets
    return asked


def scored(server_log: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one["body"] for one in server_log if one["request_id"].startswith("score.")]


def test_every_candidate_is_scored_alone_under_its_context(engine: Engine) -> None:
    [asked] = made(engine)

    said = score(engine.plan.study)

    sent = scored(engine.server.log())
    texts = list(asked.candidates.order_by("slot").values_list("text", flat=True))
    assert "4 scored by simulated@unknown/default.1" in said
    assert [body["messages"] for body in sent] == [
        asked.context,
        *([*asked.context, factories.assistant(text)] for text in texts),
    ]
    assert [body["continue_final_message"] for body in sent] == [False, True, True, True, True]
    assert all(body["max_tokens"] == 1 for body in sent)


def test_a_score_is_of_the_candidates_own_tokens(engine: Engine) -> None:
    made(engine)

    score(engine.plan.study)

    rows = CandidateScore.objects.select_related("candidate")
    counted = [(row.n_tokens, row.candidate.n_tokens) for row in rows]
    assert len(counted) == 4
    assert all(scored == written for scored, written in counted)
    assert len({row.logprob for row in rows}) == 4
    assert {row.endpoint for row in rows} == {engine.endpoint}


def test_the_same_text_has_the_same_score(engine: Engine) -> None:
    study = engine.plan.study
    context = [factories.user("Lend it?")]
    for _ in range(2):
        factories.ready_set(engine.plan, context=context, texts=["No.", "Yes.", "Half.", "Ask."])

    score(study)

    by_text: dict[str, set[float]] = {}
    for row in CandidateScore.objects.select_related("candidate"):
        by_text.setdefault(row.candidate.text, set()).add(row.logprob)
    assert len(by_text) == 4
    assert all(len(found) == 1 for found in by_text.values())


def test_a_second_run_asks_nothing_and_changes_nothing(engine: Engine) -> None:
    made(engine)
    score(engine.plan.study)
    before, asked = list(CandidateScore.objects.values()), len(engine.server.log())

    assert score(engine.plan.study).startswith("0 scored")

    assert list(CandidateScore.objects.values()) == before
    assert len(engine.server.log()) == asked


def test_a_run_that_broke_off_keeps_what_it_had_and_the_next_goes_on(engine: Engine) -> None:
    made(engine, sets=2)
    engine.server.order("status_500", request_id="score.", nth=4)

    fault = refused(engine.plan.study, "--at-once", "1")

    there = CandidateScore.objects.count()
    assert (fault.returncode, there) == (3, 2)
    assert "endpoint_unavailable" in str(fault)
    assert "6 left" in str(fault)
    assert score(engine.plan.study).startswith("6 scored")
    assert CandidateScore.objects.count() == 8


def test_many_sets_are_scored_in_batches(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scoring, "SETS_PER_BATCH", 2)
    for _ in range(5):
        factories.ready_set(engine.plan)

    score(engine.plan.study, "--at-once", "2")

    assert CandidateScore.objects.count() == 20


def test_a_candidate_over_the_context_is_counted_and_the_others_are_scored(
    engine: Engine,
) -> None:
    made(engine)
    engine.server.order("status_400", request_id="score.", nth=2)

    said = score(engine.plan.study)

    assert "3 scored" in said
    assert "1 over its context" in said


def test_an_erased_candidate_is_left_out(engine: Engine) -> None:
    [asked] = made(engine)
    erase(asked.candidates.get(slot=0))

    assert score(engine.plan.study).startswith("3 scored")


def erase(candidate: Candidate) -> None:
    candidate.text, candidate.erased_at = "", factories.in_hours(0)
    candidate.save(update_fields=["text", "erased_at"])


def test_an_endpoint_that_gives_no_scores_of_prompts_is_three(engine: Engine) -> None:
    made(engine)
    with serving_plainly() as address:
        engine.settings.MODEL_ALLOWLIST = [address]
        row = engine.row(base_url=address)

        fault = refused(engine.plan.study, "--endpoint", row.name)

    assert fault.returncode == 3
    assert "gives no log-probabilities of prompts" in str(fault)
    assert not CandidateScore.objects.exists()


def test_an_endpoint_that_refuses_the_parameter_is_three(engine: Engine) -> None:
    made(engine)
    engine.server.order("bad_request", request_id="score.", times=None)

    assert refused(engine.plan.study).returncode == 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--endpoint", "nowhere"], "there is no endpoint"),
        ([], "name one; the study's plans have none"),
        (["--at-once", "0"], "one set or more"),
    ],
)
def test_bad_input_is_two(options: list[str], said: str) -> None:
    fault = refused(factories.study(), *options)

    assert fault.returncode == 2
    assert said in str(fault)


@pytest.mark.django_db
def test_a_study_that_is_not_there_is_two() -> None:
    assert refused(Study(slug="nowhere")).returncode == 2


@pytest.mark.django_db
def test_a_real_study_is_never_scored_by_a_simulated_endpoint() -> None:
    made_up = factories.endpoint(kind="simulated")

    fault = refused(factories.study(kind="real"), "--endpoint", made_up.name)

    assert fault.returncode == 2
    assert "simulated" in str(fault)


def test_the_scorer_is_the_model_at_its_revision() -> None:
    assert scoring.scorer_of(Endpoint(model="m", revision="r1")) == "m@r1/default.1"
    assert scoring.scorer_of(Endpoint(model="m")) == "m@unknown/default.1"


A, B, C = Token("1", -1.0), Token("2", -2.0), Token("3", -0.5)


def test_a_score_sums_what_comes_after_the_prefix() -> None:
    assert scoring.score_of(prefix=[A], whole=[A, B, C]) == scoring.Score(-2.5, 2)


@pytest.mark.parametrize("whole", [[A], [B, A, C], [A, C, C], []])
def test_an_answer_that_does_not_go_on_from_its_prompt_has_no_score(whole: list[Token]) -> None:
    with pytest.raises(RequestRefused, match="chat template"):
        scoring.score_of(prefix=[A, B], whole=whole)


@pytest.mark.parametrize(
    "entry",
    [
        *(None, 1, {}, {"1": None}, {"1": {}}),
        *({"1": {"logprob": "-1"}}, {"1": {"logprob": float("nan")}}),
        {"1": {"logprob": -1.0}, "2": {"logprob": -2.0}},
    ],
)
def test_log_probabilities_of_another_shape_are_no_score(entry: object) -> None:
    with pytest.raises(BrokenStream, match="another shape"):
        scoring.read_tokens({"prompt_logprobs": [None, entry]})
