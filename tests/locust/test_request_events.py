"""Locust hears of every payment once: told at once, its statistics are those of single events."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
ERRORS = ["", "", "", "connection refused", "time-out after 5 s"]

Payment = tuple[str, int | None, int, str]


def some(draw: random.Random, count: int) -> list[Payment]:
    """Payments of every magnitude of latency, some without an answer."""
    return [
        (
            draw.choice(["card", "paypal", "bank"]),
            None if draw.random() < 0.1 else int(10 ** draw.uniform(3, 11)),
            draw.randrange(5000),
            draw.choice(ERRORS),
        )
        for _ in range(count)
    ]


@pytest.fixture(scope="module")
def cases() -> list[list[list[Payment]]]:
    draw = random.Random(1)
    edges: list[Payment] = [
        ("card", 0, 0, ""),
        ("card", 99_500_000, 1, ""),
        ("card", 99_499_999, 1, ""),
        ("card", 994_999_999, 1, ""),
        ("bank", None, 0, "connection reset"),
    ]
    return [[[]], [edges], [some(draw, 1), some(draw, 130)], [some(draw, 60), [], some(draw, 7)]]


@pytest.fixture(scope="module")
def told(cases: list[list[list[Payment]]]) -> list[dict[str, Any]]:
    # A process of its own: Locust patches the standard library as soon as it is imported.
    done = subprocess.run(
        [sys.executable, "-m", "tests.locust.told"],
        input=json.dumps(cases) + "\n",
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert done.returncode == 0, done.stderr
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def test_merged_they_are_the_statistics_of_single_events(
    told: list[dict[str, Any]], cases: list[list[list[Payment]]]
) -> None:
    for found, parts in zip(told, cases, strict=True):
        assert found["merged"] == found["single"]
        assert found["merged"]["total"]["requests"] == sum(map(len, parts))


def test_another_listener_hears_of_every_payment_once(
    told: list[dict[str, Any]], cases: list[list[list[Payment]]]
) -> None:
    for found, parts in zip(told, cases, strict=True):
        assert found["heard"] == [
            [
                "PAY",
                method,
                None if latency is None else latency / 1e6,
                received,
                f"PaymentError: {error}" if error else None,
            ]
            for part in parts
            for method, latency, received, error in part
        ]


def test_a_listener_that_fails_keeps_no_payment_from_locust(told: list[dict[str, Any]]) -> None:
    for found in told:
        assert found["broken"] == found["merged"]
