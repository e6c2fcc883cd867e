"""What the environment says, as settings."""

import socket
import time

import psycopg
import pytest

from config import env


def test_an_address_can_say_for_itself_how_long_to_wait() -> None:
    options = env.database("postgresql://db.test/study?connect_timeout=2")["OPTIONS"]

    assert options["connect_timeout"] == "2"
    assert options["tcp_user_timeout"] == "10000"


def test_a_database_that_accepts_and_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        options = env.database("postgresql://127.0.0.1/none?connect_timeout=2")["OPTIONS"]
        wire = {name: options[name] for name in ("connect_timeout", "tcp_user_timeout")}
        began = time.monotonic()
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(host="127.0.0.1", port=server.getsockname()[1], **wire)

    assert time.monotonic() - began < 5
