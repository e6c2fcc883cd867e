"""Django's handle on the app: brings the task queue up with it."""

from importlib import import_module

from django.apps import AppConfig


class SamplingConfig(AppConfig):
    name = "sampling"

    def ready(self) -> None:
        """Make our Celery application the current one, in pages and commands too."""
        import_module("config.celery")
