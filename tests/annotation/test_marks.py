"""What is said beside the choice becomes marks, or is refused, or was never asked."""

from typing import Any
from uuid import UUID, uuid4

import pytest

from annotation.comparing import Judgement, Stored, store_comparison
from annotation.conversing import send_message
from annotation.marks import Mark, as_posted, marks_of, sentence_value
from annotation.models import Comparison, ComparisonMark
from annotation.refusals import (
    BadMark,
    BadText,
    ContinueFromNeeded,
    ExplanationNeeded,
    SubmissionConflict,
    UnknownChoice,
)
from annotation.scenes import Scene, Stage, read_conversation
from annotation.sentences import sentences
from studies.models import Enrolment
from studies.reason_lists import GENERAL_1
from tests import factories
from tests.annotation.talking import shown_first_turn

pytestmark = pytest.mark.django_db

Kind = ComparisonMark.Kind
ASKED = {"rule": "always", "min_words": 3}
EVERYTHING = {
    "tie": True,
    "strength": True,
    "sentences": True,
    "should_have_said": True,
    "reasons": "general-1",
}


def at_work(**rules: Any) -> tuple[Enrolment, Scene]:
    rules = {"comparing": EVERYTHING, "explanation": ASKED, **rules}
    return shown_first_turn(factories.world(**rules))


def say(
    enrolment: Enrolment,
    scene: Scene,
    choice: str,
    *,
    key: str = "",
    continue_from: str = "",
    explanation: str = "It is mine",
    **fields: Any,
) -> Stored:
    return store_comparison(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        turn_no=0,
        judgement=Judgement(
            choice, explanation=explanation, continue_from=continue_from, marks=fields
        ),
        revision=Comparison.objects.filter(conversation=scene.conversation_id).count(),
        idempotency_key=key or uuid4().hex,
    )


def ids(scene: Scene) -> list[str]:
    return [str(shown.id) for shown in scene.last.candidates]


def first_sentence(scene: Scene, place: int) -> str:
    shown = scene.last.candidates[place]
    return sentence_value(shown.id, sentences(shown.text)[0])


def test_each_kind_is_stored_and_gives_the_form_back() -> None:
    enrolment, scene = at_work()
    a, b, c, _ = ids(scene)
    said: dict[str, Any] = {
        "ruled_out": [c],
        "expanded": [a],
        "strength": ["3"],
        "reason": ["general-1/tone", "general-1/values"],
        "sentence": [first_sentence(scene, 1), first_sentence(scene, 0)],
    }
    stored = say(enrolment, scene, b, **said)
    marks = marks_of(stored.comparison_id)
    again = read_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)

    assert {(mark.kind, mark.value) for mark in marks} >= {(Kind.STRENGTH, 3)}
    assert Mark(Kind.RULED_OUT, UUID(c)) in marks
    assert again.last.judged is not None
    assert set(again.last.judged.marks) == set(marks)
    posted = as_posted(again.last.judged.marks)
    assert {field: set(values) for field, values in posted.items()} == {
        field: set(values) for field, values in said.items()
    }


def test_ruled_out_and_expanded_are_never_a_reason_to_refuse() -> None:
    enrolment, scene = at_work()
    chosen = ids(scene)[0]
    nonsense = [chosen, "x", str(uuid4()), ids(scene)[1], ids(scene)[1]]
    say(enrolment, scene, chosen, ruled_out=nonsense, expanded=nonsense)

    stored = ComparisonMark.objects.values_list("kind", "candidate_id")
    assert set(stored) == {
        ("ruled_out", UUID(ids(scene)[1])),
        ("expanded", UUID(ids(scene)[0])),
        ("expanded", UUID(ids(scene)[1])),
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"strength": ["5"]},
        {"strength": ["1", "2"]},
        {"reason": ["general-1/because"]},
        {"reason": ["tone"]},
        {"sentence": ["x"]},
        {"sentence": [f"{uuid4()}:0-5"]},
    ],
)
def test_what_is_stated_must_be_offered(wrong: dict[str, Any]) -> None:
    enrolment, scene = at_work()
    with pytest.raises(BadMark):
        say(enrolment, scene, ids(scene)[0], **wrong)
    assert not Comparison.objects.exists()


def test_a_span_that_is_no_sentence_of_the_text_is_refused() -> None:
    enrolment, scene = at_work()
    a = scene.last.candidates[0]
    for span in ((0, len(a.text) + 1), (1, 5), (5, 1), (-1, 4)):
        with pytest.raises(BadMark):
            say(enrolment, scene, str(a.id), sentence=[sentence_value(a.id, span)])


