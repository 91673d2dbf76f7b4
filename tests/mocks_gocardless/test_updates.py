"""Updates, reinstatement, transfers, what is disabled or removed, and a chargeback that is taken back."""

from __future__ import annotations

from typing import Any

import pytest
from gocardless_pro import errors  # type: ignore[import-untyped]

from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import client, events, mandate, moved, pay, raw, refund, simulate


def reason(error: Any) -> str:
    return str(error.value.errors[0]["reason"])


def test_metadata_of_everything_can_be_updated(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk)
    payment = pay(sdk, agreed.id, "updated")
    simulate(sdk, "payment_paid_out", payment.id)
    given = refund(sdk, payment.id, 100)
    payout = sdk.payments.get(payment.id).links.payout
    for service, name in (
        (sdk.customer_bank_accounts, agreed.links.customer_bank_account),
        (sdk.mandates, agreed.id),
        (sdk.payments, payment.id),
        (sdk.refunds, given.id),
        (sdk.payouts, payout),
    ):
        assert service.update(name, params={"metadata": {"a": "b"}}).metadata == {"a": "b"}
        assert service.get(name).metadata == {"a": "b"}
        with pytest.raises(errors.InvalidApiUsageError) as refused:
            service.update(name, params={"amount": 1})
        assert reason(refused) == "invalid_document_structure"
        with pytest.raises(errors.ValidationFailedError):
            service.update(name, params={"metadata": {str(n): "x" for n in range(4)}})
        with pytest.raises(errors.InvalidApiUsageError):
            service.update("XX0", params={"metadata": {}})
        assert service.get(name).metadata == {"a": "b"}, "what was refused changes nothing"
    first = next(e for e in sdk.events.all(params={"payment": payment.id}) if e.action == "created")
    assert first.resource_metadata == {"order_id": "updated"}, "an event keeps what was then"
    assert moved(running, "updated") == [("capture", 1290), ("refund", 100)], "the order stays the same"


def test_customers_are_updated_and_removed(sdk: Any) -> None:
    params = {"given_name": "Ada", "family_name": "Byron", "metadata": {"k": "v"}}
    customer = sdk.customers.create(params=params)
    changed = sdk.customers.update(customer.id, params={"family_name": "Lovelace", "city": "London"})
    assert (changed.given_name, changed.family_name, changed.city) == ("Ada", "Lovelace", "London")
    assert changed.metadata == {"k": "v"} and sdk.customers.get(customer.id).city == "London"
    for wrong in ({"email": "nobody"}, {"given_name": ""}, {"country_code": "gb"}):
        with pytest.raises(errors.ValidationFailedError):
            sdk.customers.update(customer.id, params=wrong)
    assert sdk.customers.get(customer.id).given_name == "Ada"
    sdk.customers.remove(customer.id)
    assert customer.id not in {row.id for row in sdk.customers.all()}
    for call in (sdk.customers.get, sdk.customers.remove):
        with pytest.raises(errors.InvalidApiUsageError) as gone:
            call(customer.id)
        assert reason(gone) == "resource_not_found"


def test_a_disabled_account_ends_its_mandates_and_comes_back_by_the_same_details(sdk: Any) -> None:
    agreed = mandate(sdk)
    payment = pay(sdk, agreed.id, "disabled")
    account = agreed.links.customer_bank_account
    assert sdk.customer_bank_accounts.disable(account).enabled is False
    assert sdk.mandates.get(agreed.id).status == "cancelled"
    assert sdk.payments.get(payment.id).status == "cancelled"
    assert events(sdk, mandate=agreed.id)[-1][1:] == ("cancelled", "bank_account_disabled")
    with pytest.raises(errors.InvalidStateError) as twice:
        sdk.customer_bank_accounts.disable(account)
    assert reason(twice) == "disable_failed"
    with pytest.raises(errors.InvalidStateError):
        sdk.mandates.reinstate(agreed.id)
    filters = {"customer": agreed.links.customer, "enabled": "false"}
    assert [row.id for row in sdk.customer_bank_accounts.all(params=filters)] == [account]
    again = sdk.customer_bank_accounts.create(
        params={
            "account_holder_name": "Ada Byron",
            "country_code": "GB",
            "branch_code": "200000",
            "account_number": "55779911",
            "links": {"customer": agreed.links.customer},
        }
    )
    assert (again.id, again.enabled) == (account, True)
    assert sdk.mandates.reinstate(agreed.id).status == "pending_submission"


def test_a_mandate_is_reinstated_ten_times(sdk: Any) -> None:
    agreed = mandate(sdk)
    with pytest.raises(errors.InvalidStateError) as active:
        sdk.mandates.reinstate(agreed.id)
    assert reason(active) == "mandate_not_inactive"
    for _ in range(10):
        sdk.mandates.cancel(agreed.id)
        assert sdk.mandates.reinstate(agreed.id).status == "pending_submission"
        simulate(sdk, "mandate_activated", agreed.id)
    sdk.mandates.cancel(agreed.id)
    with pytest.raises(errors.InvalidStateError):
        sdk.mandates.reinstate(agreed.id)
    actions = [action for _, action, _ in events(sdk, mandate=agreed.id)]
    assert actions.count("reinstated") == 10 and actions.count("active") == 1


def test_a_failed_mandate_cannot_be_reinstated(sdk: Any) -> None:
    agreed = mandate(sdk, active=False)
    simulate(sdk, "mandate_failed", agreed.id)
    with pytest.raises(errors.InvalidStateError):
        sdk.mandates.reinstate(agreed.id)


