"""Looks at everything that this installation depends on, and says what to do where it is wrong.

`findings` runs every check; a check that cannot look says so, and never raises.
"""

import shutil
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import metadata
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import regex
from celery import current_app
from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.contrib.staticfiles.storage import staticfiles_storage
from django.db import Error as DatabaseError
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http.request import validate_host
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerError
from redis import Redis, RedisError

from annotation import beating
from config.queues import Queue
from config.supervisor import weights
from sampling import budgets, demand, endpoints, real_call
from sampling import plans as plan_bodies
from sampling.checks.settings import CheckSettings
from sampling.errors import SamplingError
from sampling.models import CandidateSet, Plan
from sampling.models import Endpoint as EndpointRow
from sampling.reasons import Reason
from studies.models import Study
from studies.recounting import recount

PYTHONS = ((3, 11), (3, 14))
OLDEST_POSTGRES = 150000
OLDEST_REDIS = 7
SKEW_SECONDS = 5.0
FREE_WARN, FREE_FAIL = 2_000_000_000, 300_000_000
PING_SECONDS = 1.5


@dataclass(frozen=True)
class Finding:
    """One line: how it is, of what (a single word), in words, and what to do about it."""

    level: Literal["ok", "warn", "fail"]
    name: str
    message: str
    advice: str = ""

    def __str__(self) -> str:
        tail = f" -> {self.advice}" if self.advice else ""
        return f"{self.level:4} {self.name} {self.message}{tail}"

    def as_json(self) -> dict[str, str]:
        return {
            "level": self.level,
            "name": self.name,
            "message": self.message,
            "advice": self.advice,
        }


def findings() -> Iterator[Finding]:
    """Every check in turn, each as soon as it is known."""
    here = (python, packages, secret_key, panel_secret, base_url, allowed_hosts, disk, static_files)
    for check in here:
        yield from check()
    yield from broker()
    yield from beat()
    if (away := database_away()) is not None:
        yield away
        return
    for check in (database, migrations, clock):
        yield from check()
    if not _pending():
        for check in (studies, quotas, token_budgets, workers, model_endpoints, model_weights):
            yield from check()


# --- what needs nothing else ---------------------------------------------------------------------


def python() -> Iterator[Finding]:
    version = sys.version.split()[0]
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        yield Finding("ok", "python", version)
    else:
        yield Finding("warn", "python", f"{version} is untested", "use Python 3.11 to 3.14")


def packages() -> Iterator[Finding]:
    """Installed versions against the lock; what the lock leaves out here is no fault."""
    lock = Path(settings.ROOT) / "requirements.lock"
    if not lock.exists():
        yield Finding("warn", "packages", "there is no requirements.lock to compare with")
        return
    installed = {found.name.lower(): found.version for found in metadata.distributions()}
    wanted: dict[str, set[str]] = {}  # one name can have a version for each Python
    for name, version in regex.findall(r"(?m)^([\w.-]+)==([^\s;]+)", lock.read_text()):
        wanted.setdefault(name, set()).add(version)
    there = {name: installed[name] for name in wanted if name in installed}
    wrong = [f"{name} {found}" for name, found in there.items() if found not in wanted[name]]
    if wrong:
        advice = "install from the lock: pip install --require-hashes -r requirements.lock"
        yield Finding("warn", "packages", f"not as locked: {', '.join(wrong)}", advice)
    else:
        yield Finding("ok", "packages", f"{len(there)} as locked")


def secret_key() -> Iterator[Finding]:
    if not settings.SECRET_KEY_IS_SET:
        level: Literal["warn", "fail"] = "warn" if settings.PLAIN_HTTP else "fail"
        yield Finding(level, "secret_key", "SECRET_KEY is not set", "openssl rand -hex 32")
    elif len(settings.SECRET_KEY) < 32:
        yield Finding("fail", "secret_key", "shorter than 32 characters", "openssl rand -hex 32")
    else:
        yield Finding("ok", "secret_key", "set")


def panel_secret() -> Iterator[Finding]:
    """While it follows SECRET_KEY, changing that makes everybody of a panel a stranger."""
    if settings.PANEL_SECRET != settings.SECRET_KEY:
        yield Finding("ok", "panel_secret", "set")
    elif settings.PLAIN_HTTP:
        yield Finding("ok", "panel_secret", "follows SECRET_KEY")
    else:
        advice = "before a panel sends people, set it: openssl rand -hex 32"
        yield Finding("warn", "panel_secret", "PANEL_SECRET is not set", advice)


