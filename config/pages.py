"""What every page needs: the interface's languages, and the page for a refused form token."""

from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from config.unavailable import posted_fields


def interface(_request: HttpRequest) -> dict[str, Any]:
    """Template context: languages to offer and the program's version. Touches no database."""
    return {"interface_languages": settings.LANGUAGES, "version": settings.VERSION}


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:  # noqa: ARG001 Django's
    """403 with the posted text kept and one button to send it again."""
    return render(request, "403_csrf.html", {"fields": posted_fields(request)}, status=403)
