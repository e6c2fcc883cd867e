"""Drawing a set: rounds, repairs, records, and the promise that no bad set is ever ready."""

import asyncio
import itertools
import json
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sampling import drawing, errors, plans, simulated
from sampling.calls import CallRecord, Reply
from sampling.guard.likeness import normalised
from sampling.guard.shapes import error_text
from sampling.messages import message, unusable
from sampling.strategies import REGISTRY
from tests.sampling.drawings import (
    MARKED,
    SET_ID,
    TEXTS,
    ScriptedSend,
    context,
    draw,
    draw_from,
    drawn,
    endpoint,
    plan,
)

NAMES = sorted(set(REGISTRY) - {"mix", "given"})
SHORT = "Yes, do."


def test_a_set_has_its_drafts_in_slot_order_and_a_record_of_each_call() -> None:
    result = draw(ScriptedSend(TEXTS))

    assert [draft.slot for draft in result.drafts] == [0, 1, 2, 3]
    assert [draft.text for draft in result.drafts] == TEXTS[:4]
    assert [draft.call for draft in result.drafts] == [call.n for call in result.calls]
    assert result.verdict.passed
    assert result.diversity.vendi > 3


def test_one_generation_makes_all_texts() -> None:
    result = draw(ScriptedSend([MARKED]), plan("nc_single"))

    assert [draft.text for draft in result.drafts] == TEXTS[:4]
    assert {draft.call for draft in result.drafts} == {0}
    assert result.drafts[0].n_tokens is None


def test_community_alignment_keeps_three_and_remembers_the_fourth() -> None:
    send = ScriptedSend(lambda body: MARKED if "###" in str(body) else TEXTS[4])

    result = draw(send, plan("community_alignment"))

    assert [draft.text for draft in result.drafts] == [*TEXTS[:3], TEXTS[4]]
    assert [draft.role for draft in result.drafts] == ["nc_single"] * 3 + ["default"]
    assert result.drafts[0].provenance["left_over"] == [TEXTS[3]]


def test_only_the_answer_that_failed_is_made_again() -> None:
    send = ScriptedSend([TEXTS[0], SHORT, TEXTS[1], TEXTS[2], TEXTS[3]])

    result = draw(send, plan("persona"))

    assert [draft.text for draft in result.drafts] == [TEXTS[0], TEXTS[3], TEXTS[1], TEXTS[2]]
    assert [call.n for call in result.calls] == [0, 1, 2, 3, 5]
    assert result.drafts[1].call == 5
    assert [one.bad_slots for one in result.verdict.earlier] == [frozenset({1})]


def test_a_wrong_count_makes_the_whole_generation_again_and_keeps_the_default() -> None:
    tries = iter(["### one alone", MARKED])
    send = ScriptedSend(lambda body: next(tries) if "###" in str(body) else TEXTS[4])

    result = draw(send, plan("community_alignment"))

    assert [call.n for call in result.calls] == [0, 1, 2]
    assert [draft.call for draft in result.drafts] == [2, 2, 2, 1]


def test_a_wrong_count_in_every_round_is_a_rejection_that_says_so() -> None:
    three = MARKED.rpartition("### ")[0]

    with pytest.raises(errors.GuardRejected, match="3 responses where 4 were asked") as caught:
        draw(ScriptedSend([three, three]), plan("nc_single"))

    assert caught.value.retryable
    assert len(caught.value.calls) == 2
    assert not caught.value.verdict.passed


def test_five_responses_are_refused_and_their_stream_is_stopped() -> None:
    five = MARKED + "\n\n### " + TEXTS[4] + "\n\n### " + TEXTS[5]

    with pytest.raises(errors.GuardRejected, match="5 responses") as caught:
        draw(ScriptedSend([five]), plan("nc_single", repairs=0))

    reply = caught.value.calls[0].reply
    assert reply
    assert reply.stopped_early == "response 5 began"


