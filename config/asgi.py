"""One process serves pages, static files and the live channel.

Pages are Django's WSGI application in a fixed pool of threads, each with its own database
connection: measured cheaper than Django's ASGI handler (docs/adr/). The live channel is a bare ASGI
application in front of it, so that an open page costs no thread and no connection.
"""

import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from a2wsgi import WSGIMiddleware
from asgiref.typing import ASGIReceiveCallable, ASGISendCallable, Scope

from config.startup import refuse_unsafe_settings
from config.static_files import serve_static
from config.wsgi import application as pages

refuse_unsafe_settings()

from sampling.hub import LiveChannel  # noqa: E402 after the settings have been accepted

PAGE_THREADS = 16

live = LiveChannel()
# Django's responses are iterables of bytes, though not annotated so.
with_static = serve_static(WSGIMiddleware(pages, workers=PAGE_THREADS))  # type: ignore[arg-type]


async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    """Route by kind and path; the lifespan belongs to the live channel."""
    if scope["type"] == "lifespan":
        await live.lifespan(receive, send)
    elif scope["type"] == "http" and scope["path"] == "/live/":
        await live(scope, receive, send)
    elif scope["type"] == "http":
        await with_static(scope, receive, send)
