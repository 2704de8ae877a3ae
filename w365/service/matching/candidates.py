"""Keep candidates for the provider accounts that wait for a decision; fuzzy signals only ever suggest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from w365.matching.candidates import Candidate, Suggester
from w365.model import Evidence
from w365.service import Service
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Connection
from w365.store.matching.candidate_inputs import read_doubted, read_mapped_elsewhere, read_rejected, read_subjects
from w365.store.matching.candidates import KEPT, forget_decided, read_due, replace_candidates
from w365.store.matching.change_sequence import version_now
from w365.store.matching.evidence import evidence_of
from w365.store.runs import Progress

_NO_EVIDENCE: Mapping[int, tuple[Evidence, ...]] = {}


def make_candidates(service: Service, progress: Progress) -> int:
    """Make the candidates that are due, in transactions of some hundred rows; return for how many rows."""
    made = 0
    with service.store.write() as connection:
        forget_decided(connection)
    while due := _next_due(service):
        progress.check()
        with service.store.read() as connection:
            version = version_now(connection)
            with service.accounts.read_up_to_now(connection, progress.beat) as suggester:
                candidates = suggest_candidates(connection, suggester, due)
        with service.store.write() as connection:
            replace_candidates(connection, due, candidates, version)
            made += len(due)
            progress.report(connection, message=f"Candidates for {made:,} provider accounts")
    return made


def _next_due(service: Service) -> list[int]:
    with service.store.read() as connection:
        return read_due(connection)


def suggest_candidates(
    connection: Connection,
    suggester: Suggester,
    provider_account_ids: Sequence[int],
    *,
    limit: int = KEPT,
    as_if_undecided: bool = False,
) -> Mapping[int, list[Candidate]]:
    """Compute the candidates of these provider accounts, the likeliest first; rejected ones only as if undecided."""
    evidence = evidence_of(connection, read_policy(connection), provider_account_ids)
    rejected = {} if as_if_undecided else read_rejected(connection, provider_account_ids)
    elsewhere = read_mapped_elsewhere(connection, provider_account_ids)
    doubted = read_doubted(connection, provider_account_ids)
    return {
        row_id: suggester.suggest(
            subject,
            evidence.get(row_id, _NO_EVIDENCE),
            rejected=frozenset(rejected.get(row_id, ())),
            mapped_elsewhere=elsewhere.get(row_id),
            first=doubted.get(row_id),
            limit=limit,
        )
        for row_id, subject in read_subjects(connection, provider_account_ids).items()
    }
