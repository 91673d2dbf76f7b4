"""Figures: the same bytes twice, nothing of this machine in them, words for those who do not see them."""

from __future__ import annotations

import io
import itertools
import re
from dataclasses import replace

import matplotlib as mpl
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from reports.payments import NEVER
from reports.plots import style
from reports.plots.axis import _apart
from reports.plots.lanes import fits, lanes_of
from reports.plots.lateness import lateness
from reports.plots.money import money
from reports.plots.percentiles import percentiles
from reports.plots.story import Story, spans_of
from reports.plots.timeline import timeline
from reports.render.html import DARK
from reports.tail import tail_of
from tests.reports import load_samples
from tests.reports_looks import samples

S = 1_000_000_000


def story() -> Story:
    findings = samples.failover()
    return Story(findings, samples.series(findings), ("stripe", "adyen"), 0.98, ("p95 < 800 ms", 0.8), 5.0)


@pytest.fixture(scope="module")
def drawn() -> dict[str, style.Plot]:
    told = story()
    rng = np.random.default_rng(5)
    latency = (rng.lognormal(-2, 0.5, 3000) * S).astype(np.int64)
    latency[:9] = NEVER
    plots = [
        timeline(told),
        timeline(told, narrow=True),
        percentiles([tail_of("during", latency)], ("p95 < 800 ms", 0.8)),
        lateness(
            told.findings.generator, told.series, load_samples.samples(load_samples.seconds(*[{}] * 90))
        ),
        money(told.findings.money),
    ]
    return {plot.name: plot for plot in plots}


def test_a_figure_is_the_same_twice_whatever_the_settings_of_the_reader(drawn: dict[str, style.Plot]) -> None:
    with mpl.rc_context({"svg.hashsalt": "theirs", "font.size": 30, "axes.grid": False}):
        again = timeline(story())
    assert again == drawn["timeline"]


def test_nothing_of_the_moment_or_the_machine_is_in_a_figure(drawn: dict[str, style.Plot]) -> None:
    for plot in drawn.values():
        assert "<dc:date>" not in plot.svg
        assert "matplotlib.org" not in plot.svg.split("<metadata>")[-1].split("</metadata>")[0]
        if plot.png:
            assert not Image.open(io.BytesIO(plot.png)).info.keys() & {"Software", "Creation Time"}


def test_the_timeline_is_wide_enough_for_a_chat_and_a_phone_has_its_own(drawn: dict[str, style.Plot]) -> None:
    assert Image.open(io.BytesIO(drawn["timeline"].png)).width == 1600
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawn["timeline-narrow"].svg)
    assert box
    width, height = map(float, box.groups())
    assert height > 2 * width


def test_every_figure_is_said_in_words(drawn: dict[str, style.Plot]) -> None:
    assert "31 payments in flight unconfirmed" in drawn["timeline"].alt
    assert "Service was bad for 1.00 s" in drawn["timeline"].alt
    assert "9 without an answer" in drawn["percentiles"].alt
    assert "99th percentile 7.0 ms" in drawn["lateness"].alt
    assert "told unknown, ledger succeeded, 1 capture: 31 orders" in drawn["money"].alt


def test_on_a_page_a_figure_takes_its_colours_and_shares_no_id(drawn: dict[str, style.Plot]) -> None:
    one, two = (style.for_page(drawn[name].svg, f"{name}-") for name in ("timeline", "timeline-narrow"))
    ids = [set(re.findall(r'\bid="([^"]+)"', svg)) for svg in (one, two)]
    assert ids[0]
    assert not ids[0] & ids[1]
    for svg, known in zip((one, two), ids, strict=True):
        assert set(re.findall(r'href="#([^"]+)"', svg)) <= known
        assert set(re.findall(r"url\(#([^)]+)\)", svg)) <= known
        assert "var(--ink, #1c2127)" in svg
        assert "http" not in svg
        assert "<!--" not in svg


def test_every_colour_of_a_figure_has_one_for_a_dark_page() -> None:
    assert set(style.VARIABLES.values()) == set(DARK)


