import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTlsClient } from "./client.ts";
import type { TlsClientConfig, TlsTarget } from "./client-config.ts";
import type { TlsConnection } from "./engine.ts";
import { createTlsServer } from "./server.ts";
import type { TlsServerConfig } from "./server-config.ts";
import { type IssuedPair, TestAuthority } from "./testing/authority.ts";
import { EnginePair } from "./testing/engine-pair.ts";

let authority: TestAuthority;
let stranger: TestAuthority;
let one: IssuedPair;

beforeAll(() => {
  authority = new TestAuthority();
  stranger = new TestAuthority("Stranger");
  one = authority.issue({ names: ["one.test", "*.many.test", "192.0.2.1", "2001:db8::1"] });
});
afterAll(() => {
  authority[Symbol.dispose]();
  stranger[Symbol.dispose]();
});

interface Result {
  readonly client: string;
  readonly server: string;
  /** What the server knows of the connection. */
  readonly connection: TlsConnection | null;
}

/** "ok", or how each side tells of the failure. */
function meet(
  server: Partial<TlsServerConfig>,
  client: Partial<TlsClientConfig>,
  target: TlsTarget = { serverName: "one.test" },
): Result {
  using listening = createTlsServer({ certificates: [one], ...server });
  using calling = createTlsClient({ ca: [authority.pem], ...client });
  using pair = new EnginePair(listening, calling, target).run();
  // In TLS 1.3 a server's opinion of the client comes after the client's handshake.
  const { connection } = pair.server.engine;
  // While the connection lives.
  const peer = connection?.peerCertificate ?? null;
  return {
    client: told(pair.client.error),
    server: told(pair.server.error),
    connection: connection === null ? null : { ...connection, peerCertificate: peer },
  };
}

const told = (error: (Error & { code: string }) | null): string =>
  error === null ? "ok" : `${error.code} ${error.message}`;

describe("the server's certificate", () => {
  test.each([
    { serverName: "one.test" },
    { serverName: "a.many.test" },
    { serverName: "192.0.2.1" },
    { serverName: "[2001:db8::1]" },
    { serverName: "elsewhere.test", verifyName: "one.test" },
    { serverName: "", verifyName: "one.test" },
  ])("$serverName as $verifyName: is accepted", (target) => {
    expect(meet({}, {}, target)).toMatchObject({ client: "ok", server: "ok" });
  });

  test.each([
    { serverName: "two.test" },
    { serverName: "a.b.many.test" },
    { serverName: "many.test" },
    { serverName: "192.0.2.2" },
    { serverName: "one.test", verifyName: "two.test" },
  ])("$serverName as $verifyName: is refused, and the server hears of it", (target) => {
    const { client, server } = meet({}, {}, target);
    expect(client).toMatch(/^TLS_CERTIFICATE the server's certificate is not accepted: .*mismatch/);
    expect(server).toMatch(/^TLS_HANDSHAKE .*bad certificate \(alert 42\)/);
  });

  test("an unknown authority, or none: is refused", () => {
    expect(meet({}, { ca: [stranger.pem] }).client).toMatch(/unable to get local issuer/);
    expect(meet({}, { ca: [] }).client).toMatch(/unable to get local issuer/);
  });

  test("verification turned off: everything passes, without a name, too", () => {
    const open = { ca: [], verify: "none" } as const;
    expect(meet({}, open, { serverName: "two.test" }).client).toBe("ok");
    expect(meet({}, open, { serverName: "" }).client).toBe("ok");
    expect(() => meet({}, {}, { serverName: "" })).toThrow("a name is needed to verify");
  });

  test("a session of one name: is not resumed for another", () => {
    using server = createTlsServer({ certificates: [one] });
    using client = createTlsClient({ ca: [authority.pem] });
    const resumed = (target: TlsTarget): boolean | undefined => {
      using pair = new EnginePair(server, client, target).run();
      return pair.client.engine.connection?.resumed;
    };
    expect(resumed({ serverName: "one.test" })).toBe(false);
    expect(resumed({ serverName: "one.test" })).toBe(true);
    expect(resumed({ serverName: "one.test", verifyName: "a.many.test" })).toBe(false);
    expect(resumed({ serverName: "one.test", verifyName: "two.test" })).toBeUndefined();
    expect(resumed({ serverName: "one.test", sessionKey: "elsewhere" })).toBe(false);
  });
});

describe.each(["TLSv1.2", "TLSv1.3"] as const)("a client's certificate, %s", (maxVersion) => {
  const asks = (mode: "optional" | "required"): Partial<TlsServerConfig> => ({
    maxVersion,
    clientAuthentication: { mode, ca: authority.pem },
  });

  test("shown: is verified and its facts are known, on a resumed connection, too", () => {
    const certificate = authority.issue({ names: ["client.test"], commonName: "client 7" });
    using server = createTlsServer({ certificates: [one], ...asks("required") });
    using client = createTlsClient({ ca: [authority.pem], certificate });
    for (const resumed of [false, true]) {
      using pair = new EnginePair(server, client, { serverName: "one.test" }).run();
      expect(pair.server.error).toBeNull();
      expect(pair.server.engine.connection?.resumed).toBe(resumed);
      const peer = pair.server.engine.connection?.peerCertificate;
      expect(peer?.subject).toBe("O=Test, CN=client 7");
      expect(peer?.issuer).toBe("CN=Test Authority");
      expect(peer?.dnsNames).toEqual(["client.test"]);
      expect(peer?.fingerprint).toMatch(/^[0-9a-f]{64}$/);
      expect(peer?.serial).toMatch(/^[0-9a-f]{30,40}$/);
      expect(peer!.validTo - peer!.validFrom).toBe(30 * 86_400_000);
    }
  });

  test("missing: passes where it is optional, ends the handshake where it is required", () => {
    const optional = meet(asks("optional"), {});
    expect(optional).toMatchObject({ client: "ok", server: "ok" });
    expect(optional.connection?.peerCertificate).toBeNull();
    const required = meet(asks("required"), {});
    expect(required.server).toBe("TLS_CERTIFICATE the client has sent no certificate");
    expect(required.client).toMatch(/^TLS_HANDSHAKE .*\(alert (40|116)\)/);
  });

  test("of a stranger: ends the handshake even where it is optional", () => {
    const certificate = stranger.issue({ commonName: "mallory" });
    for (const mode of ["optional", "required"] as const) {
      const { client, server } = meet(asks(mode), { certificate });
      expect(server).toMatch(/^TLS_CERTIFICATE the client's certificate is not accepted: unable/);
      expect(client).toMatch(/^TLS_HANDSHAKE .*unknown ca \(alert 48\)/);
    }
  });

  test("not asked for: is not sent", () => {
    const certificate = authority.issue({ commonName: "client 7" });
    const { connection } = meet({ maxVersion }, { certificate });
    expect(connection?.peerCertificate).toBeNull();
  });
});
