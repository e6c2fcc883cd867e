"""Annotators at work: threads that read, choose, write and go on, with pauses as people make."""

import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.db import connection

from bench.browser import Answer, Browser
from bench.worlds import texts
from sampling.models import CandidateSet
from studies.models import Enrolment
from tests import factories
from tests.annotation.visiting import Page

PAUSE = (0.5, 1.5)  # seconds
POLL = 0.02  # seconds


class Crowd:
    """Each person works through one conversation after the other, until `stop`."""

    def __init__(self, address: str, people: Sequence[Enrolment]) -> None:
        self.address = address
        self.comparisons = 0
        self.faults: list[Exception] = []
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._work, args=(one,)) for one in people]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End the work. Raises what the first annotator met who could not go on."""
        self._over.set()
        for thread in self._threads:
            thread.join()
        if self.faults:
            raise self.faults[0]

    def _work(self, person: Enrolment) -> None:
        dice = random.Random(person.pk.int)
        try:
            with Browser(self.address, person) as browser:
                self._over.wait(dice.uniform(0, PAUSE[1]))
                answer = browser.get("/work/")
                while not self._over.wait(dice.uniform(*PAUSE)):
                    answer = self._act(browser, Page(answer.text), answer.path)
        except (OSError, RuntimeError, StopIteration) as fault:
            self.faults.append(fault)

    def _act(self, browser: Browser, shown: Page, path: str) -> Answer:
        """Do what the page asks for: say something, or choose; returns the next page."""
        forms = {form.action.rstrip("/").rpartition("/")[2]: form for form in shown.forms}
        if "message" in forms:
            said = {**forms["message"].fields, "text": "And what if they never thank me for it?"}
            sent = browser.post(forms["message"].action, said)
            time.sleep(5 * POLL)  # the set is made ready meanwhile
        elif "comparison" in forms:
            form = forms["comparison"]
            chosen = {**form.fields, "choice": form.options["choice"][0]}
            sent = browser.post(form.action, chosen)
            with self._lock:
                self.comparisons += 1
        else:
            return browser.get(path)  # the writer was late: look again
        return browser.get(sent.location)


class Writer:
    """Makes pending sets ready at once, in the place of workers and models."""

    def __init__(self) -> None:
        self.backend = 0  # the process of the database that works for it
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._write)

    @contextmanager
    def at_work(self) -> Iterator["Writer"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join()

    def _write(self) -> None:
        connection.ensure_connection()
        self.backend = connection.connection.info.backend_pid
        while not self._over.wait(POLL):
            for asked in CandidateSet.objects.filter(state=CandidateSet.State.PENDING):
                factories.make_ready(asked, texts=texts(asked.pk, asked.k))
        connection.close()
