"""The last pages: how it ended, leaving by page and by code, and what comes after."""

from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.test import Client
from pytest_django.fixtures import DjangoAssertNumQueries

from annotation.leaving import withdraw
from annotation.models import Break, Comparison
from studies.models import Audit, Enrolment, Sitting, WithdrawalCode
from tests import factories
from tests.annotation.talking import finished, joined, judge, opened, shown, shown_first_turn
from tests.annotation.visiting import browser_of, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db

# State of the enrolment, state and exit code of the sitting (none: they never sat down), words.
ENDS = [
    ("complete", "complete", "complete", "Thank you. You are done."),
    ("withdrawn", "partial", "partial", "You have left the study"),
    ("withdrawn", "returned", "withdrawn", "You have left the study"),
    ("withdrawn", "complete", "complete", "You have left the study"),
    ("withdrawn", None, "withdrawn", "You have left the study"),
    ("screened_out", None, "screen_out", "This study is looking for other people"),
    ("over_quota", None, "quota_full", "We have heard enough people like you"),
    ("failed_checks", "returned", "quality_term", "Your part in this study ends here"),
    ("expired", "expired", "timeout", "The time for this study has run out"),
    ("no_consent", "returned", "no_consent", "You are not taking part"),
]


def ended(of: World, state: str, sitting: str | None, exit_code: str) -> Client:
    """The browser of somebody for whom it ended so."""
    person = factories.enrolment(of.cohort, state=state)
    if sitting:
        factories.sitting(person, state=sitting, exit_code=exit_code)
    return browser_of(person)


@pytest.mark.parametrize(("state", "sitting", "exit_code", "words"), ENDS)
def test_every_end_has_its_page_with_the_way_back_to_the_panel(
    state: str, sitting: str | None, exit_code: str, words: str
) -> None:
    address = "https://panel.example/back?cc={code}"
    world = factories.world(
        panels={
            "generic": {
                "host": "panel.example",
                "codes": {exit_code: "C0DE"},
                "urls": {exit_code: address},
            }
        },
    )
    client = ended(world, state, sitting, exit_code)
    factories.identity(Enrolment.objects.get(), panel="generic")

    for locale in ("en", "hi"):
        Enrolment.objects.update(ui_language=locale)
        response = client.get("/work/", follow=True)
        seen = page(response)
        assert response.redirect_chain[-1][0] == "/closing/"
        assert [one["data-outcome"] for one in seen.having("data-outcome")] == [exit_code]
        assert "C0DE" in seen.words
        hrefs = [one["href"] for one in seen.having("href")]
        assert "https://panel.example/back?cc=C0DE" in hrefs
        assert locale != "en" or words in seen.words


@pytest.mark.parametrize(("state", "sitting", "exit_code", "words"), ENDS)
def test_without_a_panel_only_work_and_a_failed_check_earn_a_code(
    state: str, sitting: str | None, exit_code: str, words: str
) -> None:
    client = ended(factories.world(), state, sitting, exit_code)
    seen = page(client.get("/closing/"))
    codes = [one for one in seen.having("id") if one["id"] == "completion-code"]
    assert bool(codes) == (sitting in ("complete", "partial") or exit_code == "quality_term")
    assert words in seen.words


def test_whoever_is_done_hears_what_the_work_is_for() -> None:
    world = factories.world(thanks={"en": "So that models answer *everybody* well."})
    client = ended(world, "complete", "complete", "complete")
    assert "So that models answer everybody well." in page(client.get("/closing/")).words


# --- Leaving by the page --------------------------------------------------------------------------


def test_stopping_keeps_the_words_and_offers_to_delete_them() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, explanation="Because.")
    client = browser_of(enrolment)
    form = page(client.get("/withdraw/")).forms[0]

    response = client.post(form.action, {**form.fields, "extent": "stop"}, follow=True)

    enrolment.refresh_from_db()
    assert response.redirect_chain == [("/closing/", 303)]
    assert (enrolment.state, enrolment.erased_at) == ("withdrawn", None)
    form = page(client.get("/withdraw/")).forms[0]
    assert form.options["extent"] == ["delete"]
    assert "What you wrote has been deleted" in page(send_on(client, form)).words