def test_a_finding_that_the_plan_fails_ends_the_attempt_at_once() -> None:
    send = ScriptedSend([*TEXTS[:3], SHORT])

    with pytest.raises(errors.GuardRejected):
        draw(send, plan("persona", guard={"too_short": "fail"}, repairs=3))

    assert len(send.bodies) == 4


def test_a_baselines_likeness_and_length_are_only_marked() -> None:
    alike = [TEXTS[0], TEXTS[0].replace("money", "savings"), SHORT, TEXTS[1]]

    result = draw(ScriptedSend(alike))

    found = {finding.measure: finding.action for finding in result.verdict.findings}
    assert found["near_duplicate"] == found["too_short"] == "mark"
    with pytest.raises(errors.GuardRejected):
        draw(ScriptedSend(alike), plan("persona", repairs=0))


def test_twins_are_never_ready_though_it_is_the_baseline() -> None:
    with pytest.raises(errors.GuardRejected, match="the same"):
        draw(ScriptedSend([TEXTS[0]] * 8))


def test_answers_cut_in_mid_sentence_end_at_their_last_whole_one() -> None:
    cut = [f"{text} And then you should also consider the" for text in TEXTS[:4]]

    result = draw(ScriptedSend(cut, finish_reason="length"))

    assert [draft.text for draft in result.drafts] == TEXTS[:4]
    assert result.drafts[0].provenance["trimmed"] == "And then you should also consider the"
    assert result.calls[0].reply
    assert result.calls[0].reply.text == cut[0]


def test_a_generation_at_its_limit_is_made_again_for_its_last_answer_alone() -> None:
    with pytest.raises(errors.GuardRejected, match="cut off") as caught:
        draw(ScriptedSend([MARKED] * 2, finish_reason="length"), plan("nc_single"))

    assert caught.value.verdict.bad_slots == {3}


def test_the_wordings_of_a_request_are_echoes_and_its_message_is_none() -> None:
    leaking = "A person of reason, evidence and each person's own judgement would lend it."
    quoting = "If my brother wants to borrow money to open a shop, he has to show me the numbers."
    send = ScriptedSend([TEXTS[0], leaking, TEXTS[1], TEXTS[2], quoting])

    result = draw(send, plan("persona"))

    assert [one.bad_slots for one in result.verdict.earlier] == [frozenset({1})]
    assert result.drafts[1].text == quoting


def test_an_error_of_one_call_is_the_attempts_and_the_others_are_recorded() -> None:
    broken = errors.EndpointUnavailable("gone", raw="<html>")

    with pytest.raises(errors.EndpointUnavailable) as caught:
        draw(ScriptedSend([TEXTS[0], broken, TEXTS[1], TEXTS[2]]))

    records = caught.value.calls
    assert [record.n for record in records] == [0, 1, 2, 3]
    assert records[1].error is broken
    assert all(bool(record.reply) is not bool(record.error) for record in records)


def test_no_more_calls_are_open_than_were_allowed() -> None:
    send = ScriptedSend(TEXTS)

    draw(send, streams=[2])

    assert send.most_open == 2


def test_progress_never_goes_back() -> None:
    told: list[tuple[int, int]] = []
    send = ScriptedSend([TEXTS[0], SHORT, TEXTS[1], SHORT, TEXTS[2], TEXTS[3]])

    draw(send, plan("persona"), report=lambda done, of: told.append((done, of)))

    assert told == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_a_plan_without_an_endpoint_is_refused() -> None:
    with pytest.raises(errors.BadRequest, match="no endpoint"):
        asyncio.run(
            drawing.draw_set(
                body=plan(),
                turn=0,
                context=context(),
                language="en",
                seed=1,
                set_id=SET_ID,
                attempt=1,
                endpoints=[],
                send=ScriptedSend([]),
            )
        )


def test_cancelling_closes_every_call_before_it_returns() -> None:
    opened: list[str] = []
    ended: list[str] = []

    async def endless(*, request_id: str, **_: Any) -> Reply:
        opened.append(request_id)
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(request_id)
        raise AssertionError

    async def work() -> None:
        task = asyncio.ensure_future(drawn(endless, plan("community_alignment")))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(work())
    assert opened == ended
    assert len(ended) == 2


