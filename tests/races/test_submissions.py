"""Invariant 6: a form is answered once, whoever else sends it at the same moment."""

from typing import Any

import pytest

from annotation.models import Submission
from studies.models import Enrolment
from tests import factories, racing
from tests.breaking import refuser

pytestmark = pytest.mark.django_db(transaction=True)


def submit(person: Enrolment, **fields: Any) -> None:
    fields = {"key": "k", "kind": "comparison", "body_sha256": "a", "result": {}, **fields}
    Submission.objects.create(enrolment=person, **fields)


def test_a_double_click_is_one_submission() -> None:
    person = factories.enrolment()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(submit, person, result={"revision": 1})
        bruno.start(submit, person, result={"revision": 2})
        bruno.expect_blocked(by=anna)
        anna.commit()
        assert refuser(bruno.fault()) == "annotation_submission_pkey"

    assert Submission.objects.get().result == {"revision": 1}


def test_a_first_try_that_fails_leaves_the_key_to_the_second() -> None:
    person = factories.enrolment()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(submit, person, result={"revision": 1})
        bruno.start(submit, person, result={"revision": 2})
        bruno.expect_blocked(by=anna)
        anna.rollback()
        bruno.result()

    assert Submission.objects.get().result == {"revision": 2}


def test_two_people_may_use_the_same_key() -> None:
    first, second = factories.enrolment(), factories.enrolment()
    with racing.runners("anna", "bruno") as (anna, bruno):
        anna.begin()
        anna.do(submit, first)
        bruno.do(submit, second)
        anna.commit()

    assert Submission.objects.count() == 2
