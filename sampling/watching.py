"""The watch: one thread per worker process, which needs no broker.

Once a second it renews the leases of this process's sets (what is not ours any more is cancelled),
puts expired ones back, and starts on work that nobody has claimed. In between it passes on
progress. A second thread without a database, the clock, stops what could not be renewed in time and
cuts the watch loose from a database that does not answer.
"""

import logging
import threading
import time
from datetime import timedelta

from django.db import InterfaceError, OperationalError, connection, connections
from django.db.models.functions import Now

from sampling import generating, leasing, publishing
from sampling.models import CandidateSet
from sampling.patience import Patience
from sampling.publishing import Note
from sampling.running import Run, lease_from_now, runs

logger = logging.getLogger(__name__)
State = CandidateSet.State

PERIOD = 1.0  # seconds between heartbeats
PROGRESS_PERIOD = 0.2  # seconds between reports of progress
UNCLAIMED_AFTER = 2.0  # seconds in which the bell may find a set first
LAST_SECONDS = 3.0  # for closing streams at the end
SAFETY = 1.0  # seconds before the end of a lease that could not be renewed
TICK = 0.25  # seconds between two looks of the clock
PATIENCE = 4.0  # seconds that the database may take for one heartbeat


class Watch:
    """Start it once in a worker process; `drain` makes it finish what runs and end."""

    def __init__(self) -> None:
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)
        self._clock = threading.Thread(target=self._tick, name="watch-clock", daemon=True)
        self._ended = threading.Event()
        self._patience = Patience(PATIENCE)
        self._ends_at: float | None = None

    def start(self) -> None:
        self._thread.start()
        self._clock.start()

    def drain(self, *, grace: float) -> None:
        """Claim nothing more; after `grace` seconds give back what still runs. Returns at once."""
        self._ends_at = time.monotonic() + grace
        runs.stopping.set()
        runs.stirred.set()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def _run(self) -> None:
        next_beat = 0.0
        while not self._over():
            try:
                with self._patience.asking():
                    if time.monotonic() >= next_beat:
                        next_beat = time.monotonic() + PERIOD
                        beat()
                    tell_progress()
            except (OperationalError, InterfaceError) as fault:
                connection.close()
                logger.warning("the watch found no database: %s", type(fault).__name__)
            except Exception:  # the heartbeat of every running set goes on
                logger.exception("the watch met a fault")
            _rest_until(next_beat)
        end_runs(self._patience)
        connections.close_all()
        self._ended.set()

    def _tick(self) -> None:
        """What must happen in time, whatever the database does."""
        while not self._ended.wait(TICK):
            stop_lapsed()
            if self._patience.cut_if_spent():
                logger.warning("the database did not answer within %s s", PATIENCE)

    def _over(self) -> bool:
        if self._ends_at is None:
            return False
        return not runs.all() or time.monotonic() >= self._ends_at


def _rest_until(next_beat: float) -> None:
    """Sleep until something stirs or the next beat, but never report more often than wanted."""
    time.sleep(PROGRESS_PERIOD)
    runs.stirred.wait(max(0.0, next_beat - time.monotonic()))
    runs.stirred.clear()


def beat() -> None:
    """One heartbeat: renew, put back, start. Raises when the database is away."""
    renew_leases()
    if leasing.return_expired():
        logger.info("expired leases were returned")
    if not runs.stopping.is_set():
        start_unclaimed()


def renew_leases() -> None:
    """Renew what is ours, and cancel what is not."""
    mine = runs.all()
    before = lease_from_now()
    held = leasing.renew([run.key for run in mine])
    for run in mine:
        if run.key not in held:
            runs.cancel(run)
        elif held[run.key]:
            run.lease_ends = before


def stop_lapsed() -> None:
    """Cancel runs whose lease could not be renewed in time: somebody else may have the seats."""
    for run in runs.all():
        if time.monotonic() > run.lease_ends - SAFETY and not run.cancelled:
            runs.cancel(run)


def start_unclaimed() -> None:
    """Start on sets that have waited for longer than a bell takes, each in a thread of its own.

    For one period at most: a hundred claims in a row would cost those before them their leases.
    """
    waiting = CandidateSet.objects.filter(
        state=State.PENDING,
        not_before__lte=Now(),
        requested_at__lte=Now() - timedelta(seconds=UNCLAIMED_AFTER),
    )
    if not waiting.exists():
        return
    ends = time.monotonic() + PERIOD
    while time.monotonic() < ends and (run := generating.begin_at_once()):
        threading.Thread(target=_go_on, args=[run], name="watch-work", daemon=True).start()


def tell_progress() -> None:
    """Write down and publish how far each set is, where that has changed."""
    risen = {run.key: run.progress for run in runs.all() if run.progress > run.told}
    written = leasing.write_progress(risen)
    for run in runs.all():
        if run.key in written:
            run.told = risen[run.key]
    notes = [Note(key[0], State.GENERATING, risen[key]) for key in written]
    if notes:
        publishing.publish(notes)


def end_runs(patience: Patience) -> None:
    """Close the streams of what still runs, and give the sets back in one update."""
    left = runs.all()
    if not left:
        return
    for run in left:
        runs.cancel(run)
    deadline = time.monotonic() + LAST_SECONDS
    while runs.all() and time.monotonic() < deadline:
        time.sleep(0.02)
    try:
        with patience.asking():
            returned = leasing.give_back(run.key for run in left)
    except (OperationalError, InterfaceError) as fault:
        logger.warning("sets could not be given back: %s", type(fault).__name__)
    else:
        logger.info("gave back %s sets", returned)


def _go_on(run: Run) -> None:
    try:
        generating.go_on(run)
    finally:
        connections.close_all()
