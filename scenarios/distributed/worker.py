"""The load of a Locust worker: it plays what the master deals to it."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Callable
from typing import Any, cast
from urllib.parse import urlsplit

import gevent
from locust.env import Environment
from locust.exception import RPCError
from pydantic import ValidationError

from journal.clock import SECOND
from scenarios.distributed.clock_offset import ClockOffset, offset_of
from scenarios.distributed.handshake import Planned, clock_id, fingerprint, planned
from scenarios.distributed.messages import (
    BEAT,
    BEGIN,
    HELLO,
    KEPT,
    PREPARE,
    PREPARED,
    REFUSED,
    STOP,
    TERMS,
    WELCOME,
)
from scenarios.distributed.part import Part
from scenarios.file_limit import raise_file_limit, too_few_files
from scenarios.locust_process import (
    ENVIRONMENT_BROKE,
    USAGE,
    guarded,
    leave,
    read_scenario,
    say,
    was_asked_for,
)
from scenarios.schema import Scenario

BEAT_EVERY = 0.5
"""Seconds between two signs of life."""

MASTER_GONE_NS = 10 * SECOND
"""A worker that was welcome and has not been answered for so long ends itself. It takes no more arrivals much
earlier, when its grant has run out."""

_EXCHANGES = 8
"""Readings of the master's clock before a worker says that it is ready."""

_LEAVE = 20.0
"""Seconds that a worker which was told to end may take, beside what is in flight, to play what it was granted
and to ship its journal."""


