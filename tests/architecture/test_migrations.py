"""The migrations say what the models say. Needs no database."""

from importlib import import_module

from django.apps import apps
from django.db import migrations
from django.db.migrations.autodetector import MigrationAutodetector
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.state import ProjectState

from tests.architecture.files import APPS


def test_no_migration_is_missing() -> None:
    loader = MigrationLoader(None)
    detector = MigrationAutodetector(loader.project_state(), ProjectState.from_apps(apps))
    missing = detector.changes(graph=loader.graph)

    assert {app: [str(one) for one in made] for app, made in missing.items()} == {}


def test_each_app_has_one_newest_migration() -> None:
    leaves = MigrationLoader(None).detect_conflicts()

    assert leaves == {}


def test_every_migration_can_be_taken_back() -> None:
    loader = MigrationLoader(None)
    stuck = [
        f"{app}.{name}"
        for (app, name), migration in loader.disk_migrations.items()
        for operation in migration.operations
        if app in APPS and not operation.reversible
    ]

    assert stuck == []


def test_raw_sql_stands_in_migrations_that_say_so() -> None:
    """A migration of SQL is named for what it does, and holds nothing else."""
    mixed = [
        f"{app}.{name}"
        for (app, name), migration in MigrationLoader(None).disk_migrations.items()
        if app in APPS
        and any(isinstance(operation, migrations.RunSQL) for operation in migration.operations)
        and not all(isinstance(operation, migrations.RunSQL) for operation in migration.operations)
    ]

    assert mixed == []
    assert import_module("studies.migrations.0002_invariants").Migration.operations
