"""What each child process is told: pure functions from the scenario to the children's plans."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mocks.faults import FAULTS, PROCESS_FAULTS
from mocks.platform.webhooks import EVENTS
from mocks.sandboxes import SANDBOXES
from mocks.sandboxes.keys import problems
from probes import PROBES
from scenarios.fault_scope import scope_of
from scenarios.parameters import parameter_value
from scenarios.sandboxes import limit
from scenarios.schema import Fault, Latency, Repeat, Scenario

Plan = dict[str, Any]

_HEALTH = "/health"


def gateway(scenario: Scenario, name: str, journal: Path | None, port: int = 0) -> Plan:
    """The plan of one mock gateway, with the faults that it injects into itself."""
    return {
        "role": "gateway",
        "gateway": name,
        "name": name,
        "host": "127.0.0.1",
        "port": port,
        "seed": scenario.seed,
        "latency": _latency(scenario.gateways[name].latency),
        "capacity": scenario.gateways[name].capacity,
        "clock_speed": scenario.gateways[name].clock_speed,
        "settlement": scenario.gateways[name].settlement,
        "region": scenario.gateways[name].region,
        "journal": str(journal) if journal else None,
        "faults": _faults(scenario, name),
    }


def sandbox(scenario: Scenario, name: str, run: str, journal: Path | None, port: int = 0) -> Plan:
    """The plan of the proxy in front of a gateway's sandbox, with the faults that it injects. ``run`` is the
    prefix of the run's order ids. The keys are in the environment, never in a plan."""
    how = scenario.gateways[name].sandbox
    assert how is not None
    requests, period_s, _ = limit(scenario.gateways[name], name)
    return {
        "role": "sandbox",
        "gateway": name,
        "name": name,
        "host": "127.0.0.1",
        "port": port,
        "seed": scenario.seed,
        "run": run,
        "requests": requests,
        "period_s": period_s,
        "address": how.address,
        "authority": how.ca,
        "region": scenario.gateways[name].region,
        "journal": str(journal) if journal else None,
        "faults": _faults(scenario, name),
    }


def key_problems(scenario: Scenario, environ: Mapping[str, str] = os.environ) -> list[str]:
    """A sentence for each key of a sandbox of this scenario that is missing or refused."""
    return [
        problem
        for name, gateway in scenario.gateways.items()
        if gateway.sandbox is not None
        for problem in problems(SANDBOXES[name].keys, environ)
    ]


def keys_of(sandboxes: Iterable[str], environ: Mapping[str, str] = os.environ) -> dict[str, str]:
    """The keys of some sandboxes, as the environment of who needs them."""
    variables = [key.variable for name in sandboxes for key in SANDBOXES[name].keys]
    return {variable: environ[variable] for variable in variables if variable in environ}


def continued(plan: Plan, life: int, epoch_ns: int, now_ns: int, webhooks: Plan | None = None) -> Plan:
    """The plan of a process that goes on where an earlier one was ended.

    Args:
        plan: Of the first process, with the port that it got.
        life: Which process it is; the second is 2.
        epoch_ns: Time zero of the run.
        now_ns: In ns since then; what was to happen before has happened.
        webhooks: Where a gateway's go.
    """
    name = plan["name"]
    more: Plan = {"process": f"{name}-{life}", "go": {"epoch_ns": epoch_ns}}
    if plan["role"] == "gateway":
        more["faults"] = [fault for fault in plan["faults"] if fault["at_ns"] >= now_ns]
        more["earlier"] = [name, *(f"{name}-{number}" for number in range(2, life))]
        more["webhooks"] = webhooks
    return {**plan, **more}


def webhooks(scenario: Scenario, gateway: str, platform: str) -> Plan:
    """Where a mock gateway delivers which events: to the reference platform, of which this is the base URL,
    those that mean something to it."""
    how = scenario.gateways[gateway].webhooks
    return {
        "urls": [f"{platform}/webhooks/{gateway}"],
        "events": list(EVENTS.get(gateway, ())),
        "jitter_s": how.jitter / 1e9,
        "doubled": how.doubled,
    }


def platform(
    scenario: Scenario,
    gateways: dict[str, str],
    store: Path,
    journal: Path | None,
    port: int = 0,
    *,
    secrets: Mapping[str, str] | None = None,
) -> Plan:
    """The plan of the reference platform. ``gateways`` maps a name to its base URL, ``secrets`` to what its
    webhooks are verified with; they are not taken without."""
    assert scenario.platform.reference is not None
    return {
        "role": "platform",
        "name": "platform",
        "host": "127.0.0.1",
        "port": port,
        "seed": scenario.seed,
        "store": str(store),
        "journal": str(journal) if journal else None,
        "timeout_ns": scenario.platform.reference.timeout,
        "gateways": [
            {
                "name": name,
                "url": url,
                "weight": scenario.gateways[name].weight,
                "webhook_secret": (secrets or {}).get(name, ""),
                "sandbox": scenario.gateways[name].sandbox is not None,
            }
            for name, url in gateways.items()
        ],
    }


def probes(scenario: Scenario, urls: dict[str, str], run: str, journal: Path | None) -> Plan:
    """The plan of the process that runs the probes. ``urls`` maps ``platform`` and gateways to base URLs."""
    return {
        "name": "probes",
        "seed": scenario.seed,
        "run": run,
        "journal": str(journal) if journal else None,
        "until_ns": scenario.duration_ns,
        "allow_hosts": dict(scenario.allow_hosts),
        "probes": [
            {
                "probe": probe.probe,
                "target": probe.on,
                "url": _probe_url(probe.probe, probe.on, urls),
                "every_ns": probe.every,
                "recheck_ns": probe.recheck,
                "timeout_ns": probe.timeout,
                # Faults start on whole seconds; probes in step with them would flatter the detection time.
                "phase_ns": random.Random(f"{scenario.seed}/probe/{number}").randrange(probe.every),
                "params": {
                    key: parameter_value(PROBES[probe.probe].parameters[key].kind, value)
                    for key, value in probe.params.items()
                },
            }
            for number, probe in enumerate(scenario.probes)
        ],
    }


def _latency(latency: Latency) -> Plan:
    if latency.quantiles is not None:
        return {"quantiles_ns": list(latency.quantiles)}
    return {"p50_ns": latency.p50, "p99_ns": latency.p99}


def _probe_url(probe: str, on: str, urls: dict[str, str]) -> str:
    if on not in urls:
        return on
    return urls[on] + _HEALTH if probe == "http" else urls[on]


def _faults(scenario: Scenario, name: str) -> list[Plan]:
    return [
        _fault(identity, fault)
        for identity, fault in scenario.identified_faults()
        if fault.on == name and fault.fault not in PROCESS_FAULTS
    ]


def _fault(identity: str, fault: Fault) -> Plan:
    return {
        "id": identity,
        "fault": fault.fault,
        "at_ns": fault.at,
        "for_ns": fault.for_,
        "endpoint": fault.endpoint,
        "share": fault.share,
        "params": {
            key: parameter_value(FAULTS[fault.fault].PARAMETERS[key].kind, value)
            for key, value in fault.params.items()
        },
        "match": {trait: list(values) for trait, values in scope_of(fault.match).items()},
        "flap": {"on_ns": fault.flap.on, "off_ns": fault.flap.off} if fault.flap is not None else None,
        "ramp_ns": fault.ramp,
        "repeat": _repeat(fault.repeat),
    }


def _repeat(repeat: Repeat | None) -> Plan | None:
    return None if repeat is None else {"every_ns": repeat.every, "times": repeat.times}
