"""One run of a load that several workers play, as the master keeps it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import gevent

from journal.clock import SECOND, Clock
from journal.records import Mark, WorkerClock
from journal.writer import Writer
from scenarios.distributed.clock_offset import CLOCK_ERROR_NS
from scenarios.distributed.dealing import Dealing
from scenarios.distributed.loss import Loss, left_behind, recorded
from scenarios.distributed.messages import BEGIN, KEPT, STOP, TERMS
from scenarios.distributed.shipping import Batch, Receiver
from scenarios.locust_process import say
from scenarios.schema import Scenario

_CLOCK_EVERY_NS = 10 * SECOND
_END_NS = 15 * SECOND
"""How long after the last customer gave up a worker's journal may be on its way."""
_YIELD_EVERY = 500


class Newcomer(NamedTuple):
    """A worker that is ready to play."""

    worker: str
    host: str


@dataclass(slots=True)
class _Member:
    """What the master knows of one worker in this run. ``name`` is its load process's."""

    worker: str
    name: str
    host: str
    receiver: Receiver | None
    dealt_in: bool = False
    leaving: bool = False
    lost: bool = False
    batches: int | None = None
    full: bool = False
    clock_ns: int | None = None
    clock: WorkerClock | None = None

    @property
    def complete(self) -> bool:
        """Whether it has played, and all of its journal is here."""
        if self.batches is None:
            return False
        return self.receiver is None or self.receiver.number >= self.batches


