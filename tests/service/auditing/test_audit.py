"""A sample of automatic mappings is drawn again by its seed, judged blind, and gives the precision."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from fresh_stores import make_once
from service.fakes import (
    ADMIN,
    ANALYST,
    VIEWER,
    FakeCrm,
    FakePortal,
    account,
    account_id_of,
    contact,
    crm_sync,
    customer,
    id_of,
    make_service,
    pages_of,
    rows_of,
    sync,
)

from w365.errors import InputError, NotFound, StaleEdit
from w365.service import Service
from w365.service.auditing import samples
from w365.service.configuring import settings
from w365.service.deciding import mapping
from w365.store import tables as t
from w365.store.auditing.samples import AuditVerdict, SampledMapping

RIGHT, WRONG, UNSURE = AuditVerdict


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def service(request: pytest.FixtureRequest, tmp_path: Path) -> Service:
    """Thirty customers map by contact, ten by website; one more is mapped by hand."""
    crm = FakeCrm()
    for number in range(40):
        crm.put(account(f"a{number}", website=f"d{number}.com" if number >= 30 else ""))
        if number < 30:
            crm.put(contact(f"c{number}", f"a{number}", f"d{number}.com"))
    portal = FakePortal(pages_of([customer(f"p{n}", f"d{n}.com") for n in range(41)]))
    store = request.getfixturevalue("store" if request.param == "sqlite" else "fresh_postgres")
    made = make_service(store, tmp_path, portal=portal, crm=crm)

    def furnish() -> None:
        settings.set_setting(made, ADMIN, "auto_match", "true")
        crm_sync(made)
        sync(made)
        mapping.assign_account(made, ANALYST, id_of(store, "p40"), account_id_of(store, "a0"), seen=0)

    make_once(store, "forty mapped and one by hand", furnish)
    return made


def drawn(service: Service, audit_id: int) -> list[tuple[object, ...]]:
    item = t.AuditItem
    return rows_of(service.store, item.place, item.provider_account_id, where=item.audit_id == audit_id)


def test_the_same_seed_draws_the_same_rows_each_rule_its_share_and_none_by_hand(service: Service) -> None:
    first = samples.draw_sample(service, ANALYST, 20, seed=3)
    again = samples.draw_sample(service, ANALYST, 20, seed=3)
    other = samples.draw_sample(service, ANALYST, 20, seed=4)
    assert drawn(service, first) == drawn(service, again) != drawn(service, other)
    by_website = {id_of(service.store, f"p{number}") for number in range(30, 40)}
    assert sum(row in by_website for _, row in drawn(service, first)) == 5
    found = {one.id: one for one in samples.list_audits(service, VIEWER)}
    assert list(found) == [other, again, first]
    assert (found[first].size, found[first].population) == (20, 40)
    assert samples.estimate_precision(found[first]) is None
    everything = samples.draw_sample(service, ANALYST, samples.MOST, seed=1, stratified=False)
    assert len(drawn(service, everything)) == 40


def test_verdicts_give_the_precision_and_change_no_mapping(service: Service) -> None:
    before = rows_of(service.store, t.Mapping.provider_account_id, t.Mapping.account_id, t.Mapping.decision_id)
    sample = samples.draw_sample(service, ANALYST, 10, seed=1)
    given = [RIGHT] * 7 + [WRONG, UNSURE, WRONG]
    for place, verdict in enumerate(given, start=1):
        item = samples.next_item(service, VIEWER, sample)
        assert item is not None
        assert item.place == place
        assert item.domains == item.account_domains
        samples.judge_pair(service, ANALYST, sample, place, verdict)
    assert samples.next_item(service, VIEWER, sample) is None
    with pytest.raises(StaleEdit, match="ben had judged this pair as wrong already"):
        samples.judge_pair(service, ADMIN, sample, 10, RIGHT)  # a key pressed twice, or a second person
    samples.judge_pair(service, ANALYST, sample, 10, None)
    samples.judge_pair(service, ADMIN, sample, 10, RIGHT)  # on second thoughts
    found = samples.list_audits(service, VIEWER)[0]
    assert (found.judged, found.right, found.wrong, found.unsure) == (10, 8, 1, 1)
    precision = samples.estimate_precision(found)
    assert precision is not None
    assert precision.share == 8 / 9
    assert 0.5 < precision.low < 8 / 9 < precision.high < 1
    assert [one.place for one in samples.list_judged(service, VIEWER, sample, WRONG)] == [8]
    samples.judge_pair(service, ANALYST, sample, 8, None)
    reopened = samples.next_item(service, VIEWER, sample)
    assert reopened is not None
    assert reopened.place == 8
    after = rows_of(service.store, t.Mapping.provider_account_id, t.Mapping.account_id, t.Mapping.decision_id)
    assert after == before


def test_who_judges_is_not_told_why_it_was_mapped() -> None:
    assert not {"rule", "evidence", "score", "reasons", "decision_id"} & {one.name for one in fields(SampledMapping)}


def test_what_cannot_be_is_refused(service: Service) -> None:
    sample = samples.draw_sample(service, ANALYST, 5, seed=1)
    with pytest.raises(NotFound):
        samples.judge_pair(service, ANALYST, sample, 6, RIGHT)
    for size, seed in ((1, 0), (samples.MOST, 2**31 - 1)):
        samples.draw_sample(service, ANALYST, size, seed=seed)
    for size, seed in ((0, 1), (samples.MOST + 1, 1), (5, -1), (5, 2**31)):
        with pytest.raises(InputError, match="A sample has 1 to"):
            samples.draw_sample(service, ANALYST, size, seed=seed)
