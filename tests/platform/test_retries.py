"""Back-off: full jitter within a growing ceiling, the same in every run."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mocks.platform.retries import Backoff


def test_the_ceiling_doubles_up_to_the_cap() -> None:
    backoff = Backoff(base_ns=50, cap_ns=700)
    assert [backoff.ceiling_ns(n) for n in range(6)] == [50, 100, 200, 400, 700, 700]
    assert backoff.ceiling_ns(10_000) == 700


@given(st.text(), st.integers(0, 100), st.integers(0, 2**31))
def test_a_wait_is_within_its_ceiling_and_repeats(key: str, attempt: int, seed: int) -> None:
    backoff = Backoff(seed=seed)
    delay = backoff.delay_ns(key, attempt)
    assert 0 <= delay <= backoff.ceiling_ns(attempt)
    assert delay == Backoff(seed=seed).delay_ns(key, attempt)


def test_waits_fill_the_whole_range() -> None:
    backoff = Backoff(base_ns=1000, cap_ns=1000)
    delays = [backoff.delay_ns(f"pay_{n}", 0) for n in range(2000)]
    assert min(delays) < 20 and max(delays) > 980
    # The mean of 2,000 uniform draws, within five standard errors (1000/sqrt(12)/sqrt(2000) = 6.5).
    assert abs(sum(delays) / len(delays) - 500) < 33
