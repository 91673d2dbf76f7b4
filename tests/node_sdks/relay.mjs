// A relay between an SDK and a mock, which notes what passes and can lose an answer: the request has been
// executed, and the client sees its connection reset.

import http from "node:http";
import https from "node:https";
import { once } from "node:events";

/**
 * Pass requests on to a mock until the test ends.
 *
 * @param t The test's context.
 * @param port The mock's.
 * @param lost `(request, number) => boolean`: whether its answer is lost; `number` counts from 0.
 * @param tls Speak HTTPS on both sides: `{cert, key, ca}`, as PEM.
 * @returns {Promise<{port: number, seen: {path: string, key: string, status: number | "lost"}[]}>}
 */
export async function relay(t, port, lost = () => false, tls = undefined) {
  const seen = [];
  const { Agent, createServer, request: send } = tls ? https : http;
  const agent = new Agent({ keepAlive: false });
  const server = createServer({ cert: tls?.cert, key: tls?.key }, async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const { method, url: path, headers } = request;
    const entry = { path, key: headers["idempotency-key"] ?? headers["paypal-request-id"], status: "none" };
    const number = seen.push(entry) - 1;
    const passed = send({ host: "127.0.0.1", port, method, path, headers, agent, ca: tls?.ca });
    passed.end(Buffer.concat(chunks));
    const [answer] = await once(passed, "response");
    const body = [];
    for await (const chunk of answer) {
      body.push(chunk);
    }
    if (lost(request, number)) {
      entry.status = "lost";
      // A TLS socket cannot be reset from here; its end without an answer is as good.
      tls ? request.socket.destroy() : request.socket.resetAndDestroy();
      return;
    }
    entry.status = answer.statusCode;
    response.writeHead(answer.statusCode, answer.headers).end(Buffer.concat(body));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
    agent.destroy();
  });
  return { port: server.address().port, seen };
}
