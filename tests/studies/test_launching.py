from collections.abc import Callable

import pytest
from django.db import IntegrityError
from django.utils import timezone

from studies import launching
from studies.launching import TransitionRefused
from studies.models import Audit, Study
from tests import factories, racing

BY = "researcher:anna"


def study_in(state: str) -> Study:
    """A study that could open: with rules and a prompt."""
    study = factories.study()
    factories.study_version(study)
    factories.prompt(study)
    if state != "draft":
        study.versions.update(frozen_at=timezone.now())
        study.prompts.update(frozen_at=timezone.now())
        Study.objects.filter(pk=study.pk).update(state=state)
    study.refresh_from_db()
    return study


def open_it(*, study: Study, by: str) -> Study:
    return launching.open_study(study=study, by=by, unrehearsed_because="a test")


MOVES: dict[str, Callable[..., Study]] = {
    "open": open_it,
    "pause": launching.pause,
    "reopen": launching.reopen,
    "close": launching.close,
}
ALLOWED = {
    ("draft", "open"): "open",
    ("rehearsed", "open"): "open",
    ("open", "pause"): "paused",
    ("paused", "reopen"): "open",
    ("open", "close"): "closed",
    ("paused", "close"): "closed",
}


@pytest.mark.django_db
@pytest.mark.parametrize("move", MOVES)
@pytest.mark.parametrize("state", Study.State.values)
def test_a_study_goes_only_where_its_states_lead(state: str, move: str) -> None:
    study = study_in(state)
    goes_to = ALLOWED.get((state, move), state)
    refused = ""
    try:
        MOVES[move](study=study, by=BY)
    except TransitionRefused as refusal:
        refused = refusal.reasons[0]
    assert Study.objects.get(pk=study.pk).state == goes_to
    assert bool(refused) == (goes_to == state)
    assert Audit.objects.count() == (goes_to != state)


@pytest.mark.django_db
def test_a_draft_opens_only_with_a_reason_which_is_kept() -> None:
    study = study_in("draft")
    with pytest.raises(TransitionRefused, match="rehearse it, or give a reason"):
        launching.open_study(study=study, by=BY, unrehearsed_because="  ")
    launching.open_study(study=study, by=BY, unrehearsed_because="a demonstration")
    entry = Audit.objects.get()
    assert (entry.actor, entry.action, entry.object) == (BY, "study.open", f"study:{study.slug}")
    assert entry.payload["reason"] == "a demonstration"


@pytest.mark.django_db
def test_opening_freezes_versions_and_prompts() -> None:
    study = open_it(study=study_in("draft"), by=BY)
    assert not study.versions.filter(frozen_at=None).exists()
    assert not study.prompts.filter(frozen_at=None).exists()


@pytest.mark.django_db
def test_a_study_with_a_plan_that_may_change_does_not_open() -> None:
    study = study_in("rehearsed")
    factories.plan(study)
    with pytest.raises(IntegrityError, match="its plans are frozen"):
        launching.open_study(study=study, by=BY)


@pytest.mark.django_db
def test_a_changed_study_goes_back_from_rehearsed_to_draft() -> None:
    study = launching.send_back(study=study_in("rehearsed"), by=BY, reason="a changed file")
    assert Study.objects.get(pk=study.pk).state == "draft"


@pytest.mark.django_db(transaction=True)
def test_of_two_who_close_at_once_one_is_told_that_it_is_closed() -> None:
    study = study_in("open")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(launching.close, study=study, by="researcher:anna")
        bruno.start(launching.close, study=study, by="researcher:bruno")
        bruno.expect_blocked(by=anna)
        anna.commit()
        fault = bruno.fault()
    assert isinstance(fault, TransitionRefused)
    assert Audit.objects.get().actor == "researcher:anna"
