"""Learn the weights of signals from what people decided here: a run that is logged, judged, shown and taken back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from w365.model import Actor, AuditKind, Role, RunKind
from w365.service import Service
from w365.service.access import needs
from w365.service.matching.candidates import make_candidates, suggest_candidates
from w365.store.configuring.settings import read_setting
from w365.store.db.bulk_insert import chunks
from w365.store.db.engine import Connection
from w365.store.matching.candidate_inputs import read_rejected
from w365.store.matching.candidates import order_candidates
from w365.store.matching.dirty_rows import all_rows
from w365.store.matching.learned_weights import (
    USES_LEARNED,
    LearnedView,
    add_learned,
    list_learned,
    read_chosen,
    read_decided,
    withdraw_learned,
)
from w365.store.people.audit_log import note_event
from w365.store.run_counts import Count, Counts
from w365.store.runs import Progress, RunView, request_run

if TYPE_CHECKING:
    from w365.matching.candidates import Candidate, Suggester
    from w365.matching.weights import Choice

TARGET = "weights"
FEWEST_DECISIONS = 50
"""Fewer say nothing of how often the first candidate is right."""
_JUDGED = 25
_BATCH = 200


@dataclass(frozen=True, slots=True)
class Learning:
    """Whether learned weights are switched on, which are in use, and what was learned, the newest first."""

    is_on: bool
    used: LearnedView | None
    history: tuple[LearnedView, ...]


@needs(Role.ADMIN)
def request_learning(service: Service, actor: Actor) -> int:
    """Queue a run that learns from what was decided, and return its id; AlreadyRunning when one is under way."""
    now = service.clock()
    with service.store.write() as connection:
        run_id = request_run(connection, RunKind.LEARN, TARGET, actor.name, now)
        note_event(
            connection, actor.name, now, AuditKind.SETTING, f"weights are learned from decisions by run {run_id}"
        )
    return run_id


@needs(Role.VIEWER)
def read_learning(service: Service, actor: Actor) -> Learning:
    with service.store.read() as connection:
        is_on = read_setting(connection, USES_LEARNED) == "true"
        history = tuple(list_learned(connection))
    used = next((learned for learned in history if learned.is_used), None)
    return Learning(is_on, used if is_on else None, history)


@needs(Role.ADMIN)
def withdraw_weights(service: Service, actor: Actor, learned_id: int) -> bool:
    """Use these weights no more, and make all candidates anew in the background. False where they were not in use."""
    with service.store.write() as connection:
        is_withdrawn = withdraw_learned(connection, learned_id)
        if is_withdrawn:
            told = f"learned weights {learned_id} are used no more"
            note_event(connection, actor.name, service.clock(), AuditKind.SETTING, told)
            order_candidates(connection, all_rows())
    return is_withdrawn


def run_learning(service: Service, run: RunView, progress: Progress) -> Counts:
    """Fit the weights to what was decided; they are kept, and used where better on decisions that were held out.

    No mapping is written by this, or by what it learned.
    """
    from w365.matching.weight_fitting import learn_weights

    choices = list(_read_choices(service, progress))
    if len(choices) < FEWEST_DECISIONS:
        return Counter({Count.DECISIONS: len(choices), Count.LEARNED: 0})
    learned = learn_weights(choices)
    with service.store.write() as connection:
        add_learned(connection, run.id, run.actor, service.clock(), learned, is_used=learned.is_better)
        if learned.is_better:
            order_candidates(connection, all_rows())
        progress.report(connection, message="Looking for candidates")
    made = make_candidates(service, progress) if learned.is_better else 0
    return Counter({Count.DECISIONS: len(choices), Count.LEARNED: int(learned.is_better), Count.SUGGESTED: made})


def _read_choices(service: Service, progress: Progress) -> Iterator[Choice]:
    """Judge the candidates of decided customers as if nobody had decided, by the delivered weights."""
    from w365.matching.weights import DELIVERED

    with service.store.read() as connection:
        decided = read_decided(connection)
    for part in chunks(decided, _BATCH):
        progress.check()
        with (
            service.store.read() as connection,
            service.accounts.read_up_to_now(connection, progress.beat) as suggester,
        ):
            suggester.weights = DELIVERED
            yield from _choices_of(connection, suggester, part)


def _choices_of(connection: Connection, suggester: Suggester, ids: Sequence[int]) -> Iterator[Choice]:
    chosen, rejected = read_chosen(connection, ids), read_rejected(connection, ids)
    candidates = suggest_candidates(connection, suggester, ids, limit=_JUDGED, as_if_undecided=True)
    for row_id in ids:
        yield _choice(candidates.get(row_id, []), chosen.get(row_id), rejected.get(row_id, set()))


def _choice(candidates: Sequence[Candidate], chosen: int | None, rejected: set[int]) -> Choice:
    from w365.matching.weights import Choice

    ids = [candidate.account_id for candidate in candidates]
    may_be = tuple(account == chosen if chosen is not None else account not in rejected for account in ids)
    return Choice(tuple(candidate.signals for candidate in candidates), may_be, chosen is None or chosen not in ids)