def send_on(client: Client, form: Any) -> Any:
    return client.post(form.action, form.fields, follow=True)


def test_stopping_and_deleting_is_one_step() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, explanation="Because.")
    client = browser_of(enrolment)

    response = send(client, page(client.get("/withdraw/")).forms[0], extent="delete")

    enrolment.refresh_from_db()
    assert (response.status_code, enrolment.state) == (303, "withdrawn")
    assert enrolment.erased_at is not None
    assert client.get("/withdraw/").headers["Location"] == "/closing/"


def test_an_extent_that_is_none_is_asked_again() -> None:
    enrolment = joined(factories.world())
    response = browser_of(enrolment).post("/withdraw/", {"extent": "everything"})
    enrolment.refresh_from_db()
    assert (response.status_code, enrolment.state) == (422, "enrolled")


def test_leaving_twice_and_in_two_tabs_is_leaving_once() -> None:
    enrolment = joined(factories.world())
    first, second = browser_of(enrolment), browser_of(enrolment)
    forms = [page(tab.get("/withdraw/")).forms[0] for tab in (first, second)]
    answers = [send(first, forms[0]), send(second, forms[1]), send(first, forms[0])]
    assert [(one.status_code, one["Location"]) for one in answers] == [(303, "/closing/")] * 3
    assert Audit.objects.filter(action="withdraw").count() == 1


@pytest.mark.parametrize("state", ["withdrawn", "over_quota", "expired", "complete"])
def test_what_comes_after_the_end_is_not_stored(state: str) -> None:
    enrolment, scene = shown_first_turn(factories.world())
    if state == "withdrawn":
        withdraw(enrolment=enrolment)
    else:
        code = "timeout" if state == "expired" else "complete"
        Sitting.objects.update(state="complete", exit_code=code)
        Enrolment.objects.update(state=state)
    client = browser_of(enrolment)
    base = f"/conversation/{scene.conversation_id}"
    choice = {"choice": str(scene.last.candidates[0].id), "revision": "0", "explanation": ""}

    answers = [
        client.post(f"{base}/0/comparison/", {**choice, "idempotency_key": "a" * 32}),
        client.post(f"{base}/message/", {"text": "More?", "idempotency_key": "b" * 32}),
        client.post(f"{base}/finish/", {}),
        client.post("/pause/", {}),
        client.post("/extend/", {}),
    ]

    assert {one.status_code for one in answers} <= {200, 303, 409}
    assert not scene_rows(scene.conversation_id)
    assert client.get("/work/", follow=True).redirect_chain[-1][0] == "/closing/"


def scene_rows(conversation_id: UUID) -> list[object]:
    return [*Comparison.objects.filter(conversation=conversation_id), *Break.objects.all()]


# --- Leaving by a code ----------------------------------------------------------------------------


def code_of(enrolment: Enrolment) -> str:
    """The code as its person sees it, the one time that it is shown."""
    client = browser_of(enrolment)
    assert client.post("/withdraw/code/").status_code == 303
    response = client.get("/withdraw/code/").content.decode()
    return response.partition('id="withdrawal-code"')[2].partition(">")[2].partition("<")[0]


def test_a_code_works_without_the_browser_and_its_case_and_dashes_do_not_matter() -> None:
    enrolment = joined(factories.world())
    finished(enrolment)
    code = code_of(enrolment)
    stranger = Client()
    form = page(stranger.get("/withdraw/")).forms[0]

    response = send(stranger, form, code=code.lower().replace("-", " "), extent="delete")

    enrolment.refresh_from_db()
    assert (response.status_code, response["Location"]) == (303, "/withdraw/done/")
    assert "You have left the study" in page(stranger.get("/withdraw/done/")).words
    assert enrolment.erased_at is not None
    assert settings.ANNOTATOR_COOKIE not in stranger.cookies


def test_a_code_is_shown_once_and_only_its_digest_is_kept() -> None:
    enrolment = joined(factories.world())
    code = code_of(enrolment)
    kept = WithdrawalCode.objects.get()
    again = page(browser_of(enrolment).get("/withdraw/code/"))
    assert len(code) == 29
    assert code.replace("-", "") not in str(kept.__dict__)
    assert code not in again.words
    assert again.forms[0].action == "/withdraw/code/"


