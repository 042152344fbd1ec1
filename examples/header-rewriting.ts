/**
 * Adds, replaces and removes header fields in both directions.
 *
 *     millrace proxy examples/header-rewriting.ts
 *     curl -i http://127.0.0.1:8080/
 */
import { defineProxy } from "millrace";

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: { app: { endpoints: [process.env.APP ?? "127.0.0.1:9000"] } },

  upstreamPeer: () => "app",

  upstreamRequestFilter(session) {
    const { headers } = session.upstreamRequest;
    headers.set("X-Gateway", "millrace");
    headers.delete("Cookie");
  },

  responseFilter(session) {
    const headers = session.response?.headers;
    headers?.delete("Server");
    headers?.set("Strict-Transport-Security", "max-age=31536000");
  },
});
