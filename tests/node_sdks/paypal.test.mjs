// PayPal's own Node SDK as the client of the mock. It has no lists of what the mock serves and no function that
// verifies webhooks, so neither is tested here.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  ApiError,
  CheckoutPaymentIntent,
  Client,
  CustomError,
  Environment,
  OrdersController,
  PaymentsController,
} from "@paypal/paypal-server-sdk";

import { mock, unavailableOnce, unavailableTwice } from "./mock.mjs";
import { PlainAgent } from "./plain_agent.mjs";
import { relay } from "./relay.mjs";

const RETRIES = {
  maxNumberOfRetries: 3,
  retryInterval: 0.01,
  maximumRetryWaitTime: 10,
  httpMethodsToRetry: ["GET", "POST"],
};

const ALL = "return=representation";

/** The SDK's controllers; `port` is the mock's. */
function client(port, retryConfig = {}, secret = "secret") {
  const sdk = new Client({
    clientCredentialsAuthCredentials: { oAuthClientId: "client", oAuthClientSecret: secret },
    environment: Environment.Sandbox,
    httpClientOptions: { httpsAgent: new PlainAgent(port), retryConfig },
  });
  return { orders: new OrdersController(sdk), payments: new PaymentsController(sdk) };
}

const order = (reference, { intent = CheckoutPaymentIntent.Capture, value = "12.90", currencyCode = "EUR", ...more } = {}) => ({
  intent,
  purchaseUnits: [{ customId: reference, amount: { currencyCode, value } }],
  ...more,
});

/** The payer follows the link to approve. */
async function approve(gateway, made) {
  const link = made.links.find(({ rel }) => rel === "approve" || rel === "payer-action");
  const { pathname, search } = new URL(link.href);
  const answer = await fetch(gateway.url + pathname + search, { redirect: "manual" });
  await answer.arrayBuffer();
  assert.ok(answer.status < 400, `the payer's page answered ${answer.status}`);
}

/** An order that its payer has approved; returns its id. */
async function approved(gateway, { orders }, reference, more = {}) {
  const { result } = await orders.createOrder({ body: order(reference, more) });
  await approve(gateway, result);
  return result.id;
}

const refused = (status, issue) => (error) => {
  assert.ok(error instanceof CustomError && error instanceof ApiError, String(error));
  assert.equal(error.statusCode, status);
  assert.equal(error.result.details?.[0].issue, issue);
  assert.equal(error.result.debug_id, error.headers["paypal-debug-id"]);
  return true;
};

