"""A person signs in for Partner Center at the demo's authority: consent, rotation, expiry, MFA, and two at once."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import sqlalchemy as sa
from browserless_sign_in import consent
from connection_steps import ADMIN, ANALYST, ONE, bytes_of, opened, parts_for

from tests.servers import ADATUM, COHO, running
from w365.demo.faults import Fault
from w365.demo.servers import PARTNER_CENTER_CLIENT_ID, Servers
from w365.errors import ConfigurationError, InputError, SignInRefused, W365Error
from w365.jobs import execute_run
from w365.model import RunState
from w365.service import Service
from w365.service.configuring.settings import list_changes
from w365.service.connecting.finder import finder_of
from w365.service.connecting.sign_ins import begin_sign_in, finish_sign_in, forget_sign_in, get_sign_in
from w365.service.connecting.stored_connections import rotate_secrets, save_connection
from w365.service.syncing.providers import verify_provider
from w365.service.syncing.runs import request_sync
from w365.store import tables as t
from w365.store.db.engine import Store
from w365.store.syncing.providers import get_provider

BACK = "http://localhost:8501/below/api/signed-in"
NAME = "Partner Center"


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with running(tmp_path_factory.mktemp("sign-ins")) as started:
        yield started


@pytest.fixture
def service(servers: Servers, store: Store, tmp_path: Path) -> Iterator[Service]:
    """Partner Center connected with a person, who has not signed in yet."""
    addresses = {"W365_AUTHORITY": servers.urls["authority"], "W365_GRAPH_URL": servers.urls["graph"]}
    made = opened(tmp_path, store, **addresses, W365_CA_BUNDLE=str(servers.ca_bundle))
    parts = parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID)
    save_connection(made, ADMIN, ONE, parts | {"SIGN_IN": "app_user", "CALLS_PER_MINUTE": "0"})
    yield made
    servers.refusals.clear()
    servers.faults.clear()


def sign_in(service: Service, servers: Servers, *, mfa: bool = True) -> None:
    finish_sign_in(service, consent(begin_sign_in(service, ADMIN, ONE, BACK), servers.ca_bundle, mfa=mfa))


def stored(service: Service) -> tuple[str, int]:
    with service.store.read() as database:
        row = database.execute(sa.select(t.StoredConsent.token, t.StoredConsent.version)).one()
    return row.token, row.version


def test_a_person_signs_in_once_and_every_use_keeps_the_token_that_comes_back(
    service: Service, servers: Servers, tmp_path: Path
) -> None:
    with pytest.raises(SignInRefused, match="Nobody has signed in to Partner Center for this application yet"):
        verify_provider(service, ADMIN, NAME)
    address = begin_sign_in(service, ADMIN, ONE, BACK)
    asked = parse_qs(urlsplit(address).query)
    assert asked["redirect_uri"] == [BACK]
    assert asked["code_challenge_method"] == ["S256"]
    assert "https://api.partnercenter.microsoft.com/user_impersonation" in asked["scope"][0]
    view = finish_sign_in(service, consent(address, servers.ca_bundle))
    assert (view.person, view.problem, view.warning) == ("ada.marsh@harbourlight.onmicrosoft.com", "", "")
    versions = [stored(service)]
    told = verify_provider(service, ADMIN, NAME)
    assert told[1] == "Customers can be listed."
    assert told[-1].startswith("Signed in as ada.marsh@harbourlight.onmicrosoft.com; unused, that lapses on 20")
    versions.append(stored(service))
    assert execute_run(service, request_sync(service, ADMIN, NAME)).state is RunState.DONE
    versions.append(stored(service))
    assert [number for _, number in versions] == [versions[0][1] + step for step in range(3)]
    assert ("ada", "signed in as ada.marsh@harbourlight.onmicrosoft.com") in [
        (one.actor, one.value) for one in list_changes(service, ADMIN)
    ]
    files = bytes_of(tmp_path) + bytes_of(Path(service.store.engine.url.database or "").parent)
    assert stored(service)[0].encode() in files
    assert not [token for token in servers.tokens._refresh_tokens if token.encode() in files]


def test_an_answer_is_taken_once_and_only_to_what_was_begun_here(service: Service, servers: Servers) -> None:
    answer = consent(begin_sign_in(service, ADMIN, ONE, BACK), servers.ca_bundle)
    for strange in ({}, answer | {"state": "guessed"}):
        with pytest.raises(InputError, match="was not begun here"):
            finish_sign_in(service, strange)
    finish_sign_in(service, answer)
    with pytest.raises(InputError, match="was finished before"):
        finish_sign_in(service, answer)
    late = consent(begin_sign_in(service, ADMIN, ONE, BACK), servers.ca_bundle)
    later = replace(service, clock=lambda: service.clock() + dt.timedelta(minutes=16))
    with pytest.raises(InputError, match="took too long"):
        finish_sign_in(later, late)


def test_a_code_without_its_verifier_is_worth_nothing(service: Service, servers: Servers) -> None:
    """PKCE: the code of one beginning does not fit the other."""
    codes = [consent(begin_sign_in(service, ADMIN, ONE, BACK), servers.ca_bundle) for _ in range(2)]
    with pytest.raises(SignInRefused, match="AADSTS501481"):
        finish_sign_in(service, codes[0] | {"code": codes[1]["code"]})
    view = get_sign_in(service, ADMIN, ONE)
    assert view
    assert view.person == ""


def test_declining_is_said_and_keeps_the_sign_in_there_was(service: Service, servers: Servers) -> None:
    sign_in(service, servers)
    before = stored(service)
    answer = consent(begin_sign_in(service, ADMIN, ONE, BACK), servers.ca_bundle, choice="cancel")
    with pytest.raises(SignInRefused, match=r"The person did not consent to Partner Center \(AADSTS65004\)"):
        finish_sign_in(service, answer)
    assert stored(service) == before


def test_a_sign_in_without_mfa_is_named_before_anything_is_called(service: Service, servers: Servers) -> None:
    sign_in(service, servers, mfa=False)
    view = get_sign_in(service, ANALYST, ONE)
    assert view
    assert view.problem.startswith("The sign-in was made without multi-factor authentication")
    servers.faults.seen.clear()
    with pytest.raises(SignInRefused, match="made without multi-factor authentication"):
        verify_provider(service, ADMIN, NAME)
    assert {one.service for one in servers.faults.seen} == {"authority"}
    sign_in(service, servers)
    assert verify_provider(service, ADMIN, NAME)


def test_a_sign_in_may_take_a_quarter_of_an_hour(service: Service, servers: Servers) -> None:
    now = service.clock()

    def finish_after(seconds: int) -> None:
        answer = consent(begin_sign_in(replace(service, clock=lambda: now), ADMIN, ONE, BACK), servers.ca_bundle)
        finish_sign_in(replace(service, clock=lambda: now + dt.timedelta(seconds=seconds)), answer)

    finish_after(15 * 60)
    with pytest.raises(InputError, match="took too long"):
        finish_after(15 * 60 + 1)


def test_a_lapse_is_named_before_it_comes_and_when_it_has(service: Service, servers: Servers) -> None:
    now = service.clock()
    sign_in(replace(service, clock=lambda: now), servers)

    def after(days: int, seconds: int = 0) -> tuple[str, str]:
        at = now + dt.timedelta(days=days, seconds=seconds)
        view = get_sign_in(replace(service, clock=lambda: at), ADMIN, ONE)
        assert view
        return view.problem, view.warning

    assert after(76) == ("", "")
    assert after(76, 1)[1].startswith("The sign-in lapses in 13 days")
    assert after(80)[1] == "The sign-in lapses in 10 days unless a sync or a verification uses it before."
    assert after(90, -1)[0] == ""
    assert after(90)[0] == "The sign-in was not used for 90 days and has lapsed. Sign in again."


def test_a_withdrawn_sign_in_is_said_on_the_card_until_somebody_signs_in_again(
    service: Service, servers: Servers
) -> None:
    sign_in(service, servers)
    servers.tokens._refresh_tokens.clear()
    with pytest.raises(SignInRefused, match=r"has lapsed \(AADSTS700082\)"):
        verify_provider(service, ADMIN, NAME)
    view = get_sign_in(service, ADMIN, ONE)
    assert view
    assert view.problem == "The sign-in of the person for Partner Center has lapsed (AADSTS700082). Sign in again."
    sign_in(service, servers)
    assert verify_provider(service, ADMIN, NAME)


def test_two_workers_at_once_never_lose_the_newer_token(service: Service, servers: Servers, tmp_path: Path) -> None:
    """The demo's tokens are good once: whoever redeemed an old one would be refused, and everybody after."""
    sign_in(service, servers)
    servers.faults.append(Fault(service="authority", path_contains="/token", method="POST", delay=0.1, times=0))
    trust = {"W365_AUTHORITY": servers.urls["authority"], "W365_CA_BUNDLE": str(servers.ca_bundle)}
    trust["W365_DATABASE_URL"] = service.settings.database_url
    workers = [opened(tmp_path, **trust) for _ in range(4)]
    failures: list[W365Error] = []

    def work(worker: Service) -> None:
        try:
            for _ in range(2):
                verify_provider(worker, ADMIN, NAME)
        except W365Error as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(one,)) for one in workers]
    first = stored(service)[1]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert stored(service)[1] == first + 8
    for one in workers:
        one.store.close()


