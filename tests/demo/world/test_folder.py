from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from w365.demo.world.fiction import ARCHIVE
from w365.demo.world.folder import ACCOUNTS, BOUGHT_OPTIONAL, CONTACTS, read_folder, stable_guid
from w365.errors import InputError

GOLD = Path(__file__).parents[3] / ".." / "shared" / "gold"
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
SUBSCRIBED = "{},subscription_id,offer_name,quantity,status,term,created,offer_id,is_trial\n"


def write(folder: Path, **changed: str) -> Path:
    for name, content in (FILES | {".".join(key.rsplit("_", 1)): text for key, text in changed.items()}).items():
        if content:
            (folder / name).write_text(content, encoding="utf-8")
    return folder


def test_ids_that_are_no_guids_get_the_same_guid_every_time(tmp_path: Path) -> None:
    world, again = read_folder(write(tmp_path)), read_folder(tmp_path)
    assert world == again
    assert len(world.customers[0].id) == len(world.accounts[0].id) == 36
    assert world.accounts[0].number == "A1"
    assert [contact.parent_id for contact in world.contacts] == [world.accounts[0].id, ""]


def test_guids_are_kept_and_are_no_account_number(tmp_path: Path) -> None:
    guid = "ABCDEF01-1111-4111-8111-000000000001"
    accounts = f"account_id,name,website,email,country,city\n{guid},Adatum,,,,\n"
    account = read_folder(write(tmp_path, accounts_csv=accounts)).accounts[0]
    assert (account.id, account.number) == (guid.lower(), "")


def test_subscriptions_belong_to_their_tenant_and_may_be_missing(tmp_path: Path) -> None:
    bought = read_folder(write(tmp_path)).customers[0].subscriptions
    assert [(item.offer_name, item.quantity) for item in bought] == [("Power BI", 4)]
    (tmp_path / "subscriptions.csv").unlink()
    assert read_folder(tmp_path).customers[0].subscriptions == ()


def test_columns_that_may_be_missing_are_read_where_they_are(tmp_path: Path) -> None:
    columns = "account_id,name,website,email,country,city,parent_id,tenant_id,is_active"
    write(
        tmp_path,
        accounts_csv=f"{columns}\nA1,Adatum,,,,,,T-1,\nA2,Old,,,,,A1,,false\n",
        contacts_csv="contact_id,account_id,email,first_name,last_name,parent_id\nC1,A1,a@b.de,Ada,Marsh,\nC2,,,,,C1\n",
        subscriptions_csv=f"{SUBSCRIBED.format('tenant_id')}T-1,S1,Pro,4,expired,P1M,2025-03-01T08:00Z,CFQ:1,true\n",
        resellers_csv="reseller_id,name,mpn_id,location,tenants\nR1,Saltmarsh,5102218,GB,T-1 T-2\n",
    )
    world = read_folder(tmp_path)
    first, second = world.accounts
    assert (first.tenant_id, first.is_active) == (world.customers[0].id, True)
    assert (second.parent_id, second.is_active) == (first.id, False)
    assert (world.contacts[0].first_name, world.contacts[0].last_name) == ("Ada", "Marsh")
    assert (world.contacts[1].parent_id, world.contacts[1].parent_kind) == (world.contacts[0].id, "contact")
    bought = world.customers[0].subscriptions[0]
    assert (bought.term, bought.offer_id, bought.is_trial) == ("P1M", "CFQ:1", True)
    assert bought.created == datetime(2025, 3, 1, 8, 0, tzinfo=UTC)
    assert world.resellers[0].customers == {stable_guid("tenant", "T-1"), stable_guid("tenant", "T-2")}


def test_every_column_that_may_be_missing_is_described() -> None:
    described = (Path(__file__).parents[3] / "docs" / "files.md").read_text(encoding="utf-8").partition("Further")[2]
    for column in (*ACCOUNTS.optional, *CONTACTS.optional, *BOUGHT_OPTIONAL):
        assert f"`{column}`" in described


def test_companies_have_subscriptions_of_their_own(tmp_path: Path) -> None:
    companies = "company_id,name,website,country,city,external_id,status,updated\nP1,Coho,coho.edu,US,,,Inactive,\n"
    bought = f"{SUBSCRIBED.format('company_id')}P1,S9,Backup,7,Trial,Annual,2025-03-01,,\n"
    (company,) = read_folder(write(tmp_path, companies_csv=companies, company_subscriptions_csv=bought)).companies
    assert (company.name, company.website, company.status) == ("Coho", "coho.edu", "Inactive")
    assert [(item.quantity, item.created.day) for item in company.subscriptions] == [(7, 1)]
    with pytest.raises(InputError, match=r"company_subscriptions\.csv, line 2, names the unknown company 'P2'"):
        read_folder(write(tmp_path, companies_csv=companies, company_subscriptions_csv=bought.replace("P1,", "P2,")))


def test_the_demos_own_archive_unpacked_is_a_data_folder(tmp_path: Path) -> None:
    zipfile.ZipFile(ARCHIVE).extractall(tmp_path)
    world = read_folder(tmp_path / "fiction")
    assert (len(world.customers), len(world.accounts), len(world.contacts)) == (1216, 3000, 8431)


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
        (
            {"subscriptions_csv": f"{SUBSCRIBED.format('tenant_id')}T-1,S1,Power BI,4,active,,soon,,\n"},
            r"subscriptions\.csv, line 2, has the date 'soon'",
        ),
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
    world = read_folder(write(tmp_path))
    changed = read_folder(write(tmp_path, contacts_csv=FILES["contacts.csv"] + "C3,A1,x@y.com\n"))
    assert world.fingerprint != changed.fingerprint


@pytest.mark.skipif(not GOLD.is_dir(), reason="the gold data folder is not here")
def test_the_gold_folder_is_read_whole() -> None:
    world = read_folder(GOLD)
    assert (len(world.customers), len(world.accounts), len(world.contacts)) == (5307, 9267, 28320)
