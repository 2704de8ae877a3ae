"""Import the mappings that exist already: look first, then one run whose decisions can be told by its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from w365.errors import InputError
from w365.model import Actor, Origin, Role, RunKind
from w365.service import Service
from w365.service.access import require
from w365.service.importing.mapping_plan import (
    ACCOUNT_ID,
    ACCOUNT_NAME,
    ACCOUNT_NUMBER,
    FIELDS,
    OPTIONAL,
    USUALLY,
    MappingPlan,
    Planned,
    Verdict,
)
from w365.service.importing.report import (
    LineError,
    Tell,
    check_places,
    count_lines,
    keep_errors,
    refuse_errors,
    run_import,
)
from w365.sheets import Places, Sheet
from w365.store import tables as t
from w365.store.configuring.settings import read_policy
from w365.store.deciding import batch
from w365.store.deciding.decisions import Who
from w365.store.matching import refresh_derived
from w365.store.matching.candidates import order_decided
from w365.store.run_counts import Count, Counts
from w365.store.runs import RunView

TARGET = "mappings"
_SHOWN = 200


@dataclass(frozen=True, slots=True)
class MappingChoice:
    """What the person decided before the import. `provider` is of the lines that name none; `take` see Verdict."""

    provider: str = ""
    take: frozenset[Verdict] = USUALLY
    leave_out_errors: bool = False

    @property
    def mapped(self) -> frozenset[Verdict]:
        return self.take & frozenset(OPTIONAL) | {Verdict.MAP}


@dataclass(frozen=True, slots=True)
class MappingsPreview:
    """What an import would do. `shown` are the first lines of each verdict, `mapped` counts what it would map."""

    lines: int
    counts: Counter[Verdict]
    errors: tuple[LineError, ...]
    shown: tuple[Planned, ...]
    mapped: int

    @property
    def bad_lines(self) -> int:
        return count_lines(self.errors)


def preview_mappings(
    service: Service, actor: Actor, sheet: Sheet, places: Places, choice: MappingChoice | None = None
) -> MappingsPreview:
    """Say what importing would do; nothing is written."""
    require(actor, Role.ANALYST)
    _check(sheet, places)
    chosen = choice or MappingChoice()
    counts: Counter[Verdict] = Counter()
    shown: list[Planned] = []
    with service.store.read() as connection:
        plan = _plan(connection, sheet, places, chosen)
        for part in plan.chunks():
            for one in part:
                counts[one.verdict] += 1
                if counts[one.verdict] <= _SHOWN:
                    shown.append(one)
    counts[Verdict.EMPTY] = plan.empty
    return MappingsPreview(
        plan.lines, counts, tuple(plan.errors), tuple(shown), sum(counts[one] for one in chosen.mapped)
    )


def import_mappings(
    service: Service,
    actor: Actor,
    sheet: Sheet,
    places: Places,
    choice: MappingChoice | None = None,
    *,
    tell: Tell = lambda _: None,
) -> RunView:
    """Map what the lines say, as one run with origin `imported`; all of it or nothing.

    The lines are judged anew inside the transaction: what somebody decided since the preview is not overwritten.
    Raises InputError when lines cannot be used and were not to be left out.
    """
    require(actor, Role.ANALYST)
    _check(sheet, places)
    chosen = choice or MappingChoice()

    def work(connection: sa.Connection, run_id: int) -> Counts:
        plan = _plan(connection, sheet, places, chosen)
        who = Who(actor.name, service.clock(), run_id)
        counts: Counts = Counter()
        for part in plan.chunks():
            counts += _map(connection, who, part, chosen.mapped)
            tell(plan.lines)
        if not chosen.leave_out_errors:
            refuse_errors(plan.errors)
        keep_errors(connection, run_id, plan.errors)
        counts[Count.WITHOUT_ACCOUNT] = plan.empty
        counts[Count.REJECTED] = count_lines(plan.errors)
        _settle(connection, run_id)
        return +counts

    return run_import(service, actor, RunKind.MAPPING_IMPORT, TARGET, work)


def _check(sheet: Sheet, places: Places) -> None:
    check_places(sheet, FIELDS, places)
    if not places.keys() & {ACCOUNT_ID, ACCOUNT_NUMBER, ACCOUNT_NAME}:
        raise InputError(
            f"No column of {sheet.name} names the account.",
            kept="Nothing was imported.",
            do="Choose the column of the account's id, number or name.",
        )


def _plan(connection: sa.Connection, sheet: Sheet, places: Places, choice: MappingChoice) -> MappingPlan:
    policy = read_policy(connection)
    return MappingPlan(connection, policy, sheet, places, provider=choice.provider, take=choice.mapped)


def _map(connection: sa.Connection, who: Who, part: Sequence[Planned], take: frozenset[Verdict]) -> Counts:
    """Map the lines that are to be mapped, and count all of them by their words."""
    wanted = [one for one in part if one.verdict in take]
    batch.put_batch(connection, [(one.provider_account_id, one.account_id) for one in wanted])
    batch.map_rows(connection, read_policy(connection), who, Origin.IMPORTED)
    replaced = sum(one.old_account_id is not None for one in wanted)
    left = Counter(Count(one.verdict) for one in part if one.verdict not in take)
    return left + Counter({Count.MAPPED: len(wanted) - replaced, Count.REPLACED: replaced})


def _settle(connection: sa.Connection, run_id: int) -> None:
    """Bring proposals, grid rows and candidates of all that the run concerns up to date."""
    decision, proposal = t.Decision, t.CurrentProposal
    mine = sa.select(decision.provider_account_id).where(decision.run_id == run_id)
    accounts = sa.select(decision.account_id).where(decision.run_id == run_id, decision.account_id.is_not(None))
    before = sa.select(decision.old_account_id).where(decision.run_id == run_id, decision.old_account_id.is_not(None))
    pointing = sa.select(proposal.provider_account_id).where(proposal.account_id.in_(accounts.union(before)))
    which = sa.select(mine.union(pointing).subquery().c[0])
    refresh_derived.settle(connection, read_policy(connection), which)
    order_decided(connection, which)
