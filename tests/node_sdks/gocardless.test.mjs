// GoCardless' own Node SDK as the client of the mock.

import assert from "node:assert/strict";
import { test } from "node:test";
import { GoCardlessClient, Environments, InvalidSignatureError, parse } from "gocardless-nodejs";
import * as errors from "gocardless-nodejs/errors";

import { mock, unavailableOnce } from "./mock.mjs";
import { PlainAgent } from "./plain_agent.mjs";
import { receiver } from "./receiver.mjs";
import { relay } from "./relay.mjs";

const WEBHOOK_SECRET = "paydrill-gocardless-webhook-secret";

const client = (port, options = {}) =>
  new GoCardlessClient("sandbox_1", Environments.Sandbox, { proxy: { https: new PlainAgent(port) }, ...options });

/** A new customer with an account and a mandate that is active. */
async function mandate(sdk) {
  const customer = await sdk.customers.create({ given_name: "Ada", family_name: "Byron", email: "ada@example.test" });
  const account = await sdk.customerBankAccounts.create({
    account_holder_name: "Ada Byron",
    country_code: "GB",
    branch_code: "200000",
    account_number: "55779911",
    links: { customer: customer.id },
  });
  const made = await sdk.mandates.create({ links: { customer_bank_account: account.id } });
  await simulate(sdk, "mandate_activated", made.id);
  return made.id;
}

const simulate = (sdk, name, resource) => sdk.scenarioSimulators.run(name, { links: { resource } });

const payment = (agreed, order, more = {}) => ({
  amount: 1290,
  currency: "GBP",
  links: { mandate: agreed },
  metadata: { order_id: order },
  ...more,
});

async function collect(pages) {
  const rows = [];
  for await (const row of pages) {
    rows.push(row);
  }
  return rows;
}

test("pay: the money comes later, by events", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const made = await sdk.payments.create(payment(await mandate(sdk), "o1"));
  assert.deepEqual([made.status, made.amount, made.amount_refunded], ["pending_submission", 1290, 0]);
  assert.deepEqual(await gateway.moved("o1"), []);
  await simulate(sdk, "payment_confirmed", made.id);
  assert.equal((await sdk.payments.find(made.id)).status, "confirmed");
  await simulate(sdk, "payment_paid_out", made.id);
  const paid = await sdk.payments.find(made.id);
  assert.equal(paid.status, "paid_out");
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
  const events = await collect(sdk.events.all({ payment: made.id }));
  assert.deepEqual(
    events.map((event) => event.action).reverse(),
    ["created", "submitted", "confirmed", "paid_out"],
  );
  const payout = await sdk.payouts.find(paid.links.payout);
  const items = await collect(sdk.payoutItems.all({ payout: payout.id }));
  assert.equal(items.reduce((sum, item) => sum + Number(item.amount), 0), payout.amount);
});

test("every failure comes as an event with its cause", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const agreed = await mandate(sdk);
  const ends = { payment_failed: "failed", payment_late_failure: "failed", payment_charged_back: "charged_back" };
  for (const [simulator, status] of Object.entries(ends)) {
    const made = await sdk.payments.create(payment(agreed, simulator));
    await simulate(sdk, simulator, made.id);
    assert.equal((await sdk.payments.find(made.id)).status, status, simulator);
    const [last] = await collect(sdk.events.all({ payment: made.id }));
    assert.equal(last.action, status, simulator);
    assert.ok(last.details.cause && last.details.description && last.details.origin, simulator);
    const sum = (await gateway.moved(simulator)).reduce(
      (total, row) => total + (row.startsWith("capture") ? 1 : -1) * Number(row.split(" ")[1]),
      0,
    );
    assert.equal(sum, 0, `${simulator}: what came has gone back`);
  }
});