def base_url() -> Iterator[Finding]:
    if settings.PLAIN_HTTP:
        yield Finding("ok", "base_url", f"{settings.BASE_URL}: this machine only, plain cookies")
    elif settings.BASE_URL.startswith("https://"):
        yield Finding("ok", "base_url", f"{settings.BASE_URL}: secure cookies")
    else:
        advice = "set BASE_URL to the https address that people use"
        yield Finding("fail", "base_url", f"{settings.BASE_URL} is public and not https", advice)


def allowed_hosts() -> Iterator[Finding]:
    """Whoever comes by the public address must be answered; others get 400."""
    host = urlsplit(settings.BASE_URL).hostname or ""
    if validate_host(host, settings.ALLOWED_HOSTS):
        yield Finding("ok", "allowed_hosts", f"{host} is among them")
    else:
        message = f"{host}, the host of BASE_URL, is not among them: every page answers 400"
        yield Finding("fail", "allowed_hosts", message, f"add {host} to ALLOWED_HOSTS")


def disk() -> Iterator[Finding]:
    free = shutil.disk_usage(settings.ROOT).free
    level: Literal["ok", "warn", "fail"] = "ok"
    if free < FREE_WARN:
        level = "fail" if free < FREE_FAIL else "warn"
    advice = "" if level == "ok" else "free some space: exports and logs need it"
    yield Finding(level, "disk", f"{free / 1e9:.1f} GB free here", advice)


def static_files() -> Iterator[Finding]:
    """Pages fail without the list of hashed names that collectstatic writes."""
    manifest = getattr(staticfiles_storage, "manifest_name", None)
    if manifest and not (Path(settings.STATIC_ROOT) / manifest).exists():
        advice = "run manage.py collectstatic"
        yield Finding("fail", "static_files", f"none in {settings.STATIC_ROOT}", advice)
    else:
        yield Finding("ok", "static_files", "there")


# --- servers -------------------------------------------------------------------------------------


def broker() -> Iterator[Finding]:
    try:
        with Redis.from_url(settings.REDIS_URL, socket_timeout=2, socket_connect_timeout=2) as wire:
            facts: dict[str, Any] = wire.info()
    except RedisError as fault:
        advice = "start the server, or correct REDIS_URL; generation goes on without it, slower"
        yield Finding("fail", "redis", _first_line(fault), advice)
        return
    name, version = facts.get("server_name", "redis"), _redis_version(facts)
    if int(version.partition(".")[0]) < OLDEST_REDIS:
        yield Finding("warn", "redis", f"{name} {version} is old", "use Valkey or Redis 7 or newer")
    policy = facts.get("maxmemory_policy", "unknown")
    if policy != "noeviction":
        advice = "set maxmemory-policy noeviction: a broker must not forget"
        yield Finding("warn", "redis", f"maxmemory-policy is {policy}", advice)
    yield Finding("ok", "redis", f"{name} {version} answers")


def beat() -> Iterator[Finding]:
    """Without the clock nothing is made ahead, and what silent people hold is never given back."""
    with suppress(RedisError):  # which `broker` tells
        if beating.heard():
            yield Finding("ok", "beat", "heard in the last two minutes")
        else:
            advice = "start one, and only one: celery -A config beat"
            yield Finding("warn", "beat", "not heard for two minutes", advice)


def _redis_version(facts: dict[str, Any]) -> str:
    return str(facts.get("valkey_version") or facts.get("redis_version") or "0")


def database_away() -> Finding | None:
    """What keeps us from the database; None when it answers."""
    try:
        connection.ensure_connection()
    except DatabaseError as fault:
        return Finding(
            "fail", "database", _first_line(fault), "start the server, or correct DATABASE_URL"
        )
    return None


def database() -> Iterator[Finding]:
    number = connection.connection.info.server_version
    version = f"PostgreSQL {number // 10000}.{number % 10000}"
    if number < OLDEST_POSTGRES:
        yield Finding("fail", "database", f"{version} is too old", "use PostgreSQL 15 or newer")
    else:
        yield Finding("ok", "database", version)


