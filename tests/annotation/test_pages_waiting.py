from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from annotation import scenes
from annotation.models import Assignment, Conversation, Turn
from annotation.rendering import render_markdown
from annotation.turns import prompt_by_id
from annotation.views.presenting import notices_of_plan
from annotation.views.wording import minutes_to_say
from exports.synthetic.conversations import Place, converse
from exports.synthetic.rolls import Rolls
from sampling.live import set_of_token
from sampling.models import CandidateSet, Plan
from sampling.reasons import Reason
from studies.models import Enrolment
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import Page, at_most, browser_of, page, send
from tests.factories import World

pytestmark = pytest.mark.django_db
SWAP = {"HX-Request": "true", "HX-Target": "turn"}


@pytest.fixture
def waiting() -> tuple[Client, str, Turn]:
    """A browser on the page of a conversation whose first set is pending, and that turn."""
    enrolment = talking.joined(factories.world())
    talk = talking.opened(enrolment)
    return browser_of(enrolment), f"/conversation/{talk.pk}/", Turn.objects.get()


def status_of(response: Any) -> dict[str, str]:
    return next(page(response).having("data-set"))


def root(markup: str) -> str:
    """The one root element of the fragment, white space apart, form tokens and keys taken out."""
    shown = markup[markup.index('<div id="turn"') :]
    depth, at = 0, 0
    while True:
        opens, closes = shown.find("<div", at), shown.find("</div>", at)
        if opens != -1 and opens < closes:
            depth, at = depth + 1, opens + 4
        else:
            depth, at = depth - 1, closes + 6
        if depth == 0:
            return steady(shown[:at])


def steady(markup: str) -> str:
    hidden = page_fields(markup)
    for value in hidden:
        markup = markup.replace(value, "*")
    return " ".join(markup.split())


def page_fields(markup: str) -> list[str]:
    """What changes with every rendering: tokens, keys, drafts."""
    names = ("csrfmiddlewaretoken", "idempotency_key", "draft")
    return [
        form.fields[name] for form in Page(markup).forms for name in names if name in form.fields
    ]


def test_the_waiting_page_says_which_set_and_how_it_stands(
    waiting: tuple[Client, str, Turn],
) -> None:
    client, address, turn = waiting
    response = client.get(address)

    assert response.status_code == 200
    assert status_of(response)["role"] == "status"
    assert status_of(response)["data-set"] == str(turn.set_id)
    assert status_of(response)["data-set-state"] == "pending"


def test_without_scripting_the_page_refreshes_itself_while_it_waits(
    waiting: tuple[Client, str, Turn],
) -> None:
    client, address, turn = waiting
    refresh = '<noscript><meta http-equiv="refresh"'
    assert refresh in client.get(address).content.decode()
    talking.write_set(turn.set_id)

    assert refresh not in client.get(address).content.decode()


def test_progress_is_told_as_it_is(waiting: tuple[Client, str, Turn]) -> None:
    client, address, turn = waiting
    sets = CandidateSet.objects.filter(pk=turn.set_id)
    lease = factories.in_hours(1)
    sets.update(state="generating", lease_until=lease, attempt=1, progress=2)
    shown = page(client.get(address))

    assert "2 of 4 answers are written" in shown.words
    assert next(shown.having("data-set-state"))["data-set-state"] == "generating"
    assert not list(shown.having("data-candidate"))


def took(plan: Plan, seconds: float) -> None:
    """A set of the plan that was made in so many seconds."""
    made = factories.ready_set(plan)
    started = timezone.now() - timedelta(seconds=seconds)
    made.attempt_log = [{"attempt": 1, "started_at": started.isoformat(), "outcome": "ready"}]
    made.ready_at = started + timedelta(seconds=seconds)
    made.save(update_fields=["attempt_log", "ready_at"])