class Worker:
    """Follows the master of one Locust worker process."""

    def __init__(self, environment: Environment, paydrill: str) -> None:
        self._environment = environment
        self._runner = cast(Any, environment.runner)
        self._fingerprint = fingerprint(paydrill)
        self._offset = ClockOffset()
        self._one_clock = False
        self._exchanges = 0
        self._welcome = False
        self._asked: Planned | None = None
        self._scenario: Scenario | None = None
        self._target = ""
        self._part: Part | None = None
        self._playing: gevent.Greenlet | None = None
        self._answered_ns = time.monotonic_ns()
        for message, handler in (
            (WELCOME, self._on_welcome),
            (REFUSED, self._on_refused),
            (PREPARE, self._on_prepare),
            (BEGIN, self._on_begin),
            (TERMS, self._on_terms),
            (KEPT, self._on_kept),
            (STOP, self._on_stop),
        ):
            self._runner.register_message(message, self._taken(handler))
        if guarded(environment, self._plan_what_was_asked):
            gevent.spawn(self._live)

    def start(self) -> None:
        """Locust's start: the master says by a message of its own when to begin."""

    def stop(self) -> None:
        """Locust stops: what is in flight ends. Nothing waits for it here, in the greenlet that receives."""
        if self._part is not None:
            gevent.spawn(self._part.stop)

    def quit(self) -> None:
        """This process was told to end: leave in an orderly way, if the master still listens."""
        part = self._part
        if part is None:
            return
        if not self._runner.greenlet:
            part.stop()
            return
        part.leave()
        timeout = self._scenario.load.timeout / SECOND if self._scenario is not None else 0
        with contextlib.suppress(gevent.Timeout), gevent.Timeout(timeout + _LEAVE):
            while not part.over and self._runner.greenlet:
                self._beat()
                gevent.sleep(BEAT_EVERY / 2)
        if not part.over:
            part.stop()

    def wait(self) -> None:
        """Wait until this worker's share has been played."""
        if self._playing is not None:
            self._playing.join()

    def _plan_what_was_asked(self) -> None:
        if was_asked_for(self._environment):
            self._asked = planned(read_scenario(self._environment))

    def _live(self) -> None:
        while not self._welcome:
            self._send(
                HELLO,
                {"fingerprint": list(self._fingerprint), "host": socket.gethostname(), "clock": clock_id()},
            )
            gevent.sleep(BEAT_EVERY)
        while True:
            self._beat()
            gevent.sleep(BEAT_EVERY)
            silent = time.monotonic_ns() - self._answered_ns
            if silent > MASTER_GONE_NS:
                say(f"the master has not answered for {silent / SECOND:.0f} s: this worker ends")
                gevent.spawn(leave, self._environment, ENVIRONMENT_BROKE)
                return

    def _beat(self) -> None:
        part = self._part
        more = part.beat(self._offset.best) if part is not None else {"run": ""}
        self._send(BEAT, {**more, "sent_ns": time.monotonic_ns()})

    def _on_welcome(self, data: dict[str, Any]) -> None:
        self._welcome = True
        self._one_clock = data["one_clock"]
        self._answered_ns = time.monotonic_ns()

    def _on_refused(self, data: dict[str, Any]) -> None:
        self._welcome = True
        say(f"refused by the master: {data['why']}")
        gevent.spawn(leave, self._environment, USAGE)

    def _on_prepare(self, data: dict[str, Any]) -> None:
        gevent.spawn(self._prepare, data["scenario"], data["target"], data["files"])

    def _prepare(self, scenario: dict[str, Any], target: str, files: int) -> None:
        problem = ""
        plan: Planned | None = None
        try:
            self._scenario = Scenario.model_validate(scenario)
            self._target = target
            plan = planned(self._scenario)
        except ValueError as error:
            problem = f"it cannot read the master's scenario: {_first(error)}"
        problem = problem or too_few_files(files, raise_file_limit()) or _unreachable(target)
        while self._exchanges < _EXCHANGES and not problem:
            self._beat()
            gevent.sleep(0.02)
        self._send(
            PREPARED,
            {
                "planned": list(plan) if plan is not None else None,
                "asked": list(self._asked) if self._asked is not None else None,
                "problem": problem,
            },
        )

    def _on_begin(self, data: dict[str, Any]) -> None:
        if self._scenario is None or (self._part is not None and self._part.run == data["run"]):
            return
        offset = self._offset.best
        self._part = Part(
            self._environment,
            self._scenario,
            self._target,
            worker=self._runner.client_id,
            run=data["run"],
            place=data["place"],
            ship=data["ship"],
            epoch_ns=data["epoch_ns"],
            offset=None if self._one_clock else offset,
            send=self._send,
            now_ns=time.monotonic_ns,
        )
        self._answered_ns = time.monotonic_ns()
        self._playing = gevent.spawn(self._play, self._part)

    def _play(self, part: Part) -> None:
        part.play()
        # Locust's statistics first: the master may end when it knows that all was played.
        with contextlib.suppress(RPCError):
            self._runner._send_stats()
        self._beat()

    def _on_terms(self, data: dict[str, Any]) -> None:
        now_ns = time.monotonic_ns()
        self._answered_ns = now_ns
        if "sent_ns" in data:
            with contextlib.suppress(ValueError):
                self._offset.take(
                    offset_of(data["sent_ns"], data["received_ns"], data["answered_ns"], now_ns)
                )
                self._exchanges += 1
        if self._part is not None and data.get("run") == self._part.run:
            self._part.follow(data["granted_ns"], data["deals"])

    def _on_kept(self, data: dict[str, Any]) -> None:
        self._answered_ns = time.monotonic_ns()
        if self._part is not None and data["run"] == self._part.run:
            self._part.kept(data["number"])

    def _on_stop(self, data: dict[str, Any]) -> None:
        if self._part is not None and data["run"] == self._part.run:
            gevent.spawn(self._part.stop)

    def _send(self, message: str, data: dict[str, Any]) -> None:
        # Locust's own heartbeats find out about a connection that is broken, and make a new one.
        with contextlib.suppress(RPCError):
            self._runner.send_message(message, data)

    def _taken(self, handler: Callable[[dict[str, Any]], None]) -> Callable[..., None]:
        return lambda environment, msg, **_: handler(msg.data)


def _first(error: ValueError) -> str:
    """The first thing that is wrong, in a line."""
    if isinstance(error, ValidationError):
        detail = error.errors(include_url=False)[0]
        return f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}"
    return str(error).splitlines()[0]


def _unreachable(url: str) -> str:
    """Why the platform cannot be reached from here, empty if it can."""
    parts = urlsplit(url)
    address = (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))
    try:
        socket.create_connection(address, timeout=5).close()
    except OSError as error:
        return f"it cannot reach the platform at {url}: {error.strerror or error}"
    return ""
