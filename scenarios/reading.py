"""From a scenario's name or path to a scenario that can be played, or to everything that is wrong with it."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from scenarios import checks, samples, traces
from scenarios.document import Document, Problem, ScenarioError, override, read
from scenarios.document import Path as Place
from scenarios.finding import nearest
from scenarios.quantities import format_duration
from scenarios.schema import Scenario

FOLDER = Path(__file__).parent
"""Where the scenarios that come with paydrill are."""


def names() -> tuple[str, ...]:
    """The scenarios that come with paydrill, by name."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def find(source: str) -> Path:
    """The file of a scenario given by path or name.

    Raises:
        ScenarioError: There is none.
    """
    path = Path(source)
    if path.is_file():
        return path
    if path.suffix in (".yaml", ".yml") or "/" in source:
        reason = "is a folder" if path.is_dir() else "no such file"
        raise ScenarioError([Problem(source, None, (), None, reason, _known(path.stem))])
    named = FOLDER / f"{source.replace('-', '_')}.yaml"
    if named.is_file():
        return named
    raise ScenarioError(
        [Problem(source, None, (), None, "no scenario of that name, and no such file", _known(source))]
    )


def load_scenario(source: str, settings: Iterable[str] = ()) -> Scenario:
    """Read, override, validate.

    Args:
        source: Path of a YAML file, or name of a scenario that comes with paydrill.
        settings: ``KEY=VALUE`` overrides, applied in order.

    Raises:
        ScenarioError: With all problems at once.
    """
    path = find(source)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ScenarioError([Problem(str(path), None, (), None, f"cannot be read: {error}")]) from error
    return parse(text, _shown(path), settings)


def parse(text: str, file: str, settings: Iterable[str] = ()) -> Scenario:
    """The scenario of a YAML text. A ``run:`` section, as stands in a run's folder, is passed over.

    Raises:
        ScenarioError: With all problems at once.
    """
    document = read(text, file)
    problems: list[Problem] = []
    for setting in settings:
        try:
            override(document, setting)
        except ScenarioError as error:
            problems += error.problems
    if not isinstance(document.data, dict):
        raise ScenarioError([document.problem((), "a scenario is a mapping of keys; this is something else")])
    document.data.pop("run", None)
    problems += samples.embed(document)
    unreadable, broken = traces.embed(document)
    problems += unreadable
    data: dict[str, Any] = document.data
    scenario = None
    pruned = _Pruned(data, broken)
    while scenario is None:
        try:
            scenario = Scenario.model_validate(pruned.data)
        except ValidationError as error:
            before = len(broken)
            for detail in error.errors(include_url=False, include_context=True):
                place = pruned.original(_place(detail))
                if any(b[: len(place)] == place != b for b in broken):
                    # What holds a part that was left out, and is judged as a whole.
                    broken.add(place)
                elif not any(place[: len(b)] == b for b in broken):
                    problems.append(_explain(document, detail, place))
                    broken.add(place)
                elif place:
                    # It is left out already and missed for it: what holds it has to go as well.
                    broken.add(place[:-1])
            if () in broken or len(broken) == before:
                break
            pruned = _Pruned(data, broken)
    problems += checks.text_problems(document)
    if scenario is not None:
        for finding in checks.findings(scenario, _unsound(broken)):
            problems.append(document.problem(pruned.original(finding.path), finding.message, finding.hint))
    if problems or scenario is None:
        raise ScenarioError(_once(problems))
    return scenario


_INDEPENDENT = frozenset({"faults", "probes", "maintenance", "objectives"})
# What is left of these after pruning is sound by itself; a gateway or a stage that is missing would be
# missed by others.


def _unsound(broken: set[Place]) -> frozenset[str]:
    """The sections that cannot be relied on once the broken places are left out."""
    return frozenset(str(place[0]) for place in broken if len(place) == 1 or place[0] not in _INDEPENDENT)


class _Pruned:
    """Plain data without its broken places: what is wrong is left out and the rest is checked, so that all
    errors show at once."""

    def __init__(self, data: dict[str, Any], broken: set[Place]) -> None:
        self._broken = broken
        self._numbers: dict[Place, list[int]] = {}
        self.data = self._without(data, ())
        if ("name",) in broken:
            self.data["name"] = "unnamed"

    def original(self, place: Place) -> Place:
        """The place in the whole data of a place in the pruned data."""
        here: Place = ()
        for step in place:
            if isinstance(step, int) and here in self._numbers and step < len(self._numbers[here]):
                here = (*here, self._numbers[here][step])
            else:
                here = (*here, step)
        return here

    def _without(self, data: Any, here: Place) -> Any:
        if isinstance(data, dict):
            return {
                key: self._without(value, (*here, key))
                for key, value in data.items()
                if (*here, key) not in self._broken
            }
        if isinstance(data, list):
            self._numbers[here] = [i for i in range(len(data)) if (*here, i) not in self._broken]
            return [self._without(data[i], (*here, i)) for i in self._numbers[here]]
        return data


