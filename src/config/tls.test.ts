import { describe, expect, test } from "vitest";
import { configFromFlags, type ProxyFlags } from "./flags.ts";
import { formatProblems } from "./problem.ts";
import { inListener, inUpstream, load, minimal, problems } from "./testing/files.ts";

const pair = "certificates: [{ cert: a.pem, key: a.key }]";
const listening = (listen: string): string =>
  minimal.replace("listen: 127.0.0.1:8080", `listen: ${listen}`);
const secured = (listen: string): string =>
  listening(listen).replace("    routes:", `    tls: { ${pair} }\n    routes:`);
const told = (text: string): string => formatProblems(problems(text));

describe("listeners", () => {
  test("tls: defaults, and a path as it was written", () => {
    const { config } = load(inListener(`tls: { ${pair} }`));
    expect(config.listeners).toHaveLength(1);
    expect(config.listeners[0]!.settings.tls).toMatchObject({
      certificates: [{ cert: "a.pem", key: "a.key", names: null, staple: null }],
      policy: "intermediate",
      minVersion: null,
      clientCertificates: null,
      unknownName: "default",
      tickets: { count: 2, lifetime: 7_200_000_000, rotateEvery: 3_600_000_000 },
      handshakeTimeout: 10_000_000,
      passthrough: [],
    });
  });

  test("addresses with and without schemes: TLS where it is said, and by default where there is tls", () => {
    const { config } = load(
      secured(
        '["http://127.0.0.1:80", "https://127.0.0.1:443/", "[::1]:444", "https://unix:/run/a"]',
      ),
    );
    const shown = config.listeners.map(({ settings, addresses }) => [
      settings.name,
      settings.tls !== null,
      addresses.length,
    ]);
    expect(shown).toEqual([
      ["127.0.0.1:80", false, 1],
      ["127.0.0.1:80", true, 3],
    ]);
  });

  test("passthrough alone: no certificate is needed", () => {
    const tls = "tls: { passthrough: [{ names: [db.test], upstream: app }] }";
    expect(load(inListener(tls)).config.listeners[0]!.settings.tls!.certificates).toEqual([]);
  });

  test.each([
    [listening("https://127.0.0.1:443"), /found "https:.*" without a certificate, expected `tls`/],
    [listening('["127.0.0.1:80", "https://127.0.0.1:443"]'), /listeners\[0\]\.listen\[1\]/],
    [secured("http://127.0.0.1:80"), /warning: .*every address begins with http:\/\//],
    [secured('["127.0.0.1:443", "https://127.0.0.1:443"]'), /taken by listeners\[0\]/],
    [inListener("tls: { certificates: [] }"), /at least one \{ cert: FILE, key: FILE \}/],
    [
      inListener("tls: { certificates: [{ cert: a.pem }] }"),
      /certificates\[0\]\.key: found nothing/,
    ],
    [inListener(`tls: { ${pair}, minVersion: "1.1" }`), /found "1\.1", expected "1\.2" or "1\.3"/],
    [inListener(`tls: { ${pair}, polcy: modern }`), /Did you mean "policy"/],
    [
      inListener(`tls: { ${pair}, passthrough: [{ names: [db.test], upstream: ap }] }`),
      /passthrough\[0\]\.upstream: found "ap", .*Did you mean "app"/,
    ],
    [
      inListener(`tls: { ${pair}, passthrough: [{ names: ["*"], upstream: app }] }`),
      /found "\*", expected a host name such as/,
    ],
  ])("%#: a mistake is pointed at", (text, expected) => expect(told(text)).toMatch(expected));
});

describe("upstreams", () => {
  const endpoints = (list: string, more = ""): string =>
    minimal.replace('endpoints: ["127.0.0.1:9000"]', `endpoints: [${list}]${more}`);

  test("https:// endpoints: TLS with defaults, on 443 where no port is given", () => {
    const [upstream] = load(endpoints('"https://app.test", "https://[::1]", "10.0.0.1:80"')).config
      .upstreams;
    expect(upstream!.tls).toMatchObject({ verify: true, ca: null, serverName: null });
    expect(upstream!.endpoints).toEqual([
      { target: { kind: "name", host: "app.test", port: 443 }, weight: 1, tls: true },
      { target: { kind: "ip", ip: "::1", port: 443 }, weight: 1, tls: true },
      { target: { kind: "ip", ip: "10.0.0.1", port: 80 }, weight: 1 },
    ]);
  });

  test("tls: for endpoints without a scheme, not for http://", () => {
    const text = endpoints(
      '"a.test:1", "http://b.test"',
      ", tls: { verify: off, serverName: x.test }",
    );
    const [upstream] = load(text).config.upstreams;
    expect(upstream!.tls).toMatchObject({ verify: false, serverName: "x.test" });
    expect(upstream!.endpoints.map(({ tls = false }) => tls)).toEqual([true, false]);
  });

  test("none of both: no TLS", () => {
    expect(load(inUpstream("host: preserve")).config.upstreams[0]!.tls).toBeNull();
  });
});

describe("flags", () => {
  const text = (flags: Partial<ProxyFlags>): string => {
    const result = configFromFlags({ listen: [], to: ["127.0.0.1:9000"], ...flags });
    return result.ok ? "ok" : formatProblems(result.problems);
  };

  test("https:// beside an address in plain: a listener of each kind, with all pairs", () => {
    const result = configFromFlags({
      listen: ["127.0.0.1:80", "https://127.0.0.1:443"],
      to: ["https://app.test"],
      cert: ["a.pem", "b.pem"],
      key: ["a.key", "b.key"],
    });
    if (!result.ok) throw new Error(formatProblems(result.problems));
    const [plain, secure] = result.config.listeners;
    expect([plain!.settings.tls, secure!.settings.tls!.certificates.length]).toEqual([null, 2]);
    expect(result.config.upstreams[0]!.endpoints[0]!.tls).toBe(true);
  });

  test.each<[Partial<ProxyFlags>, RegExp]>([
    [{ listen: ["https://127.0.0.1:443"] }, /^--cert: found nothing.* millrace cert self-signed/],
    [{ listen: ["https://127.0.0.1:443"], cert: ["a"] }, /^--key: found nothing/],
    [{ listen: ["https://127.0.0.1:443"], key: ["a"] }, /^--cert: found nothing/],
    [{ listen: ["127.0.0.1:443"], cert: ["a"], key: ["a"] }, /^--cert: .*Write --listen https:/],
  ])("%j: a problem that says what is missing", (flags, expected) => {
    expect(text(flags).replaceAll("`", "")).toMatch(expected);
  });
});
