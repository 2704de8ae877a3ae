"""Who signs in, the sessions that this began, the tokens of programs, and the audit log."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Id, PersonName, PersonText, reference


class Person(Base):
    """Somebody who signed in. ``name`` stands for the person wherever something says who did it, and never changes."""

    __tablename__ = "person"
    __table_args__ = (sa.UniqueConstraint("subject"), sa.UniqueConstraint("name"))
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    subject: Mapped[str]  # issuer and subject id, never an e-mail address, which can be given to somebody else
    name: Mapped[PersonName]
    login: Mapped[PersonText]  # by which an admin recognises the person; nothing is decided by it
    claimed_role: Mapped[str]  # of the latest sign-in; empty: it named none
    given_role: Mapped[str]  # by an admin, before any other; empty: none
    is_disabled: Mapped[bool]
    first_seen_at: Mapped[dt.datetime]
    last_seen_at: Mapped[dt.datetime]


class Session(Base):
    """A person in a browser, from signing in to signing out. All tabs of the browser share it."""

    __tablename__ = "session"
    __table_args__ = (
        sa.Index(None, "person_id", "browser"),
        # An identity provider's answer begins one session; a proxy gives no answer of its own.
        sa.Index(
            "uq_session_proof",
            "proof",
            unique=True,
            sqlite_where=sa.text("proof <> ''"),
            postgresql_where=sa.text("proof <> ''"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = reference("person.id")
    browser: Mapped[str]  # digest of the browser's cookie
    proof: Mapped[str]  # digest of what the identity provider answered
    begun_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_by: Mapped[str]  # SessionEnd; empty while it lives


class ServiceToken(Base):
    """A secret by which a program gets in as a service account. Several of the same name are the same account."""

    __tablename__ = "service_token"
    __table_args__ = (sa.UniqueConstraint("digest"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str]
    role: Mapped[str]
    digest: Mapped[str]  # SHA-256 of the secret, which is random and stands nowhere else
    ending: Mapped[str]  # the last letters of the secret, by which people recognise it
    made_by: Mapped[PersonName]
    made_at: Mapped[dt.datetime]
    expires_at: Mapped[dt.datetime]
    used_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]


class AuditEntry(Base):
    """Append only: who came, was refused, took data away or changed what others may do. No secret stands here."""

    __tablename__ = "audit_log"
    __table_args__ = (sa.Index(None, "at"),)
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    at: Mapped[dt.datetime]
    actor: Mapped[PersonName]
    kind: Mapped[str]  # AuditKind
    about: Mapped[PersonText]
    address: Mapped[str]  # from where; empty for the worker and the command line
