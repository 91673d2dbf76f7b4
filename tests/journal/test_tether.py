"""The two ends of a tether understand each other, and notice when the other is gone."""

import pytest

from journal.tether import Tether, TetherBrokenError


def test_messages_pass_both_ways_in_order() -> None:
    ours, end = Tether.pair()
    theirs = Tether(end)
    ours.send({"plan": {"port": 0}})
    ours.send({"go": {"epoch_ns": 5}})
    assert theirs.receive() == {"plan": {"port": 0}}
    theirs.send({"ready": {"port": 12111}})
    assert theirs.receive() == {"go": {"epoch_ns": 5}}
    assert ours.receive(timeout=1) == {"ready": {"port": 12111}}
    ours.close()
    with pytest.raises(TetherBrokenError):
        theirs.receive()
    with pytest.raises(TetherBrokenError):
        theirs.send({"ready": {}})
    theirs.close()


def test_silence_is_told_from_a_broken_tether() -> None:
    ours, end = Tether.pair()
    theirs = Tether(end)
    with pytest.raises(TimeoutError):
        ours.receive(timeout=0.01)
    theirs.close()
    with pytest.raises(TetherBrokenError):
        ours.receive(timeout=1)
    ours.close()
