"""The child processes of one drill: who is started in which order, and with what plan."""

from __future__ import annotations

import contextlib
import importlib.util
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from journal.clock import Clock
from journal.mending import mend
from mocks.gateways import GATEWAYS
from paydrill import plans
from paydrill.child import Child, ChildError, end_all
from paydrill.drilled_platform import DrilledPlatform, PlatformError
from paydrill.run_folder import RunFolder
from paydrill.workers import Awaited
from scenarios.file_limit import raise_file_limit
from scenarios.schema import PLATFORM, Scenario

_LOOPBACK = "127.0.0.1"
_STEP = 0.1
_PATIENCE = 60.0
"""Seconds that a child may take to be ready, on a busy machine."""
_DISMISSAL = 5.0
"""Seconds that the load's master may take to dismiss its workers."""
_GRACE = 8.0
"""Seconds that a process which is restarted may take to finish what it has begun."""


class CrewError(Exception):
    """A child could not be started, or the platform to be drilled does not answer; the text says which."""


@dataclass(slots=True)
class Crew:
    """Starts the gateways, the platform, the probes and the load, and ends them.

    Args:
        scenario: Says who is needed.
        folder: Where they write.
        processes: Load workers; 1 is a single Locust process.
        awaited: Load workers that somebody else starts; ``None``: none.
        tell: Told what is being started.
        checkpoint: Called while waiting; what it raises ends the start.
    """

    scenario: Scenario
    folder: RunFolder
    processes: int
    awaited: Awaited | None
    tell: Callable[[str], None]
    checkpoint: Callable[[], None]
    children: list[Child] = field(default_factory=list)
    load: Child | None = None
    _plans: dict[str, plans.Plan] = field(default_factory=dict)
    _webhooks: dict[str, plans.Plan] = field(default_factory=dict)
    _lives: dict[str, int] = field(default_factory=dict)
    _ports: list[socket.socket] = field(default_factory=list)
    _replaced: set[str] = field(default_factory=set)
    _lock: threading.RLock = field(default_factory=threading.RLock)
    _over: bool = False

    def start(self) -> str:
        """Start everybody and wait until all are ready; returns the platform's URL.

        Raises:
            CrewError: Somebody could not be started.
        """
        raise_file_limit()
        try:
            return self._start()
        except ChildError as error:
            raise CrewError(str(error)) from error

    def go(self, epoch_ns: int) -> None:
        """Tell everybody when time zero is. Raises CrewError when somebody is gone."""
        try:
            for child in self.children:
                child.go({"epoch_ns": epoch_ns, "run": self.folder.run})
        except ChildError as error:
            raise CrewError(str(error)) from error

    def end(self, grace: float) -> None:
        """Let everybody flush and end within ``grace`` seconds, then kill who is left."""
        self._close()
        end_all(self.children, grace)

    def dismiss_workers(self) -> None:
        """Let the load's master tell workers on other machines that there will be nothing to play."""
        if self.load is not None and self.awaited is not None:
            self.load.terminate()
            self.load.wait(_DISMISSAL)

    def kill(self) -> None:
        """End everybody at once."""
        self._close()
        for child in self.children:
            child.kill()

    def clear_faults(self) -> None:
        """Tell every gateway to end its faults; who is gone has none."""
        with self._lock:
            for child in self.children:
                if child.name in self.scenario.gateways:
                    with contextlib.suppress(ChildError):
                        child.clear()

    def read_records(self, limit_s: float) -> list[str]:
        """Have the records of all sandboxes read, within ``limit_s`` seconds together. Returns the sandboxes
        of which they were not."""
        waiting = []
        for name in self._sandboxes:
            self.tell(f"reading the records of {name}'s sandbox ...")
            with contextlib.suppress(ChildError):
                self._of(name).read_records()
            waiting.append(name)
        deadline = time.monotonic() + limit_s
        while waiting and time.monotonic() < deadline:
            for name in tuple(waiting):
                if "records" in (self._of(name).said() or {}):
                    waiting.remove(name)
            time.sleep(_STEP / 10)
        return waiting

    def died(self) -> list[Child]:
        """Who ended without having been told to. Of a process that is still to take the place of another, who
        starts it learns why it could not."""
        return [child for child in self.children if child.died and child.name not in self._replaced]

    # What a fault that ends a process does, in a thread of its own.

    def end_process(self, name: str, *, orderly: bool) -> None:
        """End the process of a gateway or of the platform: kill it, or let it finish what it has begun."""
        child = self._of(name)
        if orderly:
            with contextlib.suppress(ChildError):
                child.hand_on()
            child.wait(_GRACE)
        child.kill()

    def replace(self, name: str) -> None:
        """Start a process in the place of the one that was ended. It waits for ``resume``: loading its code
        shall not prolong the fault.

        Raises:
            CrewError: All are being ended.
            OSError: What the old process wrote cannot be made whole.
        """
        life = self._lives.get(name, 1)
        mend(self.folder.journal, name if life == 1 else f"{name}-{life}")
        with self._lock:
            if self._over:
                raise CrewError("the drill is over")
            keys = plans.keys_of(self._sandboxes if name == PLATFORM else ())
            child = Child(name, ["-m", "mocks.process"], self.folder.logs / f"{name}.log", keys)
            self._replaced.add(name)
            self.children[self.children.index(self._of(name))] = child
            self._lives[name] = life + 1
        child.prepare(str(self._plans[name]["role"]))

    def resume(self, name: str, clock: Clock) -> None:
        """Let the new process serve, on the port of the old one.

        Raises:
            ChildError: It failed, or died.
            CrewError: It was not ready in time.
        """
        child = self._of(name)
        plan, webhooks = self._plans[name], self._webhooks.get(name)
        child.plan(plans.continued(plan, self._lives[name], clock.epoch_ns, clock.now_ns(), webhooks))
        child.ready(_PATIENCE)
        self._replaced.discard(name)

    def _of(self, name: str) -> Child:
        return next(child for child in self.children if child.name == name)

    def _close(self) -> None:
        with self._lock:
            self._over = True
            for port in self._ports:
                port.close()

    def _plan(self, child: Child, plan: plans.Plan) -> None:
        """Send the first plan of a gateway or the platform."""
        child.plan(plan)
        self._plans[child.name] = plan

    def _remember(self, name: str, port: int) -> None:
        """Keep the port of a process that will be ended: while it is down, nobody else shall get it."""
        if name in self.scenario.ended_processes():
            self._plans[name] = {**self._plans[name], "port": port}
            self._ports.append(_held(port))

    def _start(self) -> str:
        scenario, journal = self.scenario, self.folder.journal
        gateways = {
            name: self._child(name, "mocks.process", plans.keys_of([name] if name in self._sandboxes else ()))
            for name in scenario.gateways
        }
        own = None
        if scenario.platform.reference is not None:
            own = self._child("platform", "mocks.process", plans.keys_of(self._sandboxes))
        watch = self._child("probes", "probes.process") if scenario.probes else None
        urls: dict[str, str] = {}
        for name, child in gateways.items():
            # A platform that runs already has to know where to find them, so they take their known ports.
            port = GATEWAYS[name].default_port if own is None else 0
            if name in self._sandboxes:
                child.plan(plans.sandbox(scenario, name, self.folder.run, journal, port))
                continue
            plan = plans.gateway(scenario, name, journal, port)
            if name in scenario.ended_processes():
                plan["state"] = str(self.folder.state / name)
            self._plan(child, plan)
        secrets: dict[str, str] = {}
        for name, child in gateways.items():
            self.tell(f"starting {name} ...")
            ready = self._ready(child)
            urls[name] = f"http://{_LOOPBACK}:{ready['port']}"
            secrets[name] = str(ready["webhook_secret"])
            self._remember(name, int(str(ready["port"])))
        if own is not None:
            self.tell("starting the platform ...")
            self._plan(own, plans.platform(scenario, dict(urls), self.folder.store, journal, secrets=secrets))
            own_port = int(str(self._ready(own)["port"]))
            self._remember("platform", own_port)
            urls["platform"] = f"http://{_LOOPBACK}:{own_port}"
            # Each knows the other's address: the gateways are told last where their webhooks go.
            for name, child in gateways.items():
                if name in self._sandboxes:
                    continue
                self._webhooks[name] = plans.webhooks(scenario, name, urls["platform"])
                child.deliver(self._webhooks[name])
        else:
            assert scenario.platform.url is not None
            urls["platform"] = scenario.platform.url.rstrip("/")
            _reach(urls["platform"])
        if watch is not None:
            watch.plan(plans.probes(scenario, urls, self.folder.run, journal))
        self.tell("starting the load ...")
        self.load = self._start_load(urls["platform"])
        if watch is not None:
            self._ready(watch)
        self._load_ready(self.load)
        self.checkpoint()
        return urls["platform"]

    def _start_load(self, url: str) -> Child:
        spec = importlib.util.find_spec("locustfile")
        assert spec is not None and spec.origin is not None
        command = [
            "-m", "locust", "-f", spec.origin, "--headless", "--only-summary", "--loglevel", "WARNING",
            "--scenario", str(self.folder.path / "scenario.yaml"), "--host", url,
            "--journal", str(self.folder.journal),
        ]  # fmt: skip
        if self.awaited is not None:
            command += ["--master", "--master-bind-host", self.awaited.host]
            command += ["--master-bind-port", str(self.awaited.port)]
            command += ["--expect-workers", str(self.awaited.workers)]
        elif self.processes > 1:
            port = str(_free_port())
            command += ["--processes", str(self.processes), "--master-bind-host", _LOOPBACK]
            command += ["--master-bind-port", port, "--master-port", port]
        child = Child("load", command, self.folder.logs / "load.log")
        self.children.append(child)
        return child

    @property
    def _sandboxes(self) -> tuple[str, ...]:
        """The gateways that are sandboxes."""
        return tuple(name for name, gateway in self.scenario.gateways.items() if gateway.sandbox is not None)

    def _child(self, name: str, module: str, keys: Mapping[str, str] | None = None) -> Child:
        child = Child(name, ["-m", module], self.folder.logs / f"{name}.log", keys)
        self.children.append(child)
        return child

    def _ready(self, child: Child) -> dict[str, object]:
        """Wait for a child, in small steps so that Ctrl-C is heard."""
        for _ in range(int(_PATIENCE / _STEP)):
            self.checkpoint()
            if (ready := child.ready_within(_STEP)) is not None:
                return ready
        raise CrewError(f"{child.name} was not ready within {_PATIENCE:g} s (see {child.log})")

    def _load_ready(self, load: Child) -> None:
        """Wait for the load and its workers."""
        if self.awaited is not None:
            self.tell(f"start each load worker with: {self.awaited.how_to_start()}")
        max_wait_s = _PATIENCE if self.awaited is None else self.awaited.max_wait_s
        deadline = time.monotonic() + max_wait_s
        workers: dict[str, Any] = {}
        while time.monotonic() < deadline:
            self.checkpoint()
            message = load.heard(_STEP)
            if message is not None and "ready" in message:
                return
            if message is not None and "workers" in message:
                workers = message["workers"]
                if self.awaited is not None:
                    self.tell(_who_came(workers))
        if not workers:
            raise CrewError(f"the load was not ready within {max_wait_s:g} s (see {load.log})")
        raise CrewError(f"{_who_came(workers)} within {max_wait_s:g} s; nothing was sent (see {load.log})")


def _who_came(workers: Mapping[str, Any]) -> str:
    """How many load workers are ready, and where; and why others were refused."""
    ready, refused = workers["ready"], workers["refused"]
    where = f" (on {', '.join(sorted(set(ready)))})" if ready else ""
    return "; ".join([f"{len(ready)} of {workers['expected']} load workers ready{where}", *refused])


def _reach(url: str) -> None:
    platform = DrilledPlatform(url)
    try:
        platform.reachable()
    except PlatformError as error:
        raise CrewError(
            f"the platform at {url} does not answer: {error}; start it, or mend platform.url"
        ) from error
    finally:
        platform.close()


def _held(port: int) -> socket.socket:
    """A socket that keeps a port without listening on it. It lets another socket of this user have the port
    that asks for one of the two options, as ``mocks.http.Server`` does, and no port is given out twice."""
    held = socket.socket()
    try:
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        held.bind((_LOOPBACK, port))
    except OSError:
        held.close()
        raise
    return held


def _free_port() -> int:
    """A port for Locust's master, which takes no 0: two drills at a time must not meet there."""
    with socket.socket() as free:
        free.bind((_LOOPBACK, 0))
        port: int = free.getsockname()[1]
        return port
