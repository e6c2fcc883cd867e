"""The interface carries strategies yet to come: calls that quote answers, several endpoints."""

from collections.abc import Mapping
from typing import Any

from sampling import drawing
from sampling.calls import Call
from sampling.messages import add_to_last_user_message
from sampling.plans import PlanBody
from sampling.strategies import Ask, Caller, Draft, Drawn, Strategy, together
from tests.sampling.drawings import SET_ID, TEXTS, ScriptedSend, context, draw, endpoint

PLAN = "Help him.|Ask for a contract.|Keep your savings.|Follow your heart."


class Planned(Strategy):
    """One call plans k stances, then k calls at once write one each, spread over the endpoints."""

    strategy: str = "planned"

    def lanes(self, k: int) -> int:
        return 1 + k

    def streams(self, k: int) -> int:
        return k

    def streams_on(self, k: int, endpoints: int) -> tuple[int, ...]:
        return tuple(len(range(at, k, endpoints)) for at in range(endpoints))

    def call(self, ask: Ask, *, lane: int, earlier: Mapping[int, str]) -> Call:
        if lane == 0:
            return Call(purpose="plan", messages=ask.context, params={"max_tokens": 120})
        position = f"Position: {earlier[0].split('|')[lane - 1]}"
        return Call(
            purpose="answer",
            messages=add_to_last_user_message(ask.context, position),
            params={"max_tokens": 60},
            endpoint=(lane - 1) % 2,
        )

    async def draw(self, ask: Ask, caller: Caller, *, kept: Mapping[int, Draft]) -> Drawn:
        if 0 not in caller.earlier():
            await caller(self.call(ask, lane=0, earlier={}), lane=0)
        plan = caller.earlier()

        async def write(slot: int) -> Draft:
            call = self.call(ask, lane=slot + 1, earlier=plan)
            answer = await caller(call, lane=slot + 1)
            return Draft(
                slot=slot,
                text=answer.reply.text,
                role="planned",
                finish_reason="stop",
                call=answer.n,
                stance=plan[0].split("|")[slot],
            )

        made = await together(write(slot) for slot in range(ask.k) if slot not in kept)
        return Drawn([*kept.values(), *made])


BODY = PlanBody.model_construct(first_turn=Planned())
ENDPOINTS = [endpoint(name="one", model="m1"), endpoint(name="two", model="m2")]


def planned(*answers: str) -> ScriptedSend:
    return ScriptedSend([PLAN, *answers])


def test_answers_to_earlier_calls_lead_later_ones() -> None:
    send = planned(*TEXTS)

    result = draw(send, BODY, endpoints=ENDPOINTS)

    asked: list[Any] = [body["messages"][-1]["content"] for body in map(dict, send.bodies)]
    assert [text.rpartition("Position: ")[2] for text in asked[1:]] == PLAN.split("|")
    assert [draft.stance for draft in result.drafts] == PLAN.split("|")
    assert [call.endpoint for call in result.calls] == ["one", "one", "two", "one", "two"]
    assert [call.model for call in result.calls[1:3]] == ["m1", "m2"]


def test_a_repair_round_uses_the_plan_that_is_there() -> None:
    send = planned(TEXTS[0], "No.", *TEXTS[1:])

    result = draw(send, BODY, endpoints=ENDPOINTS)

    assert [call.n for call in result.calls] == [0, 1, 2, 3, 4, 7]
    assert result.drafts[1].stance == "Ask for a contract."


def test_streams_are_capped_on_each_endpoint() -> None:
    send = planned(*TEXTS)

    draw(send, BODY, endpoints=ENDPOINTS, streams=[1, 1])

    assert send.most_open == 2
    assert Planned().streams_on(4, 2) == (2, 2)
    assert Planned().streams_on(4, 3) == (2, 1, 1)


def test_requests_that_quote_answers_are_built_again_from_the_stored_ones() -> None:
    send = planned(TEXTS[0], "No.", *TEXTS[1:])
    result = draw(send, BODY, endpoints=ENDPOINTS)
    asked: dict[str, Any] = {"turn": 0, "context": context(), "language": "en", "seed": 7}
    replies = {call.n: call.reply.text for call in result.calls if call.reply}

    def again(**known: Any) -> dict[int, Any]:
        return drawing.rebuild(
            body=BODY, set_id=SET_ID, attempt=1, endpoints=ENDPOINTS, **asked, **known
        )

    rebuilt = again(replies=replies)
    assert all(rebuilt[call.n].body == call.body for call in result.calls)
    assert sorted(again()) == [0, 5]
