"""Static files, compressed and hashed, served in front of Django."""

from typing import Any

from django.conf import settings
from django.contrib.staticfiles import finders
from servestatic import ServeStaticASGI


def serve_static(pages: Any) -> Any:
    """Wrap an ASGI application: files under STATIC_URL are answered without it.

    With DEBUG, and in tests, they come from where they are written; otherwise from STATIC_ROOT,
    where `collectstatic` put them with hashed names and compressed copies.
    """
    prefix = settings.STATIC_URL.strip("/")
    if not (settings.DEBUG or settings.TESTING):
        return ServeStaticASGI(pages, root=settings.STATIC_ROOT, prefix=prefix)
    served = ServeStaticASGI(pages)
    for finder in finders.get_finders():
        for path, storage in finder.list(None):
            served.add_file_to_dictionary(f"/{prefix}/{path}", storage.path(path))
    return served
