"""What the admin set: settings, lists and connections."""

from __future__ import annotations

import datetime as dt
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Exact, Id, PersonName, PersonText


class Setting(Base):
    __tablename__ = "setting"
    name: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[str]


class SettingChange(Base):
    __tablename__ = "setting_change"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    name: Mapped[str]
    old_value: Mapped[PersonText]
    value: Mapped[PersonText]


class ReadingChoice(Base):
    """How the last file that was imported was read: what `service.importing.choices` writes."""

    __tablename__ = "reading_choice"
    target: Mapped[str] = mapped_column(primary_key=True)
    choice: Mapped[dict[str, Any]]


class ListedDomain(Base):
    __tablename__ = "listed_domain"
    domain: Mapped[str] = mapped_column(Exact, primary_key=True)
    list: Mapped[str]  # DomainList


class StoredConnection(Base):
    """The connection of one provider or of the CRM. Where the environment sets it, only which one it is for."""

    __tablename__ = "connection"
    target: Mapped[str] = mapped_column(sa.String(20), primary_key=True)  # the provider's id, or 'crm'
    setting: Mapped[str]  # the word in the settings' names
    for_environment: Mapped[bool]  # the environment's connection of this word is meant for this target
    parts: Mapped[dict[str, Any]]  # what is no secret, by the last words of the settings' names
    secret: Mapped[str]  # sealed; empty where nothing is stored
    changed_at: Mapped[dt.datetime | None]
    changed_by: Mapped[PersonName]


class StoredConsent(Base):
    """The person who signed in for an application, and the refresh token, which changes whenever it is used."""

    __tablename__ = "consent"
    target: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    application: Mapped[str]  # tenant and client id it was given for
    token: Mapped[str]  # sealed
    version: Mapped[int]  # grows with every token; a save names the one it replaces
    person: Mapped[PersonText]
    has_mfa: Mapped[bool | None]  # None where the token does not tell
    signed_in_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime]
    refused: Mapped[str]  # why the last redemption was refused for good, in words
    held_by: Mapped[str]  # the process that redeems just now
    held_until: Mapped[dt.datetime | None]


class ConsentBegun(Base):
    """A sign-in that was begun on the page and has not come back from the browser yet."""

    __tablename__ = "consent_begun"
    state: Mapped[str] = mapped_column(sa.String(64), primary_key=True)  # a digest of it
    target: Mapped[str]
    flow: Mapped[str]  # sealed: it holds the verifier
    actor: Mapped[PersonName]
    at: Mapped[dt.datetime]
