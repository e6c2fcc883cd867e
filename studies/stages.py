"""Where a person goes next on the way from consent to work, and every step they take there.

    consent -> what a quota needs -> (a place) -> the other purposes -> further questions
            -> tutorial -> work

Everything here follows from rows: whoever comes back goes on where they left. Somebody at work
comes back to the consent when its text has changed.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from django.db import transaction

from studies.consenting import is_due, purposes_asked, purposes_to_ask
from studies.enrolling import begin_work, hold
from studies.models import Enrolment
from studies.practising import Practising, practising_of
from studies.questionnaires import Part, Sheet, sheet_of
from studies.quotas import renew_place
from studies.rules import Rules, current_rules


class Stage(StrEnum):
    CONSENT = "consent"  # a yes or a no for each purpose of `Where.purposes`
    QUESTIONS = "questions"  # the next page of `Where.sheet`
    TUTORIAL = "tutorial"  # the next page of `Where.practising`
    READY = "ready"  # nothing is left to do before the work
    BEGUN = "begun"  # the work has just begun
    WORK = "work"  # at work, or over


@dataclass(frozen=True, slots=True)
class Where:
    """The stage, and what it was read from, as far as the stage needs it."""

    stage: Stage
    rules: Rules | None = None
    purposes: tuple[str, ...] = ()
    sheet: Sheet | None = None
    practising: Practising | None = None

    @property
    def has_agreed(self) -> bool:
        """Whether no purpose is left to ask; unknown, and False, before a quota is settled."""
        if self.stage is Stage.QUESTIONS:
            return self.sheet is not None and self.sheet.is_settled
        return self.stage in (Stage.TUTORIAL, Stage.READY)


# Does one step for a person who is held; returns their questionnaire when it has changed.
Deed = Callable[[Enrolment, Where], Sheet | None]


def whereabouts(enrolment: Enrolment) -> Where:
    """Where this person goes next. Expects `cohort` and `study` to be loaded; at most five queries,
    none for somebody who has ended."""
    if enrolment.state not in (Enrolment.State.CONSENTED, Enrolment.State.ENROLLED):
        return Where(Stage.WORK)
    rules = current_rules(enrolment.study)
    if is_due(enrolment, rules):
        purposes = purposes_asked(enrolment.study_id, rules)
        return Where(Stage.CONSENT, rules, purposes=purposes)
    if enrolment.state == Enrolment.State.ENROLLED:
        return Where(Stage.WORK, rules)
    return _before_work(enrolment, rules, sheet_of(enrolment, rules), has_agreed=False)


@transaction.atomic
def take_step(enrolment: Enrolment, deed: Deed) -> Stage:
    """Do a step of the way under the person's lock, and say what comes next. Their place in a
    quota is leased anew.

    When nothing is left to do, the work begins: BEGUN. Raises as the deed does, and StudyNotOpen.
    """
    person = hold(enrolment)
    where = whereabouts(person)
    may_be_seated = where.sheet is None or where.sheet.is_settled
    if may_be_seated and person.cohort.quota_set_id is not None:
        renew_place(person.pk)  # whoever takes a step is not away
    changed = deed(person, where)
    stage = _stage_after(person, where, changed)
    for field in ("state", "purposes", "consent_version"):
        setattr(enrolment, field, getattr(person, field))
    return stage


def _stage_after(person: Enrolment, before: Where, changed: Sheet | None) -> Stage:
    """Read again only what the step may have changed."""
    if person.state != Enrolment.State.CONSENTED or before.rules is None:
        return Stage.WORK
    # As new: what is asked hangs on what the person has agreed to by now.
    sheet = changed or (replace(before.sheet) if before.sheet else sheet_of(person, before.rules))
    where = _before_work(person, before.rules, sheet, has_agreed=before.has_agreed)
    if where.stage is not Stage.READY:
        return where.stage
    begin_work(person, before.rules)
    return Stage.BEGUN if person.state == Enrolment.State.ENROLLED else Stage.WORK


def go_on(enrolment: Enrolment) -> Stage:
    """Say what comes next; begin the work when nothing is left. Locks the person then only."""
    stage = whereabouts(enrolment).stage
    return take_step(enrolment, lambda _person, _where: None) if stage is Stage.READY else stage


def _before_work(person: Enrolment, rules: Rules, sheet: Sheet, *, has_agreed: bool) -> Where:
    page = sheet.next_page
    if page is not None and page.part is Part.QUOTA:
        return Where(Stage.QUESTIONS, rules, sheet=sheet)
    if not has_agreed and (purposes := purposes_to_ask(person, rules)):
        return Where(Stage.CONSENT, rules, purposes=tuple(purposes), sheet=sheet)
    if page is not None:
        return Where(Stage.QUESTIONS, rules, sheet=sheet)
    practising = practising_of(person, rules)
    stage = Stage.TUTORIAL if practising.next_item else Stage.READY
    return Where(stage, rules, sheet=sheet, practising=practising)
