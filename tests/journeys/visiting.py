"""An annotator who needs no browser: plain HTTP against a site in processes of its own."""

import time
import urllib.request
from collections.abc import Callable
from http.client import HTTPResponse
from http.cookiejar import CookieJar
from urllib.error import HTTPError
from urllib.parse import urlencode, urljoin

from tests.annotation.visiting import Form, Page

PATIENCE = 120.0  # seconds until a page that does not change is a failure


class Visitor:
    """Opens a join link, and answers what it is asked. `page` is where it is."""

    def __init__(self, join_url: str) -> None:
        self.cookies = CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(self.cookies)
        )
        self.comparisons = 0
        self.open(join_url)

    def open(self, url: str) -> Page:
        return self._read(self._opener.open(url, timeout=60))

    def send(self, form: Form, **changes: str) -> Page:
        body = urlencode({**form.fields, **changes}).encode()
        request = urllib.request.Request(  # noqa: S310 - to our own site
            urljoin(self.url, form.action or self.url), data=body, headers={"Referer": self.url}
        )
        return self._read(self._opener.open(request, timeout=60))

    def _read(self, response: HTTPResponse) -> Page:
        with response:
            self.url = response.url
            self.page = Page(response.read().decode())
        return self.page

    def wait_for(self, reached: Callable[[Page], bool]) -> Page:
        """Look again, as the page's refresh does, until it is so; errors count as "not yet"."""
        end = time.monotonic() + PATIENCE
        while not reached(self.page):
            assert time.monotonic() < end, f"{self.url} stays: {self.page.words}"
            time.sleep(0.3)
            self.look_again()
        return self.page

    def look_again(self) -> None:
        try:
            self.open(self.url)
        except (HTTPError, OSError):
            return  # a server that is just coming back

    @property
    def set_id(self) -> str:
        """The set that the page waits for; empty when it waits for none."""
        return next((given["data-set"] for given in self.page.having("data-set")), "")

    def ask(self) -> None:
        """Go on until a message of ours is being answered."""
        while not self.set_id:
            self._answer(self.page.forms[0])

    def judge(self, *, turns: int) -> None:
        """Go on until so many turns are judged."""
        while self.comparisons < turns:
            self.wait_for(lambda _: not self.set_id)
            self._answer(self.page.forms[0])

    def compare(self) -> Form:
        """Go on until there are answers to choose from; returns the form that does it."""
        while not self.wait_for(lambda _: not self.set_id).forms[0].action.endswith("/comparison/"):
            self._answer(self.page.forms[0])
        return self.page.forms[0]

    @property
    def _judging(self) -> bool:
        return self.page.forms[0].action.endswith("/comparison/")

    def _answer(self, form: Form) -> None:
        """Take the first option of each question, and write where there is room for it."""
        answers = {name: values[0] for name, values in form.options.items()}
        for name in {"text", "explanation"} & set(form.fields):
            answers[name] = "What would my grandmother say to that?"
        self.comparisons += self._judging
        self.send(form, **answers)
