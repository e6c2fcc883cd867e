"""The queues of Celery. Every task names one; a guard test proves it."""

from enum import StrEnum


class Queue(StrEnum):
    GENERATE = "generate"  # candidate sets that a person waits for
    PREFETCH = "prefetch"  # candidate sets made ahead of time
    DEFAULT = "default"  # sweeps, exports, mail
