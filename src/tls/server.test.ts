import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTlsClient } from "./client.ts";
import type { TlsClientConfig } from "./client-config.ts";
import { createTlsServer, type TlsServer } from "./server.ts";
import { TICKET_KEY_LENGTH, type TlsServerConfig } from "./server-config.ts";
import { type IssuedPair, TestAuthority } from "./testing/authority.ts";
import { EnginePair } from "./testing/engine-pair.ts";

let authority: TestAuthority;
let one: IssuedPair;
let wild: IssuedPair;
let rsa: IssuedPair;

beforeAll(() => {
  authority = new TestAuthority();
  one = authority.issue({ names: ["one.test"] });
  wild = authority.issue({ names: ["*.wild.test", "wild.test"] });
  rsa = authority.issue({ names: ["one.test"], keyType: "rsa" });
});
afterAll(() => authority[Symbol.dispose]());

/** A connection between a server and a client of these configurations, both closed with it. */
class Meeting {
  readonly server: TlsServer;
  readonly #config: TlsClientConfig;

  constructor(server: TlsServerConfig, config: Partial<TlsClientConfig> = {}) {
    this.server = createTlsServer(server);
    this.#config = { ca: [authority.pem], ...config };
  }

  /** Whom a client meets that asks for `name`: the common name, or the client's error. */
  whom(name: string, config: Partial<TlsClientConfig> = {}): string {
    using client = createTlsClient({ ...this.#config, verify: "none", ...config });
    using pair = new EnginePair(this.server, client, { serverName: name }).run();
    const found = pair.client.engine.connection?.peerCertificate?.subject;
    return found ?? pair.client.error?.message ?? "nobody";
  }

  [Symbol.dispose](): void {
    this.server.close();
  }
}

describe("names", () => {
  test("SNI, exact, wildcard and unknown, finds its certificate", () => {
    using met = new Meeting({ certificates: [one, wild] });
    expect(met.whom("one.test")).toBe("O=Test, CN=one.test");
    expect(met.whom("ONE.test")).toBe("O=Test, CN=one.test");
    expect(met.whom("wild.test")).toBe("O=Test, CN=*.wild.test");
    expect(met.whom("a.wild.test")).toBe("O=Test, CN=*.wild.test");
    // RFC 9525 §6.3: a wildcard stands for one label.
    expect(met.whom("a.b.wild.test")).toBe("O=Test, CN=one.test");
    expect(met.whom("other.test")).toBe("O=Test, CN=one.test");
    expect(met.whom("192.0.2.1")).toBe("O=Test, CN=one.test");
  });

  test("SNI, unknown, is refused by an alert where the configuration says so", () => {
    using met = new Meeting({ certificates: [one], unknownName: "reject" });
    expect(met.whom("other.test")).toMatch(/unrecognized name \(alert 112\)/);
    expect(met.whom("192.0.2.1")).toBe("O=Test, CN=one.test");
  });

  test("names, given, go before those in the certificate", () => {
    using met = new Meeting({ certificates: [one, { ...wild, names: ["Other.Test"] }] });
    expect(met.whom("other.test")).toBe("O=Test, CN=*.wild.test");
    expect(met.whom("a.wild.test")).toBe("O=Test, CN=one.test");
  });

  test("two kinds of key for a name: the client's abilities decide", () => {
    using met = new Meeting({ certificates: [one, rsa], maxVersion: "TLSv1.2" });
    const cipher = (ciphers: string): string | undefined => {
      using client = createTlsClient({ ca: [authority.pem], ciphers });
      using pair = new EnginePair(met.server, client, { serverName: "one.test" }).run();
      expect(pair.client.error).toBeNull();
      return pair.client.engine.connection?.cipher;
    };
    for (const kind of ["ECDSA", "RSA"]) {
      expect(cipher(`ECDHE-${kind}-AES128-GCM-SHA256`)).toBe(`ECDHE-${kind}-AES128-GCM-SHA256`);
    }
  });

  test("certificates, replaced, are shown from the next hello on; a bad pair leaves the old", () => {
    using met = new Meeting({ certificates: [one] });
    expect(() => met.server.replaceCertificates([{ ...one, key: wild.key }])).toThrow(
      "certificate 1: the private key does not belong to the certificate",
    );
    expect(met.whom("one.test")).toBe("O=Test, CN=one.test");
    met.server.replaceCertificates([wild]);
    expect(met.whom("one.test")).toBe("O=Test, CN=*.wild.test");
  });
});

describe("certificates that are awaited", () => {
  test("none yet, hellos with a name and without are refused; one comes, it is shown", () => {
    using met = new Meeting({ certificates: [], awaitsCertificates: true });
    expect(met.whom("one.test")).toMatch(/unrecognized name \(alert 112\)/);
    expect(met.whom("192.0.2.1")).toMatch(/unrecognized name \(alert 112\)/);
    met.server.replaceCertificates([one]);
    expect(met.whom("one.test")).toBe("O=Test, CN=one.test");
  });

  test("none yet, wrong settings are found nevertheless", () => {
    const config = { certificates: [], awaitsCertificates: true, ciphers: "NONSENSE" };
    expect(() => createTlsServer(config)).toThrow("ciphers NONSENSE: no cipher match");
  });
});

describe("configuration", () => {
  const make = (config: Partial<TlsServerConfig>): (() => TlsServer) => {
    return () => createTlsServer({ certificates: [one], ...config });
  };

  test.each([
    ["no certificate", () => make({ certificates: [] }), "a TLS server needs a certificate"],
    [
      "a key as certificate",
      () => make({ certificates: [{ ...one, certificate: one.key }] }),
      "certificate 1: no certificate in PEM form, but a private key",
    ],
    [
      "no key",
      () => make({ certificates: [{ ...one, key: "" }] }),
      "certificate 1: no private key in PEM form",
    ],
    [
      "a torn certificate",
      () =>
        make({
          certificates: [one, { ...one, certificate: one.certificate.replace("MII", "MXX") }],
        }),
      "certificate 2: certificate 1 cannot be read",
    ],
    ["an unknown cipher", () => make({ ciphers: "NONSENSE" }), "ciphers NONSENSE: no cipher match"],
    [
      "an unknown suite",
      () => make({ cipherSuites: "TLS_NONSENSE" }),
      "cipher suites TLS_NONSENSE",
    ],
    ["an unknown group", () => make({ groups: "P-257" }), "groups P-257"],
    ["no version", () => make({ policy: "modern", maxVersion: "TLSv1.2" }), "no version is left"],
    ["an empty protocol", () => make({ alpn: [""] }), 'not an ALPN protocol: ""'],
  ])("%s: is refused in words", (_, made, words) => {
    expect(made()).toThrow(words);
  });

  test("an encrypted key: opens with its passphrase alone", async () => {
    const { createPrivateKey } = await import("node:crypto");
    const key = createPrivateKey(one.key).export({
      format: "pem",
      type: "pkcs8",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    }) as string;
    const pair = { certificate: one.certificate, key };
    expect(make({ certificates: [pair] })).toThrow("is encrypted, and there is no passphrase");
    expect(make({ certificates: [{ ...pair, passphrase: "wrong" }] })).toThrow("passphrase");
    using met = new Meeting({ certificates: [{ ...pair, passphrase: "secret" }] });
    expect(met.whom("one.test")).toBe("O=Test, CN=one.test");
  });

  test("ciphers: the server's order decides, but for a client that begins with ChaCha20", () => {
    using server = createTlsServer({ certificates: [one] });
    const chosen = (...names: string[]): string | undefined => {
      const cipherSuites = names.map((name) => `TLS_${name}`).join(":");
      using client = createTlsClient({ ca: [authority.pem], cipherSuites });
      using pair = new EnginePair(server, client, { serverName: "one.test" }).run();
      return pair.client.engine.connection?.cipher.slice(4);
    };
    const [small, large] = ["AES_128_GCM_SHA256", "AES_256_GCM_SHA384"] as const;
    const chacha = "CHACHA20_POLY1305_SHA256";
    expect(chosen(large, chacha, small)).toBe(small);
    expect(chosen(chacha, small)).toBe(chacha);
    expect(chosen(large)).toBe(large);
  });

  test("modern policy: a client of TLS 1.2 is refused, intermediate takes it", () => {
    using modern = new Meeting({ certificates: [one], policy: "modern" });
    expect(modern.whom("one.test", { maxVersion: "TLSv1.2" })).toMatch(/protocol version/);
    using intermediate = new Meeting({ certificates: [one] });
    expect(intermediate.whom("one.test", { maxVersion: "TLSv1.2" })).toBe("O=Test, CN=one.test");
  });
});

describe("ALPN", () => {
  const chosen = (ours: readonly string[], offered: readonly string[]): string | null => {
    using server = createTlsServer({ certificates: [one], alpn: ours });
    using client = createTlsClient({ ca: [authority.pem], alpn: offered });
    using pair = new EnginePair(server, client, { serverName: "one.test" }).run();
    if (pair.client.error !== null) return pair.client.error.message;
    expect(pair.server.engine.connection?.alpn).toBe(pair.client.engine.connection?.alpn);
    return pair.client.engine.connection!.alpn;
  };

  test("ours and theirs: the server's order decides, and nothing in common is an alert", () => {
    expect(chosen(["h2", "http/1.1"], ["http/1.1", "h2"])).toBe("h2");
    expect(chosen(["h2", "http/1.1"], ["http/1.1"])).toBe("http/1.1");
    expect(chosen(["h2"], [])).toBeNull();
    expect(chosen([], ["h2"])).toBeNull();
    // RFC 7301 §3.2.
    expect(chosen(["h2"], ["http/1.1"])).toMatch(/no application protocol \(alert 120\)/);
  });
});

describe("hello", () => {
  test("asked before the handshake: sees names and protocols, and may keep the connection", () => {
    using server = createTlsServer({ certificates: [one] });
    using client = createTlsClient({ ca: [authority.pem], alpn: ["h2", "x"] });
    let seen = 0;
    using pair = new EnginePair(
      server,
      client,
      { serverName: "pass.test" },
      {
        onHello(hello, buf, start, end) {
          expect(hello).toMatchObject({ serverName: "pass.test", alpn: ["h2", "x"], tls13: true });
          expect(buf[start]).toBe(22);
          seen = end - start;
          return "release";
        },
      },
    ).run();
    expect(seen).toBeGreaterThan(200);
    expect(pair.server.engine.state).toBe("closed");
    expect(pair.server.events).toEqual([]);
  });

  test("plain HTTP: is named as what it is, and gets no answer", () => {
    using server = createTlsServer({ certificates: [one] });
    using client = createTlsClient({ ca: [] });
    using pair = new EnginePair(server, client, { serverName: "one.test" });
    const request = Buffer.from("GET / HTTP/1.1\r\n\r\n");
    pair.server.engine.receive(request, 0, request.length);
    expect(pair.server.error).toMatchObject({ code: "TLS_HANDSHAKE", source: "downstream" });
    expect(pair.server.error?.message).toContain("looks like plain HTTP");
    expect(pair.server.outbox).toEqual([]);
  });
});

describe("resumption", () => {
  const key = (fill: number): Uint8Array => new Uint8Array(TICKET_KEY_LENGTH).fill(fill);

  /** Connects twice with one client: whether the second was resumed. */
  function resumes(
    first: TlsServer,
    second: TlsServer,
    config: Partial<TlsClientConfig> = {},
  ): boolean {
    using client = createTlsClient({ ca: [authority.pem], ...config });
    const target = { serverName: "one.test" };
    for (const server of [first, second]) {
      using pair = new EnginePair(server, client, target).run();
      expect(pair.client.error).toBeNull();
      if (server === second && pair.client.engine.connection!.resumed) return true;
    }
    return false;
  }

  test.each(["TLSv1.2", "TLSv1.3"] as const)("%s: with a ticket of this server", (version) => {
    using server = createTlsServer({ certificates: [one], maxVersion: version });
    using other = createTlsServer({ certificates: [one] });
    using client = createTlsClient({ ca: [authority.pem] });
    const target = { serverName: "one.test" };
    const connect = (to: TlsServer): boolean => {
      using pair = new EnginePair(to, client, target).run();
      return pair.client.engine.connection!.resumed;
    };
    expect([connect(server), connect(server), connect(server)]).toEqual([false, true, true]);
    expect(connect(other)).toBe(false);
  });

  test.each(["TLSv1.2", "TLSv1.3"] as const)("%s: servers that share keys", (maxVersion) => {
    using first = createTlsServer({ certificates: [one], maxVersion });
    using second = createTlsServer({ certificates: [one], maxVersion });
    expect(resumes(first, second)).toBe(false);
    first.setTicketKeys([key(1)]);
    second.setTicketKeys([key(1)]);
    expect(resumes(first, second)).toBe(true);
    // Rotated: a ticket of the last key still counts, one of a retired key does not.
    second.setTicketKeys([key(2), key(1)]);
    expect(resumes(first, second)).toBe(true);
    second.setTicketKeys([key(3), key(2)]);
    expect(resumes(first, second)).toBe(false);
    // After an old ticket the newest key is back in its place.
    first.setTicketKeys([key(3)]);
    expect(resumes(second, first)).toBe(true);
  });

  test("another scope, or other clients' certificates: a full handshake", () => {
    using first = createTlsServer({ certificates: [one] });
    using scoped = createTlsServer({ certificates: [one], sessionScope: "b" });
    using strict = createTlsServer({
      certificates: [one],
      clientAuthentication: { mode: "optional", ca: authority.pem },
    });
    for (const server of [first, scoped, strict]) server.setTicketKeys([key(9)]);
    expect(resumes(first, scoped)).toBe(false);
    expect(resumes(first, strict)).toBe(false);
  });

  test("certificates replaced meanwhile: goes on; turned off on either side: never", () => {
    using server = createTlsServer({ certificates: [one] });
    expect(resumes(server, server)).toBe(true);
    using client = createTlsClient({ ca: [authority.pem] });
    const target = { serverName: "one.test" };
    new EnginePair(server, client, target).run().close();
    server.replaceCertificates([authority.issue({ names: ["one.test"] })]);
    using pair = new EnginePair(server, client, target).run();
    expect(pair.client.engine.connection?.resumed).toBe(true);
    using none = createTlsServer({ certificates: [one], tickets: 0 });
    expect(resumes(none, none)).toBe(false);
    expect(resumes(server, server, { sessions: 0 })).toBe(false);
  });

  test("ticket keys of a wrong length: are refused, the old ones stay", () => {
    using server = createTlsServer({ certificates: [one] });
    expect(() => server.setTicketKeys([new Uint8Array(48)])).toThrow("80 bytes each, not [48]");
    expect(() => server.setTicketKeys([])).toThrow("ticket keys");
    expect(resumes(server, server)).toBe(true);
  });
});
