"""Import the mappings that exist already: look first, then one run whose decisions can be told by its number."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from w365.errors import InputError
from w365.model import Actor, DecisionKind, Origin, Role, RunKind
from w365.service import Service
from w365.service.access import needs
from w365.service.importing.choices import MAPPINGS, remember
from w365.service.importing.mapping_plan import (
    ACCOUNT_ID,
    ACCOUNT_NAME,
    ACCOUNT_NUMBER,
    FIELDS,
    OPTIONAL,
    USUALLY,
    MappingPlan,
    PlannedLine,
    ReadMappings,
    Verdict,
    read_lines,
)
from w365.service.importing.report import (
    LineError,
    Plan,
    Tell,
    Work,
    check_places,
    count_lines,
    keep_errors,
    refuse_errors,
    run_import,
)
from w365.sheets import Places, Sheet
from w365.store.configuring.settings import read_policy
from w365.store.db.engine import Connection
from w365.store.deciding.decisions import Change, Who, carry_out
from w365.store.deciding.plans import PART, add_plan, add_rows, drop_plan, whole
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
    shown: tuple[PlannedLine, ...]
    mapped: int
    hidden: int = 0

    @property
    def bad_lines(self) -> int:
        return count_lines(self.errors)


@needs(Role.ANALYST)
def preview_mappings(
    service: Service, actor: Actor, sheet: Sheet, places: Places, choice: MappingChoice | None = None
) -> MappingsPreview:
    """Say what importing would do; nothing is written."""
    _check(sheet, places)
    chosen = choice or MappingChoice()
    counts: Counter[Verdict] = Counter()
    shown: list[PlannedLine] = []
    read = read_lines(sheet, places)
    with service.store.read() as connection:
        plan = _plan(connection, read, chosen)
        for part in plan.chunks():
            for planned in part:
                counts[planned.verdict] += 1
                if counts[planned.verdict] <= _SHOWN:
                    shown.append(planned)
    counts[Verdict.EMPTY] = plan.empty
    mapped = sum(counts[verdict] for verdict in chosen.mapped)
    return MappingsPreview(plan.lines, counts, tuple(plan.errors), tuple(shown), mapped, plan.hidden)


@needs(Role.ANALYST)
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
    plan = plan_mappings(service, actor, sheet, places, choice or MappingChoice(), tell)
    return run_import(service, actor, RunKind.MAPPING_IMPORT, TARGET, plan)


@needs(Role.ANALYST)
def plan_mappings(
    service: Service, actor: Actor, sheet: Sheet, places: Places, chosen: MappingChoice, tell: Tell
) -> Plan:
    """Give what reads the file and then does what `import_mappings` does."""
    _check(sheet, places)

    def read() -> Work:
        lines = read_lines(sheet, places)
        return lambda connection, run_id: write(connection, run_id, lines)

    def write(connection: Connection, run_id: int, lines: ReadMappings) -> Counts:
        plan = _plan(connection, lines, chosen)
        counts: Counts = Counter()
        at = service.clock()
        plan_id = add_plan(connection, actor.name, at, TARGET, title=sheet.name, detail={})
        for part in plan.chunks():
            counts += _add(connection, plan_id, part, chosen.mapped)
            tell(plan.lines)
        if not chosen.leave_out_errors:
            refuse_errors(plan.errors)
        keep_errors(connection, run_id, plan.errors)
        who, change = Who(actor.name, at, run_id), Change(DecisionKind.MAP, Origin.IMPORTED)
        carry_out(connection, read_policy(connection), who, change, PART, whole(plan_id))
        drop_plan(connection, plan_id)
        counts[Count.WITHOUT_ACCOUNT] = plan.empty
        counts[Count.REJECTED] = count_lines(plan.errors)
        remember(connection, MAPPINGS, sheet, FIELDS, places)
        return +counts

    return read


def _check(sheet: Sheet, places: Places) -> None:
    check_places(sheet, FIELDS, places)
    if not places.keys() & {ACCOUNT_ID, ACCOUNT_NUMBER, ACCOUNT_NAME}:
        raise InputError(
            f"No column of {sheet.name} names the account.",
            kept="Nothing was imported.",
            do="Choose the column of the account's id, number or name.",
        )


def _plan(connection: Connection, read: ReadMappings, choice: MappingChoice) -> MappingPlan:
    return MappingPlan(connection, read_policy(connection), read, provider=choice.provider, take=choice.mapped)


def _add(connection: Connection, plan_id: int, part: Sequence[PlannedLine], take: frozenset[Verdict]) -> Counts:
    """Plan the lines that are to be mapped, and count all of them by their words."""
    taken = [planned for planned in part if planned.verdict in take]
    add_rows(connection, plan_id, [(planned.row.id, planned.row.version, planned.account_id) for planned in taken])
    replaced = sum(planned.row.account_id is not None for planned in taken)
    left = Counter(Count(planned.verdict) for planned in part if planned.verdict not in take)
    return left + Counter({Count.MAPPED: len(taken) - replaced, Count.REPLACED: replaced})
