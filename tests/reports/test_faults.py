"""Whole faults, on runs made by hand: measured beside true, and what was caught in between."""

from __future__ import annotations

from pathlib import Path

from reports.findings import FaultFindings, Findings
from reports.judge import judge
from tests.reports.drill import MS, Drill, S

OUTAGE = {"at": "10s", "for": "5s", "on": "stripe", "fault": "outage"}


def _only(findings: Findings) -> FaultFindings:
    (fault,) = findings.faults
    return fault


def _outage(**more: object) -> Drill:
    """40/s for 30 s on stripe, dark for [10.1 s, 15.2 s) in truth; payments due in it fail at once, but go
    through at adyen from 12 s on; from 15.5 s on stripe has its traffic back."""
    drill = Drill(30, faults=[OUTAGE], probes=[{"probe": "http", "on": "stripe"}], **more)  # type: ignore[arg-type]
    drill.fault_ran(start_ns=10 * S + 100 * MS, stop_ns=15 * S + 200 * MS, hits=7)
    drill.steady(0, 10 * S + 100 * MS)
    drill.steady(
        10 * S + 100 * MS,
        12 * S,
        outcome="failed",
        error="no gateway",
        gateway="",
        captures=0,
        latency_ns=5 * MS,
    )
    drill.steady(12 * S, 15 * S + 500 * MS, gateway="adyen")
    drill.steady(15 * S + 500 * MS, 30 * S)
    return drill


def test_an_outage_by_hand(tmp_path: Path) -> None:
    fault = _only(judge(_outage().write(tmp_path / "run")))
    assert (fault.planned_start_ns, fault.planned_stop_ns) == (10 * S, 15 * S)
    assert (fault.true_start_ns, fault.true_stop_ns, fault.hits) == (10 * S + 100 * MS, 15 * S + 200 * MS, 7)
    # Measured from the planned start; the truth is 100 ms later, so every measured time is 100 ms longer.
    assert (fault.recovery.measured_ns, fault.recovery.true_ns) == (2 * S, 1900 * MS)
    assert fault.recovery.error_ns == 100 * MS
    assert (fault.failover.measured_ns, fault.failover.true_ns) == (2 * S, 1900 * MS)
    assert fault.failover.resolution_ns == 25 * MS
    assert fault.failback.state == fault.failback.true_state == "measured"


def test_what_was_in_flight_and_what_was_due_in_it(tmp_path: Path) -> None:
    drill = Drill(30, faults=[OUTAGE], objectives={"latency_p95": "< 800ms", "latency_p99": "< 300ms"})
    drill.fault_ran(start_ns=10 * S, stop_ns=15 * S)
    drill.steady(0, 9 * S)
    before = 10 * S - 50 * MS
    drill.pay(before, outcome="unknown", latency_ns=60 * MS, error="unknown")
    drill.pay(before, outcome="unknown", latency_ns=None, captures=0, error="time-out")
    drill.pay(before, outcome="failed", latency_ns=70 * MS, captures=0, error="failed")
    drill.pay(before, latency_ns=500 * MS)
    drill.pay(before, latency_ns=50 * MS)  # done at the very start: not in flight
    drill.pay(before, latency_ns=40 * MS)
    drill.pay(12 * S, latency_ns=299 * MS)
    drill.pay(12 * S, latency_ns=301 * MS)
    drill.pay(12 * S, outcome="failed", captures=0, error="failed")
    drill.pay(15 * S, outcome="failed", captures=0, error="failed")  # after its stop
    fault = _only(judge(drill.write(tmp_path / "run")))
    flight, within = fault.in_flight, fault.within
    assert (flight.n, flight.succeeded, flight.failed, flight.unknown) == (4, 1, 1, 2)
    assert (flight.captured, flight.not_captured) == (1, 2)
    assert (within.n, within.succeeded, within.failed, within.unknown) == (7, 3, 2, 2)
    assert (within.slow, within.slow_beyond_ns) == (2, 300 * MS)


def test_detection_is_counted_from_the_planned_and_from_the_true_start(tmp_path: Path) -> None:
    drill = _outage()
    drill.probe(9 * S, "ok", "stripe")
    drill.probe(10 * S, "ok", "stripe")
    drill.probe(11 * S, "fail", "stripe", takes_ns=30 * MS)
    drill.probe(10 * S + 500 * MS, "fail", "adyen")
    fault = _only(judge(drill.write(tmp_path / "run")))
    assert (fault.detection.measured_ns, fault.detection.true_ns) == (1030 * MS, 930 * MS)
    assert (fault.detection.resolution_ns, fault.detected_by) == (1 * S, "http on stripe")


