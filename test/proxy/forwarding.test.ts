import { describe, expect, test } from "vitest";
import type { ForwardingPolicy } from "../../src/proxy/settings.ts";
import { ok, ScriptedOrigin, type SeenRequest } from "./origin.ts";
import { type Driver, drivers, type OriginOverrides, startProxy } from "./support.ts";

interface Case {
  readonly driver: Driver;
  readonly fields?: readonly string[];
  readonly forwarding?: Partial<ForwardingPolicy>;
  readonly origin?: OriginOverrides;
  readonly version?: "1.0" | "1.1";
}

/** What the origin sees of a GET with these fields. */
async function seen({ driver, fields = [], forwarding, origin, version = "1.1" }: Case): Promise<{
  request: SeenRequest;
  port: number;
}> {
  await using server = await ScriptedOrigin.start(() => ok());
  await using proxy = await startProxy({
    driver,
    to: [server.port],
    ...(forwarding === undefined ? {} : { listener: { forwarding } }),
    ...(origin === undefined ? {} : { origin }),
  });
  await using client = await proxy.client();
  const lines = ["Host: h.example", ...fields].map((field) => `${field}\r\n`).join("");
  await client.send(`GET / HTTP/${version}\r\n${lines}\r\n`);
  expect((await client.response()).status).toBe(200);
  return { request: server.last, port: server.port };
}

describe.each(drivers)("forwarding (%s)", (driver) => {
  test("hop-by-hop fields of a request, and those that connection names, go no further", async () => {
    const { request } = await seen({
      driver,
      fields: [
        "Connection: X-Private, keep-alive",
        "x-private: 1",
        "Keep-Alive: timeout=5",
        "Proxy-Connection: keep-alive",
        "Upgrade: nothing",
        "TE: gzip",
        "HTTP2-Settings: AAA",
        "X-Public: 2",
      ],
    });
    expect(request.headers).toEqual([
      ["Host", "h.example"],
      ["X-Public", "2"],
    ]);
  });

  test("connection that names an end-to-end field of the stack, cannot strip it", async () => {
    const { request } = await seen({
      driver,
      fields: ["Connection: X-Forwarded-For, Authorization, Host", "Authorization: a"],
      forwarding: { xForwarded: "append" },
    });
    expect(request.header("authorization")).toBe("a");
    expect(request.header("host")).toBe("h.example");
    expect(request.header("x-forwarded-for")).toBe("127.0.0.1");
  });

  test("te: trailers, goes on as this hop's own", async () => {
    const { request } = await seen({ driver, fields: ["TE: trailers", "Connection: te"] });
    expect(request.header("te")).toBe("trailers");
    expect(request.all("connection")).toEqual(["TE"]);
  });

  test("hop-by-hop fields of a response, and those that connection names, stay behind", async () => {
    await using origin = await ScriptedOrigin.start(() =>
      ok("x", "Connection: X-Mine", "X-Mine: 1", "Keep-Alive: timeout=5", "X-Public: 2"),
    );
    await using proxy = await startProxy({ driver, to: [origin.port] });
    await using client = await proxy.client();
    await client.send("GET / HTTP/1.1\r\nHost: h\r\n\r\n");
    expect((await client.response()).headers).toEqual([
      ["X-Public", "2"],
      ["Content-Length", "1"],
    ]);
  });

  test("a via pseudonym, is appended with the version received", async () => {
    const forwarding = { via: "edge" };
    const first = await seen({ driver, forwarding, fields: ["Via: 1.0 fred"] });
    expect(first.request.all("via")).toEqual(["1.0 fred", "1.1 edge"]);
    const old = await seen({ driver, forwarding, version: "1.0" });
    expect(old.request.all("via")).toEqual(["1.0 edge"]);
  });

  const claims = [
    "X-Forwarded-For: 203.0.113.9",
    "x-forwarded-for: 198.51.100.1",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: claimed.example",
  ];

  test("x-forwarded append, none came: the client, the scheme and the host are told", async () => {
    const { request } = await seen({ driver, forwarding: { xForwarded: "append" } });
    expect(request.all("x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(request.all("x-forwarded-proto")).toEqual(["http"]);
    expect(request.all("x-forwarded-host")).toEqual(["h.example"]);
  });

  test("x-forwarded append, some came: the list grows, the first hop's facts stay", async () => {
    const { request } = await seen({
      driver,
      forwarding: { xForwarded: "append" },
      fields: claims,
    });
    expect(request.all("x-forwarded-for")).toEqual(["203.0.113.9, 198.51.100.1, 127.0.0.1"]);
    expect(request.all("x-forwarded-proto")).toEqual(["https"]);
    expect(request.all("x-forwarded-host")).toEqual(["claimed.example"]);
  });

  test("x-forwarded replace, some came: nothing of them is left", async () => {
    const { request } = await seen({
      driver,
      forwarding: { xForwarded: "replace" },
      fields: claims,
    });
    expect(request.all("x-forwarded-for")).toEqual(["127.0.0.1"]);
    expect(request.all("x-forwarded-proto")).toEqual(["http"]);
    expect(request.all("x-forwarded-host")).toEqual(["h.example"]);
  });

  test("x-forwarded off, some came: they pass as they are", async () => {
    const { request } = await seen({ driver, forwarding: { xForwarded: "off" }, fields: claims });
    expect(request.headers.slice(1).map((pair) => pair.join(": "))).toEqual(claims);
  });

  test("forwarded append and replace, one came: extended or replaced", async () => {
    const fields = ["Forwarded: for=203.0.113.9"];
    const own = "for=127.0.0.1;host=h.example;proto=http";
    const parts = (value: string | undefined) =>
      value?.split(", ").map((e) => e.split(";").sort().join(";"));
    const append = await seen({ driver, forwarding: { forwarded: "append" }, fields });
    expect(parts(append.request.all("forwarded")[0])).toEqual(["for=203.0.113.9", own]);
    const replace = await seen({ driver, forwarding: { forwarded: "replace" }, fields });
    expect(parts(replace.request.all("forwarded")[0])).toEqual([own]);
    expect(append.request.all("forwarded").length).toBe(1);
  });

  test("host policy preserve, endpoint or literal: the origin sees that one host", async () => {
    expect((await seen({ driver })).request.all("host")).toEqual(["h.example"]);
    const own = await seen({ driver, origin: { host: "endpoint" } });
    expect(own.request.all("host")).toEqual([`127.0.0.1:${own.port}`]);
    const literal = await seen({ driver, origin: { host: { literal: "in.example" } } });
    expect(literal.request.all("host")).toEqual(["in.example"]);
  });

  test("upgrade to h2c, is not passed on", async () => {
    const { request } = await seen({
      driver,
      fields: ["Connection: Upgrade, HTTP2-Settings", "Upgrade: h2c", "HTTP2-Settings: AAA"],
    });
    expect(request.headers).toEqual([["Host", "h.example"]]);
  });
});
