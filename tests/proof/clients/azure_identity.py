"""Microsoft's azure-identity asks the authority for a token of Dataverse and of Partner Center."""

from __future__ import annotations

import json
import sys

from azure.core.exceptions import ClientAuthenticationError
from azure.identity import ClientSecretCredential

told = json.loads(sys.argv[1])


def credential(secret: str) -> ClientSecretCredential:
    where = {"authority": told["authority"], "disable_instance_discovery": True}
    return ClientSecretCredential(told["tenant"], told["client"], secret, **where)


tokens = [credential(told["secret"]).get_token(f"{audience}/.default").token for audience in told["audiences"]]
try:
    refusal = credential("wrong").get_token(f"{told['audiences'][0]}/.default").token
except ClientAuthenticationError as error:
    refusal = str(error)
json.dump({"tokens": tokens, "refusal": refusal}, sys.stdout)
