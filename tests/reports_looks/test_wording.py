"""The finding in one sentence."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.findings import Agreement, Figure, Incident, InFlight, WithinFault
from reports.render import chronicle, wording
from tests.reports_looks import samples

S = 1_000_000_000
MS = 1_000_000
NEVER = Figure("never", None, "never", None, None, "")
TOO_LITTLE = Figure("not measurable", None, "not measurable", None, None, "")


def headline(refuge: str = "adyen", **changes: object) -> str:
    return wording.headline(replace(samples.failover(), **changes), refuge)  # type: ignore[arg-type]


def test_a_failover_is_told_by_what_it_cost() -> None:
    assert headline() == (
        "Stripe dark for 20.0 s: 31 payments in flight unconfirmed, "
        "traffic on Adyen after 12 ms, back after 1.20 s"
    )


def test_payments_in_flight_are_told_from_those_unconfirmed() -> None:
    some = samples.fault(in_flight=InFlight(64, 21, 0, 43, 21, 22))
    assert "64 payments in flight, 43 of them unconfirmed" in headline(faults=(some,))
    none = samples.fault(in_flight=InFlight(5, 5, 0, 0, 0, 0))
    assert "5 payments in flight, none of them unconfirmed" in headline(faults=(none,))
    empty = samples.fault(in_flight=InFlight(0, 0, 0, 0, 0, 0))
    assert "no payment in flight" in headline(faults=(empty,))


def test_what_did_not_happen_is_said() -> None:
    assert "no failover" in headline(faults=(samples.fault(failover=NEVER),))
    assert "failover not measurable" in headline(faults=(samples.fault(failover=TOO_LITTLE),))
    assert "not back before the load ended" in headline(faults=(samples.fault(failback=NEVER),))
    assert "never recovered" in headline(refuge="", faults=(samples.fault(recovery=NEVER),))


def test_a_fault_that_moved_nothing_tells_how_slow_it_was() -> None:
    well = WithinFault(3_047, 3_047, 0, 0, 1_775, 400 * MS)
    slow = samples.fault(name="latency", within=well, recovery=samples.measured(170_000, 150_000))
    told = headline(refuge="", faults=(slow,), incidents=(Incident(40 * S, 60 * S, ("f1",), 0),))
    assert told == (
        "Stripe slow for 20.0 s: 3,047 of 3,047 payments in that time succeeded, "
        "1,775 of them slower than 400 ms"
    )


def test_a_refuge_that_breaks_down_is_no_happy_end() -> None:
    lost = WithinFault(2_268, 1_059, 1_089, 120, 558, S)
    incident = (Incident(40 * S, 60 * S, ("f1",), 15 * S),)
    back = samples.fault(within=lost, recovery=samples.measured(16_300 * MS, 15 * S))
    assert headline(faults=(back,), incidents=incident) == (
        "Stripe dark for 20.0 s: traffic on Adyen after 12 ms, but 15.0 s of bad service, "
        "1,209 payments failed or unknown, recovered 16.3 s after its start"
    )
    assert headline(faults=(replace(back, recovery=NEVER),), incidents=incident).endswith(", never recovered")


def test_a_gateway_that_flaps_is_told_by_its_flaps() -> None:
    lost = WithinFault(3_149, 3_098, 0, 51, 5, S)
    flaps = samples.fault(within=lost, spells=tuple(((40 + 6 * n) * S, (42 + 6 * n) * S) for n in range(4)))
    assert headline(faults=(flaps,), incidents=(Incident(40 * S, 60 * S, ("f1",), 5 * S),)) == (
        "Stripe dark 4 times, 8.00 s in all: 5.00 s of bad service, 51 payments failed or unknown, "
        "back after 1.20 s"
    )


def test_faults_that_differ_are_told_by_what_was_due_in_all_of_them() -> None:
    first = samples.fault(name="commit_then_lose", planned_start_ns=40 * S, planned_stop_ns=50 * S)
    then = replace(first, id="f2", planned_start_ns=50 * S, planned_stop_ns=60 * S)
    row = next(r for r in samples.failover().success if (r.scope, r.name) == ("phase", "during"))
    due = (replace(row, success=replace(row.success, n=4_625, successes=4_597)),)
    one = (Incident(40 * S, 60 * S, ("f1", "f2"), 5 * S),)
    assert headline(faults=(first, then), incidents=one, success=due) == (
        "Stripe losing answers for 20.0 s: 5.00 s of bad service, 28 payments in that time failed or unknown"
    )
    well = (replace(one[0], bad_ns=0),)
    late = replace(then, name="webhook_delayed", on="adyen")
    assert headline(faults=(first, late), incidents=well, success=due) == (
        "2 faults on Stripe and Adyen within 20.0 s: 4,597 of 4,625 payments in that time succeeded"
    )


def test_nothing_recovers_that_did_not_drop() -> None:
    stayed = samples.fault(recovery=replace(samples.measured(MS, MS), why="it did not drop"))
    incident = (Incident(40 * S, 60 * S, ("f1",), S),)
    assert headline(refuge="", faults=(stayed,), incidents=incident).endswith("failed or unknown")


def test_two_gateways_dark_together_are_one_story() -> None:
    lost = WithinFault(8_052, 2, 7_988, 62, 0, S)
    both = tuple(samples.fault(id=i, on=on, within=lost) for i, on in (("f1", "stripe"), ("f2", "adyen")))
    told = headline(refuge="", faults=both, incidents=(Incident(40 * S, 60 * S, ("f1", "f2"), 21 * S),))
    assert told == (
        "Stripe and Adyen dark for 20.0 s: 21.0 s of bad service, 8,050 payments failed or unknown, "
        "recovered 2.21 s after its start"
    )


def test_several_incidents_are_told_by_the_slowest() -> None:
    second = samples.fault(
        id="f2", on="adyen", name="latency", incident=1, recovery=samples.measured(4 * S, 4 * S)
    )
    two = (Incident(40 * S, 60 * S, ("f1",), S), Incident(70 * S, 75 * S, ("f2",), 2 * S))
    told = headline(faults=(samples.fault(), second), incidents=two)
    assert told == "2 incidents: 3.00 s of bad service, slowest recovery 4.00 s (Adyen slow)"
    endless = (samples.fault(), replace(second, recovery=NEVER))
    assert headline(faults=endless, incidents=two).endswith("never recovered from Adyen slow")


def test_a_drill_cut_short_or_unsound_says_so_first() -> None:
    findings = samples.failover()
    aborted = replace(findings.run, ended="aborted", load_end_ns=54 * S)
    assert headline(run=aborted).startswith("Aborted after 54.0 s: Stripe dark")
    late = replace(findings.generator, sound=False, why="late")
    assert headline(generator=late).startswith("The load was not as planned")


def test_a_fault_still_on_at_the_end_lasted_until_then() -> None:
    run = replace(samples.failover().run, ended="aborted", load_end_ns=54 * S)
    on = samples.fault(true_stop_ns=None, hits=0)
    assert "Stripe dark for 14.0 s" in headline(run=run, faults=(on,))


def test_a_fault_without_hits_is_no_finding() -> None:
    assert headline(faults=(samples.fault(hits=0),)).startswith("The fault hit nothing")
    assert headline(faults=()) == "99.85% of 26,990 payments succeeded, with no fault"


@pytest.mark.parametrize(
    ("client", "platform", "captures", "concord"),
    [
        ("succeeded", "succeeded", 1, "agree"),
        ("declined", "declined", 0, "agree"),
        ("failed", "declined", 0, "agree"),
        ("unknown", "succeeded", 1, "resolved"),
        ("unknown", "failed", 0, "resolved"),
        ("(none)", "succeeded", 1, "resolved"),
        ("unknown", "unknown", 0, "disagree"),
        ("unknown", "failed", 1, "disagree"),
        ("succeeded", "succeeded", 2, "disagree"),
        ("succeeded", "(none)", 1, "disagree"),
        ("declined", "succeeded", 1, "disagree"),
    ],
)
def test_views_agree_only_when_the_money_does(
    client: str, platform: str, captures: int, concord: str
) -> None:
    assert wording.concord(Agreement(client, platform, captures, 1)) == concord


def test_reasons_name_objectives_as_people_do() -> None:
    findings = samples.failover()
    assert (
        wording.reason("orphan_captures <= 0: 2 orders", findings)
        == "Orphan captures (none allowed): 2 orders."
    )
    assert wording.reason("latency_p95 < 800ms: slow", findings) == "Latency p95 (< 800 ms): slow."
    assert wording.reason("something else broke", findings) == "Something else broke."


def test_the_chronicle_is_in_order() -> None:
    events = chronicle.chronicle(samples.failover())
    assert [e.at_ns for e in events] == sorted(e.at_ns for e in events)
    texts = " / ".join(e.text for e in events)
    assert "fault f1 starts: Stripe dark, 31 payments in flight" in texts
    assert "first failed probe (payment on platform) (fault f1)" in texts
    assert events[-1].text == "the load ends"
