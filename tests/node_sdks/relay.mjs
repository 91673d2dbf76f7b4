// A relay between an SDK and a mock, which notes what passes and can lose an answer: the request has been
// executed, and the client sees its connection reset.

import http from "node:http";
import { once } from "node:events";

/**
 * Pass requests on to a mock until the test ends.
 *
 * @param t The test's context.
 * @param port The mock's.
 * @param lost `(request, number) => boolean`: whether its answer is lost; `number` counts from 0.
 * @returns {Promise<{port: number, seen: {path: string, key: string, status: number | "lost"}[]}>}
 */
export async function relay(t, port, lost = () => false) {
  const seen = [];
  const agent = new http.Agent({ keepAlive: false });
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    const { method, url: path, headers } = request;
    const entry = { path, key: headers["idempotency-key"] ?? headers["paypal-request-id"], status: "none" };
    const number = seen.push(entry) - 1;
    const passed = http.request({ host: "127.0.0.1", port, method, path, headers, agent });
    passed.end(Buffer.concat(chunks));
    const [answer] = await once(passed, "response");
    const body = [];
    for await (const chunk of answer) {
      body.push(chunk);
    }
    if (lost(request, number)) {
      entry.status = "lost";
      request.socket.resetAndDestroy();
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