test("pay", async (t) => {
  const gateway = await mock(t, "paypal");
  const { orders, payments } = client(gateway.port);
  const created = await orders.createOrder({ body: order("o1"), prefer: ALL });
  assert.deepEqual([created.statusCode, created.result.status, created.result.intent], [201, "CREATED", "CAPTURE"]);
  await assert.rejects(orders.captureOrder({ id: created.result.id }), refused(422, "ORDER_NOT_APPROVED"));
  await approve(gateway, created.result);
  assert.equal((await orders.getOrder({ id: created.result.id })).result.status, "APPROVED");
  assert.deepEqual(await gateway.moved("o1"), []);
  const { result } = await orders.captureOrder({ id: created.result.id, prefer: ALL });
  assert.equal(result.status, "COMPLETED");
  const [capture] = result.purchaseUnits[0].payments.captures;
  assert.deepEqual([capture.status, capture.amount], ["COMPLETED", { currencyCode: "EUR", value: "12.90" }]);
  const breakdown = (await payments.getCapturedPayment({ captureId: capture.id })).result.sellerReceivableBreakdown;
  const cents = (money) => Math.round(100 * Number(money.value));
  assert.equal(cents(breakdown.netAmount), cents(breakdown.grossAmount) - cents(breakdown.paypalFee));
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("minimal answers hold id, status and links", async (t) => {
  const gateway = await mock(t, "paypal");
  const { orders } = client(gateway.port);
  const { body } = await orders.createOrder({ body: order("o1"), prefer: "return=minimal" });
  assert.deepEqual(Object.keys(JSON.parse(body)).sort(), ["id", "links", "status"]);
});

test("every issue that is asked for is the SDK's error", async (t) => {
  const gateway = await mock(t, "paypal");
  const sdk = client(gateway.port);
  const issues = [
    "INSTRUMENT_DECLINED",
    "PAYER_CANNOT_PAY",
    "TRANSACTION_REFUSED",
    "TRANSACTION_LIMIT_EXCEEDED",
    "MAX_NUMBER_OF_PAYMENT_ATTEMPTS_EXCEEDED",
    "PAYER_ACCOUNT_RESTRICTED",
    "PAYER_ACCOUNT_LOCKED_OR_CLOSED",
    "COMPLIANCE_VIOLATION",
    "CARD_EXPIRED",
  ];
  for (const issue of issues) {
    const id = await approved(gateway, sdk, issue);
    const paypalMockResponse = JSON.stringify({ mock_application_codes: issue });
    await assert.rejects(sdk.orders.captureOrder({ id, paypalMockResponse }), refused(422, issue));
    assert.deepEqual(await gateway.moved(issue), []);
  }
});

test("a declined capture within an order that is completed", async (t) => {
  const gateway = await mock(t, "paypal");
  const sdk = client(gateway.port);
  const declines = { "CCREJECT-REFUSED": "0500", "CCREJECT-EC": "5400", "CCREJECT-IF": "5120" };
  for (const [givenName, code] of Object.entries(declines)) {
    const paymentSource = { paypal: { name: { givenName, surname: "Payer" } } };
    const id = await approved(gateway, sdk, givenName, { paymentSource });
    const { result } = await sdk.orders.captureOrder({ id, prefer: ALL });
    const [capture] = result.purchaseUnits[0].payments.captures;
    assert.deepEqual(
      [result.status, capture.status, capture.processorResponse.responseCode],
      ["COMPLETED", "DECLINED", code],
    );
    assert.deepEqual(await gateway.moved(givenName), []);
  }
});

test("authorize, then capture in parts or void", async (t) => {
  const gateway = await mock(t, "paypal");
  const sdk = client(gateway.port);
  const intent = CheckoutPaymentIntent.Authorize;
  const hold = async (reference) => {
    const id = await approved(gateway, sdk, reference, { intent });
    const { result } = await sdk.orders.authorizeOrder({ id, prefer: ALL });
    return result.purchaseUnits[0].payments.authorizations[0];
  };
  const held = await hold("o1");
  assert.equal(held.status, "CREATED");
  assert.deepEqual(await gateway.moved("o1"), []);
  const authorizationId = held.id;
  const take = (value, finalCapture = false) =>
    sdk.payments.captureAuthorizedPayment({
      authorizationId,
      prefer: ALL,
      body: { amount: { currencyCode: "EUR", value }, finalCapture },
    });
  assert.equal((await take("10.00")).result.status, "COMPLETED");
  assert.equal((await sdk.payments.getAuthorizedPayment({ authorizationId })).result.status, "PARTIALLY_CAPTURED");
  await assert.rejects(take("20.00"), refused(422, "MAX_CAPTURE_AMOUNT_EXCEEDED"));
  await take("2.90", true);
  await assert.rejects(take("0.10"), refused(422, "AUTHORIZATION_ALREADY_CAPTURED"));
  assert.deepEqual(await gateway.moved("o1"), ["capture 1000", "capture 290"]);

  const second = await hold("o2");
  const voided = await sdk.payments.voidPayment({ authorizationId: second.id, prefer: ALL });
  assert.equal(voided.result.status, "VOIDED");
  await assert.rejects(
    sdk.payments.captureAuthorizedPayment({ authorizationId: second.id }),
    refused(422, "AUTHORIZATION_VOIDED"),
  );
  assert.deepEqual(await gateway.moved("o2"), []);
});

test("refund in parts, and no more than was taken", async (t) => {
  const gateway = await mock(t, "paypal");
  const sdk = client(gateway.port);
  const id = await approved(gateway, sdk, "o1");
  const { result } = await sdk.orders.captureOrder({ id, prefer: ALL });
  const captureId = result.purchaseUnits[0].payments.captures[0].id;
  const refund = (value) =>
    sdk.payments.refundCapturedPayment({
      captureId,
      prefer: ALL,
      body: value && { amount: { currencyCode: "EUR", value } },
    });
  const part = (await refund("2.90")).result;
  assert.deepEqual([part.status, part.amount.value], ["COMPLETED", "2.90"]);
  assert.equal((await sdk.payments.getRefund({ refundId: part.id })).result.id, part.id);
  const status = async () => (await sdk.payments.getCapturedPayment({ captureId })).result.status;
  assert.equal(await status(), "PARTIALLY_REFUNDED");
  await assert.rejects(refund("10.01"), refused(422, "REFUND_AMOUNT_EXCEEDED"));
  assert.equal((await refund()).result.amount.value, "10.00");
  assert.equal(await status(), "REFUNDED");
  await assert.rejects(refund("0.01"), refused(422, "CAPTURE_FULLY_REFUNDED"));
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290", "refund 290", "refund 1000"]);
});

test("a request id that is sent again is answered again; with another body it is an error", async (t) => {
  const gateway = await mock(t, "paypal");
  const sdk = client(gateway.port);
  const create = (value) => sdk.orders.createOrder({ body: order("o1", { value }), paypalRequestId: "create-1" });
  const first = await create("12.90");
  const again = await create("12.90");
  assert.deepEqual([first.statusCode, again.statusCode, again.result.id], [201, 200, first.result.id]);
  await assert.rejects(
    create("12.91"),
    (error) => error instanceof CustomError && error.statusCode === 400 && error.result.name === "DUPLICATE_REQUEST_ID",
  );
  await approve(gateway, first.result);
  const capture = () => sdk.orders.captureOrder({ id: first.result.id, paypalRequestId: "capture-1" });
  assert.equal((await capture()).result.status, "COMPLETED");
  assert.equal((await capture()).result.status, "COMPLETED");
  await assert.rejects(
    sdk.orders.captureOrder({ id: first.result.id, paypalRequestId: "capture-2" }),
    refused(422, "ORDER_ALREADY_CAPTURED"),
  );
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("the SDK tries again after 503, with one request id, and captures once", async (t) => {
  const gateway = await mock(t, "paypal", unavailableTwice("orders.capture"));
  const between = await relay(t, gateway.port);
  const sdk = client(between.port, RETRIES);
  const id = await approved(gateway, sdk, "o1");
  const { result } = await sdk.orders.captureOrder({ id, paypalRequestId: "capture-1" });
  assert.equal(result.status, "COMPLETED");
  const captures = between.seen.filter((row) => row.path.endsWith("/capture"));
  assert.deepEqual(captures.map((row) => [row.status, row.key]), [[503, "capture-1"], [503, "capture-1"], [201, "capture-1"]]);
  assert.equal(between.seen.filter((row) => row.path === "/v1/oauth2/token").length, 1, "one token for all of it");
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("without retries a 503 is an ApiError, and nothing was captured", async (t) => {
  const gateway = await mock(t, "paypal", unavailableOnce("orders.capture"));
  const sdk = client(gateway.port);
  const id = await approved(gateway, sdk, "o1");
  await assert.rejects(
    sdk.orders.captureOrder({ id, paypalRequestId: "capture-1" }),
    (error) => error instanceof ApiError && error.statusCode === 503,
  );
  assert.deepEqual(await gateway.moved("o1"), []);
  await sdk.orders.captureOrder({ id, paypalRequestId: "capture-1" });
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("an answer that is lost after the money moved does not capture twice", async (t) => {
  const gateway = await mock(t, "paypal");
  let losses = 0;
  const between = await relay(t, gateway.port, ({ url }) => url.endsWith("/capture") && losses++ === 0);
  const sdk = client(between.port);
  const id = await approved(gateway, sdk, "o1");
  await assert.rejects(
    sdk.orders.captureOrder({ id, paypalRequestId: "capture-1" }),
    (error) => !(error instanceof ApiError),
  );
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
  const { statusCode, result } = await sdk.orders.captureOrder({ id, paypalRequestId: "capture-1" });
  assert.deepEqual([statusCode, result.status], [200, "COMPLETED"]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("beyond the rate limit: an ApiError of 429", async (t) => {
  const gateway = await mock(t, "paypal", { rate_limit: 1 });
  const { orders } = client(gateway.port);
  const ends = await Promise.allSettled(Array.from({ length: 12 }, () => orders.createOrder({ body: order("o1") })));
  const refused = ends.filter((end) => end.status === "rejected").map((end) => end.reason);
  assert.ok(refused.length > 0, "none was refused");
  for (const error of refused) {
    assert.ok(error instanceof ApiError, String(error));
    assert.deepEqual([error.statusCode, JSON.parse(error.body).name], [429, "RATE_LIMIT_REACHED"]);
  }
});

test("wrong credentials, unknown orders and wrong values are the SDK's errors", async (t) => {
  const gateway = await mock(t, "paypal");
  const { orders } = client(gateway.port);
  await assert.rejects(orders.getOrder({ id: "5O190127TN364715T" }), refused(404, "INVALID_RESOURCE_ID"));
  await assert.rejects(
    orders.createOrder({ body: order("o1", { currencyCode: "JPY", value: "12.90" }) }),
    refused(422, "DECIMALS_NOT_SUPPORTED"),
  );
  await assert.rejects(orders.createOrder({ body: order("o1", { value: "x" }) }), (error) => {
    assert.equal(error.result.details[0].field, "/purchase_units/0/amount/value");
    return error.statusCode === 400;
  });
  const stranger = client(gateway.port, {}, "");
  await assert.rejects(
    stranger.orders.getOrder({ id: "1" }),
    (error) => error instanceof ApiError && error.statusCode === 401 && error.result.error === "invalid_client",
  );
});
