"""What the log says of a request, and what it never does."""

import logging

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_the_token_of_a_link_is_in_no_log_line(
    client: Client, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        client.get("/join/SECRETTOKENSECRETTOKEN/")
        client.get("/return/SECRETTOKENSECRETTOKEN/")

    told = [f"{record.getMessage()} {record.__dict__}" for record in caplog.records]
    assert told
    assert not [line for line in told if "SECRETTOKEN" in line]
