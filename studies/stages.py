"""Where a person goes next on the way from consent to work.

    consent -> what a quota needs -> (a place) -> the other purposes -> further questions
            -> tutorial -> work

Everything here follows from rows: whoever comes back goes on where they left. Somebody at work
comes back to the consent when its text has changed.
"""

from dataclasses import dataclass
from enum import StrEnum

from django.db import transaction

from studies.consenting import is_due, purposes_asked, purposes_to_ask
from studies.enrolling import begin_work, hold
from studies.models import Enrolment
from studies.practising import Practising, practising_of
from studies.questionnaires import Part, Sheet, sheet_of
from studies.rules import current_rules


class Stage(StrEnum):
    CONSENT = "consent"  # a yes or a no for each purpose of `Where.purposes`
    QUESTIONS = "questions"  # the next page of `Where.sheet`
    TUTORIAL = "tutorial"  # the next page of `Where.practising`
    READY = "ready"  # nothing is left to do before the work
    WORK = "work"  # at work, or over


@dataclass(frozen=True, slots=True)
class Where:
    """The stage, and what it was read from, as far as the stage needs it."""

    stage: Stage
    purposes: tuple[str, ...] = ()
    sheet: Sheet | None = None
    practising: Practising | None = None


def whereabouts(enrolment: Enrolment) -> Where:
    """Where this person goes next. Expects `cohort` and `study` to be loaded; at most six queries,
    none for somebody who has ended."""
    if enrolment.state not in (Enrolment.State.CONSENTED, Enrolment.State.ENROLLED):
        return Where(Stage.WORK)
    rules = current_rules(enrolment.study)
    if is_due(enrolment, rules):
        return Where(Stage.CONSENT, purposes=purposes_asked(enrolment.study_id, rules))
    if enrolment.state == Enrolment.State.ENROLLED:
        return Where(Stage.WORK)
    sheet = sheet_of(enrolment, rules)
    page = sheet.next_page
    if page is not None and page.part is Part.QUOTA:
        return Where(Stage.QUESTIONS, sheet=sheet)
    if purposes := purposes_to_ask(enrolment, rules):
        return Where(Stage.CONSENT, purposes=tuple(purposes), sheet=sheet)
    if page is not None:
        return Where(Stage.QUESTIONS, sheet=sheet)
    practising = practising_of(enrolment, rules)
    stage = Stage.TUTORIAL if practising.next_item else Stage.READY
    return Where(stage, sheet=sheet, practising=practising)


@transaction.atomic
def begin_when_ready(enrolment: Enrolment) -> bool:
    """Begin the work of a person who has nothing left to do before it; False for anybody else.

    Locks the person. Raises StudyNotOpen.
    """
    person = hold(enrolment)
    ready = whereabouts(person).stage is Stage.READY
    if ready:
        begin_work(person)
    enrolment.state = person.state
    return ready
