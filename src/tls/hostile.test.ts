import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { live } from "../native/openssl/live-objects.ts";
import { createTlsClient, type TlsClient } from "./client.ts";
import type { TlsVersion } from "./protocol-settings.ts";
import { createTlsServer, type TlsServer } from "./server.ts";
import { TestAuthority } from "./testing/authority.ts";
import { type End, EnginePair } from "./testing/engine-pair.ts";

let server: TlsServer;
const clients = new Map<TlsVersion, TlsClient>();

beforeAll(() => {
  using authority = new TestAuthority();
  const pair = authority.issue({ names: ["one.test"] });
  server = createTlsServer({ certificates: [pair], alpn: ["h2"] });
  for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
    const config = { ca: [authority.pem], alpn: ["h2"], maxVersion, sessions: 0 };
    clients.set(maxVersion, createTlsClient(config));
  }
});
afterAll(() => {
  server.close();
  for (const client of clients.values()) client.close();
});

const target = { serverName: "one.test" };

/** xorshift32: the same for a seed. */
function random(seed: number): (below: number) => number {
  let x = seed;
  return (below) => {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    return (x >>> 0) % below;
  };
}

/** Damage on the way: changes, cuts, doubles or inserts bytes of what one side sends. */
function damage(bytes: Buffer, draw: (below: number) => number): Buffer {
  const at = draw(bytes.length + 1);
  switch (draw(4)) {
    case 0: {
      const copy = Buffer.from(bytes);
      for (let i = 0; i <= draw(4); i++) copy[draw(copy.length)] = draw(256);
      return copy;
    }
    case 1:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + draw(40))]);
    case 2:
      return Buffer.concat([bytes.subarray(0, at), bytes.subarray(draw(at + 1))]);
    default: {
      const noise = Buffer.from(Array.from({ length: draw(60) }, () => draw(256)));
      return Buffer.concat([bytes.subarray(0, at), noise, bytes.subarray(at)]);
    }
  }
}

/** One exchange in which step `step` of either side is damaged. Afterwards both say how they stand. */
function play(version: TlsVersion, seed: number): void {
  const draw = random(seed);
  using pair = new EnginePair(server, clients.get(version)!, target);
  pair.client.engine.start();
  const spoilt = draw(5);
  for (let step = 0; step < 8; step++) {
    const [from, to] = step % 2 === 0 ? [pair.client, pair.server] : [pair.server, pair.client];
    if (from.engine.state === "open" && draw(2) === 0) from.send("x".repeat(draw(3_000)));
    let bytes: Buffer = Buffer.concat(from.outbox.splice(0));
    if (bytes.length > 0 && step >= spoilt) bytes = damage(bytes, draw);
    to.engine.receive(bytes, 0, bytes.length);
  }
  for (const end of [pair.client, pair.server]) check(end);
}

/** What must hold whatever came: one error at most, and last; only bytes that were sent. */
function check(end: End): void {
  const errors = end.events.filter((event) => event === "error");
  expect(errors.length).toBeLessThanOrEqual(1);
  if (errors.length === 1) {
    expect(end.events.at(-1)).toBe("error");
    expect(end.engine.state).toBe("failed");
    expect(end.error?.code).toMatch(/^TLS_/);
  }
  expect(end.text).toMatch(/^x*$/);
}

describe.each(["TLSv1.2", "TLSv1.3"] as const)("%s", (version) => {
  test("records damaged anywhere, 150 times: an error is told or nothing, no byte is made up", () => {
    for (let seed = 1; seed <= 150; seed++) play(version, seed * 7919);
    expect(live.connections).toBe(0);
  });
});

test("noise in place of a peer, 600 times: never more than an error", () => {
  const draw = random(99);
  for (let i = 0; i < 600; i++) {
    using pair = new EnginePair(server, clients.get("TLSv1.3")!, target);
    pair.client.engine.start();
    const noise = Buffer.from(Array.from({ length: 5 + draw(300) }, () => draw(256)));
    if (draw(2) === 0) noise.set([20 + draw(5), 3, draw(4), 0, noise.length - 5 - draw(3)]);
    const end = draw(2) === 0 ? pair.client : pair.server;
    end.engine.receive(noise, 0, noise.length);
    check(end);
  }
  expect(live.connections).toBe(0);
});

test("errors that others left in the thread's queue: change nothing", async () => {
  const { createPrivateKey, X509Certificate } = await import("node:crypto");
  using pair = new EnginePair(server, clients.get("TLSv1.3")!, target).run();
  const spoil = (): void => {
    expect(() =>
      createPrivateKey("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----"),
    ).toThrow();
    expect(() => new X509Certificate("nothing")).toThrow();
  };
  spoil();
  pair.client.send("data");
  pair.settle();
  spoil();
  pair.client.engine.end();
  spoil();
  pair.settle();
  expect(pair.server.events).toEqual(["handshake", "data", "end"]);
});
