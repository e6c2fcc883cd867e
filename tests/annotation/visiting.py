"""A browser without scripting for tests: pages parsed into their forms, and forms sent."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import Any

from django.conf import settings
from django.core import signing
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from annotation import access
from studies.models import Enrolment


@dataclass
class Form:
    """A form as the server rendered it: `fields` as a browser would send it unchanged."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    options: dict[str, list[str]] = field(default_factory=dict)
    boxes: dict[str, list[str]] = field(default_factory=dict)


class Page(HTMLParser):
    """What tests ask of a page: its forms in order, its elements by tag, its words."""

    def __init__(self, markup: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.words = ""
        self._open: Form | None = None
        self._textarea = ""
        self.feed(markup)
        self.words = " ".join(self.words.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.elements.append((tag, given))
        if tag == "form":
            self._open = Form(given.get("action", ""), given.get("method", "get"))
            self.forms.append(self._open)
        elif self._open and given.get("name"):
            self._field(self._open, tag, given)

    def _field(self, form: Form, tag: str, given: dict[str, str]) -> None:
        name = given["name"]
        if tag == "textarea":
            self._textarea = name
            form.fields[name] = ""
        elif given.get("type") == "radio":
            form.options.setdefault(name, []).append(given["value"])
            if "checked" in given:
                form.fields[name] = given["value"]
        elif given.get("type") == "checkbox":
            form.boxes.setdefault(name, []).append(given["value"])
            if "checked" in given:
                form.fields[name] = given["value"]
        elif tag == "input":
            form.fields[name] = given.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._open = None
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, data: str) -> None:
        self.words += data
        if self._textarea and self._open:
            # The line end right after the tag is no part of the text.
            known = self._open.fields[self._textarea]
            self._open.fields[self._textarea] = known + (data if known else data.lstrip("\n"))

    def having(self, attribute: str) -> Iterator[dict[str, str]]:
        """The attributes of every element that has this one."""
        return (given for _, given in self.elements if attribute in given)

    def form_to(self, ending: str) -> Form:
        """The first form whose address ends so."""
        return next(form for form in self.forms if form.action.endswith(ending))


def page(response: Any) -> Page:
    return Page(response.content.decode())


def browser_of(enrolment: Enrolment, *, return_token: str = "its-return-token") -> Client:
    """A browser that we know: it holds the annotator's cookie, and no other."""
    client = Client()
    cookie = {"enrolment": str(enrolment.pk), "return_token": return_token}
    client.cookies[settings.ANNOTATOR_COOKIE] = signing.dumps(cookie, salt=access.SALT)
    return client


def send(client: Client, form: Form, **changes: Any) -> Any:
    """Post a form with some fields changed."""
    return client.post(form.action, {**form.fields, **changes})


@contextmanager
def at_most(budget: int) -> Iterator[None]:
    """Count the statements of a request; savepoints are the test's own transaction."""
    with CaptureQueriesContext(connection) as captured:
        yield
    asked = [one["sql"] for one in captured.captured_queries]
    counted = [sql for sql in asked if not sql.startswith(("SAVEPOINT", "RELEASE"))]
    assert len(counted) <= budget, "\n".join(counted)
