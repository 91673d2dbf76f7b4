"""The access token: fetched once for all, renewed when it expires or is refused."""

from __future__ import annotations

import asyncio

import pytest

from mocks.outbound import Call, Client, NeverSentError
from mocks.platform.connectors.access_token import TokenClient
from mocks.platform.connectors.paypal import token_request
from tests.platform.gateways import core, gateway, url
from tests.platform.rig import run

TOKEN = token_request("client", "secret")

# An order that does not exist: 404 with a good token, 401 without.
ASK = Call("GET", "/v2/checkout/orders/NOSUCHORDER000000")
PATIENCE = 5_000_000_000


def test_a_token_is_fetched_once_for_all_and_renewed_before_it_expires() -> None:
    async def story() -> None:
        now = [0.0]
        async with gateway("paypal") as service:
            client = TokenClient(Client(url(service)), TOKEN, lambda: now[0])
            try:
                answers = await asyncio.gather(*(client.call(ASK, PATIENCE) for _ in range(20)))
                assert {answer.status for answer in answers} == {404}
                assert client.fetched == 1
                for seconds, fetched in ((32_000.0, 1), (32_341.0, 2), (64_000.0, 2), (64_682.0, 3)):
                    now[0] = seconds
                    assert (await client.call(ASK, PATIENCE)).status == 404
                    assert client.fetched == fetched
            finally:
                await client.close()

    run(story())


def test_a_token_that_is_refused_is_renewed_once_for_all() -> None:
    async def story() -> None:
        async with gateway("paypal") as service:
            client = TokenClient(Client(url(service)), TOKEN, lambda: 0.0)
            try:
                assert (await client.call(ASK, PATIENCE)).status == 404
                core(service).mock_clock.advance(10 * 3600)
                answers = await asyncio.gather(*(client.call(ASK, PATIENCE) for _ in range(20)))
                assert {answer.status for answer in answers} == {404}
                assert client.fetched == 2
            finally:
                await client.close()

    run(story())


def test_without_a_token_nothing_was_sent() -> None:
    async def story() -> None:
        async with gateway("stripe") as service:  # it has no such endpoint
            client = TokenClient(Client(url(service)), TOKEN, lambda: 0.0)
            try:
                with pytest.raises(NeverSentError, match="no access token: HTTP 4"):
                    await client.call(ASK, PATIENCE)
                core(service).go_dark("outage")
                with pytest.raises(NeverSentError, match="no access token"):
                    await client.call(ASK, PATIENCE)
                core(service).come_back()
            finally:
                await client.close()

    run(story())
