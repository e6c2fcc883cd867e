"""Invariant 5: country and language are the cohort's, and stand still once people may come."""

import pytest

from studies.models import Enrolment
from tests import factories, racing
from tests.breaking import delete, refuser, update

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_cohort_is_not_changed_while_its_study_leaves_draft() -> None:
    cohort = factories.cohort()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, cohort.study, state="rehearsed")
        bruno.start(update, cohort, language="fr")
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "cohort_fixed"


def test_a_study_leaves_draft_only_after_a_change_of_its_cohort() -> None:
    cohort = factories.cohort()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, cohort, language="fr")
        bruno.start(update, cohort.study, state="rehearsed")
        bruno.expect_blocked(by=anna)
        anna.commit()
        bruno.result()

    cohort.refresh_from_db()
    assert cohort.language == "fr"


def test_nobody_enrols_in_a_cohort_that_is_removed_meanwhile() -> None:
    cohort = factories.cohort()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(delete, cohort)
        bruno.start(factories.enrolment, cohort)
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "enrolment_cohort_of_study"

    assert Enrolment.objects.count() == 0


def test_a_personal_link_is_used_by_one_person() -> None:
    cohort = factories.cohort()
    link = factories.invitation(cohort, kind="personal")
    first, second = factories.enrolment(cohort), factories.enrolment(cohort)
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(update, link, used_by_id=first.pk)
        bruno.start(
            "UPDATE studies_invitation SET used_by_id = %s WHERE used_by_id IS NULL RETURNING 1",
            [second.pk],
        )
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert bruno.result() == []

    link.refresh_from_db()
    assert link.used_by == first
