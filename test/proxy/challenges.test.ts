import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createTlsServer, type TlsServer } from "../../src/tls/server.ts";
import { TestAuthority } from "../../src/tls/testing/authority.ts";
import { haveTools } from "../support/tools.ts";
import { ok, ScriptedOrigin } from "./origin.ts";
import { drivers, startProxy } from "./support.ts";

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: one.test\r\n\r\n`;

describe.each(drivers)("tokens of ACME (%s)", (driver) => {
  test("a token that is known is answered before routes and hooks; all else goes on as ever", async () => {
    await using origin = await ScriptedOrigin.start(() => ok("origin"));
    let asked = 0;
    const program = {
      requestFilter: () => {
        asked++;
      },
    };
    await using proxy = await startProxy({ driver, to: [origin.port], program });
    await using client = await proxy.client();
    const ask = async (text: string): Promise<string> => {
      await client.send(text);
      const { status, body } = await client.response();
      return `${status} ${body}`;
    };
    const place = "/.well-known/acme-challenge/";
    expect(await ask(get(`${place}known`))).toBe("200 origin");
    proxy.server.challenges.tokens = new Map([["known", "known.thumbprint"]]);
    expect(await ask(get(`${place}known`))).toBe("200 known.thumbprint");
    expect(await ask(get(`${place}unknown`))).toBe("200 origin");
    expect(await ask(get(`/x${place}known`))).toBe("200 origin");
    expect(await ask(get("/"))).toBe("200 origin");
    expect(asked).toBe(4);
    proxy.server.challenges.tokens = null;
    expect(await ask(get(`${place}known`))).toBe("200 origin");
  });
});

describe.skipIf(!haveTools("openssl"))("acme-tls/1", () => {
  let authority: TestAuthority;
  let ordinary: TlsServer;
  let validating: TlsServer;

  beforeAll(() => {
    authority = new TestAuthority();
    const alpn = ["http/1.1"];
    const certificates = [authority.issue({ names: ["one.test"], commonName: "ordinary" })];
    ordinary = createTlsServer({ certificates, alpn });
    validating = createTlsServer({
      certificates: [authority.issue({ names: ["one.test"], commonName: "validating" })],
      alpn: ["acme-tls/1"],
      unknownName: "reject",
    });
  });
  afterAll(() => {
    ordinary.close();
    validating.close();
    authority[Symbol.dispose]();
  });

  /** Whom a client meets, and how it ends. */
  const meet = (
    port: number,
    ALPNProtocols: string[],
    maxVersion: "TLSv1.2" | "TLSv1.3" = "TLSv1.3",
    servername = "one.test",
  ): Promise<string> =>
    new Promise((resolve) => {
      const options = { port, servername, ALPNProtocols, maxVersion, rejectUnauthorized: false };
      const socket = connect({ host: "127.0.0.1", ...options }, () => {
        const { CN } = socket.getPeerCertificate().subject;
        const met = `${CN} ${socket.alpnProtocol}`;
        if (socket.alpnProtocol === "http/1.1") {
          socket.destroy();
          resolve(met);
        }
        socket.on("end", () => resolve(`${met} end`));
      });
      socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    });

  describe.each(drivers)("%s", (driver) => {
    test("while it is asked for: the certificate is shown and the connection closed", async () => {
      await using origin = await ScriptedOrigin.start(() => ok("origin"));
      await using proxy = await startProxy({
        driver,
        to: [origin.port],
        tls: { server: ordinary },
      });
      const { port, server } = proxy;
      const refused = "ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL";
      expect(await meet(port, ["acme-tls/1"])).toBe(refused);
      server.challenges.tlsServer = validating;
      server.challenges.tlsNames = new Set(["one.test"]);
      expect(await meet(port, ["acme-tls/1"])).toBe("validating acme-tls/1 end");
      expect(await meet(port, ["acme-tls/1"], "TLSv1.2")).toBe("validating acme-tls/1 end");
      expect(await meet(port, ["http/1.1"])).toBe("ordinary http/1.1");
      expect(await meet(port, ["acme-tls/1", "http/1.1"])).toBe("ordinary http/1.1");
      expect(await meet(port, ["acme-tls/1"], "TLSv1.3", "other.test")).toBe(refused);
      server.challenges.tlsServer = null;
      expect(await meet(port, ["acme-tls/1"])).toBe(refused);
      await expect.poll(() => server.connections).toBe(0);
    });
  });
});
