"""The manifests are what their schemas ask for, fit together, and their commands are understood."""

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from scenarios.reading import load_scenario
from tests.deploy.distil import FACTS, KINDS, compose, kubernetes

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
Document = dict[str, Any]

KUBERNETES = json.loads((FACTS / "kubernetes.json").read_text())
COMPOSE = json.loads((FACTS / "compose.json").read_text())


def objects() -> dict[str, Document]:
    """The objects of the Kubernetes manifest, by kind and name."""
    documents = yaml.safe_load_all((DEPLOY / "kubernetes.yaml").read_text())
    return {f"{document['kind']}/{document['metadata']['name']}": document for document in documents}


def services() -> Document:
    made: Document = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
    return made


def errors(document: Document, schema: Document) -> list[str]:
    validator = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)(schema)
    return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]


def kubernetes_errors(document: Document) -> list[str]:
    name = KINDS[document["kind"]]
    return errors(document, {"$ref": f"#/$defs/{name}", "$defs": KUBERNETES["$defs"]})


def pod(job: Document) -> Document:
    found: Document = job["spec"]["template"]["spec"]
    return found


def options(arguments: list[str]) -> dict[str, str]:
    return dict(
        argument.split("=", 1) for argument in arguments if argument.startswith("--") and "=" in argument
    )


@pytest.mark.parametrize("name", objects())
def test_kubernetes_objects_are_what_the_schema_asks_for(name: str) -> None:
    document = objects()[name]
    assert kubernetes_errors(document) == []
    versions = {"Job": "batch/v1", "NetworkPolicy": "networking.k8s.io/v1"}
    assert document["apiVersion"] == versions.get(document["kind"], "v1")


def test_the_compose_file_is_what_the_schema_asks_for() -> None:
    assert errors(services(), COMPOSE) == []


def _rename_policy(job: Document) -> None:
    container = pod(job)["containers"][0]
    container["imagePullpolicy"] = container.pop("imagePullPolicy")


def _number_as_argument(job: Document) -> None:
    pod(job)["containers"][0]["args"].append(4)


def _port_as_text(job: Document) -> None:
    pod(job)["containers"][0]["ports"] = [{"containerPort": "5557"}]


def _mount_without_path(job: Document) -> None:
    del pod(job)["containers"][0]["volumeMounts"][0]["mountPath"]


def _empty_dir_with_a_typing_error(job: Document) -> None:
    pod(job)["volumes"][-1]["emptyDir"] = {"sizelimit": "1Gi"}


def _other_version(job: Document) -> None:
    job["apiVersion"] = "batch/v2"


@pytest.mark.parametrize(
    "spoil",
    [_rename_policy, _number_as_argument, _port_as_text, _mount_without_path, _empty_dir_with_a_typing_error,
     _other_version],
)  # fmt: skip
def test_the_schema_of_kubernetes_sees_mistakes(spoil: Callable[[Document], None]) -> None:
    document = copy.deepcopy(objects()["Job/paydrill-master"])
    spoil(document)
    assert kubernetes_errors(document)


@pytest.mark.parametrize(
    ("place", "value"),
    [
        (("services", "worker", "comand"), ["locust"]),
        (("services", "worker", "cap_drop"), "ALL"),
        (("services", "worker", "deploy", "replica"), 4),
        (("services", "worker", "ulimits"), {"nofile": {"soft": 1}}),
        (("network",), {}),
    ],
)
def test_the_schema_of_compose_sees_mistakes(place: tuple[str, ...], value: object) -> None:
    document = services()
    section = document
    for step in place[:-1]:
        section = section[step]
    section[place[-1]] = value
    assert errors(document, COMPOSE)


def test_kubernetes_objects_fit_together() -> None:
    made = objects()
    master, worker = made["Job/paydrill-master"], made["Job/paydrill-worker"]
    service, policy = made["Service/paydrill-master"], made["NetworkPolicy/paydrill-master"]
    labels = {
        name: job["spec"]["template"]["metadata"]["labels"] for name, job in (("m", master), ("w", worker))
    }
    assert service["spec"]["selector"] == labels["m"]
    assert policy["spec"]["podSelector"]["matchLabels"] == labels["m"]
    (rule,) = policy["spec"]["ingress"]
    assert [source["podSelector"]["matchLabels"] for source in rule["from"]] == [labels["w"]]
    (port,) = pod(master)["containers"][0]["ports"]
    assert service["spec"]["ports"][0]["targetPort"] == rule["ports"][0]["port"] == port["name"]

    asked, given = (
        options(pod(master)["containers"][0]["args"]),
        options(pod(worker)["containers"][0]["args"]),
    )
    assert int(asked["--expect-workers"]) == worker["spec"]["parallelism"] == worker["spec"]["completions"]
    assert given["--master-host"] == service["metadata"]["name"]
    assert asked["--bind"] == f"0.0.0.0:{given['--master-port']}"
    assert int(given["--master-port"]) == service["spec"]["ports"][0]["port"] == port["containerPort"]

    for job in (master, worker):
        volumes = {volume["name"]: volume for volume in pod(job)["volumes"]}
        (container,) = pod(job)["containers"]
        mounts = {mount["mountPath"]: volumes.pop(mount["name"]) for mount in container["volumeMounts"]}
        assert volumes == {}
        assert mounts["/tmp"]["emptyDir"] == {}
    assert f"ConfigMap/{_mounted(master, '/drill')['configMap']['name']}" in made
    assert f"PersistentVolumeClaim/{_mounted(master, '/runs')['persistentVolumeClaim']['claimName']}" in made
    assert asked["--out"] == "/runs"


