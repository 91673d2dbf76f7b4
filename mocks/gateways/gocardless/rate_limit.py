"""GoCardless' rate limit and its headers."""

from __future__ import annotations

from email.utils import formatdate

from mocks.gateways.rate_limit import Limit, Limits, RateLimit

LIMITS = Limits(Limit(1000, period_s=60.0, windowed=True))
"""Requests that one integration may make in a minute (second-hand); that the windows stand still is
assumed."""


LIMIT_HEADER = "ratelimit-limit"


def used_up(requests: int, resets_at: float) -> tuple[tuple[str, str], ...]:
    """The same headers of a limit of which nothing is left until ``resets_at``, in Unix seconds."""
    return (
        (LIMIT_HEADER, str(requests)),
        ("ratelimit-remaining", "0"),
        ("ratelimit-reset", formatdate(resets_at, usegmt=True)),
    )


def headers(rate_limit: RateLimit) -> tuple[tuple[str, str], ...]:
    """``ratelimit-limit``, ``-remaining`` and ``-reset``, the time at which the window ends."""
    return (
        (LIMIT_HEADER, str(rate_limit.limits.whole.requests)),
        ("ratelimit-remaining", str(rate_limit.left())),
        ("ratelimit-reset", formatdate(rate_limit.resets_at(), usegmt=True)),
    )
