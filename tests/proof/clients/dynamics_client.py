"""dynamics-client asks Dataverse for what it is made for."""

from __future__ import annotations

import json
import sys
from typing import Any

from dynamics import DynamicsClient, ftr
from dynamics.exceptions import DynamicsException

told = json.loads(sys.argv[1])
API = f"{told['url']}/api/data/v9.2"


def client(**audience: str) -> DynamicsClient:
    kind = "" if "resource" in audience else "v2.0/"
    token_url = f"{told['authority']}/{told['tenant']}/oauth2/{kind}token"
    return DynamicsClient(API, token_url, told["client"], told["secret"], cache_token=False, **audience)


def refusal(asked: DynamicsClient) -> str:
    try:
        asked.get()
    except DynamicsException as error:
        return type(error).__name__
    return "none"


def of(table: str, **options: Any) -> DynamicsClient:
    made.reset_query()
    for name, value in {"table": table, **options}.items():
        setattr(made, name, value)
    return made


def names(asked: DynamicsClient) -> list[str]:
    return [row["name"] for row in asked.get().data]


made = client(scope=f"{told['url']}/.default")
first_form = client(resource=told["url"])
first_form.table = "accounts"
found: dict[str, Any] = {"by_resource": len(first_form.get().data)}
made.pagesize = 2
paged = of("accounts", select=["name"], orderby={"statecode": "desc", "name": "asc"}, count=True)
answer = paged.get(pagination_rules={"pages": -1})
found["paged"], found["count"] = [row["name"] for row in answer.data], answer.count
made.pagesize = 5000
found["in"] = names(of("accounts", select=["name"], filter=[ftr.in_("accountnumber", ["A-1", "A-4"])]))
found["or"] = names(
    of("accounts", select=["name"], filter={ftr.eq("name", "Old Traders"), ftr.eq("accountnumber", "A-1")})
)
expand = {"contact_customer_accounts": {"select": ["fullname"], "top": 1}, "parentaccountid": {"select": ["name"]}}
(row,) = of("accounts", row_id=told["child"], expand=expand).get().data
found["expanded"] = [row["parentaccountid"]["name"], row["contact_customer_accounts"]]
found["pre_expanded"] = names(of("accounts", row_id=told["child"], pre_expand="parentaccountid"))
created = of("accounts", select=["accountid", "name"]).post({"name": "O'Neil & Söhne"}).data
found["created"] = created["name"]
changed = of("accounts", row_id=created["accountid"], select=["telephone1"]).patch({"telephone1": "555"}).data
found["changed"] = changed["telephone1"]
of("accounts", row_id=created["accountid"], add_ref_to_property="contact_customer_accounts").post(
    {"@odata.id": f"{API}/contacts({told['contact']})"}
)
linked = of("accounts", row_id=created["accountid"], pre_expand="contact_customer_accounts").get().data
found["linked"] = [each["fullname"] for each in linked]
of("accounts", row_id=created["accountid"]).delete()
found["refusals"] = [
    refusal(of("accounts", row_id=created["accountid"])),
    refusal(of("accounts", select=["nosuch"])),
    refusal(of("accounts", fetch_xml="<fetch><entity name='account'/></fetch>")),
    refusal(of("accounts", apply="aggregate($count as n)")),
]
json.dump(found, sys.stdout)
