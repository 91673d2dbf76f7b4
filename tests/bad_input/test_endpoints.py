"""Every endpoint of every gateway, given what makes no sense: the gateway's own error, or an answer."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bad_input.doors import Inside

DEEP: Any = "x"
for _ in range(200):
    DEEP = {"a": DEEP}

ABSURD: tuple[Any, ...] = (
    None,
    True,
    "",
    " ",
    "\0",
    "a\0b\r\nX: y",
    "\ud800",
    "\u202e\ufeff\U0010ffff",
    "x" * 5000,
    "-1",
    "1e400",
    "NaN",
    "٣٤",
    "1_000",
    "9" * 500,
    "2029-99-99",
    "9999-12-31",
    "0001-01-01T00:00:00+14:00",
    "__class__",
    "%00%ff",
    "'\";--<script>",
    0,
    -1,
    2**31,
    2**63,
    2**64,
    10**30,
    0.1,
    -0.0,
    1e308,
    [],
    {},
    [[]],
    [None],
    [1, "a", {}],
    {"": ""},
    {"a": None},
    ["x"] * 500,
    {str(number): "x" for number in range(500)},
    DEEP,
)

RAW = (
    b"",
    b"\0",
    b"\xff\xfe{",
    b"\xef\xbb\xbf{}",
    b"{",
    b"[]",
    b"null",
    b"1",
    b'"x"',
    b"NaN",
    b'{"amount": NaN}',
    b'{"amount": 1e999}',
    b'{"amount": ' + b"9" * 5000 + b"}",
    b'{"a": 1, "a": 2, "a": {"a": 3}}',
    b'{"a": "\\ud800"}',
    b'{"a": "\xed\xa0\x80"}',
    b"[" * 100_000,
    b'{"a":' * 5000 + b"1" + b"}" * 5000,
    b"a[b][c]=1&a[b]=2&a=3&a[]=4&a[b][]=5",
    b"a" + b"[b]" * 2000 + b"=1",
    b"[a]=1&[]=2&]=3&[=4&=5&&&%&%zz=%ff",
    b"&".join(b"k%d=v" % number for number in range(5000)),
    b"amount=1&amount=2&currency=eur&currency[]=usd",
    b"--boundary\r\nContent-Disposition: form-data; name=a\r\n\r\nb\r\n--boundary--\r\n",
)

QUERIES = (
    b"limit=0",
    b"limit=" + b"9" * 400,
    b"limit=%D9%A3&limit=1.0&limit=-1&page_size=NaN&page=1e9",
    b"limit=%00&after=%00&before=%ff&starting_after=%ff",
    b"starting_after=x&ending_before=y&after=x&before=y",
    b"created[gt]=nan&created[lt]=inf&created[gte]=1e400",
    b"created_at[gt]=9999-99-99&created_at[lt]=0001-01-01T00:00:00%2B14:00",
    b"created_at[gte]=0001-01-01T00:00:00%2B14:00",
    b"created_at[lte]=9999-12-31T23:59:59-14:00",
    b"start_date=0001-01-01T00:00:00Z&end_date=9999-12-31T23:59:59Z&start_time=x&end_time=",
    b"expand[]=" + b"data." * 200 + b"&expand=x&expand[a][b]=c",
    b"query=" + b"(" * 500 + b"&query=%27&query=status:",
    b"a" + b"[b]" * 2000 + b"=1",
    b"&&&===%zz%",
    b"?" * 100,
    b"token=x&redirectResult=%ff&return_url=javascript:1&cancel=",
)

HEADERS: tuple[dict[str, str], ...] = (
    {"Authorization": ""},
    {"Authorization": "Bearer"},
    {"Authorization": "Bearer \xff\xfe"},
    {"Authorization": "Basic !!!"},
    {"Authorization": "Basic /////w=="},
    {"Authorization": "Bearer " + "x" * 10_000},
    {"Authorization": "Digest username=x"},
    {"X-API-Key": ""},
    {"Content-Type": "text/plain"},
    {"Content-Type": ""},
    {"Content-Type": "multipart/form-data; boundary="},
    {"Content-Type": "application/json; charset=\xff"},
    {"Content-Encoding": "gzip"},
    {"Accept": "\xff"},
    {"Accept-Encoding": "x" * 3000},
    {"Idempotency-Key": ""},
    {"Idempotency-Key": "k" * 10_000},
    {"Idempotency-Key": "\xff\t\xe9"},
    {"PayPal-Request-Id": "k" * 10_000},
    {"PayPal-Mock-Response": "{"},
    {"PayPal-Mock-Response": '{"mock_application_codes": 1}'},
    {"PayPal-Mock-Response": '{"mock_application_codes": {"a": []}}'},
    {"PayPal-Mock-Response": "[" * 5000},
    {"Prefer": "return=" + "x" * 500},
    {"Stripe-Version": "\xff"},
    {"Stripe-Account": "x"},
    {"GoCardless-Version": "\xff"},
    {"Host": "\xff:\xff"},
    {"X-Forwarded-For": "x, " * 1000},
    {"Expect": "200-maybe"},
)

PATHS = (
    b"/",
    b"//",
    b"/%00",
    b"/%ff%fe",
    b"/../../etc/passwd",
    b"/v1/payment_intents/%2e%2e",
    b"/v72/payments/",
    b"/v" + b"9" * 500 + b"/payments",
    b"/payments/" + b"x" * 10_000,
    b"/v2/checkout/orders/\xff\xfe",
    b"/scenario_simulators//actions/run",
    b"*",
    b"http://",
    b"http://x",
    b"/?" + b"a" * 10_000,
)


def targets(gateway: Inside) -> Iterator[tuple[str, bytes, str]]:
    """Every endpoint, with identifiers that exist and one that does not."""
    for method, path, endpoint in gateway.door.targets:
        names = [*gateway.known, "none"] if "*" in path else [""]
        for name in names:
            yield method, path.replace("*", name).encode(), endpoint


def test_the_list_of_endpoints_is_whole(gateway: Inside) -> None:
    from mocks.gateways import GATEWAYS

    listed = {endpoint for _, _, endpoint in gateway.door.targets} | {"health"}
    assert listed == set(GATEWAYS[gateway.door.kind].endpoints)
    assert not any(sign in path for _, path, _ in gateway.door.targets for sign in "()\\?")


def test_bodies_that_are_none(gateway: Inside) -> None:
    for method, target, endpoint in targets(gateway):
        for body in RAW:
            gateway.check(gateway.wire.call(method, target, gateway.headers, body), endpoint)
    gateway.still_works()


def test_queries_that_make_no_sense(gateway: Inside) -> None:
    for method, target, endpoint in targets(gateway):
        for query in QUERIES:
            asked = target + b"?" + query
            gateway.check(gateway.wire.call(method, asked, gateway.headers), endpoint)
    gateway.still_works()


def test_headers_that_make_no_sense(gateway: Inside) -> None:
    seed = gateway.door.encode(gateway.door.seeds[0])
    for method, path, endpoint in gateway.door.targets:
        target = path.replace("*", gateway.known[0]).encode()
        for headers in HEADERS:
            sent = {name: value for name, value in gateway.headers.items() if name not in headers}
            gateway.check(gateway.wire.call(method, target, sent | headers, seed), endpoint)
    gateway.still_works()


def test_who_shows_no_key_gets_nothing(gateway: Inside) -> None:
    open_ = {*gateway.door.pages, "oauth2.token", "redirect"}
    for method, target, endpoint in targets(gateway):
        if endpoint not in open_:
            answer = gateway.wire.call(method, target, {"Content-Type": gateway.door.content_type})
            gateway.check(answer)
            assert answer.status == 401, (endpoint, answer)


def test_paths_and_methods_that_are_none(gateway: Inside) -> None:
    for nowhere in PATHS:
        for method in ("GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"):
            answer = gateway.wire.call(method, nowhere, gateway.headers)
            gateway.check(answer)
            assert 400 <= answer.status < 500, (nowhere, answer)
    for _, path, endpoint in gateway.door.targets:
        for method in ("PROPFIND", "OPTIONS", "TRACE", "PUT"):
            there = path.replace("*", gateway.known[0]).encode()
            gateway.check(gateway.wire.call(method, there, gateway.headers), endpoint)
        assert gateway.wire.call("HEAD", there, gateway.headers).status < 500
    gateway.still_works()


def absurd(gateway: Inside, targets: list[tuple[str, bytes, str]]) -> None:
    door = gateway.door
    for written in door.seeds:
        named = [json.loads(json.dumps(written).replace('"*"', f'"{name}"')) for name in gateway.known]
        for seed in named if '"*"' in json.dumps(written) else named[:1]:
            for leaf in leaves(seed):
                for value in ABSURD:
                    body = door.encode(changed(seed, leaf, value))
                    for method, target, endpoint in targets:
                        gateway.check(gateway.wire.call(method, target, gateway.headers, body), endpoint)
    gateway.still_works()


def test_absurd_values_one_by_one(gateway: Inside) -> None:
    # Where payments come in; all others are fuzzed below.
    first = {
        "stripe": ("payment_intents.create", "payment_methods.create"),
        "paypal": ("orders.create",),
        "adyen": ("payments",),
        "gocardless": ("payments.create",),
    }[gateway.door.kind]
    absurd(gateway, [target for target in targets(gateway) if target[2] in first])


@pytest.mark.slow
def test_absurd_values_everywhere(gateway: Inside) -> None:
    first = [
        (method, path.replace("*", gateway.known[0]).encode(), endpoint)
        for method, path, endpoint in gateway.door.targets
        if method != "GET"
    ]
    absurd(gateway, first)


def leaves(body: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The ways to every part of a body, the whole left out."""
    if path:
        yield path
    if isinstance(body, dict):
        for key, value in body.items():
            yield from leaves(value, (*path, key))
    elif isinstance(body, list):
        for place, value in enumerate(body):
            yield from leaves(value, (*path, place))


