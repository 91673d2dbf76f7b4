"""A mock whose every answer is held against a published document."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.mocks.running import Running
from tests.openapi.distil import Schema
from tests.openapi.schema import Facts

CHECKED = Path(__file__).parent / "properties_checked.json"
"""Document -> schema -> the properties that the tests check. ``PAYDRILL_WRITE_CHECKED=1 pytest tests/openapi``
renews it."""


class Watched:
    """Sends requests to a running mock, and fails at the first answer that its document does not allow.

    Args:
        running: The mock.
        facts: Documents; the first that has the operation counts.
        prefix: What the mock's paths have in front of the document's.
        deviations: Pattern of a problem -> why it is right all the same. A problem is ``path: what``.
    """

    def __init__(
        self,
        running: Running,
        facts: list[Facts],
        headers: Mapping[str, str],
        *,
        prefix: str = "",
        deviations: Mapping[str, str] | None = None,
    ) -> None:
        self.running = running
        self.facts = facts
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.prefix = prefix
        self.deviations = dict(deviations or {})
        self.used: set[str] = set()
        self.answers: set[tuple[str, int]] = set()
        self._connection = running.connection()

    def send(self, method: str, path: str, body: object = None, *, status: int, **headers: str) -> Any:
        """The body of an answer with this status, whose schema it fits; ``_`` in a header stands for ``-``."""
        data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
        sent = self.headers | {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, self.prefix + path, data, sent)
        with self._connection.getresponse() as response:
            text = response.read()
            assert response.status == status, f"{method} {path}: {response.status} {text[:500]!r}"
        answer = json.loads(text) if text else None
        self.hold(method, path.partition("?")[0], status, answer)
        return answer

    def hold(self, method: str, path: str, status: int, answer: Any) -> None:
        """Hold one answer against the documents."""
        facts, schema = self._schema(method, path, status, answer)
        operation = f"{method} {path} {status}"
        problems = [f"{operation}: the document has no such answer"] if schema is None else []
        if schema is not None and answer is not None:
            problems = [f"{operation} {problem}" for problem in facts.problems(answer, schema)]
        left = [problem for problem in problems if not self._known(problem)]
        assert not left, "\n".join([*left[:20], json.dumps(answer)[:2000]])
        self.answers.add((method, status))

    def _schema(self, method: str, path: str, status: int, answer: Any) -> tuple[Facts, Schema | None]:
        for facts in self.facts:
            schema = facts.of_answer(method, path, status)
            if schema is not None:
                return facts, schema
        return self.facts[0], None

    def _known(self, problem: str) -> bool:
        found = {pattern for pattern in self.deviations if re.search(pattern, problem)}
        self.used |= found
        return bool(found)


def unchecked(name: str, facts: Facts) -> dict[str, list[str]]:
    """Schema -> the properties that ``CHECKED`` has of a document and that no answer held this time."""
    kept = json.loads(CHECKED.read_text()) if CHECKED.exists() else {}
    if os.environ.get("PAYDRILL_WRITE_CHECKED"):
        seen = {schema: sorted(found) for schema, found in sorted(facts.checked.items()) if schema and found}
        CHECKED.write_text(json.dumps(kept | {name: seen}, indent=1, sort_keys=True) + "\n")
        return {}
    lost = {
        schema: sorted(set(properties) - facts.checked.get(schema, set()))
        for schema, properties in kept[name].items()
    }
    return {schema: properties for schema, properties in lost.items() if properties}
