"""Write-back: whatever decides, the CRM's table follows; what somebody else wrote there waits for a person."""

from __future__ import annotations

import datetime as dt
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from connection_steps import ADMIN, ANALYST, opened
from fresh_stores import make_once
from service.fakes import FakeClock, account_id_of, crm_sync, id_of, sync
from typer.testing import CliRunner, Result

from tests.servers import (
    ADATUM,
    ADATUM_ACCOUNT,
    BELLOWS,
    BELLOWS_ACCOUNT,
    BELLOWS_TWIN,
    COHO,
    COHO_ACCOUNT,
    LONELY,
    client,
    running,
)
from w365.cli.importing import import_commands
from w365.crm.mappings import RemoteMapping
from w365.crm.tables import MappingPlace
from w365.demo.faults import Fault
from w365.demo.servers import Servers
from w365.errors import ConfigurationError, SourceUnreachable
from w365.jobs import execute_run
from w365.model import RunKind, RunState
from w365.service import Service
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.service.importing.mapping_plan import FIELDS, Verdict
from w365.service.importing.mappings import MappingChoice, import_mappings, preview_mappings
from w365.service.reading.records import read_row
from w365.service.syncing import runs
from w365.service.writeback.compare import read_sheet, request_compare
from w365.service.writeback.place import list_columns, list_tables, name_place
from w365.service.writeback.runs import overwrite_rows, request_writeback, write_again
from w365.service.writeback.view import count_troubles, list_differences, list_troubles, read_overview, read_standing
from w365.service.writeback.watch import DueWatch
from w365.sheets import guess_columns
from w365.store.db.engine import Store
from w365.store.run_counts import Count
from w365.store.runs import RunView
from w365.store.writeback.due_mappings import WriteState
from w365.store.writeback.remote_mappings import Difference
from w365.store.writeback.runs import TARGET, find_next_start
from w365.store.writeback.standings import WriteStanding

SET = "/api/data/v9.2/new_provideraccounts"
PLACE = MappingPlace("new_provideraccount", "new_specificaccountid", "new_provider", "new_account")


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    with running(tmp_path / "demo") as started:
        yield started


@pytest.fixture
def http(servers: Servers) -> Iterator[httpx.Client]:
    with client(servers, "dataverse") as made:
        yield made


def make(store: Store, home: Path, servers: Servers, **environment: str) -> tuple[Service, FakeClock]:
    """A service on the small world, synced; Auto-Match maps Adatum and Coho, nobody else."""
    clock = FakeClock()
    service = replace(opened(home, store, **servers.environment(), **environment), clock=clock)

    def furnish() -> None:
        settings.set_setting(service, ADMIN, "auto_match", "true")
        crm_sync(service)
        sync(service)

    make_once(store, f"the small world synced from {servers.urls}", furnish)
    return service, clock


@pytest.fixture
def made(store: Store, home: Path, servers: Servers) -> tuple[Service, FakeClock]:
    return make(store, home, servers)


def there(http: httpx.Client) -> dict[str, str | None]:
    rows = http.get(SET).raise_for_status().json()["value"]
    assert len({row["new_specificaccountid"] for row in rows}) == len(rows), "a customer has two rows"
    return {row["new_specificaccountid"]: row["_new_account_value"] for row in rows}


def assign(service: Service, customer: str, account: str) -> None:
    row = id_of(service.store, customer)
    seen = read_row(service, ANALYST, row).version
    mapping.assign_account(service, ANALYST, row, account_id_of(service.store, account), seen=seen)


def clear(service: Service, customer: str) -> None:
    row = id_of(service.store, customer)
    mapping.clear_mapping(service, ANALYST, row, seen=read_row(service, ANALYST, row).version)


def write(service: Service, watch: DueWatch | None = None) -> RunView | None:
    """Do what a worker does once it looks."""
    run_id = (watch or DueWatch(service)).look()
    return None if run_id is None else execute_run(service, run_id)


