"""The compose file is one, keeps no secret, and starts what production needs."""

import subprocess
import sys
from typing import Any

import pytest
import yaml

from tests.architecture.files import ROOT

COMPOSE = ROOT / "docker-compose.yml"
DOCKERFILE = ROOT / "Dockerfile"


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
    made: dict[str, Any] = read["services"]
    return made


def test_the_compose_file_follows_the_schema() -> None:
    checked = subprocess.run(
        [
            *(sys.executable, "-m", "check_jsonschema"),
            *("--builtin-schema", "vendor.compose-spec", str(COMPOSE)),
        ],
        capture_output=True,
        check=False,
        text=True,
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_part_of_production_is_there(services: dict[str, Any]) -> None:
    wanted = {"postgres", "valkey", "vllm", "migrate", "web", "worker", "worker-default", "beat"}

    assert wanted <= services.keys()
    assert services["vllm"]["profiles"] == ["gpu"]


def test_secrets_have_no_default() -> None:
    text = COMPOSE.read_text(encoding="utf-8")

    for secret in ("SECRET_KEY", "POSTGRES_PASSWORD", "VALKEY_PASSWORD"):
        assert f"${{{secret}:?" in text
        assert f"${{{secret}:-" not in text


def test_what_stays_up_has_a_health_check_and_comes_back(services: dict[str, Any]) -> None:
    staying = {name: one for name, one in services.items() if name != "migrate"}

    assert [name for name, one in staying.items() if "restart" not in one] == []
    # Those of our image without one inherit none that fits: each says its own.
    assert [name for name, one in staying.items() if "healthcheck" not in one] == []


def test_stores_and_the_model_cannot_be_reached_from_outside(services: dict[str, Any]) -> None:
    for name in ("postgres", "valkey", "vllm"):
        assert "ports" not in services[name]
        assert services[name]["networks"] != ["front"]


def test_the_image_runs_as_nobody_special_and_holds_no_servers() -> None:
    text = DOCKERFILE.read_text(encoding="utf-8")

    assert "\nUSER " in text
    assert "--require-hashes" in text
    assert "embedded" in text  # the servers of the one-command start are taken out of its lock
    assert "HEALTHCHECK" in text
