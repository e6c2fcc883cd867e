"""Every address of the site. A guard test walks this list and asks each for its access rule."""

from django.urls import URLPattern, URLResolver, include, path

urlpatterns: list[URLPattern | URLResolver] = [
    path("health/", include("config.health")),
    path("", include("annotation.urls")),
    path("", include("console.urls")),
]