test("a failed payment is retried", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const made = await sdk.payments.create(payment(await mandate(sdk), "o1"));
  await simulate(sdk, "payment_failed", made.id);
  const again = await sdk.payments.retry(made.id, {});
  assert.equal(again.status, "pending_submission");
  await simulate(sdk, "payment_paid_out", made.id);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("cancel before it is submitted, and not afterwards", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const agreed = await mandate(sdk);
  const made = await sdk.payments.create(payment(agreed, "o1"));
  assert.equal((await sdk.payments.cancel(made.id, {})).status, "cancelled");
  const second = await sdk.payments.create(payment(agreed, "o2"));
  await simulate(sdk, "payment_confirmed", second.id);
  await assert.rejects(
    sdk.payments.cancel(second.id, {}),
    (error) => error instanceof errors.InvalidStateError && error.errors[0].reason === "cancellation_failed",
  );
  await sdk.mandates.cancel(agreed, {});
  await assert.rejects(sdk.payments.create(payment(agreed, "o3")), errors.InvalidStateError);
  assert.deepEqual(await gateway.moved("o1"), []);
});

test("refund in parts, and no more than was taken", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const made = await sdk.payments.create(payment(await mandate(sdk), "o1"));
  const refund = (amount, total) =>
    sdk.refunds.create({ amount, total_amount_confirmation: total, links: { payment: made.id } });
  await assert.rejects(
    refund(290, 290),
    (error) => error instanceof errors.InvalidStateError && error.errors[0].reason === "refund_payment_invalid_state",
  );
  await simulate(sdk, "payment_paid_out", made.id);
  const part = await refund(290, 290);
  assert.deepEqual([part.amount, part.links.payment], [290, made.id]);
  await assert.rejects(refund(1001, 1291), errors.ValidationFailedError);
  await assert.rejects(
    refund(1000, 1000),
    (error) => error.errors[0].reason === "total_amount_confirmation_invalid",
  );
  await refund(1000, 1290);
  assert.equal((await sdk.payments.find(made.id)).amount_refunded, 1290);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290", "refund 290", "refund 1000"]);
});

test("lists page by themselves, newest first", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const agreed = await mandate(sdk);
  const made = [];
  for (let place = 0; place < 12; place++) {
    made.unshift((await sdk.payments.create(payment(agreed, `o${place}`))).id);
  }
  const listed = await collect(sdk.payments.all({ limit: 5 }));
  assert.deepEqual(listed.map((row) => row.id), made);
  const page = await sdk.payments.list({ limit: 5, before: made[7] });
  assert.deepEqual([page.payments.length, page.meta.limit], [5, 5]);
  const early = await collect(sdk.payments.all({ created_at: { lt: "2001-01-01T00:00:00Z" } }));
  assert.deepEqual(early, []);
});

test("a key that is sent again gives the first payment, fetched by the SDK", async (t) => {
  const gateway = await mock(t, "gocardless");
  const between = await relay(t, gateway.port);
  const sdk = client(between.port);
  const agreed = await mandate(sdk);
  const first = await sdk.payments.create(payment(agreed, "o1"), "key-1");
  const before = between.seen.length;
  const again = await sdk.payments.create(payment(agreed, "o1", { amount: 99 }), "key-1");
  assert.deepEqual([again.id, again.amount], [first.id, 1290]);
  assert.deepEqual(
    between.seen.slice(before).map((row) => [row.path, row.status]),
    [["/payments", 409], [`/payments/${first.id}`, 200]],
  );
  const strict = client(gateway.port, { raiseOnIdempotencyConflict: true });
  await assert.rejects(
    strict.payments.create(payment(agreed, "o1"), "key-1"),
    (error) => error instanceof errors.IdempotentCreationConflictError && error.conflictingResourceId === first.id,
  );
  assert.equal((await sdk.payments.list({})).payments.length, 1);
});

test("webhooks are verified by the SDK", async (t) => {
  const hooks = await receiver(t);
  const gateway = await mock(t, "gocardless", { webhooks: { urls: [hooks.url] } });
  const sdk = client(gateway.port);
  const made = await sdk.payments.create(payment(await mandate(sdk), "o1"));
  await simulate(sdk, "payment_confirmed", made.id);
  const { body, headers } = await hooks.until((delivery) => delivery.body.includes('"payment_confirmed"'));
  const signature = headers["webhook-signature"];
  const events = parse(body, WEBHOOK_SECRET, signature);
  const event = events.find((one) => one.action === "confirmed");
  assert.deepEqual([event.resource_type, event.links.payment], ["payments", made.id]);
  const { __response__, ...polled } = await sdk.events.find(event.id);
  assert.equal(__response__.statusCode, 200);
  assert.deepEqual(polled, event);
  assert.throws(() => parse(body, "other", signature), InvalidSignatureError);
  assert.throws(() => parse(body + " ", WEBHOOK_SECRET, signature), InvalidSignatureError);
});

