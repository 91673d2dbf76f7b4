"""Served over TLS, every link says https."""

from __future__ import annotations

import json
import ssl
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from mocks import tls
from tests.mocks.running import Running
from tests.mocks_paypal.client import order_request


@pytest.fixture
def files(tmp_path: Path) -> Iterator[tls.TlsFiles]:
    yield tls.prepare(tmp_path, tls.now())


def test_links_are_https(files: tls.TlsFiles) -> None:
    served = {"certificate": str(files.certificate), "key": str(files.key)}
    with Running("paypal", tls=served) as running:
        base = f"https://127.0.0.1:{running.port}"
        trust = ssl.create_default_context(cafile=str(files.authority))
        with httpx.Client(base_url=base, verify=trust) as client:
            grant = {"grant_type": "client_credentials"}
            answer = client.post("/v1/oauth2/token", data=grant, auth=("client", "secret"))
            client.headers["Authorization"] = "Bearer " + answer.json()["access_token"]
            order = client.post("/v2/checkout/orders", json=order_request("tls")).json()
            links = {link["rel"]: link["href"] for link in order["links"]}
            assert all(href.startswith(base + "/") for href in links.values())
            assert client.get(links["approve"]).status_code == 200
            client.post(links["capture"])
        for event in running.gateway.outbox:
            resource = json.loads(event.payload())["resource"]
            assert all(link["href"].startswith(base + "/") for link in resource["links"])
        signer = running.gateway.signer  # type: ignore[attr-defined]
        assert signer.cert_url.startswith(base + "/")
        certificate = httpx.get(signer.cert_url, verify=trust)
        assert certificate.status_code == 200 and certificate.text.startswith("-----BEGIN CERTIFICATE-----")
