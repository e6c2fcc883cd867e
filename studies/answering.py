"""Storing what a person answered on a page of the questionnaire, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone

from studies.enrolling import EnrollingRefusal, StudyNotOpen, end_before_work, hold, take_place
from studies.models import Answer, Enrolment, SensitiveAnswer, Sitting, Study
from studies.models.consent import GivenAnswer
from studies.questionnaires import Asked, Page, Part, Sheet, known_by, sheet_of
from studies.questions import Faulty, Posted, Value
from studies.rules import current_rules
from studies.stages import Stage, whereabouts


class AnswersFaulty(EnrollingRefusal):
    """Answers that are not taken: `faults` says why, by the key of the question."""

    code = "answers_faulty"

    def __init__(self, page: Page, sheet: Sheet, faults: Mapping[str, Faulty]) -> None:
        super().__init__(", ".join(faults))
        self.page = page
        self.sheet = sheet
        self.faults = faults


@dataclass(frozen=True, slots=True)
class Read:
    """An answer that was read, and how its question stood on the page."""

    asked: Asked
    value: Value


@transaction.atomic
def answer_page(*, enrolment: Enrolment, page: str, posted: Mapping[str, Sequence[str]]) -> None:
    """Store the answers to a page of the questionnaire.

    `page` is a name of questionnaires.Page, or empty for the next one; `posted` has what a form
    sent, by the key of the question. A page that may not be filled in (any more) changes nothing.
    An answer may screen out, a full quota may end the visit, both before anything sensitive is
    asked. Locks the person. Raises AnswersFaulty, StudyNotOpen.
    """
    person = hold(enrolment)
    if person.state == Enrolment.State.CONSENTED:
        if person.study.state != Study.State.OPEN:
            raise StudyNotOpen(person.study.state)
        _answer(person, page, posted)
    enrolment.state = person.state


def _answer(person: Enrolment, name: str, posted: Mapping[str, Sequence[str]]) -> None:
    where = whereabouts(person)
    sheet = where.sheet
    page = sheet.page(name) if sheet and where.stage is not Stage.CONSENT else None
    if sheet is None or page is None:
        return
    read = _read(page, sheet, posted)
    _store(person, sheet, page, read)
    _follow(person, page, read)


def _read(page: Page, sheet: Sheet, posted: Mapping[str, Sequence[str]]) -> list[Read]:
    read, faults = [], {}
    for asked in page.asked:
        given = posted.get(asked.question.key, ())
        try:
            value = asked.question.read(Posted(given, asked.offered))
        except Faulty as fault:
            faults[asked.question.key] = fault
        else:
            read.append(Read(asked, value))
    if faults:
        raise AnswersFaulty(page, sheet, faults)
    return read


def _store(person: Enrolment, sheet: Sheet, page: Page, read: list[Read]) -> None:
    """The answers of the page in place of those before, and none to what is not asked any more."""
    if sheet.form is None:
        return
    rows: type[GivenAnswer] = SensitiveAnswer if page.part is Part.SENSITIVE else Answer
    mine = rows._default_manager.filter(enrolment_id=person.pk, questionnaire_id=sheet.form.id)
    mine.filter(key__in=page.keys).delete()
    rows._default_manager.bulk_create(
        rows(
            enrolment=person,
            questionnaire_id=sheet.form.id,
            key=one.asked.question.key,
            value=one.value,
            offered=one.asked.offered or None,
            place=one.asked.place,
        )
        for one in read
    )
    _forget_what_is_not_asked(person)


def _forget_what_is_not_asked(person: Enrolment) -> None:
    """An earlier answer that was changed may take the ground from a later one."""
    sheet = sheet_of(person, current_rules(person.study))
    asked = {key for page in sheet.pages for key in page.keys}
    if left := sheet.given.keys() - asked:
        for rows in (Answer, SensitiveAnswer):
            rows.objects.filter(
                enrolment_id=person.pk, questionnaire__study=person.study_id, key__in=left
            ).delete()


def _follow(person: Enrolment, page: Page, read: list[Read]) -> None:
    """End the visit of a person whom the study does not look for, or has no place for."""
    year = timezone.now().year
    if any(one.asked.question.screens_out(one.value, year=year) for one in read):
        end_before_work(person, Sitting.ExitCode.SCREEN_OUT)
        return
    if page.part is not Part.QUOTA:
        return
    sheet = sheet_of(person, current_rules(person.study))
    if sheet.is_settled and not take_place(person, known_by(sheet)):
        end_before_work(person, Sitting.ExitCode.QUOTA_FULL)