test("the SDK tries a read again after 503", async (t) => {
  const gateway = await mock(t, "gocardless", unavailableOnce("payments.get"));
  const between = await relay(t, gateway.port);
  const sdk = client(between.port);
  const made = await sdk.payments.create(payment(await mandate(sdk), "o1"));
  assert.equal((await sdk.payments.find(made.id)).id, made.id);
  const reads = between.seen.filter((row) => row.path === `/payments/${made.id}`);
  assert.deepEqual(reads.map((row) => row.status), [503, 200]);
});

test("a creation that meets 503 is the SDK's error, and its key makes one payment", async (t) => {
  // The SDK sends no POST twice by itself: the caller repeats it, under the same key.
  const gateway = await mock(t, "gocardless", unavailableOnce("payments.create"));
  const sdk = client(gateway.port);
  const agreed = await mandate(sdk);
  await assert.rejects(
    sdk.payments.create(payment(agreed, "o1"), "key-1"),
    (error) => error instanceof errors.GoCardlessInternalError && error.response.statusCode === 503,
  );
  assert.deepEqual((await sdk.payments.list({})).payments, []);
  const made = await sdk.payments.create(payment(agreed, "o1"), "key-1");
  await simulate(sdk, "payment_paid_out", made.id);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("an answer that is lost after the payment was made does not make a second one", async (t) => {
  const gateway = await mock(t, "gocardless");
  let losses = 0;
  const between = await relay(t, gateway.port, ({ method, url }) => method === "POST" && url === "/payments" && losses++ === 0);
  const sdk = client(between.port);
  const agreed = await mandate(sdk);
  await assert.rejects(sdk.payments.create(payment(agreed, "o1"), "key-1"), (error) => error.code === "ECONNRESET");
  const made = await sdk.payments.create(payment(agreed, "o1"), "key-1");
  assert.deepEqual(
    between.seen.filter((row) => row.path.startsWith("/payments")).map((row) => row.status),
    ["lost", 409, 200],
  );
  assert.deepEqual((await sdk.payments.list({})).payments.map((row) => row.id), [made.id]);
  await simulate(sdk, "payment_paid_out", made.id);
  assert.deepEqual(await gateway.moved("o1"), ["capture 1290"]);
});

test("beyond the rate limit: RateLimitError", async (t) => {
  const gateway = await mock(t, "gocardless", { rate_limit: 1 });
  const sdk = client(gateway.port);
  const person = { given_name: "Ada", family_name: "Byron", email: "ada@example.test" };
  const ends = await Promise.allSettled(Array.from({ length: 6 }, () => sdk.customers.create(person)));
  const refused = ends.filter((end) => end.status === "rejected").map((end) => end.reason);
  // The limit is of a minute, so at most two of them can be crossed.
  assert.ok(refused.length >= 3 && refused.length < 6, `${refused.length} refused`);
  for (const error of refused) {
    assert.ok(error instanceof errors.RateLimitError, String(error));
    assert.equal(error.errors[0].reason, "rate_limit_exceeded");
    assert.equal(error.response.headers["ratelimit-limit"], "1");
    assert.equal(error.response.headers["ratelimit-remaining"], "0");
    assert.ok(!Number.isNaN(Date.parse(error.response.headers["ratelimit-reset"])));
  }
});

test("wrong tokens, unknown resources and wrong attributes are the SDK's errors", async (t) => {
  const gateway = await mock(t, "gocardless");
  const sdk = client(gateway.port);
  const stranger = new GoCardlessClient("", Environments.Sandbox, { proxy: { https: new PlainAgent(gateway.port) } });
  await assert.rejects(stranger.payments.list({}), errors.AuthenticationError);
  await assert.rejects(
    sdk.payments.find("PM0"),
    (error) => error instanceof errors.InvalidApiUsageError && error.code === 404 && error.errors[0].reason === "resource_not_found",
  );
  const agreed = await mandate(sdk);
  await assert.rejects(
    sdk.payments.create(payment(agreed, "o1", { amount: -1 })),
    (error) => error instanceof errors.ValidationFailedError && error.errors[0].field === "amount" && error.requestId.length > 0,
  );
});
