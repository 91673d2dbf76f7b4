"""Locust's web UI, made to tell the truth about a load that is planned.

A start that cannot be played is refused in the form, with everything that is wrong, and so is a change of a
run that is going on: its plan says what arrives when, and Locust would answer "started" to both. Every start
records into a folder of its own. The page asks for figures as long as it is told that the run goes on; it is
told so until the last payment is counted.
"""

from __future__ import annotations

import datetime
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from flask import Flask, Response, jsonify, request
from locust.env import Environment
from locust.runners import STATE_CLEANUP, STATE_RUNNING, STATE_SPAWNING, STATE_STOPPING, MasterRunner

from scenarios.document import ScenarioError
from scenarios.locust_process import asked_scenario

NOTE = (
    "The scenario says how much arrives when: the number of users and the ramp up change nothing. Choose "
    "scenario and seed under Custom parameters. A run that is going on cannot be changed; stop it, and start "
    "another."
)
_UNCHANGED = (
    "The run goes on as it was planned: the scenario says how much arrives when, and the number of users "
    "changes nothing. Stop it, and start again with another scenario, seed or host."
)
_ENDING = "The last run is still ending: what is in flight is waited for. Start again in a moment."
_BAR = (
    '<p style="margin:0;padding:8px 24px;font:14px Roboto,Helvetica,Arial,sans-serif;'
    f'background:#fff3cd;color:#222">{NOTE}</p>'
)
_ROOT = '<div id="root">'


class Progress:
    """How far a run is that the page has asked for.

    Locust calls a run stopped until its first users are there, and again before its last payments are
    counted; its page does not ask again once it is told so.
    """

    def __init__(self, environment: Environment) -> None:
        self.starting = False
        self.ending = False
        self._environment = environment

    def start(self) -> None:
        """A start was asked for."""
        self.starting = True
        self._forget()

    def end(self, **_: Any) -> None:
        """Locust begins to stop: what is in flight is waited for."""
        self.starting = False
        self.ending = True

    def finish(self, **_: Any) -> None:
        """Everything is counted."""
        self.ending = False
        self._forget()

    def told(self, state: str) -> str:
        """The state that the page is told, of the one that Locust would tell."""
        if state in (STATE_SPAWNING, STATE_RUNNING):
            self.starting = False
        if self.starting or self.ending or state in (STATE_CLEANUP, STATE_STOPPING):
            return STATE_RUNNING
        return state

    def _forget(self) -> None:
        # Locust repeats for two seconds what it said before.
        app = cast(Any, self._environment.web_ui).app
        app.view_functions["locust.request_stats"].clear_cache()


def attach(environment: Environment) -> None:
    """Put the checks and the note into the web UI of a process that has one."""
    web_ui = environment.web_ui
    if web_ui is None:
        return
    app = cast(Flask, web_ui.app)
    progress = Progress(environment)
    listeners: Any = environment.events
    listeners.test_stopping.add_listener(progress.end)
    # Added after those that play the load, and so called after them.
    listeners.test_stop.add_listener(progress.finish)
    options: Any = environment.parsed_options
    journals = Path(options.journal) if options.journal else None

    @app.before_request
    def refuse() -> Response | None:
        if not _is_start():
            return None
        why = _ENDING if progress.ending else refusal(environment, request.form)
        if why:
            # Locust closes the form of a change whatever the answer is; the log can be read in the page, too.
            logging.getLogger(__name__).warning(why)
            return jsonify({"success": False, "message": why, "host": environment.host})
        if journals is not None:
            try:
                options.journal = str(_folder(journals, datetime.datetime.now(datetime.UTC)))
            except OSError as error:
                why = f"{journals} cannot hold the journal of another run: {error.strerror or error}"
                return jsonify({"success": False, "message": why, "host": environment.host})
        progress.start()
        return None

    @app.after_request
    def tell(response: Response) -> Response:
        if response.mimetype == "text/html" and not response.direct_passthrough:
            page = response.get_data(as_text=True)
            if "window.templateArgs" in page:
                response.set_data(page.replace(_ROOT, _BAR + _ROOT, 1))
        elif response.is_json:
            answer = response.get_json()
            if request.path.endswith("/stop") or (_is_start() and not answer["success"]):
                progress.starting = False
            elif request.path.endswith("/stats/requests"):
                response.set_data(json.dumps({**answer, "state": progress.told(answer["state"])}))
        return response


def _is_start() -> bool:
    """Whether the request is for a start, or for a change."""
    return request.method == "POST" and request.path.endswith("/swarm")


def refusal(environment: Environment, form: Mapping[str, str]) -> str:
    """Why a start, or a change, that a form asks for is not made; empty if it is.

    Args:
        environment: Of the process that serves the web UI.
        form: What Locust's form sends; what it leaves out is as on the command line, or as last time.
    """
    runner: Any = environment.runner
    if runner.state in (STATE_SPAWNING, STATE_RUNNING):
        return _UNCHANGED
    if runner.state in (STATE_STOPPING, STATE_CLEANUP):
        return _ENDING
    if isinstance(runner, MasterRunner) and not runner.worker_count:
        return "No worker is connected; what has made workers leave stands in the output of this process."
    options: Any = environment.parsed_options
    source = form.get("scenario", options.scenario)
    seed = form.get("paydrill_seed", options.paydrill_seed)
    try:
        asked_scenario(environment, source, seed, form.get("host", environment.host))
    except ScenarioError as error:
        return str(error)
    return ""


def _folder(journals: Path, now: datetime.datetime) -> Path:
    """A new folder below the one that ``--journal`` names.

    Raises:
        OSError: It cannot be made.
    """
    base = f"{now:%Y%m%dT%H%M%SZ}"
    for name in (base, *(f"{base}-{attempt}" for attempt in range(2, 100))):
        try:
            (journals / name).mkdir(parents=True)
        except FileExistsError:
            continue
        return journals / name
    raise FileExistsError(f"{journals / base} exists")
