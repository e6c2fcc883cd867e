from typing import Any

import pytest
from django.db.models import Model

from annotation.models import Assignment, PromptCell
from console import loading, opening
from console.loading import ChangeRefused
from console.study_reading import InvalidStudyFile
from sampling.models import Arm, Endpoint, Plan, PlanEndpoint
from studies import access, launching
from studies.models import (
    Audit,
    Cohort,
    ConsentDocument,
    Invitation,
    Prompt,
    PromptText,
    Questionnaire,
    Study,
    StudyVersion,
)
from studies.rules import rules_of
from tests import factories, racing
from tests.console.study_files import DEMO, small

pytestmark = pytest.mark.django_db
BY = "researcher:anna"
ROWS: list[type[Model]] = [
    Study, StudyVersion, Cohort, ConsentDocument, Invitation, Prompt, PromptText, Questionnaire,
    Arm, Endpoint, Plan, PlanEndpoint, PromptCell, Audit,
]  # fmt: skip

TURNS = ("min: 2, max: 3", "min: 2, max: 4")
PROMPT = ("for a wedding. Should I lend it?", "for a wedding. What would you do?")
PLAN = ("{strategy: community_alignment}", "{strategy: independent}")
REMOVED = ("- key: lend-to-a-friend", "- key: another-key")
COHORT = "{slug: in-en, country: IN, language: en, arms: [{name: main, plan: made-to-differ}]}"
SECOND_COHORT = (COHORT, f"{COHORT}\n  - {COHORT.replace('in-en', 'us-en').replace('IN', 'US')}")
ONE_ARM = "arms: [{name: main, plan: made-to-differ}]"
TWO_ARMS = ONE_ARM.replace("]", ", {name: other, plan: made-to-differ, share: 3}]")


def load(*changes: tuple[str, str], apply: bool = False) -> loading.Loaded:
    return loading.load(source=small(*changes), by=BY, apply=apply)


@pytest.fixture
def opened() -> Study:
    return opening.open_study(study=load().study, by=BY, unrehearsed_because="a test")


def assigned(study: Study, **fields: Any) -> Assignment:
    """An open assignment in the study's only cohort."""
    person = factories.enrolment(study.cohorts.get())
    fields.setdefault("arm", Arm.objects.get(name="main"))
    return Assignment.objects.create(
        enrolment=person,
        sitting=factories.sitting(person),
        cohort=person.cohort,
        deadline=factories.in_hours(2),
        state="open",
        claim_no=1,
        p_prompt=1.0,
        p_arm=1.0,
        **fields,
    )


def counts() -> list[int]:
    return [rows._default_manager.count() for rows in ROWS]


def problems(*changes: tuple[str, str], apply: bool = False) -> str:
    with pytest.raises(InvalidStudyFile) as caught:
        load(*changes, apply=apply)
    return str(caught.value)


def test_a_file_becomes_rows() -> None:
    study = load().study
    assert (study.slug, study.kind, study.state) == ("small-example", "test", "draft")
    cells = PromptCell.objects.order_by("prompt__key").values_list("prompt__key", "overlap")
    assert list(cells) == [("after-an-answer", 10), ("lend-to-a-friend", 10)]
    plan = Arm.objects.get().plan
    assert (plan.version, plan.body["k"]) == ("made-to-differ.1", 4)
    assert plan.plan_endpoints.get().endpoint.base_url == "$MODEL_BASE_URL"
    assert rules_of(study.versions.get()).turns_max == 3


def test_the_demo_loads_in_every_language_and_opens() -> None:
    study = loading.load(source=DEMO.read_bytes(), by=BY).study
    opening.open_study(study=study, by=BY, unrehearsed_because="a test")
    locales = ConsentDocument.objects.values_list("locale", flat=True)
    assert sorted(locales) == ["en", "fr", "hi", "it", "pt-br"]
    assert PromptCell.objects.count() == 6 * study.prompts.count()
    assert Endpoint.objects.get(name="simulated").notice["hi"]
    assert rules_of(study.versions.get()).explanation.share == 0.5


def test_loading_the_same_file_again_changes_nothing() -> None:
    load()
    before = counts()
    assert load().version is None
    assert counts() == before


def test_the_open_link_of_each_cohort_works() -> None:
    study = load().study
    invitation = access.find_invitation(access.open_token(study.cohorts.get()))
    assert invitation is not None
    assert invitation.cohort.slug == "in-en"


def test_the_source_comes_back_byte_for_byte() -> None:
    odd = DEMO.read_bytes().replace(b"\n", b"\r\n") + b"# \xe0\xa4\xb9 the end, without a line feed"
    loading.load(source=odd, by=BY)
    assert loading.source_of("demo").encode() == odd


