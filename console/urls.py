"""Addresses of researchers: the console, and signing in and out."""

from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from console import views
from studies.access_rules import public

urlpatterns = [
    path("", views.front, name="front"),
    path("console/", views.overview, name="console"),
    path(
        "accounts/login/",
        public(
            LoginView.as_view(template_name="console/login.html", redirect_authenticated_user=True)
        ),
        name="login",
    ),
    path("accounts/logout/", public(LogoutView.as_view()), name="logout"),
]
