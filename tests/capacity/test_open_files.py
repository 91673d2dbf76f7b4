"""A rate that this machine's limits cannot carry is said before the start."""

import resource
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from paydrill.__main__ import app
from paydrill.open_files import in_words, problems
from scenarios.capacity import Machine
from scenarios.file_limit import OWN_FILES, files_of_worker, too_few_files
from scenarios.in_flight import most_due_within, most_waiting
from scenarios.reading import load_scenario
from scenarios.schema import Scenario

S = 1_000_000_000


def scenario(*settings: str) -> Scenario:
    return load_scenario(
        "steady_state",
        [
            "load.arrivals=[{duration: 20s, rate: 1000/s}]",
            "load.spacing=even",
            "probes=[]",
            "objectives={}",
            *settings,
        ],
    )


def machine(open_files: int = 1 << 20, ports: int = 28_232) -> Machine:
    return Machine(cores=2, memory_bytes=2**34, open_files=open_files, ports=ports)


@given(st.lists(st.integers(0, 50)).map(sorted), st.integers(1, 60))
def test_the_fullest_window_is_found(times: list[int], window: int) -> None:
    by_hand = max((sum(start <= at < start + window for at in times) for start in times), default=0)
    assert most_due_within(times, window) == by_hand


def test_customers_wait_for_the_time_out() -> None:
    assert most_waiting(scenario().load, 1) == pytest.approx(5000, abs=1)
    assert most_waiting(scenario("load.timeout=100ms").load, 1) == pytest.approx(100, abs=1)
    ramp = scenario("load.arrivals=[{duration: 10s, rate: 0/s..1000/s}]").load
    # The last 5 of 10 s: (500 + 1000) / 2 x 5.
    assert most_waiting(ramp, 1) == pytest.approx(3750, abs=1)


@pytest.mark.parametrize(
    ("limit", "processes", "words"),
    [
        (4000 + OWN_FILES, 1, []),
        (4000 + OWN_FILES - 1, 1, ["--processes 2, or set load.max_in_flight to 3,999"]),
        (2000 + OWN_FILES, 2, []),
        (2000 + OWN_FILES - 1, 2, ["--processes 3, or set load.max_in_flight to 3,998"]),
        (1024, 1, ["needs 4,064 file descriptors, and a process may have 1,024 here; raise the limit (ulimit -Hn 4064"]),
        (OWN_FILES, 1, ["may open only 64 files"]),
    ],
)  # fmt: skip
def test_workers_need_a_descriptor_a_payment(limit: int, processes: int, words: list[str]) -> None:
    drilled = scenario("platform={url: 'http://127.0.0.1:1'}", "gateways={}")
    found = problems(drilled, most_waiting(drilled.load, 1), processes, machine(limit))
    assert len(found) == len(words)
    assert all(word in sentence for word, sentence in zip(words, found, strict=True))


def test_what_a_worker_opens_is_its_part_rounded_up() -> None:
    load = scenario().load
    assert files_of_worker(load, 100, 3) == 34 + OWN_FILES
    assert files_of_worker(load, 5000, 1) == load.max_in_flight + OWN_FILES
    assert too_few_files(2000, 2000) == ""
    assert "may open 1,999 files, and needs 2,000" in too_few_files(2000, 1999)


def test_the_reference_platform_needs_two() -> None:
    drilled = scenario()
    assert problems(drilled, 5000, 8, machine(8000 + OWN_FILES)) == []
    (found,) = problems(drilled, 5000, 8, machine(8000 + OWN_FILES - 1))
    assert "the reference platform then needs 8,064" in found and "max_in_flight to 3,999" in found


def test_ports_count_too() -> None:
    assert problems(scenario(), 5000, 1, machine(ports=4000)) == []
    (found,) = problems(scenario(), 5000, 1, machine(ports=3999))
    assert "this machine has 3,999 ports" in found


def test_few_payments_in_flight_need_few_descriptors() -> None:
    assert problems(scenario("load.max_in_flight=100"), 5000, 1, machine(300)) == []
    assert problems(scenario(), 50, 1, machine(300)) == []


def test_what_would_not_be_sent_is_said() -> None:
    said = in_words(scenario(), 5000)
    assert "5,000 payments would be in flight after 5s; load.max_in_flight is 4,000" in said
    assert "INCONCLUSIVE" in said
    assert in_words(scenario(), 4000).endswith("4,000 payments would be in flight after 5s")


def limited(files: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))


def test_a_limit_of_the_system_is_met_before_the_start(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paydrill", "run", "steady_state", "--set", "load.timeout=30s"]
    done = subprocess.run(
        [*command, "--out", str(tmp_path / "runs"), "--quiet"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        preexec_fn=limited(1000),
    )
    assert done.returncode == 4
    assert "a load worker then needs" in done.stderr and "may have 1,000 here" in done.stderr
    assert "ulimit -Hn" in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("runs/*"))


def test_check_says_what_this_machine_cannot_carry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("paydrill.check.this_machine", lambda: machine(1000))
    arguments = ["check", "steady_state", "--set", "load.timeout=30s"]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 4
    assert "a load worker then needs" in done.stderr and "may have 1,000 here" in done.stderr
    assert "payments would be in flight after 30s" in done.stdout
    assert "a load worker" not in CliRunner().invoke(app, [*arguments, "--processes", "8"]).stderr
