/**
 * Lets requests pass that carry a valid JSON Web Token, and tells the upstream who asks.
 * Needs `npm install jose`.
 *
 *     JWT_SECRET=… millrace proxy examples/jwt-check.ts
 *     curl -i -H "Authorization: Bearer $TOKEN" http://127.0.0.1:8080/
 */
import { jwtVerify } from "jose";
import { defineProxy } from "millrace";

const secret = new TextEncoder().encode(process.env.JWT_SECRET);
if (secret.length < 32) throw new Error("set JWT_SECRET to at least 32 characters");

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: { app: { endpoints: [process.env.APP ?? "127.0.0.1:9000"] } },

  newContext: () => ({ subject: "" }),

  async requestFilter(session, ctx) {
    const token = /^Bearer ([\w.-]+)$/i.exec(
      session.request.headers.get("authorization") ?? "",
    )?.[1];
    if (token === undefined) return session.respond(401, { "WWW-Authenticate": "Bearer" });
    try {
      const { payload } = await jwtVerify(token, secret, { algorithms: ["HS256"] });
      ctx.subject = payload.sub ?? "";
    } catch {
      return session.respond(401, { "WWW-Authenticate": 'Bearer error="invalid_token"' });
    }
  },

  upstreamPeer: () => "app",

  upstreamRequestFilter(session, ctx) {
    const { headers } = session.upstreamRequest;
    headers.delete("Authorization");
    headers.set("X-Subject", encodeURIComponent(ctx.subject));
  },
});
