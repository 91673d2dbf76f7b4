"""The plan: the same for the same seed, however many workers share it."""

from collections import Counter

import orjson
import pytest

from mocks.platform.vault import INSTRUMENTS
from scenarios.arrivals import of_load, shard
from scenarios.checkout import Checkout, PlannedPayment, order_id, plan, summarise
from scenarios.customers import EXPONENTS, pools
from scenarios.reading import parse
from scenarios.schema import Scenario

TEXT = """
name: plan
seed: 11
gateways: {stripe: {}, adyen: {}}
load:
  arrivals: [{duration: 20s, rate: 100/s}]
  declines: 10%
  currencies: {EUR: 50%, JPY: 25%, KWD: 25%}
"""


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return parse(TEXT, "plan.yaml")


@pytest.fixture(scope="module")
def payments(scenario: Scenario) -> list[PlannedPayment]:
    return list(plan(scenario))


def test_any_number_of_workers_plays_the_same_plan(
    scenario: Scenario, payments: list[PlannedPayment]
) -> None:
    for workers in (1, 2, 4):
        played: list[PlannedPayment] = []
        for index in range(workers):
            checkout = Checkout(scenario.load, scenario.seed)
            times = of_load(scenario.load, scenario.seed)
            played += [checkout.payment(number, due) for number, due in shard(times, index, workers)]
        assert sorted(played, key=lambda payment: payment.number) == payments


def test_the_digest_tells_plans_apart(scenario: Scenario, payments: list[PlannedPayment]) -> None:
    summary = summarise(iter(payments))
    assert summary.payments == len(payments) > 1800
    assert summary == summarise(plan(parse(TEXT, "again.yaml")))
    assert summary.digest != summarise(plan(parse(TEXT, "other.yaml", ["seed=12"]))).digest
    assert summary.digest != summarise(iter(payments[:-1])).digest


def test_shares_are_what_was_asked_for(payments: list[PlannedPayment]) -> None:
    count = len(payments)
    declined = sum(payment.expected == "declined" for payment in payments)
    currencies = Counter(payment.currency for payment in payments)
    # 5 standard deviations of a binomial count.
    assert abs(declined - 0.1 * count) < 5 * (count * 0.09) ** 0.5
    assert abs(currencies["EUR"] - 0.5 * count) < 5 * (count * 0.25) ** 0.5
    assert set(currencies) == {"EUR", "JPY", "KWD"}


def test_a_payment_is_sound(payments: list[PlannedPayment]) -> None:
    for payment in payments:
        instrument = INSTRUMENTS[payment.instrument]
        assert (payment.expected, payment.decline_code) == (instrument.outcome, instrument.decline_code)
        assert payment.amount_minor >= 50
        body = orjson.loads(payment.body("o-1"))
        lines = sum(line["price_minor"] * line["quantity"] for line in body["cart"])
        assert lines == body["amount_minor"] == payment.amount_minor
        # No card number may travel: a token names the instrument.
        assert not any(character.isdigit() for character in body["instrument"])
    cards = {token for token, instrument in INSTRUMENTS.items() if instrument.method == "card"}
    assert {payment.instrument for payment in payments} == cards


def test_the_body_says_what_was_planned(payments: list[PlannedPayment]) -> None:
    for payment in payments:
        plain = {
            "order_id": 'o-"1"',
            "amount_minor": payment.amount_minor,
            "currency": payment.currency,
            "method": payment.method,
            "instrument": payment.instrument,
            "customer": {
                "name": payment.customer.name,
                "email": payment.customer.email,
                "country": payment.customer.country,
            },
            "cart": [
                {
                    "sku": line.product.sku,
                    "name": line.product.name,
                    "quantity": line.quantity,
                    "price_minor": line.product.price_minor(payment.currency),
                }
                for line in payment.cart
            ],
        }
        assert payment.body('o-"1"') == orjson.dumps(plain)


def test_every_method_is_planned_and_a_debit_is_expected_to_be_accepted_even_if_its_bank_will_refuse() -> (
    None
):
    methods = ("card", "apple_pay", "google_pay", "paypal", "bank")
    mix = "{" + ", ".join(f"{method}: 20%" for method in methods) + "}"
    gateways = "gateways: {stripe: {}, adyen: {}, paypal: {}, gocardless: {}}\n"
    text = (
        f"name: methods\n{gateways}load:\n  mix: {mix}\n  declines: 30%\n"
        "  arrivals: [{duration: 20s, rate: 50/s}]\n"
    )
    planned = list(plan(parse(text, "methods.yaml")))
    assert {payment.instrument for payment in planned} == set(INSTRUMENTS)
    for payment in planned:
        assert payment.method == INSTRUMENTS[payment.instrument].method
        assert (payment.expected == "pending") == (payment.method == "bank")
        assert bool(payment.decline_code) == (payment.expected == "declined")


def test_prices_have_the_magnitude_of_their_currency() -> None:
    product = pools(1).products[100]
    euro = product.price_minor("EUR") / 100
    for currency, digits in EXPONENTS.items():
        assert product.price_minor(currency) / 10**digits > euro / 4
    assert product.price_minor("JPY") / euro == pytest.approx(160, rel=0.05)
    assert product.price_minor("KWD") / 1000 / euro == pytest.approx(0.34, rel=0.05)


def test_pools_follow_the_seed() -> None:
    assert pools(1) == pools.__wrapped__(1)
    assert pools(1) != pools(2)


def test_order_ids_differ_between_runs() -> None:
    assert order_id("a1b2c3", 7) == "a1b2c3-0000007"
    assert order_id("a1b2c3", 7) != order_id("ffffff", 7)
