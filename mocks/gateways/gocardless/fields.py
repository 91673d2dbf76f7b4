"""The attributes of a request, read one by one; all that is wrong with them is said at once."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from mocks.gateways.gocardless.errors import invalid, usage

LARGEST = 2**31 - 1
"""The largest amount, in the minor unit. Assumed: the true limits depend on scheme and merchant."""


def document(body: bytes, envelope: str, known: Collection[str], *, optional: bool = False) -> Fields:
    """The attributes that a body wraps in its envelope: ``{"payments": {...}}``, or ``{"data": {...}}`` for
    actions, which may leave it out.

    Raises:
        GoCardlessError: 400; that a key which is not permitted is said so is quoted by users of the API.
    """
    try:
        whole = orjson.loads(body) if body else None
    except orjson.JSONDecodeError as error:
        raise usage("bad_request", "The request body is no JSON.") from error
    if whole is None and optional:
        whole = {}
    if not isinstance(whole, dict):
        raise usage("invalid_document_structure", "Invalid document structure")
    values = whole.get(envelope, {} if optional else None)
    if values is None and optional:
        values = {}
    if not isinstance(values, dict):
        raise usage("invalid_document_structure", f'Invalid document structure ("{envelope}" is missing.)')
    for name in values:
        if name not in known:
            raise usage(
                "invalid_document_structure",
                f'Invalid document structure ("{name[:80]}" is not a permitted key.)',
            )
    return Fields(values, f"/{envelope}")


class Fields:
    """Attributes. A method gives a usable value and notes what is wrong; ``done`` raises it all."""

    def __init__(self, values: dict[str, Any], pointer: str) -> None:
        self._values = values
        self._pointer = pointer
        self._errors: list[tuple[str, str, str]] = []

    def __contains__(self, name: str) -> bool:
        return self._values.get(name) is not None

    def over(self, known: dict[str, Any]) -> Fields:
        """These attributes, and the known ones where none was given."""
        return Fields({**known, **self._values}, self._pointer)

    def wrong(self, name: str, message: str) -> None:
        """Note an error of an attribute."""
        self._errors.append((name, message, f"{self._pointer}/{name}"))

    def done(self) -> None:
        """Raises GoCardlessError (422) with everything that was wrong."""
        if self._errors:
            raise invalid(self._errors)

    def text(
        self, name: str, *, required: bool = False, longest: int = 255, choices: Collection[str] = ()
    ) -> str:
        """A text, empty when it was left out."""
        value = self._values.get(name)
        if value is None or value == "":
            if required:
                self.wrong(name, "can't be blank")
            return ""
        if not isinstance(value, str):
            self.wrong(name, "must be a string")
            return ""
        if len(value) > longest:
            self.wrong(name, f"is too long (maximum is {longest} characters)")
        if choices and value not in choices:
            self.wrong(name, f"must be one of {', '.join(choices)}")
        return value

    def amount(self, name: str, *, required: bool = True) -> int:
        """A positive amount in the minor unit, as a number or as its digits."""
        value = self._values.get(name)
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 12:
            value = int(value)
        if value is None:
            if required:
                self.wrong(name, "can't be blank")
        elif isinstance(value, bool) or not isinstance(value, int):
            self.wrong(name, "is not a number")
        elif value < 1:
            self.wrong(name, "must be greater than 0")
        elif value > LARGEST:
            self.wrong(name, f"must be less than or equal to {LARGEST}")
        else:
            return value
        return 0

    def flag(self, name: str) -> bool:
        value = self._values.get(name, False)
        if value not in (True, False, None):
            self.wrong(name, "must be true or false")
        return value is True

    def link(self, name: str, *, required: bool = True) -> str:
        """The identifier under ``links``, empty when it was left out."""
        links = self._values.get("links") or {}
        value = links.get(name) if isinstance(links, dict) else None
        if isinstance(value, str) and value:
            return value
        if required or value is not None:
            self._errors.append((name, "can't be blank", f"{self._pointer}/links/{name}"))
        return ""

    def metadata(self) -> dict[str, str]:
        """At most 3 keys of up to 50 characters, with values of up to 500."""
        value = self._values.get("metadata")
        if value is None:
            return {}
        if not isinstance(value, dict) or not all(isinstance(text, str) for text in value.values()):
            self.wrong("metadata", "must be an object of strings")
            return {}
        if len(value) > 3:
            self.wrong("metadata", "must have at most 3 keys")
        if any(len(key) > 50 or len(text) > 500 for key, text in value.items()):
            self.wrong("metadata", "must have keys of up to 50 and values of up to 500 characters")
        return dict(value)
