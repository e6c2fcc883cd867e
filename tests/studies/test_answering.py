"""From consent to work, page by page."""

from typing import Any

import pytest
from django.utils import timezone

from studies import enrolling
from studies.answering import AnswersFaulty
from studies.enrolling import StudyNotOpen
from studies.models import Answer, Enrolment, SensitiveAnswer, Sitting, Study
from studies.questionnaires import Part, answers_of, sheet_of
from studies.rules import current_rules
from studies.stages import Stage, go_on, whereabouts
from tests import factories
from tests.studies.asking import (
    ORIGIN,
    SPEAKS,
    WHERE,
    YEAR,
    agree,
    answer,
    asking_world,
    consented,
    options,
)

pytestmark = pytest.mark.django_db


def next_keys(person: Enrolment) -> set[str]:
    sheet = whereabouts(person).sheet
    page = sheet.next_page if sheet else None
    return page.keys if page else set()


def test_a_quota_is_settled_first_then_come_purposes_and_only_then_the_rest() -> None:
    person = consented(asking_world())
    seen: list[Any] = [next_keys(person)]
    seen.append(answer(person, year_of_birth="1990"))
    seen.append(agree(person, "sensitive_questions"))
    seen.append(next_keys(person))
    answer(person, languages=["a", "b"])
    seen.append(next_keys(person))
    answer(person, first_language="a")
    seen.append(next_keys(person))
    seen.append(answer(person, origin="american"))

    assert seen == [
        {"year_of_birth"},
        Stage.CONSENT,
        Stage.QUESTIONS,
        {"languages"},
        {"first_language"},
        {"origin"},
        Stage.BEGUN,
    ]
    assert (person.state, whereabouts(person).stage) == ("enrolled", Stage.WORK)


def test_who_does_not_agree_to_sensitive_questions_is_not_asked_any() -> None:
    person = consented(asking_world([ORIGIN, SPEAKS]))
    agree(person, "public_release")

    assert answer(person, languages="b") is Stage.BEGUN
    assert not SensitiveAnswer.objects.exists()


def test_a_question_whose_condition_fails_is_not_asked() -> None:
    person = consented(asking_world([SPEAKS, WHERE], purposes=["take_part"]))

    assert answer(person, languages="b") is Stage.BEGUN


def test_an_answer_that_was_changed_takes_the_ground_from_a_later_one() -> None:
    last = {**WHERE, "key": "anything_else", "ask_if": None, "section": "last"}
    person = consented(asking_world([SPEAKS, WHERE, last], purposes=["take_part"]))
    answer(person, languages="a")
    answer(person, first_language="mine")
    answer(person, "plain", languages="b")

    assert list(Answer.objects.values_list("key", "value")) == [("languages", ["b"])]


def test_there_is_a_way_back_but_not_behind_a_settled_quota() -> None:
    person = consented(asking_world([YEAR, SPEAKS, WHERE], purposes=["take_part"]))
    answer(person, year_of_birth="1990")
    answer(person, languages="a")
    sheet = sheet_of(person, current_rules(person.study))
    assert sheet.next_page is not None
    before = sheet.before(sheet.next_page)

    assert before is not None
    assert before.keys == {"languages"}
    assert sheet.before(before) is None
    answer(person, "quota", year_of_birth="2000")
    assert Answer.objects.get(key="year_of_birth").value == 1990


def test_a_page_further_on_cannot_be_answered_first() -> None:
    person = consented(asking_world())
    answer(person, "plain", languages="a")
    answer(person, "sensitive", origin="american")

    assert not Answer.objects.exists()
    assert not SensitiveAnswer.objects.exists()


def test_what_was_shown_is_stored_with_the_answer() -> None:
    person = consented(asking_world([SPEAKS], purposes=["take_part"]))
    sheet = sheet_of(person, current_rules(person.study))
    shown = sheet.pages[0].asked[0].offered
    answer(person, languages=["a"])
    row = Answer.objects.get()

    assert (row.offered, row.place) == (shown, 0)
    assert sorted(shown) == sorted(option["value"] for option in SPEAKS["options"])
    assert shown[-1] == "prefer_not_to_say"


def test_options_are_shuffled_for_each_person_and_stay_as_they_were() -> None:
    world = asking_world([SPEAKS], purposes=["take_part"])
    people = [consented(world) for _ in range(6)]
    rules = current_rules(world.study)
    orders = [
        [tuple(sheet_of(person, rules).pages[0].asked[0].offered) for person in people]
        for _ in range(2)
    ]

    assert orders[0] == orders[1]
    assert len(set(orders[0])) > 1


def test_a_sections_questions_are_shuffled_and_their_places_stored() -> None:
    several = [{**WHERE, "key": key, "ask_if": None, "section": "all"} for key in "abcdef"]
    world = asking_world(several, purposes=["take_part"], sections={"all": {"shuffle": True}})
    people = [consented(world) for _ in range(4)]
    rules = current_rules(world.study)
    orders = [
        [one.question.key for one in sheet_of(person, rules).pages[0].asked] for person in people
    ]
    answer(people[0], **dict.fromkeys("abcdef", "x"))

    assert len({*map(tuple, orders)}) > 1
    assert list(Answer.objects.order_by("place").values_list("key", flat=True)) == orders[0]


