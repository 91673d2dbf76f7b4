from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from journal.records import Intent, PlatformEntry
from reports.entries import differences
from reports.findings import Money, Settlement
from reports.money import money
from reports.orders import join_orders
from reports.run_folder import open_run
from reports.views import views_of
from tests.reports.drill import Drill, S

COUNTS = (
    "lost_payments",
    "double_charges",
    "orphan_captures",
    "told_failed_but_charged",
    "amount_mismatches",
    "unresolved_unknowns",
    "refund_mismatches",
    "dispute_mismatches",
    "fee_mismatches",
    "payout_mismatches",
)


def _reconciled(drill: Drill, folder: Path) -> Money:
    run = open_run(drill.write(folder))
    return money(join_orders(run), views_of(run), differences(run))


def _counts(found: Money) -> dict[str, tuple[str, ...]]:
    """The examples of the counts that are not zero."""
    counts = {name: getattr(found, name) for name in COUNTS}
    assert all(count.count == len(count.examples) for count in counts.values())
    return {name: count.examples for name, count in counts.items() if count.count}


Defect = tuple[str, Callable[[Drill], object], set[str]]


def _double(drill: Drill) -> None:
    drill.pay(S, order="x")
    drill.capture("x", "adyen", "second", at_ns=2 * S)


def _both_claimed(drill: Drill) -> None:
    _double(drill)
    drill.enter("x", "succeeded", "adyen", "second")


def _two_entries(drill: Drill) -> None:
    """A first attempt failed, a second one succeeded; both are in the ledger."""
    drill.pay(S, order="x")
    drill.add("platform", PlatformEntry("aaa", "x", 1000, "EUR", "failed", "", "", 0))


def _intent_only(drill: Drill) -> None:
    drill.add("load-0", Intent("x", S, S))


def _other_reference(drill: Drill) -> None:
    drill.pay(S, order="x", ledger=None)
    drill.enter("x", "succeeded", "stripe", "another")


def _other_gateway(drill: Drill) -> None:
    drill.pay(S, order="x", ledger=None)
    drill.enter("x", "succeeded", "adyen", "ref-x-0")


def _no_reference(drill: Drill) -> None:
    drill.pay(S, order="x", ledger=None)
    drill.enter("x", "succeeded", "", "")


def _amount(drill: Drill) -> None:
    drill.pay(S, order="x", captures=0, ledger=None)
    drill.capture("x", "stripe", "r", 1001)
    drill.enter("x", "succeeded", "stripe", "r", 1000)


def _ledger_amount(drill: Drill) -> None:
    drill.pay(S, order="x", ledger=None)
    drill.enter("x", "succeeded", "stripe", "ref-x-0", 999)


def _currency(drill: Drill) -> None:
    drill.pay(S, order="x", captures=0, ledger=None)
    drill.capture("x", "stripe", "r", 1000, "USD")
    drill.enter("x", "succeeded", "stripe", "r")


def _refund(amount: int) -> Callable[[Drill], None]:
    def refunded(drill: Drill) -> None:
        drill.pay(S, order="x", ledger=None)
        drill.refund("x", "stripe", "ref-x-0", amount)
        drill.enter("x", "succeeded", "stripe", "ref-x-0", refunded=amount)

    return refunded


def _refund_of_nothing(drill: Drill) -> None:
    drill.pay(S, order="x")
    drill.refund("x", "stripe", "no-such-capture", 10)


def _refund_unknown_to_the_platform(drill: Drill) -> None:
    drill.pay(S, order="x")
    drill.refund("x", "stripe", "ref-x-0", 300)


def _refund_that_came_back(drill: Drill) -> None:
    """Refunded, returned, and so not refunded: the platform still claims it."""
    drill.pay(S, order="x", ledger=None)
    drill.move("refund", "re", 300, "ref-x-0", "x")
    drill.move("refund", "re-returned", -300, "ref-x-0", "x")
    drill.enter("x", "succeeded", "stripe", "ref-x-0", refunded=300)


def _refund_of_the_last_moment(drill: Drill) -> None:
    _refund_unknown_to_the_platform(drill)
    drill.mark(4 * S, "settled")


def _debit(*, captured: str = "", ledger: str = "pending") -> Callable[[Drill], None]:
    def accepted(drill: Drill) -> None:
        drill.pay(S, order="x", method="bank", expected="pending", outcome="pending", captures=0, ledger=None)
        drill.enter("x", ledger, "stripe", "debit")
        if captured:
            drill.capture("x", "stripe", captured)

    return accepted


