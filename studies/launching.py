"""The states of a study: draft -> rehearsed -> open <-> paused -> closed.

Each transition is one conditional update, audited. Plans belong to an app downstream, which freezes
them first (`console.opening`): the database opens no study onto rows that may still change.
"""

from collections.abc import Collection

from django.db import transaction
from django.utils import timezone

from studies import auditing
from studies.models import Study

State = Study.State


class TransitionRefused(Exception):
    """The study cannot go there from where it is. `reasons` are sentences for the researcher."""

    def __init__(self, *reasons: str) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@transaction.atomic
def open_study(*, study: Study, by: str, unrehearsed_because: str = "") -> Study:
    """Freeze the study's versions and prompts and open it, from rehearsed; from draft for a reason.

    Raises TransitionRefused from any other state, and from draft when no reason is given.
    """
    reason = unrehearsed_because.strip()
    if not reason and _state(study) == State.DRAFT:
        raise TransitionRefused("The study was not rehearsed: rehearse it, or give a reason.")
    _freeze(study)
    allowed = {State.REHEARSED, State.DRAFT} if reason else {State.REHEARSED}
    return _move(study=study, to=State.OPEN, allowed=allowed, by=by, reason=reason)


def pause(*, study: Study, by: str, reason: str = "") -> Study:
    """No new conversation begins; raises TransitionRefused unless the study is open."""
    return _move(study=study, to=State.PAUSED, allowed={State.OPEN}, by=by, reason=reason)


@transaction.atomic
def reopen(*, study: Study, by: str, reason: str = "") -> Study:
    """Freeze what was added during the pause and go on; raises TransitionRefused unless paused."""
    _freeze(study)
    return _move(study=study, to=State.OPEN, allowed={State.PAUSED}, by=by, reason=reason)


def close(*, study: Study, by: str, reason: str = "") -> Study:
    """End the study for good; raises TransitionRefused unless it is open or paused."""
    allowed = {State.OPEN, State.PAUSED}
    return _move(study=study, to=State.CLOSED, allowed=allowed, by=by, reason=reason)


def send_back(*, study: Study, by: str, reason: str) -> Study:
    """Make a rehearsed study a draft again: what was rehearsed is no longer what would open."""
    return _move(study=study, to=State.DRAFT, allowed={State.REHEARSED}, by=by, reason=reason)


def _state(study: Study) -> str:
    return Study.objects.values_list("state", flat=True).get(pk=study.pk)


def _freeze(study: Study) -> None:
    now = timezone.now()
    study.versions.filter(frozen_at=None).update(frozen_at=now)
    study.prompts.filter(frozen_at=None).update(frozen_at=now)


@transaction.atomic
def _move(*, study: Study, to: State, allowed: Collection[State], by: str, reason: str) -> Study:
    before = _state(study)
    if not Study.objects.filter(pk=study.pk, state__in=allowed).update(state=to):
        ways = " or ".join(sorted(allowed))
        raise TransitionRefused(f"The study is {before}; it must be {ways} to become {to.value}.")
    study.state = to
    payload = {"from": before, "to": to.value, "reason": reason}
    auditing.record(by=by, action=f"study.{to.value}", on=f"study:{study.slug}", payload=payload)
    return study
