"""Servers that DATABASE_URL, REDIS_URL and MODEL_BASE_URL bring along.

The first two must answer before we start. A model may still be loading: it is only warned of.
"""

import http.client
import json
import urllib.error
import urllib.request

import psycopg
import redis

from config.supervisor.options import OwnModel
from config.supervisor.trouble import Trouble

MODEL_SECONDS = 5


def check_database(url: str) -> None:
    """Raise Trouble, in a sentence, when there is no database at this address."""
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.Error as fault:
        raise _unreachable("DATABASE_URL", "PostgreSQL", fault) from fault


def check_redis(url: str) -> None:
    """Raise Trouble, in a sentence, when nobody answers at this address."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=5, socket_timeout=5) as wire:
            wire.ping()
    except (redis.RedisError, ValueError) as fault:
        raise _unreachable("REDIS_URL", "a Valkey or Redis", fault) from fault


def warnings_about_model(model: OwnModel) -> list[str]:
    """What keeps answers from coming, and what to do, for each address that the model has."""
    addresses = [one.strip().rstrip("/") for one in model.base_url.split(",")]
    return [said for one in addresses if one and (said := _model_warning(one, model))]


def _model_warning(address: str, model: OwnModel) -> str:
    try:
        listed = _listed(address, model.api_key)
    except urllib.error.HTTPError as refusal:
        if refusal.code in {401, 403}:
            return f"{address} refuses the key ({refusal.code}): correct MODEL_API_KEY."
        return ""  # it answers, and lists nothing
    except (OSError, http.client.HTTPException) as fault:
        said = getattr(fault, "reason", fault)
        return (
            f"{address} does not answer yet ({said}): people will wait until it does."
            " If it is not loading, correct MODEL_BASE_URL."
        )
    if listed and model.name not in listed:
        return f"{address} has no model {model.name}, only {', '.join(listed)}: correct MODEL_NAME."
    return ""


def _listed(address: str, key: str) -> list[str]:
    """The names of an endpoint's models; none where it tells them in another way."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    asked = urllib.request.Request(f"{address}/models", headers=headers)  # noqa: S310 -- http(s)
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with straight.open(asked, timeout=MODEL_SECONDS) as answer:
        try:
            return [str(one["id"]) for one in json.load(answer)["data"]]
        except (ValueError, TypeError, KeyError):
            return []


def _unreachable(variable: str, server: str, fault: Exception) -> Trouble:
    said = str(fault).strip().partition("\n")[0]
    return Trouble(
        f"{variable} leads to no server that answers: {said}",
        advice=f"correct it, or unset it to let {server} be started here.",
    )
