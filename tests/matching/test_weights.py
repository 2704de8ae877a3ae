"""Weights refitted from decisions: shrunk towards the delivered ones, judged on decisions that were held out."""

from __future__ import annotations

import pytest

from w365.matching.candidates import Suggester
from w365.matching.comparison_records import ComparedCustomer, Prospect
from w365.matching.weight_fitting import fit_weights, learn_weights
from w365.matching.weights import DELIVERED, Choice, Weights
from w365.model import Signal


def made_choices(count: int, *, misled: bool) -> list[Choice]:
    """Of two accounts, one has the name and the other the label; where ``misled``, the label is right."""
    name, label = (Signal("similar_name", 5.0, ""),), (Signal("label_begins", 4.0, ""),)
    return [Choice((name, label), (not misled, misled), is_none=False) for _ in range(count)]


def test_what_people_go_by_here_counts_more_the_more_decisions_say_so() -> None:
    few, many = (fit_weights(made_choices(count, misled=True)) for count in (5, 300))
    assert 1.0 < few.times["label_begins"] < many.times["label_begins"]
    assert many.times["similar_name"] < few.times["similar_name"] < 1.0


def test_without_decisions_everything_counts_as_delivered() -> None:
    assert fit_weights([]) == DELIVERED
    signals = (Signal("a", 1.0, "x"), Signal("b", -2.0, "y"))
    assert DELIVERED.apply(signals) == signals


def test_learned_weights_are_better_only_where_decisions_held_out_say_so() -> None:
    learned = learn_weights(made_choices(200, misled=True))
    assert learned.is_better
    assert (learned.right_before, learned.right_after, learned.decisions) == (0.0, 1.0, 200)
    misled, led = made_choices(1, misled=True), made_choices(1, misled=False)
    assert not learn_weights([*misled, *led] * 60).is_better  # the halves say the opposite of each other


def test_a_rejection_leaves_the_others_and_none_of_them_possible() -> None:
    signals = ((Signal("similar_name", 5.0, ""),), (Signal("label_begins", 4.0, ""),))
    rejections = [Choice(signals, (False, True), is_none=True)] * 100
    weights = fit_weights(rejections)
    assert weights.times["similar_name"] < 1.0
    assert weights.times["similar_name"] < weights.times["label_begins"]


def test_learned_weights_order_candidates_and_stand_in_their_signals() -> None:
    suggester = Suggester([Prospect(1, "Nordwind"), Prospect(2, "Wassermann Nord GmbH")])
    customer = ComparedCustomer("Nordwind", hosted=("wassermannnord.onmicrosoft.com",))
    before = suggester.suggest(customer, {})
    suggester.weights = Weights({"same_name": 0.1}, start=0.0)
    after = suggester.suggest(customer, {})
    assert ([one.account_id for one in before], [one.account_id for one in after]) == ([1, 2], [2, 1])
    assert after[1].signals[-1].weight == pytest.approx(0.95) or after[1].signals[0].weight == pytest.approx(0.95)
