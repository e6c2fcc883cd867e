import http.client
import json

import pytest

from sampling import simulated
from tests.sampling.simulated.asking import chat, get, user


def statuses(endpoint: simulated.Endpoint, count: int) -> list[int]:
    return [chat(endpoint).status for _ in range(count)]


def test_an_order_is_for_the_next_request_only(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_500")
    assert statuses(endpoint, 2) == [500, 200]


def test_orders_are_carried_out_one_after_the_other(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_500", times=2)
    endpoint.order("status_503")
    assert statuses(endpoint, 4) == [500, 500, 503, 200]


def test_an_order_without_an_end_lasts_until_it_is_forgotten(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_500", times=None)
    assert statuses(endpoint, 3) == [500, 500, 500]
    endpoint.forget_orders()
    assert statuses(endpoint, 1) == [200]


def test_an_order_can_wait_for_the_nth_request(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_500", nth=3)
    assert statuses(endpoint, 4) == [200, 200, 500, 200]


def test_an_order_can_be_for_a_text_or_a_request_id(endpoint: simulated.Endpoint) -> None:
    endpoint.order("status_500", contains="दाल", times=None)
    endpoint.order("status_503", request_id="set-7.", times=None)
    assert chat(endpoint, messages=[user("दाल या चावल?")]).status == 500
    assert chat(endpoint, headers={"X-Request-Id": "set-7.1.0"}).status == 503
    assert chat(endpoint, headers={"X-Request-Id": "set-77.1.0"}).status == 200


def test_waiting_orders_can_be_read(endpoint: simulated.Endpoint) -> None:
    endpoint.order("stall", times=2, after=9)
    [order] = get(endpoint, "/control/orders").json["orders"]
    assert (order["behaviour"], order["times"], order["options"]) == ("stall", 2, {"after": 9})


@pytest.mark.parametrize(
    "told", [{"behaviour": "explode"}, {"times": 1}, {"behaviour": "cut", "x": 1}, 7]
)
def test_an_order_that_cannot_be_understood_is_refused(
    endpoint: simulated.Endpoint, told: object
) -> None:
    assert post(endpoint, json.dumps(told)) == 400
    assert get(endpoint, "/control/orders").json == {"orders": []}


def test_a_page_of_another_origin_cannot_give_orders(endpoint: simulated.Endpoint) -> None:
    assert post(endpoint, '"cut"', content_type="text/plain") == 415


def test_the_log_can_be_read_from_a_number_on() -> None:
    with simulated.running() as endpoint:
        statuses(endpoint, 3)
        entries = get(endpoint, "/control/log?after=2").json["entries"]
    assert [entry["number"] for entry in entries] == [3]


def post(endpoint: simulated.Endpoint, body: str, *, content_type: str = "application/json") -> int:
    line = http.client.HTTPConnection("127.0.0.1", endpoint.port, timeout=10)
    line.request("POST", "/control/orders", body, {"Content-Type": content_type})
    with line.getresponse() as response:
        response.read()
    line.close()
    return response.status