def test_a_new_sign_in_is_not_replaced_by_a_use_of_the_old_one(service: Service, servers: Servers) -> None:
    sign_in(service, servers)
    slow = Fault(service="authority", path_contains="/token", method="POST", delay=0.3, times=1)
    servers.faults.append(slow)
    using = threading.Thread(target=verify_provider, args=(service, ADMIN, NAME))
    using.start()
    while not slow.hits:
        time.sleep(0.005)
    sign_in(service, servers)
    newest = stored(service)
    using.join()
    assert stored(service) == newest
    assert verify_provider(service, ADMIN, NAME)


def test_another_application_needs_a_sign_in_of_its_own(service: Service, servers: Servers) -> None:
    sign_in(service, servers)
    parts = parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID)
    save_connection(service, ADMIN, ONE, parts | {"SIGN_IN": "app_user", "CLIENT_ID": "another"})
    view = get_sign_in(service, ADMIN, ONE)
    assert view
    assert view.problem.startswith("Nobody has signed in")


def test_a_lost_key_names_the_sign_in_and_rotation_carries_it_over(
    service: Service, servers: Servers, tmp_path: Path
) -> None:
    sign_in(service, servers)
    trust = {"W365_AUTHORITY": servers.urls["authority"], "W365_CA_BUNDLE": str(servers.ca_bundle)}
    trust["W365_DATABASE_URL"] = service.settings.database_url
    other = "another key that is long enough too"
    environment = {f"W365_PARTNER_CENTER_{part}": text for part, text in _environment(servers).items()}
    lost = opened(tmp_path, W365_SECRET_KEY=other, **trust, **environment)
    with pytest.raises(ConfigurationError, match="The stored sign-in for Partner Center cannot be read"):
        verify_provider(lost, ADMIN, NAME)
    lost.store.close()
    both = opened(tmp_path, W365_SECRET_KEY=f"{other},{'a key that is long enough to encrypt'}", **trust)
    assert rotate_secrets(both, ADMIN) == (2, [])
    both.store.close()
    alone = opened(tmp_path, W365_SECRET_KEY=other, **trust)
    assert verify_provider(alone, ADMIN, NAME)
    alone.store.close()


