"""One start of the load in one Locust process: its share of the plan, and the reports to Locust."""

from __future__ import annotations

from locust.env import Environment

from journal.clock import SECOND, Clock
from journal.writer import Recorder
from scenarios.checkout import Checkout
from scenarios.closed_loop import ClosedLoop
from scenarios.customers import pools
from scenarios.player import Player
from scenarios.request_events import RequestEvents
from scenarios.schema import Scenario
from scenarios.share import Share
from scenarios.wire import Wire


class Session:
    """Plays one worker's share of a scenario's load, once.

    Args:
        environment: Gets a ``request`` event for every payment; its latency counts from the due time.
        scenario: What is played.
        target: URL of the platform.
        clock: The run's.
        run: Prefix of the order ids.
        share: Which arrivals are this process's.
        workers: Among how many the payments that may be in flight are divided.
        recorder: Takes the records, or ``None``.
    """

    def __init__(
        self,
        environment: Environment,
        scenario: Scenario,
        *,
        target: str,
        clock: Clock,
        run: str,
        share: Share,
        workers: int,
        recorder: Recorder | None,
    ) -> None:
        load = scenario.load
        checkout = Checkout(load, scenario.seed, pools(scenario.seed))
        read_timeout = load.read_timeout
        wire = Wire(
            target,
            connect_timeout=load.connect_timeout / SECOND,
            read_timeout=None if read_timeout is None else read_timeout / SECOND,
        )
        self._grace = load.timeout / SECOND
        self._most_in_flight = scenario.load.max_in_flight
        self._finished = False
        self._events = RequestEvents(environment)
        self._player = Player(
            checkout=checkout,
            share=share,
            wire=wire,
            clock=clock,
            writer=recorder,
            run=run,
            timeout_ns=scenario.load.timeout,
            max_in_flight=max(1, scenario.load.max_in_flight // workers),
            on_done=self._events.take,
        )
        self._closed_loop = (
            ClosedLoop(
                environment,
                load.users,
                end_ns=load.users_end_ns,
                seed=scenario.seed,
                checkout=checkout,
                wire=wire,
                clock=clock,
                recorder=recorder,
                run=run,
                timeout_ns=load.timeout,
                tally=self._player.tally,
            )
            if load.users is not None
            else None
        )

    def play(self) -> None:
        """Play the share, to its end or until ``finish`` is called."""
        self._player.play()
        if self._closed_loop is not None:
            self._closed_loop.join()
        self.finish()

    def take_users(self, index: int, workers: int) -> None:
        """Let the users with ``number % workers == index`` live here; called once, before ``play``."""
        if self._closed_loop is not None:
            self._closed_loop.start(index, workers)

    def end_users(self) -> None:
        """Let the users begin nothing any more."""
        if self._closed_loop is not None:
            self._closed_loop.end()

    def reshared(self, workers: int) -> None:
        """The share was granted more, or was dealt anew among so many workers."""
        self._player.max_in_flight = max(1, self._most_in_flight // max(1, workers))
        self._player.wake()

    def finish(self) -> None:
        """Let what is in flight end, within the customer's time-out, and close the journal."""
        if not self._finished:
            self._finished = True
            if self._closed_loop is not None:
                self._closed_loop.finish(self._grace)
            self._player.finish(self._grace)
            self._events.close()
