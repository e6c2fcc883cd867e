"""Steps of an annotator for tests: what the pages would call, and sets that get ready by hand."""

from collections.abc import Sequence
from uuid import UUID, uuid4

from django.db import transaction

from annotation.assigning import Nothing, claim_assignment
from annotation.comparing import Judgement, Stored, store_comparison
from annotation.conversing import follow, send_message
from annotation.models import Assignment, Conversation, Turn
from annotation.opening import open_conversation
from annotation.scenes import Scene
from annotation.turns import Sent
from sampling.models import Candidate, CandidateSet
from studies.models import Enrolment, Sitting
from tests import factories
from tests.factories import World


def joined(of: World, **fields: object) -> Enrolment:
    """An annotator who may work, with study and cohort loaded as a page loads them."""
    return reloaded(factories.person(of, **fields).enrolment)


def reloaded(enrolment: Enrolment) -> Enrolment:
    return Enrolment.objects.select_related("study", "cohort").get(pk=enrolment.pk)


def claimed(enrolment: Enrolment) -> Assignment:
    """A new assignment, or a failing test."""
    found = claim_assignment(enrolment=enrolment)
    assert not isinstance(found, Nothing), found
    return found


def opened(enrolment: Enrolment) -> Conversation:
    """A conversation at its first turn, whose set is pending."""
    return open_conversation(enrolment=enrolment, assignment=claimed(enrolment))


@transaction.atomic
def write_set(set_id: UUID, texts: Sequence[str] = ()) -> None:
    """What a worker does: the candidates of a pending set, all at once. A ready one stays."""
    asked = CandidateSet.objects.get(pk=set_id)
    if asked.state == "ready":
        return
    Candidate.objects.bulk_create(
        Candidate(
            set=asked,
            k=asked.k,
            slot=slot,
            text=texts[slot] if texts else f"Answer {slot} of {asked.pk}.",
            role="draw",
            finish_reason="stop",
        )
        for slot in range(asked.k)
    )
    asked.state, asked.last_slot, asked.ready_at = "ready", asked.k - 1, asked.requested_at
    asked.save(update_fields=["state", "last_slot", "ready_at"])


def shown(enrolment: Enrolment, conversation_id: UUID) -> Scene:
    """The conversation after its last turn's set got ready, and the page was opened."""
    last = Turn.objects.filter(conversation=conversation_id).latest("number")
    write_set(last.set_id)
    return follow(enrolment=enrolment, conversation_id=conversation_id)


def judge(
    enrolment: Enrolment,
    scene: Scene,
    *,
    place: int | None = 0,
    explanation: str = "",
    revision: int | None = None,
    key: str = "",
    turn_no: int | None = None,
) -> Stored:
    """Choose the candidate in this place of the page; None: none of them."""
    judged = scene.last.judged
    return store_comparison(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        turn_no=scene.last.number if turn_no is None else turn_no,
        judgement=Judgement(
            choice="none" if place is None else str(scene.last.candidates[place].id),
            explanation=explanation,
        ),
        revision=(judged.revision if judged else 0) if revision is None else revision,
        idempotency_key=key or uuid4().hex,
    )


def say(enrolment: Enrolment, scene: Scene, text: str = "And then?", *, key: str = "") -> Sent:
    return send_message(
        enrolment=enrolment,
        conversation_id=scene.conversation_id,
        text=text,
        idempotency_key=key or uuid4().hex,
    )


def shown_first_turn(of: World, **fields: object) -> tuple[Enrolment, Scene]:
    """An annotator in front of the candidates of their first turn."""
    enrolment = joined(of, **fields)
    return enrolment, shown(enrolment, opened(enrolment).pk)


def finished(enrolment: Enrolment) -> Conversation:
    """One conversation from its claim to its last turn."""
    talk = opened(enrolment)
    while True:
        scene = shown(enrolment, talk.pk)
        if judge(enrolment, scene).ended:
            return talk
        say(enrolment, scene)


def sitting_of(enrolment: Enrolment) -> Sitting:
    return enrolment.sittings.latest("created_at")
