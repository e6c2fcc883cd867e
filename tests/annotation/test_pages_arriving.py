from datetime import timedelta

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from studies.models import Answer, ConsentRecord, Enrolment, Sitting
from tests import factories
from tests.annotation.visiting import page, send
from tests.factories import World

pytestmark = pytest.mark.django_db
CONSENT = {"consent": "yes"}


@pytest.fixture
def world() -> World:
    made = factories.world()
    factories.invitation(made.cohort, token="open-token")
    return made


def follow_link(client: Client, token: str = "open-token") -> None:
    assert client.get(f"/join/{token}/").status_code == 303


def consented(client: Client) -> Enrolment:
    follow_link(client)
    assert send(client, page(client.get("/welcome/")).forms[0], consent="yes").status_code == 303
    return Enrolment.objects.get()


def test_following_an_open_link_makes_no_row_and_leads_to_a_clean_address(
    world: World, client: Client
) -> None:
    response = client.get("/join/open-token/")

    assert (response.status_code, response.headers["Location"]) == (303, "/welcome/")
    assert not Enrolment.objects.exists()
    assert "open-token" not in response.cookies[settings.ANNOTATOR_COOKIE].value


def test_the_annotator_cookie_is_out_of_reach_of_scripts(world: World, client: Client) -> None:
    cookie = client.get("/join/open-token/").cookies[settings.ANNOTATOR_COOKIE]

    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"


def test_a_yes_makes_an_enrolment_and_leads_to_the_questions(world: World, client: Client) -> None:
    follow_link(client)
    response = send(client, page(client.get("/welcome/")).forms[0], consent="yes")

    assert (response.status_code, response.headers["Location"]) == (303, "/questions/")
    assert Enrolment.objects.get().state == "consented"
    assert ConsentRecord.objects.get().granted


def test_a_yes_sent_twice_is_one_person(world: World, client: Client) -> None:
    follow_link(client)
    form = page(client.get("/welcome/")).forms[0]
    for _ in range(2):
        assert send(client, form, consent="yes").headers["Location"] == "/questions/"

    assert Enrolment.objects.count() == 1


def test_a_no_leads_to_the_closing_page(world: World, client: Client) -> None:
    follow_link(client)
    response = client.post("/welcome/", {"consent": "no"}, follow=True)

    assert response.redirect_chain[-1] == ("/closing/", 303)
    assert "You are not taking part" in page(response).words
    assert Sitting.objects.get().exit_code == "no_consent"


def test_a_consent_form_without_an_answer_says_so(world: World, client: Client) -> None:
    follow_link(client)
    response = client.post("/welcome/", {})

    assert response.status_code == 422
    assert "Please choose one of the two." in page(response).words


def test_yes_and_no_are_sent_as_such_in_every_language(world: World, client: Client) -> None:
    follow_link(client)
    for locale, _ in settings.LANGUAGES:
        client.cookies[settings.LANGUAGE_COOKIE_NAME] = locale
        form = page(client.get("/welcome/")).forms[0]
        assert form.options["consent"] == ["yes", "no"]


def test_answers_open_a_sitting_and_lead_to_the_instructions(world: World, client: Client) -> None:
    enrolment = consented(client)
    form = page(client.get("/questions/")).forms[0]
    chosen = {key: values[0] for key, values in form.options.items()}
    response = send(client, form, **chosen)

    assert (response.status_code, response.headers["Location"]) == (303, "/instructions/")
    assert Answer.objects.filter(enrolment=enrolment).count() == len(chosen)
    assert Sitting.objects.get().state == "open"


def test_missing_answers_are_named_and_the_given_ones_kept(world: World, client: Client) -> None:
    consented(client)
    response = client.post("/questions/", {"other": "x"})

    assert response.status_code == 422
    assert "Please choose an answer." in page(response).words
    assert not Sitting.objects.exists()


