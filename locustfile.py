"""The door for plain Locust.

    locust -f locustfile.py --headless --scenario gateway_failover      against `paydrill mock`
    locust -f locustfile.py                                             the same in Locust's web UI

`--host` names the platform (default: the scenario's, or that of `paydrill mock`).
"""

from paydrill import __version__
from scenarios.users import ArrivalUser, install

install(__version__)

__all__ = ["ArrivalUser"]