def test_a_fault_that_never_started_has_no_true_times(tmp_path: Path) -> None:
    drill = Drill(30, faults=[OUTAGE], objectives={"recovery_time": "< 5s"})
    drill.steady(0, 30 * S)
    found = judge(drill.write(tmp_path / "run"))
    fault = _only(found)
    assert (fault.true_start_ns, fault.hits) == (None, 0)
    assert fault.recovery.true_state == "not measurable"
    assert found.verdict.reasons == ("outage on stripe never started: it tested nothing",)
    assert found.verdict.exit_code == 3


def test_hits_are_those_of_the_last_event(tmp_path: Path) -> None:
    drill = Drill(30, faults=[OUTAGE])
    drill.fault_ran(start_ns=10 * S, hits=3)
    drill.steady(0, 30 * S)
    fault = _only(judge(drill.write(tmp_path / "run")))
    assert (fault.hits, fault.true_stop_ns) == (3, None)


def test_faults_are_told_apart_by_their_ids(tmp_path: Path) -> None:
    drill = Drill(30, faults=[OUTAGE, OUTAGE | {"at": "20s", "for": "2s"}])
    drill.fault_ran("f1", start_ns=10 * S, stop_ns=15 * S, hits=1)
    drill.fault_ran("f2", start_ns=20 * S, stop_ns=22 * S, hits=2)
    drill.steady(0, 30 * S)
    found = judge(drill.write(tmp_path / "run"))
    assert [(f.id, f.true_start_ns, f.hits, f.incident) for f in found.faults] == [
        ("f1", 10 * S, 1, 0),
        ("f2", 20 * S, 2, 1),
    ]


def test_retries_replays_and_probes_do_not_move_a_gateways_true_share(tmp_path: Path) -> None:
    from journal.records import GatewayRequest

    drill = _outage()
    for number in range(400):
        at = 16 * S + number * 10 * MS
        order = f"probe-{number}" if number % 2 else "run-0000001"
        drill.add(
            "adyen",
            GatewayRequest(
                "adyen", "payments", at, at + 1, 200, "succeeded", "", order, order, not number % 2
            ),
        )
    plain = _only(judge(_outage().write(tmp_path / "plain")))
    noisy = _only(judge(drill.write(tmp_path / "noisy")))
    assert noisy.failback == plain.failback


def test_a_fault_that_flaps_was_on_several_times_and_off_when_its_last_flap_was(tmp_path: Path) -> None:
    flapping = OUTAGE | {"for": "12s", "flap": {"on": "1s", "off": "4s"}}
    drill = Drill(40, faults=[flapping])
    starts = (10 * S, 15 * S, 20 * S)
    for start in starts:
        drill.fault_ran(start_ns=start, stop_ns=start + S)
    for begin, end in ((0, 10), (11, 15), (16, 20), (21, 40)):
        drill.steady(begin * S, end * S)
    for start in starts:
        drill.steady(start, start + S, outcome="failed", error="no gateway", gateway="", captures=0)
    findings = judge(drill.write(tmp_path / "run"))
    fault = _only(findings)
    assert fault.spells == tuple((start, start + S) for start in starts)
    assert (fault.planned_start_ns, fault.planned_stop_ns) == (10 * S, 21 * S)
    assert (fault.true_start_ns, fault.true_stop_ns) == (10 * S, 21 * S)
    # Each flap is a relapse: it had not recovered before the last was over.
    assert fault.recovery.measured_ns == fault.recovery.true_ns == 11 * S
    (incident,) = findings.incidents
    assert incident.bad_ns == 3 * S


def test_a_fault_that_is_still_on_has_a_spell_without_an_end(tmp_path: Path) -> None:
    drill = Drill(20, faults=[OUTAGE])
    drill.fault_ran(start_ns=10 * S)
    drill.steady(0, 20 * S)
    fault = _only(judge(drill.write(tmp_path / "run")))
    assert fault.spells == ((10 * S, None),)
    assert fault.true_stop_ns is None


def test_nobody_takes_over_from_the_platform(tmp_path: Path) -> None:
    drill = Drill(30, faults=[OUTAGE | {"on": "platform", "fault": "kill"}])
    drill.fault_ran(on="platform", start_ns=10 * S, stop_ns=15 * S)
    drill.steady(0, 10 * S)
    drill.steady(10 * S, 15 * S, outcome="failed", error="refused", gateway="", captures=0)
    drill.steady(15 * S, 30 * S)
    fault = _only(judge(drill.write(tmp_path / "run")))
    assert fault.recovery.measured_ns == 5 * S
    for figure in (fault.failover, fault.failback):
        assert (figure.state, figure.why) == ("not measurable", "there is no other platform to move to")
