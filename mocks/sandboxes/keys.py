"""The keys of sandboxes: read from the environment, and refused when they are not surely test keys.

A key never leaves the process that reads it, but for the request that it authorises: ``Credentials`` shows
none, and no message repeats one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Key:
    """One key of a sandbox.

    Attributes:
        variable: The environment variable that holds it.
        about: What it is, in the gateway's words.
        argument: The parameter of the gateway's connector that takes it; empty when no connector does.
        test: What a test key begins with; empty when the gateway's keys don't tell test from live, so that
            only the host that they are sent to does.
    """

    variable: str
    about: str
    argument: str = ""
    test: tuple[str, ...] = ()

    def complaint(self, value: str) -> str:
        """What is wrong with a value, as a sentence; empty when nothing is."""
        if not value.isascii() or not value.isprintable() or " " in value:
            return f"{self.variable} holds characters that no {self.about} has"
        if self.test and not value.startswith(self.test):
            return (
                f"{self.variable} holds no test key: a {self.about} of the sandbox begins with "
                f"{' or '.join(self.test)}, and everything else is refused, live keys above all"
            )
        return ""


class KeysError(ValueError):
    """Keys are missing, or are no test keys.

    Attributes:
        problems: A sentence for each.
    """

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys of one sandbox, by environment variable. Its ``repr`` shows none of them."""

    _values: Mapping[str, str] = field(repr=False)

    def __getitem__(self, variable: str) -> str:
        return self._values[variable]

    def arguments(self, keys: Iterable[Key]) -> dict[str, str]:
        """The keys as the gateway's connector takes them."""
        return {key.argument: self._values[key.variable] for key in keys if key.argument}


def problems(keys: Iterable[Key], environ: Mapping[str, str]) -> tuple[str, ...]:
    """A sentence for each key that is missing or refused."""
    found = []
    for key in keys:
        value = environ.get(key.variable, "")
        complaint = key.complaint(value) if value else f"{key.variable} is not set: the {key.about}"
        if complaint:
            found.append(complaint)
    return tuple(found)


def read(keys: Iterable[Key], environ: Mapping[str, str]) -> Credentials:
    """The credentials of a sandbox.

    Raises:
        KeysError: Keys are missing, or are no test keys.
    """
    keys = tuple(keys)
    found = problems(keys, environ)
    if found:
        raise KeysError(found)
    return Credentials({key.variable: environ[key.variable] for key in keys})