def test_a_draft_takes_a_changed_file_and_keeps_what_did_not_change() -> None:
    load()
    loaded = load(TURNS)
    assert loaded.changes == ["turns.max: 3 -> 4"]
    assert loaded.version is not None
    assert loaded.version.n == 2
    assert [rows.objects.count() for rows in (Plan, Prompt, ConsentDocument)] == [1, 2, 1]


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (TURNS, "turns.max: 3 -> 4"),
        (PROMPT, "prompts[lend-to-a-friend].texts.en: changed"),
        (PLAN, "plans.made-to-differ.first_turn.strategy: community_alignment -> independent"),
        (REMOVED, "prompts[lend-to-a-friend]: removed"),
        (SECOND_COHORT, "cohorts[us-en]: added"),
        (('label: {en: "18 to 34"}', 'label: {en: "18-34"}'), "options[18-34].label.en: 18 to"),
        (("stop at any time", "stop"), "consent.texts.en: changed"),
    ],
)
def test_an_open_study_refuses_a_changed_file_and_names_the_change(
    opened: Study, change: tuple[str, str], line: str
) -> None:
    before = counts()
    with pytest.raises(ChangeRefused) as caught:
        load(change)
    assert any(line in told for told in caught.value.changes)
    assert counts() == before


def test_apply_pauses_writes_new_versions_and_opens_again(opened: Study) -> None:
    loaded = load(TURNS, PROMPT, PLAN, apply=True)
    acts = list(Audit.objects.order_by("seq").values_list("action", flat=True))
    assert acts[-3:] == ["study.paused", "study.open", "study.load"]
    assert Study.objects.get(pk=opened.pk).state == "open"
    assert loaded.version is not None
    assert loaded.version.n == 2
    assert Arm.objects.get().plan.version == "made-to-differ.2"
    assert not Prompt.objects.filter(frozen_at=None).exists()


def test_a_changed_prompt_gets_a_new_version_and_its_old_cell_retires(opened: Study) -> None:
    load(PROMPT, apply=True)
    cells = PromptCell.objects.filter(prompt__key="lend-to-a-friend").order_by("prompt__version")
    assert [cell.prompt.version for cell in cells] == [1, 2]
    assert [cell.retired_at is None for cell in cells] == [False, True]
    assert PromptCell.objects.filter(retired_at=None).count() == 2


def test_a_prompt_that_comes_back_unchanged_uses_its_old_cell(opened: Study) -> None:
    load(REMOVED, apply=True)
    assert PromptCell.objects.get(prompt__key="lend-to-a-friend").retired_at is not None
    load(apply=True)
    assert PromptCell.objects.get(prompt__key="lend-to-a-friend").retired_at is None
    assert PromptCell.objects.get(prompt__key="another-key").retired_at is not None


def test_less_overlap_than_was_taken_makes_a_cell_full(opened: Study) -> None:
    busy = PromptCell.objects.get(prompt__key="lend-to-a-friend")
    for _ in range(2):
        assigned(opened, cell=busy)
    load(("overlap: 10", "overlap: 1"), apply=True)
    cells = PromptCell.objects.order_by("taken").values_list("taken", "overlap")
    assert list(cells) == [(0, 1), (2, 2)]


def test_changed_texts_make_new_versions_of_consent_and_questions(opened: Study) -> None:
    change = ("How old are you?", "What is your age?")
    load(("stop at any time", "stop"), change, apply=True)
    body = opened.versions.latest("n").body
    assert (body["consent_version"], body["questionnaire_version"]) == (2, 2)
    assert ConsentDocument.objects.count() == Questionnaire.objects.count() == 2


def test_an_arm_that_was_drawn_stays_with_no_share_and_another_is_deleted(opened: Study) -> None:
    load((ONE_ARM, TWO_ARMS), apply=True)
    assigned(opened, arm=Arm.objects.get(name="other"))
    load(apply=True)
    assert Arm.objects.get(name="other").share == 0
    Assignment.objects.all().delete()
    load((ONE_ARM, TWO_ARMS), apply=True)
    load(apply=True)
    assert list(Arm.objects.values_list("name", flat=True)) == ["main"]


def test_a_cohort_may_join_an_open_study_and_none_may_leave(opened: Study) -> None:
    load(SECOND_COHORT, apply=True)
    assert opened.cohorts.count() == 2
    assert PromptCell.objects.filter(cohort__slug="us-en").count() == 2
    assert "cohorts: cohort us-en is missing" in problems(apply=True)


def test_a_draft_loses_a_cohort_that_nobody_is_in() -> None:
    load(SECOND_COHORT)
    study = load().study
    assert [cohort.slug for cohort in study.cohorts.all()] == ["in-en"]


def test_country_kind_and_model_stay_what_they_were(opened: Study) -> None:
    model = ("model: our-model", "model: x")
    kind, country = ("kind: test", "kind: demo"), ("country: IN", "country: US")
    told = problems(kind, model, country, apply=True)
    assert "2: kind: the study was made as kind test" in told
    assert "19: endpoints[our-server]: our-server is already our-model" in told
    assert "25: cohorts[in-en].country: is IN for good" in told


