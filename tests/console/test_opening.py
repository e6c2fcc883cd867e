import pytest
from django.utils import timezone

from annotation.models import PromptCell
from console import loading, opening
from sampling.models import Arm, Plan
from studies.launching import TransitionRefused
from studies.models import PromptText, Study, StudyVersion
from tests import factories
from tests.console.study_files import small

pytestmark = pytest.mark.django_db
BY = "researcher:anna"


@pytest.fixture
def study() -> Study:
    return loading.load(source=small(), by=BY).study


def reasons(study: Study) -> str:
    with pytest.raises(TransitionRefused) as caught:
        opening.open_study(study=study, by=BY, unrehearsed_because="a test")
    return " ".join(caught.value.reasons)


def test_opening_freezes_plans_rules_and_prompts(study: Study) -> None:
    opening.open_study(study=study, by=BY, unrehearsed_because="a test")
    assert Study.objects.get(pk=study.pk).state == "open"
    assert not Plan.objects.filter(frozen_at=None).exists()
    assert not StudyVersion.objects.filter(frozen_at=None).exists()


def test_an_overlap_that_does_not_divide_by_the_arms_is_warned_of() -> None:
    arms = "arms: [{name: a, plan: made-to-differ}, {name: b, plan: made-to-differ, share: 2}]"
    source = small(("arms: [{name: main, plan: made-to-differ}]", arms))
    made = loading.load(source=source, by=BY).study
    (warning,) = opening.warnings_about(made)
    assert "Cohort in-en: the overlap 10 is no multiple of the 3 parts" in warning

    PromptCell.objects.update(overlap=9)
    assert list(opening.warnings_about(made)) == []


def test_one_arm_alone_is_balanced_at_any_overlap(study: Study) -> None:
    PromptCell.objects.update(overlap=7)
    assert list(opening.warnings_about(study)) == []


def test_a_study_without_anything_is_told_what_is_missing() -> None:
    empty = factories.study()
    assert reasons(empty).count("load a study file") == 2


def test_a_cohort_without_arms_or_prompts_is_named(study: Study) -> None:
    Arm.objects.update(share=0)
    PromptCell.objects.update(retired_at=timezone.now())
    told = reasons(study)
    assert "Cohort in-en has no arm" in told
    assert "Cohort in-en has no prompts" in told


def test_a_prompt_that_the_cohort_cannot_read_is_named(study: Study) -> None:
    PromptText.objects.filter(prompt__key="lend-to-a-friend").delete()
    assert "Prompt lend-to-a-friend has no text in English, for cohort in-en." in reasons(study)


def test_a_refusal_leaves_the_plans_unfrozen(study: Study) -> None:
    with pytest.raises(TransitionRefused):
        opening.open_study(study=study, by=BY)
    assert Plan.objects.get().frozen_at is None
