"""Odd texts in the forms beside explanation and message: stored as typed, or refused and kept."""

import pytest
from django.test import Client
from django.utils.html import escape

from annotation.models import Comparison, ComparisonMark, Turn
from studies.models import Enquiry, Enrolment
from tests import factories
from tests.annotation.talking import claimed, joined
from tests.annotation.test_pages_comparing import EVERYTHING, TEXTS, WHY, comparison
from tests.annotation.test_pages_conversing import Visit
from tests.annotation.visiting import Form, browser_of, page, send

pytestmark = pytest.mark.django_db

odd = pytest.mark.parametrize(("text", "status"), TEXTS)


def holds(form: Form, field: str, text: str) -> bool:
    """Whether the form still has the text; what no page can carry may be lost."""
    return form.fields[field] == text or not text.isprintable()


@odd
def test_an_own_opening_question(text: str, status: int) -> None:
    enrolment = joined(factories.world(own_prompt_share=1.0))
    claimed(enrolment)
    client = browser_of(enrolment)
    response = send(client, page(client.get("/work/")).form_to("/message/"), text=text)

    assert response.status_code == status
    assert [one.message for one in Turn.objects.all()] == ([text] if status == 303 else [])
    if status == 303:
        assert escape(text) in client.get(response["Location"]).content.decode()
    else:
        assert holds(page(response).form_to("/message/"), "text", text)


@odd
def test_what_one_of_them_should_have_said(text: str, status: int) -> None:
    visit = Visit(factories.world(**{**EVERYTHING, "explanation": {**WHY, "rule": "never"}}))
    ends = {"choice": "none", "continue_from": visit.candidate()}
    response = send(visit.client, comparison(visit), should_say=text, **ends)

    refused = status == 422 and text != ""  # it may be left out
    assert response.status_code == (422 if refused else 303)
    assert Comparison.objects.exists() is not refused
    said = ComparisonMark.objects.filter(kind="should_say").values_list("reason", flat=True)
    assert list(said) == ([text] if text and not refused else [])
    if refused:
        assert holds(page(response).form_to("/comparison/"), "should_say", text)


@odd
def test_a_message_to_the_researchers(text: str, status: int) -> None:
    client = browser_of(joined(factories.world()))
    response = send(client, page(client.get("/my-work/")).form_to("/enquiry/"), text=text)

    assert response.status_code == status
    assert [one.text for one in Enquiry.objects.all()] == ([text] if status == 303 else [])
    if status == 303:
        assert escape(text) in client.get("/my-work/").content.decode()
    else:
        assert holds(page(response).form_to("/enquiry/"), "text", text)


@odd
def test_a_code_that_was_never_given(text: str, status: int) -> None:
    factories.withdrawal_code()
    response = Client().post("/withdraw/", {"code": text, "extent": "stop"})

    assert response.status_code == 422
    assert "<script>alert" not in response.content.decode()
    assert not Enrolment.objects.filter(state="withdrawn").exists()