def contrast(one: str, two: str) -> float:
    """WCAG 2.2, contrast ratio: (lighter + 0.05) / (darker + 0.05) of relative luminances."""

    def luminance(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    lighter, darker = sorted((luminance(one), luminance(two)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("name", ["--ink", "--muted", *sorted(n for n in DARK if n.endswith("-text"))])
def test_words_can_be_read_on_light_and_dark(name: str) -> None:
    light = {variable: colour for colour, variable in style.VARIABLES.items()}
    assert contrast(light[name], light["--paper"]) >= 4.5
    assert contrast(DARK[name], DARK["--paper"]) >= 4.5


@settings(deadline=None)
@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0.02, 0.2)), max_size=6))
def test_labels_at_line_ends_do_not_overlap(lines: list[tuple[float, float]]) -> None:
    wanted, heights = [at for at, _ in lines], [height for _, height in lines]
    at = _apart(wanted, heights)
    placed = sorted(zip(at, heights, strict=True))
    for (low, a), (high, b) in itertools.pairwise(placed):
        assert high - low >= (a + b) / 2 - 0.02


def test_faults_that_strike_together_are_one_window() -> None:
    findings = samples.failover()
    both = replace(findings, faults=(samples.fault(), samples.fault(id="f2", on="adyen")))
    assert [span.label for span in spans_of(both)] == ["Stripe + Adyen: outage"]
    apart = replace(findings, faults=(samples.fault(), samples.fault(id="f2", name="latency")))
    assert len(spans_of(apart)) == 2


def test_lanes_hold_truth_above_belief() -> None:
    lanes = lanes_of(samples.failover(), ("stripe", "adyen"))
    assert [(lane.subject, lane.truth) for lane in lanes] == [
        ("stripe", True),
        ("stripe", False),
        ("adyen", True),
        ("platform", True),
        ("platform", False),
    ]
    assert lanes[0].down == ((40.0004, 60.0007, "dark"),)
    assert lanes[1].down == ((40.41, 60.09, "down"),)
    assert lanes[3].down == ((40.0, 41.0, "bad"),)
    assert not lanes[4].down


def test_two_kinds_of_fault_on_a_gateway_are_two_words_of_its_lane() -> None:
    late = samples.fault(id="f2", name="latency", true_start_ns=70 * S, true_stop_ns=99 * S)
    lane = lanes_of(replace(samples.failover(), faults=(samples.fault(), late)), ("stripe",))[0]
    assert [stretch.word for stretch in lane.down] == ["dark", "slow"]
    assert lane.down[1].stop == 90.0  # the load ended before the fault did
    assert lane.note == "not well 40.0 s"


def test_a_fault_that_never_started_darkens_no_lane() -> None:
    never = samples.fault(true_start_ns=None, true_stop_ns=None, hits=0)
    lanes = lanes_of(replace(samples.failover(), faults=(never,)), ("stripe",))
    assert not lanes[0].down


def test_a_gateway_that_flaps_has_a_bar_for_each_flap() -> None:
    flaps = samples.fault(spells=((40 * S, 42 * S), (46 * S, 48 * S)), true_stop_ns=48 * S)
    lane = lanes_of(replace(samples.failover(), faults=(flaps,)), ("stripe",))[0]
    assert [(s.start, s.stop) for s in lane.down] == [(40, 42), (46, 48)]
    assert lane.note == "dark 4.00 s"


def test_faults_that_overlap_on_a_gateway_are_counted_once() -> None:
    one = samples.fault(spells=((10 * S, 40 * S),), name="webhook_duplicated")
    two = samples.fault(spells=((15 * S, 35 * S),), name="webhook_lost")
    lane = lanes_of(replace(samples.failover(), faults=(one, two)), ("stripe",))[0]
    assert [(s.start, s.stop) for s in lane.down] == [(10, 15), (15, 35), (35, 40)]
    assert lane.down[1].word == "2 faults"
    assert lane.note == "not well 30.0 s"


def test_faults_of_many_names_at_one_time_are_one_window() -> None:
    kinds = ("outage", "latency", "reset")
    faults = tuple(samples.fault(id=f"f{n}", name=name) for n, name in enumerate(kinds))
    (span,) = [s for s in spans_of(replace(samples.failover(), faults=faults)) if not s.maintenance]
    assert span.label == "3 faults"


def test_a_word_stands_only_in_a_bar_that_can_hold_it() -> None:
    assert fits("dark", 0.07, narrow=False) and not fits("dark", 0.05, narrow=False)
    assert not fits("webhook duplicated", 0.1, narrow=False)
    assert fits("webhook duplicated", 0.2, narrow=False) and not fits("webhook duplicated", 0.2, narrow=True)


def test_a_refuge_is_only_who_took_traffic_over() -> None:
    told = story()
    assert told.refuge == "adyen"
    steady = {name: np.full_like(told.series.due, 10) for name in ("stripe", "adyen")}
    assert replace(told, series=replace(told.series, by_gateway=steady)).refuge == ""
