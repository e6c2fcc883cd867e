"""Signing in and out: Django's own pages, answered as every form of ours is."""

from typing import Any, TypeVar

from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView, LogoutView
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

Answer = TypeVar("Answer", bound=HttpResponseBase)


class SignIn(LoginView):
    """303 to where the researcher wanted to go; 422 for a wrong name or password."""

    template_name = "console/login.html"
    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return _see_other(request, super().dispatch(request, *args, **kwargs))

    def form_invalid(self, form: AuthenticationForm) -> HttpResponse:
        return self.render_to_response(self.get_context_data(form=form), status=422)


class SignOut(LogoutView):
    """303 to the page that says so."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return _see_other(request, super().dispatch(request, *args, **kwargs))


def _see_other(request: HttpRequest, response: Answer) -> Answer:
    if request.method == "POST" and response.status_code == 302:
        response.status_code = 303
    return response
