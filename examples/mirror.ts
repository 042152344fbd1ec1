/**
 * Sends a copy of each request to a second service and throws its answers away: real traffic for a
 * new version, without risk. A slow mirror loses copies; it never slows the clients.
 *
 *     MIRROR=http://127.0.0.1:9001 millrace proxy examples/mirror.ts
 */
import { defineProxy } from "millrace";

const mirror = process.env.MIRROR ?? "http://127.0.0.1:9001";
const mostInFlight = 64;
const mostBytes = 1 << 20;
let inFlight = 0;

/** What belongs to the client's connection or message, and not to the copy's. */
const notCopied = new Set([
  "host",
  "connection",
  "keep-alive",
  "upgrade",
  "te",
  "content-length",
  "transfer-encoding",
  "expect",
]);

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: { app: { endpoints: [process.env.APP ?? "127.0.0.1:9000"] } },

  newContext: () => ({ body: [] as Uint8Array[], bytes: 0 }),

  upstreamPeer: () => "app",

  upstreamRequestFilter(session, ctx) {
    const length = Number(session.request.headers.get("content-length") ?? 0);
    if (length <= mostBytes) return;
    // Too large to copy: it goes by unseen.
    ctx.bytes = length;
    return "pass-body";
  },

  requestBodyFilter(_session, piece, _end, ctx) {
    if (piece === null || ctx.bytes > mostBytes) return;
    ctx.bytes += piece.length;
    ctx.body.push(piece);
  },

  logging(session, ctx) {
    if (inFlight >= mostInFlight || ctx.bytes > mostBytes) return;
    const { method, path, query } = session.request;
    const headers = [...session.request.headers].filter(
      ([name]) => !notCopied.has(name.toLowerCase()),
    );
    inFlight++;
    // Joined, not resolved: a path may begin with "//", and must not choose another host.
    fetch(`${mirror}${path}${query && `?${query}`}`, {
      method,
      headers: [...headers, ["X-Mirrored", "1"]],
      redirect: "manual",
      signal: AbortSignal.timeout(5_000),
      ...(ctx.body.length > 0 && { body: Buffer.concat(ctx.body) }),
    })
      .then((response) => response.body?.cancel())
      .catch(() => undefined)
      .finally(() => inFlight--);
  },
});
