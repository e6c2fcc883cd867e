"""The racing tool shows what it claims to show."""

import pytest
from django.db import transaction
from django.db.models import F

from studies.models import Study
from tests import factories, racing

pytestmark = pytest.mark.django_db(transaction=True)
RENAME = "UPDATE studies_study SET slug = %s WHERE id = %s"


def test_a_writer_waits_for_the_row_that_another_holds() -> None:
    study = factories.study(slug="before")
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(RENAME, ["first", study.pk])
        bruno.start(RENAME, ["second", study.pk])
        bruno.expect_blocked(by=anna)
        anna.commit()
        bruno.result()

    assert Study.objects.get().slug == "second"


def test_a_rollback_leaves_nothing_of_what_was_done() -> None:
    study = factories.study(slug="before")
    with racing.runners("anna") as (anna,):
        anna.begin()
        anna.do(RENAME, ["first", study.pk])
        anna.rollback()

    assert Study.objects.get().slug == "before"


def test_code_stops_before_the_statement_it_was_told_to_stop_at() -> None:
    study = factories.study(slug="before")

    def rename() -> None:
        with transaction.atomic():
            Study.objects.select_for_update().get(pk=study.pk)
            Study.objects.filter(pk=study.pk).update(slug=F("seed"))

    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.pause_before('UPDATE "studies_study"')
        anna.start(rename)
        anna.expect_paused()
        bruno.start(RENAME, ["second", study.pk])
        bruno.expect_blocked(by=anna)
        anna.go_on()
        anna.result()
        bruno.result()

    assert Study.objects.get().slug == "second"


def test_waiting_for_a_lock_that_never_comes_is_a_failure() -> None:
    with racing.runners("anna") as (anna,):
        anna.start("SELECT 1")
        with pytest.raises(AssertionError, match="was to wait for a lock, and did not"):
            anna.expect_blocked()
        assert anna.result() == [(1,)]


def test_what_was_raised_in_the_thread_is_told() -> None:
    with racing.runners("anna") as (anna,):
        anna.start("SELECT 1/0")
        assert "division by zero" in str(anna.fault())