def _once(problems: list[Problem]) -> list[Problem]:
    seen: dict[tuple[object, ...], Problem] = {}
    for problem in problems:
        seen.setdefault((problem.path, problem.message), problem)
    return list(seen.values())


def _place(detail: ErrorDetails) -> Place:
    return tuple(detail["loc"])


def _explain(document: Document, detail: ErrorDetails, place: Place) -> Problem:
    kind = detail["type"]
    context = detail.get("ctx", {})
    if kind == "extra_forbidden":
        key = str(place[-1])
        known = _keys(place[:-1])
        return document.problem(place, f"unknown key {key!r}", nearest(key, known), show=False)
    if kind == "missing":
        field = _fields(place[:-1]).get(str(place[-1]), "")
        return document.problem(place, f"{place[-1]!r} is missing", field, show=False)
    if kind == "value_error":
        return document.problem(place, str(context.get("error", detail["msg"])))
    if kind == "literal_error":
        wanted = str(context.get("expected", ""))
        options = [option.strip(" '") for option in wanted.replace(" or ", ",").split(",")]
        return document.problem(place, f"must be {wanted}", nearest(str(document.value(place)), options))
    if kind in ("model_type", "model_attributes_type", "dict_type", "mapping_type"):
        return document.problem(place, "must be a section with keys of its own", ", ".join(_keys(place)))
    if kind in ("tuple_type", "list_type"):
        return document.problem(place, "must be a list", "start each item with a dash")
    limits = {"greater_than": "above", "greater_than_equal": "at least", "less_than": "below",
              "less_than_equal": "at most"}  # fmt: skip
    if kind in limits:
        limit = next(iter(context.values()))
        return document.problem(place, f"must be {limits[kind]} {_limit(place, limit)}")
    if kind == "string_pattern_mismatch":
        return document.problem(place, "may hold a-z, 0-9, - and _ only, and starts with a letter or digit")
    if kind == "too_short":
        return document.problem(place, "must not be empty")
    if kind in ("int_parsing", "int_type", "int_from_float"):
        return document.problem(place, "must be a whole number")
    if kind in ("float_parsing", "float_type", "finite_number"):
        return document.problem(place, "must be a number")
    if kind == "string_type":
        return document.problem(place, "must be a text")
    return document.problem(place, str(detail["msg"]))


def _limit(place: Place, limit: object) -> str:
    """A limit in the unit of its field: durations are kept in nanoseconds, but nobody writes those."""
    durations = {"duration", "at", "for", "every", "recheck", "timeout", "settle", "p50", "p99"}
    durations |= {"rise", "hold", "fall", "period"}
    durations |= {"on", "off", "ramp"}  # an "on" that is a name has no limit
    if place and place[-1] in durations and isinstance(limit, int | float):
        return format_duration(int(limit))
    return str(limit)


def _model(place: Place) -> type[BaseModel] | None:
    """The schema class of the section at a place, if there is one."""
    model: Any = Scenario
    for step in place:
        if isinstance(step, int):
            continue
        if isinstance(model, type) and issubclass(model, BaseModel):
            field = next((f for name, f in model.model_fields.items() if (f.alias or name) == step), None)
            model = _inner(field.annotation) if field else None
        # A mapping of sections (gateways by name): its keys lead to the section itself.
    return model if isinstance(model, type) and issubclass(model, BaseModel) else None


def _inner(annotation: Any) -> Any:
    """The section class inside ``X | None``, ``tuple[X, ...]``, ``dict[str, X]``."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for argument in getattr(annotation, "__args__", ()):
        if (found := _inner(argument)) is not None:
            return found
    return None


def _fields(place: Place) -> Mapping[str, str]:
    model = _model(place)
    if model is None:
        return {}
    return {field.alias or name: field.description or "" for name, field in model.model_fields.items()}


def _keys(place: Place) -> list[str]:
    return list(_fields(place))


def _known(word: str) -> str:
    close = difflib.get_close_matches(word.replace("-", "_"), names(), 1, 0.5)
    return f"did you mean {close[0]}?" if close else f"there are: {', '.join(names())}"


def _shown(path: Path) -> str:
    relative = os.path.relpath(path)
    return str(path) if relative.startswith("..") else relative