def test_a_new_code_takes_the_place_of_the_one_before() -> None:
    enrolment = joined(factories.world())
    old, new = code_of(enrolment), code_of(enrolment)
    client = Client()
    assert client.post("/withdraw/", {"code": old, "extent": "stop"}).status_code == 422
    assert client.post("/withdraw/", {"code": new, "extent": "stop"}).status_code == 303


@pytest.mark.parametrize("extent", ["stop", "delete"])
def test_a_used_code_is_gone(extent: str) -> None:
    code = code_of(joined(factories.world()))
    answers = [Client().post("/withdraw/", {"code": code, "extent": extent}) for _ in range(2)]
    assert [one.status_code for one in answers] == [303, 410]


def test_a_code_still_deletes_what_was_left_behind_by_stopping() -> None:
    enrolment = joined(factories.world())
    code = code_of(enrolment)
    withdraw(enrolment=enrolment)
    assert Client().post("/withdraw/", {"code": code, "extent": "stop"}).status_code == 410
    assert Client().post("/withdraw/", {"code": code, "extent": "delete"}).status_code == 303


def test_a_code_of_another_study_leaves_that_study_and_no_other() -> None:
    here, there = joined(factories.world()), joined(factories.world())
    code = code_of(there)
    response = browser_of(here).post("/withdraw/", {"code": code, "extent": "stop"})
    here.refresh_from_db()
    there.refresh_from_db()
    assert response.status_code == 303
    assert (here.state, there.state) == ("enrolled", "withdrawn")


@pytest.mark.parametrize("typed", ["", "ABCD", "A" * 29, "\x00", "\ud83d", "०१२", "x" * 5000])
def test_what_is_no_code_is_asked_for_again(typed: str) -> None:
    typed = typed.encode("utf-8", "replace").decode()
    response = Client().post("/withdraw/", {"code": typed, "extent": "stop"})
    assert response.status_code == 422
    assert not Enrolment.objects.filter(state="withdrawn").exists()


def test_whoever_has_left_gets_no_code() -> None:
    enrolment = joined(factories.world())
    withdraw(enrolment=enrolment)
    client = browser_of(enrolment)
    assert client.post("/withdraw/code/")["Location"] == "/closing/"
    assert not WithdrawalCode.objects.exists()


def test_every_page_leads_to_leaving_help_privacy_and_accessibility() -> None:
    enrolment = joined(factories.world())
    talk = opened(enrolment)
    shown(enrolment, talk.pk)
    client = browser_of(enrolment)
    for address in (
        f"/conversation/{talk.pk}/",
        "/my-work/",
        "/pause/",
        "/help/",
        "/privacy/",
        "/accessibility/",
        "/withdraw/code/",
    ):
        response = client.get(address)
        linked = {one["href"] for one in page(response).having("href")}
        assert response.status_code == 200, address
        assert {"/withdraw/", "/help/", "/my-work/", "/privacy/", "/accessibility/"} <= linked


@pytest.mark.parametrize("address", ["/help/", "/privacy/", "/accessibility/", "/withdraw/"])
def test_strangers_may_read_how_it_works(address: str, client: Client) -> None:
    assert client.get(address).status_code == 200


def test_the_contact_and_the_models_are_named() -> None:
    contact = {"name": "Ana", "email": "ana@example.org"}
    world = factories.world(contact=contact, privacy={"en": "Kept for two years."})
    world.endpoint.operator, world.endpoint.country = "Our institute", "Italy"
    world.endpoint.save()
    client = browser_of(joined(world))
    assert "ana@example.org" in page(client.get("/help/")).words
    words = page(client.get("/privacy/")).words
    assert "run by Our institute" in words
    assert "Kept for two years." in words


def test_the_last_pages_keep_to_their_budgets(
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    world = factories.world(prompts=3)
    enrolment = joined(world)
    for _ in range(2):
        finished(enrolment)
    client = browser_of(enrolment)
    for address in ("/closing/", "/withdraw/", "/help/", "/privacy/", "/accessibility/"):
        with django_assert_max_num_queries(8):
            assert client.get(address).status_code == 200
