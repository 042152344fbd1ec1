import fc from "fast-check";
import { expect, test } from "vitest";
import { UsageError } from "../../bench/harness/command-line.ts";
import { cpuOfGroup, memoryOfGroup } from "../../bench/harness/process-usage.ts";
import { median, spread } from "../../bench/harness/statistics.ts";
import { parseWrk } from "../../bench/harness/wrk.ts";
import { parseOptions } from "../../bench/proxy/options.ts";
import { ratiosOf } from "../../bench/proxy/ratios.ts";
import { type LoadResult, type Turn, turnFigures } from "../../bench/proxy/results.ts";
import { startProcess } from "../support/processes.ts";

const report = `Running 4s test @ http://127.0.0.1:12000/small
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.43ms  512.00us   9.81ms   88.01%
  Latency Distribution
     50%  803.00us
     75%    1.50ms
     90%    2.01ms
     99%    3.25ms
  182301 requests in 4.10s, 44.33MB read
`;

test("wrk: clean report, figures come in one unit each", () => {
  expect(parseWrk(report)).toEqual({
    requests: 182_301,
    seconds: 4.1,
    p50: 803,
    p99: 3_250,
    bytes: 44.33 * 1_024 * 1_024,
    errors: 0,
  });
});

test("wrk: report with failures, all kinds are added up", () => {
  const failing = `${report}  Socket errors: connect 1, read 20, write 0, timeout 300
  Non-2xx or 3xx responses: 4000
`;
  expect(parseWrk(failing).errors).toBe(4_321);
});

test("wrk: something else printed, it throws", () => {
  expect(() => parseWrk("unable to connect to 127.0.0.1:1 Connection refused")).toThrow();
});

test("median: any figures, as many lie above as below", () => {
  fc.assert(
    fc.property(fc.array(fc.double({ noNaN: true }), { minLength: 1 }), (values) => {
      const middle = median(values);
      const below = values.filter((value) => value < middle).length;
      const above = values.filter((value) => value > middle).length;
      expect(below).toBeLessThanOrEqual(values.length / 2);
      expect(above).toBeLessThanOrEqual(values.length / 2);
    }),
    { seed: 20261 },
  );
});

test("ratios: a machine that slows down over the rounds, they stay put", () => {
  const ratios = ratiosOf({
    nginx: loadResult([100, 50, 25]),
    millrace: loadResult([200, 100, 50]),
  });
  expect(ratios.nginx!.requestsPerSecond).toEqual({ median: 2, min: 2, max: 2 });
});

test("ratios: millrace not in the run, there are none", () => {
  expect(ratiosOf({ nginx: loadResult([1]) })).toEqual({});
});

test("options: unknown scenario, the error names the flag and the choice", () => {
  const parse = () => parseOptions(["--only", "keepalive-65"]);
  expect(parse).toThrow(UsageError);
  expect(parse).toThrow(/--only: found "keepalive-65", expected keepalive-64, /);
});

test.runIf(process.platform === "linux")(
  "usage: a process that spins, its time and memory are counted",
  async () => {
    const spin = `const end = Date.now() + 300; while (Date.now() < end); console.log("spun"); setInterval(() => {}, 1e6)`;
    await using running = await startProcess({
      command: process.execPath,
      args: ["-e", spin],
      ready: { output: /spun/ },
    });
    const { user, system } = cpuOfGroup(running.pid);
    // However loaded the machine, starting Node takes some milliseconds of CPU.
    expect(user + system).toBeGreaterThan(5_000);
    const memory = memoryOfGroup(running.pid);
    expect(memory.processes).toBe(1);
    expect(memory.resident).toBeGreaterThan(5e6);
    // One process shares nothing with itself.
    expect(memory.resident).toBe(memory.rss);
  },
);

/** A result in which every figure of a round is the same number. */
function loadResult(rounds: readonly number[]): LoadResult {
  const turns = rounds.map(
    (value) => Object.fromEntries(turnFigures.map((name) => [name, value])) as unknown as Turn,
  );
  const figures = Object.fromEntries(turnFigures.map((name) => [name, spread(rounds)]));
  return {
    kind: "load",
    figures: figures as unknown as LoadResult["figures"],
    turns,
    errors: 0,
    memory: { rss: 1, resident: 1, processes: 1 },
    upstream: { connections: 1, requests: 1, reuse: 0 },
  };
}
