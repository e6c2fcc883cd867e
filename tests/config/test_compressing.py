"""Which answers go out compressed."""

import gzip

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client, RequestFactory

from config.compressing import PageCompressionMiddleware
from tests import factories

ASKING = RequestFactory().get("/", headers={"Accept-Encoding": "gzip, br"})
LONG = b"<p>The same words again.</p>" * 50


@pytest.mark.django_db
def test_a_page_comes_compressed_to_a_browser_that_takes_it_so() -> None:
    factories.invitation(factories.world().cohort, token="open-token")
    client = Client()
    client.get("/join/open-token/")
    plain = client.get("/welcome/")
    packed = client.get("/welcome/", headers={"Accept-Encoding": "gzip"})
    assert packed["Content-Encoding"] == "gzip"
    assert len(packed.content) < len(plain.content) / 2
    assert b"</html>" in gzip.decompress(packed.content)
    assert "Accept-Encoding" in plain["Vary"]


@pytest.mark.parametrize(
    "response",
    [
        HttpResponse(LONG, content_type="application/json"),
        StreamingHttpResponse([LONG], content_type="text/html"),
    ],
)
def test_what_is_no_whole_page_goes_out_as_it_is(
    response: HttpResponse | StreamingHttpResponse,
) -> None:
    middleware = PageCompressionMiddleware(lambda _request: response)
    sent = middleware.process_response(ASKING, response)
    assert not sent.has_header("Content-Encoding")
