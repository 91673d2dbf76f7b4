"""A worker's part in one run: its share as the master deals it, and its journal on the way to the master."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gevent
import gevent.event
from locust.env import Environment

from journal.clock import Clock
from scenarios.arrivals import of_load
from scenarios.distributed.clock_offset import Offset
from scenarios.distributed.messages import BATCH
from scenarios.distributed.shipping import Shipper
from scenarios.locust_process import say
from scenarios.schema import Scenario
from scenarios.session import Session
from scenarios.share import EVER, Share

_PASS_OVER = 20_000
"""Arrivals that are passed over in a row by a worker that joins late."""


class Part:
    """Plays what the master deals to this worker, once.

    Args:
        environment: Locust's.
        scenario: What is played.
        target: URL of the platform.
        worker: This worker's id.
        run: The run's id.
        place: Number of the load process.
        ship: Whether the master wants the journal.
        epoch_ns: Time zero on the master's clock.
        offset: The master's clock minus this worker's; ``None`` if they are one clock.
        send: Sends a message to the master.
        now_ns: This worker's clock.
    """

    def __init__(
        self,
        environment: Environment,
        scenario: Scenario,
        target: str,
        *,
        worker: str,
        run: str,
        place: int,
        ship: bool,
        epoch_ns: int,
        offset: Offset | None,
        send: Callable[[str, dict[str, Any]], None],
        now_ns: Callable[[], int],
    ) -> None:
        self.run = run
        self.leaving = False
        self.played = False
        self._worker = worker
        self._offset = offset
        self._known_deals = 0
        self._full_told = False
        self._share = Share(of_load(scenario.load, scenario.seed), granted_ns=-EVER)
        self._told = gevent.event.Event()
        self._caught_up = gevent.event.Event()
        self.shipper = (
            Shipper(
                f"load-{place}",
                lambda batch: send(BATCH, {"run": run, **batch._asdict()}),
                now_ns,
            )
            if ship
            else None
        )
        self._session = Session(
            environment,
            scenario,
            target=target,
            clock=Clock(epoch_ns - (offset.offset_ns if offset is not None else 0)),
            run=run,
            share=self._share,
            workers=1,
            recorder=self.shipper,
        )

    @property
    def over(self) -> bool:
        """Whether everything was played and is with the master."""
        return self.played and (self.shipper is None or self.shipper.empty)

    def play(self) -> None:
        """Play until the share is over, or ``stop``."""
        self._told.wait()
        while not self._share.pass_over(_PASS_OVER):
            gevent.sleep(0)
        self._caught_up.set()
        self._session.play()
        self.played = True

    def leave(self) -> None:
        """Play what was granted, and begin nothing more."""
        self.leaving = True
        self._session.end_users()

    def stop(self) -> None:
        """End: what is in flight ends, or is recorded as unknown."""
        self._told.set()
        self._session.finish()

    def follow(self, granted_ns: int, deals: Sequence[tuple[int, Sequence[str]]]) -> None:
        """Take the master's terms: what is dealt to whom, and until when it may be taken."""
        if not self._known_deals and self._worker in deals[0][1]:
            # Users stay where they were dealt first: what they did before is known only there.
            self._session.take_users(deals[0][1].index(self._worker), len(deals[0][1]))
        for start_ns, workers in deals[self._known_deals :]:
            self._deal(start_ns, workers)
        self._known_deals = max(self._known_deals, len(deals))
        start_ns, workers = deals[-1]
        if self.leaving and self._worker not in workers:
            self._share.end(start_ns)
        if self.shipper is not None and self.shipper.full:
            if not self._full_told:
                say(f"the master does not keep up: {self.shipper.kept_bytes:,} bytes wait for it")
            self._full_told = True
        else:
            self._share.grant(granted_ns)
        self._session.reshared(len(workers))
        self._told.set()

    def kept(self, number: int) -> None:
        """The master has the batches up to this one."""
        if self.shipper is not None:
            self.shipper.acknowledged(number)

    def beat(self, offset: Offset | None) -> dict[str, Any]:
        """What a beat says of this part, with the newest reckoning of the clocks."""
        if self.shipper is not None:
            self.shipper.send_again()
        shift_ns, error_ns = 0, 0
        if self._offset is not None and offset is not None:
            shift_ns, error_ns = offset.offset_ns - self._offset.offset_ns, offset.error_ns
        batches = self.shipper.batches if self.shipper is not None else 0
        return {
            "run": self.run,
            "caught_up": self._caught_up.is_set(),
            "leaving": self.leaving,
            "batches": batches if self.played else None,
            "one_clock": self._offset is None,
            "shift_ns": shift_ns,
            "error_ns": error_ns,
            "full": self._full_told,
        }

    def _deal(self, start_ns: int, workers: Sequence[str]) -> None:
        index = workers.index(self._worker) if self._worker in workers else None
        self._share.reshard(start_ns, index, max(1, len(workers)))
