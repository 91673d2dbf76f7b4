"""Any calls in any order, keys sent again among them: no replay moves money, and the sums of the ledger hold."""

from __future__ import annotations

from collections import defaultdict

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from mocks.gateways import GATEWAYS
from mocks.latency import Latency
from tests.state.traffic import TRAFFIC


def _machine(kind: str) -> type[RuleBasedStateMachine]:
    class Shopping(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.gateway = GATEWAYS[kind].make(kind, Latency(0, 0), 3)
            self.traffic = TRAFFIC[kind](self.gateway)
            self.keys = 0

        @rule(which=st.integers(0, 9), value=st.integers(0, 9))
        def call(self, which: int, value: int) -> None:
            self.keys += 1
            self.traffic.act(which % self.traffic.ACTS, value, f"key-{self.keys}")

        @rule(seconds=st.sampled_from([1, 60, 3600]))
        def wait(self, seconds: int) -> None:
            self.gateway.mock_clock.advance(seconds)

        @rule(one=st.integers(0, 99), other=st.integers(0, 99))
        def send_another_request_under_a_used_key(self, one: int, other: int) -> None:
            """What was sent under one key, under the key of another request to the same place."""
            sent = list(self.traffic.replies.items())
            if not sent or self.gateway.mock_clock.ahead > 3600:
                return
            key, ((_, target, _), _) = sent[one % len(sent)]
            alike = [request for _, (request, _) in sent if request[1] == target]
            method, target, body = alike[other % len(alike)]
            moved = len(self.gateway.ledger)
            self.traffic.call(method, target, body, key)
            assert len(self.gateway.ledger) == moved

        @rule()
        def replay_all(self) -> None:
            moved = len(self.gateway.ledger)
            first = self.traffic.replayed()
            assert self.traffic.replayed() == first
            assert len(self.gateway.ledger) == moved

        @invariant()
        def sums_hold(self) -> None:
            captured: dict[str, int] = {}
            refunded: defaultdict[str, int] = defaultdict(int)
            for movement in self.gateway.ledger:
                if movement.kind == "capture":
                    assert movement.reference not in captured
                    captured[movement.reference] = movement.amount_minor
                elif movement.kind == "refund":
                    refunded[movement.parent] += movement.amount_minor
            for reference, amount in refunded.items():
                assert 0 <= amount <= captured[reference]

        def teardown(self) -> None:
            self.gateway.close()
            self.gateway.mock_clock.clear()

    return Shopping


@pytest.mark.parametrize("kind", TRAFFIC)
def test_replays_move_nothing_and_sums_hold(kind: str) -> None:
    run_state_machine_as_test(
        _machine(kind), settings=settings(max_examples=15, stateful_step_count=30, deadline=None)
    )
