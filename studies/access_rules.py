"""Who may call a view: every view carries one of these rules, and a guard test asks for it.

`public`: anybody. `researcher`: staff who signed in; what they may see is decided by membership,
and what they may not see answers 404. Annotators' pages carry `ANNOTATOR`, set where their signed
cookie is read (annotation.access).
"""

from collections.abc import Callable
from functools import wraps
from typing import Any, Final, cast

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from studies.models import Researcher

PUBLIC: Final = "public"
RESEARCHER: Final = "researcher"
ANNOTATOR: Final = "annotator"
RULES = {PUBLIC, RESEARCHER, ANNOTATOR}
ATTRIBUTE: Final = "access_rule"

View = Callable[..., HttpResponseBase]


def public(view: View) -> View:
    """Anybody may call the view."""
    return carrying(view, PUBLIC)


def researcher(view: View) -> View:
    """Only an active researcher who signed in may call the view; others are sent to sign in."""
    return carrying(login_required(view), RESEARCHER)


def carrying(view: View, rule: str) -> View:
    """The view with its rule on it, so that the guard test can read it."""

    @wraps(view)
    def ruled(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return view(request, *args, **kwargs)

    setattr(ruled, ATTRIBUTE, rule)
    return ruled


def signed_in(request: HttpRequest) -> Researcher:
    """The researcher who makes the request, inside a view with the rule `researcher`."""
    return cast("Researcher", request.user)
