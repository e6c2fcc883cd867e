"""From an endpoint's row to a value that the client can call: address and key come from settings.

A row keeps a literal address or `$NAME` of a setting, and the name of a secret, never a key. Only
addresses on the operator's allow-list are called, or those that the environment itself gives.
"""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Literal, cast
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from sampling.calls import Endpoint
from sampling.errors import EndpointMisconfigured
from sampling.models import Endpoint as EndpointRow

DEFAULT_PORTS = {"http": 80, "https": 443}


def resolve(row: EndpointRow) -> Endpoint:
    """The endpoint of a row, ready to be called.

    Raises EndpointMisconfigured, in words for the operator, when its address is unknown, malformed
    or not allowed, or when its key is not in the environment.
    """
    addresses = split(address_of(row))
    for address in addresses:
        check_address(address)
    return Endpoint(
        name=row.name,
        base_url=addresses[0],
        model=row.model,
        key=_key(row),
        kind=cast("Literal['model', 'simulated']", row.kind),
        revision=row.revision,
        replicas=addresses if len(addresses) > 1 else (),
        seats=row.seats,
        context_length=row.context_length,
    )


def resolve_all(rows: Sequence[EndpointRow]) -> list[Endpoint]:
    """The endpoints of a set, the one that serves it first.

    Raises EndpointMisconfigured for the first alone: one of the others says so when it is called.
    """
    return [resolve(row) if place == 0 else _resolve_later(row) for place, row in enumerate(rows)]


def _resolve_later(row: EndpointRow) -> Endpoint:
    try:
        return resolve(row)
    except EndpointMisconfigured as error:
        return Endpoint(name=row.name, base_url="", model=row.model, fault=error.message)


def split(addresses: str) -> tuple[str, ...]:
    """The addresses of an endpoint of several servers, which a setting has with commas between."""
    found = tuple(one.strip().rstrip("/") for one in addresses.split(","))
    return tuple(dict.fromkeys(one for one in found if one)) or ("",)


def address_of(row: EndpointRow) -> str:
    """The row's address, or several, with `$NAME` replaced.

    Raises EndpointMisconfigured for a name that is not known.
    """
    if not row.base_url.startswith("$"):
        return row.base_url.rstrip("/")
    name = row.base_url[1:]
    try:
        return str(settings.MODEL_ADDRESSES[name]).rstrip("/")
    except KeyError:
        raise EndpointMisconfigured(
            f"endpoint {row.name}: {name} is not set in the environment"
        ) from None


def check_address(address: str) -> None:
    """Raise EndpointMisconfigured unless the address is well-formed, listed, and of a usable kind.

    Private addresses are allowed when they are listed: a model server is usually an internal one.
    """
    origin = origin_of(address)
    given = [one for value in settings.MODEL_ADDRESSES.values() for one in split(value)]
    listed = [*settings.MODEL_ALLOWLIST, *given]
    if origin not in {origin_of(entry) for entry in listed}:
        raise EndpointMisconfigured(f"{origin} is not on the list of allowed model endpoints")
    for ip in _addresses(urlsplit(address).hostname or ""):
        if ip.is_link_local or ip.is_multicast or ip.is_unspecified or _reserved(ip):
            raise EndpointMisconfigured(f"{origin} leads to {ip}, which is never a model endpoint")


def origin_of(address: str) -> str:
    """scheme://host:port of an address. Raises EndpointMisconfigured for anything unusual."""
    try:
        parts = urlsplit(address)
        port = parts.port or DEFAULT_PORTS.get(parts.scheme)
    except ValueError:  # a port that is none, brackets that do not close
        parts, port = urlsplit(""), None
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or port is None:
        raise EndpointMisconfigured("a model endpoint is http:// or https:// with a host")
    if _has_extras(parts, address):
        raise EndpointMisconfigured("a model endpoint has no user, query or fragment in it")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}"


def _has_extras(parts: SplitResult, address: str) -> bool:
    return "@" in parts.netloc or "?" in address or "#" in address


def _addresses(host: str) -> list[ipaddress.IPv4Address | ipaddress.IPv6Address]:
    """Where a host leads. None at all is the client's to say: then nothing is served there now."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return []
    ips = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
    return [getattr(ip, "ipv4_mapped", None) or ip for ip in ips]


def _reserved(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    return ip.is_reserved and not ip.is_loopback


def _key(row: EndpointRow) -> str:
    if not row.secret_name:
        return ""
    try:
        return str(settings.MODEL_SECRETS[row.secret_name])
    except KeyError:
        raise EndpointMisconfigured(
            f"endpoint {row.name}: its key {row.secret_name} is not set in the environment"
        ) from None
