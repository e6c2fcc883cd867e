"""Pages, compressed for browsers that take it: a phone far away waits for every kilobyte."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageCompressionMiddleware(GZipMiddleware):
    """Compresses whole HTML pages; downloads and what is sent in pieces go out as they are.

    Django adds bytes of a random length and masks the form token anew in every page, so that the
    size of a page does not tell what it holds (the BREACH attack).
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        if response.streaming or not response.get("Content-Type", "").startswith("text/html"):
            return response
        return super().process_response(request, response)