def _mounted(job: Document, path: str) -> Document:
    (container,) = pod(job)["containers"]
    name = next(mount["name"] for mount in container["volumeMounts"] if mount["mountPath"] == path)
    found: Document = next(volume for volume in pod(job)["volumes"] if volume["name"] == name)
    return found


def test_pods_have_no_more_rights_than_they_need() -> None:
    for job in (objects()["Job/paydrill-master"], objects()["Job/paydrill-worker"]):
        assert pod(job)["securityContext"]["runAsNonRoot"] is True
        assert pod(job)["automountServiceAccountToken"] is False
        (container,) = pod(job)["containers"]
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["requests"] == container["resources"]["limits"]


def test_compose_services_fit_together() -> None:
    made = services()
    master, worker = made["services"]["master"], made["services"]["worker"]
    asked, given = options(master["command"]), options(worker["command"])
    assert int(asked["--expect-workers"]) == worker["deploy"]["replicas"]
    assert given["--master-host"] in made["services"]
    assert asked["--bind"] == f"0.0.0.0:{given['--master-port']}"
    assert set(master["networks"]) & set(worker["networks"]) <= set(made["networks"])
    assert "ports" not in master  # nobody outside may reach what is not authenticated
    (drill,) = master["configs"]
    assert (DEPLOY / made["configs"][drill["source"]]["file"]).is_file()
    assert drill["target"] == master["command"][2]
    (volume,) = master["volumes"]
    assert volume.split(":") == ["runs", asked["--out"]] and "runs" in made["volumes"]
    for service in (master, worker):
        assert service["read_only"] is True and service["cap_drop"] == ["ALL"]
    assert (DEPLOY / master["build"]["context"] / master["build"]["dockerfile"]).is_file()


def test_the_drill_is_the_same_in_both_and_can_be_played() -> None:
    config = objects()["ConfigMap/paydrill-drill"]["data"]["drill.yaml"]
    assert config == (DEPLOY / "drill.yaml").read_text()
    drill = load_scenario(str(DEPLOY / "drill.yaml"))
    # A platform of the drill's own would listen where the workers of other machines don't reach it.
    assert drill.platform.url is not None


def test_images_are_built_here_and_come_from_no_registry_by_name() -> None:
    images = [container["image"] for name, job in objects().items() if name.startswith("Job/")
              for container in pod(job)["containers"]]  # fmt: skip
    images += [service["image"] for service in services()["services"].values()]
    assert set(images) == {"paydrill:local"}


def test_the_image_has_all_that_is_installed_and_nothing_that_is_not_locked() -> None:
    text = (DEPLOY / "Dockerfile").read_text().replace("\\\n", " ")
    steps = [line.split(None, 1) for line in text.splitlines() if line and not line.startswith("#")]
    assert {step for step, _ in steps} <= {"FROM", "WORKDIR", "RUN", "ENV", "COPY", "USER", "CMD"}
    copied = {source for step, rest in steps if step == "COPY" for source in rest.split()[:-1]}
    assert all((ROOT / source).exists() for source in copied)
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"tests", "benchmarks"}
    assert packages | {"requirements.lock", "pyproject.toml", "locustfile.py"} <= copied
    installs = [rest for step, rest in steps if step == "RUN" and "pip install" in rest]
    assert len(installs) == 2
    assert "--require-hashes" in installs[0] and "--no-deps" in installs[1]
    assert not re.search(r"https?://|--index|--extra-index", text)
    assert dict(step for step in steps if step[0] == "USER") == {"USER": "10001:10001"}


def test_distilled_schemas_have_no_words_left() -> None:
    definitions = {
        "$defs": {
            "io.k8s.api.batch.v1.Job": {
                "description": "words",
                "x-kubernetes-group-version-kind": [],
                "properties": {
                    "description": {"description": "words", "type": "string"},
                    "status": {"$ref": "/x.json#/$defs/io.k8s.api.batch.v1.JobStatus"},
                },
            },
            **{f"io.k8s.api.{name}": {} for name in KINDS.values() if name != "batch.v1.Job"},
        }
    }
    made = kubernetes(definitions, "1.0")["$defs"]
    assert made["batch.v1.Job"] == {
        "properties": {"description": {"type": "string"}, "status": {"$ref": "#/$defs/batch.v1.JobStatus"}}
    }
    assert made["batch.v1.JobStatus"] == {}
    assert compose({"title": "words", "type": "object"}, "abc")["type"] == "object"
    for facts in (KUBERNETES, COMPOSE):
        assert facts["source"]["licence"] == "Apache-2.0"