def test_what_the_study_does_not_ask_is_not_read() -> None:
    enrolment, scene = at_work(comparing={}, explanation={"rule": "never"})
    values: dict[str, Any] = {
        "strength": ["9"],
        "reason": ["x"],
        "sentence": ["x"],
        "should_say": ["x"],
    }
    say(enrolment, scene, ids(scene)[0], **values)
    assert not ComparisonMark.objects.exists()
    with pytest.raises(UnknownChoice):
        say(enrolment, scene, "tie")


def test_what_goes_with_another_outcome_is_not_read() -> None:
    enrolment, scene = at_work(after_none="continue_from")
    a, b, *_ = ids(scene)
    wrong = next(code for code in GENERAL_1.codes("none"))
    fields: dict[str, Any] = {"tied": [a], "should_say": ["More"], "reason": [wrong]}
    say(enrolment, scene, a, continue_from=b, **fields)
    comparison = Comparison.objects.get()
    assert str(comparison.carried_id) == a
    assert not ComparisonMark.objects.exists()


def test_a_reason_or_a_sentence_says_why_without_typing() -> None:
    enrolment, scene = at_work()
    a = ids(scene)[0]
    with pytest.raises(ExplanationNeeded):
        say(enrolment, scene, a, explanation="", ruled_out=ids(scene)[1:])
    say(enrolment, scene, a, explanation="", reason=["general-1/tone"])
    strict = {**ASKED, "marks_suffice": False}
    enrolment, scene = at_work(explanation=strict)
    with pytest.raises(ExplanationNeeded):
        say(enrolment, scene, ids(scene)[0], explanation="", reason=["general-1/tone"])


def test_other_marks_under_the_same_key_are_another_answer() -> None:
    enrolment, scene = at_work()
    a, b, *_ = ids(scene)
    first = say(enrolment, scene, a, key="k" * 8, strength=["1"], ruled_out=[b])
    second = store_comparison(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        turn_no=0,
        judgement=Judgement(a, explanation="It is mine", marks={"strength": ["1"]}),
        revision=0,
        idempotency_key="k" * 8,
    )
    assert second == first
    with pytest.raises(SubmissionConflict):
        say(enrolment, scene, a, key="k" * 8, strength=["2"])


# --- None and tie ---------------------------------------------------------------------------------


def test_after_none_the_conversation_goes_on_from_the_one_that_was_named() -> None:
    enrolment, scene = at_work(after_none="continue_from")
    c = ids(scene)[2]
    with pytest.raises(ContinueFromNeeded):
        say(enrolment, scene, "none")
    with pytest.raises(UnknownChoice):
        say(enrolment, scene, "none", continue_from=str(uuid4()))
    stored = say(enrolment, scene, "none", continue_from=c, should_say=["Ask my mother first."])
    comparison = Comparison.objects.get()
    again = read_conversation(enrolment=enrolment, conversation_id=scene.conversation_id)

    assert not stored.ended
    assert (comparison.outcome, comparison.chosen_id) == ("none", None)
    assert str(comparison.carried_id) == c
    assert [mark.reason for mark in marks_of(comparison.pk)] == ["Ask my mother first."]
    assert again.stage is Stage.JUDGED
    sent = send_message(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        text="And then?",
        idempotency_key="next-message",
    )
    assert sent.turn_no == 1


def test_after_none_on_the_last_turn_nothing_is_gone_on_from() -> None:
    enrolment, scene = at_work(after_none="continue_from", turns={"min": 1, "max": 1})
    assert say(enrolment, scene, "none").ended
    assert Comparison.objects.get().carried_id is None


def test_what_an_answer_should_have_said_is_text_like_any_other() -> None:
    enrolment, scene = at_work()
    with pytest.raises(BadText, match="too_long"):
        say(enrolment, scene, "none", should_say=["word " * 2000])
    with pytest.raises(BadText, match="nul"):
        say(enrolment, scene, "none", should_say=["a\x00b"])


def test_a_tie_names_at_least_two() -> None:
    enrolment, scene = at_work(after_none="continue_from")
    a, b, *_ = ids(scene)
    for tied in ([], [a], [a, str(uuid4())]):
        with pytest.raises(BadMark):
            say(enrolment, scene, "tie", continue_from=a, tied=tied)
    say(enrolment, scene, "tie", continue_from=a, tied=[a, b])
    comparison = Comparison.objects.get()

    assert (comparison.outcome, comparison.chosen_id) == ("tie", None)
    assert str(comparison.carried_id) == a
    assert {str(mark.candidate) for mark in marks_of(comparison.pk)} == {a, b}


def test_a_tie_ends_the_conversation_where_none_does() -> None:
    enrolment, scene = at_work()
    assert say(enrolment, scene, "tie", tied=ids(scene)[:2]).ended
    assert Comparison.objects.get().conversation.ended_reason == "finished"
