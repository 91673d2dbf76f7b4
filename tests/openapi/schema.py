"""Answers held against the facts of a published document (``distil`` says their form).

A schema is read strictly: a property that it does not name is wrong, unless it is a map (``values``) or names no
properties at all; of ``anyOf`` and ``oneOf`` the branch counts that fits best.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from tests.openapi.distil import FACTS, Schema

_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}

_FORMATS = {
    "date-time": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "date": re.compile(r"\d{4}-\d\d-\d\d"),
    "ppaas_date_time_v3": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)"),
    "uri": re.compile(r"[a-z]+://\S+"),
}

Leaf = tuple[str, Schema]
"""A schema without references and combinations, and where it stands: ``Order``, ``Order.links``."""


class Facts:
    """The facts of one document.

    Attributes:
        source: The document's repository, path, version and commit.
        checked: Schema -> its properties that some answer held, the name of a nested object being that of its
            property behind the schema's (``order.purchase_units``).
    """

    def __init__(self, document: dict[str, Any]) -> None:
        self.source: dict[str, str] = document["source"]
        self.operations: dict[str, dict[str, Schema]] = document.get("operations", {})
        self.schemas: dict[str, Schema] = document["schemas"]
        self.checked: dict[str, set[str]] = {}
        self._named: dict[str, set[str]] = {}
        self._paths = [
            (method, re.compile(re.sub(r"\{[^}]+\}", "[^/]+", path) + r"\Z"), operation)
            for operation in self.operations
            for method, _, path in [operation.partition(" ")]
        ]

    @classmethod
    def read(cls, name: str) -> Facts:
        """The facts that ``distil`` has kept under this name."""
        return cls(json.loads((FACTS / f"{name}.json").read_text()))

    def of_answer(self, method: str, path: str, status: int) -> Schema | None:
        """The schema of an answer; None when the document says nothing of it."""
        for known, pattern, operation in self._paths:
            if known == method and pattern.match(path):
                answers = self.operations[operation]
                return answers.get(str(status), answers.get("default"))
        return None

    def problems(self, value: Any, schema: Schema, at: str = "") -> list[str]:
        """What is wrong with a value, each with where it stands; empty when nothing is. Notes the properties."""
        self._note(value, [("", schema)])
        return list(self._problems(value, [("", schema)], at, closed=True))

    def never_sent(self) -> dict[str, list[str]]:
        """Schema -> its properties that no answer held, of the schemas that some answer had."""
        return {name: sorted(self._named[name] - seen) for name, seen in sorted(self.checked.items())}

    def table(self) -> str:
        """For people: per schema what was checked, and what the mock did not send."""
        never = self.never_sent()
        lines = [" ".join(self.source.values())]
        for name, seen in sorted(self.checked.items()):
            lines.append(f"  {name}: {', '.join(sorted(seen))}")
            if never[name]:
                lines.append(f"      not sent: {', '.join(never[name])}")
        return "\n".join(lines)

    def _problems(self, value: Any, schemas: list[Leaf], at: str, *, closed: bool) -> Iterator[str]:
        leaves = [leaf for one in schemas for leaf in self._leaves(value, one)]
        rules = [rule for _, rule in leaves]
        if value is None:
            # A schema that says nothing allows everything.
            if any(rules) and not any(rule.get("nullable") for rule in rules):
                yield f"{at}: is null"
            return
        for rule in rules:
            yield from _wrong(value, rule, at)
        if isinstance(value, list):
            items = [(f"{name}", rule["items"]) for name, rule in leaves if "items" in rule]
            for place, one in enumerate(value if items else ()):
                yield from self._problems(one, items, f"{at}[{place}]", closed=closed)
        if isinstance(value, dict):
            yield from self._object(value, leaves, at, closed=closed)

    def _object(self, value: dict[str, Any], leaves: list[Leaf], at: str, *, closed: bool) -> Iterator[str]:
        for name in sorted({name for _, rule in leaves for name in rule.get("required", ())} - set(value)):
            yield f"{at}.{name}: is missing"
        free = not any("properties" in rule for _, rule in leaves)
        for name, one in value.items():
            found = _below(leaves, name)
            if found:
                yield from self._problems(one, found, f"{at}.{name}", closed=closed)
            elif closed and not free:
                yield f"{at}.{name}: is not in the document"

    def _note(self, value: Any, schemas: list[Leaf]) -> None:
        leaves = [leaf for one in schemas for leaf in self._leaves(value, one)]
        if isinstance(value, list):
            for one in value:
                self._note(one, [(name, rule["items"]) for name, rule in leaves if "items" in rule])
        if isinstance(value, dict):
            for owner, rule in leaves:
                if "properties" in rule:
                    self._named.setdefault(owner, set()).update(rule["properties"])
                    self.checked.setdefault(owner, set()).update(set(value) & set(rule["properties"]))
            for name, one in value.items():
                self._note(one, _below(leaves, name))

    def _leaves(self, value: Any, leaf: Leaf) -> list[Leaf]:
        name, schema = leaf
        if "ref" in schema and isinstance(schema["ref"], str):
            return self._leaves(value, (schema["ref"], self.schemas[schema["ref"]]))
        leaves = [(name, schema)]
        for one in schema.get("allOf", ()):
            leaves += self._leaves(value, (name, one))
        for group in ("anyOf", "oneOf"):
            branches = [self._leaves(value, (name, one)) for one in schema.get(group, ())]
            if branches:
                fits = [self._misfit(value, branch) for branch in branches]
                leaves += branches[fits.index(min(fits))]
        return leaves

    def _misfit(self, value: Any, branch: list[Leaf]) -> tuple[int, int]:
        wrong = sum(1 for _ in self._problems(value, branch, "", closed=False))
        known = sum(bool(_below(branch, name)) for name in value) if isinstance(value, dict) else 0
        return wrong, -known


def _below(leaves: list[Leaf], name: str) -> list[Leaf]:
    """What the leaves say of one property."""
    found = [
        (f"{owner}.{name}", rule["properties"][name])
        for owner, rule in leaves
        if name in rule.get("properties", ())
    ]
    if found:
        return found
    values = [(owner, rule["values"]) for owner, rule in leaves if "values" in rule]
    return [(f"{owner}.*", {} if rule is True else rule) for owner, rule in values]


def _wrong(value: Any, rule: Schema, at: str) -> Iterator[str]:
    kind = rule.get("type")
    if kind is not None:
        fits = isinstance(value, _TYPES[kind]) and (kind == "boolean") == isinstance(value, bool)
        if not fits:
            yield f"{at}: is {value!r}, not of type {kind}"
    if "enum" in rule and value not in rule["enum"]:
        yield f"{at}: is {value!r}, not one of {', '.join(map(str, rule['enum']))}"
    pattern = _FORMATS.get(rule.get("format", ""))
    if pattern is not None and isinstance(value, str) and not pattern.fullmatch(value):
        yield f"{at}: is {value!r}, not in the format {rule['format']}"