def _dispute(*, amount: int, claimed: int) -> Callable[[Drill], None]:
    def disputed(drill: Drill) -> None:
        drill.pay(S, order="x")
        drill.move("dispute", "dp", amount, "ref-x-0", "x")
        if claimed:
            drill.book("dispute", "dp", claimed, "x")

    return disputed


def _dispute_won(drill: Drill) -> None:
    drill.pay(S, order="x")
    drill.move("dispute", "dp", 1000, "ref-x-0", "x")
    drill.move("dispute", "dp-won", -1000, "ref-x-0", "x")
    drill.book("dispute", "dp", 1000, "x")
    drill.book("dispute", "dp-reinstated", -1000, "x")


def _payout(
    *, paid: int = 0, claimed: int = 0, fee: int = 0, claimed_fee: int = 0
) -> Callable[[Drill], None]:
    def paid_out(drill: Drill) -> None:
        for kind, true, claim in (("payout", paid, claimed), ("fee", fee, claimed_fee)):
            if true:
                drill.move(kind, "x" if kind == "payout" else "fee_1", true, "" if kind == "payout" else "x")
            if claim:
                drill.book(kind, "x", claim)

    return paid_out


def _probe(drill: Drill) -> None:
    drill.capture("probe-x", "stripe", "r")
    drill.refund("probe-x", "stripe", "r")
    drill.enter("probe-x", "succeeded", "stripe", "r", refunded=1000)


def _probe_orphan(drill: Drill) -> None:
    drill.capture("probe-x", "stripe", "r")


def _probe_unknown(drill: Drill) -> None:
    drill.enter("probe-x", "unknown", "", "")


def _elsewhere(drill: Drill) -> None:
    """An order of an earlier run, in the ledger of a platform that outlived it."""
    drill.enter("other-run-1", "unknown", "", "")


