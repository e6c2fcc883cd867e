import socket

from redis import Redis

from config.supervisor.valkey import Valkey, free_port


def test_what_was_written_outlives_a_crash(valkey: Valkey) -> None:
    with Redis.from_url(valkey.url) as client:
        client.set("bell", "rung")
        client.save()
        valkey.kill()
        valkey.restart()

        assert client.get("bell") == b"rung"


def test_a_restart_keeps_port_and_password(valkey: Valkey) -> None:
    address = valkey.url

    valkey.restart()

    assert valkey.url == address
    assert valkey.ready


def test_nobody_comes_in_without_the_password(valkey: Valkey) -> None:
    with socket.create_connection(("127.0.0.1", valkey.port)) as stranger:
        stranger.sendall(b"PING\r\n")

        assert stranger.recv(100).startswith(b"-NOAUTH")


def test_a_full_memory_refuses_writes_and_evicts_nothing(valkey: Valkey) -> None:
    with Redis.from_url(valkey.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}


def test_the_password_is_on_no_command_line(valkey: Valkey) -> None:
    assert valkey.password not in " ".join(valkey.child.program.argv)


def test_a_free_port_is_the_preferred_one_unless_somebody_has_it() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        other = free_port(port)

    assert other != port
    assert free_port(port) == port
