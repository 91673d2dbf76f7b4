// The payment that every generator sends, for k6. CONNECTIONS users as fast as they are answered, or RATE
// payments a second with CONNECTIONS users at most; both for SECONDS.
import http from "k6/http";

const body = open(__ENV.BODY);
const url = `${__ENV.URL}/payments`;
const parameters = { headers: { "Content-Type": "application/json", "Idempotency-Key": "bench-0000000" } };
const users = Number(__ENV.CONNECTIONS);
const duration = `${__ENV.SECONDS}s`;

export const options = {
  discardResponseBodies: false,
  summaryTrendStats: ["p(50)", "p(95)", "p(99)", "p(99.9)"],
  scenarios: {
    payments: __ENV.RATE
      ? {
          executor: "constant-arrival-rate",
          rate: Number(__ENV.RATE),
          timeUnit: "1s",
          duration,
          preAllocatedVUs: users,
          maxVUs: users,
        }
      : { executor: "constant-vus", vus: users, duration },
  },
};

export default function () {
  http.post(url, body, parameters);
}
