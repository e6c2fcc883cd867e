"""Studies to measure with."""

from typing import Any
from uuid import UUID

from tests import factories
from tests.factories import World

ANSWER = " ".join(["I would take an evening for it and listen before I say anything."] * 10)


def ready_world(*, prompts: int, **rules: Any) -> World:
    """A study in which everybody may do everything, with the sets of first turns ready."""
    world = factories.world(prompts=prompts, overlap=100_000, conversations=prompts, **rules)
    for prompt in world.prompts:
        context = [factories.user(factories.opening(prompt))]
        words = texts(prompt.pk, world.plan.body["k"])
        factories.ready_set(world.plan, context=context, shared=True, texts=words)
    return world


def texts(set_id: UUID, k: int) -> list[str]:
    """Answers of about 120 words, as models give them."""
    return [f"Answer {slot} of {set_id}. {ANSWER}" for slot in range(k)]
