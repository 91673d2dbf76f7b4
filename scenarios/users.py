"""The Locust side of the load: what Locust's events mean to it.

How many users Locust is asked for changes nothing: the plan says what arrives when. The same code runs in
three ways: under ``paydrill run`` (a tether gives readiness and the epoch), under ``locust --headless``, and
in Locust's web UI; in each of them in a single process, or in a master and its workers.
"""

from __future__ import annotations

from typing import Any, Protocol

from locust import User, constant, events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from scenarios import web_ui
from scenarios.alone import Alone
from scenarios.distributed.master import Master
from scenarios.distributed.worker import Worker
from scenarios.file_limit import raise_file_limit
from scenarios.locust_process import add_arguments


class ArrivalUser(User):
    """Stands for the arrivals among Locust's users: it lives as long as this process's share is played.

    Locust deals users to workers as it likes, and a worker without one would leave its share unplayed; so
    the share is played from the start of the load on, and not by the user.
    """

    fixed_count = 1
    wait_time = constant(1)

    @task
    def play(self) -> None:
        LOAD.wait()


class Role(Protocol):
    """What one Locust process does in the load."""

    def start(self) -> None:
        """Locust starts."""

    def stop(self) -> None:
        """Locust stops: what is in flight ends, or is recorded as unknown."""

    def quit(self) -> None:
        """The process ends."""

    def wait(self) -> None:
        """Wait until this process's share has been played."""


class Load:
    """What one Locust process knows of the load, kept from one of Locust's events to the next."""

    def __init__(self) -> None:
        self.paydrill = ""
        """The version, which master and workers must have in common."""
        self._role: Role | None = None

    def wait(self) -> None:
        """Wait until this process's share has been played."""
        if self._role is not None:
            self._role.wait()

    def on_init(self, environment: Environment, **_: Any) -> None:
        """Take a role, and prepare what must exist before the first start."""
        raise_file_limit()
        runner: Any = environment.runner
        if isinstance(runner, MasterRunner):
            self._role = Master(environment, self.paydrill)
        elif isinstance(runner, WorkerRunner):
            self._role = Worker(environment, self.paydrill)
        else:
            self._role = Alone(environment)
        # Listeners of this event are called in reverse: ours before those by which Locust leaves the master.
        listeners: Any = events
        listeners.quitting.add_listener(self.on_quitting)
        web_ui.attach(environment)

    def on_test_start(self, **_: Any) -> None:
        assert self._role is not None
        self._role.start()

    def on_test_stop(self, **_: Any) -> None:
        assert self._role is not None
        self._role.stop()

    def on_quitting(self, **_: Any) -> None:
        assert self._role is not None
        self._role.quit()


LOAD = Load()


def install(paydrill: str) -> None:
    """Register the listeners; called once, by the locustfile, with paydrill's version."""
    LOAD.paydrill = paydrill
    listeners: Any = events
    listeners.init_command_line_parser.add_listener(add_arguments)
    listeners.init.add_listener(LOAD.on_init)
    listeners.test_start.add_listener(LOAD.on_test_start)
    listeners.test_stop.add_listener(LOAD.on_test_stop)
