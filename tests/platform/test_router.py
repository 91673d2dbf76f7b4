"""The router: the same ranking everywhere, shares by weight, and nobody moves without need."""

from __future__ import annotations

import math
import subprocess
import sys
from collections import Counter

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from mocks.platform.router import ranking

WEIGHTS = {"stripe": 60.0, "adyen": 40.0}


def test_the_first_gateway_is_chosen_by_weight() -> None:
    orders = 20_000
    first = Counter(ranking(f"order-{n}", 7, WEIGHTS)[0] for n in range(orders))
    # Five standard deviations of a binomial share.
    assert abs(first["stripe"] / orders - 0.6) < 5 * math.sqrt(0.6 * 0.4 / orders)


def test_the_seed_changes_the_choice_and_the_process_does_not() -> None:
    orders = [f"order-{n}" for n in range(200)]
    mine = [ranking(order, 7, WEIGHTS)[0] for order in orders]
    assert mine != [ranking(order, 8, WEIGHTS)[0] for order in orders]
    script = (
        "from mocks.platform.router import ranking\n"
        f"print(*[ranking(f'order-{{n}}', 7, {WEIGHTS!r})[0] for n in range(200)])"
    )
    other = subprocess.run(
        [sys.executable, "-c", script],
        env={"PYTHONHASHSEED": "5"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert other.stdout.split() == mine


@example("order", 7, {"idle": 0.0, "hardly": 5e-324})
@given(
    st.text(max_size=40),
    st.integers(),
    st.dictionaries(st.text(min_size=1, max_size=5), st.floats(0, 1e6), min_size=1, max_size=6),
)
def test_every_gateway_is_ranked_once_and_weight_nought_comes_last(
    order: str, seed: int, weights: dict[str, float]
) -> None:
    names = ranking(order, seed, weights)
    assert sorted(names) == sorted(weights)
    idle = [weights[name] == 0 for name in names]
    assert idle == sorted(idle)


@given(st.text(max_size=20), st.integers(0, 1000))
def test_taking_a_gateway_away_leaves_the_order_of_the_others(order: str, seed: int) -> None:
    weights = {"a": 3.0, "b": 2.0, "c": 1.0}
    names = ranking(order, seed, weights)
    for gone in weights:
        left = {name: weight for name, weight in weights.items() if name != gone}
        assert ranking(order, seed, left) == tuple(name for name in names if name != gone)


@pytest.mark.parametrize("weights", [{}, {"a": -1.0}, {"a": math.inf}, {"a": math.nan}])
def test_weights_that_mean_nothing_are_refused(weights: dict[str, float]) -> None:
    with pytest.raises(ValueError):
        ranking("order", 7, weights)
