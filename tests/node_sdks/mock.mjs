// A mock gateway in a child process, as `paydrill mock` starts one: its plan goes over the tether
// (mocks/process.py says how), and the child ends when the tether does.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import readline from "node:readline";
import { fileURLToPath } from "node:url";

const TETHER = 3;
const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PYTHON = process.env.PAYDRILL_PYTHON ?? `${ROOT}.venv/bin/python`;

/**
 * Start a mock; it ends with the test.
 *
 * @param t The test's context.
 * @param gateway Its name: stripe, paypal, adyen, gocardless.
 * @param plan What its plan holds besides: see GatewayService.start. `faults` are on when this returns.
 * @returns {Promise<{url: string, port: number, ready: object, admin: function, moved: function}>}
 */
export async function mock(t, gateway, plan = {}) {
  const faults = (plan.faults ?? []).map((fault, place) => ({
    id: `f${place + 1}`,
    at_ns: 0,
    for_ns: 3600e9,
    ...fault,
  }));
  if (faults.length > 0) {
    // All faults that are due start together, so /health tells that the others have.
    faults.push({ ...faults[0], id: "canary", fault: "http_error", endpoint: "health", share: 1, params: { status: 504 } });
  }
  const child = spawn(PYTHON, ["-m", "mocks.process"], {
    cwd: ROOT,
    env: { ...process.env, PAYDRILL_TETHER: String(TETHER) },
    stdio: ["ignore", "inherit", "inherit", "pipe"],
  });
  const exited = once(child, "exit");
  const tether = child.stdio[TETHER];
  t.after(async () => {
    tether.end();
    child.kill("SIGTERM");
    await exited;
  });
  const messages = readline.createInterface({ input: tether })[Symbol.asyncIterator]();
  const say = (message) => tether.write(JSON.stringify(message) + "\n");
  say({
    plan: { role: "gateway", name: gateway, gateway, journal: null, seed: 1, admin_port: 0, ...plan, faults },
  });
  const { value } = await messages.next();
  const said = JSON.parse(value ?? "null");
  if (!said?.ready) {
    throw new Error(`the mock did not start: ${value}`);
  }
  say({ go: { epoch_ns: Number(process.hrtime.bigint()) } });
  const { port, admin_port: admin } = said.ready;
  const running = {
    port,
    url: `${plan.tls ? "https" : "http"}://127.0.0.1:${port}`,
    ready: said.ready,
    admin: (path, options) => fetchJson(`http://127.0.0.1:${admin}${path}`, options),
    /** What truly moved for an order: ["capture 1290", "refund 290"]. */
    async moved(order) {
      const { movements } = await running.admin("/movements?limit=1000");
      return movements.filter((row) => row.order_id === order).map((row) => `${row.kind} ${row.amount_minor}`);
    },
  };
  while (faults.length > 0) {
    if ((await health(running.url)) === 504) {
      break;
    }
  }
  return running;
}

/**
 * A certificate authority of the mocks, as `paydrill mock --tls` makes one, in a folder that goes with the
 * process.
 *
 * @returns {{plan: object, cert: Buffer, key: Buffer, ca: Buffer}} `plan` is for a mock's plan.
 */
export function authority() {
  const folder = mkdtempSync(join(tmpdir(), "paydrill-node-sdks-"));
  process.on("exit", () => rmSync(folder, { recursive: true }));
  const script =
    "import sys, datetime, pathlib, mocks.tls;" +
    "print(*mocks.tls.prepare(pathlib.Path(sys.argv[1]), datetime.datetime.now(datetime.UTC)), sep='\\n')";
  const made = spawnSync(PYTHON, ["-c", script, folder], { cwd: ROOT, encoding: "utf8" });
  if (made.status !== 0) {
    throw new Error(made.stderr);
  }
  const [ca, certificate, key] = made.stdout.trim().split("\n");
  return {
    plan: { tls: { certificate, key } },
    cert: readFileSync(certificate),
    key: readFileSync(key),
    ca: readFileSync(ca),
  };
}

/** The fault that answers 503 to the first request of an endpoint and to none of the next three: every
 * request is drawn from the seed, and this seed draws so. The tests look at the statuses that came. */
export function unavailableOnce(endpoint) {
  return { seed: 3, faults: [{ fault: "http_error", endpoint, share: 0.5, params: { status: 503 } }] };
}

/** The same for the first two requests. */
export function unavailableTwice(endpoint) {
  return { ...unavailableOnce(endpoint), seed: 18 };
}

async function health(url) {
  const { get } = url.startsWith("https:") ? https : http;
  const [answer] = await once(get(`${url}/health`, { agent: false, rejectUnauthorized: false }), "response");
  answer.resume();
  return answer.statusCode;
}

async function fetchJson(url, options) {
  const answer = await fetch(url, options);
  if (!answer.ok) {
    throw new Error(`${url} answered ${answer.status}: ${await answer.text()}`);
  }
  return answer.json();
}