def test_faults_are_told_together_and_nothing_is_stored() -> None:
    both = [{**SPEAKS, "section": "one"}, {**WHERE, "ask_if": None, "section": "one"}]
    person = consented(asking_world(both, purposes=["take_part"]))
    with pytest.raises(AnswersFaulty) as refusal:
        answer(person, languages=["z"], first_language="\x00")

    assert {key: fault.code for key, fault in refusal.value.faults.items()} == {
        "languages": "unknown",
        "first_language": "nul",
    }
    assert not Answer.objects.exists()


def test_an_option_of_another_country_is_refused() -> None:
    person = consented(asking_world([ORIGIN]))
    agree(person, "sensitive_questions")
    with pytest.raises(AnswersFaulty) as refusal:
        answer(person, origin="french")
    assert refusal.value.faults["origin"].code == "unknown"


def test_whom_a_study_does_not_look_for_hears_so_at_once() -> None:
    person = consented(asking_world())
    answer(person, year_of_birth=str(timezone.now().year - 17))

    assert person.state == "screened_out"
    assert Sitting.objects.get().exit_code == "screen_out"


def test_an_option_can_screen_out() -> None:
    question = {**SPEAKS, "options": [*options("a"), *options("b", screens_out=True)]}
    person = consented(asking_world([question], purposes=["take_part"]))
    answer(person, languages=["a", "b"])

    assert person.state == "screened_out"


def test_the_quota_is_asked_for_once_with_the_answers_and_what_follows_from_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[dict[str, Any]] = []

    def full(_person: Enrolment, known: dict[str, Any]) -> bool:
        asked.append(known)
        return False

    monkeypatch.setattr("studies.answering.take_place", full)
    person = consented(asking_world())
    answer(person, year_of_birth="1990")

    assert asked == [{"year_of_birth": 1990, "age_band": "35+"}]
    assert (person.state, Sitting.objects.get().exit_code) == ("over_quota", "quota_full")
    assert not SensitiveAnswer.objects.exists()


def test_answers_are_told_without_the_sensitive_ones() -> None:
    person = consented(asking_world([YEAR, ORIGIN]))
    answer(person, year_of_birth="prefer_not_to_say")
    agree(person, "sensitive_questions")
    answer(person, origin="american")

    refused = "prefer_not_to_say"
    assert answers_of(person) == {"year_of_birth": refused, "age_band": refused}
    assert SensitiveAnswer.objects.get().value == "american"


def test_a_question_left_empty_is_answered_by_nothing() -> None:
    optional = {**WHERE, "ask_if": None, "required": False}
    person = consented(asking_world([optional], purposes=["take_part"]))

    assert answer(person) is Stage.BEGUN
    assert Answer.objects.get().value is None


def test_a_new_version_of_the_questions_is_asked_from_the_start() -> None:
    world = asking_world([SPEAKS, WHERE], purposes=["take_part"])
    person = consented(world)
    answer(person, languages="a")
    factories.questionnaire(world.study, version=2, questions=[SPEAKS])
    Study.objects.update(state="paused")
    factories.study_version(world.study, n=2, frozen=True, questionnaire_version=2)

    assert next_keys(person) == {"languages"}


def test_a_study_that_asks_nothing_is_ready_at_once() -> None:
    person = consented(asking_world([], purposes=["take_part"]))

    assert whereabouts(person).stage is Stage.READY
    assert go_on(person) is Stage.BEGUN
    assert go_on(person) is Stage.WORK
    assert person.sittings.count() == 1


def test_a_paused_study_takes_no_answers() -> None:
    person = consented(asking_world())
    Study.objects.update(state="paused")
    with pytest.raises(StudyNotOpen):
        answer(person, year_of_birth="1990")


def test_whoever_works_already_answers_no_more() -> None:
    person = factories.person(asking_world([SPEAKS], purposes=["take_part"])).enrolment
    answer(person, languages="a")

    assert not Answer.objects.exists()


def test_pages_part_where_a_question_depends_on_its_own_page() -> None:
    together = [{**SPEAKS, "section": "about"}, {**WHERE, "section": "about"}]
    person = consented(asking_world(together, purposes=["take_part"]))
    answer(person, languages="a")
    pages = sheet_of(person, current_rules(person.study)).pages

    assert [(page.name, page.part) for page in pages] == [
        ("about", Part.PLAIN),
        ("about-2", Part.PLAIN),
    ]


def test_a_full_quota_that_waits_for_no_answer_is_told_right_after_the_consent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(enrolling, "take_place", lambda _person, _known: False)
    world = asking_world([SPEAKS])
    entry = enrolling.give_consent(
        invitation=factories.invitation(world.cohort),
        document=world.consent,
        ui_language="en",
        arrival="a",
    )

    assert entry.enrolment.state == "over_quota"
