"""Breaks, the time they are offered after, and more time for an open conversation."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django.fixtures import DjangoAssertNumQueries

from annotation import effort, resting
from annotation.effort import minutes_left, own_pace, time_worked
from annotation.models import Assignment, Break, Comparison
from annotation.steps import Do, next_step
from studies.models import Enrolment, Sitting
from tests import factories
from tests.annotation.talking import (
    claimed,
    finished,
    joined,
    judge,
    opened,
    say,
    shown_first_turn,
    sitting_of,
)
from tests.annotation.visiting import browser_of, page, send
from tests.breaking import sql

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)


def long_ago(enrolment: Enrolment, *, minutes: int) -> None:
    """Put all that somebody did so many minutes apart, the last of it now."""
    sql("SET session_replication_role = replica")  # these rows never change, but for this test
    sql("UPDATE annotation_turn SET asked_at = now() - %s * interval '1 min'", [minutes])
    sql("UPDATE annotation_turn SET shown_at = asked_at")
    sql("UPDATE sampling_candidateset SET ready_at = now() - interval '1 day'")
    sql(
        "UPDATE annotation_assignment SET created_at = now() - %s * interval '1 min'",
        [minutes],
    )
    sql("SET session_replication_role = DEFAULT")


def test_a_break_is_taken_by_the_bars_button_and_ended_by_the_pages() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    client = browser_of(enrolment)
    form = page(client.get(f"/conversation/{scene.conversation_id}/")).form_to("/pause/")

    assert send(client, form)["Location"] == "/pause/"
    assert client.get("/work/")["Location"] == "/pause/"
    seen = page(client.get("/pause/"))
    assert "You are having a break" in seen.words
    assert "You have not chosen an answer there yet." in seen.words
    assert seen.forms[0].action == "/pause/end/"
    assert send(client, seen.forms[0])["Location"] == "/work/"
    assert "/conversation/" in client.get("/work/")["Location"]
    assert Break.objects.get().ended_at is not None


def test_the_main_form_stays_the_first_of_the_page() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    seen = page(browser_of(enrolment).get(f"/conversation/{scene.conversation_id}/"))
    assert seen.forms[0].action.endswith("/comparison/")


def test_a_break_twice_is_one_and_going_on_twice_too() -> None:
    client = browser_of(joined(factories.world()))
    for address in ("/pause/", "/pause/", "/pause/end/", "/pause/end/"):
        assert client.post(address).status_code == 303
    assert Break.objects.count() == 1


def test_the_recap_says_what_counts_and_what_was_said_last() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene, place=1)
    client = browser_of(enrolment)
    client.post("/pause/")
    assert "you chose B" in page(client.get("/pause/")).words
    say(enrolment, scene, "And if he <b>forgets</b>?")
    words = page(client.get("/pause/")).words
    assert "And if he <b>forgets</b>?" in words
    assert "at turn 2" in words


def test_what_is_sent_during_a_break_is_stored_as_ever() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    client = browser_of(enrolment)
    form = page(client.get(f"/conversation/{scene.conversation_id}/")).forms[0]
    browser_of(enrolment).post("/pause/")  # another tab
    assert send(client, form, choice=form.options["choice"][0]).status_code == 303
    assert Comparison.objects.count() == 1


def test_a_break_begins_the_time_of_the_open_conversation_anew() -> None:
    enrolment = joined(factories.world())
    opened(enrolment)
    Assignment.objects.update(deadline=timezone.now() + MINUTE)
    browser_of(enrolment).post("/pause/")
    later = timezone.now() + 100 * MINUTE
    assert Assignment.objects.filter(deadline__gt=later).exists()


def test_whoever_is_done_takes_no_break() -> None:
    world = factories.world(conversations=1, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    finished(enrolment)
    client = browser_of(enrolment)
    assert client.post("/pause/").status_code == 303
    assert client.get("/pause/")["Location"] == "/work/"
    assert not Break.objects.exists()


# --- Offering -------------------------------------------------------------------------------------


def test_a_break_is_offered_between_two_conversations_after_much_work() -> None:
    world = factories.world(prompts=3, conversations=3, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    for _ in range(2):
        finished(enrolment)
    assert next_step(enrolment).do is Do.START

    sql("UPDATE annotation_assignment SET created_at = created_at - interval '20 min'")
    assert next_step(enrolment).do is Do.START  # an hour away, but no more work than gaps count
    sql("UPDATE studies_sitting SET created_at = created_at - interval '1 day'")
    long_ago(enrolment, minutes=9)
    assert time_worked(enrolment.pk) < resting.OFFER_AFTER
    assert next_step(enrolment).do is Do.START


@pytest.fixture
def tired() -> Enrolment:
    """Somebody between two conversations who has worked a little more than 3 x 9 minutes."""
    world = factories.world(prompts=4, conversations=4, turns={"min": 1, "max": 1})
    enrolment = joined(world)
    for _ in range(3):
        finished(enrolment)
    long_ago(enrolment, minutes=9)
    return enrolment


def test_an_offer_can_be_taken(tired: Enrolment) -> None:
    client = browser_of(tired)
    assert client.get("/work/")["Location"] == "/pause/"
    seen = page(client.get("/pause/"))
    assert "You have worked for about 28 minutes" in seen.words
    assert send(client, seen.form_to("/pause/"))["Location"] == "/pause/"
    assert "You are having a break" in page(client.get("/pause/")).words


def test_an_offer_can_be_declined_and_is_not_made_again_at_once(tired: Enrolment) -> None:
    client = browser_of(tired)
    form = page(client.get("/pause/")).form_to("/pause/later/")
    assert send(client, form)["Location"] == "/work/"
    assert "/conversation/" in client.get("/work/")["Location"]


def test_after_the_last_conversation_no_break_is_offered(tired: Enrolment) -> None:
    Sitting.objects.update(target=3)
    assert next_step(tired).do is not Do.REST


# --- Time -----------------------------------------------------------------------------------------


def test_waiting_that_we_cause_counts_and_idling_only_so_far() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    now = timezone.now()
    sql("SET session_replication_role = replica")
    for statement, at in (
        ("UPDATE annotation_assignment SET created_at = %s", 120),
        ("UPDATE annotation_turn SET asked_at = %s", 120),
        ("UPDATE sampling_candidateset SET ready_at = %s", 100),  # 20 minutes that we took
        ("UPDATE annotation_turn SET shown_at = %s", 99),
        ("UPDATE annotation_comparison SET submitted_at = %s", 9),  # 90 minutes: idle
    ):
        sql(statement, [now - at * MINUTE])
    sql("SET session_replication_role = DEFAULT")

    assert time_worked(enrolment.pk) == 20 * MINUTE + MINUTE + effort.IDLE


def test_pace_is_the_middle_of_what_was_done_in_one_go() -> None:
    assert own_pace([]) is None
    assert own_pace([3 * MINUTE, 8 * MINUTE, 4 * MINUTE, 600 * MINUTE]) == 4 * MINUTE


@pytest.mark.parametrize(
    ("conversations", "pace", "minutes"),
    [(2, 4 * MINUTE, 8), (3, 4 * MINUTE, 15), (0, 4 * MINUTE, 0), (2, None, 0), (0.1, MINUTE, 1)],
)
def test_minutes_left_promise_no_more_than_is_known(
    conversations: float, pace: timedelta | None, minutes: int
) -> None:
    assert minutes_left(conversations, pace) == minutes


def test_a_new_person_is_told_the_pace_of_their_cohort() -> None:
    effort.pace_at.cache_clear()
    world = factories.world(turns={"min": 1, "max": 1})
    finished(joined(world))
    sql("UPDATE annotation_assignment SET created_at = ended_at - interval '4 min'")
    enrolment, scene = shown_first_turn(world)
    client = browser_of(enrolment)
    assert (
        "about 8 minutes left" in page(client.get(f"/conversation/{scene.conversation_id}/")).words
    )


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_the_first_person_of_a_cohort_is_told_what_the_study_says(share: float) -> None:
    effort.pace_at.cache_clear()
    made = factories.world(prompts=2, conversations=2, minutes=9, own_prompt_share=share)
    client = browser_of(joined(made))
    assert "about 9 minutes left" in page(client.get("/work/", follow=True)).words
    assert "The rest takes about 9 minutes." in page(client.get("/pause/")).words
    assert "Minutes left about 9" in page(client.get("/my-work/")).words


# --- More time ------------------------------------------------------------------------------------


def test_a_page_says_until_when_and_gives_more_time() -> None:
    enrolment, scene = shown_first_turn(factories.world())
    Assignment.objects.update(deadline=timezone.now() + 3 * MINUTE)
    client = browser_of(enrolment)
    address = f"/conversation/{scene.conversation_id}/"
    seen = page(client.get(address))
    [warning] = seen.having("data-warn-in")
    assert 40 <= int(warning["data-warn-in"]) <= 60  # two minutes before
    assert "This conversation is kept for you until" in seen.words

    assert send(client, seen.form_to("/extend/")).status_code == 303

    [warning] = page(client.get(address)).having("data-warn-in")
    assert int(warning["data-warn-in"]) > 6000


@pytest.mark.parametrize("address", ["/extend/", "/pause/"])
def test_what_is_being_typed_comes_along_and_is_kept(address: str) -> None:
    """Without scripts these buttons belong to the form that holds the text."""
    enrolment, scene = shown_first_turn(factories.world())
    judge(enrolment, scene)
    client = browser_of(enrolment)
    talk = f"/conversation/{scene.conversation_id}/"
    seen = page(client.get(talk))
    buttons = [one for one in seen.having("formaction") if one["formaction"] == address]
    assert [one["form"] for one in buttons] == ["message"]
    form = seen.form_to("/message/")

    assert client.post(address, {**form.fields, "text": "What if"}).status_code == 303

    assert page(client.get(talk)).form_to("/message/").fields["text"].strip() == "What if"


def test_a_script_gets_only_the_part_of_the_page() -> None:
    enrolment, _ = shown_first_turn(factories.world())
    client = browser_of(enrolment)
    response = client.post("/extend/", headers={"HX-Request": "true"})
    assert response.status_code == 200
    assert page(response).forms[0].action == "/extend/"
    assert "<html" not in response.content.decode()


def test_the_form_of_an_own_opening_says_it_too() -> None:
    enrolment = joined(factories.world(own_prompt_share=1.0))
    claimed(enrolment)
    assert list(page(browser_of(enrolment).get("/work/")).having("data-warn-in"))


def test_a_sitting_goes_on_with_the_conversation_that_is_open_in_it() -> None:
    enrolment, _ = shown_first_turn(factories.world())
    Sitting.objects.update(deadline=timezone.now() + MINUTE)
    browser_of(enrolment).post("/extend/")
    assert sitting_of(enrolment).deadline > timezone.now() + 100 * MINUTE


@pytest.mark.parametrize("address", ["/pause/", "/my-work/"])
def test_without_an_open_conversation_it_is_the_sitting_that_is_extended(address: str) -> None:
    enrolment = joined(factories.world())
    Sitting.objects.update(deadline=timezone.now() + 3 * MINUTE)
    client = browser_of(enrolment)
    seen = page(client.get(address))
    [warning] = seen.having("data-warn-in")
    assert 40 <= int(warning["data-warn-in"]) <= 60
    assert "Your part in this study is open until" in seen.words

    assert send(client, seen.form_to("/extend/"))["Location"] == address

    assert sitting_of(enrolment).deadline > timezone.now() + 100 * MINUTE


def test_a_break_warns_of_whatever_ends_first() -> None:
    enrolment, _ = shown_first_turn(factories.world())
    resting.take_break(enrolment=enrolment)
    Sitting.objects.update(deadline=timezone.now() + 3 * MINUTE)
    seen = page(browser_of(enrolment).get("/pause/"))
    [warning] = seen.having("data-warn-in")
    assert int(warning["data-warn-in"]) <= 60
    assert "The open conversation is kept for you until" in seen.words


def test_a_script_on_a_conversation_that_is_over_is_led_on_and_not_told_of_the_sitting() -> None:
    client = browser_of(joined(factories.world()))
    script = {"HX-Request": "true"}
    assert client.post("/extend/", headers=script).headers["HX-Redirect"] == "/work/"
    given = client.post("/extend/", {"page": "my-work"}, headers=script)
    assert "Your part in this study is open until" in page(given).words


@pytest.mark.parametrize("table", ["annotation_assignment", "studies_sitting"])
def test_time_that_has_run_out_is_not_given_again(table: str) -> None:
    enrolment, _ = shown_first_turn(factories.world())
    sql(f"UPDATE {table} SET deadline = now() - interval '1 min'")
    response = browser_of(enrolment).post("/extend/", headers={"HX-Request": "true"})
    assert response.headers["HX-Redirect"] == "/work/"
    [(deadline,)] = sql(f"SELECT deadline FROM {table}")
    assert deadline < timezone.now()


def test_time_that_was_given_is_never_taken_back() -> None:
    enrolment, _ = shown_first_turn(factories.world())
    far = timezone.now() + timedelta(days=3)
    Assignment.objects.update(deadline=far)
    browser_of(enrolment).post("/extend/")
    assert Assignment.objects.get().deadline == far


def test_where_a_person_stands_is_still_one_statement(
    tired: Enrolment, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(1):
        next_step(tired)
