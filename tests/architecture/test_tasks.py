"""Every task names its queue, and what beat rings for is there."""

from typing import Any

from django.conf import settings

from config.celery import app
from config.queues import ROUTES, Queue


def tasks() -> dict[str, Any]:
    app.loader.import_default_modules()
    return {name: task for name, task in app.tasks.items() if not name.startswith("celery.")}


def test_every_task_has_its_queue_and_every_queue_its_tasks() -> None:
    assert tasks().keys() == ROUTES.keys()
    assert {route["queue"] for route in ROUTES.values()} == set(Queue)


def test_a_task_without_a_queue_of_its_own_is_not_lost() -> None:
    assert settings.CELERY_TASK_DEFAULT_QUEUE == Queue.DEFAULT


def test_no_bell_stays_unacknowledged_while_its_work_runs() -> None:
    """A worker that holds one ends when the broker does, and takes its running sets with it."""
    assert [name for name, task in tasks().items() if task.acks_late] == []
    assert settings.CELERY_WORKER_DISABLE_PREFETCH


def test_beat_rings_for_tasks_that_are_there() -> None:
    rung = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}

    assert rung - tasks().keys() == set()
