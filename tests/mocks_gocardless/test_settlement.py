"""Timed settlement: the days of every scheme, by a clock that the test puts forward."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from gocardless_pro import errors  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.gocardless import working_days
from mocks.gateways.gocardless.application import GoCardless
from mocks.gateways.gocardless.diary import PORTION, Diary
from mocks.gateways.gocardless.schemes import SCHEMES, Scheme
from mocks.latency import Latency
from mocks.mock_clock import MockClock
from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import (
    client,
    events,
    exchange_of,
    mandate,
    moved,
    named,
    pay,
    refund,
    simulate,
)

MONDAY_NOON = datetime(2029, 1, 8, 12, tzinfo=UTC).timestamp()
DAY = 86_400.0


class Timed:
    """A gateway where time moves things; it is noon of a Monday, and no time passes by itself that counts."""

    def __init__(self) -> None:
        self.running = Running("gocardless", settlement="timed")

    def __enter__(self) -> Timed:
        self.running.__enter__()
        self.sdk = client(self.running)
        self.clock = self.running.gateway.mock_clock
        self.until(MONDAY_NOON)
        return self

    def __exit__(self, *error: Any) -> None:
        self.running.__exit__(*error)

    def until(self, seconds: float) -> None:
        self.running.thread.call(lambda: self.clock.advance(seconds - self.clock.now()))

    def at(self, day: int, hour: int) -> None:
        """Put the clock to an hour of a day, counted from that Monday."""
        self.until(MONDAY_NOON + day * DAY + (hour - 12) * 3600)


@pytest.fixture
def timed() -> Iterator[Timed]:
    with Timed() as timed:
        yield timed


def test_a_bacs_payment_takes_its_days(timed: Timed) -> None:
    sdk = timed.sdk
    agreed = mandate(sdk)
    payment = pay(sdk, agreed.id, "bacs")
    assert (payment.status, payment.charge_date) == ("pending_submission", "2029-01-11")
    seen = []
    for day, hour in [(1, 15), (1, 17), (4, 11), (4, 13), (7, 8), (7, 10), (7, 15)]:
        timed.at(day, hour)
        payment = sdk.payments.get(payment.id)
        seen.append((day, hour, payment.status, len(moved(timed.running, "bacs"))))
    assert seen == [
        (1, 15, "pending_submission", 0),
        (1, 17, "submitted", 0),
        (4, 11, "submitted", 0),
        (4, 13, "confirmed", 1),  # Friday
        (7, 8, "confirmed", 1),  # Monday
        (7, 10, "paid_out", 1),
        (7, 15, "paid_out", 1),
    ]
    payout = sdk.payouts.get(payment.links.payout)
    assert (payout.status, payout.arrival_date, payout.amount) == ("paid", "2029-01-15", 1257)
    assert [action for _, action, _ in events(sdk, payment=payment.id)] == [
        "created",
        "submitted",
        "confirmed",
        "paid_out",
    ]
    assert [e.created_at[:16] for e in sdk.events.all(params={"payout": payout.id})] == [
        "2029-01-15T14:00",
        "2029-01-15T09:00",
    ]


def test_a_payout_is_in_the_ledger_when_it_is_paid(timed: Timed) -> None:
    payment = pay(timed.sdk, mandate(timed.sdk).id, "arrive")
    timed.at(7, 10)
    (payout,) = timed.sdk.payouts.all()
    assert payout.status == "pending" and events(timed.sdk, resource_type="payouts") == []
    with pytest.raises(errors.InvalidStateError):
        simulate(timed.sdk, "payout_bounced", payout.id)

    def kinds() -> list[tuple[str, int]]:
        return [(movement.kind, movement.amount_minor) for movement in timed.running.movements]

    assert kinds() == [("capture", 1290)]
    timed.at(7, 15)
    assert kinds() == [("capture", 1290), ("fee", 33), ("payout", 1257)]
    assert timed.sdk.payouts.get(payout.id).status == "paid"
    assert events(timed.sdk, payout=payout.id) == [
        ("payments", "paid_out", "payment_paid_out"),
        ("payouts", "paid", "payout_paid"),
    ]
    assert timed.sdk.payments.get(payment.id).links.payout == payout.id


def test_a_new_bacs_mandate_is_active_in_two_days_and_its_payments_wait(timed: Timed) -> None:
    sdk = timed.sdk
    agreed = mandate(sdk, active=False)
    assert agreed.next_possible_charge_date == "2029-01-12"
    payment = pay(sdk, agreed.id, "first")
    assert payment.charge_date == "2029-01-12"
    seen = []
    for day, hour in [(0, 15), (0, 17), (2, 11), (2, 13), (2, 17), (7, 13), (8, 15)]:
        timed.at(day, hour)
        seen.append((sdk.mandates.get(agreed.id).status, sdk.payments.get(payment.id).status))
    assert seen == [
        ("pending_submission", "pending_submission"),
        ("submitted", "pending_submission"),
        ("submitted", "pending_submission"),
        ("active", "pending_submission"),
        ("active", "submitted"),
        ("active", "confirmed"),
        ("active", "paid_out"),
    ]
    assert sdk.mandates.get(agreed.id).next_possible_charge_date == "2029-01-19"


def test_a_sepa_mandate_goes_with_its_first_payment(timed: Timed) -> None:
    agreed = mandate(timed.sdk, "EUR")
    timed.at(9, 12)
    assert timed.sdk.mandates.get(agreed.id).status == "pending_submission"
    payment = pay(timed.sdk, agreed.id, "sepa", currency="EUR")
    timed.at(10, 17)
    assert timed.sdk.mandates.get(agreed.id).status == "submitted"
    timed.at(15, 13)
    assert timed.sdk.mandates.get(agreed.id).status == "active"
    assert timed.sdk.payments.get(payment.id).status == "confirmed"


def test_nothing_moves_by_itself_unless_asked(running: Running, sdk: Any) -> None:
    payment = pay(sdk, mandate(sdk, active=False).id, "still")
    clock = running.gateway.mock_clock
    running.thread.call(lambda: clock.advance(365 * DAY))
    assert sdk.payments.get(payment.id).status == "pending_submission"
    assert sdk.mandates.get(payment.links.mandate).status == "pending_submission"


def test_charge_dates_are_working_days_and_possible(timed: Timed) -> None:
    sdk = timed.sdk
    agreed = mandate(sdk)

    def on(day: str) -> Any:
        asked = {"amount": 500, "currency": "GBP", "charge_date": day, "links": {"mandate": agreed.id}}
        return sdk.payments.create(params=asked)

    assert on("2029-01-13").charge_date == "2029-01-15", "a Saturday is rolled forward"
    for wrong in ("2029-01-10", "2029-02-30", "tomorrow", "20290113"):
        with pytest.raises(errors.ValidationFailedError) as refused:
            on(wrong)
        assert refused.value.errors[0]["field"] == "charge_date"
    later = on("2029-02-01")
    timed.at(21, 17)
    assert sdk.payments.get(later.id).status == "pending_submission"
    timed.at(22, 17)
    assert sdk.payments.get(later.id).status == "submitted"


def test_from_four_in_the_afternoon_it_is_the_next_day(timed: Timed) -> None:
    agreed = mandate(timed.sdk)
    timed.at(0, 16)
    assert pay(timed.sdk, agreed.id, "late").charge_date == "2029-01-12"


def test_what_a_simulator_has_moved_is_not_moved_again(timed: Timed) -> None:
    sdk = timed.sdk
    agreed = mandate(sdk)
    failed, paid, gone = (pay(sdk, agreed.id, order) for order in ("failed", "paid", "gone"))
    timed.at(1, 17)
    simulate(sdk, "payment_failed", failed.id)
    simulate(sdk, "payment_paid_out", paid.id)
    again = sdk.payments.retry(failed.id)
    assert again.charge_date == "2029-01-15"
    timed.at(4, 13)
    # The first attempt would be confirmed now; the second is on its way.
    assert sdk.payments.get(failed.id).status == "submitted"
    timed.at(30, 13)
    assert sdk.payments.get(failed.id).status == "paid_out"
    for order in ("failed", "paid", "gone"):
        assert moved(timed.running, order) == [("capture", 1290)]
    assert sdk.payments.get(gone.id).status == "paid_out"
    assert len(timed.running.gateway.settlement.diary) == 0  # type: ignore[attr-defined]


def test_a_cancelled_payment_stays_cancelled(timed: Timed) -> None:
    payment = pay(timed.sdk, mandate(timed.sdk).id, "cancelled")
    timed.sdk.payments.cancel(payment.id)
    timed.at(30, 0)
    assert timed.sdk.payments.get(payment.id).status == "cancelled"
    assert moved(timed.running, "cancelled") == []


@pytest.mark.parametrize(
    ("name", "status", "actions", "money"),
    [
        ("Penniless", "failed", ["submitted", "failed"], []),
        ("Late", "failed", ["submitted", "confirmed", "failed"], ["capture", "dispute"]),
        (
            "Fickle",
            "charged_back",
            ["submitted", "confirmed", "paid_out", "charged_back"],
            ["capture", "dispute"],
        ),
        ("Successful", "paid_out", ["submitted", "confirmed", "paid_out"], ["capture"]),
    ],
)
@pytest.mark.parametrize("by_time", [False, True])
def test_customers_whose_name_decides(
    by_time: bool, name: str, status: str, actions: list[str], money: list[str]
) -> None:
    with Running("gocardless", settlement="timed" if by_time else None) as running:
        sdk, clock = client(running), running.gateway.mock_clock
        agreed = named(sdk, name)
        running.thread.call(lambda: clock.advance(10 * DAY if by_time else 1))
        assert sdk.mandates.get(agreed.id).status == "active"
        payment = pay(sdk, agreed.id, name)
        assert payment.status == "pending_submission"
        running.thread.call(lambda: clock.advance(30 * DAY if by_time else 1))
        assert sdk.payments.get(payment.id).status == status
        assert [e[1] for e in events(sdk, payment=payment.id)] == ["created", *actions]
        assert [kind for kind, _ in moved(running, name)] == money


@pytest.mark.parametrize("by_time", [False, True])
def test_an_invalid_customers_mandate_fails_with_what_is_pending(by_time: bool) -> None:
    with Running("gocardless", settlement="timed" if by_time else None) as running:
        sdk, clock = client(running), running.gateway.mock_clock
        agreed = named(sdk, "Invalid")
        payment = pay(sdk, agreed.id, "invalid")
        running.thread.call(lambda: clock.advance(30 * DAY if by_time else 1))
        assert sdk.mandates.get(agreed.id).status == "failed"
        assert sdk.payments.get(payment.id).status == "cancelled"


def test_a_refund_reaches_its_customer_in_two_days_and_the_next_payout_bears_it(timed: Timed) -> None:
    sdk = timed.sdk
    agreed = mandate(sdk)
    payment = pay(sdk, agreed.id, "refunded")
    timed.at(4, 13)
    given = refund(sdk, payment.id, 500)
    seen = []
    for day, hour in [(4, 15), (4, 17), (8, 11), (8, 13)]:
        timed.at(day, hour)
        seen.append(sdk.refunds.get(given.id).status)
    assert seen == ["pending_submission", "submitted", "submitted", "paid"]
    (payout,) = sdk.payouts.all()
    assert payout.amount == 1290 - 33 - 500 and payout.deducted_fees == 33
    assert events(sdk, refund=given.id) == [
        ("refunds", "created", "payment_refunded"),
        ("refunds", "refund_settled", "refund_settled"),
        ("refunds", "paid", "refund_paid"),
    ]


def test_a_reinstated_mandate_takes_its_days_again(timed: Timed) -> None:
    sdk = timed.sdk
    agreed = mandate(sdk)
    sdk.mandates.cancel(agreed.id)
    assert sdk.mandates.reinstate(agreed.id).status == "pending_submission"
    payment = pay(sdk, agreed.id, "reinstated")
    assert payment.charge_date == "2029-01-12"
    timed.at(2, 13)
    assert sdk.mandates.get(agreed.id).status == "active"
    assert [e[1] for e in events(sdk, mandate=agreed.id)][-3:] == [
        "resubmission_requested",
        "submitted",
        "reinstated",
    ]


def test_payments_of_many_currencies_have_payouts_of_their_own(timed: Timed) -> None:
    sdk = timed.sdk
    pounds, euros = mandate(sdk), mandate(sdk, "EUR")
    for number in range(3):
        pay(sdk, pounds.id, f"p{number}", 1000 + number)
        pay(sdk, euros.id, f"e{number}", 2000 + number, currency="EUR")
    timed.at(30, 0)
    assert sorted((p.currency, p.amount, p.deducted_fees) for p in sdk.payouts.all()) == [
        ("EUR", 6003 - 120, 120),
        ("GBP", 3003 - 90, 90),
    ]


def test_on_a_fast_clock_a_debit_settles_in_a_moment() -> None:
    with Running("gocardless", settlement="timed", clock_speed=1_000_000) as running:
        sdk = client(running)
        payment = pay(sdk, mandate(sdk, "EUR").id, "fast", currency="EUR")
        ledger = running.gateway.ledger
        running.until(lambda: any(m.kind == "payout" for m in ledger), "the payout was paid")
        assert sdk.payments.get(payment.id).status == "paid_out"
        assert [kind for kind, _ in moved(running, "fast")] == ["capture"]


@pytest.mark.parametrize("plan", [{"settlement": "tomorrow"}, {"clock_speed": 0}])
def test_wrong_plans_are_refused(plan: dict[str, Any]) -> None:
    running = Running("gocardless", **plan)
    with running.thread, pytest.raises(ValueError, match=r"no settlement|a speed"):
        running.thread.wait(running.service.start(running.plan))


def test_other_gateways_have_no_such_choice() -> None:
    running = Running("stripe", settlement="timed")
    with running.thread, pytest.raises(ValueError, match="settles by the clock"):
        running.thread.wait(running.service.start(running.plan))


# Days.


@given(st.integers(0, 40_000), st.integers(-15, 15))
def test_working_days_go_forth_and_back(day: int, days: int) -> None:
    start = working_days.roll_forward(day)
    there = working_days.later(day, days)
    assert working_days.is_working(there) and working_days.later(there, -days) == start
    weekdays = sum(working_days.is_working(d) for d in range(min(start, there), max(start, there)))
    assert weekdays == abs(days)


@given(st.dates(datetime(1970, 1, 1).date(), datetime(9999, 12, 31).date()))
def test_days_are_written_and_read(day: Any) -> None:
    number = working_days.number(day.isoformat())
    assert number is not None and working_days.text(number) == day.isoformat()
    assert working_days.is_working(number) == (day.weekday() < 5)
    assert day == datetime(1970, 1, 1).date() + timedelta(days=number)


@pytest.mark.parametrize("scheme", SCHEMES, ids=lambda scheme: str(scheme.name))
def test_the_steps_of_every_scheme_come_in_order(scheme: Scheme) -> None:
    days = scheme.days
    assert days.submitted <= days.charged <= days.confirmed < days.paid_out and days.mandate > 0
    assert 0 < scheme.least_minor < scheme.most_minor


# Many.


def test_a_diary_does_everything_once_in_portions_with_one_timer() -> None:
    clock = MockClock(lambda: 0.0)
    diary, done = Diary(clock), list[tuple[float, int]]()
    sizes = []

    def step(due: float, numbers: list[int]) -> None:
        sizes.append(len(numbers))
        done.extend((due, number) for number in numbers)

    for number in range(2 * PORTION + 1):
        diary.enter(20.0, step, number)
        diary.enter(10.0, step, -number)
    assert len(diary) == 4 * PORTION + 2
    assert sum(not timer.canceled for *_, timer in clock._timers) == 1
    assert clock.advance(15) == 3 and sizes == [PORTION, PORTION, 1]
    assert done == [(10.0, -number) for number in range(2 * PORTION + 1)]
    clock.advance(15)
    assert len(done) == 4 * PORTION + 2 and len(diary) == 0 and done[-1] == (20.0, 2 * PORTION)


def test_a_step_that_breaks_does_not_stop_the_others() -> None:
    clock = MockClock(lambda: 0.0)
    diary, done = Diary(clock), list[int]()
    diary.enter(1.0, lambda due, subjects: [][0], 1)
    diary.enter(2.0, lambda due, subjects: done.extend(subjects), 2)
    with pytest.raises(IndexError):
        clock.advance(1)
    clock.advance(1)
    assert done == [2]


def test_thousands_of_payments_settle_with_one_timer_and_add_up() -> None:
    gateway = GoCardless("gocardless", Latency(0, 0), 7)
    gateway.settle_by_time()

    def post(path: str, kind: str, values: dict[str, Any]) -> str:
        exchange = exchange_of("POST", path, {kind: values})
        gateway(exchange)
        assert exchange.reply is not None and b" 201 " in exchange.reply[:20]
        return exchange.reply.rpartition(b'{"' + kind.encode() + b'":{"id":"')[2][:15].decode()

    customer = post("/customers", "customers", {"company_name": "x"})
    bank = {
        "account_holder_name": "x",
        "iban": "DE89370400440532013000",
        "links": {"customer": customer},
    }
    account = post("/customer_bank_accounts", "customer_bank_accounts", bank)
    agreed = post("/mandates", "mandates", {"links": {"customer_bank_account": account}})
    asked = {"amount": 1290, "currency": "EUR", "links": {"mandate": agreed}}
    count = 3 * PORTION + 7
    for _ in range(count):
        post("/payments", "payments", asked)
    timers = [timer for *_, timer in gateway.mock_clock._timers if not timer.canceled]
    assert len(timers) == 1
    start = time.monotonic_ns()
    gateway.mock_clock.advance(14 * DAY)
    assert start <= min(m.at_ns for m in gateway.ledger)
    sums: dict[str, int] = {}
    for movement in gateway.ledger:
        sums[movement.kind] = sums.get(movement.kind, 0) + movement.amount_minor
    assert sums == {"capture": count * 1290, "fee": count * 33, "payout": count * 1257}
    assert {payment.status for payment in gateway.payments.all} == {"paid_out"}