def standing(service: Service, customer: str) -> WriteStanding:
    found = read_standing(service, ANALYST, id_of(service.store, customer))
    assert found is not None
    return found


def test_the_table_is_chosen_from_what_the_crm_says_and_nothing_is_written_before(
    made: tuple[Service, FakeClock], http: httpx.Client
) -> None:
    service, _ = made
    assert write(service) is None
    assert read_overview(service, ANALYST) is None
    assert "new_provideraccount" in list_tables(service, ADMIN)
    assert PLACE.account_column in list_columns(service, ADMIN, PLACE.table).lookups
    with pytest.raises(ConfigurationError, match="has no column “new_gone”"):
        name_place(service, ADMIN, replace(PLACE, id_column="new_gone"), write=True)
    assert settings.get_settings(service, ADMIN)["mapping_table"] == ""
    name_place(service, ADMIN, PLACE, write=False)
    assert write(service) is None
    assert there(http) == {}
    assert [one.name for one in settings.list_changes(service, ADMIN)][:4] == [
        "mapping_account_column",
        "mapping_provider_column",
        "mapping_id_column",
        "mapping_table",
    ]


def test_whatever_decides_is_written_once_and_a_second_look_writes_nothing(
    made: tuple[Service, FakeClock], http: httpx.Client, servers: Servers
) -> None:
    service, _ = made
    name_place(service, ADMIN, PLACE, write=True)
    watch = DueWatch(service)
    write(service, watch)  # what matches had mapped
    assert there(http) == {ADATUM: ADATUM_ACCOUNT, COHO: COHO_ACCOUNT}
    assign(service, BELLOWS, BELLOWS_TWIN)
    assert standing(service, BELLOWS).state is WriteState.WAITING
    write(service, watch)
    assert standing(service, BELLOWS).state is WriteState.WRITTEN
    assign(service, BELLOWS, BELLOWS_ACCOUNT)
    clear(service, ADATUM)
    write(service, watch)
    assert there(http) == {ADATUM: None, COHO: COHO_ACCOUNT, BELLOWS: BELLOWS_ACCOUNT}
    servers.faults.seen.clear()
    assert write(service, watch) is None
    run = execute_run(service, request_writeback(service, ANALYST))
    assert run.result == {"written": 0, "failed": 0, "differs": 0}
    assert not [one for one in servers.faults.seen if one.method == "PATCH"]
    assert [one.kind.value for one in runs.list_runs(service, ANALYST)].count("writeback") == 1


def test_what_the_crm_says_otherwise_is_left_until_a_person_chooses(
    made: tuple[Service, FakeClock], http: httpx.Client
) -> None:
    service, clock = made
    there_already = {"new_specificaccountid": ADATUM, "new_provider": "Partner Center"}
    bound = {"new_Account@odata.bind": f"/accounts({COHO_ACCOUNT})"}
    http.post(SET, json=there_already | bound).raise_for_status()
    name_place(service, ADMIN, PLACE, write=True)
    watch = DueWatch(service)
    write(service, watch)
    assert there(http)[ADATUM] == COHO_ACCOUNT
    assert (standing(service, ADATUM).state, standing(service, ADATUM).there) == (WriteState.DIFFERS, "Coho O'Winery")
    assign(service, ADATUM, BELLOWS_ACCOUNT)  # a decision here is none about what stands there
    write(service, watch)
    assert there(http)[ADATUM] == COHO_ACCOUNT
    assert overwrite_rows(service, ANALYST, [id_of(service.store, ADATUM)]) == 1
    write(service, watch)
    assert there(http)[ADATUM] == BELLOWS_ACCOUNT
    assert standing(service, ADATUM).state is WriteState.WRITTEN
    (found,) = http.get(f"{SET}?$filter=new_specificaccountid eq '{ADATUM}'").json()["value"]
    row = found["new_provideraccountid"]
    http.patch(f"{SET}({row})", json={"new_Account@odata.bind": f"/accounts({COHO_ACCOUNT})"}).raise_for_status()
    clock.forward(seconds=5)
    execute_run(service, request_compare(service, ANALYST))
    assert [one.kind for one in list_differences(service, ANALYST)] == [Difference.OTHER]
    assert write(service, watch) is None
    overwrite_rows(service, ANALYST, [id_of(service.store, ADATUM)])
    assert standing(service, ADATUM).state is WriteState.WAITING
    write(service, watch)
    assert there(http)[ADATUM] == BELLOWS_ACCOUNT
    assert list_differences(service, ANALYST) == []


