/**
 * Answers without an upstream: a health check, a block list, a maintenance page.
 *
 *     millrace proxy examples/answer-from-hook.ts
 *     curl -i http://127.0.0.1:8080/health
 */
import { defineProxy } from "millrace";

let maintenance = process.env.MAINTENANCE === "1";

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: { app: { endpoints: [process.env.APP ?? "127.0.0.1:9000"] } },

  earlyRequestFilter(session) {
    if (session.request.headers.get("user-agent")?.includes("BadBot")) return session.respond(403);
  },

  requestFilter(session) {
    switch (session.request.path) {
      case "/health":
        return session.respond(200, { "Content-Type": "application/json" }, '{"ok":true}\n');
      case "/maintenance":
        maintenance = !maintenance;
        return session.respond(200, null, `maintenance is ${maintenance ? "on" : "off"}\n`);
    }
    if (maintenance) {
      return session.respond(503, { "Retry-After": "120" }, "Back in two minutes.\n");
    }
  },

  upstreamPeer: () => "app",

  failToProxy(session, error) {
    return session.respond(
      502,
      { "Content-Type": "application/json" },
      `{"error":"${error.code}"}\n`,
    );
  },
});
