"""A scenario's YAML text as plain data that remembers on which line every value stands."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import yaml

Path = tuple[str | int, ...]
"""Where a value stands: ``("load", "arrivals", 2, "rate")``."""

_MOST_NODES = 50_000


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a scenario, in words that a person can act on."""

    file: str
    line: int | None
    path: Path
    value: object
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        name = dotted(self.path)
        shown = "" if self.value is None else f" (is {shorten(self.value)})"
        text = f"{place}: {name + ': ' if name else ''}{self.message}{shown}"
        return f"{text}\n    hint: {self.hint}" if self.hint else text


class ScenarioError(Exception):
    """A scenario that cannot be played, with everything that is wrong with it.

    Attributes:
        problems: At least one, in the order of their lines.
    """

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = sorted(problems, key=lambda problem: (problem.line or 0, dotted(problem.path)))
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(slots=True)
class Document:
    """Plain data (dict, list, str, int, float, bool, None) and the place of each value in the text."""

    file: str
    data: object
    lines: dict[Path, int] = field(default_factory=dict)
    overridden: dict[Path, str] = field(default_factory=dict)

    def place(self, path: Path) -> tuple[str, int | None]:
        """File and line of the value at ``path``, or of the nearest thing that holds it."""
        for length in range(len(path), -1, -1):
            if path[:length] in self.overridden:
                return self.overridden[path[:length]], None
            if path[:length] in self.lines:
                return self.file, self.lines[path[:length]]
        return self.file, None

    def value(self, path: Path) -> object:
        """The value at ``path``; None if there is none, or if it is a whole section."""
        here = self.data
        for step in path:
            try:
                here = here[step]  # type: ignore[index]
            except (KeyError, IndexError, TypeError):
                return None
        return None if isinstance(here, dict | list) else here

    def problem(self, path: Path, message: str, hint: str = "", *, show: bool = True) -> Problem:
        file, line = self.place(path)
        return Problem(file, line, path, self.value(path) if show else None, message, hint)


def read(text: str, file: str) -> Document:
    """Parse YAML.

    Scalars follow YAML 1.2: only ``true`` and ``false`` are booleans, so that ``on: stripe`` is a key
    named ``on``.

    Raises:
        ScenarioError: The text is not YAML, has a key twice, or is unreasonably large.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = error.problem or error.context or "cannot be read"
        raise ScenarioError(
            [Problem(file, mark.line + 1 if mark else None, (), None, f"not YAML: {what}")]
        ) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise ScenarioError(
            [Problem(file, None, (), None, f"not YAML: {str(error).splitlines()[0]}")]
        ) from error
    document = Document(file, None)
    problems: list[Problem] = []
    if root is None:
        raise ScenarioError(
            [Problem(file, 1, (), None, "the scenario is empty", "start with name: and load:")]
        )
    document.data = _build(root, (), document, problems)
    if problems:
        raise ScenarioError(problems)
    return document


def override(document: Document, setting: str) -> None:
    """Apply one ``KEY=VALUE``, with KEY like ``load.arrivals.2.rate`` (list items count from 0).

    Raises:
        ScenarioError: The setting is not KEY=VALUE, or leads through something that is no section.
    """
    source = f"--set {setting}"
    key, equals, text = setting.partition("=")
    path: Path = tuple(int(step) if step.isdigit() else step for step in key.strip().split("."))

    def wrong(message: str, hint: str = "") -> ScenarioError:
        return ScenarioError([Problem(source, None, (), None, message, hint)])

    if not equals or not key.strip():
        raise wrong("not a setting", "write KEY=VALUE, e.g. --set load.arrivals.2.rate=800/s")
    here = document.data
    for depth, step in enumerate(path[:-1]):
        if isinstance(here, dict):
            if str(step) not in here:
                document.overridden[path[: depth + 1]] = source
            here = here.setdefault(str(step), {})
        elif isinstance(here, list) and isinstance(step, int) and step < len(here):
            here = here[step]
        else:
            raise wrong(_no_way(here, path[: depth + 1]))
    last = path[-1]
    value = read(text, source).data if text.strip() else None
    if isinstance(here, dict):
        here[str(last)] = value
        path = (*path[:-1], str(last))
    elif isinstance(here, list) and isinstance(last, int) and last < len(here):
        here[last] = value
    else:
        raise wrong(_no_way(here, path))
    document.overridden[path] = source


def _no_way(here: object, path: Path) -> str:
    if isinstance(here, list):
        return f"{dotted(path)} does not exist; {dotted(path[:-1])} has {len(here)} items, counted from 0"
    return f"{dotted(path)} does not exist; {dotted(path[:-1])} is a single value"


def dotted(path: Path) -> str:
    return ".".join(map(str, path))


def shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _build(node: yaml.Node, path: Path, document: Document, problems: list[Problem]) -> object:
    document.lines[path] = node.start_mark.line + 1
    if len(document.lines) > _MOST_NODES:
        raise ScenarioError([Problem(document.file, None, (), None, f"has more than {_MOST_NODES} values")])
    if len(path) > 50:
        raise ScenarioError([Problem(document.file, None, (), None, "is nested more than 50 deep")])
    if isinstance(node, yaml.MappingNode):
        mapping: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            below = (*path, key)
            if key in mapping:
                line = key_node.start_mark.line + 1
                problems.append(Problem(document.file, line, below, None, "this key stands here twice"))
            mapping[key] = _build(value_node, below, document, problems)
            document.lines[below] = key_node.start_mark.line + 1
        return mapping
    if isinstance(node, yaml.SequenceNode):
        return [_build(item, (*path, index), document, problems) for index, item in enumerate(node.value)]
    return _scalar(node)


def _scalar(node: yaml.Node) -> str | int | float | bool | None:
    text = str(node.value)
    if getattr(node, "style", None) is not None:
        return text
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if re.fullmatch(r"[-+]?\d{1,18}", text):
        return int(text)
    if re.fullmatch(r"[-+]?\d+\.\d*(e[-+]?\d+)?", text):
        return float(text)
    return text
