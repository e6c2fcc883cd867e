"""The site's addresses and, for measuring only, a view that does as little as a submit can."""

from django.urls import URLPattern, URLResolver, path

from bench.bare import keep_draft, submit, thanks
from config.urls import urlpatterns as of_the_site

urlpatterns: list[URLPattern | URLResolver] = [
    *of_the_site,
    path("bare/comparison/", submit),
    path("bare/draft/", keep_draft),
    path("bare/", thanks),
]
