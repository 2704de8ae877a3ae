"""The tables. Facts, decisions and proposals are kept apart, each with one writer.

- what the providers say: provider, provider_account, provider_account_domain, subscription (service.sync)
- what the CRM says: account, contact, account_domain, crm_delta (service.crm_sync), crm_size (store.crm_size)
- what people decided: decision, decision_evidence, mapping, disposition, rejection (store.decisions, store.matcher)
- what held before a decision, so that it can be taken back: standing_before, rejection_change, undo (store.changes)
- what people say to each other: note, ownership, owner_change (service.teamwork)
- who is created at a provider, and who is expected there: onboarding, expected_customer (service.onboarding, .expected)
- what the admin set: setting, setting_change, listed_domain (service.configuration)
- what happens by itself: schedule (store.schedules); notice (store.notices)
- how services are reached: connection, consent, consent_begun (store.connections, store.consents)
- what the evidence proposes: touched, proposal (store.matcher); suggest_due, candidate (service.suggesting)
- in which order that changed: version, account_version (store.versions)
- what is looked at, derived: worklist (store.worklist), word (store.words), spelling (store.spelling)
- what was done: run, run_seen, run_problem (store.runs); snapshot (service.matching); visit (service.visits)
- what was previewed and may be confirmed: plan, plan_row (store.plans)
- what stands in the CRM's own table of mappings: writeback (store.writeback), remote_mapping (store.remote_mappings)
- what was checked: audit, audit_item (service.audit)
"""

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
from w365.store.tables.shown import READY, STATUS, Spelling, Word, Worklist
from w365.store.tables.sources import (
    ENDED,
    HERE,
    LIVE_STATUSES,
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
    "ENDED",
    "HERE",
    "LIVE_STATUSES",
    "READY",
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
