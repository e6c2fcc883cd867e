"""How far a person is in the tutorial, and what their tries come to."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from studies.enrolling import EnrollingRefusal, StudyNotOpen, end_before_work
from studies.models import Enrolment, Sitting, Study, TutorialTry
from studies.rules import Rules
from studies.tutorials import TRIES, Item, items_of


class TryIncomplete(EnrollingRefusal):
    """A form without an answer to each question, or with one that was not offered."""

    code = "try_incomplete"


@dataclass(frozen=True, slots=True)
class Practising:
    """The tutorial of one person: `tries` are theirs, the earlier first."""

    items: list[Item]
    tries: list[TutorialTry]

    @property
    def next_item(self) -> Item | None:
        """The first page that was not passed; None at the end, and without a tutorial."""
        passed = {one.item for one in self.tries if one.passed}
        return next((item for item in self.items if item.name not in passed), None)

    def item(self, name: str) -> Item | None:
        return next((item for item in self.items if item.name == name), None)

    def last_try(self, item: Item) -> TutorialTry | None:
        return next((one for one in reversed(self.tries) if one.item == item.name), None)

    @property
    def number(self) -> int:
        """Which page the next one is, from 1."""
        following = self.next_item
        return self.items.index(following) + 1 if following else len(self.items)


def practising_of(enrolment: Enrolment, rules: Rules) -> Practising:
    """Expects `enrolment.cohort` to be loaded; at most one query."""
    items = items_of(rules.tutorial, cohort=enrolment.cohort.slug)
    tries = enrolment.tries.order_by("tried_at", "n") if items else ()
    return Practising(items=items, tries=list(tries))


def try_item(
    person: Enrolment, practising: Practising | None, *, name: str, posted: Mapping[str, str]
) -> TutorialTry | None:
    """Store a try at the next page of the tutorial; None, and nothing stored, at any other.

    The second failure of a check ends the visit, with the exit code quality_term. The caller holds
    the person (`stages.take_step`). Raises TryIncomplete, StudyNotOpen.
    """
    item = practising.next_item if practising else None
    if practising is None or item is None or item.name != name:
        return None
    if person.study.state != Study.State.OPEN:
        raise StudyNotOpen(person.study.state)
    before = practising.last_try(item)
    given = _read(item, posted)
    tried = TutorialTry.objects.create(
        enrolment=person,
        item=item.name,
        n=before.n + 1 if before else 1,
        given=given,
        passed=all(question.is_right(given[question.key]) for question in item.questions),
    )
    if not tried.passed and tried.n >= TRIES:
        end_before_work(person, Sitting.ExitCode.QUALITY_TERM)
    return tried


def _read(item: Item, posted: Mapping[str, str]) -> dict[str, Any]:
    """What was sent, as the row keeps it. Raises TryIncomplete."""
    if item.practice is not None:
        places = [str(place) for place in range(len(item.practice.answers))]
        if posted.get("choice") not in places:
            raise TryIncomplete
        return {"choice": int(posted["choice"])}
    for question in item.questions:
        if posted.get(question.key) not in [option.value for option in question.options]:
            raise TryIncomplete
    return {question.key: posted[question.key] for question in item.questions}
