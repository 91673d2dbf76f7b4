"""The commands of the manifests are understood by the command lines that they are for."""

import shlex
import subprocess
import sys

import pytest
import typer

from paydrill.__main__ import app
from tests.deploy.test_manifests import ROOT, objects, pod, services


def commands() -> dict[str, list[str]]:
    """Every command line of the manifests and of the page about them."""
    found = {}
    for name, job in objects().items():
        if name.startswith("Job/"):
            (container,) = pod(job)["containers"]
            found[f"kubernetes {name}"] = [*container["command"], *container["args"]]
    for name, service in services()["services"].items():
        found[f"compose {name}"] = service["command"]
    page = (ROOT / "docs" / "distributed.md").read_text(encoding="utf-8")
    for block in page.split("```")[1::2]:
        for line in block.strip().splitlines():
            found[f"page {line}"] = shlex.split(line)
    return found


PARSE_LOCUST = """
import sys
from locust.argument_parser import get_parser
from scenarios.users import add_arguments
parser = get_parser()
add_arguments(parser)
for line in sys.stdin:
    try:
        options = parser.parse_args(line.rstrip("\\n").split("\\t"))
        print(options.worker, options.master, options.master_host, options.master_port)
    except SystemExit as end:
        print("refused", end.code)
"""


def test_only_commands_of_ours_are_shown() -> None:
    assert {command[0] for command in commands().values()} == {"paydrill", "locust"}


def test_every_command_of_paydrill_is_understood() -> None:
    group = typer.main.get_command(app)
    assert isinstance(group, typer.core.TyperGroup)
    lines = [command[1:] for command in commands().values() if command[0] == "paydrill"]
    verbs = [line[0] for line in lines]
    assert verbs.count("run") == 3 and verbs.count("plan") == 3
    for verb, *rest in lines:
        with group.commands[verb].make_context(verb, rest) as parsed:
            assert verb != "run" or parsed.params["expect_workers"] == 4
    with pytest.raises(Exception, match="No such option"):
        group.commands["run"].make_context("run", ["steady_state", "--expect-workrs=4"])


def test_every_command_of_locust_is_understood() -> None:
    lines = [command[1:] for command in commands().values() if command[0] == "locust"]
    wrong = [*lines[0], "--master-hots=x"]
    done = subprocess.run(
        [sys.executable, "-c", PARSE_LOCUST],
        input="\n".join("\t".join(line) for line in [*lines, wrong]),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        cwd=ROOT,
    )
    assert done.stdout.splitlines() == [
        "True False paydrill-master 5557",
        "True False master 5557",
        "True False 10.0.0.5 5557",
        "False True 127.0.0.1 5557",
        "refused 2",
    ], done.stderr
