/**
 * Answers without an upstream: a health check, a block list, a maintenance page, errors as JSON.
 *
 *     millrace proxy examples/answer-from-hook.ts
 *     curl -i http://127.0.0.1:8080/health
 *     MAINTENANCE=1 millrace proxy examples/answer-from-hook.ts
 */
import { defineProxy } from "millrace";

const maintenance = process.env.MAINTENANCE === "1";
const json = { "Content-Type": "application/json" };

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: { app: { endpoints: [process.env.APP ?? "127.0.0.1:9000"] } },

  earlyRequestFilter(session) {
    if (session.request.headers.get("user-agent")?.includes("BadBot")) return session.respond(403);
  },

  requestFilter(session) {
    if (session.request.path === "/health") return session.respond(200, json, '{"ok":true}\n');
    if (maintenance) {
      return session.respond(503, { "Retry-After": "120" }, "Back in two minutes.\n");
    }
  },

  upstreamPeer: () => "app",

  failToProxy(session, error) {
    if (error.source !== "upstream") return;
    return session.respond(502, json, `{"error":"${error.code}"}\n`);
  },
});
