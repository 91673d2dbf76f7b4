// Adyen's own Node SDK as the client of the mock. It speaks HTTPS only; it has no lists of what the mock serves,
// and sends nothing twice by itself: the caller repeats a request under its key.

import assert from "node:assert/strict";
import https from "node:https";
import { test } from "node:test";
import adyen from "@adyen/api-library";

import { authority, mock, unavailableOnce } from "./mock.mjs";
import { receiver } from "./receiver.mjs";
import { relay } from "./relay.mjs";

const { CheckoutAPI, Client, EnvironmentEnum, HttpClientException, HttpURLConnectionClient, hmacValidator } = adyen;

const MERCHANT = "PaydrillECOM";
const HMAC_KEY = "5AFE".repeat(16);
const TLS = authority();

/** The SDK's own HTTP client, led to a loopback port whose certificate it checks. */
class LocalClient extends HttpURLConnectionClient {
  constructor(port, ca = TLS.ca) {
    super();
    this.port = port;
    this.agentOptions = { ca };
  }

  request(endpoint, ...rest) {
    return super.request(endpoint.replace("https://checkout-test.adyen.com", `https://127.0.0.1:${this.port}`), ...rest);
  }
}

const gatewayOf = (t, plan = {}) => mock(t, "adyen", { ...TLS.plan, ...plan });

const client = (port, { apiKey = "AQtest", ca } = {}) =>
  new CheckoutAPI(new Client({ apiKey, environment: EnvironmentEnum.TEST }, new LocalClient(port, ca)));

const eur = (value) => ({ currency: "EUR", value });

const payment = (reference, { method = {}, ...more } = {}) => ({
  merchantAccount: MERCHANT,
  reference,
  amount: eur(1290),
  returnUrl: "https://shop.example.test/return",
  paymentMethod: {
    type: "scheme",
    encryptedCardNumber: "test_4111111145551142",
    encryptedExpiryMonth: "test_03",
    encryptedExpiryYear: "test_2030",
    encryptedSecurityCode: "test_737",
    ...method,
  },
  ...more,
});

const MANUAL = { additionalData: { manualCapture: "true" } };

const refused = (status, errorCode) => (error) => {
  assert.ok(error instanceof HttpClientException, String(error));
  assert.deepEqual([error.statusCode, error.errorCode], [status, errorCode]);
  assert.equal(error.apiError.errorCode, errorCode);
  return true;
};

/** The item of the first webhook of a kind about an order. */
async function told(hooks, code, reference) {
  const item = ({ body }) => JSON.parse(body).notificationItems[0].NotificationRequestItem;
  const found = await hooks.until(
    (delivery) => item(delivery).eventCode === code && item(delivery).merchantReference === reference,
  );
  return item(found);
}

