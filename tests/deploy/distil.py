"""Facts of the published JSON schemas of Kubernetes and of Compose, without their words.

    python -m tests.deploy.distil kubernetes _definitions.json VERSION
    python -m tests.deploy.distil compose compose-spec.json COMMIT

writes ``facts/NAME.json``: a JSON schema with names, types, what is required, patterns and references, and under
``source`` where it came from. Descriptions and titles are left out; so are the definitions that the kinds of
``KINDS`` don't need, and what stands below those of ``UNREAD``, which no manifest here uses.

``_definitions.json`` is in the wheel of the PyPI package kubernetes-validate, in the folder ``v<version>-local-strict``:
the definitions of Kubernetes' own OpenAPI document, set to refuse unknown keys. ``compose-spec.json`` is in the
repository compose-spec/compose-spec, in ``schema``. Both are under the Apache License 2.0.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Schema = dict[str, Any]

FACTS = Path(__file__).parent / "facts"

KINDS = {
    "Job": "batch.v1.Job",
    "Service": "core.v1.Service",
    "ConfigMap": "core.v1.ConfigMap",
    "PersistentVolumeClaim": "core.v1.PersistentVolumeClaim",
    "NetworkPolicy": "networking.v1.NetworkPolicy",
}
"""Kind -> the definition of it."""

VOLUMES = ("EmptyDir", "ConfigMap", "PersistentVolumeClaim")
UNREAD = frozenset(
    {
        "apis.meta.v1.ManagedFieldsEntry",
        "batch.v1.JobSchedulingConfiguration",
        "batch.v1.PodFailurePolicy",
        "batch.v1.SuccessPolicy",
        "core.v1.Affinity",
        "core.v1.EphemeralContainer",
        "core.v1.Lifecycle",
        "core.v1.PodDNSConfig",
        "core.v1.WindowsSecurityContextOptions",
    }
)
_WORDS = frozenset({"description", "title", "$id", "default", "deprecated"})
_NAMED = frozenset({"properties", "patternProperties", "definitions", "$defs"})
"""Keywords below which keys are names, not keywords."""


def distilled(schema: Any, *, names: bool = False) -> Any:
    """A schema without words and without Kubernetes' extensions; ``names``: its keys are names."""
    if isinstance(schema, list):
        return [distilled(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    facts = {}
    for key, value in schema.items():
        if names:
            facts[key] = distilled(value)
        elif key == "$ref" and "io.k8s" in value:
            facts[key] = f"#/$defs/{_short(value.rpartition('/')[2])}"
        elif key not in _WORDS and not key.startswith("x-kubernetes-"):
            facts[key] = distilled(value, names=key in _NAMED)
    return facts


def kubernetes(definitions: Schema, version: str) -> Schema:
    """The definitions that ``KINDS`` need.

    Raises:
        KeyError: There is no such definition.
    """
    every = {_short(name): schema for name, schema in definitions["$defs"].items()}
    needed: Schema = {}
    wanted = list(KINDS.values())
    while wanted:
        name = wanted.pop()
        if name not in needed:
            needed[name] = {} if _unread(name) else distilled(every[name])
            wanted += _references(needed[name])
    source = {"package": "kubernetes-validate", "kubernetes": version, "licence": "Apache-2.0"}
    return {"source": source, "$defs": dict(sorted(needed.items()))}


def compose(schema: Schema, commit: str) -> Schema:
    """The schema of a Compose file."""
    source = {"repository": "compose-spec/compose-spec", "commit": commit, "licence": "Apache-2.0"}
    return {"source": source, **distilled(schema)}


def text(facts: Schema) -> str:
    """As JSON, with a line for each key and for each definition."""
    lines = []
    for key, value in facts.items():
        if key in ("definitions", "$defs"):
            inner = ",\n".join(f"{json.dumps(name)}:{_tight(schema)}" for name, schema in value.items())
            lines.append(f"{json.dumps(key)}:{{\n{inner}}}")
        else:
            lines.append(f"{json.dumps(key)}:{_tight(value)}")
    return "{" + ",\n".join(lines) + "}\n"


def _tight(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


def _short(name: str) -> str:
    return name.removeprefix("io.k8s.apimachinery.pkg.").removeprefix("io.k8s.api.")


def _unread(name: str) -> bool:
    volume = name.removeprefix("core.v1.").removesuffix("VolumeSource")
    return (
        name in UNREAD or name.endswith("Status") or (name.endswith("VolumeSource") and volume not in VOLUMES)
    )


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key == "$ref":
                yield value.rpartition("/")[2]
            else:
                yield from _references(value)
    elif isinstance(schema, list):
        for part in schema:
            yield from _references(part)


if __name__ == "__main__":
    which, file, where = sys.argv[1:]
    document = json.loads(Path(file).read_text(encoding="utf-8"))
    made = {"kubernetes": kubernetes, "compose": compose}[which](document, where)
    FACTS.mkdir(exist_ok=True)
    (FACTS / f"{which}.json").write_text(text(made), encoding="utf-8")
