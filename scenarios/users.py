"""The Locust side of the load: every worker plays its share of the plan, from Locust's start to its stop.

How many users Locust is asked for changes nothing: the plan says what arrives when. The same code runs in
three ways: under ``paydrill run`` (a tether gives readiness and the epoch), under ``locust --headless``, and
in Locust's web UI. The master, or the only process, decides the epoch and hands it to its workers with
Locust's own start message.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gevent
from locust import User, constant, events, task
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner

from journal.clock import SECOND, Clock
from journal.tether import Tether, TetherBrokenError
from scenarios.customers import pools
from scenarios.document import ScenarioError
from scenarios.reading import load_scenario
from scenarios.schema import Scenario
from scenarios.session import Session

HEAD_START = 2.0
"""Seconds between a start without a conductor and the first due time, for workers to get ready."""

_DONE = "paydrill_done"
_USAGE = 2
_ENVIRONMENT_BROKE = 4


class ArrivalUser(User):
    """Stands for the arrivals among Locust's users: it lives as long as this process's share is played.

    Locust deals users to workers as it likes, and a worker without one would leave its share unplayed; so
    the share is played by ``Load``, from Locust's start event on, and not by the user.
    """

    fixed_count = 1
    wait_time = constant(1)

    @task
    def play(self) -> None:
        LOAD.wait()


class Load:
    """What one Locust process knows of the load, kept from one of Locust's events to the next."""

    def __init__(self) -> None:
        self._tether: Tether | None = None
        self._session: Session | None = None
        self._playing: gevent.Greenlet | None = None
        self._finished_workers: set[str] = set()

    def wait(self) -> None:
        """Wait until this process's share has been played."""
        if self._playing is not None:
            self._playing.join()

    def _play(self, environment: Environment, session: Session) -> None:
        """Play this process's share, and say so to whoever waits for it."""
        session.play()
        runner: Any = environment.runner
        if isinstance(runner, WorkerRunner):
            runner.send_message(_DONE)
        else:
            gevent.spawn(self._end, environment)

    def on_init(self, environment: Environment, **_: Any) -> None:
        """Prepare what must exist before the first start."""
        runner: Any = environment.runner
        if isinstance(runner, WorkerRunner):
            # The scenario comes with the start; a worker that was forked here knows its seed now already.
            _guarded(environment, lambda: pools(_read_scenario(environment).seed))
            return
        self._tether = Tether.of_this_process()
        if isinstance(runner, MasterRunner):
            runner.register_message(_DONE, self._on_worker_done, concurrent=True)
        if environment.web_ui is None:
            _guarded(environment, lambda: pools(_read_scenario(environment).seed))

    def on_test_start(self, environment: Environment, **_: Any) -> None:
        """Agree on the epoch, and prepare this process's share."""
        _guarded(environment, lambda: self._start(environment))

    def on_test_stop(self, environment: Environment, **_: Any) -> None:
        """What is in flight ends, or is recorded as unknown."""
        if self._session is not None:
            self._session.finish()
        if self._playing is not None:
            self._playing.kill()

    def _start(self, environment: Environment) -> None:
        runner: Any = environment.runner
        options: Any = environment.parsed_options
        if not isinstance(runner, WorkerRunner):
            scenario = _read_scenario(environment)
            options.paydrill_places = {}
            if isinstance(runner, MasterRunner):
                ready = sorted(client.id for client in runner.clients.ready)
                options.paydrill_places = {client: place for place, client in enumerate(ready)}
                self._finished_workers.clear()
            options.paydrill_scenario = scenario.to_plain()
            options.paydrill_epoch_ns, options.paydrill_run = self._agree(environment)
        if isinstance(runner, MasterRunner):
            return
        places: dict[str, int] = options.paydrill_places
        self._session = Session(
            environment,
            Scenario.model_validate(options.paydrill_scenario),
            epoch_ns=options.paydrill_epoch_ns,
            run=options.paydrill_run,
            index=places[runner.client_id] if isinstance(runner, WorkerRunner) else 0,
            workers=max(1, len(places)),
            journal=Path(options.journal) if options.journal else None,
        )
        self._playing = gevent.spawn(self._play, environment, self._session)

    def _agree(self, environment: Environment) -> tuple[int, str]:
        """The epoch and the run's id: the conductor's, or our own."""
        if self._tether is None:
            return Clock.starting_now().epoch_ns + int(HEAD_START * SECOND), os.urandom(3).hex()
        self._tether.send({"ready": {}})
        go = self._tether.receive()["go"]
        gevent.spawn(self._hold, environment, self._tether)
        return int(go["epoch_ns"]), str(go["run"])

    def _hold(self, environment: Environment, tether: Tether) -> None:
        """End the load when the conductor is gone."""
        try:
            while True:
                tether.receive()
        except TetherBrokenError:
            _quit(environment)

    def _on_worker_done(self, environment: Environment, msg: Any, **_: Any) -> None:
        self._finished_workers.add(msg.node_id)
        options: Any = environment.parsed_options
        if self._finished_workers >= set(options.paydrill_places):
            self._end(environment)

    def _end(self, environment: Environment) -> None:
        """The plan has been played: leave a headless run, stop a run of the web UI."""
        if self._tether is not None:
            self._tether.send({"done": {}})
        if environment.web_ui is None:
            _quit(environment)
        elif environment.runner is not None:
            environment.runner.stop()


LOAD = Load()


def add_arguments(parser: LocustArgumentParser) -> None:
    """Our options on Locust's command line, and in its web UI."""
    add: Any = parser.add_argument
    add(
        "--scenario",
        default="steady_state",
        help="path of a scenario, or name of one that comes with paydrill",
    )
    add("--seed", dest="paydrill_seed", default="", help="plan other payments than the scenario's own seed")
    add(
        "--set",
        dest="paydrill_set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        include_in_web_ui=False,
        help="override a key of the scenario",
    )
    add("--journal", default="", include_in_web_ui=False, help="folder in which to record every payment")


def _read_scenario(environment: Environment) -> Scenario:
    options: Any = environment.parsed_options
    seed = [f"seed={options.paydrill_seed}"] if options.paydrill_seed else []
    return load_scenario(options.scenario, [*options.paydrill_set, *seed])


def _guarded(environment: Environment, action: Callable[[], object]) -> None:
    # Locust swallows what a listener raises and would exit with 0: a start that failed must not look good.
    code = _ENVIRONMENT_BROKE
    try:
        action()
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        code = _USAGE
    except TetherBrokenError:
        pass
    except Exception:
        traceback.print_exc()
    else:
        return
    environment.process_exit_code = code
    if environment.web_ui is None:
        gevent.spawn(_quit, environment)


def _quit(environment: Environment) -> None:
    if environment.runner is not None:
        environment.runner.quit()


def install() -> None:
    """Register the listeners; called once, by the locustfile."""
    listeners: Any = events
    listeners.init_command_line_parser.add_listener(add_arguments)
    listeners.init.add_listener(LOAD.on_init)
    listeners.test_start.add_listener(LOAD.on_test_start)
    listeners.test_stop.add_listener(LOAD.on_test_stop)
    listeners.quitting.add_listener(LOAD.on_test_stop)
