from __future__ import annotations

import time
from collections.abc import Iterator

import httpx
import pytest

from tests.servers import client, running
from w365.demo.faults import Fault
from w365.demo.servers import Servers

LIST = "/v1/customers"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("faults")) as servers:
        yield servers


@pytest.fixture
def http(servers: Servers) -> Iterator[httpx.Client]:
    with client(servers, "partner_center") as http:
        servers.faults.seen.clear()
        yield http
    servers.faults.clear()


def test_a_given_answer_comes_so_many_times_and_then_the_true_one(servers: Servers, http: httpx.Client) -> None:
    fault = Fault("partner_center", LIST, times=2, skip=1, status=429, headers={"Retry-After": "7"}, body={"a": 1})
    servers.faults.append(fault)
    answers = [http.get(LIST) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 429, 429, 200]
    assert (answers[1].headers["retry-after"], answers[1].json()) == ("7", {"a": 1})
    assert fault.hits == 2
    assert [seen.target for seen in servers.faults.seen] == [LIST] * 4


def test_other_services_methods_and_paths_are_spared(servers: Servers, http: httpx.Client) -> None:
    servers.faults.extend([Fault("dataverse", times=0, status=500), Fault(method="HEAD", times=0, status=500)])
    servers.faults.append(Fault(path_contains="size=7", times=0, status=500))
    assert http.get(LIST).status_code == 200
    assert http.get(f"{LIST}?size=7").status_code == 500
    assert http.head(LIST).status_code == 500


def test_html_and_redirects(servers: Servers, http: httpx.Client) -> None:
    servers.faults.extend(
        [
            Fault(status=200, body="<html>Sign in</html>"),
            Fault(status=302, headers={"Location": "https://evil.example/"}),
        ]
    )
    assert http.get(LIST).headers["content-type"].startswith("text/html")
    assert http.get(LIST).headers["location"] == "https://evil.example/"


def test_the_true_body_can_be_edited(servers: Servers, http: httpx.Client) -> None:
    servers.faults.append(Fault(edit=lambda body: body.replace(b"Adatum", b"Edited")))
    assert b"Edited Ltd" in http.get(LIST).content
    assert b"Adatum Ltd" in http.get(LIST).content


@pytest.mark.parametrize("fault", [Fault(truncate=True), Fault(reset=True)])
def test_a_broken_answer_breaks_the_connection_and_the_next_one_is_whole(
    servers: Servers, http: httpx.Client, fault: Fault
) -> None:
    servers.faults.append(fault)
    # Below TLS a reset is a reset; whether the TLS layer reports that or an early end differs by its version.
    with pytest.raises((httpx.RemoteProtocolError, httpx.NetworkError)):
        http.get(LIST)
    assert http.get(LIST).status_code == 200


def test_a_hanging_answer_runs_into_the_clients_patience(servers: Servers, http: httpx.Client) -> None:
    servers.faults.append(Fault(hang=True))
    with pytest.raises(httpx.ReadTimeout):
        http.get(LIST, timeout=0.2)


def test_a_delay_and_a_dripping_body_take_their_time(servers: Servers, http: httpx.Client) -> None:
    servers.faults.extend([Fault(delay=0.15), Fault(status=200, body=b"0123456789", drip=0.02)])
    for _ in range(2):
        start = time.monotonic()
        assert http.get(LIST).status_code == 200
        assert time.monotonic() - start >= 0.14