def test_a_mandate_moves_to_another_account(sdk: Any, running: Running) -> None:
    agreed = mandate(sdk, active=False)
    simulate(sdk, "mandate_transferred", agreed.id)
    moved_on = sdk.mandates.get(agreed.id)
    old, new = agreed.links.customer_bank_account, moved_on.links.customer_bank_account
    assert moved_on.status == "active" and new != old
    assert not sdk.customer_bank_accounts.get(old).enabled and sdk.customer_bank_accounts.get(new).enabled
    transferred = next(iter(sdk.events.all(params={"mandate": agreed.id, "action": "transferred"})))
    links = transferred.links
    assert (links.previous_customer_bank_account, links.new_customer_bank_account) == (old, new)
    payment = pay(sdk, agreed.id, "moved")
    simulate(sdk, "payment_confirmed", payment.id)
    assert moved(running, "moved") == [("capture", 1290)]

    second = mandate(sdk, active=False)
    simulate(sdk, "mandate_transferred_with_resubmission", second.id)
    assert sdk.mandates.get(second.id).status == "pending_submission"
    assert [action for _, action, _ in events(sdk, mandate=second.id)] == [
        "created",
        "submitted",
        "active",
        "transferred",
        "resubmission_requested",
    ]


@pytest.mark.parametrize(
    ("currency", "simulator"),
    [
        ("GBP", "mandate_customer_approval_granted"),
        ("GBP", "mandate_customer_approval_skipped"),
        ("GBP", "mandate_suspended_by_payer"),
        ("EUR", "mandate_transferred_with_resubmission"),
        ("EUR", "mandate_activated"),
        ("EUR", "mandate_failed"),
    ],
)
def test_simulators_that_do_not_go_with_a_mandate(sdk: Any, currency: str, simulator: str) -> None:
    agreed = mandate(sdk, currency)
    before = len(events(sdk, mandate=agreed.id))
    with pytest.raises(errors.InvalidStateError) as refused:
        simulate(sdk, simulator, agreed.id)
    assert reason(refused) == "simulator_invalid_state"
    assert len(events(sdk, mandate=agreed.id)) == before


def test_no_late_failure_and_no_expiry_in_sweden(sdk: Any) -> None:
    customer = sdk.customers.create(params={"company_name": "x"})
    account = sdk.customer_bank_accounts.create(
        params={
            "account_holder_name": "x",
            "country_code": "SE",
            "account_number": "1234567",
            "links": {"customer": customer.id},
        }
    )
    agreed = sdk.mandates.create(params={"links": {"customer_bank_account": account.id}})
    assert agreed.scheme == "autogiro"
    simulate(sdk, "mandate_activated", agreed.id)
    payment = pay(sdk, agreed.id, "sweden", 5000, "SEK")
    for simulator, resource in (
        ("payment_late_failure", payment.id),
        ("payment_late_failure_settled", payment.id),
        ("mandate_expired", agreed.id),
        ("mandate_transferred", agreed.id),
    ):
        with pytest.raises(errors.InvalidStateError):
            simulate(sdk, simulator, resource)
    assert sdk.payments.get(payment.id).status == "pending_submission"


def test_a_chargeback_that_is_taken_back() -> None:
    with Running("gocardless") as running:
        sdk = client(running)
        agreed = mandate(sdk)
        payment = pay(sdk, agreed.id, "back")
        simulate(sdk, "payment_charged_back", payment.id)
        simulate(sdk, "payment_chargeback_cancelled", payment.id)
        assert sdk.payments.get(payment.id).status == "paid_out", "no payout had deducted it yet"
        assert moved(running, "back") == [("capture", 1290), ("dispute", 1290), ("dispute", -1290)]
        with pytest.raises(errors.InvalidStateError):
            simulate(sdk, "payment_chargeback_cancelled", payment.id)

        simulate(sdk, "payment_charged_back", payment.id)
        other = pay(sdk, agreed.id, "other", 5000)
        simulate(sdk, "payment_paid_out", other.id)
        assert next(iter(sdk.payouts.all())).amount == 5000 - 70 - 1290 + 33
        simulate(sdk, "payment_chargeback_cancelled", payment.id)
        assert sdk.payments.get(payment.id).status == "confirmed", "it is due anew"
        simulate(sdk, "payment_paid_out", payment.id)
        assert next(iter(sdk.payouts.all())).amount == 1257
        references = [m.reference for m in running.movements if m.order_id == "back"]
        assert len(set(references)) == len(references) == 5
        assert [e[1] for e in events(sdk, payment=payment.id)][3:] == [
            "paid_out",
            "charged_back",
            "chargeback_cancelled",
            "charged_back",
            "chargeback_settled",
            "chargeback_cancelled",
            "paid_out",
        ]


def test_a_retry_names_its_day(sdk: Any, running: Running) -> None:
    payment = pay(sdk, mandate(sdk).id, "day")
    simulate(sdk, "payment_failed", payment.id)
    with pytest.raises(errors.ValidationFailedError) as refused:
        sdk.payments.retry(payment.id, params={"charge_date": "2020-01-01"})
    assert refused.value.errors[0]["request_pointer"] == "/data/charge_date"
    assert sdk.payments.get(payment.id).status == "failed"
    assert sdk.payments.retry(payment.id, params={"charge_date": "2099-01-01"}).charge_date == "2099-01-01"


def test_an_update_needs_its_envelope_and_type(running: Running, sdk: Any) -> None:
    customer = sdk.customers.create(params={"company_name": "x"})
    for body, headers, status in (
        (b"{}", {}, 400),
        (b'{"payments": {}}', {}, 400),
        (b'{"customers": {}}', {"content_type": "text/plain"}, 415),
        (b'{"customers": {}}', {}, 200),
    ):
        got, _, answer = raw(running, "PUT", f"/customers/{customer.id}", body, **headers)
        assert got == status and ("error" in answer) == (status != 200)