def test_a_failed_write_waits_longer_each_time_and_is_tried_at_once_when_asked(
    made: tuple[Service, FakeClock], http: httpx.Client, servers: Servers
) -> None:
    service, clock = made
    name_place(service, ADMIN, PLACE, write=True)
    watch = DueWatch(service)
    bad = {"error": {"code": "0x80044331", "message": "A validation error occurred."}}
    fault = Fault(service="dataverse", method="PATCH", path_contains=ADATUM, status=400, body=bad, times=0)
    servers.faults[:] = [fault]
    write(service, watch)
    assert there(http) == {COHO: COHO_ACCOUNT}, "the others are written"
    pauses = []
    while (again := standing(service, ADATUM).next_at) is not None:
        pauses.append((again - clock()) // dt.timedelta(minutes=1))
        assert write(service, watch) is None
        clock.at = again
        write(service, watch)
    assert pauses == [1, 2, 4, 8, 16, 32, 64]
    assert fault.hits == 8
    assert "A validation error occurred." in standing(service, ADATUM).error
    assert count_troubles(service, ANALYST) == len(list_troubles(service, ANALYST)) == 1
    clock.forward(days=30)
    assert write(service, watch) is None
    servers.faults.clear()
    assert write_again(service, ANALYST, id_of(service.store, ADATUM))
    assert count_troubles(service, ANALYST) == len(list_troubles(service, ANALYST)) == 0, "it waits"
    write(service, watch)
    assert there(http)[ADATUM] == ADATUM_ACCOUNT


def test_a_new_decision_starts_counting_tries_anew(made: tuple[Service, FakeClock], servers: Servers) -> None:
    service, clock = made
    name_place(service, ADMIN, PLACE, write=True)
    watch = DueWatch(service)
    bad = {"error": {"code": "0x80044331", "message": "A validation error occurred."}}
    servers.faults[:] = [
        Fault(service="dataverse", method="PATCH", path_contains=ADATUM, status=400, body=bad, times=0)
    ]
    write(service, watch)
    for tries in (1, 2):
        failed = standing(service, ADATUM)
        assert failed.attempts == tries
        assert failed.next_at
        clock.at = failed.next_at
        write(service, watch)
    assign(service, ADATUM, BELLOWS_ACCOUNT)
    write(service, watch)
    assert standing(service, ADATUM).attempts == 1


def test_where_nothing_can_be_written_everything_waits_and_the_reason_is_said(
    made: tuple[Service, FakeClock], http: httpx.Client, servers: Servers
) -> None:
    service, clock = made
    name_place(service, ADMIN, PLACE, write=True)
    watch = DueWatch(service)
    denied = {"error": {"code": "0x80040220", "message": "missing prvWrite"}}
    servers.faults[:] = [Fault(service="dataverse", method="PATCH", status=403, body=denied, times=0)]
    run = write(service, watch)
    assert run is not None
    assert run.state is RunState.FAILED
    seen = read_overview(service, ANALYST)
    assert seen is not None
    assert "does not let the application write" in seen.problem
    assert seen.counts[WriteState.WAITING] == 2
    assert "does not let the application write" in standing(service, ADATUM).error
    for minutes in (1, 2, 4):
        assert write(service, watch) is None
        clock.forward(minutes=minutes, seconds=-1)
        assert write(service, watch) is None
        clock.forward(seconds=1)
        assert write(service, watch) is not None
    servers.faults.clear()
    clock.forward(hours=1)
    write(service, watch)
    assert there(http) == {ADATUM: ADATUM_ACCOUNT, COHO: COHO_ACCOUNT}


class Ill:
    """A table of mappings that has no good answer for some customers."""

    def __init__(self, *customers: str) -> None:
        self.customers = customers

    def mappings(self, _place: MappingPlace) -> Ill:
        return self

    def put(self, specific_id: str, provider: str, account: str, _accepted: frozenset[str]) -> RemoteMapping:
        if specific_id in self.customers:
            raise SourceUnreachable("Dataverse answered 4 times with a server error (500).", do="Try again later.")
        return RemoteMapping(specific_id, specific_id, provider, account)


def test_a_row_the_crm_is_ill_at_does_not_keep_the_others_waiting(made: tuple[Service, FakeClock]) -> None:
    service, _ = made
    name_place(service, ADMIN, PLACE, write=True)
    for ill, state in ((Ill(ADATUM, COHO), RunState.FAILED), (Ill(ADATUM), RunState.DONE)):
        crm: Any = nullcontext(ill)
        run = execute_run(replace(service, open_crm=lambda _, crm=crm: crm), request_writeback(service, ANALYST))
        assert run.state is state
    assert (run.result[Count.WRITTEN], run.result[Count.FAILED]) == (1, 1)
    assert "server error" in standing(service, ADATUM).error
    assert standing(service, COHO).state is WriteState.WRITTEN


@pytest.mark.parametrize(("failures", "minutes"), [(0, 1), (5, 32), (6, 60), (12, 60), (10**6, 60)])
def test_after_runs_that_could_not_write_the_pause_grows_to_an_hour(failures: int, minutes: int) -> None:
    ended = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
    last = RunView(
        *(1, RunKind.WRITEBACK, TARGET, RunState.FAILED, "ann", ended, ended, ended, 0, None, ""),
        result=Counter({Count.FAILURES: failures}),
        error="",
        cancel_requested=False,
        cursor=None,
    )
    assert find_next_start(last) == ended + dt.timedelta(minutes=minutes)


def test_both_sides_are_compared_and_nothing_is_changed_by_it(
    made: tuple[Service, FakeClock], http: httpx.Client
) -> None:
    service, _ = made
    assign(service, BELLOWS, BELLOWS_ACCOUNT)
    for customer, provider, account in (
        (ADATUM.upper(), "partner center", COHO_ACCOUNT),
        (LONELY, "Partner Center", ADATUM_ACCOUNT),
        (BELLOWS, "Partner Center", BELLOWS_ACCOUNT),
        (COHO, "Elsewhere", COHO_ACCOUNT),
    ):
        row = {"new_specificaccountid": customer, "new_provider": provider}
        bound = {"new_Account@odata.bind": f"/accounts({account})"}
        http.post(SET, json=row | bound).raise_for_status()
    before = there(http)
    name_place(service, ADMIN, PLACE, write=False)
    run = execute_run(service, request_compare(service, ANALYST))
    assert run.result == {"read": 4, "rejected": 0}
    found = {(one.kind, one.specific_id, one.here, one.there) for one in list_differences(service, ANALYST)}
    assert found == {
        (Difference.OTHER, ADATUM, "Adatum Limited", "Coho O'Winery"),
        (Difference.MISSING_HERE, LONELY, "", "Adatum Limited"),
        (Difference.MISSING_THERE, COHO, "Coho O'Winery", ""),
        (Difference.UNKNOWN, COHO, "", "Coho O'Winery"),
    }
    assert there(http) == before
    clear(service, ADATUM)
    assign(service, ADATUM, COHO_ACCOUNT)
    seen = read_overview(service, ANALYST)
    assert seen is not None
    assert seen.differences[Difference.OTHER] == 0, "what is mapped meanwhile counts at once"


def test_what_is_written_while_the_table_is_read_is_not_taken_for_missing(
    made: tuple[Service, FakeClock], http: httpx.Client, servers: Servers
) -> None:
    service, _ = made
    name_place(service, ADMIN, PLACE, write=True)

    def read_just_before(body: bytes) -> bytes:
        return json.dumps({**json.loads(body), "value": []}).encode()

    write(service)
    servers.faults[:] = [
        Fault(service="dataverse", path_contains="new_provideraccounts?$select", edit=read_just_before)
    ]
    assert execute_run(service, request_compare(service, ANALYST)).result["read"] == 0
    assert list_differences(service, ANALYST) == []


def test_the_mappings_of_the_table_are_imported_like_a_file(
    made: tuple[Service, FakeClock], http: httpx.Client
) -> None:
    service, _ = made
    name_place(service, ADMIN, PLACE, write=True)
    for customer, account in ((LONELY, BELLOWS_TWIN), (ADATUM, ADATUM_ACCOUNT), (BELLOWS, "")):
        row = {"new_specificaccountid": customer, "new_provider": "Partner Center"}
        bound = {"new_Account@odata.bind": f"/accounts({account})"} if account else {}
        http.post(SET, json=row | bound).raise_for_status()
    sheet = read_sheet(service, ANALYST)
    places = guess_columns(sheet.headings, FIELDS)
    preview = preview_mappings(service, ANALYST, sheet, places, MappingChoice())
    assert (preview.mapped, preview.counts[Verdict.SAME], preview.counts[Verdict.EMPTY]) == (1, 1, 1)
    run = import_mappings(service, ANALYST, sheet, places, MappingChoice())
    assert run.result["mapped"] == 1
    assert read_row(service, ANALYST, id_of(service.store, LONELY)).origin == "imported"
    write(service)
    assert standing(service, LONELY).state is WriteState.WRITTEN


def test_the_command_line_imports_from_the_table(made: tuple[Service, FakeClock], http: httpx.Client) -> None:
    service, _ = made
    name_place(service, ADMIN, PLACE, write=False)
    row = {"new_specificaccountid": LONELY, "new_provider": "Partner Center"}
    http.post(SET, json=row | {"new_Account@odata.bind": f"/accounts({BELLOWS_TWIN})"}).raise_for_status()

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(import_commands, ["mappings", *arguments], obj=lambda **_: nullcontext(service))

    dry = run("--from-crm", "--dry-run", "--json")
    assert (dry.exit_code, json.loads(dry.stdout)["mapped"]) == (0, 1)
    assert read_row(service, ANALYST, id_of(service.store, LONELY)).account_id is None
    assert json.loads(run("--from-crm", "--json").stdout)["imported"]
    assert read_row(service, ANALYST, id_of(service.store, LONELY)).origin == "imported"
    assert run().exit_code == run("some.csv", "--from-crm").exit_code == 2


@pytest.mark.postgres
def test_postgresql_derives_the_same(home: Path, servers: Servers, http: httpx.Client, fresh_postgres: Store) -> None:
    address = fresh_postgres.engine.url.render_as_string(hide_password=False)
    service, _ = make(fresh_postgres, home, servers, W365_DATABASE_URL=address)
    name_place(service, ADMIN, PLACE, write=True)
    watch = DueWatch(service)
    write(service, watch)
    assign(service, BELLOWS, BELLOWS_TWIN)
    clear(service, ADATUM)
    write(service, watch)
    assert there(http) == {ADATUM: None, COHO: COHO_ACCOUNT, BELLOWS: BELLOWS_TWIN}
    assert write(service, watch) is None
    execute_run(service, request_compare(service, ANALYST))
    assert list_differences(service, ANALYST) == []
