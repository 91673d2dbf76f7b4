"""What goes out of an answer, and in which order, whatever the answer is."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from mocks.faults import FAULTS
from mocks.faults.transmission_fault import TransmissionFault
from mocks.gateways import GATEWAYS
from mocks.latency import Latency
from mocks.transmission import Act, Step
from tests.socket_faults.faulty import MS, plan

HEAD = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"
bodies = st.one_of(st.just(b""), st.binary(max_size=3000))


def steps(fault: str, body: bytes, *, number: int = 0, seed: int = 7, **params: Any) -> list[Step]:
    gateway = GATEWAYS["stripe"].make("stripe", Latency(0, 0), seed)
    made = FAULTS[fault](plan(fault, **params), gateway, seed)
    assert isinstance(made, TransmissionFault)
    return list(made.steps(number, HEAD, body))


def sent(all_steps: list[Step]) -> bytes:
    return b"".join(step for step in all_steps if isinstance(step, bytes))


@given(bodies, st.floats(0.5, 1e7))
def test_bandwidth_sends_all_at_its_rate(body: bytes, rate: float) -> None:
    taken = steps("bandwidth", body, rate=rate)
    assert sent(taken) == HEAD + body
    waited = out = 0
    for step in taken:
        if isinstance(step, int):
            waited += step
        elif isinstance(step, bytes):
            out += len(step)
            assert abs(waited - out / rate * 1e9) <= len(taken)  # a nanosecond is lost in each
    pieces = [step for step in taken if isinstance(step, bytes)]
    assert max(map(len, pieces)) <= max(1, rate / 50)


@given(bodies, st.integers(1, 500), st.integers(0, 1000), st.integers(0, 2**64))
def test_slicer_sends_all_in_pieces_drawn_from_the_seed(
    body: bytes, size: int, number: int, seed: int
) -> None:
    taken = steps("slicer", body, number=number, seed=seed, size=size, pause=MS)
    assert taken[0] == HEAD and sent(taken) == HEAD + body
    pieces = [step for step in taken[1:] if isinstance(step, bytes)]
    assert all(1 <= len(piece) <= 2 * size - 1 for piece in pieces)
    assert taken[1::2] == [MS] * len(pieces)
    assert taken == steps("slicer", body, number=number, seed=seed, size=size, pause=MS)


def test_slices_differ_from_answer_to_answer_and_have_their_mean() -> None:
    sizes = [
        [len(step) for step in steps("slicer", bytes(20_000), number=number) if isinstance(step, bytes)][1:-1]
        for number in (0, 1)
    ]
    assert sizes[0] != sizes[1]
    # The mean of some 1250 draws from 1 to 31 has a standard deviation of 0.25.
    assert all(abs(sum(drawn) / len(drawn) - 16) < 1.5 for drawn in sizes)


@given(bodies, st.floats(0, 1, exclude_max=True), st.sampled_from(["close", "reset"]))
def test_a_truncated_answer_is_always_less_than_whole(body: bytes, keep: float, end: str) -> None:
    taken = steps("truncated_body", body, keep=keep, end=end)
    assert taken[-1] == Act(end)
    out = sent(taken)
    assert (HEAD + body).startswith(out) and len(out) < len(HEAD + body)
    if body:
        assert len(out) == len(HEAD) + int(len(body) * keep)


@given(bodies)
def test_a_reset_in_the_body_comes_before_its_end(body: bytes) -> None:
    taken = steps("reset", body, when="body")
    assert taken[-1] == Act.RESET and (HEAD + body).startswith(sent(taken)) and sent(taken) != HEAD + body


@given(bodies)
def test_a_slow_close_sends_all_before_it_waits(body: bytes) -> None:
    assert steps("slow_close", body, delay=MS) == [Act.STOP_READING, HEAD + body, MS, Act.CLOSE]
