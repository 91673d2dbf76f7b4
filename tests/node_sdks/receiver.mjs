// An HTTP server that takes webhooks, as a merchant's would.

import http from "node:http";
import { once } from "node:events";

/**
 * Take webhooks until the test ends.
 *
 * @param t The test's context.
 * @returns {Promise<{url: string, until: function}>} `until(found)` waits for the first of the deliveries
 *   `{headers, body}` (the body is the raw text) for which `found` is true; those before it count, too.
 */
export async function receiver(t) {
  const deliveries = [];
  const waiting = new Set();
  const server = http.createServer(async (request, response) => {
    const chunks = [];
    for await (const chunk of request) {
      chunks.push(chunk);
    }
    response.writeHead(204).end();
    deliveries.push({ headers: request.headers, body: Buffer.concat(chunks).toString("utf8") });
    for (const look of waiting) {
      look();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    url: `http://127.0.0.1:${server.address().port}/hooks`,
    until(found) {
      return new Promise((resolve) => {
        const look = () => {
          const delivery = deliveries.find(found);
          if (delivery) {
            waiting.delete(look);
            resolve(delivery);
          }
        };
        waiting.add(look);
        look();
      });
    },
  };
}