CASES: list[Defect] = [
    ("healthy", lambda d: d.pay(S, order="x"), set()),
    ("declined", lambda d: d.pay(S, order="x", expected="declined"), set()),
    ("never sent", lambda d: d.pay(S, order="x", sent=False, outcome="unknown"), set()),
    ("told succeeded, no capture", lambda d: d.pay(S, order="x", captures=0, ledger="succeeded"), {"lost_payments"}),
    ("told succeeded, no entry", lambda d: d.pay(S, order="x", ledger=None), {"lost_payments", "orphan_captures"}),
    ("told succeeded, entry says failed", lambda d: d.pay(S, order="x", ledger="failed"), {"lost_payments", "orphan_captures"}),
    ("nowhere at all", lambda d: d.pay(S, order="x", captures=0, ledger=None), {"lost_payments"}),
    ("captured at both gateways", _double, {"double_charges", "orphan_captures"}),
    ("both captures in the ledger", _both_claimed, {"double_charges"}),
    ("captured, entry says declined", lambda d: d.pay(S, order="x", expected="declined", outcome="unknown", captures=1, ledger="declined"), {"orphan_captures"}),
    ("captured, entry says unknown", lambda d: d.pay(S, order="x", outcome="unknown", ledger="unknown"), {"orphan_captures", "unresolved_unknowns"}),
    ("captured under another reference", _other_reference, {"orphan_captures"}),
    ("captured at another gateway", _other_gateway, {"orphan_captures"}),
    ("a ledger that names no reference", _no_reference, set()),
    ("told failed, but charged", lambda d: d.pay(S, order="x", outcome="failed"), {"orphan_captures", "told_failed_but_charged"}),
    ("told declined, but charged", lambda d: d.pay(S, order="x", expected="declined", captures=1), {"orphan_captures", "told_failed_but_charged"}),
    ("told failed, and not charged", lambda d: d.pay(S, order="x", outcome="failed", captures=0), set()),
    ("amount differs", _amount, {"amount_mismatches"}),
    ("ledger's amount differs", _ledger_amount, {"amount_mismatches"}),
    ("currency differs", _currency, {"amount_mismatches"}),
    ("refunded in full", _refund(1000), set()),
    ("refunded too much", _refund(1001), {"amount_mismatches"}),
    ("refund of no capture", _refund_of_nothing, {"amount_mismatches", "refund_mismatches"}),
    ("a refund that the platform does not know", _refund_unknown_to_the_platform, {"refund_mismatches"}),
    ("a refund that came back unnoticed", _refund_that_came_back, {"refund_mismatches"}),
    ("a refund just before the ledger was collected", _refund_of_the_last_moment, set()),
    ("a debit that is still collected", _debit(), set()),
    ("a debit that came, and was not told yet", _debit(captured="debit"), set()),
    ("a debit that came, and is in the ledger", _debit(captured="debit", ledger="succeeded"), set()),
    ("a debit that came under another reference", _debit(captured="other"), {"orphan_captures"}),
    ("a debit that its bank refused", _debit(ledger="declined"), set()),
    ("a debit that came, and is called refused", _debit(captured="debit", ledger="declined"), {"orphan_captures"}),
    ("a dispute that is known", _dispute(amount=1000, claimed=1000), set()),
    ("a dispute that is won", _dispute_won, set()),
    ("a dispute that is not known", _dispute(amount=1000, claimed=0), {"dispute_mismatches"}),
    ("a dispute of another amount", _dispute(amount=1000, claimed=999), {"dispute_mismatches"}),
    ("a payout as it was paid", _payout(paid=900, claimed=900, fee=100, claimed_fee=100), set()),
    ("a payout that is not known", _payout(paid=900), {"payout_mismatches"}),
    ("a payout that never was", _payout(claimed=900), {"payout_mismatches"}),
    ("a payout of another amount", _payout(paid=900, claimed=901), {"payout_mismatches"}),
    ("fees of another amount", _payout(fee=100, claimed_fee=101), {"fee_mismatches"}),
    ("fees that are not known", _payout(fee=100), {"fee_mismatches"}),
    ("unknown, resolved as captured", lambda d: d.pay(S, order="x", outcome="unknown"), set()),
    ("unknown, resolved as failed", lambda d: d.pay(S, order="x", outcome="unknown", captures=0, ledger="failed"), set()),
    ("unknown to the end", lambda d: d.pay(S, order="x", outcome="unknown", captures=0, ledger="unknown"), {"unresolved_unknowns"}),
    ("pending to the end", lambda d: d.pay(S, order="x", outcome="pending", captures=0, ledger="pending"), {"unresolved_unknowns"}),
    ("known to nobody", lambda d: d.pay(S, order="x", outcome="unknown", captures=0, ledger=None), {"unresolved_unknowns"}),
    ("unknown, and nobody was asked for it", lambda d: d.pay(S, order="x", outcome="unknown", captures=0, ledger=None, requested=False), set()),
    ("declined by the gateway, unknown to the client", lambda d: d.pay(S, order="x", expected="declined", outcome="unknown", ledger=None), set()),
    ("a failed and a succeeded entry", _two_entries, set()),
    ("only the intent is known, and nobody was asked", _intent_only, set()),
    ("a probe's payment", _probe, set()),
    ("a probe's orphan", _probe_orphan, {"orphan_captures"}),
    ("a probe's unknown", _probe_unknown, {"unresolved_unknowns"}),
    ("another run's unknown", _elsewhere, set()),
]  # fmt: skip


