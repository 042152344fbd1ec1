/**
 * Replaces a word in HTML pages as they stream by, also where it is cut in two by the network.
 *
 *     millrace proxy examples/body-rewriting.ts
 */
import { defineProxy } from "millrace";

const from = Buffer.from("http://internal.example/");
const to = Buffer.from("https://www.example.com/");

export default defineProxy({
  listeners: [{ listen: process.env.LISTEN ?? "127.0.0.1:8080" }],
  upstreams: { app: { endpoints: [process.env.APP ?? "127.0.0.1:9000"] } },

  newContext: () => ({ tail: Buffer.alloc(0) }),

  upstreamPeer: () => "app",

  upstreamRequestFilter(session) {
    // What is compressed, or a part of the whole, cannot be searched.
    const { headers } = session.upstreamRequest;
    headers.set("Accept-Encoding", "identity");
    headers.delete("Range");
  },

  responseFilter(session) {
    const headers = session.response?.headers;
    const html = headers?.get("content-type")?.startsWith("text/html") ?? false;
    if (!html || headers?.has("content-encoding")) return "pass-body";
    headers?.delete("ETag");
  },

  responseBodyFilter(_session, piece, end, ctx) {
    const bytes = piece === null ? ctx.tail : Buffer.concat([ctx.tail, piece]);
    const parts: Buffer[] = [];
    let at = 0;
    for (let hit = bytes.indexOf(from); hit !== -1; hit = bytes.indexOf(from, at)) {
      parts.push(bytes.subarray(at, hit), to);
      at = hit + from.length;
    }
    // The start of another match may stand at the end: it waits for the next piece.
    const keep = end ? bytes.length : Math.max(at, bytes.length - from.length + 1);
    parts.push(bytes.subarray(at, keep));
    ctx.tail = bytes.subarray(keep);
    return Buffer.concat(parts);
  },
});
