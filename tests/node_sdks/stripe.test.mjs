// Stripe's own Node SDK as the client of the mock.

import assert from "node:assert/strict";
import { test } from "node:test";
import Stripe from "stripe";

import { mock, unavailableTwice } from "./mock.mjs";
import { receiver } from "./receiver.mjs";
import { relay } from "./relay.mjs";

const WEBHOOK_SECRET = "whsec_paydrill_0123456789abcdef";

const client = (port, options = {}) =>
  new Stripe("sk_test_1", { host: "127.0.0.1", port, protocol: "http", telemetry: false, ...options });

const payment = (order, more = {}) => ({
  amount: 1290,
  currency: "eur",
  confirm: true,
  payment_method: "pm_card_visa",
  metadata: { order_id: order },
  ...more,
});

test("pay", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const paid = await stripe.paymentIntents.create(payment("o1", { expand: ["latest_charge.balance_transaction"] }));
  assert.equal(paid.status, "succeeded");
  assert.equal(paid.amount_received, 1290);
  const { amount, fee, net } = paid.latest_charge.balance_transaction;
  assert.deepEqual([amount, net], [1290, amount - fee]);
  assert.match(paid.lastResponse.requestId, /^req_/);
  const found = await stripe.paymentIntents.retrieve(paid.id);
  assert.equal(found.latest_charge, paid.latest_charge.id);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("create, then confirm", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const made = await stripe.paymentIntents.create({ amount: 500, currency: "usd", metadata: { order_id: "o1" } });
  assert.equal(made.status, "requires_payment_method");
  assert.deepEqual(await gateway.moved("o1"), []);
  const paid = await stripe.paymentIntents.confirm(made.id, { payment_method: "pm_card_mastercard" });
  assert.equal(paid.status, "succeeded");
  await assert.rejects(
    stripe.paymentIntents.confirm(made.id, { payment_method: "pm_card_visa" }),
    (error) => error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "payment_intent_unexpected_state",
  );
  assert.deepEqual(await gateway.moved("o1"), ["capture 500"]);
});

test("3-D Secure: the payer is authenticated on a page, or is not", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const secured = { payment_method: "pm_card_threeDSecure2Required", return_url: "https://shop.example.test/back" };
  const visit = async (intent, outcome) => {
    const answer = await fetch(intent.next_action.redirect_to_url.url + outcome, { redirect: "manual" });
    return new URL(answer.headers.get("location")).searchParams.get("redirect_status");
  };
  const asked = await stripe.paymentIntents.create(payment("o1", secured));
  assert.deepEqual([asked.status, asked.next_action.type], ["requires_action", "redirect_to_url"]);
  assert.deepEqual(await gateway.moved("o1"), []);
  assert.equal(await visit(asked, ""), "succeeded");
  assert.equal((await stripe.paymentIntents.retrieve(asked.id)).status, "succeeded");
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
  const second = await stripe.paymentIntents.create(payment("o2", secured));
  assert.equal(await visit(second, "?outcome=failed"), "failed");
  const failed = await stripe.paymentIntents.retrieve(second.id);
  assert.deepEqual(
    [failed.status, failed.last_payment_error.code],
    ["requires_payment_method", "payment_intent_authentication_failure"],
  );
  assert.deepEqual(await gateway.moved("o2"), []);
});

test("a debit is processing until its bank has answered", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const method = await stripe.paymentMethods.create({
    type: "sepa_debit",
    sepa_debit: { iban: "DE89370400440532013000" },
    billing_details: { name: "Ada Byron", email: "ada@example.test" },
  });
  const debit = await stripe.paymentIntents.create(
    payment("o1", {
      payment_method: method.id,
      payment_method_types: ["sepa_debit"],
      mandate_data: {
        customer_acceptance: { type: "online", online: { ip_address: "192.0.2.1", user_agent: "test" } },
      },
    }),
  );
  assert.equal(debit.status, "processing");
  assert.deepEqual(await gateway.moved("o1"), []);
  await gateway.admin("/clock/advance", { method: "POST", body: JSON.stringify({ seconds: 10 * 86_400 }) });
  const paid = await stripe.paymentIntents.retrieve(debit.id, { expand: ["latest_charge"] });
  assert.deepEqual([paid.status, paid.latest_charge.payment_method_details.type], ["succeeded", "sepa_debit"]);
  assert.ok((await gateway.moved("o1")).includes("capture 1290"));
});