@pytest.mark.parametrize(("seconds", "words"), [(40, ""), (61, "2 minutes"), (660, "15 minutes")])
def test_a_long_wait_is_told_in_minutes_in_the_page_and_in_its_fragment(
    waiting: tuple[Client, str, Turn], seconds: float, words: str
) -> None:
    client, address, turn = waiting
    took(turn.set.plan, seconds)

    for headers in ({}, SWAP):
        shown = page(client.get(address, headers=headers)).words
        if words:
            assert f"in line: about {words} until they are here" in shown
        else:
            assert "The answers are next in line" in shown


def test_no_estimate_is_made_up(waiting: tuple[Client, str, Turn]) -> None:
    client, address, _ = waiting

    assert "minute" not in page(client.get(address)).words


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(0, 0), (59, 0), (60, 1), (61, 2), (600, 10), (601, 15), (900, 15), (3601, 65)],
)
def test_minutes_are_rounded_up_and_coarser_when_they_are_many(seconds: int, minutes: int) -> None:
    assert minutes_to_say(timedelta(seconds=seconds)) == minutes


def test_a_failed_set_says_so_and_can_be_tried_again(waiting: tuple[Client, str, Turn]) -> None:
    client, address, turn = waiting
    sets = CandidateSet.objects.filter(pk=turn.set_id)
    sets.update(state="failed", reason="Traceback: ConnectionRefusedError 10.0.0.1")
    response = client.get(address)

    assert status_of(response)["data-set-state"] == "failed"
    assert "Traceback" not in response.content.decode()
    retry = page(response).forms[0]
    assert send(client, retry).status_code == 303
    assert status_of(client.get(address))["data-set-state"] == "pending"
    assert status_of(client.get(address))["data-set"] != str(turn.set_id)


@pytest.mark.parametrize("reason", [Reason.MESSAGE_BLOCKED, Reason.SET_ASIDE])
def test_where_a_check_had_the_last_word_one_can_skip_and_not_try_again(
    waiting: tuple[Client, str, Turn], reason: Reason
) -> None:
    client, address, turn = waiting
    CandidateSet.objects.filter(pk=turn.set_id).update(state="failed", reason=reason)

    shown = page(client.get(address))

    assert "Nothing that you wrote is lost. You can skip this conversation" in shown.words
    assert "Try again" not in shown.words


@pytest.mark.parametrize("measure", ["unsafe", "unsafe_message", "near_in_sense"])
def test_what_the_safety_check_found_is_said_above_the_conversation_and_beside_no_answer(
    waiting: tuple[Client, str, Turn], measure: str
) -> None:
    client, address, turn = waiting
    finding = {"measure": measure, "action": "mark", "slots": [2], "said": "found"}
    said = "An automatic check found that something in this conversation may be upsetting."
    CandidateSet.objects.filter(pk=turn.set_id).update(guard={"findings": [finding]})
    assert said not in page(client.get(address)).words

    talking.write_set(turn.set_id)

    words = page(client.get(address)).words
    assert words.count(said) == (1 if measure.startswith("unsafe") else 0)


def test_the_page_follows_its_own_set_on_the_live_channel(
    waiting: tuple[Client, str, Turn],
) -> None:
    client, address, turn = waiting
    live = next(page(client.get(address)).having("sse-connect"))

    path, token = live["sse-connect"].split("?token=")
    assert path == "/live/"
    assert set_of_token(token.replace("%3A", ":")) == turn.set_id


def test_polling_slows_down_and_ends_with_the_wait(waiting: tuple[Client, str, Turn]) -> None:
    client, address, turn = waiting
    polls, where = [], address
    for _ in range(4):
        root_element = next(page(client.get(where, headers=SWAP)).having("data-poll"))
        polls.append(root_element["data-poll"])
        where = root_element["hx-get"]
    assert polls == ["2", "3", "5", "5"]

    talking.write_set(turn.set_id)
    assert not list(page(client.get(where, headers=SWAP)).having("hx-get"))


