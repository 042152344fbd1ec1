import { expect, test } from "vitest";
import { live } from "../native/openssl/live-objects.ts";
import { createTlsClient } from "./client.ts";
import { createTlsServer } from "./server.ts";
import { TestAuthority } from "./testing/authority.ts";
import { EnginePair } from "./testing/engine-pair.ts";

/** Full and resumed handshakes; MILLRACE_HANDSHAKES=100000 for the long run. */
const handshakes = Number(process.env.MILLRACE_HANDSHAKES ?? 4_000);
const MEBIBYTE = 1024 * 1024;

test(`${handshakes} handshakes, ended in all ways: no object is left, memory stays`, () => {
  using authority = new TestAuthority();
  const certificate = authority.issue({ names: ["one.test"] });
  {
    using server = createTlsServer({ certificates: [certificate], alpn: ["h2"] });
    using client = createTlsClient({ ca: [authority.pem], alpn: ["h2"] });
    const meet = (i: number): void => {
      const target = { serverName: "one.test", sessionKey: i % 4 === 0 ? `fresh ${i}` : "kept" };
      using pair = new EnginePair(server, client, target);
      if (i % 7 === 0) return; // Never started.
      pair.client.engine.start();
      if (i % 5 === 0) return; // In the middle of the handshake.
      pair.settle();
      expect(pair.client.engine.connection?.peerCertificate?.der.length).toBeGreaterThan(100);
      pair.client.send("request");
      pair.settle();
      if (i % 3 === 0) pair.client.engine.end();
      if (i % 11 === 0) pair.server.engine.receive(Buffer.of(23, 3, 3, 0, 2, 0, 0), 0, 7);
    };
    const warm = Math.min(2_000, handshakes / 2);
    for (let i = 0; i < warm; i++) meet(i);
    const before = process.memoryUsage.rss();
    for (let i = warm; i < handshakes; i++) meet(i);
    const grown = process.memoryUsage.rss() - before;
    // A leak of one SSL a handshake would be 20 KiB each; the collector's moods are a few MiB.
    expect(grown).toBeLessThan(24 * MEBIBYTE);
    expect(live.connections).toBe(0);
    expect(live.sessions).toBeGreaterThan(100);
  }
  expect(live).toEqual({ contexts: 0, connections: 0, sessions: 0 });
}, 600_000);
