"""Drafts lose nothing that a row can hold."""

import pytest

from annotation.drafts import LIMIT, clear_draft, read_draft, save_draft
from annotation.models import Draft
from tests import factories
from tests.annotation.talking import joined

pytestmark = pytest.mark.django_db


def test_the_last_draft_of_a_form_counts() -> None:
    enrolment = joined(factories.world())
    save_draft(enrolment=enrolment, form="message:1", fields={"text": "I"})
    save_draft(enrolment=enrolment, form="message:1", fields={"text": "I think"})
    assert read_draft(enrolment=enrolment, form="message:1").fields == {"text": "I think"}
    assert Draft.objects.get().revision == 2


def test_a_draft_loses_only_what_no_row_can_hold() -> None:
    enrolment = joined(factories.world())
    save_draft(enrolment=enrolment, form="message:1", fields={"text": "a\x00b\ud800c"})
    assert read_draft(enrolment=enrolment, form="message:1").fields == {"text": "abc"}


def test_a_draft_without_end_is_not_kept() -> None:
    enrolment = joined(factories.world())
    assert not save_draft(enrolment=enrolment, form="f", fields={"text": "a" * (LIMIT + 1)})
    assert read_draft(enrolment=enrolment, form="f").fields == {}


def test_drafts_of_others_are_not_read() -> None:
    world = factories.world()
    first, second = joined(world), joined(world)
    save_draft(enrolment=first, form="f", fields={"text": "mine"})
    assert read_draft(enrolment=second, form="f").fields == {}


def test_a_cleared_draft_is_gone() -> None:
    enrolment = joined(factories.world())
    save_draft(enrolment=enrolment, form="f", fields={"text": "a"})
    clear_draft(enrolment=enrolment, form="f")
    assert read_draft(enrolment=enrolment, form="f").fields == {}
