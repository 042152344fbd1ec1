import { readdirSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";
import { connect, type DetailedPeerCertificate } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestAuthority } from "../../src/tls/testing/authority.ts";
import { ask, listening, portOf, startMillrace, TemporaryFolder, until } from "../cli/millrace.ts";
import { freePort } from "../support/ports.ts";
import type { RunningProcess } from "../support/processes.ts";
import { haveTools } from "../support/tools.ts";
import { Pebble } from "./pebble.ts";

/** Whom a client meets by that name: the certificate, or the code of what went wrong. */
function meet(
  port: number,
  servername: string,
  ca?: string,
): Promise<DetailedPeerCertificate | string> {
  return new Promise((resolve) => {
    const trust = ca === undefined ? { rejectUnauthorized: false } : { ca };
    const socket = connect({ host: "127.0.0.1", port, servername, ...trust }, () => {
      const certificate = socket.getPeerCertificate(true);
      socket.destroy();
      resolve(certificate);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
  });
}

async function serialOf(port: number, name: string): Promise<string> {
  const met = await meet(port, name);
  return typeof met === "string" ? met : met.serialNumber;
}

describe.skipIf(!haveTools("pebble", "openssl"))("millrace proxy with acme", () => {
  const origin = createServer((_, response) => response.end("origin"));
  let folder: TemporaryFolder;
  let originPort: number;
  let httpPort: number;
  let tlsPort: number;

  beforeAll(async () => {
    originPort = await listening(origin);
  });
  afterAll(() => {
    origin.close();
  });

  const start = (
    authority: Pick<Pebble, "directory" | "ca">,
    name: string,
    acme: string,
  ): Promise<RunningProcess> =>
    startMillrace(
      "proxy",
      folder.write(
        `${name}.yaml`,
        `admin: "127.0.0.1:0"
workers: 2
log: { access: off }
listeners:
  - name: front
    listen: ["https://127.0.0.1:${tlsPort}", "http://127.0.0.1:${httpPort}"]
    tls:
      acme:
        directory: ${authority.directory}
        ca: ${authority.ca}
        email: someone@one.test
        agreeToTerms: true
        ${acme.trim().replace(/\n\s*/g, "\n        ")}
    routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["127.0.0.1:${originPort}"] } }
`,
      ),
    );

  beforeAll(async () => {
    folder = new TemporaryFolder();
    httpPort = await freePort();
    tlsPort = await freePort();
  });
  afterAll(() => folder[Symbol.dispose]());

  test("the authority is away at the start; it comes, all names get certificates; a restart keeps them", async () => {
    const ports = await Pebble.ports();
    const acme = "storage: kept\nnames: [one.test, [two.test, www.two.test]]";
    using someone = new TestAuthority();
    const away = {
      directory: `https://127.0.0.1:${ports.directory}/dir`,
      ca: folder.write("someone.pem", someone.pem),
    };
    let serial = "";
    {
      await using proxy = await start(away, "one", acme);
      expect(await meet(tlsPort, "one.test")).toMatch(/UNRECOGNIZED_NAME/);
      expect((await ask({ port: httpPort })).body).toBe("origin");
      await until("its failure is told", () => /cannot reach/.test(proxy.stderr));
      expect(proxy.stderr).toMatch(
        /error: ACME: no certificate for one\.test: cannot reach 127\.0\.0\.1:\d+: connection refused; next attempt in \d s/,
      );
      const metrics = await ask({ port: portOf(proxy, "admin"), path: "/metrics" });
      expect(metrics.body).toMatch(
        /millrace_acme_failures_in_a_row\{certificate="one\.test"\} [1-9]/,
      );
      await proxy.stop();
    }
    await using pebble = await Pebble.start({ ports, httpPort, tlsPort });
    {
      await using proxy = await start(pebble, "one", acme);
      await until("issued", () => proxy.stderr.match(/ACME: certificate for/g)?.length === 2);
      const root = await pebble.root();
      for (const name of ["one.test", "two.test", "www.two.test"]) {
        // Either worker may be met.
        for (let i = 0; i < 6; i++) {
          expect(await meet(tlsPort, name, root)).toMatchObject({
            subjectaltname: expect.stringContaining(`DNS:${name}`),
          });
        }
      }
      serial = await serialOf(tlsPort, "one.test");
      const metrics = await ask({ port: portOf(proxy, "admin"), path: "/metrics" });
      expect(metrics.body).toContain('millrace_acme_orders_total{result="issued"} 2');
      expect(metrics.body).toMatch(/certificate_expires_seconds\{.*one\.test\.pem"\} \d{6}/);
      expect(metrics.body).toMatch(
        /next_order_timestamp_seconds\{certificate="one\.test"\} 1\d{9}/,
      );
      const stored = join(folder.path, "kept", readdirSync(join(folder.path, "kept"))[0]!);
      expect(statSync(stored).mode & 0o777).toBe(0o700);
      for (const file of readdirSync(stored)) {
        expect(statSync(join(stored, file)).mode & 0o777, file).toBe(0o600);
      }
      await proxy.stop();
    }
    await using proxy = await start(pebble, "one", acme);
    expect(await serialOf(tlsPort, "one.test")).toBe(serial);
    expect(proxy.stderr).not.toContain("ACME");
  }, 30_000);

  test("http-01 at the plain listener; certificates of short life are renewed while it serves", async () => {
    await using pebble = await Pebble.start({ httpPort, tlsPort, validity: 7 });
    const acme = "storage: short\nchallenge: http-01\nnames: [short.test]\nrenewBefore: 1h";
    await using proxy = await start(pebble, "short", acme);
    await until("issued", () => /ACME: certificate for short\.test/.test(proxy.stderr));
    const first = await serialOf(tlsPort, "short.test");
    expect(first).toMatch(/^[0-9A-F]{10,}$/);
    await until("renewed", async () => (await serialOf(tlsPort, "short.test")) !== first);
    expect(await serialOf(tlsPort, "short.test")).toMatch(/^[0-9A-F]{10,}$/);
    expect(proxy.stderr).not.toContain("error:");
  }, 30_000);
});
