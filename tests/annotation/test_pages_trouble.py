import pytest
from django.template.loader import render_to_string
from django.test import Client, RequestFactory

from config.unavailable import unavailable
from tests.annotation.visiting import Page, page

FORM = {"text": "Keep <me>\nand me", "idempotency_key": "k" * 32, "csrfmiddlewaretoken": "old"}


def test_without_the_database_a_form_comes_back_with_its_text_and_one_button() -> None:
    response = unavailable(RequestFactory().post("/conversation/x/message/", FORM))
    form = page(response).forms[0]

    assert (response.status_code, response.headers["Retry-After"]) == (503, "5")
    assert form.action == "/conversation/x/message/"
    assert form.fields["text"] == FORM["text"]
    assert form.fields["idempotency_key"] == FORM["idempotency_key"]


def test_without_the_database_a_page_tries_again_by_itself() -> None:
    response = unavailable(RequestFactory().get("/work/"))

    assert 'http-equiv="refresh"' in response.content.decode()
    assert not page(response).forms


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "404.html", "410.html", "500.html"])
def test_pages_of_the_last_resort_need_no_request_and_no_database(name: str) -> None:
    shown = render_to_string(name)

    assert "<h1>" in shown
    assert "<script>" not in shown
    linked = {one["href"] for one in Page(shown).having("href")}
    assert {"/withdraw/", "/help/", "/privacy/", "/accessibility/", "/language/"} <= linked


@pytest.mark.django_db
def test_what_is_far_too_large_is_refused_with_a_page() -> None:
    huge = {"text": "x" * (2 * 1024 * 1024)}
    body = "&".join(f"{name}={value}" for name, value in huge.items())
    kind = "application/x-www-form-urlencoded"
    response = Client().post("/welcome/", body, content_type=kind)

    assert response.status_code == 400
    assert "too large" in page(response).words
