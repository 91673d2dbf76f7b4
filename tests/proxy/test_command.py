"""``paydrill proxy``, from outside and with what it refuses."""

from __future__ import annotations

import re

import httpx
import pytest
import stripe
from typer.testing import CliRunner

from mocks.proxy.origin import origin_of
from paydrill.__main__ import app
from paydrill.proxy import pace_of, words_in
from tests.mocks.running import Running
from tests.paydrill.commands import serving


def test_a_proxy_is_served_with_its_faults_and_ends_when_told() -> None:
    with Running("stripe") as mock:
        command = ["proxy", "--to", mock.url, "--listen", "0", "--as", "stripe", "--admin", "0"]
        command += ["--fault", "http_error,endpoint=refunds.create,status=500,for=1min"]
        with serving(*command, lines=2) as said:
            (url, _, to, *_), (admin_url, *_) = said["proxy"], said["proxy-admin"]
            assert to == mock.url
            client = stripe.StripeClient("sk_test_1", base_addresses={"api": url}, max_network_retries=0)
            intent = client.v1.payment_intents.create(
                {"amount": 1290, "currency": "eur", "confirm": True, "payment_method": "pm_card_visa"}
            )
            with pytest.raises(stripe.APIError):
                client.v1.refunds.create({"payment_intent": intent.id})
            with httpx.Client(base_url=admin_url, trust_env=False) as admin:
                (fault,) = admin.get("/faults").json()["faults"]
                assert (fault["fault"], fault["hits"], fault["on"]) == ("http_error", 1, "stripe")
                refused = admin.post("/faults", json={"fault": "keys_lost"})
                assert refused.status_code == 422 and "a mock can" in refused.json()["error"]
                admin.delete("/faults")
                assert admin.get("/").json()["requests"] == 2
            assert client.v1.refunds.create({"payment_intent": intent.id}).status == "succeeded"
        assert [movement.kind for movement in mock.movements] == ["capture", "refund"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--to", "nonsense"], "is not the base URL"),
        (["--to", "https://u:sk_live_1@api.stripe.com"], "without user name"),
        (["--to", "http://staging.example.test"], "not this machine"),
        (["--to", "https://api.stripe.com"], "--allow-host api.stripe.com=20/s"),
        (["--to", "http://staging.example.test", "--allow-host", "staging.example.test"], "say how often"),
        (["--to", "http://a.test", "--allow-host", "a.test=often"], "is not a rate"),
        (["--to", "http://a.test", "--allow-host", "a.test=0/s"], "above 0/s"),
        (["--to", "https://api.paypal.com", "--allow-host", "api.paypal.com=1/s"], "live payment API"),
        (["--to", "https://x-live.adyen.com", "--allow-host", "x-live.adyen.com=1/s"], "live payment API"),
        (["--to", "https://api.gocardless.com", "--allow-host", "api.gocardless.com=1/s"], "live payment"),
        (["--to", "https://files.stripe.com", "--allow-host", "files.stripe.com=1/s"], "live payment API"),
        (["--to", "http://127.0.0.1:1", "--as", "strype"], "stripe"),
        (["--to", "http://127.0.0.1:1", "--listen", "0.0.0.0:0"], "loopback only"),
        (["--to", "http://127.0.0.1:1", "--listen", "127.0.0.1:99999"], "is not a port"),
        (["--to", "http://127.0.0.1:1", "--resolve", "a:b"], "resolves nothing"),
        (["--to", "http://127.0.0.1:1", "--fault", "outrage"], "there is no fault"),
        (["--to", "http://127.0.0.1:1", "--fault", "latency,soon"], "is no WORD=VALUE"),
        (["--to", "http://127.0.0.1:1", "--fault", "latency,for=2h,add=1s"], "after 1h at most"),
        (["--to", "http://127.0.0.1:1", "--as", "stripe", "--fault", "outage,endpoint=pay"], "no endpoint"),
    ],
)
def test_what_is_refused_before_anything_starts(arguments: list[str], said: str) -> None:
    result = CliRunner().invoke(app, ["proxy", *arguments])
    assert result.exit_code == 2
    assert said in re.sub(r"\s+", " ", result.output)
    assert "sk_live" not in result.output


def test_what_cannot_be_served_is_said() -> None:
    result = CliRunner().invoke(
        app, ["proxy", "--to", "http://127.0.0.1:1", "--listen", "0", "--fault", "keys_lost"]
    )
    assert result.exit_code == 4
    assert "keys_lost changes what goes on inside a gateway" in re.sub(r"\s+", " ", result.output)


@pytest.mark.parametrize(
    ("url", "allowed", "pace"),
    [
        ("http://127.0.0.1:1", [], None),
        ("http://localhost", ["a.test=3/s"], None),
        ("https://api.stripe.com", ["API.stripe.com.=20/s"], {"requests": 20, "period_s": 1.0}),
        (
            "https://checkout-test.adyen.com",
            ["checkout-test.adyen.com=30/min"],
            {"requests": 2, "period_s": 4.0},
        ),
        (
            "https://api-m.sandbox.paypal.com",
            ["api-m.sandbox.paypal.com=5/s"],
            {"requests": 5, "period_s": 1.0},
        ),
    ],
)
def test_who_is_called_how_often(url: str, allowed: list[str], pace: object) -> None:
    assert pace_of(origin_of(url), allowed) == pace


def test_a_host_that_is_resolved_to_this_machine_is_this_machine() -> None:
    assert pace_of(origin_of("https://api.stripe.com", ["api.stripe.com:443:127.0.0.1"]), []) is None


def test_faults_in_words() -> None:
    assert words_in("outage") == {"fault": "outage"}
    assert words_in("latency,add=2s,times=1.5,share=10%,for=1min") == {
        "fault": "latency",
        "share": "10%",
        "for": "1min",
        "params": {"add": "2s", "times": 1.5},
    }
    assert words_in("http_error,status=500")["params"] == {"status": 500}
