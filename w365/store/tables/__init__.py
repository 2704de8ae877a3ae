"""The tables. Facts, decisions and proposals are kept apart; docs/architecture.md says who writes which of them."""

from __future__ import annotations

from w365.store.tables.collaboration import Note, OwnerChange, Ownership
from w365.store.tables.columns import (
    A_PERSON,
    WITHIN_TEXT,
    Base,
    Exact,
    Id,
    Json,
    Key,
    UtcTime,
    columns_that_name,
    derived,
    reference,
)
from w365.store.tables.decisions import (
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
from w365.store.tables.facts import (
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
    UnitWord,
    UnreadDomain,
)
from w365.store.tables.onboarding import ExpectedCustomer, Onboarding
from w365.store.tables.people import AuditEntry, Person, ServiceToken, Session
from w365.store.tables.proposals import (
    AccountVersion,
    CurrentCandidate,
    CurrentProposal,
    LearnedWeights,
    SuggestDue,
    Touched,
    Version,
)
from w365.store.tables.read_model import (
    ACCOUNT,
    PROVIDER_ACCOUNT,
    READY,
    STATUS,
    Spelling,
    Word,
    WordSubject,
    Worklist,
    WorklistCount,
)
from w365.store.tables.runs import (
    ACTIVE_RUNS,
    CrmDelta,
    CrmSize,
    Process,
    Run,
    RunProblem,
    RunSeen,
    SharedFile,
    Snapshot,
    Visit,
)
from w365.store.tables.schedules import Notice, Schedule
from w365.store.tables.settings import (
    ConsentBegun,
    ListedDomain,
    ReadingChoice,
    Setting,
    SettingChange,
    StoredConnection,
    StoredConsent,
)
from w365.store.tables.writeback import RemoteMapping, Writeback
