"""Sample audit: automatic mappings, drawn at random and judged blind, tell how precise all of them are.

Who judges sees the customer and the account, not why they were mapped. A verdict changes no mapping.
"""

from __future__ import annotations

from w365.errors import InputError, NotFound, StaleEdit
from w365.model import Actor, Role
from w365.service import Service
from w365.service.access import needs
from w365.service.auditing.estimates import Interval, draw_from_strata, wilson_interval
from w365.store.auditing.samples import (
    AuditVerdict,
    AuditView,
    Judgement,
    SampledMapping,
    get_judgement,
    list_items,
    list_samples,
    put_judgement,
    put_sample,
    read_strata,
)

MOST = 1_000
_LARGEST_SEED = 2**31 - 1


@needs(Role.ANALYST)
def draw_sample(service: Service, actor: Actor, size: int, *, seed: int, stratified: bool = True) -> int:
    """Draw a sample of the automatic mappings and return its id; stratified by the rule that mapped them."""
    if not 1 <= size <= MOST or not 0 <= seed <= _LARGEST_SEED:
        raise InputError(f"A sample has 1 to {MOST:,} rows, and its seed 0 to {_LARGEST_SEED:,}.")
    with service.store.read() as connection:
        strata = read_strata(connection, stratified=stratified)
    population = sum(len(ids) for ids in strata.values())
    if not population:
        raise InputError("Nothing is mapped automatically.", kept="No sample was drawn.", do="Run a match first.")
    values = {"seed": seed, "population": population, "is_stratified": stratified, "actor": actor.name}
    with service.store.write() as connection:
        return put_sample(connection, values | {"at": service.clock()}, draw_from_strata(strata, size, seed))


@needs(Role.VIEWER)
def list_audits(service: Service, actor: Actor, limit: int = 50) -> list[AuditView]:
    """List the samples, the latest first, with the verdicts so far."""
    with service.store.read() as connection:
        return list_samples(connection, limit)


def estimate_precision(audit: AuditView) -> Interval | None:
    """The share of right ones among right and wrong; who is unsure says nothing about it."""
    return wilson_interval(audit.right, audit.right + audit.wrong)


@needs(Role.VIEWER)
def next_item(service: Service, actor: Actor, audit_id: int) -> SampledMapping | None:
    """Read the first pair that nobody judged yet; None when all are."""
    with service.store.read() as connection:
        return next(iter(list_items(connection, audit_id, None, limit=1)), None)


@needs(Role.VIEWER)
def list_judged(service: Service, actor: Actor, audit_id: int, verdict: AuditVerdict) -> list[SampledMapping]:
    with service.store.read() as connection:
        return list_items(connection, audit_id, verdict, limit=MOST)


@needs(Role.ANALYST)
def judge_pair(service: Service, actor: Actor, audit_id: int, place: int, verdict: AuditVerdict | None) -> None:
    """Keep a verdict on one pair, or take it back (None).

    Raises StaleEdit where the pair is judged already, by somebody else or by a key pressed twice: the first one counts.
    """
    judgement, at = (Judgement(verdict, actor.name), service.clock()) if verdict else (Judgement("", ""), None)
    with service.store.write() as connection:
        _check_open(get_judgement(connection, audit_id, place), verdict)
        put_judgement(connection, audit_id, place, judgement, at)


def _check_open(now: Judgement | None, verdict: AuditVerdict | None) -> None:
    if now is None:
        raise NotFound("This sample has no such row.", kept="Nothing was changed.", do="Reload the page.")
    if now.verdict and verdict:
        raise StaleEdit(
            f"{now.judged_by} had judged this pair as {now.verdict} already.",
            kept="That verdict was kept.",
            do="Judge the pair that is shown now.",
        )
