"""Roles and events in the words of the People page."""

from __future__ import annotations

from collections.abc import Mapping

from w365.model import AuditKind, Role
from w365.service.access import RoleSource
from w365.service.people.roles import PersonView

SOURCE_WORDS: Mapping[RoleSource, str] = {
    RoleSource.SETTINGS: "W365_ADMINS",
    RoleSource.ADMIN: "given by an admin",
    RoleSource.SIGN_IN: "the sign-in",
    RoleSource.EVERYBODY: "W365_UNKNOWN_PEOPLE",
    RoleSource.NOBODY: "nobody",
}
KIND_WORDS: Mapping[AuditKind, str] = {
    AuditKind.SIGN_IN: "Sign-in",
    AuditKind.SIGN_OUT: "Sign-out",
    AuditKind.REFUSAL: "Refusal",
    AuditKind.PERSON: "People",
    AuditKind.PROGRAM: "Program",
    AuditKind.SETTING: "Setting",
    AuditKind.DOWNLOAD: "Download",
    AuditKind.REMOVAL: "Removal",
}


def say_role(view: PersonView) -> str:
    return "disabled" if view.person.is_disabled and view.role is None else name_role(view.role)


def name_role(role: Role | None) -> str:
    return role.name.lower() if role else "none"
