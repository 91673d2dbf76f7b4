"""Whoever joins, leaves, stalls or dies: no arrival is taken twice, and only the dead leave any behind."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from journal.clock import MILLISECOND, SECOND
from scenarios.distributed.dealing import DESERTED_NS, GRANT_NS, LOST_NS, OVERDUE_NS, Deal, Dealing
from scenarios.distributed.loss import left_behind
from scenarios.share import EVER, Share

STEP_NS = 250 * MILLISECOND
TIMES = range(0, 12 * SECOND, 40 * MILLISECOND)


@dataclass(slots=True)
class Worker:
    """A worker as the master sees it: what it took, and whether it lives and listens."""

    name: str
    share: Share = field(default_factory=lambda: Share(TIMES, granted_ns=-EVER))
    known: int = 0
    leaving: bool = False
    deaf_until_ns: int = -EVER
    dead: bool = False
    took: list[int] = field(default_factory=list)

    def follow(self, dealing: Dealing) -> None:
        for start_ns, workers in dealing.deals[self.known :]:
            index = workers.index(self.name) if self.name in workers else None
            self.share.reshard(start_ns, index, len(workers))
        self.known = len(dealing.deals)
        if self.leaving and self.name not in dealing.workers:
            self.share.end(dealing.deals[-1].start_ns)
        self.share.grant(dealing.granted_ns)

    def play(self, now_ns: int) -> None:
        """Take everything that is due, and may be taken."""
        while (due := self.share.next_due()) is not None and due <= now_ns and not self.share.withheld:
            self.took.append(self.share.take()[0])


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "kill", "stall", "master stalls", "-", "-", "-", "-"]),
        st.integers(0, 7),
        st.integers(1, 24),
    ),
    max_size=14,
)


@given(st.integers(1, 4), STEPS)
def test_no_arrival_is_doubled_and_only_the_dead_leave_any_behind(
    first: int, steps: list[tuple[str, int, int]]
) -> None:
    workers = [Worker(f"w{number}") for number in range(first)]
    now_ns = -2 * SECOND
    dealing = Dealing([worker.name for worker in workers], now_ns)
    lost: set[str] = set()
    pending = list(steps)
    while now_ns < TIMES[-1] + 25 * SECOND:
        what, which, length = pending.pop(0) if pending and now_ns >= 0 else ("-", 0, 1)
        worker = workers[which % len(workers)]
        if what == "join":
            workers.append(Worker(f"w{len(workers)}"))
            dealing.add(workers[-1].name, now_ns)
        elif what == "leave":
            worker.leaving = True
            dealing.retire(worker.name)
        elif what == "kill" and sum(not worker.dead for worker in workers) > 1:
            worker.dead = True
        elif what == "stall":
            worker.deaf_until_ns = now_ns + length * STEP_NS
        elif what == "master stalls":
            now_ns += length * STEP_NS
        now_ns += STEP_NS
        for worker in workers:
            if not worker.dead and worker.deaf_until_ns <= now_ns and dealing.heard(worker.name, now_ns):
                lost.discard(worker.name)
        lost.update(dealing.look(now_ns))
        for worker in workers:
            if not worker.dead and worker.deaf_until_ns <= now_ns:
                worker.follow(dealing)
            if not worker.dead:
                worker.play(now_ns)
    taken = sorted(number for worker in workers for number in worker.took)
    assert len(taken) == len(set(taken))
    gone = {worker.name: set(worker.took) for worker in workers if worker.dead}
    assert lost == {worker.name for worker in workers if worker.dead}
    behind = [number for _, number, _ in left_behind(TIMES, dealing.deals, dealing.granted_ns, gone)]
    known = [number for number, due in enumerate(TIMES) if due < dealing.granted_ns]
    assert sorted(taken + behind) == known
    if not lost.issuperset(dealing.workers):
        assert len(known) == len(TIMES)
    else:
        assert dealing.deserted(now_ns)


def test_the_share_of_a_worker_that_dies_moves_within_five_seconds() -> None:
    dealing = Dealing(["a", "b"], -2 * SECOND)
    died_ns, now_ns = 4 * SECOND, -2 * SECOND
    lost: tuple[str, ...] = ()
    while not lost:
        now_ns += STEP_NS
        dealing.heard("a", now_ns)
        if now_ns <= died_ns:
            dealing.heard("b", now_ns)
        lost = dealing.look(now_ns)
    assert lost == ("b",)
    assert dealing.deals[-1].workers == ("a",)
    assert dealing.deals[-1].start_ns - died_ns <= OVERDUE_NS + GRANT_NS
    assert now_ns - died_ns <= LOST_NS + 2 * STEP_NS
    # The others hear of it before the last grant runs out.
    assert dealing.deals[-1].start_ns - now_ns >= SECOND


def test_nothing_is_granted_while_a_worker_is_overdue() -> None:
    dealing = Dealing(["a", "b"], 0)
    dealing.heard("a", STEP_NS)
    dealing.look(STEP_NS)
    granted = dealing.granted_ns
    assert granted == STEP_NS + GRANT_NS
    for now_ns in range(2 * STEP_NS, OVERDUE_NS + 3 * STEP_NS, STEP_NS):
        dealing.heard("a", now_ns)
        dealing.look(now_ns)
    assert dealing.granted_ns == OVERDUE_NS + GRANT_NS
    dealing.heard("b", OVERDUE_NS + 3 * STEP_NS)
    dealing.look(OVERDUE_NS + 3 * STEP_NS)
    assert dealing.granted_ns == OVERDUE_NS + 3 * STEP_NS + GRANT_NS


def test_a_master_that_was_held_up_itself_takes_nobody_for_lost() -> None:
    dealing = Dealing(["a", "b"], 0)
    assert dealing.look(20 * SECOND) == ()
    assert dealing.workers == ("a", "b")


def test_who_was_taken_for_lost_and_is_heard_of_again_is_dealt_in_again() -> None:
    dealing = Dealing(["a", "b"], 0)
    for now_ns in range(0, 4 * SECOND, STEP_NS):
        dealing.heard("a", now_ns)
        dealing.look(now_ns)
    assert [deal.workers for deal in dealing.deals] == [("a", "b"), ("a",)]
    assert dealing.heard("b", 4 * SECOND)
    assert not dealing.heard("b", 4 * SECOND)
    assert [deal.workers for deal in dealing.deals] == [("a", "b"), ("a",), ("a", "b")]


def test_when_all_are_lost_nothing_is_dealt_or_granted_until_one_is_back() -> None:
    dealing = Dealing(["a"], 0)
    for now_ns in range(0, 4 * SECOND, STEP_NS):
        dealing.look(now_ns)
    assert dealing.deals == [Deal(0, ("a",))]
    granted = dealing.granted_ns
    assert not dealing.deserted(DESERTED_NS)
    assert dealing.deserted(DESERTED_NS + 1)
    dealing.look(4 * SECOND)
    assert dealing.granted_ns == granted
    dealing.heard("a", 4 * SECOND)
    dealing.look(4 * SECOND)
    assert dealing.granted_ns == 4 * SECOND + GRANT_NS


def test_left_behind_is_what_the_gone_were_dealt_and_did_not_record() -> None:
    deals = [Deal(0, ("a", "b")), Deal(50, ("a",)), Deal(80, ("a", "c"))]
    found = list(left_behind(range(0, 120, 10), deals, 110, {"b": {1}, "c": set()}))
    assert found == [("b", 3, 30), ("c", 9, 90)]
