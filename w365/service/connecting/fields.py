"""What a person enters to connect a service: the parts its settings have, in words for a form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from w365.connection import REACHES, Cloud, SignIn, parts_of, required_parts, usual_url

SECRET = "CLIENT_SECRET"  # noqa: S105 - the word in the settings' names

SIGN_IN_WORDS = {
    SignIn.APP: "The application alone",
    SignIn.APP_USER: "The application with a person who signed in once",
}


@dataclass(frozen=True, slots=True)
class ConnectionField:
    """One input of a form. ``part`` is the last word of the setting's name; ``choices`` are value and label."""

    part: str
    label: str
    help: str
    default: str = ""
    is_required: bool = True
    choices: Sequence[tuple[str, str]] = ()

    @property
    def is_secret(self) -> bool:
        return self.part == SECRET


_LABELS = {
    "URL": ("Address", "Where the service answers, as https://…"),
    "TENANT_ID": ("Tenant", "The directory in Entra ID that the application signs in to: its GUID or a domain of it"),
    "CLIENT_ID": ("Client id", "The application's id"),
    SECRET: ("Client secret", "The secret's value. It is encrypted when stored and never shown again"),
    "SIGN_IN": ("Sign-in", "With a person, somebody signs in once with multi-factor authentication"),
    "GDAP_CUSTOMERS": (
        "Customers",
        "With delegated administration (GDAP) and no purchase, a customer is known to Microsoft Graph only",
    ),
    "CALLS_PER_MINUTE": ("Calls per minute", "How fast the service is asked; 0 is no limit"),
}


def fields_of(setting: str, cloud: Cloud = Cloud.GLOBAL) -> list[ConnectionField]:
    """The inputs of a connection, in the order of a form, with the usual addresses of a cloud."""
    required = required_parts(setting)
    return [_field(setting, part, cloud, is_required=part in required) for part in parts_of(setting)]


def labels_of(setting: str) -> Mapping[str, str]:
    return {field.part: field.label for field in fields_of(setting)}


def _field(setting: str, part: str, cloud: Cloud, *, is_required: bool) -> ConnectionField:
    reach = REACHES[setting]
    label, meaning = _LABELS[part]
    defaults = {
        "URL": usual_url(setting, cloud),
        "SIGN_IN": reach.sign_ins[0].value,
        "CALLS_PER_MINUTE": str(reach.calls_per_minute or 0),
        "GDAP_CUSTOMERS": "off",
    }
    choices = {
        "SIGN_IN": tuple((sign_in.value, SIGN_IN_WORDS[sign_in]) for sign_in in reach.sign_ins),
        "GDAP_CUSTOMERS": (("off", "Customers who bought something"), ("on", "Also those who let you administer only")),
    }
    return ConnectionField(part, label, meaning, defaults.get(part, ""), is_required, choices.get(part, ()))
