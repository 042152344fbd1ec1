import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { Agent, request } from "node:https";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { TestAuthority } from "../../src/tls/testing/authority.ts";
import { haveTools } from "../support/tools.ts";
import {
  ask,
  listening,
  portOf,
  runMillrace,
  startMillrace,
  TemporaryFolder,
  until,
} from "./millrace.ts";
import { curl, sClient, tlsPortOf } from "./tls-support.ts";

let authority: TestAuthority;
let folder: TemporaryFolder;
let origin: number;
const server = createServer((request, response) => {
  response.end(`${request.headers["x-forwarded-proto"]} ${request.url}`);
});

/** Issues a pair and writes it as NAME.pem and NAME.key. */
function issue(name: string, names: readonly string[] = [`${name}.test`]): void {
  const pair = authority.issue({ names });
  folder.write(`${name}.pem`, pair.certificate);
  folder.write(`${name}.key`, pair.key);
}

const path = (name: string): string => join(folder.path, name);

beforeAll(async () => {
  authority = new TestAuthority();
  folder = new TemporaryFolder();
  folder.write("ca.pem", authority.pem);
  issue("a", ["a.test", "127.0.0.1"]);
  issue("b", ["*.b.test"]);
  issue("client");
  origin = await listening(server);
});
afterAll(() => {
  server.close();
  folder[Symbol.dispose]();
  authority[Symbol.dispose]();
});

const yaml = (tls: string, more = ""): string => `admin: "127.0.0.1:0"
workers: 2
log: { access: off }
listeners:
  - name: front
    listen: https://127.0.0.1:0
    tls:
${tls.replace(/^/gm, "      ")}
    routes: [{ upstream: app }]
upstreams: { app: { endpoints: ["127.0.0.1:${origin}"] } }
${more}`;

const pairOf = (name: string): string => `{ cert: ${name}.pem, key: ${name}.key }`;

/** A status of a request by a client that verifies, on a connection of its own unless the agent keeps one. */
const status = (port: number, agent?: Agent): Promise<number> =>
  new Promise((resolve, reject) => {
    const options = { port, host: "127.0.0.1", ca: authority.pem, agent: agent ?? false } as const;
    const sent = request(options, (response) => {
      response.resume();
      response.on("end", () => resolve(response.statusCode!));
      response.on("error", reject);
    });
    sent.on("error", reject);
    sent.end();
  });

const available = haveTools("curl", "openssl");

