"""Microsoft Partner Center: is a domain free, is an address good, create a customer, ask an existing one."""

from __future__ import annotations

import dataclasses
import html
import json
import re
import uuid
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from w365.errors import AccessError, AddressRefused, SourceChanged
from w365.http.client import Answer, ApiClient
from w365.http.fields import FieldError, guid_or_empty, optional_text, required_id, required_record
from w365.http.refusal import Refusal, clean
from w365.portals.onboarding import Created, Credentials, NewCustomer
from w365.portals.partner_center.collection import Collection, Link
from w365.portals.partner_center.records import default_domain_only, read_customer
from w365.portals.partner_center.refusals import SOURCE, explain_mfa
from w365.source_records import Customer

_NOTHING = "Nothing was created."
_REFUSES_ADDRESS = frozenset({400, 422})
_ADDRESS = "2007"
_LONGEST_LINK = 2_000
_REASON = re.compile(r'"reason":\s*"((?:[^"\\]|\\.)*)')


class PartnerCenterOnboarding:
    """See w365.portals.onboarding for what it promises."""

    def __init__(self, client: ApiClient) -> None:
        self._client = client
        self._headers = {"MS-CorrelationId": str(uuid.uuid4()), "X-Locale": "en-US"}

    def is_free(self, domain: str) -> bool:
        path = f"/v1/domains/{quote(domain, safe='')}"
        return not self._client.exists(path, headers=self._headers, explain=_explain("look whether a domain is free"))

    def check_address(self, new: NewCustomer) -> None:
        body = {name: text for name, text in _address(new).items() if text}
        self._client.post_json(
            "/v1/validations/address",
            body,
            headers=self._headers,
            is_repeatable=True,  # it changes nothing there
            may_be_empty=True,
            explain=_explain_address,
        )

    def find(self, domain: str) -> Customer | None:
        condition = {"Field": "Domain", "Value": domain, "Operator": "starts_with"}
        link = Link(f"/v1/customers?size=500&filter={quote(json.dumps(condition), safe='')}")
        pages = Collection(self._client, self._headers, _explain("look for a customer")).pages(link)
        for page in pages:
            for item in page.items:
                if (customer := _customer_of(item)) and customer.default_domain.casefold() == domain.casefold():
                    return _complete(customer, "")
        return None

    def create(self, new: NewCustomer, request_id: str) -> Created:
        answer = self._client.post_json(
            "/v1/customers",
            _customer_body(new),
            headers={**self._headers, "MS-RequestId": request_id},
            explain=_explain_creation,
        )
        try:
            return _read_created(answer.body, new)
        except FieldError as error:
            raise _changed(answer, error) from None

    def request_link(self) -> str:
        path = "/v1/customers/relationshiprequests"
        answer = self._client.get_json(path, headers=self._headers, explain=_explain("ask for a relationship"))
        try:
            return _read_link(answer.body)
        except FieldError as error:
            raise answer.changed(SOURCE, str(error)) from None


def _customer_of(item: Any) -> Customer | None:
    try:
        return read_customer(item)
    except FieldError:
        return None


def _complete(customer: Customer, country: str) -> Customer:
    """Say what a sync will say of a new customer: its one domain, and no subscription yet."""
    domains = default_domain_only(customer)
    return dataclasses.replace(
        customer, domains=domains, domain_source="default domain only", subscriptions=(), country=country
    )


def _address(new: NewCustomer) -> dict[str, str]:
    return {
        "firstName": new.first_name,
        "lastName": new.last_name,
        "phoneNumber": new.phone,
        "addressLine1": new.address_line,
        "city": new.city,
        "state": new.state,
        "postalCode": new.postal_code,
        "country": new.country,
    }


def _customer_body(new: NewCustomer) -> dict[str, Any]:
    """Leave out what is empty: an empty region or state is refused without a useful word."""
    billing = {
        "email": new.email,
        "culture": new.culture,
        "language": new.culture.partition("-")[0],
        "companyName": new.name,
        "defaultAddress": {name: text for name, text in _address(new).items() if text},
    }
    return {"companyProfile": {"domain": new.domain}, "billingProfile": billing}


def _read_created(body: Any, new: NewCustomer) -> Created:
    """Read the answer; its company profile may lack the name, which then stands in the billing profile only."""
    if not isinstance(body, dict):
        raise FieldError("the customer is not an object.")
    identifier = required_id(body, "id")
    profile = required_record(body, "companyProfile")
    customer = Customer(
        specific_id=identifier,
        name=optional_text(profile, "companyName") or new.name,
        default_domain=optional_text(profile, "domain") or new.domain,
        domains=None,
        domain_source="",
        tenant_guid=guid_or_empty(optional_text(profile, "tenantId")) or guid_or_empty(identifier),
        relationship=optional_text(body, "relationshipToPartner"),
    )
    return Created(_complete(customer, new.country), _read_credentials(body.get("userCredentials")))


def _read_credentials(body: Any) -> Credentials | None:
    """Take the password as it stands: cleaning could change it. One that is no text is none."""
    if not isinstance(body, dict) or not isinstance(password := body.get("password"), str) or not password:
        return None
    name = body.get("userName")
    return Credentials(name if isinstance(name, str) and name else "admin", password)


def _read_link(body: Any) -> str:
    link = body.get("url") if isinstance(body, dict) else None
    if not isinstance(link, str) or not link.isprintable():
        raise FieldError("the link of the relationship request is missing.")
    if not link.startswith("https://") or len(link) > _LONGEST_LINK:
        raise FieldError("the link of the relationship request is not an https address.")
    return link


def _changed(answer: Answer, error: FieldError) -> SourceChanged:
    changed = answer.changed(SOURCE, str(error))
    return SourceChanged(
        changed.what,
        kept="The customer may have been created.",
        do="Look there before you try again.",
        detail=changed.detail,
    )


def _explain_creation(refusal: Refusal) -> Exception | None:
    return _address_refused(refusal) if refusal.code == _ADDRESS else _explain("create customers")(refusal)


def _explain_address(refusal: Refusal) -> Exception | None:
    if refusal.status not in _REFUSES_ADDRESS:
        return _explain("validate addresses")(refusal)
    return _address_refused(refusal)


def _address_refused(refusal: Refusal) -> AddressRefused:
    return AddressRefused(
        f"{SOURCE} does not accept the address{_say_corrected(refusal.message)}.",
        status=refusal.status,
        code=refusal.code,
        kept=_NOTHING,
        do="Correct the address.",
        detail=refusal.detail,
    )


def _say_corrected(message: str) -> str:
    """The provider's own words. An address it corrects comes as JSON inside the text, which may be cut off."""
    if message.lstrip().startswith("{"):
        reason = _REASON.search(message)
        message = clean(html.unescape(reason[1]).rpartition("Details: ")[2]) if reason else ""
    return f": {message.rstrip('.')}" if message else ""


def _explain(what: str) -> Callable[[Refusal], Exception | None]:
    def explain(refusal: Refusal) -> Exception | None:
        if (mfa := explain_mfa(refusal)) or refusal.status != 403:
            return mfa
        return AccessError(
            f"{SOURCE} does not let the application {what} ({refusal.say()}).",
            kept=_NOTHING,
            do="In Partner Center give it, or the account that is signed in, the role Admin agent.",
            detail=refusal.detail,
        )

    return explain
