"""One start of the load in one Locust process: its share of the plan, and the reports to Locust."""

from __future__ import annotations

from pathlib import Path

from locust.env import Environment

from journal.clock import SECOND, Clock
from journal.writer import Writer
from scenarios import share
from scenarios.arrivals import of_load
from scenarios.checkout import Checkout
from scenarios.customers import pools
from scenarios.player import Player
from scenarios.request_events import RequestEvents
from scenarios.schema import Scenario
from scenarios.wire import Wire

DEFAULT_TARGET = "http://127.0.0.1:12110"
"""The platform of ``paydrill mock``."""


class Session:
    """Plays one worker's share of a scenario's load, once.

    Args:
        environment: Gets a ``request`` event for every payment; its latency counts from the due time.
        scenario: What is played.
        epoch_ns: The first due time, as a reading of ``time.monotonic_ns()``.
        run: Prefix of the order ids.
        index, workers: Which share of the arrivals is this process's.
        journal: Folder of the journal, or ``None``.
    """

    def __init__(
        self,
        environment: Environment,
        scenario: Scenario,
        *,
        epoch_ns: int,
        run: str,
        index: int,
        workers: int,
        journal: Path | None,
    ) -> None:
        self._grace = scenario.load.timeout / SECOND
        self._finished = False
        clock = Clock(epoch_ns)
        self._events = RequestEvents(environment, clock)
        self._player = Player(
            checkout=Checkout(scenario.load, scenario.seed, pools(scenario.seed)),
            share=share.of(of_load(scenario.load, scenario.seed), index, workers),
            wire=Wire(environment.host or scenario.platform.url or DEFAULT_TARGET),
            clock=clock,
            writer=Writer(journal, f"load-{index}") if journal else None,
            run=run,
            timeout_ns=scenario.load.timeout,
            max_in_flight=max(1, scenario.load.max_in_flight // workers),
            on_done=self._events.take,
        )

    def play(self) -> None:
        """Play the share, to its end or until ``finish`` is called."""
        self._player.play()
        self.finish()

    def finish(self) -> None:
        """Let what is in flight end, within the customer's time-out, and close the journal."""
        if not self._finished:
            self._finished = True
            self._player.finish(self._grace)
            self._events.close()
