"""What a search found: the interval, what broke, how sure it is, and how it ended."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from reports import peak_wording
from reports.findings import Ended, ObjectiveFinding, State, Status, Unit, Verdict
from reports.peak import judge_search, outcome_of, peak_of
from reports.run_folder import NotARunError
from reports.search_folder import RECORD
from scenarios.peak_search import Outcome
from tests.peak.searches import FOUND, LIMITS, Made, findings, record, scenario, search
from tests.reports.drill import MS
from tests.reports_looks import samples


def test_steps_are_judged_from_their_folders(tmp_path: Path) -> None:
    steps = [Made(30, latency_ms=300, late_ms=20), Made(60, lost=2), Made(31, late_ms=500)]
    found = judge_search(search(tmp_path, steps, replace(LIMITS, start=30)))
    held, broke, unsound = found.steps
    assert [step.outcome for step in found.steps] == ["held", "broke", "unsound"]
    assert (held.payments, held.achieved, held.succeeded) == (180, 30, 30)
    assert held.success.n == held.success.successes == 180
    assert (held.p95.value_ns, held.p95.high_ns) == (320 * MS, 320 * MS)
    assert held.p99.high_ns is None  # 299 payments would be needed
    assert held.lateness_p99_ns == 20 * MS
    assert held.said == "all 3 objectives hold"
    assert (broke.broke, broke.objectives[2].value) == (("lost_payments",), 2)
    assert "fell behind its schedule" in unsound.said
    # What the other tests take for granted is what the judge says.
    by_hand = findings(steps, replace(LIMITS, start=30))
    for one, other in zip(found.steps, by_hand.steps, strict=True):
        for name in ("outcome", "broke", "payments", "achieved", "p95", "rate", "folder"):
            assert getattr(one, name) == getattr(other, name), name
    assert (found.conclusion, found.low, found.high) == (by_hand.conclusion, by_hand.low, by_hand.high)


def test_the_interval_is_what_was_sent_and_what_broke_is_named() -> None:
    found = findings(FOUND)
    assert (found.conclusion, found.status, found.exit_code) == ("bracket", "PASS", 0)
    assert found.low is not None and found.high is not None
    assert (found.low.achieved, found.high.achieved) == (120, 140)
    assert found.low.steps == (4, 6) and found.high.steps == (5, 7)
    (broke,) = found.broke_first
    assert (broke.name, broke.value) == ("latency_p95", 900 * MS)
    assert found.headline == "The platform holds 120/s and breaks at 140/s: latency p95 broke first"
    assert found.reasons[0].startswith("Latency p95 was 900 ms (< 800 ms asked): ")
    assert peak_wording.interval(found) == "120 to 140/s"


def test_how_sure_the_ends_are_counts_every_rate_and_every_estimate() -> None:
    found = findings(FOUND)
    # 5 rates, none with more than a pair; lost payments are counted, the other two objectives are estimates.
    assert found.sure_low == pytest.approx(1 - 5 * 0.05**2)
    assert found.sure_high == pytest.approx(1 - 5 * 0.10**2)
    said = peak_wording.sureness(found)
    assert "at least 98.7% sure" in said and "at least 95% sure" in said


def test_lost_money_breaks_a_step_like_any_objective() -> None:
    steps = [Made(40), Made(80, lost=1), Made(60, lost=2), Made(50), Made(50), Made(60, lost=1)]
    found = findings(steps, replace(LIMITS, precision=0.2))
    assert found.conclusion == "bracket"
    (broke,) = found.broke_first
    assert (broke.name, broke.value) == ("lost_payments", 2)


def test_a_late_generator_is_named_and_is_no_verdict_on_the_platform() -> None:
    steps = [
        Made(40),
        Made(80, late_ms=500),
        Made(60),
        Made(70, late_ms=400),
        Made(60),
        Made(70, late_ms=450),
    ]
    found = findings(steps)
    assert (found.conclusion, found.status, found.exit_code) == ("generator", "INCONCLUSIVE", 3)
    assert found.headline == "The platform held 60/s; the load generator is the bottleneck from 70/s on"
    assert found.sure_high is None and found.broke_first == ()
    assert "Step 6, 70/s asked: the load generator fell behind its schedule." in found.reasons
    assert peak_wording.interval(found) == "at least 60/s"


def test_not_even_the_lowest_rate() -> None:
    steps = [Made(rate, latency_ms=2000) for rate in (40, 20, 20)]
    found = findings(steps, replace(LIMITS, least=20))
    assert (found.conclusion, found.status, found.exit_code) == ("nothing", "FAIL", 1)
    assert "does not even hold 20/s" in found.headline
    assert peak_wording.interval(found) == "below 20/s"


def test_up_to_the_limit() -> None:
    found = findings([Made(40), Made(80), Made(80)], replace(LIMITS, most=80))
    assert (found.conclusion, found.exit_code) == ("limit", 0)
    assert found.headline == "The platform holds 80/s, the limit of this search; nothing broke"


def test_steps_that_disagree_are_inside_the_interval_and_said() -> None:
    steps = [Made(40), Made(80, latency_ms=2000), Made(70), Made(70, latency_ms=900), Made(66), Made(66)]
    found = findings(steps, replace(LIMITS, precision=0.2, steps=6))
    assert found.torn == (70,)
    assert found.low is not None and found.low.rate == 66
    assert any("At 70/s the steps disagreed" in reason for reason in found.reasons)
    assert "80/s rests on a single step; no second one has confirmed it." in found.reasons
    assert any("no more than 6 steps" in reason for reason in found.reasons)
    assert (found.conclusion, found.exit_code) == ("undecided", 3)


@pytest.mark.parametrize(("ended", "code"), [("interrupted", 130), ("aborted", 4)])
def test_a_search_that_was_cut_short_says_what_is_known(ended: Ended, code: int) -> None:
    found = findings([Made(40), Made(80, latency_ms=2000)], ended=ended, ended_why="because")
    assert found.exit_code == code
    assert found.headline == f"{ended.capitalize()} after 2 steps; so far 40/s held and 80/s broke"
    assert found.reasons[0] == "Because."


def test_nothing_played_nothing_claimed() -> None:
    found = findings([], ended="interrupted", ended_why="stopped by Ctrl-C in step 1")
    assert found.headline == "Interrupted after 0 steps; no rate has held or broken so far"
    assert found.low is found.high is None
    assert peak_wording.interval(found) == "unknown"


def test_a_step_that_broke_below_the_interval_is_not_kept_quiet() -> None:
    steps = [Made(40), Made(80, latency_ms=2000), Made(60, latency_ms=900), Made(50), Made(50), Made(60)]
    steps += [Made(70), Made(70), Made(80, latency_ms=2000)]
    found = findings(steps)
    assert found.headline.startswith("The platform holds 70/s and breaks at 80/s")
    assert any(reason.startswith("Step 3 broke at 60/s, below the interval") for reason in found.reasons)


def objective(status: Status, unit: Unit = "ns", state: State = "measured") -> ObjectiveFinding:
    return ObjectiveFinding("x", "< 1s", 1e9, unit, status, state, None, None, None, 100, None, "", "why")


@pytest.mark.parametrize(
    ("status", "ended", "sound", "objectives", "came_to"),
    [
        ("PASS", "complete", True, [objective("PASS")], "held"),
        ("FAIL", "complete", True, [objective("FAIL"), objective("INCONCLUSIVE")], "broke"),
        # What stands in the best case stands, and money is counted whatever the generator did.
        ("FAIL", "complete", False, [objective("FAIL", "count"), objective("INCONCLUSIVE")], "broke"),
        ("INCONCLUSIVE", "complete", False, [objective("INCONCLUSIVE")], "unsound"),
        ("INCONCLUSIVE", "complete", True, [objective("INCONCLUSIVE"), objective("PASS")], "undecided"),
        ("INCONCLUSIVE", "complete", True, [objective("INCONCLUSIVE", "count")], "blind"),
        ("INCONCLUSIVE", "complete", True, [objective("INCONCLUSIVE", state="not measurable")], "blind"),
        ("INCONCLUSIVE", "stopped", True, [objective("INCONCLUSIVE")], "broke"),
    ],
)
def test_what_a_step_came_to(
    status: Status, ended: Ended, sound: bool, objectives: list[ObjectiveFinding], came_to: Outcome
) -> None:
    drill = samples.failover()
    drill = replace(
        drill,
        run=replace(drill.run, ended=ended),
        verdict=Verdict(status, ended, 0, ("why",)),
        generator=replace(drill.generator, sound=sound),
        objectives=tuple(objectives),
    )
    assert outcome_of(drill) == came_to


def test_a_step_that_its_scenario_stopped_says_so() -> None:
    steps = [Made(40), Made(80, latency_ms=2000)]
    held, broke = findings(steps).steps
    stopped = replace(
        broke, broke=(), objectives=held.objectives, said="the drill was stopped: success < 50%"
    )
    found = peak_of(record(steps), scenario(), [held, stopped])
    assert found.broke_first == ()
    assert "Step 2, 80/s asked: the drill was stopped: success < 50%." in found.reasons


def test_an_end_is_the_outermost_rate_that_was_sent_in_its_steps() -> None:
    sent = {4: 119.0, 6: 121.5, 5: 138.0, 7: 141.0}
    steps = [replace(step, achieved=sent.get(step.number, step.achieved)) for step in findings(FOUND).steps]
    found = peak_of(record(FOUND), scenario(), steps)
    assert found.low is not None and found.high is not None
    assert (found.low.achieved, found.high.achieved) == (119.0, 141.0)


def test_arrivals_that_lie_the_other_way_round_widen_the_interval() -> None:
    steps = [Made(40), Made(42, latency_ms=2000)]
    low, high = findings(steps).steps
    sent = [replace(low, achieved=41.5), replace(high, achieved=41.0)]
    found = peak_of(record(steps), scenario(), sent)
    assert found.low is not None and found.high is not None
    assert (found.low.achieved, found.high.achieved) == (41.0, 41.5)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[", "is not YAML"),
        ("name: x", "is not the record of a search"),
        ("search: {}\nscenario: {}", "cannot be read"),
    ],
)
def test_a_record_that_cannot_be_read_is_said(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / RECORD).write_text(text)
    with pytest.raises(NotARunError, match=said):
        judge_search(tmp_path)
