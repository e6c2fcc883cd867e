import json
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from io import StringIO
from types import SimpleNamespace

import pytest
from django.core.management import call_command
from pytest_django.fixtures import Settings
from redis import Redis

from annotation import beating
from annotation.tasks import fill_prefetch
from console import doctor
from console.doctor import Finding
from sampling import demand, simulated
from sampling.models import TokenBudget
from studies.models import Study
from tests import factories

UNUSED = "127.0.0.1:9"


def told(check: Callable[[], Iterator[Finding]]) -> list[str]:
    return [str(finding) for finding in check()]


def test_a_line_says_how_it_is_and_what_to_do() -> None:
    finding = Finding("warn", "disk", "1.0 GB free here", "free some space")

    assert str(finding) == "warn disk 1.0 GB free here -> free some space"
    assert str(Finding("ok", "python", "3.11.7")) == "ok   python 3.11.7"


@pytest.mark.django_db
def test_the_database_is_well(redis: Redis) -> None:
    lines = [*told(doctor.database), *told(doctor.migrations), *told(doctor.clock)]

    assert [line.split()[:2] for line in lines] == [
        ["ok", "database"],
        ["ok", "migrations"],
        ["ok", "clock"],
    ]


def test_a_clock_that_is_off_fails() -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)

    late = doctor.clock_finding(ours=now, theirs=now + timedelta(seconds=60), zone="UTC")
    moved = doctor.clock_finding(ours=now, theirs=now, zone="Europe/Rome")

    assert str(late).startswith("fail clock this machine and the database are 60 s apart")
    assert str(moved).startswith("fail clock the database session is in Europe/Rome")


def test_a_broker_is_well(redis: Redis) -> None:
    (line,) = told(doctor.broker)

    assert line.startswith("ok   redis valkey 9.1")


def test_a_broker_that_may_forget_is_named(redis: Redis) -> None:
    redis.config_set("maxmemory-policy", "allkeys-lru")
    try:
        lines = told(doctor.broker)
    finally:
        redis.config_set("maxmemory-policy", "noeviction")

    assert lines[0].startswith("warn redis maxmemory-policy is allkeys-lru")


def test_a_broker_that_is_away_fails(settings: Settings) -> None:
    settings.REDIS_URL = f"redis://{UNUSED}/0"

    (line,) = told(doctor.broker)

    assert line.startswith("fail redis Error 111")


@pytest.mark.parametrize(
    ("is_set", "key", "plain", "starts"),
    [
        (True, "k" * 40, False, "ok   secret_key"),
        (True, "tiny", False, "fail secret_key shorter"),
        (False, "", False, "fail secret_key SECRET_KEY is not set"),
        (False, "", True, "warn secret_key SECRET_KEY is not set"),
    ],
)
def test_the_secret_key_is_looked_at(
    settings: Settings, is_set: bool, key: str, plain: bool, starts: str
) -> None:
    settings.SECRET_KEY_IS_SET, settings.SECRET_KEY, settings.PLAIN_HTTP = is_set, key, plain

    (line,) = told(doctor.secret_key)

    assert line.startswith(starts)
    assert not key or key not in line


@pytest.mark.parametrize(
    ("address", "plain", "starts"),
    [
        ("http://127.0.0.1:8000", True, "ok   base_url"),
        ("https://study.example.org", False, "ok   base_url"),
        ("http://study.example.org", False, "fail base_url"),
    ],
)
def test_a_public_address_must_be_https(
    settings: Settings, address: str, plain: bool, starts: str
) -> None:
    settings.BASE_URL, settings.PLAIN_HTTP = address, plain

    assert told(doctor.base_url)[0].startswith(starts)


@pytest.mark.parametrize(
    ("address", "hosts", "starts"),
    [
        ("https://study.example.org", ["study.example.org", "localhost"], "ok   allowed_hosts"),
        ("https://study.example.org", [".example.org"], "ok   allowed_hosts"),
        ("http://127.0.0.1:8000", ["127.0.0.1"], "ok   allowed_hosts"),
        ("https://study.example.org", ["study.exmaple.org"], "fail allowed_hosts study.example"),
    ],
)
def test_the_host_of_the_public_address_must_be_answered_to(
    settings: Settings, address: str, hosts: list[str], starts: str
) -> None:
    settings.BASE_URL, settings.ALLOWED_HOSTS = address, hosts

    assert told(doctor.allowed_hosts)[0].startswith(starts)


@pytest.mark.parametrize(
    ("secret", "plain", "starts"),
    [
        ("p" * 40, False, "ok   panel_secret"),
        ("k" * 40, True, "ok   panel_secret"),
        ("k" * 40, False, "warn panel_secret PANEL_SECRET is not set"),
    ],
)
def test_a_secret_of_panels_that_follows_the_secret_key_is_told(
    settings: Settings, secret: str, plain: bool, starts: str
) -> None:
    settings.SECRET_KEY, settings.PANEL_SECRET, settings.PLAIN_HTTP = "k" * 40, secret, plain

    assert told(doctor.panel_secret)[0].startswith(starts)


