"""Who is asking."""

from uuid import uuid4

import pytest
from django.forms.models import model_to_dict
from pytest_django import DjangoAssertNumQueries

from studies.models import Enrolment
from studies.recognising import find_enrolment
from tests import factories

pytestmark = pytest.mark.django_db


def test_it_is_what_the_orm_reads(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    made = factories.enrolment()
    read = Enrolment.objects.select_related("cohort", "study").get(pk=made.pk)

    with django_assert_num_queries(1):
        found = find_enrolment(made.pk)
        assert found is not None
        pairs = [(found, read), (found.cohort, read.cohort), (found.study, read.study)]

    for ours, theirs in pairs:
        assert ours == theirs
        assert model_to_dict(ours) == model_to_dict(theirs)
    assert found.cohort.study is found.study


def test_an_unknown_person_is_nobody() -> None:
    assert find_enrolment(uuid4()) is None


def test_what_was_found_can_be_saved() -> None:
    found = find_enrolment(factories.enrolment().pk)
    assert found is not None
    found.ui_language = "hi"

    found.save(update_fields=["ui_language"])

    assert Enrolment.objects.get().ui_language == "hi"
