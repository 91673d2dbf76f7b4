"""Which requests a fault concerns: small immutable conditions on a request, put together.

What a condition asks about a request are its *traits*. Some stand in its first line (``endpoint``,
``http_method``, ``region``); ``currency``, ``card`` and ``payment_method`` stand in its body, which is read
only when a condition asks for one of them. A request that does not say something fits no condition on it.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

TRAITS: dict[str, str] = {
    "region": "the region that the gateway serves",
    "endpoint": "the endpoint's name",
    "http_method": "GET, POST, ...",
    "currency": "the three letters, EUR",
    "card": "how the card's number begins (4000 00), or a range of beginnings (4000..4099)",
    "payment_method": "card, apple_pay, google_pay, paypal, bank_debit",
    "event": "a webhook's event, payment_intent.succeeded; payment_intent.* for all that begin so",
}
"""What a fault can be scoped by -> what it is."""

PAYMENT_METHODS = ("card", "apple_pay", "google_pay", "paypal", "bank_debit")

CARD_DIGITS = 8
"""How many digits of a card number are a trait: those that name its issuer (ISO/IEC 7812-1)."""


@dataclass(frozen=True, slots=True)
class Traits:
    """What a request's body says of a payment; each empty when it does not. ``currency`` is in capitals,
    ``card`` the number's first ``CARD_DIGITS`` digits."""

    currency: str = ""
    card: str = ""
    payment_method: str = ""


NOTHING = Traits()
"""What a body that cannot be read says."""


class Asked(Protocol):
    """A request, as far as a condition asks about it."""

    endpoint: str

    @property
    def http_method(self) -> str: ...

    @property
    def region(self) -> str: ...

    @property
    def traits(self) -> Traits: ...


class Matcher(ABC):
    """A condition on a request."""

    @abstractmethod
    def fits(self, request: Asked) -> bool:
        """Whether it holds."""

    def __and__(self, other: Matcher) -> Matcher:
        return All((self, other))

    def __or__(self, other: Matcher) -> Matcher:
        return Any((self, other))

    def __invert__(self) -> Matcher:
        return Not(self)


@dataclass(frozen=True, slots=True)
class All(Matcher):
    """Every one of these holds; without any, everything fits. They are asked in order, up to the first that
    does not hold."""

    of: tuple[Matcher, ...] = ()

    def fits(self, request: Asked) -> bool:
        return all(matcher.fits(request) for matcher in self.of)


@dataclass(frozen=True, slots=True)
class Any(Matcher):
    """At least one of these holds."""

    of: tuple[Matcher, ...]

    def fits(self, request: Asked) -> bool:
        return any(matcher.fits(request) for matcher in self.of)


@dataclass(frozen=True, slots=True)
class Not(Matcher):
    """This does not hold."""

    of: Matcher

    def fits(self, request: Asked) -> bool:
        return not self.of.fits(request)


@dataclass(frozen=True, slots=True)
class Endpoint(Matcher):
    """The endpoint is one of these."""

    names: frozenset[str]

    def fits(self, request: Asked) -> bool:
        return request.endpoint in self.names


@dataclass(frozen=True, slots=True)
class HttpMethod(Matcher):
    """The HTTP method is one of these, in capitals."""

    names: frozenset[str]

    def fits(self, request: Asked) -> bool:
        return request.http_method in self.names


@dataclass(frozen=True, slots=True)
class Region(Matcher):
    """The gateway serves one of these regions."""

    names: frozenset[str]

    def fits(self, request: Asked) -> bool:
        return request.region in self.names


@dataclass(frozen=True, slots=True)
class Currency(Matcher):
    """The payment is in one of these currencies, in capitals."""

    codes: frozenset[str]

    def fits(self, request: Asked) -> bool:
        return request.traits.currency in self.codes


@dataclass(frozen=True, slots=True)
class PaymentMethod(Matcher):
    """The payment is made by one of ``PAYMENT_METHODS``."""

    names: frozenset[str]

    def fits(self, request: Asked) -> bool:
        return request.traits.payment_method in self.names


@dataclass(frozen=True, slots=True)
class Event(Matcher):
    """It is the delivery of such an event. No request is; faults on webhooks see to theirs by themselves."""

    kinds: frozenset[str]

    def fits(self, request: Asked) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Card(Matcher):
    """The card's number begins with a number from ``first`` to ``last``, both of the same length."""

    first: str
    last: str

    def fits(self, request: Asked) -> bool:
        begins = request.traits.card[: len(self.first)]
        # Text of one length and digits only is in the order of its numbers.
        return len(begins) == len(self.first) and self.first <= begins <= self.last


Match = Mapping[str, tuple[str, ...]]
"""Trait -> the values that it may have."""


def normalized(match: Mapping[str, str | Sequence[str]]) -> dict[str, tuple[str, ...]]:
    """A scope as people write it: one value or several to a trait, in any case, a card number with spaces.

    Raises:
        ValueError: There is no such trait, or it cannot have such a value.
    """
    done = {}
    for trait, given in match.items():
        if trait not in TRAITS:
            raise ValueError(f"match: there is no {trait!r}; there is {', '.join(TRAITS)}")
        values = tuple(given) if isinstance(given, list | tuple) else (given,)
        if not values:
            raise ValueError(f"match: {trait} has no value")
        done[trait] = tuple(_value(trait, value) for value in values)
    return done


def matcher_of(match: Match) -> Matcher:
    """The condition that a scope stands for: every trait has one of its values.

    Raises:
        ValueError: As ``normalized``.
    """
    scope = normalized(match)
    conditions: list[Matcher] = []
    for trait in TRAITS:  # what stands in the first line is asked before the body is read
        values = scope.get(trait)
        if values is None:
            continue
        if trait == "card":
            conditions.append(Any(tuple(Card(*_card_range(value)) for value in values)))
        else:
            conditions.append(_KINDS[trait](frozenset(values)))
    return conditions[0] if len(conditions) == 1 else All(tuple(conditions))


_KINDS: dict[str, Callable[[frozenset[str]], Matcher]] = {
    "region": Region,
    "endpoint": Endpoint,
    "http_method": HttpMethod,
    "currency": Currency,
    "payment_method": PaymentMethod,
    "event": Event,
}
_DIGITS = re.compile(rf"[0-9]{{1,{CARD_DIGITS}}}")


def _value(trait: str, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"match: {trait} must be a text, not {value!r}")
    text = value.strip()
    if trait in ("http_method", "currency"):
        text = text.upper()
    if trait == "http_method" and not (text.isascii() and text.isalpha()):
        raise ValueError(f"match: {value!r} is no HTTP method")
    if trait == "currency" and not re.fullmatch("[A-Z]{3}", text):
        raise ValueError(f"match: a currency has three letters, like EUR, not {value!r}")
    if trait == "payment_method" and text not in PAYMENT_METHODS:
        raise ValueError(f"match: no payment method {value!r}; there is {', '.join(PAYMENT_METHODS)}")
    if trait == "card":
        first, last = _card_range(text)
        return first if first == last else f"{first}..{last}"
    return text


def _card_range(text: str) -> tuple[str, str]:
    first, dots, last = text.replace(" ", "").partition("..")
    last = last if dots else first
    if not _DIGITS.fullmatch(first) or not _DIGITS.fullmatch(last):
        # What was written is not repeated: it may be a card number.
        raise ValueError(
            f"match: a card is given by its first 1 to {CARD_DIGITS} digits, 4000 00, or a range, 4000..4099"
        )
    if len(first) != len(last) or last < first:
        raise ValueError("match: both ends of a card range have as many digits, and the second is not below")
    return first, last