def changed(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value at the end of a way."""
    copied = copy.deepcopy(body)
    inner = copied
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = value
    return copied


@st.composite
def requests(draw: st.DrawFn, gateway: Inside) -> tuple[str, bytes, str, bytes]:
    """Method, target, endpoint and a body in which a few parts make no sense."""
    door = gateway.door
    method, path, endpoint = draw(st.sampled_from(door.targets))
    name = draw(st.sampled_from([*gateway.known, "none", "%00", "x" * 300]))
    body = draw(st.sampled_from(door.seeds))
    for _ in range(draw(st.integers(0, 3))):
        ways = list(leaves(body))
        if ways:
            value = draw(st.sampled_from(ABSURD) | st.integers() | st.floats() | st.text(max_size=20))
            body = changed(body, draw(st.sampled_from(ways)), value)
    text = json.dumps(body)
    if draw(st.booleans()):
        text = text.replace('"*"', json.dumps(draw(st.sampled_from(gateway.known))))
        body = json.loads(text)
    data = door.encode(body)
    if draw(st.integers(0, 9)) == 0:
        place = draw(st.integers(0, max(0, len(data) - 1)))
        data = data[:place] + draw(st.binary(max_size=4)) + data[place + 1 :]
    query = draw(st.sampled_from((b"", *QUERIES)))
    target = path.replace("*", name).encode() + (b"?" + query if query and method == "GET" else b"")
    return method, target, endpoint, data


def fuzz(gateway: Inside, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck))
    @given(requests(gateway))
    def try_(request: tuple[str, bytes, str, bytes]) -> None:
        method, target, endpoint, body = request
        gateway.check(gateway.wire.call(method, target, gateway.headers, body), endpoint)

    try_()
    gateway.still_works()


def test_requests_that_nearly_make_sense(gateway: Inside) -> None:
    fuzz(gateway, 80)


@pytest.mark.slow
def test_many_requests_that_nearly_make_sense(gateway: Inside) -> None:
    fuzz(gateway, 4000)
