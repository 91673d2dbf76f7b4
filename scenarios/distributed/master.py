"""The load of a Locust master: it plays nothing, and looks after the workers."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import gevent
from locust.env import Environment
from locust.exception import RPCError

from journal.clock import SECOND, Clock
from scenarios.agreement import Agreement
from scenarios.distributed.handshake import (
    Fingerprint,
    Planned,
    another_plan,
    clock_id,
    disagreement,
    fingerprint,
    planned,
)
from scenarios.distributed.messages import (
    BATCH,
    BEAT,
    HELLO,
    PREPARE,
    PREPARED,
    REFUSED,
    TERMS,
    WELCOME,
)
from scenarios.distributed.run import Newcomer, Run
from scenarios.distributed.shipping import Batch
from scenarios.file_limit import files_of_worker
from scenarios.in_flight import most_waiting
from scenarios.locust_process import (
    ENVIRONMENT_BROKE,
    end_run,
    guarded,
    leave,
    read_scenario,
    say,
    target_of,
)
from scenarios.schema import Scenario

_LOOK_EVERY = 0.25
"""Seconds between two looks after the workers."""

_STOP = 4.0
"""Seconds that the workers may take to end a run that is stopped, besides what their customers may."""

_PREPARE = 60.0
"""Seconds that the workers may take to get ready for a scenario that was chosen in the web UI."""


@dataclass(slots=True)
class _Peer:
    """A worker that said hello. ``ready`` is the digest of the plan that it is ready for."""

    worker: str
    host: str
    ready: str = ""


class Master:
    """Looks after the workers of one Locust master process."""

    def __init__(self, environment: Environment, paydrill: str) -> None:
        self._environment = environment
        self._runner = cast(Any, environment.runner)
        self._agreement = Agreement()
        self._fingerprint = fingerprint(paydrill)
        self._peers: dict[str, _Peer] = {}
        self._refused: dict[str, str] = {}
        self._scenario: Scenario | None = None
        self._planned: Planned | None = None
        self._files = 0
        self._told: tuple[int, int] | None = None
        self._run: Run | None = None
        self._watching: gevent.Greenlet | None = None
        for message, handler in (
            (HELLO, self._on_hello),
            (PREPARED, self._on_prepared),
            (BEAT, self._on_beat),
            (BATCH, self._on_batch),
        ):
            self._runner.register_message(message, self._taken(handler))
        if environment.web_ui is None:
            guarded(environment, self._plan)

    def start(self) -> None:
        """Wait for the workers, agree on the epoch, and let them begin."""
        guarded(self._environment, self._start)

    def stop(self) -> None:
        """End the run, if one is on: what is in flight ends, and every journal comes in."""
        run = self._run
        if run is None:
            return
        run.stop()
        assert self._scenario is not None
        deadline = time.monotonic() + self._scenario.load.timeout / SECOND + _STOP
        while not run.over and time.monotonic() < deadline:
            run.look()
            gevent.sleep(_LOOK_EVERY / 5)
        run.give_up()
        self._close(run)

    def quit(self) -> None:
        """This process was told to end."""
        self.stop()

    def wait(self) -> None:
        """Wait until the run is over."""
        if self._watching is not None:
            self._watching.join()

    def _plan(self) -> None:
        scenario = read_scenario(self._environment)
        if self._scenario != scenario or self._planned is None:
            self._planned = planned(scenario)
            self._scenario = scenario
            self._files = self._files_of_worker(scenario)
            for peer in self._peers.values():
                self._prepare(peer)

    @property
    def _expected(self) -> int:
        """Workers that are waited for before the start."""
        options: Any = self._environment.parsed_options
        return 1 if self._environment.web_ui is not None else max(1, options.expect_workers)

    def _files_of_worker(self, scenario: Scenario) -> int:
        """What a worker must be able to open; 0 with the web UI, where nobody says how many will come."""
        if self._environment.web_ui is not None:
            return 0
        waiting = most_waiting(scenario.load, scenario.seed)
        return files_of_worker(scenario.load, waiting, self._expected)

    def _start(self) -> None:
        environment = self._environment
        options: Any = environment.parsed_options
        self._plan()
        self._wait_for_workers(self._expected)
        epoch_ns, run = self._agreement.agree(lambda: leave(environment))
        assert self._scenario is not None
        folder = Path(options.journal) if options.journal else None
        self._run = Run(self._scenario, run, Clock(epoch_ns), folder, self._send)
        self._run.begin(Newcomer(peer.worker, peer.host) for peer in self._ready())
        self._watching = gevent.spawn(self._watch, self._run)

    def _wait_for_workers(self, expected: int) -> None:
        """Wait until so many workers are ready, and with the web UI until all that are there are."""
        self._tell(expected)
        deadline = time.monotonic() + _PREPARE
        while len(self._ready()) < expected or (
            self._environment.web_ui is not None
            and len(self._ready()) < len(self._peers)
            and time.monotonic() < deadline
        ):
            gevent.sleep(0.05)
            self._tell(expected)

    def _tell(self, expected: int) -> None:
        told = (len(self._ready()), len(self._refused))
        if told != self._told:
            self._told = told
            hosts = [peer.host for peer in self._ready()]
            self._agreement.tell(
                "workers", {"ready": hosts, "expected": expected, "refused": list(self._refused.values())}
            )

    def _watch(self, run: Run) -> None:
        while not run.over:
            gevent.sleep(_LOOK_EVERY)
            run.look()
            if run.deserted:
                say("every worker was lost or has left before the load had ended")
                self._close(run)
                gevent.spawn(leave, self._environment, ENVIRONMENT_BROKE)
                return
        if self._run is run:
            self._close(run)
            gevent.spawn(self._end)

    def _close(self, run: Run) -> None:
        if self._run is run:
            self._run = None
        run.close()

    def _end(self) -> None:
        self._agreement.tell("done", {})
        end_run(self._environment)

    def _ready(self) -> list[_Peer]:
        """The workers that are ready for the plan, in the order in which they came."""
        if self._planned is None:
            return []
        there = self._runner.clients
        return [p for p in self._peers.values() if p.ready == self._planned.digest and p.worker in there]

    def _on_hello(self, worker: str, data: dict[str, Any]) -> None:
        if worker in self._refused:
            return
        why = disagreement(Fingerprint(*data["fingerprint"]), self._fingerprint)
        if why:
            self._refuse(worker, data["host"], why)
            return
        one_clock = bool(data["clock"]) and data["clock"] == clock_id()
        self._send(worker, WELCOME, {"one_clock": one_clock})
        if worker not in self._peers:
            self._peers[worker] = _Peer(worker, data["host"])
            if self._planned is not None:
                self._prepare(self._peers[worker])

    def _prepare(self, peer: _Peer) -> None:
        assert self._scenario is not None
        target = target_of(self._environment, self._scenario)
        self._send(
            peer.worker,
            PREPARE,
            {"scenario": self._scenario.to_plain(), "target": target, "files": self._files},
        )

    def _on_prepared(self, worker: str, data: dict[str, Any]) -> None:
        peer = self._peers.get(worker)
        if peer is None or self._planned is None:
            return
        why = data["problem"]
        if not why and data["asked"] is not None:
            why = _other_scenario(Planned(*data["asked"]), self._planned)
        if not why:
            why = another_plan(Planned(*data["planned"]), self._planned)
        if why:
            self._refuse(worker, peer.host, why)
            return
        peer.ready = self._planned.digest
        self._tell(self._expected)
        if self._run is not None and not self._run.join(Newcomer(worker, peer.host)):
            say(f"a worker on {peer.host} came when the load had ended")

    def _on_beat(self, worker: str, data: dict[str, Any]) -> None:
        received_ns = time.monotonic_ns()
        run = self._run
        terms: dict[str, Any] = {}
        if run is not None and data["run"] == run.id:
            terms = run.heard(worker, data)
        elif run is not None:
            run.alive(worker)
        readings = {
            "sent_ns": data["sent_ns"],
            "received_ns": received_ns,
            "answered_ns": time.monotonic_ns(),
        }
        self._send(worker, TERMS, {**terms, **readings})

    def _on_batch(self, worker: str, data: dict[str, Any]) -> None:
        run = self._run
        if run is not None and data["run"] == run.id:
            run.batch(worker, Batch(data["number"], data["table"], data["data"]))

    def _refuse(self, worker: str, host: str, why: str) -> None:
        self._peers.pop(worker, None)
        self._refused[worker] = f"a worker on {host} was refused: {why}"
        self._tell(self._expected)
        say(self._refused[worker])
        self._send(worker, REFUSED, {"why": why})
        self._forget(worker)

    def _forget(self, worker: str) -> None:
        """Let Locust know nothing of a worker: its master ends when the last one that it knows of quits."""
        node = self._runner.clients.pop(worker, None)
        if node is not None and self._runner._users_dispatcher is not None:
            self._runner._users_dispatcher.remove_worker(node)

    def _send(self, worker: str, message: str, data: dict[str, Any]) -> None:
        try:
            self._runner.send_message(message, data, client_id=worker)
        except RPCError as error:
            say(f"a worker could not be told: {error}")

    def _taken(self, handler: Callable[[str, dict[str, Any]], None]) -> Callable[..., None]:
        return lambda environment, msg, **_: handler(msg.node_id, msg.data)


def _other_scenario(asked: Planned, master: Planned) -> str:
    """Why what a worker was started with is not what the master plays; empty if it is."""
    if asked.digest == master.digest:
        return ""
    return (
        f"the worker was started with the scenario {asked.scenario} ({asked.digest}), the master plays "
        f"{master.scenario} ({master.digest})"
    )
