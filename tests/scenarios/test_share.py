"""What the workers take together is every arrival once, however often the arrivals are dealt anew."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scenarios.share import EVER, Share, of


def taken(share: Share) -> list[tuple[int, int]]:
    out = []
    while share.next_due() is not None and not share.withheld:
        out.append(share.take())
    return out


@given(st.lists(st.integers(0, 1000), max_size=60).map(sorted), st.integers(1, 7))
def test_shares_that_never_change_are_the_arrivals_dealt_in_turn(times: list[int], workers: int) -> None:
    for index in range(workers):
        expected = [(n, due) for n, due in enumerate(times) if n % workers == index]
        assert taken(of(iter(times), index, workers)) == expected


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[int], list[tuple[int, tuple[int, ...], list[int]]]]:
    """Arrivals, and steps: (granted until, who is there behind it, who looks at its share in which order)."""
    times = sorted(draw(st.lists(st.integers(0, 300), max_size=80)))
    steps = []
    granted = 0
    for _ in range(draw(st.integers(0, 6))):
        granted += draw(st.integers(0, 80))
        there = tuple(draw(st.sets(st.integers(0, 4), min_size=1)))
        steps.append((granted, there, draw(st.lists(st.integers(0, 4), max_size=8))))
    return times, steps


@given(histories())
def test_every_arrival_is_taken_once_whoever_joins_and_leaves(
    history: tuple[list[int], list[tuple[int, tuple[int, ...], list[int]]]],
) -> None:
    times, steps = history
    shares = [Share(iter(times), granted_ns=0) for _ in range(5)]
    took: list[list[tuple[int, int]]] = [[] for _ in shares]
    for granted, there, looks in steps:
        for worker, share in enumerate(shares):
            share.reshard(share.granted_ns, there.index(worker) if worker in there else None, len(there))
            share.grant(granted)
        for worker in looks:
            took[worker] += taken(shares[worker])
    if not steps:
        shares[0].reshard(0, 0, 1)
    for share, own in zip(shares, took, strict=True):
        share.grant(10_000)
        own += taken(share)
        assert share.next_due() is None
        assert own == sorted(own)
    assert sorted(pair for own in took for pair in own) == list(enumerate(times))


def test_an_arrival_that_is_not_granted_can_be_seen_and_not_taken() -> None:
    share = Share(iter([10, 20, 30]), granted_ns=15)
    share.reshard(0, 0, 1)
    assert share.next_due() == 10
    assert not share.withheld
    assert share.take() == (0, 10)
    assert share.next_due() == 20
    assert share.withheld
    with pytest.raises(LookupError):
        share.take()
    share.reshard(20, None, 1)
    share.reshard(21, 0, 1)
    share.grant(31)
    assert share.next_due() == 30
    assert share.take() == (2, 30)
    assert share.next_due() is None
    assert not share.withheld


def test_what_was_granted_is_not_dealt_anew() -> None:
    share = Share(iter([10, 20, 30]), granted_ns=20)
    share.reshard(0, 0, 1)
    share.next_due()
    with pytest.raises(ValueError, match="granted until 20 ns and cannot be dealt anew from 19 on"):
        share.reshard(19, 0, 2)
    share.reshard(20, 1, 2)
    share.grant(EVER)
    with pytest.raises(ValueError, match="dealt anew"):
        share.reshard(25, 0, 2)
    assert taken(share) == [(0, 10), (1, 20)]


def test_a_share_that_is_ended_is_over_at_that_time() -> None:
    share = Share(iter([10, 20, 30]), granted_ns=25)
    share.reshard(0, 0, 1)
    share.end(20)
    assert taken(share) == [(0, 10)]
    assert share.next_due() is None
    assert not share.withheld


def test_who_joins_late_passes_over_what_was_due_before_in_parts() -> None:
    share = Share(range(100), granted_ns=-1)
    share.reshard(0, None, 1)
    share.reshard(90, 1, 2)
    share.grant(95)
    parts = 0
    while not share.pass_over(20):
        parts += 1
    assert parts == 4
    assert taken(share) == [(91, 91), (93, 93)]
    assert share.next_due() == 95
    assert share.withheld