@pytest.mark.parametrize("state", ["pending", "generating", "failed", "ready"])
def test_the_fragment_is_what_a_reload_shows(waiting: tuple[Client, str, Turn], state: str) -> None:
    client, address, turn = waiting
    sets = CandidateSet.objects.filter(pk=turn.set_id)
    if state == "ready":
        talking.write_set(turn.set_id)
    elif state == "failed":
        sets.update(state=state, reason="guard_rejected")
    elif state == "generating":
        sets.update(state=state, lease_until=factories.in_hours(1), attempt=1)
    fragment = client.get(address, headers=SWAP).content.decode()

    assert fragment.lstrip().startswith('<div id="turn"')
    assert root(fragment) == root(client.get(address).content.decode())
    assert steady(fragment) == root(fragment)


def test_a_boosted_request_gets_the_whole_page(waiting: tuple[Client, str, Turn]) -> None:
    client, address, _ = waiting
    response = client.get(address, headers={**SWAP, "HX-Boosted": "true"})

    assert "<html" in response.content.decode()


def test_a_fragment_for_a_lost_session_reloads_the_page(
    waiting: tuple[Client, str, Turn],
) -> None:
    response = Client().get(waiting[1], headers=SWAP)

    assert response.status_code == 403
    assert response.headers["HX-Refresh"] == "true"


def test_all_candidates_appear_at_once_and_stay_in_their_order(
    waiting: tuple[Client, str, Turn],
) -> None:
    client, address, turn = waiting
    talking.write_set(turn.set_id)
    first, second = (list(page(client.get(address)).having("data-candidate")) for _ in range(2))

    assert len(first) == 4
    assert first == second


# --- Queries --------------------------------------------------------------------------------------


def many_conversations(of: World, times: int) -> Enrolment:
    """An annotator with this many finished conversations behind them."""
    sitting = factories.person(of)
    for one in Assignment.objects.bulk_create(
        Assignment(
            enrolment_id=sitting.enrolment_id,
            sitting=sitting,
            cohort=of.cohort,
            cell=None,
            arm=of.arm,
            state="submitted",
            claim_no=n + 1,
            p_prompt=1.0,
            p_arm=1.0,
        )
        for n in range(times)
    ):
        factories.conversation(of, under=one, ended_at=one.created_at, ended_reason="finished")
    sitting.target = times + 5
    sitting.save(update_fields=["target"])
    return talking.reloaded(sitting.enrolment)


@pytest.mark.parametrize("behind", [10, 200])
def test_pages_keep_to_their_query_budgets(behind: int) -> None:
    client = browser_of(many_conversations(factories.world(prompts=3), behind))
    address = client.get("/work/").headers["Location"]
    talking.write_set(Turn.objects.latest("asked_at").set_id)
    with at_most(8):
        client.get("/work/")
    with at_most(8):
        form = page(client.get(address)).form_to("/comparison/")  # the first showing
    with at_most(8):
        client.get(address)
    with at_most(12):
        assert send(client, form, choice=form.options["choice"][0]).status_code == 303
    with at_most(8):
        form = page(client.get(address)).form_to("/message/")
    with at_most(12):
        assert send(client, form, text="And then?").status_code == 303
    with at_most(8):
        assert client.get(address, headers=SWAP).status_code == 200


def test_a_first_turn_whose_set_nobody_asked_for_yet_is_asked_for_within_the_budget() -> None:
    world = factories.world(prompts=2, overlap=9)
    browser_of(talking.joined(world)).get("/work/")  # what a process reads once,
    for one in world.prompts:
        prompt_by_id(one.pk)  # and once for each prompt
    CandidateSet.objects.update(retired_at=factories.in_hours(0))
    client = browser_of(talking.joined(world))
    with at_most(8):
        assert client.get("/work/").status_code == 303
    assert CandidateSet.objects.filter(retired_at=None).count() == 1


def fill(of: World, conversations: int) -> None:
    """Finished conversations of other people in the same study, by COPY."""
    openings = {cell.pk: factories.opening(cell.prompt) for cell in of.cells}
    place = Place(cohort=of.cohort, arm=of.arm, plan=of.plan, prompts=openings)
    while (missing := conversations - Conversation.objects.count()) > 0:
        # One comparison at least for each: never more conversations than are missing.
        converse(
            version=of.version, places=[place], rolls=Rolls(factories.number()), at_most=missing
        )


