"""The oracle itself: the sentences of the rule on worlds small enough to see through."""

from __future__ import annotations

from dataclasses import replace

import pytest
from examples import EXAMPLES, Example
from hypothesis import given, settings
from oracle import World, after_auto_match, auto_match, propose, status
from worlds import worlds


@pytest.mark.parametrize("of", EXAMPLES.values(), ids=EXAMPLES)
def test_the_oracle_knows_the_rules(of: Example) -> None:
    answers = propose(of.world)
    rows = {row.id: row for row in of.world.provider_accounts}
    assert {row_id: answer.reason for row_id, answer in answers.items()} == of.reasons
    assert auto_match(of.world) == of.mapped
    assert {row_id: status(of.world, rows[row_id], answers[row_id]) for row_id in of.statuses} == of.statuses


@given(worlds())
@settings(max_examples=50)
def test_running_twice_maps_nothing_the_second_time(one: World) -> None:
    assert auto_match(after_auto_match(one)) == {}


@given(worlds())
@settings(max_examples=50)
def test_the_order_of_input_does_not_matter(one: World) -> None:
    turned = replace(
        one,
        provider_accounts=one.provider_accounts[::-1],
        accounts=one.accounts[::-1],
        contacts=one.contacts[::-1],
    )
    assert propose(turned) == propose(one)


@given(worlds())
@settings(max_examples=50)
def test_a_human_decision_is_never_overwritten(one: World) -> None:
    added = auto_match(one)
    assert not added.keys() & one.mappings.keys()
    assert not set(added.items()) & one.rejections
