"""Lists, pages, filters and events through GoCardless' own SDK."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from gocardless_pro import errors  # type: ignore[import-untyped]
from hypothesis import given
from hypothesis import strategies as st

from mocks.gateways.gocardless.collection import Collection, Query, query, timestamp
from mocks.gateways.gocardless.errors import GoCardlessError
from mocks.gateways.gocardless.payouts import Item, item_body
from tests.mocks.running import Running
from tests.mocks_gocardless.sdk import client, mandate, pay, raw, simulate


@pytest.fixture(scope="module")
def seven() -> Iterator[tuple[Any, Any, list[str]]]:
    """The SDK, a mandate and the identifiers of its seven payments, oldest first."""
    with Running("gocardless") as running:
        sdk = client(running)
        agreed = mandate(sdk)
        yield sdk, agreed, [pay(sdk, agreed.id, f"o{number}", 100 + number).id for number in range(7)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 500])
def test_auto_pagination_gives_each_once_newest_first(seven: tuple[Any, Any, list[str]], limit: int) -> None:
    sdk, _, ids = seven
    assert [p.id for p in sdk.payments.all(params={"limit": limit})] == ids[::-1]


def test_cursors_lead_forth_and_back(seven: tuple[Any, Any, list[str]]) -> None:
    sdk, _, ids = seven
    first = sdk.payments.list(params={"limit": 3})
    assert (first.before, first.after) == (None, ids[4])
    second = sdk.payments.list(params={"limit": 3, "after": first.after})
    assert [p.id for p in second.records] == ids[3:0:-1]
    assert (second.before, second.after) == (ids[3], ids[1])
    back = sdk.payments.list(params={"limit": 3, "before": second.before})
    assert [p.id for p in back.records] == [p.id for p in first.records]
    last = sdk.payments.list(params={"limit": 3, "after": second.after})
    assert [p.id for p in last.records] == ids[:1] and last.after is None
    assert first.api_response.body["meta"]["limit"] == 3


def test_filters(seven: tuple[Any, Any, list[str]]) -> None:
    sdk, agreed, ids = seven
    simulate(sdk, "payment_confirmed", ids[2])
    assert [p.id for p in sdk.payments.all(params={"status": "confirmed"})] == [ids[2]]
    assert [p.id for p in sdk.payments.all(params={"mandate": "MD0"})] == []
    assert len(list(sdk.payments.all(params={"customer": agreed.links.customer, "currency": "GBP"}))) == 7
    assert list(sdk.payments.all(params={"currency": "EUR"})) == []
    middle = sdk.payments.get(ids[3]).created_at
    later = {p.id for p in sdk.payments.all(params={"created_at[gte]": middle})}
    earlier = {p.id for p in sdk.payments.all(params={"created_at[lt]": middle})}
    assert ids[3] in later and not later & earlier and later | earlier == set(ids)
    assert [m.id for m in sdk.mandates.all(params={"status": "active,failed"})] == [agreed.id]
    assert list(sdk.mandates.all(params={"status": "failed"})) == []
    (account,) = sdk.customer_bank_accounts.all(params={"customer": agreed.links.customer})
    assert (account.account_number_ending, account.country_code, account.currency) == ("11", "GB", "GBP")
    assert sdk.customer_bank_accounts.get(account.id).account_holder_name == "Ada Byron"
    assert [c.id for c in sdk.customers.all()] == [agreed.links.customer]
    assert sdk.customers.get(agreed.links.customer).family_name == "Byron"


def test_events_by_filter(seven: tuple[Any, Any, list[str]]) -> None:
    sdk, agreed, ids = seven
    created = list(sdk.events.all(params={"action": "created", "resource_type": "payments", "limit": 2}))
    assert [e.links.payment for e in created] == ids[::-1]
    event = sdk.events.get(created[0].id)
    assert event.details.origin == "api" and event.resource_metadata == {"order_id": "o6"}
    assert event.details.description and event.attributes["metadata"] == {}
    since = {"created_at[gt]": event.created_at, "resource_type": "payments", "action": "created"}
    assert list(sdk.events.all(params=since)) == []
    assert {e.resource_type for e in sdk.events.all(params={"mandate": agreed.id})} == {"mandates"}


@pytest.mark.parametrize(
    "params",
    [
        {"limit": 0},
        {"limit": 501},
        {"limit": "x"},
        {"after": "PM0"},
        {"color": "red"},
        {"created_at[gt]": "now"},
    ],
)
def test_filters_that_make_no_sense(seven: tuple[Any, Any, list[str]], params: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidApiUsageError) as refused:
        seven[0].payments.list(params=params)
    assert refused.value.errors[0]["reason"] == "invalid_filters"


def test_payout_items_need_a_payout(seven: tuple[Any, Any, list[str]]) -> None:
    with pytest.raises(errors.InvalidApiUsageError):
        seven[0].payout_items.list()
    with pytest.raises(errors.InvalidApiUsageError) as unknown:
        seven[0].payout_items.list(params={"payout": "PO0"})
    assert unknown.value.code == 404


@given(st.lists(st.booleans(), max_size=20), st.integers(1, 6))
def test_pages_are_the_list_in_pieces(wanted: list[bool], limit: int) -> None:
    rows = Collection[Item]("payout_items", item_body)
    for number, keep in enumerate(wanted):
        rows.add(Item(f"I{number}", number, "kept" if keep else "left", number, "PM", "MD"))
    whole = [number for number, keep in reversed(list(enumerate(wanted))) if keep]

    def shown(page: dict[str, Any]) -> list[int]:
        return [int(float(item["amount"])) for item in page["payout_items"]]

    found: list[int] = []
    after = ""
    while True:
        page = rows.page(Query(limit, after, "", {}, ()), lambda item: item.type == "kept")
        found += shown(page)
        if after:
            back = page["meta"]["cursors"]["before"]
            if back is not None:
                earlier = rows.page(Query(limit, "", back, {}, ()), lambda item: item.type == "kept")
                assert shown(earlier) == found[: -len(shown(page))][-limit:]
        after = page["meta"]["cursors"]["after"] or ""
        if not after:
            break
    assert found == whole


@given(st.text(max_size=40))
def test_no_query_string_is_a_crash(text: str) -> None:
    try:
        asked = query(text, ("status",))
    except GoCardlessError as error:
        assert error.status == 400
    else:
        assert 1 <= asked.limit <= 500


def test_times_are_written_in_milliseconds() -> None:
    assert timestamp(1399568466) == "2014-05-08T17:01:06.000Z"
    assert timestamp(1399568466.9999) == "2014-05-08T17:01:06.999Z"


def test_the_same_seed_gives_the_same_identifiers() -> None:
    def made() -> list[str]:
        with Running("gocardless", seed=3) as running:
            sdk = client(running)
            payment = pay(sdk, mandate(sdk).id, "seed")
            return [payment.id, *(event.id for event in sdk.events.all())]

    assert made() == made()


def test_lists_without_the_sdk_have_their_envelope(running: Running) -> None:
    status, _, body = raw(running, "GET", "/payouts")
    assert status == 200 and body == {
        "payouts": [],
        "meta": {"cursors": {"before": None, "after": None}, "limit": 50},
    }