test("every decline is a StripeCardError with its code", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const declines = {
    pm_card_chargeDeclined: ["card_declined", "generic_decline"],
    pm_card_visa_chargeDeclinedInsufficientFunds: ["card_declined", "insufficient_funds"],
    pm_card_visa_chargeDeclinedLostCard: ["card_declined", "lost_card"],
    pm_card_visa_chargeDeclinedStolenCard: ["card_declined", "stolen_card"],
    pm_card_chargeDeclinedExpiredCard: ["expired_card", undefined],
    pm_card_chargeDeclinedIncorrectCvc: ["incorrect_cvc", undefined],
    pm_card_chargeDeclinedProcessingError: ["processing_error", undefined],
    pm_card_visa_chargeDeclinedVelocityLimitExceeded: ["card_declined", "card_velocity_exceeded"],
    pm_card_riskLevelHighest: ["card_declined", "fraudulent"],
  };
  for (const [card, [code, declineCode]] of Object.entries(declines)) {
    const error = await stripe.paymentIntents
      .create(payment(card, { payment_method: card }))
      .then(() => assert.fail(`${card} was not declined`), (reason) => reason);
    assert.ok(error instanceof Stripe.errors.StripeCardError, `${card}: ${error.type}`);
    assert.deepEqual([error.statusCode, error.code, error.type], [402, code, "StripeCardError"], card);
    // The API has a decline code of its own for a card that is declined, and may repeat `code` for others.
    if (declineCode !== undefined) {
      assert.equal(error.decline_code, declineCode, card);
    }
    assert.equal(error.payment_intent.status, "requires_payment_method");
    assert.equal(error.payment_intent.last_payment_error.code, code);
    const charge = await stripe.charges.retrieve(error.charge);
    assert.deepEqual([charge.paid, charge.status, charge.failure_code], [false, "failed", code]);
    assert.deepEqual(await gateway.moved(card), []);
  }
});

