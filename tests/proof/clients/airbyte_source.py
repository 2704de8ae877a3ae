"""Airbyte's connector of Dataverse, as it comes, but for the address of the sign-in service that is written into it.

And but for whom it trusts: a part of it knows no other way than the list that its HTTP library brings.
"""

from __future__ import annotations

import os
import sys
from typing import Any

import requests
from airbyte_cdk.entrypoint import launch
from source_microsoft_dataverse import SourceMicrosoftDataverse

authority, *arguments = sys.argv[1:]
send = requests.Session.request


def request(self: requests.Session, method: str, url: str, *arguments: Any, **options: Any) -> requests.Response:
    return send(self, method, url.replace("https://login.microsoftonline.com", authority), *arguments, **options)


requests.Session.request = request
requests.adapters.DEFAULT_CA_BUNDLE_PATH = os.environ["REQUESTS_CA_BUNDLE"]
launch(SourceMicrosoftDataverse(), arguments)
