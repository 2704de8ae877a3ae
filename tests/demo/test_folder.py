from __future__ import annotations

import json
from pathlib import Path

import pytest

from w365.demo.folder import read_folder
from w365.errors import InputError

GOLD = Path(__file__).parents[2] / ".." / "shared" / "gold"
TENANT = {
    "id": "T-1",
    "companyProfile": {"tenantId": "T-1", "domain": "adatum.com", "companyName": "Adatum"},
    "country": "GB",
    "domains": [{"name": "adatum.com", "isVerified": True, "isInitial": False, "isDefault": True}],
}
FILES = {
    "tenants.json": json.dumps([TENANT]),
    "accounts.csv": "account_id,name,website,email,country,city\nA1,Adatum,adatum.com,,GB,Leeds\n",
    "contacts.csv": "contact_id,account_id,email\nC1,A1,ada@adatum.com\nC2,,free@gmail.com\n",
    "subscriptions.csv": "tenant_id,subscription_id,offer_name,quantity,status\nT-1,S1,Power BI,4,active\n",
}


def write(folder: Path, **changed: str) -> Path:
    for name, content in (FILES | {key.replace("_", "."): text for key, text in changed.items()}).items():
        if content:
            (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_ids_that_are_no_guids_get_the_same_guid_every_time(tmp_path: Path) -> None:
    one, two = read_folder(write(tmp_path)), read_folder(tmp_path)
    assert one == two
    assert len(one.customers[0].id) == len(one.accounts[0].id) == 36
    assert one.accounts[0].number == "A1"
    assert [contact.parent_id for contact in one.contacts] == [one.accounts[0].id, ""]


def test_guids_are_kept_and_are_no_account_number(tmp_path: Path) -> None:
    guid = "ABCDEF01-1111-4111-8111-000000000001"
    accounts = f"account_id,name,website,email,country,city\n{guid},Adatum,,,,\n"
    account = read_folder(write(tmp_path, accounts_csv=accounts)).accounts[0]
    assert (account.id, account.number) == (guid.lower(), "")


def test_subscriptions_belong_to_their_tenant_and_may_be_missing(tmp_path: Path) -> None:
    found = read_folder(write(tmp_path)).customers[0].subscriptions
    assert [(item.offer_name, item.quantity) for item in found] == [("Power BI", 4)]
    (tmp_path / "subscriptions.csv").unlink()
    assert read_folder(tmp_path).customers[0].subscriptions == ()


@pytest.mark.parametrize(
    ("changed", "place"),
    [
        ({"tenants_json": "[\n{,"}, r"tenants\.json, line 2"),
        ({"tenants_json": "{}"}, r"tenants\.json, line 1"),
        ({"tenants_json": '[{"id": "x"}]'}, r"tenants\.json, tenant 1, lacks or misshapes 'companyProfile'"),
        ({"tenants_json": json.dumps([TENANT, TENANT])}, r"tenants\.json, tenant 2, has the same id as tenant 1"),
        (
            {"accounts_csv": FILES["accounts.csv"] + "A1,Again,,,,\n"},
            r"accounts\.csv, line 3, has the same id as line 2",
        ),
        ({"accounts_csv": "account_id,name\nA1,x\n"}, r"accounts\.csv, line 1, lacks the column website"),
        ({"contacts_csv": FILES["contacts.csv"] + "C3,A1\n"}, r"contacts\.csv, line 4, has 2 cells"),
        ({"contacts_csv": FILES["contacts.csv"] + ",A1,x@y.z\n"}, r"contacts\.csv, line 4, has no contact_id"),
        ({"subscriptions_csv": FILES["subscriptions.csv"].replace(",4,", ",x,")}, r"subscriptions\.csv, line 2"),
        ({"subscriptions_csv": FILES["subscriptions.csv"].replace("T-1", "T-9")}, r"unknown tenant 'T-9'"),
    ],
)
def test_the_first_thing_wrong_is_named_with_file_and_place(
    tmp_path: Path, changed: dict[str, str], place: str
) -> None:
    with pytest.raises(InputError, match=place):
        read_folder(write(tmp_path, **changed))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no file contacts\.csv"):
        read_folder(write(tmp_path, contacts_csv=""))


def test_other_content_is_another_world(tmp_path: Path) -> None:
    one = read_folder(write(tmp_path))
    two = read_folder(write(tmp_path, contacts_csv=FILES["contacts.csv"] + "C3,A1,x@y.com\n"))
    assert one.fingerprint != two.fingerprint


@pytest.mark.skipif(not GOLD.is_dir(), reason="the gold data folder is not here")
def test_the_gold_folder_is_read_whole() -> None:
    world = read_folder(GOLD)
    assert (len(world.customers), len(world.accounts), len(world.contacts)) == (5307, 9267, 28320)
