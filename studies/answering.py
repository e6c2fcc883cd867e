"""Storing what a person answered on a page of the questionnaire, and what follows from it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from django.utils import timezone

from studies.enrolling import EnrollingRefusal, StudyNotOpen, end_before_work, take_place
from studies.models import Answer, Enrolment, SensitiveAnswer, Sitting, Study
from studies.models.consent import GivenAnswer
from studies.questionnaires import Asked, Form, Given, Page, Part, Sheet, known_by
from studies.questions import Faulty, Posted, Value
from studies.stages import Stage, Where


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


def answer_page(
    person: Enrolment, where: Where, *, page: str, posted: Mapping[str, Sequence[str]]
) -> Sheet | None:
    """Store the answers to a page of the questionnaire; returns it as it is answered then.

    `page` is a name of questionnaires.Page, or empty for the next one; `posted` has what a form
    sent, by the key of the question. A page that may not be filled in (any more) changes nothing.
    An answer may screen out, a full quota may end the visit, both before anything sensitive is
    asked. The caller holds the person (`stages.take_step`). Raises AnswersFaulty, StudyNotOpen.
    """
    sheet = where.sheet if where.stage is not Stage.CONSENT else None
    if sheet is None or sheet.form is None:
        return None
    if person.study.state != Study.State.OPEN:
        raise StudyNotOpen(person.study.state)
    asked = sheet.page(page)
    if asked is None:
        return None
    read = _read(asked, sheet, posted)
    answered = _store(person, sheet, sheet.form, asked, read)
    _follow(person, answered, asked, read)
    return answered


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


def _store(person: Enrolment, sheet: Sheet, form: Form, page: Page, read: list[Read]) -> Sheet:
    """The answers of the page in place of those before, and none to what is not asked any more."""
    now = timezone.now()
    new = {one.asked.question.key: Given(one.value, now) for one in read}
    answered = replace(sheet, given={**sheet.given, **new})
    # An earlier answer that was changed may take the ground from a later one.
    left = answered.given.keys() - {key for one in answered.pages for key in one.keys}
    _forget(person, form, left | (page.keys & sheet.given.keys()))
    _insert(person, form, page, read)
    return replace(
        answered, given={key: answered.given[key] for key in answered.given.keys() - left}
    )


def _forget(person: Enrolment, form: Form, keys: Collection[str]) -> None:
    for rows in (Answer, SensitiveAnswer) if keys else ():
        mine = rows._default_manager.filter(enrolment_id=person.pk, questionnaire_id=form.id)
        mine.filter(key__in=keys).delete()


def _insert(person: Enrolment, form: Form, page: Page, read: list[Read]) -> None:
    rows: type[GivenAnswer] = SensitiveAnswer if page.part is Part.SENSITIVE else Answer
    rows._default_manager.bulk_create(
        rows(
            enrolment=person,
            questionnaire_id=form.id,
            key=one.asked.question.key,
            value=one.value,
            offered=one.asked.offered or None,
            place=one.asked.place,
        )
        for one in read
    )


def _follow(person: Enrolment, answered: Sheet, page: Page, read: list[Read]) -> None:
    """End the visit of a person whom the study does not look for, or has no place for."""
    year = timezone.now().year
    if any(one.asked.question.screens_out(one.value, year=year) for one in read):
        end_before_work(person, Sitting.ExitCode.SCREEN_OUT)
        return
    settled = page.part is Part.QUOTA and answered.is_settled
    if settled and not take_place(person, known_by(answered)):
        end_before_work(person, Sitting.ExitCode.QUOTA_FULL)