describe.each(available ? (["epoll", "node"] as const) : [])("https (driver %s)", (driver) => {
  /** Starts with a configuration of this name in the folder. */
  const start = (name: string, tls: string) =>
    startMillrace("proxy", folder.write(name, yaml(tls)), "--driver", driver);

  test("a self-signed certificate by flags: HTTP/2, 1.1 and TLS 1.2 by curl; plain HTTP is told so", async () => {
    using own = new TemporaryFolder();
    const made = await runMillrace("cert", "self-signed", "127.0.0.1", "--out", own.path);
    expect(made.code, made.stderr).toBe(0);
    const pair = ["cert", "key"].flatMap((kind) => [
      `--${kind}`,
      join(own.path, `127.0.0.1.${kind === "cert" ? "pem" : "key"}`),
    ]);
    const to = `127.0.0.1:${origin}`;
    const args = ["--listen", "https://127.0.0.1:0", ...pair, "--to", to, "--admin", "off"];
    await using millrace = await startMillrace("proxy", ...args, "--driver", driver);
    const port = tlsPortOf(millrace);
    const trust = ["--cacert", join(own.path, "127.0.0.1.pem"), "-w", " %{http_version}"];
    const url = `https://127.0.0.1:${port}/x`;
    expect((await curl(...trust, url)).stdout).toBe("https /x 2");
    expect((await curl(...trust, "--http1.1", url)).stdout).toBe("https /x 1.1");
    expect((await curl(...trust, "--tls-max", "1.2", url)).stdout).toBe("https /x 2");
    expect((await curl(url)).stderr).toMatch(/certificate/);
    const plain = await ask({ port });
    expect([plain.status, plain.body]).toEqual([400, expect.stringContaining("use https://")]);
  });

  test("certificates by SNI, a staple for those who ask, sessions resumed by either worker", async () => {
    writeFileSync(path("a.ocsp"), Buffer.from("30030a0101", "hex"));
    await using millrace = await start(
      "sni.yaml",
      `certificates:
  - { cert: a.pem, key: a.key, staple: a.ocsp }
  - ${pairOf("b")}`,
    );
    const port = tlsPortOf(millrace);
    expect((await sClient(port, "-servername", "x.b.test")).stdout).toMatch(
      /subject=.*CN ?= ?\*\.b\.test/,
    );
    expect((await sClient(port, "-servername", "other.test")).stdout).toMatch(/CN ?= ?a\.test/);
    const asked = await sClient(port, "-servername", "a.test", "-status");
    expect(asked.stdout).toMatch(/OCSP Response Status: malformedrequest/);
    const none = await sClient(port, "-servername", "x.b.test", "-status");
    expect(none.stdout).toContain("OCSP response: no response sent");
    for (const version of ["-tls1_3", "-tls1_2"]) {
      const session = path(`session${version}`);
      const named = ["-servername", "a.test", version];
      await sClient(port, ...named, "-sess_out", session);
      // The kernel spreads connections over both workers.
      const again = await Promise.all(
        Array.from({ length: 6 }, () => sClient(port, ...named, "-sess_in", session)),
      );
      const resumed = again.filter(({ stdout }) => stdout.includes("Reused, TLSv1"));
      expect(resumed, version).toHaveLength(6);
    }
  });

  test("certificates of clients: asked for, required, shown to hooks", async () => {
    const program = folder.write(
      "clients.ts",
      `export default {
  workers: 1, admin: "off", log: { access: "off" },
  listeners: [{
    listen: "https://127.0.0.1:0",
    tls: { certificates: [{ cert: "a.pem", key: "a.key" }], clientCertificates: { mode: "optional", ca: "ca.pem" } },
  }],
  requestFilter(session) {
    const { version, serverName, alpn, peerCertificate } = session.client.tls;
    const who = peerCertificate === null ? "nobody" : peerCertificate.dnsNames.join();
    return session.respond(200, null, [version, serverName, alpn, who].join(" "));
  },
  upstreamPeer: () => "none",
};\n`,
    );
    const own = ["--cert", path("client.pem"), "--key", path("client.key")];
    const named = (port: number): string[] => [
      ...["--cacert", path("ca.pem"), "--resolve", `a.test:${port}:127.0.0.1`],
      `https://a.test:${port}/`,
    ];
    {
      await using millrace = await startMillrace("proxy", program, "--driver", driver);
      const port = tlsPortOf(millrace);
      expect((await curl(...named(port))).stdout).toBe("TLSv1.3 a.test h2 nobody");
      expect((await curl(...own, ...named(port))).stdout).toBe("TLSv1.3 a.test h2 client.test");
    }
    await using millrace = await start(
      "required.yaml",
      `certificates: [${pairOf("a")}]\nclientCertificates: { ca: ca.pem }`,
    );
    const port = tlsPortOf(millrace);
    expect((await curl(...own, ...named(port))).stdout).toBe("https /");
    expect((await curl(...named(port))).code).not.toBe(0);
    const admin = portOf(millrace, "admin");
    const metrics = async (): Promise<string> =>
      (await ask({ port: admin, path: "/metrics" })).body;
    expect(await metrics()).toMatch(
      /millrace_tls_handshake_failures_total\{listener="front",reason="client-certificate"\} 1/,
    );
    expect(await metrics()).toMatch(
      /millrace_tls_handshakes_total\{listener="front",version="TLSv1.3",resumed="no"\} 1/,
    );
    const days =
      /millrace_tls_certificate_expires_seconds\{listener="front",file="[^"]*a\.pem"\} (\d+)/;
    expect(Number(days.exec(await metrics())![1]) / 86_400).toBeCloseTo(30, 0);
  });

  test("a new pair under load: shown without a failed request; a wrong one is refused, the old one kept", async () => {
    issue("r", ["old.test", "127.0.0.1"]);
    await using millrace = await start("reload.yaml", `certificates: [${pairOf("r")}]`);
    const port = tlsPortOf(millrace);
    const shown = async (): Promise<string> =>
      /CN ?= ?(\w+)\.test/.exec((await sClient(port)).stdout)?.[1] ?? "none";
    expect(await shown()).toBe("old");
    let going = true;
    let served = 0;
    const load = async (agent?: Agent): Promise<void> => {
      while (going) {
        expect(await status(port, agent)).toBe(200);
        served++;
      }
    };
    const kept = new Agent({ keepAlive: true, maxSockets: 1, ca: authority.pem });
    const loads = [load(kept), load(), load()];
    // The key comes a moment after its certificate: between the two nothing fits.
    const fresh = authority.issue({ names: ["new.test", "127.0.0.1"] });
    folder.write("r.pem", fresh.certificate);
    await until("the half pair is refused", () =>
      /r\.key does not belong to .*keeps the certificates that it had/.test(millrace.stderr),
    );
    expect(await shown()).toBe("old");
    folder.write("r.key", fresh.key);
    await until("the new pair is shown", async () => (await shown()) === "new");
    folder.write("r.pem", "nonsense");
    millrace.signal("SIGHUP");
    await until("nonsense is refused", () => /r\.pem holds no certificate/.test(millrace.stderr));
    expect(await shown()).toBe("new");
    going = false;
    await Promise.all(loads);
    kept.destroy();
    expect(served).toBeGreaterThan(20);
  });
});

test("a pair that does not fit: checked or run, exits 2 with both files, and binds nothing", async () => {
  const wrong = "certificates: [{ cert: a.pem, key: b.key }]";
  const file = folder.write("wrong.yaml", yaml(wrong));
  for (const command of ["check", "proxy"]) {
    const { code, stderr } = await runMillrace(command, file);
    expect([code, stderr]).toEqual([
      2,
      expect.stringMatching(/b\.key does not belong to the certificate .*a\.pem \(.*CN=a\.test/),
    ]);
  }
});
