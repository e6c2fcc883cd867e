"""Statements per page, when the study has 10 conversations and when it has 10,000."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from annotation.effort import pace_at
from annotation.models import Conversation
from annotation.turns import prompt_by_id
from annotation.views.presenting import notices_of_plan
from bench.report import Row, bounded
from bench.servers import Servers
from bench.worlds import ready_world
from exports.synthetic.conversations import Place, converse
from exports.synthetic.rolls import Rolls
from tests import factories
from tests.annotation import talking
from tests.annotation.visiting import browser_of, page
from tests.factories import World

SIZES = (10, 10_000)
BUDGETS = {"work": 8, "conversation": 8, "submit": 12}
HERE = {"host": "127.0.0.1"}


def measure(_: Servers) -> Iterator[Row]:
    world = ready_world(prompts=60)
    visit(world)  # what stays the same for the life of a process is read once
    counts = []
    for size in SIZES:
        fill(world, size)
        counts.append(visit(world))
    for name, budget in BUDGETS.items():
        most = max(count[name] for count in counts)
        yield bounded(row=f"queries, {name}", figure=most, unit="queries", at_most=budget)
    more = sum(abs(counts[0][name] - counts[1][name]) for name in BUDGETS)
    yield bounded(row="queries, more at 10,000", figure=more, unit="queries", at_most=0)


def fill(world: World, size: int) -> None:
    """Add finished conversations until the study has that many."""
    place = Place(
        cohort=world.cohort,
        arm=world.arm,
        plan=world.plan,
        prompts={cell.pk: factories.opening(cell.prompt) for cell in world.cells},
    )
    while (missing := size - Conversation.objects.count()) > 0:
        rolls = Rolls(factories.number())
        with transaction.atomic():
            # One comparison at least for each: never more conversations than are missing.
            converse(version=world.version, places=[place], rolls=rolls, at_most=missing)


def visit(world: World) -> dict[str, int]:
    """The statements of a new annotator's first pages, their set being ready from the start."""
    browser = browser_of(talking.joined(world))
    notices_of_plan.cache_clear()  # read once a minute: here, every time
    pace_at.cache_clear()  # once in ten minutes
    prompt_by_id.cache_clear()  # and once for each prompt: which one is drawn is chance
    with counting() as work:
        address = browser.get("/work/", headers=HERE).headers["Location"]
    with counting() as conversation:
        shown = browser.get(address, headers=HERE)
    form = page(shown).form_to("/comparison/")
    chosen = {**form.fields, "choice": form.options["choice"][0]}
    with counting() as submit:
        browser.post(form.action, chosen, headers=HERE)
    return {"work": len(work), "conversation": len(conversation), "submit": len(submit)}


@contextmanager
def counting() -> Iterator[list[str]]:
    """The statements of a page, once it is over; where a transaction begins and ends aside."""
    asked: list[str] = []
    with CaptureQueriesContext(connection) as captured:
        yield asked
    every = [one["sql"] for one in captured.captured_queries]
    asked.extend(sql for sql in every if sql not in ("BEGIN", "COMMIT"))
