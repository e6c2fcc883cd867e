"""Clients of the measured server: each a browser without scripting, on one kept connection."""

import gzip
import http.client
from http.cookies import SimpleCookie
from typing import NamedTuple, Self
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.core import signing

from annotation import access
from studies.models import Enrolment

SEE_OTHER = (302, 303)
FORM = "application/x-www-form-urlencoded"


class Answer(NamedTuple):
    path: str
    status: int
    location: str
    text: str
    size: int = 0  # bytes of the body as it came over the line


class Browser:
    """Keeps its cookies; follows where a form leads only when told to."""

    def __init__(self, address: str, person: Enrolment) -> None:
        self.line = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        self.cookies: dict[str, str] = {}
        self.be(person)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.line.close()

    def be(self, person: Enrolment) -> None:
        """Hold the cookie of this annotator from now on."""
        self.cookies[settings.ANNOTATOR_COOKIE] = cookie_of(person)

    def get(self, path: str) -> Answer:
        """The page at the end of the way."""
        answer = self.ask("GET", path)
        while answer.status in SEE_OTHER:
            answer = self.ask("GET", answer.location)
        return answer

    def post(self, path: str, fields: dict[str, str]) -> Answer:
        """What is answered to the form itself."""
        return self.ask("POST", path, urlencode(fields).encode())

    def ask(self, method: str, path: str, body: bytes | None = None) -> Answer:
        """One request. Raises RuntimeError for anything but a page or a way to one."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        headers = {"Cookie": cookies, "Accept-Encoding": "gzip"}
        if body is not None:
            headers["Content-Type"] = FORM
        self.line.request(method, path, body, headers)
        response = self.line.getresponse()
        came = response.read()
        if response.status not in (200, 204, *SEE_OTHER):
            raise RuntimeError(f"{method} {path} was answered with {response.status}")
        for morsel in SimpleCookie(response.headers.get("Set-Cookie", "")).values():
            self.cookies[morsel.key] = morsel.value
        is_packed = response.headers.get("Content-Encoding") == "gzip"
        text = (gzip.decompress(came) if is_packed else came).decode()
        to = response.headers.get("Location", "")
        return Answer(path, response.status, to, text, len(came))


def cookie_of(person: Enrolment) -> str:
    """What the server gives an annotator to be known by."""
    said = {"enrolment": str(person.pk), "return_token": "the-return-token"}
    return signing.dumps(said, salt=access.SALT)
