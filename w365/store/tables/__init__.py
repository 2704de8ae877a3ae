"""The tables. Facts, decisions and proposals are kept apart; docs/architecture.md says who writes which of them."""

from __future__ import annotations

from w365.store.tables.chosen import ConsentBegun, ListedDomain, Setting, SettingChange, StoredConnection, StoredConsent
from w365.store.tables.columns import Base, Exact, Id, Json, Key, UtcTime, derived, reference
from w365.store.tables.daily import Notice, Schedule
from w365.store.tables.decided import (
    Audit,
    AuditItem,
    Decision,
    DecisionEvidence,
    Mapping,
    Plan,
    PlanRow,
    Rejection,
    RejectionChange,
    StandingBefore,
    StandingOrder,
    Undo,
)
from w365.store.tables.done import CrmDelta, CrmSize, Run, RunProblem, RunSeen, Snapshot, Visit
from w365.store.tables.onboarded import ExpectedCustomer, Onboarding
from w365.store.tables.proposed import AccountVersion, CurrentCandidate, CurrentProposal, SuggestDue, Touched, Version
from w365.store.tables.said import Note, OwnerChange, Ownership
from w365.store.tables.shown import STATUS, Spelling, Word, Worklist
from w365.store.tables.sources import (
    Account,
    AccountDomain,
    Contact,
    Provider,
    ProviderAccount,
    ProviderAccountDomain,
    ProviderSubscription,
)
from w365.store.tables.written import RemoteMapping, Writeback

__all__ = [
    "STATUS",
    "Account",
    "AccountDomain",
    "AccountVersion",
    "Audit",
    "AuditItem",
    "Base",
    "ConsentBegun",
    "Contact",
    "CrmDelta",
    "CrmSize",
    "CurrentCandidate",
    "CurrentProposal",
    "Decision",
    "DecisionEvidence",
    "Exact",
    "ExpectedCustomer",
    "Id",
    "Json",
    "Key",
    "ListedDomain",
    "Mapping",
    "Note",
    "Notice",
    "Onboarding",
    "OwnerChange",
    "Ownership",
    "Plan",
    "PlanRow",
    "Provider",
    "ProviderAccount",
    "ProviderAccountDomain",
    "ProviderSubscription",
    "Rejection",
    "RejectionChange",
    "RemoteMapping",
    "Run",
    "RunProblem",
    "RunSeen",
    "Schedule",
    "Setting",
    "SettingChange",
    "Snapshot",
    "Spelling",
    "StandingBefore",
    "StandingOrder",
    "StoredConnection",
    "StoredConsent",
    "SuggestDue",
    "Touched",
    "Undo",
    "UtcTime",
    "Version",
    "Visit",
    "Word",
    "Worklist",
    "Writeback",
    "derived",
    "reference",
]
