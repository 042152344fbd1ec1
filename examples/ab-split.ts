/**
 * Sends one client in ten to the new version, and keeps each where it is by a cookie.
 *
 *     millrace proxy examples/ab-split.ts
 *     curl -i http://127.0.0.1:8080/                       # sets the cookie
 *     curl -i -H 'Cookie: variant=b' http://127.0.0.1:8080/
 */
import { defineProxy } from "millrace";

type Variant = "a" | "b";

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: {
    a: { endpoints: [process.env.APP_A ?? "127.0.0.1:9000"] },
    b: { endpoints: [process.env.APP_B ?? "127.0.0.1:9001"] },
  },

  newContext(session): { variant: Variant; fresh: boolean } {
    const cookie = session.cookie("variant");
    if (cookie === "a" || cookie === "b") return { variant: cookie, fresh: false };
    return { variant: Math.random() < 0.1 ? "b" : "a", fresh: true };
  },

  upstreamPeer(session, ctx) {
    session.route = `variant-${ctx.variant}`;
    return ctx.variant;
  },

  responseFilter(session, ctx) {
    if (!ctx.fresh) return;
    session.response?.headers.append(
      "Set-Cookie",
      `variant=${ctx.variant}; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax`,
    );
  },
});
