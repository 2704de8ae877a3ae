"""What the providers and the CRM say."""

from __future__ import annotations

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from w365.store.tables.columns import Base, Exact, Id, Key, derived, reference


class Provider(Base):
    __tablename__ = "provider"
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    kind: Mapped[str]
    cardinality: Mapped[str | None]  # this provider's exception from the default policy
    verified_at: Mapped[dt.datetime | None]
    verified_as: Mapped[str] = mapped_column(default="")  # what Verify connection last found, in words
    is_text_proof: Mapped[bool] = mapped_column(server_default=sa.false())  # an admin says: what is typed there maps


class ProviderAccount(Base):
    __tablename__ = "provider_account"
    __table_args__ = (
        sa.UniqueConstraint("provider_id", "specific_id"),
        sa.Index(None, "first_seen_at"),
        sa.Index(
            None,
            "tenant_guid",
            sqlite_where=sa.text("tenant_guid <> ''"),
            postgresql_where=sa.text("tenant_guid <> ''"),
        ),
        sa.Index(
            "ix_provider_account_unsynced",
            "id",
            sqlite_where=sa.text("NOT is_synced"),
            postgresql_where=sa.text("NOT is_synced"),
        ),
        *(
            sa.Index(
                f"ix_provider_account_{name}",
                "provider_id",
                name,
                sqlite_where=sa.text(f"{name} IS NOT NULL"),
                postgresql_where=sa.text(f"{name} IS NOT NULL"),
            )
            for name in ("gone_at", "changed_at")
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    provider_id: Mapped[int] = reference("provider.id")
    specific_id: Mapped[str]
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Key)
    default_domain: Mapped[str]
    main_domain: Mapped[str]  # the one to show: its own default name, else its first own name
    domain_source: Mapped[str]
    tenant_guid: Mapped[str]
    country: Mapped[str]
    relationship: Mapped[str]
    note: Mapped[str]  # what the provider would not tell, in words
    first_seen_at: Mapped[dt.datetime]
    gone_at: Mapped[dt.datetime | None]
    changed_at: Mapped[dt.datetime | None]
    change: Mapped[str] = mapped_column(server_default="")  # old -> new, in words
    is_synced: Mapped[bool] = mapped_column(server_default=sa.true())  # a row that is not is left alone by syncs


class ProviderAccountDomain(Base):
    __tablename__ = "provider_account_domain"
    __table_args__ = (
        # All that a match asks of a domain, so that a match of all rows reads nothing else and goes by domain.
        sa.Index("ix_provider_account_domain_match", "domain", "provider_account_id", "kind", "is_verified"),
        {"sqlite_with_rowid": False},
    )
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    domain: Mapped[str] = mapped_column(Exact, primary_key=True)
    kind: Mapped[str]  # DomainKind
    is_default: Mapped[bool]
    is_verified: Mapped[bool]


LIVE_STATUSES = ("active", "suspended", "Active", "Activated", "Trial", "PendingCancel")
"""Subscription statuses that count as seats at stake, as Partner Center and as Pax8 spell them."""

ENDED = f"status NOT IN {LIVE_STATUSES}"
"""Spelled as the index of what has ended is, or SQLite leaves that."""


class ProviderSubscription(Base):
    __tablename__ = "subscription"
    __table_args__ = (
        sa.Index(
            "ix_subscription_ended",
            "provider_account_id",
            "subscription_id",
            "quantity",
            sqlite_where=sa.text(ENDED),
            postgresql_where=sa.text(ENDED),
        ),
    )
    provider_account_id: Mapped[int] = reference("provider_account.id", primary_key=True)
    subscription_id: Mapped[str] = mapped_column(primary_key=True)
    offer_name: Mapped[str]
    quantity: Mapped[int]
    status: Mapped[str]
    term: Mapped[str]
    started_at: Mapped[dt.datetime | None]


HERE = "is_active AND NOT is_deleted"
"""Accounts that can be mapped to, spelled as their index is."""


class Account(Base):
    __tablename__ = "account"
    __table_args__ = (
        # In the order of the contacts' index: measured at 333,000 accounts, those without one in 0.2 s instead of 2.
        sa.Index("ix_account_here", "crm_id", sqlite_where=sa.text(HERE), postgresql_where=sa.text(HERE)),
        sa.Index(
            None,
            "tenant_guid",
            sqlite_where=sa.text("tenant_guid <> ''"),
            postgresql_where=sa.text("tenant_guid <> ''"),
        ),
    )
    id: Mapped[int] = mapped_column(Id, primary_key=True)
    crm_id: Mapped[str] = mapped_column(sa.String(64), unique=True)
    name: Mapped[str]
    name_key: Mapped[str] = mapped_column(Key, index=True)
    number: Mapped[str]
    website: Mapped[str]
    email_domain: Mapped[str] = mapped_column(Exact)
    website_domain: Mapped[str] = mapped_column(Exact)
    city: Mapped[str]
    country: Mapped[str]
    tenant_guid: Mapped[str]
    is_active: Mapped[bool]
    is_deleted: Mapped[bool] = mapped_column(server_default=sa.false())


class Contact(Base):
    """A contact refers to its account by CRM id: in a change feed it can arrive before the account does."""

    __tablename__ = "contact"
    __table_args__ = (
        # All that is asked to fold them: measured on PostgreSQL with 3,000,000, 4.5 s instead of 10.
        sa.Index(None, "account_crm_id", "domain", "is_active", postgresql_include=["crm_id"]),
        {"sqlite_with_rowid": False},
    )
    crm_id: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    account_crm_id: Mapped[str] = mapped_column(sa.String(64))
    domain: Mapped[str] = mapped_column(Exact)
    is_active: Mapped[bool] = mapped_column(server_default=sa.true())


class UnreadDomain(Base):
    """Domains that a field of an account may mean which has no one reading: never evidence, but a reason names them."""

    __tablename__ = "unread_domain"
    __table_args__ = (sa.Index(None, "account_id"), {"sqlite_with_rowid": False})
    domain: Mapped[str] = mapped_column(Exact, primary_key=True)
    account_id: Mapped[int] = derived(primary_key=True)


class UnitWord(Base):
    """By which words the names of accounts on one domain differ; see `store.matching.unit_words`."""

    __tablename__ = "unit_word"
    __table_args__ = (sa.Index(None, "domain"), {"sqlite_with_rowid": False})
    word: Mapped[str] = mapped_column(Exact, primary_key=True)
    domain: Mapped[str] = mapped_column(Exact, primary_key=True)


class AccountDomain(Base):
    """Which account can be reached by which domain, and how: the right half of the match."""

    __tablename__ = "account_domain"
    __table_args__ = (sa.Index(None, "account_id"), {"sqlite_with_rowid": False})
    domain: Mapped[str] = mapped_column(Exact, primary_key=True)
    account_id: Mapped[int] = derived(primary_key=True)
    rule: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    contacts: Mapped[int]
    example: Mapped[str]  # the CRM id of one such contact
