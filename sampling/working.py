"""What a worker process does besides its tasks: keeps the watch, and stops in order.

Connected to Celery's signals when the worker imports sampling.tasks. The watch runs only in workers
that consume the queue `generate`. Their pool is `threads`: the watch knows the runs of its process.
"""

import logging
from typing import Any

from celery.signals import celeryd_after_setup, worker_shutdown, worker_shutting_down
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from config.queues import Queue
from config.startup import refuse_unsafe_settings
from sampling import loop
from sampling.running import runs
from sampling.watching import LAST_SECONDS, Watch

logger = logging.getLogger(__name__)

watch = Watch()


@celeryd_after_setup.connect
def start(instance: Any = None, **_: object) -> None:
    """Before the worker meets its broker: the watch works without one."""
    try:
        refuse_unsafe_settings()
    except ImproperlyConfigured as fault:
        raise SystemExit(str(fault)) from None
    if Queue.GENERATE.value not in instance.app.amqp.queues.consume_from:
        return
    if "prefork" in str(instance.pool_cls):
        raise SystemExit("generate needs threads: start this worker with -P threads")
    runs.limit = instance.concurrency
    watch.start()


@worker_shutting_down.connect
def stop(how: str = "Warm", **_: object) -> None:
    """Called inside the signal's handler: only says so. The watch does the rest."""
    watch.drain(grace=settings.WORKER_GRACE if how == "Warm" else 0)


@worker_shutdown.connect
def finish(**_: object) -> None:
    """The pool has ended: wait for the watch, then close the connections to endpoints."""
    if watch.alive:
        watch.join(settings.WORKER_GRACE + LAST_SECONDS)
    loop.close()
