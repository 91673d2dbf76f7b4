"""Stripe's parameters: form encoding in which brackets make structure, ``a[b]=1&c[0]=2&d[]=3``."""

from __future__ import annotations

import functools
import re
from urllib.parse import unquote_to_bytes

import orjson

Parameters = dict[str, "Node"]
Node = str | Parameters

MOST_PARAMETERS = 1000
DEEPEST = 8
_CACHED = 100  # letters of the longest name that is worth remembering

_KEY = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_PART = re.compile(r"\[([^\[\]]*)\]")


class FormError(ValueError):
    """The parameters cannot be read."""


def parse(text: str) -> Parameters:
    """Structure out of a form or a query.

    ``a[x]=1`` makes a mapping. So do the list forms ``a[0]=1`` and ``a[]=1``, with the numbers as names: only
    the reader knows whether ``metadata[7]`` is a name or a place; see ``listed``. A name that is given twice
    keeps its last value.

    Raises:
        FormError: Brackets that don't match, a name that is both a value and a structure, text that is not
            UTF-8, more than ``MOST_PARAMETERS`` parameters or deeper than ``DEEPEST``.
    """
    tree: Parameters = {}
    pairs = [pair for pair in text.split("&") if pair]
    if len(pairs) > MOST_PARAMETERS:
        raise FormError(f"more than {MOST_PARAMETERS} parameters")
    for pair in pairs:
        name, _, value = pair.partition("=")
        path = _path(name) if len(name) <= _CACHED else _path.__wrapped__(name)
        if len(path) == 1 and path[0] not in tree:
            tree[path[0]] = _decoded(value)
        else:
            _put(tree, path, _decoded(value))
    return tree


def listed(node: Node) -> list[Node]:
    """A list that was sent as ``a[0]=..&a[1]=..`` or ``a[]=..``, in the order of the numbers.

    Raises:
        FormError: It is no list.
    """
    if isinstance(node, str) or not all(name.isascii() and name.isdigit() for name in node):
        raise FormError("a list is needed")
    return [node[name] for name in sorted(node, key=int)]


def canonical(parameters: Parameters) -> bytes:
    """The same bytes for equal parameters, in whatever order they were sent."""
    return orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)


def _decoded(text: str) -> str:
    if text.isascii() and "%" not in text and "+" not in text:
        return text
    try:
        return unquote_to_bytes(text.replace("+", " ").encode("latin-1")).decode()
    except UnicodeError as error:
        raise FormError("a parameter is not UTF-8") from error


@functools.lru_cache(1024)
def _path(name: str) -> tuple[str, ...]:
    match = _KEY.match(_decoded(name))
    if match is None:
        raise FormError("a parameter's name has brackets that don't match")
    path = (match[1], *_PART.findall(match[2]))
    if len(path) > DEEPEST:
        raise FormError(f"parameters nested deeper than {DEEPEST}")
    return path


def _put(tree: Parameters, path: tuple[str, ...], value: str) -> None:
    for step in path[:-1] if len(path) > 1 else ():
        branch = tree.setdefault(step or _next_place(tree), {})
        if isinstance(branch, str):
            raise FormError("a parameter is both a value and a structure")
        tree = branch
    last = path[-1] or _next_place(tree)
    if isinstance(tree.get(last), dict):
        raise FormError("a parameter is both a value and a structure")
    tree[last] = value


def _next_place(tree: Parameters) -> str:
    place = len(tree)
    while str(place) in tree:
        place += 1
    return str(place)
