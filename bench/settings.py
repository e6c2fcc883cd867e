"""The project's settings, with one more address: the bare view that pages are measured against."""

from config.settings import *  # noqa: F403

ROOT_URLCONF = "bench.urls"