def migrations() -> Iterator[Finding]:
    if pending := _pending():
        message = f"{len(pending)} not applied, the first is {pending[0]}"
        yield Finding("fail", "migrations", message, "run manage.py migrate")
    else:
        yield Finding("ok", "migrations", "all applied")


def _pending() -> list[str]:
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _ in plan]


def clock() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp(), current_setting('TimeZone')")
        theirs, zone = cursor.fetchone()
    yield clock_finding(ours=timezone.now(), theirs=theirs, zone=zone)


def clock_finding(*, ours: datetime, theirs: datetime, zone: str) -> Finding:
    """Leases compare this machine's clock with the database's."""
    skew = abs((ours - theirs).total_seconds())
    if skew > SKEW_SECONDS:
        message = f"this machine and the database are {skew:.0f} s apart"
        return Finding("fail", "clock", message, "set both by NTP: leases depend on it")
    if zone != "UTC" or settings.TIME_ZONE != "UTC":
        return Finding("fail", "clock", f"the database session is in {zone}", "leave TIME_ZONE UTC")
    return Finding("ok", "clock", f"within {SKEW_SECONDS:.0f} s of the database, in UTC")


# --- what is asked, and who answers --------------------------------------------------------------


def studies() -> Iterator[Finding]:
    """Open studies by name; a plan in use that is not frozen is a fault of ours."""
    names = dict.fromkeys(Study.State.values, 0)
    for state in Study.objects.values_list("state", flat=True):
        names[state] += 1
    told = ", ".join(f"{number} {state}" for state, number in names.items() if number)
    if not names[Study.State.OPEN]:
        advice = "load one and open it: manage.py load_study, manage.py open_study"
        yield Finding("warn", "studies", told or "none is loaded", advice)
    else:
        yield Finding("ok", "studies", told)
    loose = Study.objects.filter(state=Study.State.OPEN, plans__arms__isnull=False)
    for slug in loose.filter(plans__frozen_at=None).values_list("slug", flat=True).distinct():
        yield Finding(
            "fail", "studies", f"{slug} is open and a plan of it is not frozen", "pause it"
        )


def quotas() -> Iterator[Finding]:
    """Places and targets of the studies that have a quota, against the facts."""
    for study in Study.objects.filter(quota_sets__isnull=False).distinct().order_by("slug"):
        differences = recount(study).differences
        if differences:
            told = (
                f"{study.slug}: {len(differences)} differ from the facts, such as {differences[0]}"
            )
            advice = f"manage.py recount_quotas --study {study.slug} --repair"
            yield Finding("warn", "quotas", told, advice)
        else:
            yield Finding("ok", "quotas", f"{study.slug}: as the facts say")


def token_budgets() -> Iterator[Finding]:
    """Studies whose sets wait because their tokens are spent. Annotators just see them wait."""
    for spent in budgets.spent_budgets():
        message = (
            f"{spent.study} has used {spent.spent} of {spent.total} tokens, and "
            f"{spent.waiting} candidate sets wait"
        )
        advice = f"raise it: manage.py token_budget {spent.study} --total N; or pause the study"
        yield Finding("warn", "token_budget", message, advice)


def workers() -> Iterator[Finding]:
    """Who listens on which queue, asked through the broker."""
    try:
        answers = current_app.control.inspect(timeout=PING_SECONDS).active_queues() or {}
    except (BrokerError, RedisError, OSError) as fault:
        yield Finding(
            "fail", "workers", f"cannot be asked: {_first_line(fault)}", "see redis above"
        )
        return
    heard = {queue["name"] for queues in answers.values() for queue in queues}
    for queue in Queue:
        if queue.value not in heard:
            advice = f"start one: celery -A config worker -P threads -Q {queue.value}"
            yield Finding("fail", "workers", f"nobody works on {queue.value}", advice)
    if answers:
        yield Finding("ok", "workers", f"{len(answers)} answer: {', '.join(sorted(answers))}")


def model_endpoints() -> Iterator[Finding]:
    """Each endpoint that an arm can use gets one real call of a few tokens."""
    rows = EndpointRow.objects.filter(plan_endpoints__plan__arms__isnull=False)
    for row in rows.distinct().order_by("name"):
        yield endpoint_finding(row)
        yield from capability_findings(row)
    yield from check_findings()


