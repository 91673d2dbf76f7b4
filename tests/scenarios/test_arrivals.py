"""Schedules turned into lists: no clock, no sleep."""

import math
from fractions import Fraction
from itertools import accumulate, islice, pairwise
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scenarios.arrivals import Spacing, due_times, peak_rate, rate_at, shard, stretches
from scenarios.arrivals.shapes import Ramp
from scenarios.arrivals.spacing import Poisson
from scenarios.quantities import format_duration, format_rate
from scenarios.stage import Stage

S = 1_000_000_000


def stage(**keys: Any) -> Stage:
    return Stage.model_validate(keys)


def ramp(seconds: float, start: float, end: float | None = None) -> Stage:
    rate = f"{format_rate(start)}..{format_rate(start if end is None else end)}"
    return stage(duration=format_duration(int(seconds * S)), rate=rate)


def test_even_arrivals_at_a_constant_rate() -> None:
    assert list(due_times([ramp(2, 2)], "even", 1)) == [S // 4, 3 * S // 4, 5 * S // 4, 7 * S // 4]


def test_a_ramp_follows_its_integral() -> None:
    times = list(due_times([ramp(10, 0, 10)], "even", 1))
    # Lambda(t) = t^2 / 2, so arrival k (from 0) is at sqrt(2 (k + 1/2)).
    assert len(times) == 50
    assert times == [pytest.approx(math.sqrt(2 * (k + 0.5)) * S, abs=2) for k in range(50)]


def test_a_ramp_down_ends_sparse() -> None:
    times = list(due_times([ramp(10, 10, 0)], "even", 1))
    assert len(times) == 50
    assert times == [pytest.approx((10 - math.sqrt(100 - 2 * (k + 0.5))) * S, abs=50) for k in range(50)]


def test_stages_follow_each_other_without_losing_a_part_of_an_arrival() -> None:
    split = list(due_times([ramp(0.3, 10), ramp(0.3, 10), ramp(0.4, 10)], "even", 1))
    assert split == list(due_times([ramp(1, 10)], "even", 1))


def test_nothing_is_due_at_rate_zero() -> None:
    assert list(due_times([ramp(5, 0), ramp(1, 2), ramp(5, 0)], "even", 1)) == [
        5 * S + S // 4,
        5 * S + 3 * S // 4,
    ]


STAIRS = stage(duration="60s", steps={"from": "50/s", "to": "400/s", "every": "10s"})
SPIKE = stage(
    duration="30s", rate="65/s", spike={"to": "400/s", "at": "10s", "rise": "2s", "hold": "5s", "fall": "3s"}
)
SINE = stage(duration="60s", sine={"mean": "200/s", "amplitude": "100/s", "period": "30s"})
TWICE = stage(
    name="day", repeat=2, arrivals=[{"duration": "10s", "rate": "1/s"}, {"duration": "5s", "rate": "3/s"}]
)


@pytest.mark.parametrize(
    ("given", "times_s", "rates"),
    [
        (STAIRS, (-1, 0, 9.9, 10, 35, 59.9, 60), (0, 50, 50, 120, 260, 400, 0)),
        (SPIKE, (0, 9.9, 11, 12, 16.9, 18.5, 20, 29.9), (65, 65, 232.5, 400, 400, 232.5, 65, 65)),
        (SINE, (0, 7.5, 15, 22.5, 37.5), (200, 300, 200, 100, 300)),
        (TWICE, (0, 9.9, 10, 14.9, 15, 25, 29.9, 30), (1, 1, 3, 3, 1, 3, 3, 0)),
        (ramp(20, 50, 400), (0, 10), (50, 225)),
    ],
)
def test_the_rate_at_a_moment(given: Stage, times_s: list[float], rates: list[float]) -> None:
    assert [rate_at([given], int(at * S)) for at in times_s] == pytest.approx(rates)


@pytest.mark.parametrize(
    ("given", "expected", "peak"),
    [
        (STAIRS, 10 * (50 + 120 + 190 + 260 + 330 + 400), 400),
        (SPIKE, 65 * 30 + 335 * (1 + 5 + 1.5), 400),
        (SINE, 200 * 60, 300),
        (TWICE, 50, 3),
        (stage(duration="5s", sine={"mean": "20/s", "amplitude": "20/s", "period": "60s"}), 100 + 400 / math.tau * 3 * (1 - math.cos(math.pi / 6)), 30),
    ],
)  # fmt: skip
def test_count_and_peak_of_each_shape(given: Stage, expected: float, peak: float) -> None:
    times = list(due_times([given], "even", 1))
    assert len(times) == math.ceil(expected - 0.5)
    assert peak_rate([given]) == pytest.approx(peak)
    assert abs(len(list(due_times([given], "poisson", 1))) - expected) < 6 * math.sqrt(expected)


def test_stages_are_told_by_name_and_round() -> None:
    told = [
        (s.name, s.begin_ns // S, s.end_ns // S) for s in stretches([ramp(5, 1), TWICE, stage(duration="1s", rate="1/s", name="end")])
    ]  # fmt: skip
    assert told == [
        ("stage 1", 0, 5),
        ("stage 2.1 (1 of 2)", 5, 15),
        ("stage 2.2 (1 of 2)", 15, 20),
        ("stage 2.1 (2 of 2)", 20, 30),
        ("stage 2.2 (2 of 2)", 30, 35),
        ("end", 35, 36),
    ]


# Whatever the shape: the oracle integrates the rate by itself, exactly where it is linear.

Linear = tuple[float, float, int]
"""Start and end of a rate, and its length in ns."""

tenths = st.integers(0, 2000).map(lambda n: n / 10)
millis = st.integers(100, 4000).map(lambda n: n * 1_000_000)


@st.composite
def linear_profiles(draw: st.DrawFn, depth: int = 1) -> tuple[list[Stage], list[Linear]]:
    """Stages of ramps, stairs, spikes and repetitions, and the ramps that they are made of."""
    stages: list[Stage] = []
    parts: list[Linear] = []
    for _ in range(draw(st.integers(1, 4))):
        kind = draw(
            st.sampled_from(["ramp", "steps", "spike", "repeat"] if depth else ["ramp", "steps", "spike"])
        )
        if kind == "ramp":
            start, end, length = draw(tenths), draw(tenths), draw(millis)
            stages.append(
                stage(duration=format_duration(length), rate=f"{format_rate(start)}..{format_rate(end)}")
            )
            parts.append((start, end, length))
        elif kind == "steps":
            first, last, count, every = draw(tenths), draw(tenths), draw(st.integers(2, 5)), draw(millis)
            steps = {"from": format_rate(first), "to": format_rate(last), "every": format_duration(every)}
            stages.append(stage(duration=format_duration(count * every), steps=steps))
            levels = [first + (last - first) / (count - 1) * n for n in range(count - 1)] + [last]
            parts += [(level, level, every) for level in levels]
        elif kind == "spike":
            base, top = draw(tenths), draw(tenths)
            at, rise, hold, fall, rest = (
                draw(st.sampled_from([0, 1, 100, 700])) * 1_000_000 for _ in range(5)
            )
            length = at + rise + hold + fall + rest
            if not length:
                continue
            spike = {"to": format_rate(top), "at": format_duration(at), "rise": format_duration(rise)}
            spike |= {"hold": format_duration(hold), "fall": format_duration(fall)}
            stages.append(stage(duration=format_duration(length), rate=format_rate(base), spike=spike))
            parts += [
                (base, base, at),
                (base, top, rise),
                (top, top, hold),
                (top, base, fall),
                (base, base, rest),
            ]
        else:
            times = draw(st.integers(1, 3))
            inner, pieces = draw(linear_profiles(depth=0))
            if inner:
                stages.append(
                    stage(
                        repeat=times,
                        arrivals=[
                            one.model_dump(mode="json", by_alias=True, exclude_none=True) for one in inner
                        ],
                    )
                )
                parts += pieces * times
    return stages, parts  # fmt: skip


def integral(parts: list[Linear], at_ns: int) -> Fraction:
    """Expected arrivals until a time, exactly."""
    total = Fraction(0)
    for start, end, length in parts:
        within = min(at_ns, length)
        slope = (Fraction(end) - Fraction(start)) / length if length else Fraction(0)
        total += (Fraction(start) * within + slope * within * within / 2) / S
        at_ns -= within
    return total


def draws(seed: int, count: int) -> list[float]:
    """Where a Poisson process of rate 1 has its arrivals."""
    draw = Random(seed).random
    return list(islice(accumulate(-math.log(1.0 - draw()) for _ in range(count)), count))


@settings(max_examples=40)
@given(linear_profiles(), st.sampled_from(["even", "poisson"]), st.integers(0, 2**40))
def test_arrivals_are_where_the_integral_of_the_rate_says(
    profile: tuple[list[Stage], list[Linear]], spacing: Spacing, seed: int
) -> None:
    stages, parts = profile
    times = list(due_times(stages, spacing, seed))
    end = sum(length for _, _, length in parts)
    expected = integral(parts, end)
    if spacing == "even":
        assert len(times) == max(0, math.ceil(expected - Fraction(1, 2)))
        marks = [number + 0.5 for number in range(len(times))]
    else:
        marks = draws(seed, len(times) + 1)
        assert marks[-1] >= expected - Fraction(1, 10**9)
        marks.pop()
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert all(0 <= due < end for due in times)
    for due, mark in [*zip(times, marks, strict=True)][:: max(1, len(times) // 40)] + [
        *zip(times, marks, strict=True)
    ][-1:]:
        # The arrival is the nanosecond in which the integral reaches its mark; 1 ns is forgiven for rounding.
        assert integral(parts, due - 1) - Fraction(1, 10**9) <= mark <= integral(parts, due + 2) + Fraction(1, 10**9)  # fmt: skip


@settings(max_examples=40)
@given(
    st.integers(1, 3000), st.integers(0, 100), st.integers(100, 5000), st.integers(1, 9000),
    st.sampled_from(["even", "poisson"]), st.integers(0, 2**40),
)  # fmt: skip
def test_a_sine_is_inverted_to_the_nanosecond(
    mean: int, percent: int, period_ms: int, length_ms: int, spacing: Spacing, seed: int
) -> None:
    amplitude, period = mean * percent / 100, period_ms / 1000
    sine = {"mean": f"{mean}/s", "amplitude": format_rate(amplitude), "period": f"{period_ms}ms"}
    times = list(due_times([stage(duration=f"{length_ms}ms", sine=sine)], spacing, seed))

    def reached(at_s: float) -> float:
        return mean * at_s + amplitude * period / math.pi * math.sin(math.pi * at_s / period) ** 2

    expected = reached(length_ms / 1000)
    if spacing == "even":
        assert abs(len(times) - expected) <= 0.5 + 1e-6
        marks = [number + 0.5 for number in range(len(times))]
    else:
        marks = draws(seed, len(times) + 1)
        assert marks.pop() >= expected - 1e-6
    assert all(earlier <= later for earlier, later in pairwise(times))
    assert all(0 <= due < length_ms * 1_000_000 for due in times)
    for due, mark in zip(times, marks, strict=True):
        assert reached((due - 1) / S) - 1e-9 <= mark <= reached((due + 2) / S) + 1e-9


def test_the_last_arrivals_of_a_day_at_3000_a_second_are_exact() -> None:
    day = Ramp(3000, 3000, 86_400 * S)
    numbers = [0, 1, 129_600_000, 259_199_998, 259_199_999]
    exact = [math.floor((number + Fraction(1, 2)) / 3000 * S) for number in numbers]
    assert day.offsets([number + 0.5 for number in numbers]) == exact


def test_nothing_adds_up_over_many_stages() -> None:
    times = list(
        due_times([stage(repeat=10_000, arrivals=[{"duration": "7ms", "rate": "0.3/s"}])], "even", 1)
    )
    # One arrival in 476 rounds: what is left of one is carried on exactly.
    exact = [math.floor((k + Fraction(1, 2)) / Fraction(0.3) * S) for k in range(21)]
    assert times == [pytest.approx(due, abs=1) for due in exact]


def test_poisson_marks_do_not_drift_over_many_stages() -> None:
    process, piece = Poisson(3), Fraction(301, 10)
    count, last = 0, Fraction(0)
    for number in range(2000):
        for block in process.below(piece):
            count, last = count + len(block), number * piece + Fraction(block[-1])
    draw = Random(3).random
    gaps = [-math.log(1.0 - draw()) for _ in range(count)]
    assert float(last) == pytest.approx(math.fsum(gaps), abs=1e-9)
    assert count == pytest.approx(60_200, abs=6 * 245)


def test_poisson_gaps_are_exponential() -> None:
    times = list(due_times([ramp(100, 100)], "poisson", 7))
    gaps = [(later - earlier) / S for earlier, later in pairwise(times)]
    mean = sum(gaps) / len(gaps)
    variance = sum((gap - mean) ** 2 for gap in gaps) / len(gaps)
    assert mean == pytest.approx(0.01, rel=0.05)
    assert math.sqrt(variance) / mean == pytest.approx(1.0, abs=0.05)
    assert times != list(due_times([ramp(100, 100)], "poisson", 8))


@given(st.integers(1, 7))
def test_shards_are_a_partition(workers: int) -> None:
    times = list(due_times([ramp(3, 50)], "poisson", 3))
    parts = [list(shard(times, index, workers)) for index in range(workers)]
    assert sorted(arrival for part in parts for arrival in part) == list(enumerate(times))
