"""Whatever happened before a mock was killed: after a restart everything is as it was."""

from __future__ import annotations

import itertools
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mocks.gateways import GATEWAYS
from mocks.gateways.gateway import Gateway
from mocks.gateways.recorder import Recorder
from mocks.latency import Latency
from mocks.state import StateFile
from tests.state.traffic import TRAFFIC, GoCardlessTraffic

DAY = 86_400
steps = st.lists(
    st.one_of(
        st.tuples(st.integers(0, 9), st.integers(0, 9), st.sampled_from(["", "", "a", "b", "c", "d"])),
        st.sampled_from([1.0, 3600.0, 1.5 * DAY, 8.0 * DAY, 40.0 * DAY]),
        st.just("kill"),
    ),
    min_size=1,
    max_size=25,
)


class Life:
    """A gateway with a state file, in one process after another."""

    def __init__(self, kind: str, path: Path) -> None:
        self.kind = kind
        self.path = path
        self._open: StateFile
        self.gateway = self.born()

    def born(self) -> Gateway:
        self.gateway = GATEWAYS[self.kind].make(self.kind, Latency(0, 0), 7)
        self._open = StateFile(self.path, {"gateway": self.kind})
        Recorder(self.gateway, self._open, lambda: pytest.fail("the file could not be written")).start([])
        return self.gateway

    def killed(self) -> None:
        """Nothing is flushed, nothing is told: as the kernel does to what was killed, the file is closed."""
        os.close(self._open._file)


@pytest.mark.parametrize("kind", GATEWAYS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(steps=steps)
def test_everything_is_as_it_was(kind: str, steps: list[tuple[int, int, str] | float | str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        life = Life(kind, Path(folder) / "state")
        try:
            traffic = TRAFFIC[kind](life.gateway)
            for step in [*steps, "kill"]:
                if isinstance(step, tuple):
                    traffic.act(step[0] % traffic.ACTS, step[1], step[2])
                elif isinstance(step, float):
                    life.gateway.mock_clock.advance(step)
                    traffic.sign_in()
                else:
                    before, now = traffic.everything(), life.gateway.mock_clock.now()
                    life.killed()
                    traffic.gateway = life.born()
                    assert traffic.everything() == before
                    assert 0 <= life.gateway.mock_clock.now() - now < 60
            first = traffic.replayed()
            if not any(isinstance(step, float) for step in steps):  # no key has expired
                assert traffic.everything() == before
                if kind in ("stripe", "adyen"):  # the others answer replays in words of their own
                    assert first == {key: seen for key, (_, seen) in traffic.replies.items()}
            again, before = traffic.replayed(), traffic.everything()
            life.killed()
            traffic.gateway = life.born()
            assert traffic.replayed() == again
            assert traffic.everything() == before
        finally:
            life.killed()


def test_debits_that_time_settles_do_so_again_one_by_one(tmp_path: Path) -> None:
    """However late in a look at the clock the time of one comes."""
    gateway = GATEWAYS["gocardless"].make("gocardless", Latency(0, 0), 7)
    readings = itertools.count()
    gateway.mock_clock.run_by(lambda: 1.8e9 + next(readings) / 64)
    path = tmp_path / "state"
    file = StateFile(path, {})
    Recorder(gateway, file, lambda: pytest.fail("the file could not be written")).start([])
    traffic = GoCardlessTraffic(gateway)
    customer = traffic.post("customers", {"given_name": "Successful", "family_name": "x"})
    account = {"account_holder_name": "x", "iban": "DE89370400440532013000"}
    bank = traffic.post("customer_bank_accounts", account | {"links": {"customer": customer}})
    mandate = traffic.post("mandates", {"links": {"customer_bank_account": bank}})
    for number in range(12):
        asked = {"amount": 1000 + number, "currency": "EUR", "links": {"mandate": mandate}}
        traffic.post("payments", asked)
        for _ in range(number % 3):
            gateway.mock_clock.now()
    while len(gateway.ledger) < 36:
        assert gateway.mock_clock.fire_due() <= 2, "the debits were to come one by one"
    os.close(file._file)

    anew = GATEWAYS["gocardless"].make("gocardless", Latency(0, 0), 7)
    file = StateFile(path, {})
    Recorder(anew, file, lambda: pytest.fail("the file could not be written")).start([])
    os.close(file._file)
    assert [row._replace(at_ns=0) for row in anew.ledger] == [row._replace(at_ns=0) for row in gateway.ledger]
