"""What every Locust process of ours does in the same way: its options, how it fails, and how it ends."""

from __future__ import annotations

import sys
import time
import traceback
from collections.abc import Callable
from typing import Any

import gevent
from locust.argument_parser import LocustArgumentParser
from locust.env import Environment
from locust.runners import STATE_RUNNING, STATE_SPAWNING

from journal.tether import TetherBrokenError
from scenarios.contradictions import host_is_allowed
from scenarios.document import Problem, ScenarioError
from scenarios.reading import load_scenario
from scenarios.schema import Scenario

USAGE = 2
ENVIRONMENT_BROKE = 4

DEFAULT_TARGET = "http://127.0.0.1:12110"
"""The platform of ``paydrill mock``."""


_STARTS = 5.0
"""Seconds that Locust may take from its start event to spawning users."""


class _Unasked(str):
    """A value that nobody gave on the command line."""

    __slots__ = ()


def add_arguments(parser: LocustArgumentParser) -> None:
    """Our options on Locust's command line, and in its web UI."""
    add: Any = parser.add_argument
    add(
        "--scenario",
        default=_Unasked("steady_state"),
        help="path of a scenario, or name of one that comes with paydrill; a worker takes the master's",
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
    add(
        "--journal",
        default="",
        include_in_web_ui=False,
        help="folder in which to record every payment; workers need none, they ship theirs to the master",
    )


def read_scenario(environment: Environment) -> Scenario:
    """The scenario of the command line or of the web UI's form.

    Raises:
        ScenarioError: It cannot be played.
    """
    options: Any = environment.parsed_options
    return asked_scenario(environment, options.scenario, options.paydrill_seed, environment.host)


def asked_scenario(environment: Environment, source: str, seed: str, host: str | None) -> Scenario:
    """A scenario with the command line's settings.

    Args:
        environment: Knows the command line.
        source: Its path, or its name.
        seed: Another seed than its own; empty: its own.
        host: URL of a platform that is paid at instead of the scenario's.

    Raises:
        ScenarioError: It cannot be played, or not there.
    """
    options: Any = environment.parsed_options
    scenario = load_scenario(source, [*options.paydrill_set, *([f"seed={seed}"] if seed else [])])
    findings = host_is_allowed(scenario, (), host) if host else ()
    problems = [Problem("--host", None, (), host, found.message, found.hint) for found in findings]
    if problems:
        raise ScenarioError(problems)
    return scenario


def was_asked_for(environment: Environment) -> bool:
    """Whether the command line names a scenario."""
    options: Any = environment.parsed_options
    return not isinstance(options.scenario, _Unasked)


def target_of(environment: Environment, scenario: Scenario) -> str:
    """URL of the platform that is paid at."""
    return environment.host or scenario.platform.url or DEFAULT_TARGET


def say(text: str) -> None:
    """A line for who reads this process's output."""
    sys.stderr.write(f"load: {text}\n")
    sys.stderr.flush()


def guarded(environment: Environment, action: Callable[[], object]) -> bool:
    """Do something that may fail; whether it succeeded. What failed is said and ends this process, unless it
    serves the web UI."""
    # Locust swallows what a listener raises and would exit with 0: a start that failed must not look good.
    code = ENVIRONMENT_BROKE
    try:
        action()
    except ScenarioError as error:
        sys.stderr.write(f"{error}\n")
        code, why = USAGE, str(error)
    except TetherBrokenError as error:
        why = str(error)
    except Exception as error:
        traceback.print_exc()
        why = f"{type(error).__name__}: {error}"
    else:
        return True
    environment.process_exit_code = code
    if environment.web_ui is None:
        gevent.spawn(leave, environment)
    else:
        _show(environment, why)
    return False


def _show(environment: Environment, why: str) -> None:
    """Say among the web UI's exceptions why a run did not start, and stop it: it would look as if it ran."""
    runner: Any = environment.runner
    # Locust tells exceptions apart by their tracebacks.
    runner.log_exception("local", why, why)

    def stop_when_started() -> None:
        give_up = time.monotonic() + _STARTS
        while runner.state not in (STATE_SPAWNING, STATE_RUNNING) and time.monotonic() < give_up:
            gevent.sleep(0.05)
        runner.stop()

    gevent.spawn(stop_when_started)


def leave(environment: Environment, code: int | None = None) -> None:
    """End this Locust process, with an exit code of ours or Locust's own."""
    if code is not None:
        environment.process_exit_code = code
    if environment.runner is not None:
        environment.runner.quit()


def end_run(environment: Environment) -> None:
    """The plan has been played: leave a headless run, stop a run of the web UI."""
    if environment.web_ui is None:
        leave(environment)
    elif environment.runner is not None:
        environment.runner.stop()