@pytest.mark.parametrize("name", NAMES)
def test_every_request_can_be_built_again_from_the_set_alone(name: str) -> None:
    body = plan(name, repairs=3)
    calls: tuple[CallRecord, ...] = ()
    with simulated.running() as server:
        server.order("identical", times=2)
        server.order("empty", times=1)
        try:
            calls = draw_from(server, body, attempt=3).calls
        except errors.GuardRejected as rejected:
            calls = rejected.calls
        logged = server.log()

        asked: dict[str, Any] = {
            "turn": 0,
            "context": context(),
            "language": "en",
            "seed": 7,
            "attempt": 3,
            "replies": {call.n: call.reply.text for call in calls if call.reply},
        }
        again = drawing.rebuild(body=body, set_id=SET_ID, endpoints=[endpoint(server)], **asked)

    bodies = {request.request_id: request.body for request in again.values()}
    assert len(logged) >= body.first_turn.streams(4)
    for entry in logged:
        assert entry["body"] == bodies[entry["request_id"]]


LANGUAGES = {
    "en": "Should I lend my brother money?",
    "fr": "Dois-je prêter de l'argent à mon frère ?",
    "it": "Devo prestare soldi a mio fratello?",
    "pt": "Devo emprestar dinheiro ao meu irmão?",
    "hi": "क्या मुझे अपने भाई को पैसे उधार देने चाहिए?",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_sets_in_every_language_pass_without_a_mark_on_their_language(language: str) -> None:
    with simulated.running() as server:
        result = draw_from(
            server,
            plan("community_alignment"),
            language=language,
            context=context(LANGUAGES[language]),
        )

    assert "language" not in {finding.measure for finding in result.verdict.findings}


# What a model may answer, from well-behaved to anything.
answers = st.one_of(
    st.sampled_from(TEXTS),
    st.sampled_from(
        [MARKED, MARKED.replace(TEXTS[1], TEXTS[0]), "### one\n### two", "", " \n", "##"]
    ),
    st.sampled_from(
        [
            "Internal Server Error",
            '{"error": {"message": "overloaded"}}',
            "<html><body>502 Bad Gateway</body></html>",
            "<|end_of_text|>",
            "NUL \x00 in it.",
            "Lone \ud800 surrogate.",
            "Yes. " * 40,
        ]
    ),
    st.text(max_size=60),
)
faults = st.sampled_from(
    [errors.EndpointUnavailable("gone"), errors.BrokenStream("cut"), errors.UnusableText("NUL")]
)


@settings(deadline=None, max_examples=75)
@given(
    st.sampled_from(NAMES),
    st.lists(st.one_of(answers, answers, answers, faults), min_size=1, max_size=12),
    st.sampled_from(["repair", "mark"]),
)
def test_no_outputs_lead_to_a_ready_set_that_is_not_one(
    name: str, script: list[str | errors.SamplingError], action: str
) -> None:
    turns = itertools.cycle(script)
    lax = dict.fromkeys(("near_duplicate", "too_short", "cut_off", "loop"), action)
    send = ScriptedSend(lambda _: next(turns))

    try:
        result = draw(send, plan(name, guard=lax, repairs=2))
    except (errors.EndpointError, errors.GuardRejected):
        return

    assert_ready([draft.text for draft in result.drafts])


def assert_ready(texts: list[str]) -> None:
    assert len(texts) == 4
    assert len({normalised(text) or text for text in texts}) == 4
    for text in texts:
        assert text.strip()
        assert unusable(text) is None
        assert not error_text(text)


@settings(deadline=None, max_examples=30)
@given(
    orders=st.lists(
        st.sampled_from(
            sorted(
                {
                    "close_at_accept",
                    "hang_up",
                    "cut",
                    "end_early",
                    "no_finish_reason",
                    "no_done",
                    "error_in_stream",
                    "malformed_chunk",
                    "html",
                    "error_in_body",
                    "status_500",
                    "status_429",
                    "empty",
                    "white_space",
                    "count",
                    "identical",
                    "near_duplicates",
                    "marker_inside",
                    "numbered",
                    "preamble",
                    "special_tokens",
                    "wrong_language",
                    "refusal",
                    "error_text",
                    "bad_escapes",
                }
            )
        ),
        max_size=12,
    ),
    name=st.sampled_from(NAMES),
)
def test_no_sequence_of_misbehaviours_leads_to_one_either(
    busy: simulated.Endpoint, orders: list[str], name: str
) -> None:
    busy.forget_orders()
    for order in orders:
        busy.order(order)

    try:
        result = draw_from(busy, plan(name, repairs=2))
    except (errors.EndpointError, errors.GuardRejected):
        return

    assert_ready([draft.text for draft in result.drafts])


@pytest.fixture(scope="module")
def busy() -> Any:
    with simulated.running() as server:
        yield server


def test_the_record_of_a_call_is_whole_json(busy: simulated.Endpoint) -> None:
    busy.forget_orders()
    result = draw_from(busy, plan("nc_single"))

    record: Mapping[str, Any] = result.calls[0].as_json()
    assert record["request_id"] == f"{SET_ID}.1.0"
    assert record["body"]["seed"] == record["seed"]
    assert record["raw"].count("###") == 4
    assert record["error"] is None


def test_one_array_makes_all_texts_and_markers_inside_it_are_taken_off() -> None:
    array = json.dumps([f"### {TEXTS[0]}", *TEXTS[1:4]])

    result = draw(ScriptedSend([array]), plan("nc_structured"))

    assert [draft.text for draft in result.drafts] == TEXTS[:4]
    assert result.drafts[0].provenance["split"] == ["marker"]


def test_a_whole_array_counts_though_its_finish_reason_is_length() -> None:
    send = ScriptedSend([json.dumps(TEXTS[:4])], finish_reason="length")

    result = draw(send, plan("nc_structured"))

    assert {draft.finish_reason for draft in result.drafts} == {"length"}


@pytest.mark.parametrize("broken", [json.dumps(TEXTS[:3]), json.dumps(TEXTS[:4])[:-9], MARKED])
def test_a_broken_array_is_made_again_whole(broken: str) -> None:
    send = ScriptedSend([broken, json.dumps(TEXTS[:4])])

    result = draw(send, plan("nc_structured"))

    assert [call.n for call in result.calls] == [0, 1]
    assert {draft.call for draft in result.drafts} == {1}


def test_an_array_that_runs_on_in_blanks_is_stopped() -> None:
    send = ScriptedSend(['["a", ' + "\n" * 5000])

    with pytest.raises(errors.GuardRejected, match="no whole JSON array") as caught:
        draw(send, plan("nc_structured", repairs=0))

    reply = caught.value.calls[0].reply
    assert reply
    assert reply.stopped_early == "blanks ran on"
    assert len(reply.text) < 100


@pytest.mark.parametrize(
    "step", [{"strategy": "nc_planned"}, {"strategy": "nc_planned", "role": "user"}]
)
def test_all_calls_of_a_conversation_go_by_its_opening(step: dict[str, Any]) -> None:
    """Whatever stands before it and behind it in their bodies, worked examples and stances too."""
    stances = json.dumps([f"Stance number {number}." for number in range(4)])
    named = set()
    for turns in (context(), [*context(), message("assistant", "No."), message("user", "Why?")]):
        texts = iter(TEXTS)
        send = ScriptedSend(lambda body: stances if "response_format" in body else next(texts))  # noqa: B023
        drawn_set = draw(send, plans.read({"first_turn": step}), context=tuple(turns))
        assert len(drawn_set.calls) == 5
        named |= set(send.conversations)

    assert named == {context()[0]["content"]}
