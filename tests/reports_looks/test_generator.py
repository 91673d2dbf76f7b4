"""The load generator's own record, as the report tells it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.findings import Findings
from reports.plots.lateness import alt_text, lateness
from reports.render import facts
from reports.render.generator import generator, latency_error, load_processes, worst_seconds
from tests.reports import load_samples
from tests.reports_looks import samples
from tests.reports_looks.samples import MS, S


def _with(**changes: object) -> Findings:
    return replace(samples.failover(), generator=samples.generator(**changes))


def test_what_was_not_sent_is_told_with_its_reasons_and_what_was_lost_beside_it() -> None:
    said = dict(generator(_with(lost=152, bottleneck="the CPU of load process load-0")))
    assert said["Never sent"] == "23 payments: 4000 payments in flight already (23)"
    assert said["Lost"] == "152 payments: what became of them is not on record"
    assert said["Bottleneck"] == "the CPU of load process load-0"
    assert said["Lag of the event loop"] == "99th percentile 6.0 ms, at most 29 ms"
    calm = dict(generator(_with(never_sent=0, errors=(), steal_ns=0)))
    assert calm["Never sent"] == "0 payments"
    assert not calm.keys() & {"Lost", "Bottleneck", "Taken by the hypervisor"}


def test_a_run_without_such_a_record_says_so_and_claims_nothing() -> None:
    old = _with(processes=(), loop_lag_p99_ns=None, loop_lag_max_ns=None, steal_ns=None, worst=())
    assert dict(generator(old))["Load processes"] == "kept no record of themselves in this run"
    assert latency_error(old) == ""
    assert load_processes(old).rows == worst_seconds(old).rows == ()


def test_the_error_of_a_latency_stands_beside_the_percentiles() -> None:
    said = latency_error(_with(loop_lag_p99_ns=12 * MS, loop_lag_max_ns=480 * MS))
    assert "overstated by at most about 12 ms" in said
    assert "the greatest lag seen was 480 ms" in said


def test_a_process_that_was_killed_or_had_no_sockets_shows_it() -> None:
    odd = samples.load_process(name="load-1", closed=False, socket_errors=7, cpu_wait_ns=None)
    first, second = load_processes(_with(processes=(samples.load_process(), odd))).rows
    assert (first[0].note, second[0].note) == ("", "left no closing record")
    assert second[2].text == "-"
    assert second[-1].note == "140 made, 7 payments without"
    assert first[1].text == "38.10%" and first[1].note == "busiest second 74.20%"


def test_the_seconds_in_which_it_was_late_are_listed() -> None:
    (row,) = worst_seconds(_with()).rows
    assert [cell.text for cell in row] == ["41 s", "300", "277", "0", "23", "31 ms"]


def test_slices_that_were_not_observed_are_told_apart_from_the_bad_ones() -> None:
    plain = samples.failover()
    cut = plain.availability.slices
    open_ = tuple(
        replace(part, observed=False) if at in (40, 50, 51) else part for at, part in enumerate(cut)
    )
    measured = replace(plain.availability.measured, unobserved_ns=3 * S)
    found = replace(plain, availability=replace(plain.availability, slices=open_, measured=measured))
    text = facts.availability_text(found)
    # The bad one, second 40, is among the three that do not count.
    assert text.startswith("87 slices of the load, 0 of them bad. 3 more, 3.00 s in all, were not observed")


@pytest.mark.parametrize(("processes", "narrow"), [(0, False), (5, True)])
def test_the_figure_has_a_panel_more_where_there_is_a_record(processes: int, narrow: bool) -> None:
    found = samples.failover()
    rows = [row for n in range(processes) for row in load_samples.seconds(*[{}] * 90, process=f"load-{n}")]
    plot = lateness(found.generator, samples.series(found), load_samples.samples(rows), narrow)
    assert plot.svg.count('id="axes_') == (3 if processes else 2)


def test_the_figure_in_words() -> None:
    made = samples.generator()
    assert "447 were due in a second, and 446 sent" in alt_text(made)
    assert "load-0 used up to 74.20% of a core" in alt_text(made)
    assert "CPU" not in alt_text(replace(made, processes=()))
