import { describe, expect, test } from "vitest";
import { configFromFlags } from "./flags.ts";
import { formatProblems } from "./problem.ts";
import { load, minimal, problems } from "./testing/files.ts";

const withEndpoints = (endpoints: string, more = ""): string =>
  minimal.replace('["127.0.0.1:9000"]', `${endpoints}${more}`);

describe("the protocol of an upstream", () => {
  test.each([
    ["10.0.0.1:81", "", "auto"],
    ["h2c://10.0.0.1:81, h2c://app", "", "http2"],
    ["10.0.0.1:81", ", protocol: http2", "http2"],
    ["https://app.internal", ", protocol: http1", "http1"],
  ])("endpoints [%s]%s: %s", (endpoints, more, protocol) => {
    const [upstream] = load(withEndpoints(`[${endpoints}]`, more)).config.upstreams;
    expect(upstream).toMatchObject({ protocol });
  });

  test("h2c:// without a port: 80, in plain", () => {
    const [upstream] = load(withEndpoints("[h2c://app]")).config.upstreams;
    expect(upstream!.endpoints).toEqual([
      { target: { kind: "name", host: "app", port: 80 }, weight: 1 },
    ]);
    expect(upstream!.tls).toBeNull();
  });

  test.each([
    ["h2c://a:1, b:1", "", /"b:1" beside an endpoint at h2c:\/\/.*for all endpoints/],
    ["h2c://a:1, https://b:1", "", /"https:\/\/b:1" beside an endpoint at h2c/],
    ["h2c://a:1", ", protocol: http1", /http1 beside an endpoint at h2c.*expected http2/],
    ["a:1", ", protocol: h3", /expected auto, http1 or http2/],
  ])("endpoints [%s]%s: a problem", (endpoints, more, message) => {
    expect(formatProblems(problems(withEndpoints(`[${endpoints}]`, more)))).toMatch(message);
  });

  test("--to h2c://HOST:PORT: HTTP/2 by prior knowledge", () => {
    const result = configFromFlags({ listen: [], to: ["h2c://127.0.0.1:9000"] });
    expect(result).toMatchObject({ ok: true, config: { upstreams: [{ protocol: "http2" }] } });
  });
});
