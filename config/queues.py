"""The queues of Celery, and which task goes to which. A guard test misses none."""

from enum import StrEnum


class Queue(StrEnum):
    GENERATE = "generate"  # candidate sets that a person waits for
    PREFETCH = "prefetch"  # candidate sets that no annotator waits for: made ahead, or for the lab
    DEFAULT = "default"  # sweeps, exports, mail


ROUTES = {
    "sampling.tasks.generate": {"queue": Queue.GENERATE.value},
    "sampling.tasks.prefetch": {"queue": Queue.PREFETCH.value},
    "sampling.tasks.make_lab_sets": {"queue": Queue.PREFETCH.value},
    "sampling.tasks.try_endpoint": {"queue": Queue.PREFETCH.value},
    "annotation.tasks.sweep_expired": {"queue": Queue.DEFAULT.value},
    "annotation.tasks.fill_prefetch": {"queue": Queue.DEFAULT.value},
}
