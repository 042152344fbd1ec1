import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { NodeTlsClient } from "../../../src/cli/tls/node/node-tls-client.ts";
import type { NetError } from "../../../src/core/errors.ts";
import type { PeerTls } from "../../../src/proxy/peer.ts";
import { createTlsClient, type TlsClient } from "../../../src/tls/client.ts";
import type { TlsClientConfig } from "../../../src/tls/client-config.ts";
import { type IssuedPair, TestAuthority } from "../../../src/tls/testing/authority.ts";
import { type ProxyOptions, startProxy } from "../support.ts";
import { SecureOrigin } from "./origins.ts";

const GET = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

let authority: TestAuthority;
let other: TestAuthority;
let pair: IssuedPair;
let stranger: IssuedPair;
const clients: TlsClient[] = [];

beforeAll(() => {
  authority = new TestAuthority();
  other = new TestAuthority("Somebody Else");
  pair = authority.issue({ names: ["app.test"] });
  stranger = other.issue({ names: ["app.test"] });
});
afterAll(() => {
  authority[Symbol.dispose]();
  other[Symbol.dispose]();
});
afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function clientWith(config: Partial<TlsClientConfig> = {}): TlsClient {
  const client = kind.make({ ca: [authority.pem], alpn: ["http/1.1"], ...config });
  clients.push(client);
  return client;
}

/** A proxy before one origin, which it verifies as app.test unless told otherwise. */
const before = (port: number, options: Partial<ProxyOptions> = {}) =>
  startProxy({
    driver: kind.driver,
    to: [port],
    ...options,
    tls: { client: clientWith(), serverName: "app.test", ...options.tls },
  });

const kinds = [
  { driver: "epoll", make: createTlsClient },
  { driver: "node", make: (config: TlsClientConfig) => new NodeTlsClient(config) },
] as const;
type Kind = (typeof kinds)[number];
let kind: Kind = kinds[0];

describe.each(kinds)("TLS to upstreams ($driver)", (one) => {
  beforeEach(() => {
    kind = one;
  });

  test("verified, served: the name is sent, the connection is kept, hooks see the certificate", async () => {
    await using origin = await SecureOrigin.start(pair);
    const seen: (string | undefined)[] = [];
    const program: ProxyOptions["program"] = {
      connectedToUpstream: ({ upstream }) => {
        seen.push(upstream?.tls?.version, upstream?.tls?.peerCertificate?.dnsNames.join());
      },
    };
    await using proxy = await before(origin.port, { program });
    await using client = await proxy.client();
    await client.send(GET);
    const first = (await client.response()).body.toString();
    await client.send(GET);
    expect((await client.response()).body.toString()).toBe(first);
    expect(origin.names).toEqual(["app.test"]);
    expect(seen.slice(0, 2)).toEqual(["TLSv1.3", "app.test"]);
  });

  test.each<[string, Partial<ProxyOptions["tls"] & object>, () => IssuedPair, RegExp]>([
    ["an unknown authority", {}, () => stranger, /(issuer|first) certificate.*; set tls\.ca/],
    [
      "a name that it does not bear",
      { serverName: "db.test" },
      () => pair,
      /mismatch \(it bears DNS:app\.test\); set tls\.serverName/,
    ],
  ])("%s: 502, and the log says what to do", async (_, tls, shown, message) => {
    await using origin = await SecureOrigin.start(shown());
    let failure: NetError | null = null;
    const program: ProxyOptions["program"] = {
      failToProxy: (_session, error) => {
        failure = error;
      },
    };
    await using proxy = await before(origin.port, { program, tls });
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
    expect(failure).toMatchObject({
      code: "TLS_CERTIFICATE",
      source: "upstream",
      message: expect.stringMatching(message),
    });
    expect(proxy.recorder.connectFailures).toContain("TLS_CERTIFICATE");
  });

  test("an origin in plain: 502 with the reason, no hang", async () => {
    const { RawOrigin } = await import("../../support/raw-origin.ts");
    await using origin = await RawOrigin.start(
      (c) => void c.socket.write("HTTP/1.1 400 Bad\r\n\r\n"),
    );
    await using proxy = await before(origin.port);
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
    expect(proxy.recorder.last).toMatchObject({ error: "TLS_HANDSHAKE", source: "upstream" });
  });

  test("connections that are not kept: sessions are resumed", async () => {
    await using origin = await SecureOrigin.start(pair);
    await using proxy = await before(origin.port, { origin: { limits: { idlePerEndpoint: 0 } } });
    await using client = await proxy.client();
    for (let i = 0; i < 4; i++) {
      await client.send(GET);
      expect((await client.response()).status).toBe(200);
    }
    expect([origin.connections, origin.resumed]).toEqual([4, 3]);
  });

  test("a certificate of our own, shown to who asks", async () => {
    const own = authority.issue({ names: ["proxy.test"], commonName: "the proxy" });
    await using origin = await SecureOrigin.start(pair, {
      requestCert: true,
      rejectUnauthorized: true,
      ca: authority.pem,
    });
    await using proxy = await before(origin.port, {
      tls: { client: clientWith({ certificate: own }) },
    });
    await using client = await proxy.client();
    await client.send(GET);
    expect((await client.response()).body.toString()).toMatch(/^the proxy on/);
  });

  test("peers by address: other TLS settings never share a connection, the same ones do", async () => {
    await using origin = await SecureOrigin.start(pair);
    const one: PeerTls = { serverName: "app.test", ca: authority.pem };
    const peers: (PeerTls | boolean)[] = [
      one,
      { ...one },
      { ...one, verify: false },
      { serverName: "x.test", verifyName: "app.test", ca: authority.pem },
      { ...one, certificate: { certificate: pair.certificate, key: pair.key } },
    ];
    let turn = 0;
    const made: PeerTls[] = [];
    await using proxy = await startProxy({
      driver: kind.driver,
      program: {
        upstreamPeer: () => ({ address: `127.0.0.1:${origin.port}`, tls: peers[turn]! }),
      },
      tls: {
        peers: (tls) => {
          made.push(tls);
          const { verify = true, ca = "", certificate } = tls;
          return clientWith({
            ca: [ca],
            verify: verify ? "full" : "none",
            ...(certificate !== undefined && { certificate }),
          });
        },
      },
    });
    await using client = await proxy.client();
    const served: string[] = [];
    for (let round = 0; round < 2; round++) {
      for (turn = 0; turn < peers.length; turn++) {
        await client.send(GET);
        served.push((await client.response()).body.toString().replace(/^.* on /, ""));
      }
    }
    const [a, b, c, d, e] = served;
    expect(b).toBe(a);
    expect(new Set([a, c, d, e]).size).toBe(4);
    expect(served.slice(5)).toEqual([a, b, c, d, e]);
    expect(origin.connections).toBe(4);
    expect(made).toHaveLength(3);
    // In plain it is another peer again.
    peers[0] = false;
    turn = 0;
    await client.send(GET);
    expect((await client.response()).status).toBe(502);
  });
});
