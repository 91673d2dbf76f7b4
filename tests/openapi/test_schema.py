"""What the reading of a schema lets through, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.openapi.distil import distilled, facts_of
from tests.openapi.schema import Facts

DOCUMENT: dict[str, Any] = {
    "paths": {
        "/things/{id}": {
            "get": {
                "responses": {
                    "200": {
                        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/thing"}}}
                    },
                    "204": {"description": "nothing"},
                }
            }
        }
    },
    "components": {
        "schemas": {
            "thing": {
                "type": "object",
                "title": "Thing",
                "allOf": [{"$ref": "#/components/schemas/named"}],
                "properties": {
                    "state": {"type": "string", "enum": ["on", "off"], "description": "Words."},
                    "count": {"type": ["integer", "null"]},
                    "part": {
                        "oneOf": [{"$ref": "#/components/schemas/bolt"}, {"$ref": "#/components/schemas/nut"}]
                    },
                    "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                    "made": {"type": "string", "format": "date-time"},
                    "free": {"type": "object"},
                    "any": {"type": "object", "additionalProperties": True},
                },
            },
            "named": {"required": ["name"], "properties": {"name": {"type": "string"}}},
            "bolt": {"properties": {"kind": {"enum": ["bolt"]}, "length": {"type": "number"}}},
            "nut": {"properties": {"kind": {"enum": ["nut"]}, "width": {"type": "number"}}},
            "stranger": {"type": "string"},
        }
    },
}


def facts() -> Facts:
    return Facts({"source": {}, **facts_of(DOCUMENT, ("/things/{id}",))})


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ({}, ""),
        ({"state": "on", "count": 3, "made": "2026-01-02T03:04:05Z"}, ""),
        ({"count": None, "tags": {"a": "b"}, "free": {"x": [1]}}, ""),
        ({"part": {"kind": "nut", "width": 2}}, ""),
        ({"any": {"a": None, "b": {"c": None}}}, ""),
        ({"name": None}, ".name: is null"),
        ({"state": "dim"}, ".state: is 'dim', not one of on, off"),
        ({"count": "3"}, ".count: is '3', not of type integer"),
        ({"count": True}, ".count: is True, not of type integer"),
        ({"colour": "red"}, ".colour: is not in the document"),
        ({"tags": {"a": 1}}, ".tags.a: is 1, not of type string"),
        ({"part": {"kind": "nut", "length": 2}}, ".part.length: is not in the document"),
        ({"part": {"kind": "cog"}}, ".part.kind: is 'cog', not one of bolt"),
        ({"made": "yesterday"}, ".made: is 'yesterday', not in the format date-time"),
    ],
)
def test_problems(more: dict[str, Any], problem: str) -> None:
    held = facts()
    schema = held.of_answer("GET", "/things/7", 200)
    assert schema is not None
    assert held.problems({"name": "x", **more}, schema) == ([problem] if problem else [])


def test_what_is_required_is_missed_and_what_was_seen_is_told() -> None:
    held = facts()
    schema = held.of_answer("GET", "/things/7", 200)
    assert schema is not None
    assert held.problems({"part": {"kind": "bolt"}}, schema) == [".name: is missing"]
    assert held.checked["bolt"] == {"kind"} and held.never_sent()["bolt"] == ["length"]
    assert held.never_sent()["named"] == ["name"]
    assert (
        held.of_answer("GET", "/things/7", 404) is None and held.of_answer("POST", "/things/7", 200) is None
    )


def test_only_facts_are_kept() -> None:
    kept = facts_of(DOCUMENT, ("/things/{id}",))
    assert "stranger" not in kept["schemas"] and "Words" not in str(kept) and "Thing" not in str(kept)
    assert distilled({"enum": ["A sentence."], "type": "string"}, "message") == {"type": "string"}