def test_the_return_link_is_shown_and_brings_another_browser_back(
    world: World, client: Client
) -> None:
    enrolment = consented(client)
    client.post("/questions/", {"age_band": "18-34"})
    shown = page(client.get("/instructions/")).words
    link = next(word for word in shown.split() if "/return/" in word)

    elsewhere = Client()
    response = elsewhere.get(link.removeprefix(settings.BASE_URL))
    assert (response.status_code, response.headers["Location"]) == (303, "/work/")
    assert elsewhere.get("/help/").status_code == 200
    assert str(enrolment.pk)  # the same one: no second row was made
    assert Enrolment.objects.count() == 1


def test_an_unknown_link_answers_404(world: World, client: Client) -> None:
    assert client.get("/join/nobody-made-this/").status_code == 404
    assert client.get("/return/nobody-made-this/").status_code == 404


def test_an_expired_link_answers_410_and_says_what_to_do(world: World, client: Client) -> None:
    yesterday = timezone.now() - timedelta(days=1)
    factories.invitation(world.cohort, token="old-token", expires_at=yesterday)
    response = client.get("/join/old-token/")

    assert response.status_code == 410
    assert "ask the person who invited you" in page(response).words


def test_a_personal_link_that_was_used_answers_410(world: World, client: Client) -> None:
    factories.invitation(world.cohort, token="mine", kind="personal")
    follow_link(client, "mine")
    client.post("/welcome/", CONSENT)
    response = Client().get("/join/mine/")

    assert response.status_code == 410
    assert "open the personal link" in page(response).words


def test_a_personal_link_used_in_the_meantime_is_refused_at_the_consent(
    world: World, client: Client
) -> None:
    factories.invitation(world.cohort, token="mine", kind="personal")
    second = Client()
    follow_link(client, "mine")
    follow_link(second, "mine")
    client.post("/welcome/", CONSENT)

    assert second.post("/welcome/", CONSENT).status_code == 410
    assert Enrolment.objects.count() == 1


@pytest.mark.parametrize(
    ("state", "words"), [("paused", "having a break"), ("closed", "The study is over")]
)
def test_a_study_that_is_not_open_says_so_with_200(client: Client, state: str, words: str) -> None:
    made = factories.world(state=state)
    factories.invitation(made.cohort, token="open-token")
    response = client.get("/join/open-token/")

    assert response.status_code == 200
    assert words in page(response).words


def test_opening_the_link_again_in_the_middle_of_work_offers_to_go_on(
    world: World, client: Client
) -> None:
    consented(client)
    response = client.get("/join/open-token/")

    assert response.status_code == 200
    assert page(response).forms[0].action == "/work/"
    assert client.get("/questions/").status_code == 200


def test_somebody_else_in_the_same_browser_starts_afresh(world: World, client: Client) -> None:
    consented(client)
    form = page(client.get("/join/open-token/")).forms[1]

    assert send(client, form).headers["Location"] == "/welcome/"
    client.post("/welcome/", CONSENT)
    assert Enrolment.objects.count() == 2


def test_a_fresh_visit_opens_in_the_language_of_the_cohort(client: Client) -> None:
    made = factories.world(language="pt", country="BR")
    factories.invitation(made.cohort, token="open-token")
    client.get("/join/open-token/")

    assert client.cookies[settings.LANGUAGE_COOKIE_NAME].value == "pt-br"


def test_a_browser_that_we_do_not_know_hears_how_to_come_back(client: Client) -> None:
    for address in ("/work/", "/welcome/", "/questions/", "/closing/"):
        response = client.get(address)
        assert response.status_code == 403
        assert "How to come back" in page(response).words


def test_a_forged_cookie_is_nobody(world: World, client: Client) -> None:
    client.cookies[settings.ANNOTATOR_COOKIE] = "eyJlbnJvbG1lbnQiOiIxIn0:1abc:forged"

    assert client.get("/work/").status_code == 403


def test_personal_pages_are_stored_nowhere(world: World, client: Client) -> None:
    consented(client)
    for address in ("/questions/", "/welcome/", "/help/", "/language/", "/join/open-token/"):
        assert client.get(address).headers["Cache-Control"] == "no-store"