def check_findings() -> Iterator[Finding]:
    """Each endpoint that plans check with gets one real call; and what a check has set aside."""
    bodies = Plan.objects.filter(arms__isnull=False).distinct().values_list("body", flat=True)
    wanted = {
        (name, serves)
        for checks in filter(None, (body.get("checks") for body in bodies))
        for _, name, serves in CheckSettings.model_validate(checks).endpoints()
    }
    rows = EndpointRow.objects.in_bulk([name for name, _ in wanted], field_name="name")
    for name, serves in sorted(wanted):
        yield _check_finding(name, rows.get(name), serves)
    aside = CandidateSet.objects.filter(reason=Reason.SET_ASIDE).values_list("study__slug")
    latest = ArrayAgg("pk", order_by="-requested_at")
    for slug, ids in aside.annotate(ids=latest).order_by("study__slug"):
        message = f"{slug} has {len(ids)} candidate sets that the safety check set aside"
        advice = f"look at them, the latest first: manage.py explain_set {ids[0]}"
        yield Finding("warn", "set_aside", message, advice)


def _check_finding(name: str, row: EndpointRow | None, serves: str) -> Finding:
    if row is None:
        return Finding("fail", f"endpoint.{name}", "is not there", "load the study file again")
    try:
        real_call.seconds_of(row, serves=serves)
    except SamplingError as fault:
        advice = _ADVICE.get(fault.code, TRY)
        return Finding("fail", f"endpoint.{name}", f"{fault.code}: {fault.message}", advice)
    return Finding("ok", f"endpoint.{name}", f"{row.model} serves {serves}")


def capability_findings(row: EndpointRow) -> Iterator[Finding]:
    """What plans need of an endpoint and it was not seen to have. Nothing is needed: no line."""
    in_use = Plan.objects.filter(plan_endpoints__endpoint=row, arms__isnull=False)
    for plan in in_use.select_related("study").distinct().order_by("study__slug", "version"):
        try:
            needed = demand.features_of(plan_bodies.read(plan.body))
        except SamplingError as fault:
            name = f"{plan.study.slug}/{plan.version}"
            yield Finding("fail", "plan", f"{name}: {fault.message}", "load the study file again")
            continue
        known = row.capabilities or {}
        for feature in sorted(name for name in needed if not known.get(name)):
            yield _lacking(row, plan, feature)


def _lacking(row: EndpointRow, plan: Plan, feature: str) -> Finding:
    who = f"{plan.study.slug}/{plan.version} needs {feature}"
    if row.capabilities is None:
        advice = f"find out: manage.py probe_endpoints {row.name}"
        return Finding("warn", f"endpoint.{row.name}", f"{who}, and it was never probed", advice)
    advice = "choose another strategy or endpoint, or set its server up for it and probe again"
    return Finding("warn", f"endpoint.{row.name}", f"{who}, which it did not honour", advice)


def endpoint_finding(row: EndpointRow) -> Finding:
    name = f"endpoint.{row.name}"
    try:
        seconds = real_call.seconds_of(row)
    except SamplingError as fault:
        return Finding("fail", name, f"{fault.code}: {fault.message}", _ADVICE.get(fault.code, TRY))
    said = f"{row.model} answered in {seconds:.1f} s"
    if replicas := endpoints.resolve(row).replicas:
        said += f" or less at each of {len(replicas)} addresses"
    if row.probed_at:
        said += f"; {_seen(row.capabilities or {})}, probed {row.probed_at:%Y-%m-%d}"
    return Finding("ok", name, said)


def _seen(capabilities: dict[str, Any]) -> str:
    able = [name for name, value in capabilities.items() if value is True]
    return f"can: {', '.join(able)}" if able else "can nothing beyond plain answers"


TRY = "see that its server runs and that this machine can reach it"
_ADVICE = {
    "endpoint_misconfigured": "correct its address, model name or key; MODEL_ALLOWLIST lists what "
    "may be called",
}


def model_weights() -> Iterator[Finding]:
    if not EndpointRow.objects.filter(base_url="$LOCAL_MODEL_URL").exists():
        return
    if weights.present():
        yield Finding("ok", "weights", "of the local model are there")
    else:
        yield Finding("warn", "weights", "of the local model are missing", "make demo fetches them")


def _first_line(fault: BaseException) -> str:
    return str(fault).strip().partition("\n")[0] or type(fault).__name__
