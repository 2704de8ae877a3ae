"""Settings and their values in the words of the Configuration page."""

from __future__ import annotations

from collections.abc import Mapping

from w365.matching.messages import CARDINALITY_WORDS, LIST_WORDS, REASON_WORDS
from w365.model import Cardinality, Guard, ProviderKind, Reason

RULE_WORDS: Mapping[str, str] = {
    "rule_contact_domain": "2. E-mail domain of a contact",
    "rule_account_email": "3. E-mail domain of the account",
    "rule_account_website": "4. Website of the account",
}
EVIDENCE_WORDS: Mapping[str, str] = {"active_contacts_only": "Only active contacts are evidence"}
PROOF_WORDS: Mapping[ProviderKind, str] = {
    ProviderKind.PARTNER_CENTER: "domains that the customer verified at Microsoft. Unverified ones never count.",
    ProviderKind.PAX8: "Pax8 verifies no domain; a website that somebody typed is all there is.",
    ProviderKind.MANUAL: "domains that your own people entered.",
}
"""What of each kind of provider counts as a domain of the customer."""
_NAMES: Mapping[str, str] = {
    "auto_match": "Auto-Match",
    **EVIDENCE_WORDS,
    "tenant_guid_column": "Rule 1, column of the tenant id",
    **{name: f"Rule {words.lower()}" for name, words in RULE_WORDS.items()},
    **{f"guard_{guard}": f"Guard: {REASON_WORDS[Reason(guard.value)].lower()}" for guard in Guard},
    "cardinality": "Sharing of CRM accounts",
    "shared_threshold": "A domain is shared from",
    "learned_weights": "Weights learned from decisions",
    "gone_guard_percent": "Guard against mass disappearance, percent",
    "change_feed": "Audit records between full syncs",
    "full_sync_days": "Days between full syncs",
    "crm_account_address": "Address of an account in the CRM",
    "schedule_zone": "Time zone of daily syncs",
    "mapping_table": "Mappings in Dataverse, table",
    "mapping_id_column": "Mappings in Dataverse, column of the id",
    "mapping_provider_column": "Mappings in Dataverse, column of the provider",
    "mapping_account_column": "Mappings in Dataverse, lookup to the account",
    "write_back": "Mappings in Dataverse, write-back",
    "keep_runs_days": "Days that runs are kept",
    "keep_visits_days": "Days that visits are kept",
    "keep_notices_days": "Days that sent summaries are kept",
    "keep_audit_log_days": "Days that the audit log is kept",
    "keep_decisions_years": "Years that decisions are kept",
    **{f"domains: {which}": words for which, words in LIST_WORDS.items()},
}
_ON_OFF = {"true": "on", "false": "off", "": "none"}


def say_setting(name: str) -> str:
    """Name a setting, or a provider's exception, for people."""
    if name in _NAMES:
        return _NAMES[name]
    for short, words in _PREFIXES:
        name = words + name.removeprefix(short) if name.startswith(short) else name
    return name


_PREFIXES = (
    ("cardinality: ", "Sharing of CRM accounts, exception for "),
    ("free text: ", "What is typed at a provider is proof: "),
    ("connection: ", "Connection of "),
    ("sign-in: ", "Sign-in to "),
    ("daily sync: ", "Daily sync of "),
)


def say_value(text: str) -> str:
    """Say a stored value for people."""
    if text in list(Cardinality):
        return CARDINALITY_WORDS[Cardinality(text)]
    return _ON_OFF.get(text, text)