test("a declined payment is paid with another card", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const declined = await stripe.paymentIntents
    .create(payment("o1", { payment_method: "pm_card_chargeDeclined" }))
    .then(() => assert.fail("not declined"), (reason) => reason);
  const paid = await stripe.paymentIntents.confirm(declined.payment_intent.id, { payment_method: "pm_card_visa" });
  assert.deepEqual([paid.status, paid.last_payment_error], ["succeeded", null]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("authorize, then capture a part or cancel", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const held = await stripe.paymentIntents.create(payment("o1", { capture_method: "manual" }));
  assert.deepEqual([held.status, held.amount_capturable], ["requires_capture", 1290]);
  assert.deepEqual(await gateway.moved("o1"), []);
  await assert.rejects(
    stripe.paymentIntents.capture(held.id, { amount_to_capture: 1291 }),
    (error) => error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "amount_too_large",
  );
  const taken = await stripe.paymentIntents.capture(held.id, { amount_to_capture: 1000 });
  assert.deepEqual([taken.status, taken.amount_received, taken.amount_capturable], ["succeeded", 1000, 0]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1000"]);

  const second = await stripe.paymentIntents.create(payment("o2", { capture_method: "manual" }));
  const canceled = await stripe.paymentIntents.cancel(second.id, { cancellation_reason: "requested_by_customer" });
  assert.deepEqual([canceled.status, canceled.cancellation_reason], ["canceled", "requested_by_customer"]);
  await assert.rejects(stripe.paymentIntents.capture(second.id), Stripe.errors.StripeInvalidRequestError);
  assert.deepEqual(await gateway.moved("o2"), []);
});

test("refund in parts, and no more than was taken", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const paid = await stripe.paymentIntents.create(payment("o1"));
  const part = await stripe.refunds.create({ payment_intent: paid.id, amount: 290, reason: "duplicate" });
  assert.deepEqual([part.status, part.amount, part.reason], ["succeeded", 290, "duplicate"]);
  await assert.rejects(
    stripe.refunds.create({ payment_intent: paid.id, amount: 1001 }),
    Stripe.errors.StripeInvalidRequestError,
  );
  const rest = await stripe.refunds.create({ charge: paid.latest_charge });
  assert.equal(rest.amount, 1000);
  await assert.rejects(
    stripe.refunds.create({ payment_intent: paid.id }),
    (error) => error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "charge_already_refunded",
  );
  const charge = await stripe.charges.retrieve(paid.latest_charge);
  assert.deepEqual([charge.refunded, charge.amount_refunded], [true, 1290]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290", "refund 290", "refund 1000"]);
});

test("lists page by themselves, newest first", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const made = [];
  for (let place = 0; place < 23; place++) {
    made.unshift((await stripe.paymentIntents.create(payment(`o${place}`))).id);
  }
  const listed = [];
  for await (const intent of stripe.paymentIntents.list({ limit: 5 })) {
    listed.push(intent.id);
  }
  assert.deepEqual(listed, made);
  const charges = await stripe.charges.list({ limit: 10 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(charges.map((charge) => charge.payment_intent), made);
  const page = await stripe.paymentIntents.list({ limit: 5, ending_before: made[10] });
  assert.deepEqual([page.data.map((intent) => intent.id), page.has_more], [made.slice(5, 10), true]);
  const events = await stripe.events.list({ type: "payment_intent.succeeded", limit: 7 }).autoPagingToArray({ limit: 100 });
  assert.deepEqual(events.map((event) => event.data.object.id), made);
});

test("a key that is sent again is answered again; with other parameters it is an error", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const first = await stripe.paymentIntents.create(payment("o1"), { idempotencyKey: "key-1" });
  const again = await stripe.paymentIntents.create(payment("o1"), { idempotencyKey: "key-1" });
  assert.equal(again.id, first.id);
  assert.equal(first.lastResponse.headers["idempotent-replayed"], undefined);
  assert.equal(again.lastResponse.headers["idempotent-replayed"], "true");
  assert.equal(again.lastResponse.idempotencyKey, "key-1");
  await assert.rejects(
    stripe.paymentIntents.create(payment("o1", { amount: 1291 }), { idempotencyKey: "key-1" }),
    (error) => error instanceof Stripe.errors.StripeIdempotencyError && error.statusCode === 400,
  );
  const declined = () =>
    stripe.paymentIntents.create(payment("o2", { payment_method: "pm_card_chargeDeclined" }), { idempotencyKey: "key-2" });
  const reasons = [];
  for (let attempt = 0; attempt < 2; attempt++) {
    await assert.rejects(declined(), (error) => reasons.push(error.payment_intent.id) > 0);
  }
  assert.equal(reasons[0], reasons[1]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("webhooks are verified by the SDK", async (t) => {
  const hooks = await receiver(t);
  const gateway = await mock(t, "stripe", { webhooks: { urls: [hooks.url] } });
  const stripe = client(gateway.port);
  const paid = await stripe.paymentIntents.create(payment("o1"));
  const { body, headers } = await hooks.until((delivery) => delivery.body.includes('"payment_intent.succeeded"'));
  const signature = headers["stripe-signature"];
  const event = stripe.webhooks.constructEvent(body, signature, WEBHOOK_SECRET);
  assert.deepEqual([event.object, event.type, event.data.object.id], ["event", "payment_intent.succeeded", paid.id]);
  assert.deepEqual((await stripe.events.retrieve(event.id)).data.object.status, "succeeded");
  const { StripeSignatureVerificationError } = Stripe.errors;
  assert.throws(() => stripe.webhooks.constructEvent(body, signature, "whsec_other"), StripeSignatureVerificationError);
  assert.throws(
    () => stripe.webhooks.constructEvent(body.replace("1290", "1291"), signature, WEBHOOK_SECRET),
    StripeSignatureVerificationError,
  );
});

test("the SDK tries again after 503, with one key, and charges once", async (t) => {
  const gateway = await mock(t, "stripe", unavailableTwice("payment_intents.create"));
  const between = await relay(t, gateway.port);
  const stripe = client(between.port, { maxNetworkRetries: 2 });
  const paid = await stripe.paymentIntents.create(payment("o1"));
  assert.equal(paid.status, "succeeded");
  assert.deepEqual(between.seen.map((row) => row.status), [503, 503, 200]);
  assert.equal(new Set(between.seen.map((row) => row.key)).size, 1);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("without retries a 503 is a StripeAPIError", async (t) => {
  const gateway = await mock(t, "stripe", unavailableTwice("payment_intents.create"));
  const stripe = client(gateway.port, { maxNetworkRetries: 0 });
  await assert.rejects(
    stripe.paymentIntents.create(payment("o1")),
    (error) => error instanceof Stripe.errors.StripeAPIError && error.statusCode === 503,
  );
  assert.deepEqual(await gateway.moved("o1"), []);
});

test("an answer that is lost after the money moved does not charge twice, even without retries", async (t) => {
  const gateway = await mock(t, "stripe");
  const between = await relay(t, gateway.port, (request, number) => number === 0);
  const stripe = client(between.port, { maxNetworkRetries: 0 });
  const paid = await stripe.paymentIntents.create(payment("o1"));
  assert.equal(paid.lastResponse.headers["idempotent-replayed"], "true");
  assert.deepEqual(between.seen.map((row) => row.status), ["lost", 200]);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("beyond the rate limit: StripeRateLimitError", async (t) => {
  const gateway = await mock(t, "stripe", { rate_limit: 1 });
  const stripe = client(gateway.port, { maxNetworkRetries: 0 });
  const ends = await Promise.allSettled(
    Array.from({ length: 12 }, (_, place) => stripe.paymentIntents.create(payment(`o${place}`))),
  );
  const refused = ends.filter((end) => end.status === "rejected").map((end) => end.reason);
  assert.ok(refused.length > 0 && refused.length < 12, `${refused.length} refused`);
  for (const error of refused) {
    assert.ok(error instanceof Stripe.errors.StripeRateLimitError, error.type);
    assert.equal(error.statusCode, 429);
    assert.ok(error.headers["stripe-rate-limited-reason"]);
  }
  const { movements } = await gateway.admin("/movements");
  assert.equal(movements.length, 12 - refused.length);
});

test("wrong keys, unknown objects and unknown parameters are the SDK's errors", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  const stranger = new Stripe("nonsense", { host: "127.0.0.1", port: gateway.port, protocol: "http" });
  await assert.rejects(stranger.balance.retrieve(), Stripe.errors.StripeAuthenticationError);
  await assert.rejects(
    stripe.paymentIntents.retrieve("pi_none"),
    (error) => error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "resource_missing" && error.statusCode === 404,
  );
  await assert.rejects(
    stripe.paymentIntents.create(payment("o1", { colour: "red" })),
    (error) => error instanceof Stripe.errors.StripeInvalidRequestError && error.code === "parameter_unknown" && error.param === "colour",
  );
});

test("a payout is the sum of its items", async (t) => {
  const gateway = await mock(t, "stripe");
  const stripe = client(gateway.port);
  for (const order of ["o1", "o2", "o3"]) {
    await stripe.paymentIntents.create(payment(order));
  }
  await gateway.admin("/clock/advance", { method: "POST", body: JSON.stringify({ seconds: 5 * 86_400 }) });
  const [payout] = (await stripe.payouts.list()).data;
  const items = await stripe.balanceTransactions.list({ payout: payout.id, limit: 2 }).autoPagingToArray({ limit: 100 });
  const charges = items.filter((item) => item.type === "charge");
  assert.equal(charges.length, 3);
  assert.equal(payout.amount, charges.reduce((sum, item) => sum + item.net, 0));
});