def _environment(servers: Servers) -> dict[str, str]:
    return parts_for(servers, "partner_center", PARTNER_CENTER_CLIENT_ID) | {"SIGN_IN": "app_user"}


def test_what_was_forgotten_is_used_no_more(service: Service, servers: Servers) -> None:
    sign_in(service, servers)
    forget_sign_in(service, ADMIN, ONE)
    with pytest.raises(SignInRefused, match="Nobody has signed in"):
        verify_provider(service, ADMIN, NAME)


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (65001, "a permission or the consent to it is missing"),
        (50020, "The person who signed in is a guest"),
        (50076, "wants the person to prove who they are once more"),
        (50173, "was revoked, as by a new password"),
        (53003, "A conditional access policy of the tenant blocks"),
        (90002, "The tenant of Partner Center does not exist"),
        (700016, "The tenant does not know the application"),
        (700024, "carries a wrong time"),
        (7000112, "is disabled"),
        (7000215, "The client secret for Partner Center is wrong"),
        (7000222, "The client secret for Partner Center has expired"),
    ],
)
@pytest.mark.parametrize("way", ["app", "app_user"])
def test_verify_says_precisely_what_entra_objects_to(
    service: Service, servers: Servers, way: str, code: int, said: str
) -> None:
    if way == "app_user":
        sign_in(service, servers)
    else:
        save_connection(service, ADMIN, ONE, _environment(servers) | {"SIGN_IN": "app"})
    servers.refusals.append(code)
    with pytest.raises(SignInRefused) as caught:
        verify_provider(service, ADMIN, NAME)
    assert said in caught.value.what
    assert f"AADSTS{code}" in caught.value.what
    assert caught.value.do
    assert servers.client_secret not in f"{caught.value!r} {caught.value.detail}"


