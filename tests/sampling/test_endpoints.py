"""From an endpoint's row to an address that may be called."""

import pytest
from pytest_django.fixtures import Settings

from sampling.endpoints import check_address, resolve
from sampling.errors import EndpointMisconfigured
from sampling.models import Endpoint


@pytest.fixture(autouse=True)
def environment(settings: Settings) -> None:
    settings.MODEL_ALLOWLIST = ["http://127.0.0.1:8001", "http://127.0.0.1", "https://[::1]:8443"]
    settings.MODEL_ADDRESSES = {"LOCAL_MODEL_URL": "http://127.0.0.1:9001/v1/"}
    settings.MODEL_SECRETS = {"LOCAL_MODEL_KEY": "s3cret"}


def row(base_url: str, **fields: str) -> Endpoint:
    told = {"name": "e", "kind": "model", "model": "m", "seats": 1, **fields}
    return Endpoint(base_url=base_url, **told)


def test_a_name_is_replaced_by_the_environments_address() -> None:
    found = resolve(row("$LOCAL_MODEL_URL", secret_name="LOCAL_MODEL_KEY"))

    assert (found.base_url, found.key) == ("http://127.0.0.1:9001/v1", "s3cret")
    assert "s3cret" not in repr(found)


def test_a_listed_address_is_taken_as_it_stands() -> None:
    assert resolve(row("http://127.0.0.1:8001/v1")).base_url == "http://127.0.0.1:8001/v1"


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:80/v1", "http://127.0.0.1/v1", "https://[::1]:8443/v1"]
)
def test_ports_and_hosts_are_compared_by_meaning(address: str) -> None:
    check_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "http://127.0.0.1:8002/v1",
        "https://127.0.0.1:8001/v1",
        "http://127.0.0.1:8001@127.0.0.2/v1",
        "http://me:pw@127.0.0.1:8001/v1",
        "http://127.0.0.1:8001/v1?x=1",
        "http://127.0.0.1:8001/v1#x",
        "ftp://127.0.0.1:8001/",
        "http:///v1",
        "http://127.0.0.1:port/",
        "http://127.0.0.1:99999/",
        "http://[::1:8001/",
        "127.0.0.1:8001",
        "",
    ],
)
def test_anything_else_is_refused(address: str) -> None:
    with pytest.raises(EndpointMisconfigured):
        check_address(address)


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "0.0.0.0",  # noqa: S104
        "224.0.0.1",
        "[fe80::1]",
        "[::]",
        "[ff02::1]",
        "[::ffff:169.254.169.254]",
    ],
)
def test_addresses_that_no_model_has_are_refused_even_when_listed(
    host: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MODEL_ALLOWLIST = [f"http://{host}:8001"]
    plain = host.strip("[]")
    monkeypatch.setattr(
        "sampling.endpoints.socket.getaddrinfo", lambda *_, **__: [(0, 0, 0, "", (plain, 0))]
    )

    with pytest.raises(EndpointMisconfigured, match="never a model endpoint"):
        check_address(f"http://{host}:8001/v1")


@pytest.mark.parametrize(
    ("base_url", "secret"), [("$NOT_SET", ""), ("http://127.0.0.1:8001", "MISSING_KEY")]
)
def test_what_the_environment_lacks_is_named(base_url: str, secret: str) -> None:
    with pytest.raises(EndpointMisconfigured, match="not set in the environment"):
        resolve(row(base_url, secret_name=secret))