test("pay", async (t) => {
  const gateway = await gatewayOf(t);
  const { PaymentsApi } = client(gateway.port);
  const paid = await PaymentsApi.payments(payment("o1"));
  assert.deepEqual([paid.resultCode, { ...paid.amount }, paid.merchantReference], ["Authorised", eur(1290), "o1"]);
  assert.match(paid.pspReference, /^[A-Z0-9]{16}$/);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("every refusal is a 200 with its reason", async (t) => {
  const gateway = await gatewayOf(t);
  const { PaymentsApi } = client(gateway.port);
  const refusals = {
    DECLINED: ["Refused", "Refused", "2"],
    REFERRAL: ["Refused", "Referral", "3"],
    ERROR: ["Error", "Acquirer Error", "4"],
    BLOCK_CARD: ["Refused", "Blocked Card", "5"],
    CARD_EXPIRED: ["Refused", "Expired Card", "6"],
    INVALID_CARD_NUMBER: ["Refused", "Invalid Card Number", "8"],
    ISSUER_UNAVAILABLE: ["Refused", "Issuer Unavailable", "9"],
    NOT_ENOUGH_BALANCE: ["Refused", "Not enough balance", "12"],
    FRAUD: ["Refused", "FRAUD", "20"],
    CVC_DECLINED: ["Refused", "CVC Declined", "24"],
    RESTRICTED_CARD: ["Refused", "Restricted Card", "25"],
  };
  for (const [holderName, expected] of Object.entries(refusals)) {
    const answer = await PaymentsApi.payments(payment(holderName, { method: { holderName } }));
    assert.deepEqual([answer.resultCode, answer.refusalReason, answer.refusalReasonCode], expected);
    assert.deepEqual(await gateway.moved(holderName), []);
  }
});

test("3-D Secure by redirect", async (t) => {
  const gateway = await gatewayOf(t);
  const { PaymentsApi } = client(gateway.port);
  const card = { encryptedCardNumber: "test_4212345678901237" };
  const asked = await PaymentsApi.payments(payment("o1", { method: card }));
  assert.deepEqual([asked.resultCode, asked.action.type], ["RedirectShopper", "redirect"]);
  assert.deepEqual(await gateway.moved("o1"), []);
  const page = new URL(asked.action.url);
  assert.equal(page.protocol, "https:");
  // The shopper's browser, which knows the authority.
  const answer = await new Promise((resolve) => https.get(page, { ca: TLS.ca, agent: false }, resolve));
  answer.resume();
  const redirectResult = new URL(answer.headers.location).searchParams.get("redirectResult");
  const paid = await PaymentsApi.paymentsDetails({ details: { redirectResult } });
  assert.equal(paid.resultCode, "Authorised");
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("authorize, then capture or cancel", async (t) => {
  const gateway = await gatewayOf(t);
  const { PaymentsApi, ModificationsApi } = client(gateway.port);
  const held = await PaymentsApi.payments(payment("o1", MANUAL));
  assert.deepEqual(await gateway.moved("o1"), []);
  const taken = await ModificationsApi.captureAuthorisedPayment(held.pspReference, {
    merchantAccount: MERCHANT,
    amount: eur(1000),
    reference: "c1",
  });
  assert.deepEqual(
    [taken.status, taken.paymentPspReference, taken.reference, { ...taken.amount }],
    ["received", held.pspReference, "c1", eur(1000)],
  );
  assert.notEqual(taken.pspReference, held.pspReference);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1000"]);

  const second = await PaymentsApi.payments(payment("o2", MANUAL));
  const canceled = await ModificationsApi.cancelAuthorisedPaymentByPspReference(second.pspReference, {
    merchantAccount: MERCHANT,
  });
  assert.equal(canceled.status, "received");
  await ModificationsApi.captureAuthorisedPayment(second.pspReference, { merchantAccount: MERCHANT, amount: eur(1290) });
  assert.deepEqual(await gateway.moved("o2"), []);
});

test("refund in parts, and no more than was taken", async (t) => {
  const hooks = await receiver(t);
  const gateway = await gatewayOf(t, { webhooks: { urls: [hooks.url] } });
  const { PaymentsApi, ModificationsApi } = client(gateway.port);
  const { pspReference } = await PaymentsApi.payments(payment("o1"));
  const refund = (value) =>
    ModificationsApi.refundCapturedPayment(pspReference, { merchantAccount: MERCHANT, amount: eur(value) });
  const part = await refund(290);
  assert.equal(part.status, "received");
  assert.equal((await told(hooks, "REFUND", "o1")).pspReference, part.pspReference);
  await refund(1001);
  await refund(1000);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290", "refund 290", "refund 1000"]);
  const reversed = await PaymentsApi.payments(payment("o2"));
  await ModificationsApi.refundOrCancelPayment(reversed.pspReference, { merchantAccount: MERCHANT });
  assert.deepEqual(await gateway.moved("o2"), ["capture 1290", "refund 1290"]);
});

test("webhooks are verified by the SDK", async (t) => {
  const hooks = await receiver(t);
  const gateway = await gatewayOf(t, { webhooks: { urls: [hooks.url] } });
  const { PaymentsApi } = client(gateway.port);
  const paid = await PaymentsApi.payments(payment("o1"));
  const item = await told(hooks, "AUTHORISATION", "o1");
  assert.deepEqual([item.pspReference, item.success, item.amount], [paid.pspReference, "true", eur(1290)]);
  const validator = new hmacValidator();
  assert.equal(validator.validateHMAC(item, HMAC_KEY), true);
  assert.equal(validator.validateHMAC(item, "00".repeat(32)), false);
  assert.equal(validator.validateHMAC({ ...item, amount: eur(1291) }, HMAC_KEY), false);
  await PaymentsApi.payments(payment("o2", { method: { holderName: "DECLINED" } }));
  const declined = await told(hooks, "AUTHORISATION", "o2");
  assert.deepEqual([declined.success, declined.reason], ["false", "Refused"]);
  assert.equal(validator.validateHMAC(declined, HMAC_KEY), true);
});

test("a key that is sent again is answered again; with another body it is an error", async (t) => {
  const gateway = await gatewayOf(t);
  const { PaymentsApi } = client(gateway.port);
  const pay = (more) => PaymentsApi.payments(payment("o1", more), { idempotencyKey: "key-1" });
  const first = await pay();
  assert.deepEqual(await pay(), first);
  await assert.rejects(pay({ amount: eur(1291) }), refused(422, "704"));
  const declined = { method: { holderName: "DECLINED" } };
  const ends = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    ends.push(await PaymentsApi.payments(payment("o2", declined), { idempotencyKey: "key-2" }));
  }
  assert.deepEqual(ends[0], ends[1]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("a 503 is the SDK's exception; the same key then charges once", async (t) => {
  const gateway = await gatewayOf(t, unavailableOnce("payments"));
  const between = await relay(t, gateway.port, () => false, TLS);
  const { PaymentsApi } = client(between.port);
  const pay = () => PaymentsApi.payments(payment("o1"), { idempotencyKey: "key-1" });
  await assert.rejects(pay(), (error) => error instanceof HttpClientException && error.statusCode === 503);
  assert.deepEqual(await gateway.moved("o1"), []);
  const paid = await pay();
  assert.equal(paid.resultCode, "Authorised");
  assert.deepEqual(await pay(), paid);
  assert.deepEqual(between.seen.map((row) => [row.status, row.key]), [[503, "key-1"], [200, "key-1"], [200, "key-1"]]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("an answer that is lost after the money moved does not charge twice", async (t) => {
  const gateway = await gatewayOf(t);
  const between = await relay(t, gateway.port, (request, number) => number === 0, TLS);
  const { PaymentsApi } = client(between.port);
  const pay = () => PaymentsApi.payments(payment("o1"), { idempotencyKey: "key-1" });
  await assert.rejects(pay(), (error) => error.constructor.name === "ApiException");
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
  assert.equal((await pay()).resultCode, "Authorised");
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("beyond the rate limit: an HttpClientException of 429", async (t) => {
  const gateway = await gatewayOf(t, { rate_limit: 1 });
  const { PaymentsApi } = client(gateway.port);
  const ends = await Promise.allSettled(Array.from({ length: 12 }, (_, place) => PaymentsApi.payments(payment(`o${place}`))));
  const errors = ends.filter((end) => end.status === "rejected").map((end) => end.reason);
  assert.ok(errors.length > 0, "none was refused");
  for (const error of errors) {
    assert.ok(error instanceof HttpClientException, String(error));
    assert.equal(error.statusCode, 429);
  }
  const { movements } = await gateway.admin("/movements");
  assert.equal(movements.length, 12 - errors.length);
});

test("wrong keys, missing fields and unknown payments are the SDK's exceptions", async (t) => {
  const gateway = await gatewayOf(t);
  const { PaymentsApi, ModificationsApi } = client(gateway.port);
  await assert.rejects(client(gateway.port, { apiKey: " " }).PaymentsApi.payments(payment("o1")), (error) => {
    assert.ok(error instanceof HttpClientException, String(error));
    return error.statusCode === 401;
  });
  await assert.rejects(PaymentsApi.payments({ ...payment("o1"), amount: { currency: "XXX", value: 1 } }), refused(422, "138"));
  await assert.rejects(
    ModificationsApi.captureAuthorisedPayment("0000000000000000", { merchantAccount: MERCHANT, amount: eur(1) }),
    (error) => error instanceof HttpClientException && error.statusCode === 422,
  );
});

test("the SDK refuses a server whose authority it does not know", async (t) => {
  const gateway = await gatewayOf(t);
  const stranger = authority();
  await assert.rejects(
    client(gateway.port, { ca: stranger.ca }).PaymentsApi.payments(payment("o1")),
    (error) => /certificate|signature/.test(error.message),
  );
});
