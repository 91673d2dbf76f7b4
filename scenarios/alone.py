"""The load of a single Locust process: it plays every arrival itself."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gevent
from locust.env import Environment

from journal.clock import Clock
from journal.writer import Writer
from scenarios import share
from scenarios.agreement import Agreement
from scenarios.arrivals import of_load
from scenarios.customers import pools
from scenarios.locust_process import end_run, guarded, leave, read_scenario, target_of
from scenarios.session import Session


class Alone:
    """Plays the whole plan at each of Locust's starts."""

    def __init__(self, environment: Environment) -> None:
        self._environment = environment
        self._agreement = Agreement()
        self._session: Session | None = None
        self._playing: gevent.Greenlet | None = None
        if environment.web_ui is None:
            guarded(environment, lambda: pools(read_scenario(environment).seed))

    def start(self) -> None:
        """Agree on the epoch, and begin to play."""
        guarded(self._environment, self._start)

    def stop(self) -> None:
        """What is in flight ends, or is recorded as unknown."""
        if self._session is not None:
            self._session.finish()
        if self._playing is not None:
            self._playing.kill()

    def quit(self) -> None:
        """This process was told to end."""
        self.stop()

    def wait(self) -> None:
        """Wait until the plan has been played."""
        if self._playing is not None:
            self._playing.join()

    def _start(self) -> None:
        environment = self._environment
        options: Any = environment.parsed_options
        scenario = read_scenario(environment)
        epoch_ns, run = self._agreement.agree(lambda: leave(environment))
        self._session = Session(
            environment,
            scenario,
            target=target_of(environment, scenario),
            clock=Clock(epoch_ns),
            run=run,
            share=share.of(of_load(scenario.load, scenario.seed), 0, 1),
            workers=1,
            recorder=Writer(Path(options.journal), "load-0") if options.journal else None,
        )
        self._session.take_users(0, 1)
        self._playing = gevent.spawn(self._play, self._session)

    def _play(self, session: Session) -> None:
        session.play()
        gevent.spawn(self._end)

    def _end(self) -> None:
        self._agreement.tell("done", {})
        end_run(self._environment)
