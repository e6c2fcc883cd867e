"""Balance of the display orders: many people open one set at the same moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from annotation.conversing import follow
from annotation.models import Conversation, Turn
from annotation.opening import open_conversation
from studies.models import Enrolment
from tests import factories
from tests.annotation.talking import claimed, joined, write_set

pytestmark = pytest.mark.django_db(transaction=True)

PEOPLE = 32


def before_the_answers(of: factories.World) -> tuple[Enrolment, Conversation]:
    enrolment = joined(of)
    return enrolment, open_conversation(enrolment=enrolment, assignment=claimed(enrolment))


def test_every_candidate_is_in_every_position_equally_often_under_concurrent_openings() -> None:
    world = factories.world(overlap=PEOPLE)
    people = [before_the_answers(world) for _ in range(PEOPLE)]
    [set_id] = set(Turn.objects.values_list("set", flat=True))
    write_set(set_id)

    def look(person: tuple[Enrolment, Conversation]) -> list[int]:
        enrolment, talk = person
        try:
            scene = follow(enrolment=enrolment, conversation_id=talk.pk)
            by_id = {one.pk: one.slot for one in talk.turns.get().set.candidates.all()}
            return [by_id[shown.id] for shown in scene.last.candidates]
        finally:
            connection.close()

    with ThreadPoolExecutor(max_workers=PEOPLE) as threads:
        seen = list(threads.map(look, people))

    stored = Turn.objects.order_by("showing_no").values_list("showing_no", "display_order")
    numbers, orders = zip(*stored, strict=True)
    assert list(numbers) == list(range(1, PEOPLE + 1))
    assert sorted(seen) == sorted(orders)
    for m in range(1, PEOPLE + 1):  # at every moment, not only at the end
        counts = Counter((at, slot) for order in orders[:m] for at, slot in enumerate(order))
        found = [counts[at, slot] for at in range(4) for slot in range(4)]
        assert max(found) - min(found) <= 1