def domains_of(service: Service, customer: str) -> tuple[str, set[str], str]:
    with service.store.read() as database:
        row = database.execute(sa.select(t.ProviderAccount).where(t.ProviderAccount.specific_id == customer)).one()
        query = sa.select(t.ProviderAccountDomain.domain).where(t.ProviderAccountDomain.provider_account_id == row.id)
        return row.domain_source, set(database.scalars(query)), row.note


def test_domains_that_partner_center_keeps_to_itself_are_read_from_graph_without_unverified_ones(
    service: Service, servers: Servers
) -> None:
    """COHO's tenant grants nothing: its default domain stays, and the sign-in is none the worse."""
    sign_in(service, servers)
    servers.faults.append(Fault(service="partner_center", path_contains="customDomains", status=403, times=0))
    refused = {"error": "invalid_grant", "error_description": "AADSTS65001: No consent.", "error_codes": [65001]}
    servers.faults.append(
        Fault(service="authority", path_contains=f"{COHO}/oauth2/v2.0/token", status=400, body=refused, times=0)
    )
    results = [execute_run(service, request_sync(service, ADMIN, NAME, full=True)).result for _ in range(2)]
    assert results[1]["unchanged"] == 5
    assert domains_of(service, ADATUM) == (
        "Microsoft Graph",
        {"adatum.co.uk", "adatum.com", "adatum.onmicrosoft.com"},
        "",
    )
    source, names, note = domains_of(service, COHO)
    assert (source, names) == ("default domain only", {"xn--coho-gppner-0bb.de"})
    assert note == "Only the default domain is known: the provider refuses it (403)."
    view = get_sign_in(service, ADMIN, ONE)
    assert view
    assert view.problem == ""
    assert "Domains are read from Microsoft Graph." in verify_provider(service, ADMIN, NAME)


def test_graph_out_of_order_keeps_the_domains_there_were(service: Service, servers: Servers) -> None:
    sign_in(service, servers)
    execute_run(service, request_sync(service, ADMIN, NAME))
    before = domains_of(service, ADATUM)[1]
    servers.faults.append(Fault(service="partner_center", path_contains=f"{ADATUM}/customDomains", status=403, times=0))
    servers.faults.append(Fault(service="graph", status=200, body={"value": "moved"}, times=0))
    execute_run(service, request_sync(service, ADMIN, NAME))
    assert domains_of(service, ADATUM)[1] == before
    assert before >= {"adatum.co.uk", "adatum.com"}


def test_a_refusal_in_a_customers_tenant_says_nothing_about_the_sign_in(service: Service, servers: Servers) -> None:
    sign_in(service, servers)
    with service.store.read() as database:
        connection = finder_of(service).find_for_provider(database, get_provider(database, 1))
    assert connection
    assert connection.consent
    for is_own_tenant, expected in ((False, False), (True, True)):
        connection.consent.redeem(lambda _: {"error": "invalid_grant"}, lambda: None, is_own_tenant=is_own_tenant)
        view = get_sign_in(service, ADMIN, ONE)
        assert view
        assert bool(view.problem) is expected


@pytest.mark.postgres
def test_connections_and_sign_ins_are_kept_on_postgresql_too(
    servers: Servers, tmp_path: Path, fresh_postgres: Store
) -> None:
    address = fresh_postgres.engine.url.set(drivername="postgresql").render_as_string(hide_password=False)
    trust = {"W365_AUTHORITY": servers.urls["authority"], "W365_CA_BUNDLE": str(servers.ca_bundle)}
    made = opened(tmp_path, W365_DATABASE_URL=address, **trust)
    save_connection(made, ADMIN, ONE, _environment(servers))
    sign_in(made, servers)
    first = stored(made)[1]
    assert verify_provider(made, ADMIN, NAME)
    assert stored(made)[1] == first + 1
    assert rotate_secrets(made, ADMIN) == (0, [])
    made.store.close()
