"""Celery: the bell that tells workers there may be work. PostgreSQL is the queue."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("counterpoint")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
