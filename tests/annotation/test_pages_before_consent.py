"""What a person reads before they agree, in numbers and money of their own."""

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from annotation.before_consent import facts_of
from sampling.models import Endpoint
from studies import access
from studies.models import Enrolment, Invitation
from studies.rules import rules_of
from tests import factories
from tests.annotation.visiting import page
from tests.factories import World

pytestmark = pytest.mark.django_db
HOURLY = {"amount": 12, "currency": "USD", "per": "hour"}


def welcome(of: World, client: Client, language: str = "en") -> str:
    client.get(f"/join/{access.invite_openly(of.cohort)}/")
    client.cookies[settings.LANGUAGE_COOKIE_NAME] = language
    return page(client.get("/welcome/")).words


def test_the_page_before_consent_tells_all_there_is_to_know(client: Client) -> None:
    world = factories.world(
        minutes=20,
        pay=HOURLY,
        limits={"per_day": 2},
        about={"en": "A study of **everyday** questions."},
        content_note={"en": "Some questions are about loss."},
    )
    Endpoint.objects.update(operator="Inference Ltd", country="IE", retention="nothing is kept")
    words = welcome(world, client)

    for told in (
        "A study of everyday questions.",
        "Some questions are about loss.",
        "2 conversations with an AI model",
        "About 20 minutes in all",
        "At most 2 conversations in 24 hours",
        "$12.00 for an hour, which is about $4.00 in all",
        "What is stored",
        "how far you read each answer, how long the page is open",
        "before you send it",
        "with one click on every page",
        "you must be 18 or older",
        "Inference Ltd (Ireland) · nothing is kept",
    ):
        assert told in words
    assert '<a href="/privacy/">More about this</a>' in client.get("/welcome/").content.decode()


@pytest.mark.parametrize(
    ("pay", "minutes", "sitting", "hourly", "currency"),
    [
        ({"amount": 3.5, "currency": "GBP", "per": "sitting"}, 30, "3.50", "7.00", "GBP"),
        ({"amount": 0.8, "currency": "EUR", "per": "conversation"}, 10, "1.60", "9.60", "EUR"),
        (
            {**HOURLY, "by_country": {"IN": {"amount": 300, "currency": "INR"}}},
            30,
            "150.00",
            "300.00",
            "INR",
        ),
    ],
)
def test_pay_is_told_for_the_sitting_and_for_an_hour_in_local_currency(
    pay: dict[str, object], minutes: int, sitting: str, hourly: str, currency: str
) -> None:
    world = factories.world(country="IN", minutes=minutes, pay=pay)
    rules = rules_of(world.version)
    paid = facts_of(cohort=world.cohort, rules=rules, locale="en", by_panel=False).paid
    assert paid is not None
    assert (f"{paid.sitting:.2f}", f"{paid.hourly:.2f}", paid.currency) == (
        sitting,
        hourly,
        currency,
    )


def test_money_and_numbers_are_written_as_the_interface_language_does(client: Client) -> None:
    pay = {"amount": 1234.5, "currency": "INR", "per": "sitting"}
    world = factories.world(minutes=60, pay=pay)

    assert "₹1,234.50" in welcome(world, client, "hi")
    assert "1 234,50 ₹" in welcome(world, client, "fr").replace("\u202f", " ").replace("\xa0", " ")


def test_a_study_that_pays_nothing_says_so(client: Client) -> None:
    words = welcome(factories.world(), client)

    assert "taking part is voluntary" in words
    assert "number at the panel" not in words


# --- Personal links


def test_a_used_personal_link_goes_on_in_the_same_browser_only(client: Client) -> None:
    world = factories.world()
    [token] = access.invite_personally(world.cohort)
    client.get(f"/join/{token}/")
    client.post("/welcome/", {"consent": "yes"})

    assert client.get(f"/join/{token}/").headers["Location"] == "/work/"
    elsewhere = Client().get(f"/join/{token}/")
    assert elsewhere.status_code == 410
    assert "open the personal link that you were given" in page(elsewhere).words
    assert Enrolment.objects.count() == 1


def test_a_personal_link_has_its_time() -> None:
    world = factories.world()
    [token] = access.invite_personally(world.cohort, expires_at=timezone.now())

    assert Client().get(f"/join/{token}/").status_code == 410


def test_tokens_of_personal_links_are_kept_as_hashes_only() -> None:
    tokens = access.invite_personally(factories.world().cohort, count=3)
    stored = str(list(Invitation.objects.values()))

    assert len(set(tokens)) == 3
    assert not [token for token in tokens if token in stored]