def test_an_endpoint_may_move_and_get_more_seats(opened: Study) -> None:
    load(("$MODEL_BASE_URL", "http://127.0.0.1:9/v1"), ("seats: 16", "seats: 32"), apply=True)
    endpoint = Endpoint.objects.get()
    assert (endpoint.base_url, endpoint.seats) == ("http://127.0.0.1:9/v1", 32)
    assert Plan.objects.count() == 1


def test_an_endpoint_gets_its_limits_and_keeps_what_a_probe_found(opened: Study) -> None:
    Endpoint.objects.update(context_length=4096)
    limits = "seats: 32, tokens_per_minute: 5000, operator: Our lab, country: FR"

    load(("seats: 16", limits), apply=True)

    row = Endpoint.objects.get()
    assert (row.tokens_per_minute, row.context_length) == (5000, 4096)
    assert (row.operator, row.country, row.retention) == ("Our lab", "FR", "")


def test_another_study_cannot_change_what_an_endpoint_means() -> None:
    load()
    source = small(("model: our-model", "model: x"), study="second")
    with pytest.raises(InvalidStudyFile, match="our-server is already our-model"):
        loading.load(source=source, by=BY)
    assert not Study.objects.filter(slug="second").exists()


def test_a_paused_study_takes_the_change_and_stays_paused(opened: Study) -> None:
    launching.pause(study=opened, by=BY)
    assert load(TURNS, apply=True).study.state == "paused"


def test_a_rehearsed_study_takes_the_change_and_is_a_draft_again() -> None:
    Study.objects.filter(pk=load().study.pk).update(state="rehearsed")
    with pytest.raises(ChangeRefused):
        load(TURNS)
    load(TURNS, apply=True)
    assert Study.objects.get().state == "draft"


def test_a_closed_study_refuses_even_with_apply(opened: Study) -> None:
    launching.close(study=opened, by=BY)
    with pytest.raises(ChangeRefused):
        load(TURNS, apply=True)


def test_other_layout_alone_disturbs_no_open_study_and_is_stored_with_apply(opened: Study) -> None:
    comment = ("overlap: 10", "overlap: 10  # for now")
    assert load(comment).version is None
    assert load(comment, apply=True).changes == [loading.LAYOUT_ONLY]
    assert "# for now" in loading.source_of("small-example")


def test_a_fault_found_late_leaves_nothing_behind(opened: Study) -> None:
    before = counts()
    problems(TURNS, PROMPT, ("country: IN", "country: US"), apply=True)
    assert counts() == before
    assert Study.objects.get(pk=opened.pk).state == "open"


@pytest.mark.django_db(transaction=True)
def test_of_two_first_loads_at_once_the_second_finds_nothing_to_do() -> None:
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(load)
        bruno.start(load)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.result().version is None
    assert StudyVersion.objects.count() == 1


TUTORIAL = ("prompts:\n", "tutorial: {bank: everyday}\nprompts:\n")
BANK = [
    ("age_band", "age_group"),
    (
        "questionnaire:\n",
        "questionnaire:\n  bank: community_alignment\n  ask: [year_of_birth, religion]\n"
        "  quota: [year_of_birth]\n  sections: [{key: you, title: {en: About you}}]\n",
    ),
]
PURPOSES = (
    "[take_part]",
    "[take_part, sensitive_questions]\n  asks: {sensitive_questions: {en: May we?}}",
)


def test_what_people_are_asked_is_written_into_rows_of_the_study() -> None:
    study = loading.load(source=small(PURPOSES, TUTORIAL, *BANK), by=BY).study
    rules = rules_of(study.versions.get())
    form = Questionnaire.objects.get()
    document = ConsentDocument.objects.get()

    assert rules.tutorial is not None
    assert len(rules.tutorial.practice) == 2
    assert [(one["key"], one.get("quota", False)) for one in form.questions] == [
        ("year_of_birth", True),
        ("religion", False),
        ("age_group", False),
    ]
    assert form.sections == {"you": {"title": {"en": "About you"}}}
    assert document.purposes == ["take_part", "sensitive_questions"]
    assert document.asks == {"sensitive_questions": "May we?"}


def test_a_country_has_a_consent_text_of_its_own() -> None:
    source = small(("[take_part]", "[take_part]\n  by_country: {IN: {en: Ours., hi: हमारा।}}"))
    study = loading.load(source=source, by=BY).study
    again = loading.load(source=source + b"# the same\n", by=BY)

    texts = study.consent_documents.exclude(country="").order_by("locale")
    assert list(texts.values_list("country", "locale", "body", "version")) == [
        ("IN", "en", "Ours.", 1),
        ("IN", "hi", "हमारा।", 1),
    ]
    assert study.consent_documents.count() == 3
    assert again.study.consent_documents.count() == 3


def test_other_words_for_a_purpose_are_a_new_version_of_the_consent() -> None:
    loading.load(source=small(PURPOSES), by=BY)
    reworded = (PURPOSES[0], PURPOSES[1].replace("May we?", "May we ask?"))
    loading.load(source=small(reworded), by=BY)

    assert list(ConsentDocument.objects.order_by("version").values_list("version", flat=True)) == [
        1,
        2,
    ]
