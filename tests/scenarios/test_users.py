"""Closed-loop users in a scenario: what is refused, what they add up to, and what each of them does."""

from collections import Counter

import pytest
import yaml

from paydrill.check import in_words
from scenarios.checkout import Checkout, PlanSummary, order_id, user_order_id, user_payment
from scenarios.document import ScenarioError
from scenarios.in_flight import most_waiting
from scenarios.load import Users
from scenarios.reading import parse
from scenarios.schema import Scenario
from scenarios.user_plan import Step, UserPlan

S = 1_000_000_000
HEAD = "name: drill\ngateways: {stripe: {}}\nload:\n"
USERS = (
    "  users: {count: 50, ramp: 10s, for: 60s, think_time: 1s..3s, tasks: {pay: 10, look_up: 3, refund: 1}}\n"
)


def scenario(load: str, more: str = "") -> Scenario:
    return parse(HEAD + load + more, "bad.yaml")


@pytest.mark.parametrize(
    ("load", "words"),
    [
        ("  declines: 4%\n", "nothing would be due; say arrivals, or users"),
        ("  arrivals: []\n", "nothing would be due; say arrivals, or users"),
        ("  users: {count: 5}\n", "need to know how long they go on"),
        ("  users: {count: 0, for: 9s}\n", "must be at least 1"),
        ("  users: {count: 5, for: 9}\n", "write 9s"),
        ("  users: {count: 5, for: 9s, ramp: 9s}\n", "ramp takes as long as the users go on"),
        ("  users: {count: 5, for: 9s, think_time: 3s..1s}\n", "runs backwards"),
        ("  users: {count: 5, for: 9s, think_time: 3}\n", "write 3s"),
        ("  users: {count: 5, for: 9s, tasks: {look_up: 1}}\n", "pay is missing"),
        ("  users: {count: 5, for: 9s, tasks: {pay: 1, refnd: 1}}\n", "did you mean refund?"),
        ("  users: {count: 5, for: 9s, tasks: {pay: 1.5}}\n", "whole number"),
        ("  users: {cuont: 5, for: 9s}\n", "did you mean count?"),
    ],
)
def test_users_that_cannot_be_played_are_refused(load: str, words: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        scenario(load)
    assert words in str(caught.value)


def test_users_read_back_from_their_own_dump() -> None:
    read = scenario(USERS)
    assert parse(yaml.safe_dump(read.to_plain()), "again.yaml") == read
    assert Scenario.model_validate(read.to_plain()) == read
    users = read.load.users
    assert users is not None
    assert (users.count, users.ramp, users.for_, users.think_time.low, users.think_time.high) == (
        50, 10 * S, 60 * S, S, 3 * S,
    )  # fmt: skip


def test_what_users_come_to_is_told() -> None:
    read = scenario(USERS)
    assert read.duration_ns == 60 * S
    assert most_waiting(read.load, 1) == 50
    told = "\n".join(in_words(read, PlanSummary(0, "digest")))
    assert (
        "50 users, all of them from 10s on: pay 10, look up 3, refund 1; they think 1s..3s in between" in told
    )
    assert "at most about 1,424 payments of users go to the reference platform" in told


def test_users_go_on_as_long_as_the_arrivals_or_for_themselves() -> None:
    arrivals = "  arrivals: [{duration: 20s, rate: 5/s}]\n"
    both = scenario(arrivals + "  users: {count: 5}\n")
    assert (both.duration_ns, both.load.users_end_ns) == (20 * S, 20 * S)
    longer = scenario(arrivals + "  users: {count: 5, for: 30s}\n")
    assert (longer.duration_ns, longer.load.users_end_ns) == (30 * S, 30 * S)
    shorter = scenario(arrivals + "  users: {count: 5, for: 10s}\n")
    assert (shorter.duration_ns, shorter.load.users_end_ns) == (20 * S, 10 * S)


def test_only_arrivals_decide_a_percentile_where_there_are_any() -> None:
    more = "objectives: {latency_p99: '< 800ms'}\n"
    assert scenario(USERS, more).objectives.latency_p99 is not None
    with pytest.raises(ScenarioError, match="latency_p99"):
        scenario("  arrivals: [{duration: 20s, rate: 5/s}]\n" + USERS, more)


def test_users_are_not_let_loose_on_a_sandbox() -> None:
    with pytest.raises(ScenarioError, match="limit of stripe's sandbox"):
        parse((HEAD + USERS).replace("stripe: {}", "stripe: {sandbox: {}}"), "bad.yaml")


PEOPLE = Users.model_validate(
    {"count": 9, "for": "9s", "think_time": "1s..3s", "tasks": {"pay": 10, "look_up": 3, "refund": 1}}
)


def steps(number: int, users: Users = PEOPLE, seed: int = 7, count: int = 500) -> list[Step]:
    plan = UserPlan(users, seed, number)
    return [plan.step() for _ in range(count)]


def test_what_a_user_does_depends_on_the_seed_and_its_number_alone() -> None:
    assert steps(3) == steps(3)
    assert steps(3) == steps(3, PEOPLE.model_copy(update={"count": 5000}))
    assert steps(3) != steps(4)
    assert steps(3) != steps(3, seed=8)


def test_tasks_come_by_their_weights_and_thoughts_within_their_range() -> None:
    done = [step for number in range(40) for step in steps(number)]
    counts = Counter(step.task for step in done)
    assert set(counts) == {"pay", "look_up", "refund"}
    for task, weight in (("pay", 10), ("look_up", 3), ("refund", 1)):
        share = weight / 14
        assert abs(counts[task] / len(done) - share) < 5 * (share * (1 - share) / len(done)) ** 0.5
    thoughts = [step.think_ns for step in done]
    assert S <= min(thoughts) < 1.01 * S
    assert 2.99 * S < max(thoughts) <= 3 * S
    assert abs(sum(thoughts) / len(thoughts) - 2 * S) < 0.03 * S


def test_no_payment_of_a_user_is_another_one() -> None:
    numbers = [user_payment(user, nth) for user in (0, 1, 49_999) for nth in (0, 1, 10**6)]
    assert len(set(numbers)) == 9
    assert all(2**63 <= number < 2**64 for number in numbers)  # arrivals count from 0
    orders = {user_order_id("run", user, nth) for user in range(30) for nth in range(30)}
    assert len(orders) == 900
    assert not orders & {order_id("run", number) for number in range(1000)}
    planned = Checkout(scenario(USERS).load, 1)
    bodies = {planned.payment(number, 0).body("") for number in numbers}
    assert len(bodies) == 9