@pytest.mark.django_db
def test_a_clock_that_sends_nothing_is_told(redis: Redis) -> None:
    redis.delete(beating.KEY)
    silent = told(doctor.beat)
    fill_prefetch()

    assert silent[0].startswith("warn beat not heard for two minutes -> start one")
    assert told(doctor.beat) == ["ok   beat heard in the last two minutes"]
    assert 0 < redis.ttl(beating.KEY) <= beating.FADES


@pytest.mark.parametrize(("free", "level"), [(5e9, "ok"), (1e9, "warn"), (1e8, "fail")])
def test_a_full_disk_is_told_in_time(
    monkeypatch: pytest.MonkeyPatch, free: float, level: str
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=int(free)))

    (finding,) = doctor.disk()

    assert finding.level == level


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("capabilities", "says"),
    [
        (None, ["needs logprobs, and it was never probed"]),
        ({"logprobs": False}, ["needs logprobs, which it did not honour"]),
        ({"logprobs": True}, []),
    ],
)
def test_what_a_plan_needs_and_its_endpoint_lacks_is_told(
    monkeypatch: pytest.MonkeyPatch, capabilities: dict[str, bool] | None, says: list[str]
) -> None:
    monkeypatch.setitem(demand.NEEDS, "temperature", "logprobs")  # which every plan sends
    row = factories.endpoint(capabilities=capabilities)
    plan = factories.plan(endpoints=[row])
    factories.arm(factories.cohort(plan.study), of_plan=plan)

    lines = [str(one) for one in doctor.capability_findings(row)]

    assert len(lines) == len(says)
    assert all(part in line for part, line in zip(says, lines, strict=True))


@pytest.mark.django_db
def test_a_study_whose_tokens_are_spent_is_told() -> None:
    asked = factories.candidate_set(tokens=600)
    TokenBudget.objects.create(study=asked.study, total=1000, spent=500)

    (line,) = told(doctor.token_budgets)

    slug = asked.study.slug
    assert line.startswith(f"warn token_budget {slug} has used 500 of 1000 tokens, and 1 candidate")
    assert f"manage.py token_budget {slug} --total" in line


@pytest.mark.django_db
def test_endpoints_that_check_get_a_real_call_and_what_was_set_aside_is_told(
    settings: Settings,
) -> None:
    checks = {"sense": {"endpoint": "near"}, "safety": {"endpoint": "careful"}}
    body = {"k": 4, "first_turn": {"strategy": "independent"}, "checks": checks}
    plan = factories.plan(body=body)
    factories.arm(factories.cohort(plan.study), of_plan=plan)
    aside = factories.candidate_set(plan, state="failed", reason="set_aside")

    with simulated.running() as server:
        settings.MODEL_ALLOWLIST = [server.base_url]
        factories.endpoint(name="near", serves="embeddings", base_url=server.base_url)
        lines = told(doctor.check_findings)

    assert lines[0] == "fail endpoint.careful is not there -> load the study file again"
    assert lines[1] == "ok   endpoint.near simulated serves embeddings"
    assert "1 candidate sets that the safety check set aside" in lines[2]
    assert str(aside.pk) in lines[2]


@pytest.mark.django_db
def test_an_endpoint_gets_one_real_call(settings: Settings) -> None:
    with simulated.running() as endpoint:
        settings.MODEL_ALLOWLIST = [endpoint.base_url]
        row = factories.endpoint(base_url=endpoint.base_url, model="simulated")
        finding = doctor.endpoint_finding(row)

    assert finding.level == "ok"
    assert finding.message.startswith("simulated answered in")


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "listed", "says"),
    [
        ({"base_url": f"http://{UNUSED}/v1"}, [f"http://{UNUSED}"], "endpoint_unavailable"),
        ({"base_url": f"http://{UNUSED}/v1"}, [], "not on the list of allowed model endpoints"),
        ({"base_url": "$NOWHERE"}, [], "NOWHERE is not set in the environment"),
    ],
)
def test_an_endpoint_that_cannot_be_called_fails_with_the_reason(
    settings: Settings, fields: dict[str, str], listed: list[str], says: str
) -> None:
    settings.MODEL_ALLOWLIST = listed

    finding = doctor.endpoint_finding(factories.endpoint(**fields))

    assert finding.level == "fail"
    assert says in finding.message
    assert finding.advice


@pytest.mark.django_db
def test_without_an_open_study_nobody_can_take_part() -> None:
    factories.study(state=Study.State.DRAFT)

    (line,) = told(doctor.studies)

    assert line.startswith("warn studies 1 draft -> load one and open it")


@pytest.mark.django_db
def test_without_a_worker_each_queue_is_named(redis: Redis, settings: Settings) -> None:
    lines = told(doctor.workers)

    assert [line.split(" -> ")[0] for line in lines] == [
        "fail workers nobody works on generate",
        "fail workers nobody works on prefetch",
        "fail workers nobody works on default",
    ]


@pytest.mark.django_db
def test_the_command_exits_with_1_when_something_fails_and_prints_json(redis: Redis) -> None:
    output = StringIO()

    with pytest.raises(SystemExit) as exited:
        call_command("doctor", "--json", stdout=output)
    found = json.loads(output.getvalue())

    assert exited.value.code == 1
    assert {entry["level"] for entry in found} <= {"ok", "warn", "fail"}
    assert {"python", "database", "redis", "workers"} <= {entry["name"] for entry in found}
