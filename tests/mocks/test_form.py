"""Stripe's form encoding, against the encoder of its own SDK."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stripe._encode import _api_encode

from mocks.gateways.stripe.form import MOST_PARAMETERS, FormError, Parameters, canonical, listed, parse

names = st.text("abcdefghij_é ", min_size=1, max_size=6)
values = st.text(max_size=8)
nodes: st.SearchStrategy[Any] = st.recursive(
    values,
    lambda inner: (
        st.dictionaries(names, inner, min_size=1, max_size=3) | st.lists(inner, min_size=1, max_size=3)
    ),
    max_leaves=6,
)


def as_sent(node: Any) -> Any:
    """What a structure becomes on the way: lists become mappings from places."""
    if isinstance(node, list):
        return {str(place): as_sent(item) for place, item in enumerate(node)}
    if isinstance(node, dict):
        return {name: as_sent(item) for name, item in node.items()}
    return node


@given(st.dictionaries(names, nodes, max_size=4))
def test_what_the_sdk_encodes_is_read_back(parameters: dict[str, Any]) -> None:
    pairs = [(name, value) for name, value in _api_encode(parameters)]
    assert parse(urlencode(pairs)) == as_sent(parameters)


@given(st.dictionaries(names, nodes, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_parameters_does_not_matter(parameters: dict[str, Any], random: Any) -> None:
    pairs = [(name, value) for name, value in _api_encode(parameters)]
    shuffled = pairs[:]
    random.shuffle(shuffled)
    assert canonical(parse(urlencode(pairs))) == canonical(parse(urlencode(shuffled)))


@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_different_parameters_have_different_texts(one: Parameters, other: Parameters) -> None:
    assert (canonical(one) == canonical(other)) == (one == other)


@given(st.text(max_size=60) | st.text("a[]=&0%+", max_size=40))
def test_nothing_but_a_form_error_comes_of_nonsense(text: str) -> None:
    sent = text.encode().decode("latin-1")
    try:
        tree = parse(sent)
    except FormError:
        return
    assert parse(urlencode(_flat(tree))) == tree


def _flat(tree: Parameters, prefix: str = "") -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for name, node in tree.items():
        path = f"{prefix}[{name}]" if prefix else name
        pairs += [(path, node)] if isinstance(node, str) else _flat(node, path)
    return pairs


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("", {}),
        ("a=1", {"a": "1"}),
        ("a=1&a=2", {"a": "2"}),
        ("a", {"a": ""}),
        ("a=b=c", {"a": "b=c"}),
        ("a%5Bb%5D=1", {"a": {"b": "1"}}),
        ("a[b][c]=x+y", {"a": {"b": {"c": "x y"}}}),
        ("a[]=x&a[]=y", {"a": {"0": "x", "1": "y"}}),
        ("a[1]=x&a[]=y", {"a": {"1": "x", "2": "y"}}),
        (f"a={quote_plus('ü€')}", {"a": "ü€"}),
    ],
)
def test_table(text: str, tree: Parameters) -> None:
    assert parse(text) == tree


@pytest.mark.parametrize(
    "text",
    [
        "a[=1",
        "a]=1",
        "[a]=1",
        "a[b]c=1",
        "=1",
        "a=1&a[b]=2",
        "a[b]=2&a=1",
        "a=%ff",
        "a[b][c][d][e][f][g][h][i]=1",
        "&".join(f"a{n}=1" for n in range(MOST_PARAMETERS + 1)),
    ],
)
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(FormError):
        parse(text)


def test_listed() -> None:
    assert listed(parse("a[10]=x&a[2]=y")["a"]) == ["y", "x"]
    for text in ("a=1", "a[b]=1"):
        with pytest.raises(FormError):
            listed(parse(text)["a"])
