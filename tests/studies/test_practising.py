"""The tutorial: practice passes whatever is chosen, a check has two tries."""

from typing import Any

import pytest

from studies import bank
from studies.enrolling import StudyNotOpen
from studies.models import Enrolment, Sitting, Study, TutorialTry
from studies.practising import TryIncomplete, practising_of, try_item
from studies.rules import current_rules
from studies.stages import Stage, Where, take_step, whereabouts
from studies.tutorials import Tutorial, items_of
from tests.studies.asking import asking_world, consented

pytestmark = pytest.mark.django_db

LABEL = {"en": "What?"}
CHECK = {
    "key": "what",
    "label": LABEL,
    "why": LABEL,
    "options": [{"value": "yes", "label": LABEL, "right": True}, {"value": "no", "label": LABEL}],
}
PRACTICE = {"message": LABEL, "answers": [LABEL, LABEL], "feedback": LABEL}
TUTORIAL: dict[str, Any] = {"practice": [PRACTICE], "check": [CHECK]}


@pytest.fixture
def person() -> Enrolment:
    return consented(asking_world([], purposes=["take_part"], tutorial=TUTORIAL))


def tried(person: Enrolment, name: str, **posted: str) -> Stage:
    def step(held: Enrolment, where: Where) -> None:
        try_item(held, where.practising, name=name, posted=posted)

    return take_step(person, step)


def test_practice_and_check_come_in_order_and_then_the_work(person: Enrolment) -> None:
    assert whereabouts(person).stage is Stage.TUTORIAL
    assert tried(person, "check", what="yes") is Stage.TUTORIAL
    tried(person, "practice-1", choice="1")

    assert tried(person, "check", what="yes") is Stage.BEGUN
    assert [one.given for one in TutorialTry.objects.order_by("tried_at")] == [
        {"choice": 1},
        {"what": "yes"},
    ]


def test_a_check_may_be_tried_twice(person: Enrolment) -> None:
    tried(person, "practice-1", choice="0")
    tried(person, "check", what="no")
    assert whereabouts(person).stage is Stage.TUTORIAL

    assert tried(person, "check", what="yes") is Stage.BEGUN


def test_failing_twice_ends_the_visit_at_its_start_with_a_code(person: Enrolment) -> None:
    tried(person, "practice-1", choice="0")
    for _ in range(3):
        tried(person, "check", what="no")

    assert (person.state, Sitting.objects.get().exit_code) == ("failed_checks", "quality_term")
    assert TutorialTry.objects.filter(item="check").count() == 2


@pytest.mark.parametrize("choice", ["", "2", "-1", "x", "\x00"])
def test_a_practice_needs_one_of_its_answers(person: Enrolment, choice: str) -> None:
    with pytest.raises(TryIncomplete):
        tried(person, "practice-1", choice=choice)
    assert not TutorialTry.objects.exists()


def test_a_paused_study_takes_no_tries(person: Enrolment) -> None:
    Study.objects.update(state="paused")
    with pytest.raises(StudyNotOpen):
        tried(person, "practice-1", choice="0")


def test_only_the_cohorts_that_read_in_a_second_language_get_the_reading() -> None:
    reading = {"cohorts": ["in-en"], "text": LABEL, "questions": [CHECK]}
    tutorial = Tutorial.model_validate({**TUTORIAL, "reading": reading})
    names = [
        [item.name for item in items_of(tutorial, cohort=cohort)] for cohort in ("in-en", "us-en")
    ]

    assert names == [["practice-1", "reading", "check"], ["practice-1", "check"]]


def test_a_study_without_a_tutorial_has_nothing_to_practise() -> None:
    person = consented(asking_world([], purposes=["take_part"]))

    assert practising_of(person, current_rules(person.study)).next_item is None


def test_the_tutorial_of_the_bank_is_whole_in_every_language() -> None:
    tutorial = Tutorial.model_validate(bank.tutorial("everyday"))
    texts = [
        *(text for one in tutorial.practice for text in (one.message, one.feedback, *one.answers)),
        *(text for one in tutorial.check for text in (one.label, one.why)),
        *(option.label for one in tutorial.check for option in one.options),
    ]

    assert all(len(text) == 5 for text in texts)
