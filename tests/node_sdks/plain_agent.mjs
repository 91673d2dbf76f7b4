// The way to a mock for an SDK whose host cannot be set: it goes on speaking to the gateway's own name, and
// this agent carries what it sends to a loopback port, without TLS and without asking for the name.

import http from "node:http";
import net from "node:net";

/** An agent for `https:` requests that reach 127.0.0.1:`port` in plain HTTP, one connection each. */
export class PlainAgent extends http.Agent {
  constructor(port) {
    super({ keepAlive: false });
    this.protocol = "https:";
    this.defaultPort = port;
    this.mockPort = port;
  }

  createConnection() {
    return net.connect(this.mockPort, "127.0.0.1");
  }
}
