"""Seeded pools of customers and products, made before the load starts: Faker is too slow for its path."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from faker import Faker

CUSTOMERS = 500
PRODUCTS = 200

EXPONENTS = {
    "EUR": 2,
    "USD": 2,
    "GBP": 2,
    "CHF": 2,
    "SEK": 2,
    "PLN": 2,
    "JPY": 0,
    "KRW": 0,
    "KWD": 3,
    "BHD": 3,
}
"""Digits after the decimal point, by currency (ISO 4217)."""

_PER_EURO = {
    "EUR": 1.0, "USD": 1.1, "GBP": 0.85, "CHF": 0.95, "SEK": 11.0,
    "PLN": 4.3, "JPY": 160.0, "KRW": 1500.0, "KWD": 0.34, "BHD": 0.42,
}  # fmt: skip
# Rough magnitudes, so that amounts look right in each currency; nothing is ever converted with them.


@dataclass(frozen=True, slots=True)
class Customer:
    name: str
    email: str
    country: str


@dataclass(frozen=True, slots=True)
class Product:
    """``price_eur`` is in cents."""

    sku: str
    name: str
    price_eur: int

    def price_minor(self, currency: str) -> int:
        """The price in the minor unit of a currency; at least 50, the least that gateways take."""
        return max(50, round(self.price_eur / 100 * _PER_EURO[currency] * 10.0 ** EXPONENTS[currency]))


@dataclass(frozen=True, slots=True)
class Pools:
    customers: tuple[Customer, ...]
    products: tuple[Product, ...]


@functools.lru_cache(maxsize=4)
def pools(seed: int) -> Pools:
    """The pools of a seed: the same ones in every process."""
    fake = Faker(["en_GB", "de_DE", "fr_FR", "es_ES", "nl_NL"], use_weighting=False)
    fake.seed_instance(seed)
    customers = tuple(
        Customer(fake.name(), f"{fake.user_name()}@example.test", fake.country_code())
        for _ in range(CUSTOMERS)
    )
    products = tuple(
        Product(f"SKU-{number:04d}", fake.color_name() + " " + fake.word(), round(300 * 1.02**number) + 99)
        for number in range(PRODUCTS)
    )
    return Pools(customers, products)
