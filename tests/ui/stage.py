"""What a page's test puts in the place of connectors and of the processes beside the app."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NoReturn

from fresh_stores import make_once, path_of
from streamlit.testing.v1 import AppTest

from w365.errors import ConfigurationError, W365Error
from w365.jobs import execute_run
from w365.model import Actor, Reason, Role, Status
from w365.service import Service
from w365.service.syncing.providers import PARTNER_CENTER
from w365.service.syncing.runs import request_crm_sync, request_sync
from w365.source_records import ChangePage, CrmAccount, CrmContact, Customer, CustomerPage, NewAccount
from w365.store.reading.worklist import Row

ROOT = Path(__file__).resolve().parents[2]
ADMIN = Actor("ana", Role.ADMIN)
HOSTILE = "<script>alert(1)</script> :red[hot] $x$"
ROW = Row(
    id=1,
    provider="Partner Center",
    specific_id="1",
    name="Kestrel GmbH",
    domain="kestrel.de",
    more_domains=0,
    status=Status.UNMAPPED,
    reason=Reason.NO_ACCOUNT,
    accounts=0,
    account_id=None,
    account_name="",
    account_number="",
    account_gone=False,
    origin="",
    candidate_name="Kestrel",
    candidate_score=0.96,
    seats=12,
    subscriptions=1,
    is_gone=False,
    change="",
    version=0,
)


class FakePortal:
    """Lists the customers it was given."""

    waiting = None

    def __init__(self, customers: list[Customer]) -> None:
        self.customers = customers

    def verify(self) -> tuple[str, ...]:
        return ("It works.",)

    def pages(self, cursor: str | None = None) -> Iterator[CustomerPage]:
        yield CustomerPage(tuple(self.customers), total=len(self.customers))

    def close(self) -> None:
        return


class FakeCrm:
    """Has one account with one contact for each domain it was given, and one with a website for each of the twins."""

    waiting = None

    def __init__(self, domains: list[str]) -> None:
        self.domains = domains
        self.twins: list[str] = []

    def accounts(self, since: str | None = None) -> Iterator[ChangePage[CrmAccount]]:
        first = tuple(CrmAccount(f"a{n}", f"Account {one}") for n, one in enumerate(self.domains))
        second = (CrmAccount(f"twin{n}", f"Twin {n}", website=f"https://{one}") for n, one in enumerate(self.twins))
        yield ChangePage((*first, *second))

    def contacts(self, since: str | None = None) -> Iterator[ChangePage[CrmContact]]:
        yield ChangePage(tuple(CrmContact(f"c{n}", f"a{n}", one) for n, one in enumerate(self.domains)))

    def verify(self) -> tuple[str, ...]:
        return ("It works.",)

    def create_account(self, account: NewAccount) -> CrmAccount:
        return CrmAccount(f"new {account.name}", account.name)

    def metadata(self) -> NoReturn:
        raise ConfigurationError("The CRM tells nothing about its tables.")

    def mappings(self, _place: object) -> NoReturn:
        raise ConfigurationError("The CRM has no table of mappings.")

    def close(self) -> None:
        return


@dataclasses.dataclass
class World:
    """What the fakes answer, for tests to change, and the service on it."""

    portal: FakePortal
    crm: FakeCrm
    service: Service

    def sync(self) -> None:
        """Sync the CRM, then the provider; from where a test before synced, what it came to is copied."""
        assert vars(self.portal).keys() == {"customers"}
        assert vars(self.crm).keys() == {"domains", "twins"}
        store = self.service.store
        store.close()
        before = hashlib.sha256(path_of(store).read_bytes())
        before.update(repr((self.portal.customers, vars(self.crm))).encode())
        make_once(store, f"synced from {before.hexdigest()}", self._sync)

    def _sync(self) -> None:
        execute_run(self.service, request_crm_sync(self.service, ADMIN))
        execute_run(self.service, request_sync(self.service, ADMIN, PARTNER_CENTER))

    def open(
        self, page: str, address: Mapping[str, str] | None = None, user: Mapping[str, object] | None = None
    ) -> AppTest:
        """Run a page as the app does: through the main script. `user` has the claims where people sign in."""
        test = AppTest.from_file(str(ROOT / "w365" / "ui" / "main.py"), default_timeout=20)
        test.user = dict(user or {})
        test.query_params.update(address or {})
        if page != "overview":
            test.switch_page(str(ROOT / "pages" / f"{page}.py"))
        return test.run()


class OnStage:
    """A backstage with everything there, or with what keeps it from it."""

    def __init__(self, service: Service | None, error: W365Error | None = None) -> None:
        self._service, self._error = service, error

    def service(self) -> Service:
        if self._error is not None:
            raise self._error
        assert self._service is not None
        return self._service

    def opened(self) -> Service | None:
        return self._service


def text_of(test: AppTest) -> str:
    """Everything a page says, but for what stands in tables."""
    kinds = (test.title, test.subheader, test.markdown, test.caption, test.info, test.warning, test.error, test.success)
    return "\n".join(str(one.value) for kind in kinds for one in kind)
