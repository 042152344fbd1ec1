import fc from "fast-check";
import { expect, test } from "vitest";
import { SeededRng } from "../core/random.ts";
import { AccessLog, type AccessRecord, maskQuery } from "./access-log.ts";

const record: AccessRecord = {
  listener: "web",
  route: "api",
  client: "127.0.0.1:5000",
  protocol: "HTTP/1.1",
  method: "GET",
  host: "example.com",
  target: "/a?b=1",
  status: 200,
  requestBytes: 80,
  responseBytes: 120,
  connect: 250,
  firstByte: 1_500,
  total: 2_000,
  upstream: "app",
  endpoint: "127.0.0.1:9000",
  attempts: 1,
  reused: false,
  error: null,
};

function logTo(lines: string[], sample = 1): AccessLog {
  return new AccessLog({
    sample,
    rng: new SeededRng(7),
    timeOfDay: () => "2026-01-02T03:04:05.678Z",
    write: (line) => lines.push(line),
  });
}

test("a request, written, is one JSON line with times in milliseconds", () => {
  const lines: string[] = [];
  logTo(lines).write(record);
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\{"type":"access","time":"2026-01-02T03:04:05.678Z",.*\}\n$/);
  expect(JSON.parse(lines[0]!)).toEqual({
    type: "access",
    time: "2026-01-02T03:04:05.678Z",
    listener: "web",
    route: "api",
    client: "127.0.0.1:5000",
    protocol: "HTTP/1.1",
    method: "GET",
    host: "example.com",
    target: "/a?b=1",
    status: 200,
    bytes_in: 80,
    bytes_out: 120,
    connect_ms: 0.25,
    first_byte_ms: 1.5,
    total_ms: 2,
    upstream: "app",
    endpoint: "127.0.0.1:9000",
    attempts: 1,
    reused: false,
    error: null,
  });
});

test("any target and host, written, stay one line that parses back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (target, host) => {
      const lines: string[] = [];
      logTo(lines).write({ ...record, target: `/${target}`.replaceAll("?", ""), host });
      expect(lines[0]!.indexOf("\n")).toBe(lines[0]!.length - 1);
      const back = JSON.parse(lines[0]!) as { target: string; host: string };
      expect(back.host).toBe(host.toWellFormed());
      expect(back.target).toBe(`/${target}`.replaceAll("?", "").toWellFormed());
    }),
    { seed: 20_252 },
  );
});

test("a sample of a quarter, drawn, keeps about a quarter", () => {
  const log = logTo([], 0.25);
  let kept = 0;
  for (let i = 0; i < 4_000; i++) if (log.sampled()) kept++;
  expect(kept).toBeGreaterThan(900);
  expect(kept).toBeLessThan(1_100);
});

test.each([
  ["/a", "/a"],
  ["/a?b=1&c", "/a?b=1&c"],
  ["/a?access_token=x&b=1", "/a?access_token=***&b=1"],
  ["/a?b=1&API-Key=x=y", "/a?b=1&API-Key=***"],
  ["/a?password=&x", "/a?password=***&x"],
  ["/a?monkey=1&keyboard=2", "/a?monkey=1&keyboard=2"],
  ["/a?sig=abc", "/a?sig=***"],
])("target %s, masked, is %s", (target, masked) => {
  expect(maskQuery(target)).toBe(masked);
});