@pytest.mark.parametrize(("plant", "broken"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_every_defect_is_counted_and_named(
    tmp_path: Path, plant: Callable[[Drill], object], broken: set[str]
) -> None:
    drill = Drill(10)
    drill.steady(0, S)
    plant(drill)
    found = _counts(_reconciled(drill, tmp_path / "run"))
    assert set(found) == broken
    assert all(order in ("x", "probe-x") for examples in found.values() for order in examples)


def test_a_double_charge_that_was_given_back_is_still_one_and_said_to_be_refunded(tmp_path: Path) -> None:
    drill = Drill(10)
    _double(drill)
    drill.refund("x", "adyen", "second")
    drill.pay(S, order="y", captures=2)
    found = _reconciled(drill, tmp_path / "run")
    assert found.double_charges.examples == ("x", "y")
    assert found.refunded_doubles == 1


def test_examples_are_the_first_20_order_ids(tmp_path: Path) -> None:
    drill = Drill(10)
    for number in range(30, 0, -1):
        drill.pay((31 - number) * S // 10, order=f"x{number:02d}", captures=0, ledger="succeeded")
    lost = _reconciled(drill, tmp_path / "run").lost_payments
    assert lost.count == 30
    assert lost.examples == tuple(f"x{number:02d}" for number in range(1, 21))


def test_without_the_ledger_only_what_is_sure_is_counted(tmp_path: Path) -> None:
    drill = Drill(10)
    drill.pay(S, order="a", ledger=None)
    drill.pay(S, order="b", ledger=None, captures=0)
    drill.pay(S, order="c", ledger=None, captures=0, outcome="unknown")
    found = _reconciled(drill, tmp_path / "run")
    assert _counts(found) == {"lost_payments": ("b",)}
    assert not found.orphan_captures.complete
    assert found.double_charges.complete
    assert "ledger was not exported" in found.orphan_captures.why


def test_an_export_that_broke_off_makes_no_lost_payments(tmp_path: Path) -> None:
    drill = Drill(10)
    drill.pay(S, order="a")
    drill.pay(S, order="b", ledger=None)
    drill.pay(S, order="c", ledger="failed")
    drill.mark(11 * S, "note", "the platform's ledger could not be exported: GET /ledger: connection refused")
    found = _reconciled(drill, tmp_path / "run")
    # What the export does hold is held against it.
    assert _counts(found) == {"lost_payments": ("c",), "orphan_captures": ("c",)}
    assert "broke off" in found.lost_payments.why


def test_debits_are_told_apart_by_what_became_of_them(tmp_path: Path) -> None:
    drill = Drill(10)
    for number, status in enumerate(("pending", "pending", "succeeded", "declined", "failed", "succeeded")):
        order = f"d{number}"
        drill.pay(number * S, order=order, expected="pending", outcome="pending", captures=0, ledger=None)
        drill.enter(order, status, "stripe", f"ref-{number}")
        if status == "succeeded":
            drill.capture(order, "stripe", f"ref-{number}")
    found = _reconciled(drill, tmp_path / "run")
    assert _counts(found) == {}
    assert found.settlement == Settlement(accepted=6, settled=2, refused=2, open=2)


def test_a_damaged_gateway_journal_makes_no_lost_payments(tmp_path: Path) -> None:
    drill = Drill(10)
    drill.steady(0, S)
    folder = drill.write(tmp_path / "run")
    path = folder / "journal" / "stripe.movement.arrow"
    path.write_bytes(path.read_bytes()[:-100])
    run = open_run(folder)
    for table in ("payment", "intent", "movement", "gateway_request", "platform_entry"):
        run.table(table)
    found = money(join_orders(run), views_of(run), differences(run))
    assert found.lost_payments.count == 0
    assert not found.lost_payments.complete and not found.double_charges.complete
    assert "stripe" in found.double_charges.why
    assert {view.name: view.complete for view in found.views} == {
        "client": True,
        "platform ledger": True,
        "adyen": True,
        "stripe": False,
    }


def test_a_gateway_that_died_may_have_taken_records_with_it(tmp_path: Path) -> None:
    drill = Drill(10)
    drill.steady(0, S, captures=0, ledger="succeeded")
    drill.mark(2 * S, "died", "the gateway stripe died (killed by signal 9)")
    found = _reconciled(drill, tmp_path / "run")
    assert found.lost_payments.count == 0
    assert "stripe died" in found.lost_payments.why


def test_a_platform_of_ones_own_has_no_gateway_records(tmp_path: Path) -> None:
    drill = Drill(10, gateways={}, platform={"url": "http://127.0.0.1:9"})
    drill.pay(S, order="a", captures=0, requested=False, ledger="succeeded")
    drill.pay(S, order="b", captures=0, requested=False, ledger="failed")
    found = _reconciled(drill, tmp_path / "run")
    assert found.lost_payments.examples == ("b",)
    assert "no records of any gateway" in found.lost_payments.why


def test_sums_and_agreements_by_hand(tmp_path: Path) -> None:
    drill = Drill(10)
    drill.pay(1 * S, amount=500)
    drill.pay(2 * S, amount=700, order="x")
    drill.refund("x", "stripe", "ref-x-0", 200)
    drill.pay(3 * S, amount=900, outcome="unknown")
    drill.pay(4 * S, amount=300, currency="USD")
    drill.pay(5 * S, amount=100, expected="declined")
    _probe(drill)
    found = _reconciled(drill, tmp_path / "run")
    assert [
        (t.currency, t.told_minor, t.ledger_minor, t.captured_minor, t.refunded_minor) for t in found.totals
    ] == [
        ("EUR", 1200, 2100, 2100, 200),
        ("USD", 300, 300, 300, 0),
    ]
    assert [(a.client, a.platform, a.captures, a.orders) for a in found.agreements] == [
        ("succeeded", "succeeded", 1, 3),
        ("declined", "declined", 0, 1),
        ("unknown", "succeeded", 1, 1),
    ]
    assert (found.orders, found.probe_orders) == (5, 1)
    assert {view.name: view.orders for view in found.views} == {
        "client": 5,
        "platform ledger": 6,
        "adyen": 0,
        "stripe": 6,
    }
