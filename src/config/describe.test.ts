import { expect, test } from "vitest";
import { describeConfig, isSecret } from "./describe.ts";
import { withDemoAddress } from "./effective.ts";
import { inRoute, load, minimal } from "./testing/files.ts";

test("described: addresses as text, units, words for what is unlimited or off", () => {
  const described = describeConfig(load(minimal).config);
  expect(described).toMatchObject({
    admin: { listen: "127.0.0.1:9901" },
    drain: { timeout: "30s" },
    listeners: [
      {
        name: "127.0.0.1:8080",
        listen: ["127.0.0.1:8080"],
        limits: { head: "32KiB", body: "unlimited", requestsPerConnection: "unlimited" },
        timeouts: { idle: "75s", tunnel: "1h" },
      },
    ],
    upstreams: {
      app: {
        endpoints: [{ address: "127.0.0.1:9000", weight: 1 }],
        timeouts: { total: "off", connect: "3s" },
        retries: { keepBody: "64KiB", failTimeout: "10s" },
      },
    },
  });
  expect(JSON.parse(JSON.stringify(described))).toEqual(described);
});

test("described: secrets in edits, answers and conditions are masked, all else is shown", () => {
  const { config } = load(
    inRoute(
      "match: { headers: { X-Api-Key: s3cret, X-Plain: shown1 }, query: { token: { in: [s3cret] } } }",
      "upstream: app",
      "requestHeaders: { set: { Authorization: s3cret, X-Plain: shown2 }, add: { Cookie: s3cret } }",
      "responseHeaders: { set: { Set-Cookie: s3cret } }",
    ),
  );
  const text = JSON.stringify(describeConfig(config));
  expect(text).not.toContain("s3cret");
  expect(text).toContain("shown1");
  expect(text).toContain("shown2");
  expect(text).toContain('"Authorization":"***"');
});

test.each(["Authorization", "Proxy-Authorization", "Cookie", "X-Auth", "x-api-key", "CSRF-Token"])(
  "%s is secret",
  (name) => expect(isSecret(name)).toBe(true),
);

test("a demo endpoint: replaced by the address of the origin, everywhere and nowhere else", () => {
  const text = minimal.replace('"127.0.0.1:9000"', 'demo, "127.0.0.1:9000", "demo:80"');
  const { config } = load(text);
  expect(config.demo).toBe(true);
  const address = { kind: "unix", path: "/run/demo.sock" } as const;
  const { endpoints } = withDemoAddress(config, address).upstreams[0]!;
  expect(endpoints.map((e) => e.target)).toMatchObject([
    address,
    { kind: "ip", port: 9000 },
    { kind: "name", host: "demo", port: 80 },
  ]);
});