class Run:
    """Deals one run's arrivals to its workers, and collects their journals.

    Args:
        scenario: What is played.
        run: The run's id.
        clock: The run's.
        folder: Of the journal, or ``None``.
        send: Sends a message with its data to a worker.
    """

    def __init__(
        self,
        scenario: Scenario,
        run: str,
        clock: Clock,
        folder: Path | None,
        send: Callable[[str, str, dict[str, Any]], None],
    ) -> None:
        self.id = run
        self._scenario = scenario
        self._clock = clock
        self._folder = folder
        self._send = send
        self._writer = Writer(folder, "load") if folder is not None else None
        self._members: dict[str, _Member] = {}
        self._dealing: Dealing | None = None
        self._told = 0
        self._stopped_ns: int | None = None
        self._closed = False
        self._complained = False

    @property
    def over(self) -> bool:
        """Whether nothing more is to be waited for."""
        return all(member.complete or member.lost for member in self._members.values())

    @property
    def deserted(self) -> bool:
        """Whether there is nobody left to play what is still to come."""
        dealing = self._dealing
        if dealing is None or self._stopped_ns is not None:
            return False
        return dealing.granted_ns < self._scenario.duration_ns and dealing.deserted(self._clock.now_ns())

    def begin(self, workers: Iterable[Newcomer]) -> None:
        """Let these workers begin."""
        for newcomer in workers:
            self._member(newcomer).dealt_in = True
        self._dealing = Dealing(self._members, self._clock.now_ns())
        for member in self._members.values():
            self._begin(member)
        self._tell()

    def join(self, newcomer: Newcomer) -> bool:
        """Let a worker begin that comes late; it is dealt in when it has passed over what was due before.
        Whether there is anything left for it."""
        dealing = self._dealing
        if dealing is None or self._closed or self._stopped_ns is not None:
            return False
        if newcomer.worker in self._members:
            return True
        if dealing.granted_ns >= self._scenario.duration_ns:
            return False
        self._begin(self._member(newcomer))
        self._send(newcomer.worker, TERMS, self._terms())
        return True

    def heard(self, worker: str, beat: dict[str, Any]) -> dict[str, Any]:
        """Take a worker's beat; returns the terms to answer with."""
        member, dealing = self._members.get(worker), self._dealing
        if member is None or dealing is None:
            return {}
        now_ns = self._clock.now_ns()
        self._alive(member, now_ns)
        if beat["caught_up"] and not member.dealt_in:
            member.dealt_in = True
            dealing.add(worker, now_ns)
            self._mark(member, f"joined, and plays from {_seconds(dealing.deals[-1].start_ns)} on")
        if beat["leaving"] and not member.leaving:
            member.leaving = True
            until_ns = dealing.retire(worker)
            self._mark(
                member, f"was told to end, and plays until {_seconds(until_ns)}{self._users_gone(worker)}"
            )
        if beat["full"] and not member.full:
            member.full = True
            self._mark(member, "held back arrivals, because the master did not keep up with its journal")
        member.batches = beat["batches"]
        self._take_clock(member, beat, now_ns)
        if member.complete:
            dealing.over(worker)
        return self._terms()

    def batch(self, worker: str, batch: Batch) -> None:
        """Take a batch of a worker's journal, and acknowledge what is in a file."""
        member = self._members.get(worker)
        if member is None or member.receiver is None or self._closed:
            return
        self._alive(member, self._clock.now_ns())
        try:
            number = member.receiver.take(batch)
        except OSError as error:
            self._complain(error)
            return
        self._send(worker, KEPT, {"run": self.id, "number": number})

    def look(self) -> None:
        """Look after the workers; to be called a few times a second."""
        assert self._dealing is not None
        now_ns = self._clock.now_ns()
        for worker in self._dealing.look(now_ns):
            member = self._members[worker]
            if not member.complete:
                member.lost = True
                deal = self._dealing.deals[-1]
                share = f"; its share is the others' from {_seconds(deal.start_ns)} on"
                self._mark(
                    member,
                    "was silent and is taken for lost"
                    + ("" if worker in deal.workers else share)
                    + self._users_gone(worker),
                )
        if now_ns > self._scenario.duration_ns + self._scenario.load.timeout + _END_NS:
            self.give_up()
        if len(self._dealing.deals) != self._told:
            self._tell()
        self._flush()

    def stop(self) -> None:
        """End the run now."""
        if self._stopped_ns is None and not self._closed:
            self._stopped_ns = self._clock.now_ns()
            for worker in self._members:
                self._send(worker, STOP, {"run": self.id})

    def give_up(self) -> None:
        """Wait no longer for who is not over."""
        for member in self._members.values():
            if not member.complete and not member.lost:
                member.lost = True
                has = 0 if member.receiver is None else member.receiver.number
                of = "an unknown number" if member.batches is None else str(member.batches)
                self._mark(member, f"did not come to its end: {has} of {of} batches of its journal came")

    def close(self) -> None:
        """Write what is known of the end, and end the journal's files."""
        if self._closed:
            return
        self._closed = True
        for member in self._members.values():
            if member.receiver is not None:
                try:
                    member.receiver.close()
                except OSError as error:
                    self._complain(error)
        if self._writer is not None:
            try:
                self._record_losses()
                for member in self._members.values():
                    if member.clock is not None:
                        self._writer.write(member.clock)
                self._writer.close()
            except OSError as error:
                self._complain(error)

    def _member(self, newcomer: Newcomer) -> _Member:
        name = f"load-{len(self._members)}"
        receiver = Receiver(self._folder, name) if self._folder is not None else None
        member = self._members[newcomer.worker] = _Member(newcomer.worker, name, newcomer.host, receiver)
        return member

    def _begin(self, member: _Member) -> None:
        self._send(
            member.worker,
            BEGIN,
            {
                "run": self.id,
                "epoch_ns": self._clock.epoch_ns,
                "place": int(member.name.rpartition("-")[2]),
                "ship": self._folder is not None,
            },
        )

    def _terms(self) -> dict[str, Any]:
        assert self._dealing is not None
        deals = [[deal.start_ns, list(deal.workers)] for deal in self._dealing.deals]
        return {"run": self.id, "granted_ns": self._dealing.granted_ns, "deals": deals}

    def alive(self, worker: str) -> None:
        """A worker gave a sign of life."""
        if worker in self._members:
            self._alive(self._members[worker], self._clock.now_ns())

    def _alive(self, member: _Member, now_ns: int) -> None:
        assert self._dealing is not None
        if self._dealing.heard(member.worker, now_ns):
            member.lost = False
            self._mark(member, f"was heard of again, and plays from {_seconds(self._dealing.granted_ns)} on")

    def _tell(self) -> None:
        assert self._dealing is not None
        self._told = len(self._dealing.deals)
        terms = self._terms()
        for worker in self._members:
            self._send(worker, TERMS, terms)

    def _take_clock(self, member: _Member, beat: dict[str, Any], now_ns: int) -> None:
        first = member.clock_ns is None
        clock = WorkerClock(
            member.name, member.host, now_ns, beat["one_clock"], beat["shift_ns"], beat["error_ns"]
        )
        member.clock = clock
        if first or now_ns - (member.clock_ns or 0) >= _CLOCK_EVERY_NS:
            member.clock_ns = now_ns
            member.clock = None
            if self._writer is not None:
                self._writer.write(clock)
        if first and clock.error_ns > CLOCK_ERROR_NS:
            self._mark(
                member,
                f"its clock is known to {clock.error_ns / 1e6:.0f} ms only: its times do not compare with "
                "those of other hosts (a payment's latency is measured on one clock, and does)",
            )

    def _record_losses(self) -> None:
        assert self._writer is not None and self._folder is not None and self._dealing is not None
        gone = {m.worker: m for m in self._members.values() if m.lost or m.leaving}
        if not gone:
            return
        until_ns = self._scenario.duration_ns if self._stopped_ns is None else self._stopped_ns
        until_ns = min(until_ns, self._dealing.granted_ns)
        journals = {worker: recorded(self._folder, member.name, self.id) for worker, member in gone.items()}
        known = {worker: payments for worker, (payments, _) in journals.items()}
        loss = Loss(self._scenario, self.id)
        counts = dict.fromkeys(gone, 0)
        for worker, number, due_ns in left_behind(loss.times(), self._dealing.deals, until_ns, known):
            member = gone[worker]
            if member.lost:
                sent = number in journals[worker][1]
                self._writer.write(loss.of_lost(number, due_ns, member.name, sent))
            else:
                self._writer.write(loss.of_left(number, due_ns, member.name))
            counts[worker] += 1
            if counts[worker] % _YIELD_EVERY == 0:
                gevent.sleep(0)
        for worker, count in counts.items():
            if count:
                self._mark(gone[worker], f"left {count:,} payments of its share behind")

    def _users_gone(self, worker: str) -> str:
        """What is said of the users of a worker that is gone: they stay where they were dealt first."""
        assert self._dealing is not None
        users, first = self._scenario.load.users, self._dealing.deals[0].workers
        if users is None or worker not in first:
            return ""
        count = len(range(first.index(worker), users.count, len(first)))
        return f"; its {count:,} users are gone with it"

    def _mark(self, member: _Member, text: str) -> None:
        said = f"{member.name} ({member.host}) {text}"
        say(said)
        if self._writer is not None:
            self._writer.write(Mark(self._clock.now_ns(), "worker", member.name, text))

    def _flush(self) -> None:
        if self._writer is not None:
            try:
                self._writer.flush()
            except OSError as error:
                self._complain(error)

    def _complain(self, error: OSError) -> None:
        if not self._complained:
            self._complained = True
            say(f"the journal cannot be written: {error}; still trying")


def _seconds(ns: int) -> str:
    return f"{ns / SECOND:.3f} s"
