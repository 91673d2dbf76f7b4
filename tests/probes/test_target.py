"""Which targets are refused, and that the refusal says what to do."""

from __future__ import annotations

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.target import check_credential, check_loopback


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:40125", "127.0.0.1"),
        ("http://127.8.9.10/health?a=b#c", "127.8.9.10"),
        ("https://localhost:8443/health", "localhost"),
        ("http://LOCALHOST.:80/", "localhost"),
        ("http://[::1]:8080/", "::1"),
        ("http://[::ffff:127.0.0.1]/", "::ffff:127.0.0.1"),
    ],
)
def test_this_machine_may_be_probed(url: str, host: str) -> None:
    assert check_loopback(url) == host


@pytest.mark.parametrize(
    "url",
    [
        "http://staging.example.test/",
        "http://localhost.example.test/",
        "http://127.0.0.1.example.test/",
        "http://0.0.0.0:80/",
        "http://10.0.0.1/",
        "http://[::]/",
        "http://[::ffff:10.0.0.1]/",
        "http://127.1/",
        "http://2130706433/",
    ],
)
def test_any_other_host_is_refused_and_the_message_names_the_way_out(url: str) -> None:
    with pytest.raises(ValueError, match=r"not this machine.*allow_hosts"):
        check_loopback(url)


def test_a_host_that_was_named_may_be_probed() -> None:
    assert check_loopback("https://Staging.Example.test:8443/x", ["staging.example.test"]) == (
        "staging.example.test"
    )
    assert check_loopback("http://10.0.0.1/", {"10.0.0.1": 5.0}) == "10.0.0.1"
    assert check_loopback("http://[fd00::1]/", ["[fd00::1]"]) == "fd00::1"
    with pytest.raises(ValueError, match="not this machine"):
        check_loopback("https://a.staging.example.test/", ["staging.example.test"])


@pytest.mark.parametrize(
    "host",
    [
        "api.stripe.com",
        "API.Stripe.com.",
        "files.stripe.com",
        "api-m.paypal.com",
        "paypal.com",
        "checkout-live.adyen.com",
        "abc-checkout-live.adyenpayments.com",
        "notsandbox.paypal.com",
        "api.gocardless.com",
        "sandbox.paypal.com.api.stripe.com",
    ],
)
def test_live_payment_apis_are_refused_even_when_named(host: str) -> None:
    with pytest.raises(ValueError, match="live payment API"):
        check_loopback(f"https://{host}/", [host, host.lower().rstrip(".")])


@pytest.mark.parametrize(
    "host",
    [
        "api-m.sandbox.paypal.com",
        "sandbox.paypal.com",
        "checkout-test.adyen.com",
        "api-sandbox.gocardless.com",
        "notstripe.com",
    ],
)
def test_sandboxes_and_strangers_are_only_other_hosts(host: str) -> None:
    assert check_loopback(f"https://{host}/", [host]) == host
    with pytest.raises(ValueError, match="not this machine"):
        check_loopback(f"https://{host}/")


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("", "absolute URL"),
        ("127.0.0.1:80", "absolute URL"),
        ("localhost", "absolute URL"),
        ("ftp://127.0.0.1/", "absolute URL"),
        ("http:///health", "absolute URL"),
        ("http://127.0.0.1:eighty/", "not a URL"),
        ("http://127.0.0.1:99999/", "not a URL"),
        ("http://[::1/", "not a URL"),
        ("http://127.0.0.1/a b", "white space"),
        ("http://127.0.0.1\n/", "white space"),
        ("http://example.test\\@127.0.0.1/", "backslash"),
        ("http://ｌocalhost/", "host name"),
        ("http://%6cocalhost/", "host name"),
    ],
)
def test_what_is_no_plain_url_is_refused(url: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        check_loopback(url)


@pytest.mark.parametrize(
    "url", ["http://me:secret@127.0.0.1/", "http://127.0.0.1@example.test/", "http://@127.0.0.1/"]
)
def test_credentials_in_the_url_are_refused_without_repeating_them(url: str) -> None:
    with pytest.raises(ValueError, match="user name or password") as refusal:
        check_loopback(url, ["example.test"])
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1/?key=sk_live_abc123",
        "http://127.0.0.1/rk_live_abc123",
        "http://127.0.0.1/?key=sk%5flive_abc123",
        "sk_live_abc123",
    ],
)
def test_live_credentials_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(ValueError, match="live credential") as refusal:
        check_credential(text)
    assert "abc123" not in str(refusal.value)
    if text.startswith("http"):
        with pytest.raises(ValueError, match="live credential"):
            check_loopback(text)


def test_test_credentials_and_similar_words_are_fine() -> None:
    check_credential("sk_test_abc rk_test_abc disk_live_data")


_AWKWARD = st.text(alphabet="htp:/@#?[]\\.%&=localhst127.0 \t-_:xn", max_size=30)


@given(_AWKWARD.map(lambda tail: f"http://{tail}"))
def test_the_http_client_never_reads_another_host_than_was_checked(url: str) -> None:
    try:
        host = check_loopback(url)
    except ValueError:
        return
    assert httpx.URL(url).host.rstrip(".") == host
