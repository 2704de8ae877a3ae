"""What claims and headers say of a person. Entra ID's have the shapes that its reference documents."""

from __future__ import annotations

import datetime as dt
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
from service.people.people_steps import ENTRA, ISSUER, PROVIDER, ROLES, TENANT

from w365.errors import AccessError
from w365.model import Role
from w365.service.people.identity import claimed_role, clean_name, read_claims, read_proxy_identity
from w365.sign_in_settings import IdentityProvider, SignInSettings

NOW = dt.datetime(2026, 12, 1, 9, 0, tzinfo=dt.UTC)
SETTINGS = SignInSettings(role_claims=ROLES)
PERSON = "2b4d7c90-2222-4a5b-9c1d-000000000002"


def read(provider: IdentityProvider = PROVIDER, **changed: Any) -> Any:
    usual = {"iss": provider.issuer, "sub": "248289761001", "iat": int(NOW.timestamp()), "name": "Ann Lee"}
    claims = {name: value for name, value in (usual | changed).items() if value is not None}
    return read_claims(claims, provider, NOW)


def test_a_subject_is_the_issuer_and_its_id_of_the_person() -> None:
    assert read(email="ann@example.com").subject == f"{ISSUER}#248289761001"


def test_of_entra_it_is_the_tenant_and_the_object() -> None:
    entra = read(IdentityProvider(ENTRA, "w365", "secret"), tid=TENANT, oid=PERSON, ver="2.0", roles=["admin"])
    assert entra.subject == f"{TENANT}/{PERSON}"
    assert claimed_role(entra, SETTINGS) is Role.ADMIN


def test_another_provider_cannot_speak_for_a_tenant_of_entra() -> None:
    assert read(tid=TENANT, oid=PERSON).subject == f"{ISSUER}#248289761001"
    other = read(IdentityProvider(ENTRA, "w365", "secret"), tid=PERSON, oid=PERSON)
    assert other.subject == f"{ENTRA}#248289761001"


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"iss": "https://id.example.com/"}, "identity provider"),
        ({"iss": "https://evil.example"}, "identity provider"),
        ({"iss": None}, "identity provider"),
        ({"sub": None}, "names nobody"),
        ({"sub": " "}, "names nobody"),
        ({"sub": 7}, "names nobody"),
        ({"iat": None}, "when it was issued"),
        ({"iat": True}, "when it was issued"),
        ({"iat": "now"}, "when it was issued"),
        ({"iat": 1e300}, "when it was issued"),
    ],
)
def test_claims_that_are_not_whole_are_refused(changed: dict[str, Any], why: str) -> None:
    with pytest.raises(AccessError, match=why):
        read(**changed)


def test_clocks_two_minutes_apart_do_not_matter() -> None:
    assert read(iat=NOW.timestamp() + 120).at == NOW + dt.timedelta(minutes=2)
    with pytest.raises(AccessError, match="clock"):
        read(iat=NOW.timestamp() + 121)


@pytest.mark.parametrize(
    ("values", "role"),
    [
        ({"roles": ["analyst"]}, Role.ANALYST),
        ({"roles": ["viewer", "admin", "else"]}, Role.ADMIN),
        ({"groups": ["analyst"]}, Role.ANALYST),
        ({"groups": "viewer"}, Role.VIEWER),
        ({"roles": ["Admin"]}, None),
        ({"roles": {"admin": True}}, None),
        ({"roles": [3, True, None, ["admin"]]}, None),
        ({}, None),
    ],
)
def test_the_highest_role_that_the_claims_name_counts(values: dict[str, Any], role: Role | None) -> None:
    assert claimed_role(read(**values), SETTINGS) is role


def test_groups_can_give_roles_by_their_ids() -> None:
    by_id = SignInSettings(role_claims=ROLES | {"admin": frozenset({PERSON})})
    assert claimed_role(read(groups=[TENANT, PERSON]), by_id) is Role.ADMIN


@pytest.mark.parametrize(
    ("claims", "lacks"),
    [
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://graph.example"}}}, True),
        ({"hasgroups": True}, True),
        ({"_claim_names": {"else": "src1"}}, False),
        ({"groups": []}, False),
    ],
)
def test_too_many_groups_are_noticed(claims: dict[str, Any], *, lacks: bool) -> None:
    assert read(**claims).lacks_groups is lacks


def test_every_answer_of_the_provider_has_a_proof_of_its_own() -> None:
    assert read(nonce="a").proof == read(nonce="a").proof != read(nonce="b").proof


def test_a_proxy_names_the_person_and_the_groups() -> None:
    said = read_proxy_identity("ann@example.com", "Ann Lee", "analyst, else", NOW)
    assert (said.subject, said.name, said.proof) == ("proxy#ann@example.com", "Ann Lee", "")
    assert claimed_role(said, SETTINGS) is Role.ANALYST
    with pytest.raises(AccessError, match="names nobody"):
        read_proxy_identity(" ", "Ann Lee", "admin", NOW)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("  Ann \n Lee ", "Ann Lee"),
        ("Ann\u200b\u202eLee", "Ann Lee"),
        ("Ａｎｎ\u00a0Lee", "Ann Lee"),
        ("x" * 200, "x" * 80),
        ("\u0000", ""),
    ],
)
def test_a_name_is_one_line_without_what_cannot_be_seen(text: str, clean: str) -> None:
    assert clean_name(text) == clean


@pytest.mark.parametrize(
    ("said", "is_enough"),
    [
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "mfa"}, True),
        ({"amr": ["pwd"]}, False),
        ({"amr": 1}, False),
        ({}, False),
    ],
)
def test_a_sign_in_that_is_too_weak_is_refused(said: dict[str, object], *, is_enough: bool) -> None:
    strict = replace(PROVIDER, strengths=frozenset({"mfa", "hwk"}))
    assert read(**said)
    with nullcontext() if is_enough else pytest.raises(AccessError, match="hwk or mfa"):
        read(strict, **said)