def statements(enrolment: Enrolment) -> tuple[int, int, int]:
    """Of the work page, the conversation's first showing, and a submit, with the set ready."""
    client = browser_of(enrolment)
    notices_of_plan.cache_clear()  # read once a minute: here, every time
    prompt_by_id.cache_clear()  # and once for each prompt: which one is drawn is chance
    with CaptureQueriesContext(connection) as work:
        address = client.get("/work/").headers["Location"]
    with CaptureQueriesContext(connection) as shown:
        form = page(client.get(address)).form_to("/comparison/")
    with CaptureQueriesContext(connection) as submit:
        assert send(client, form, choice=form.options["choice"][0]).status_code == 303
    return len(work), len(shown), len(submit)


def test_pages_cost_the_same_in_a_study_of_ten_and_of_a_thousand_conversations() -> None:
    """`make bench ROW=queries` goes on to ten thousand, which takes half a minute to fill."""
    world = factories.world(prompts=40, overlap=1_000_000)
    for prompt in world.prompts:
        context = [factories.user(factories.opening(prompt))]
        factories.ready_set(world.plan, context=context, shared=True)
    statements(talking.joined(world))  # what stays the same for a process is read once
    fill(world, 10)
    small = statements(talking.joined(world))
    fill(world, 1_000)

    assert statements(talking.joined(world)) == small


def test_a_claim_costs_the_same_however_many_conversations_there_are() -> None:
    """Warm: sets are there, and what stays the same for the life of a process has been read."""
    world = factories.world(prompts=2, overlap=9)
    for _ in world.prompts:
        browser_of(many_conversations(world, 0)).get("/work/")
    for behind in (10, 200):
        client = browser_of(many_conversations(world, behind))
        with at_most(8):
            assert client.get("/work/").status_code == 303


# --- Markdown -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[click](javascript:alert(1))",
        "[click](https://example.org)",
        "![x](https://example.org/x.png)",
        "<https://example.org>",
        '<a href="https://example.org">x</a>',
    ],
)
def test_model_output_becomes_no_live_markup(text: str) -> None:
    rendered = render_markdown(text)

    assert not any(tag in rendered for tag in ("<a", "<img", "<script"))


def test_markdown_keeps_its_structure_and_loses_turning_marks() -> None:
    rendered = render_markdown("**Yes**, \u202ebut\u202c:\n\n1. first\n2. second")

    assert "<strong>Yes</strong>" in rendered
    assert "<li>second</li>" in rendered
    assert "\u202e" not in rendered


@pytest.mark.parametrize("reason", Reason)
def test_the_page_of_a_failed_set_says_why(
    waiting: tuple[Client, str, Turn], reason: Reason
) -> None:
    browser, address, turn = waiting
    CandidateSet.objects.filter(pk=turn.set_id).update(state="failed", reason=reason)

    shown = unescape(browser.get(address).content.decode())

    assert f"<p>{reason.label}</p>" in shown


def test_a_wait_that_lasts_says_that_it_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    enrolment = talking.joined(factories.world())
    talk = talking.opened(enrolment)
    client, long = browser_of(enrolment), "This takes longer than usual"
    assert long not in page(client.get(f"/conversation/{talk.pk}/")).words

    monkeypatch.setattr(scenes, "LONG", timedelta(0))
    shown = page(client.get(f"/conversation/{talk.pk}/"))
    assert long in shown.words
    assert long in next(shown.having("data-announce"))["data-announce"]
    assert shown.form_to("/skip/")


def test_a_browser_that_keeps_no_cookies_is_told_what_helps() -> None:
    world = factories.world()
    factories.invitation(world.cohort, token="open-token")
    joined = Client().get("/join/open-token/")
    shown = Client().get(joined["Location"])
    sent = Client(enforce_csrf_checks=True).post(joined["Location"], {"consent": "yes"})

    for refused in (shown, sent):
        assert refused.status_code == 403
        assert "Does your browser keep cookies?" in page(refused).words
