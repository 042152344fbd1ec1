import { expect, test } from "vitest";
import { parseH2load } from "../../bench/h2/h2load.ts";
import { compared, type Turn } from "../../bench/h2/results.ts";
import { againstPeers, ratiosOfTurns } from "../../bench/harness/figures.ts";

const report = `starting benchmark...
finished in 3.01s, 22069.33 req/s, 2.71MB/s
requests: 66428 total, 66728 started, 66208 done, 66208 succeeded, 0 failed, 0 errored, 0 timeout
status codes: 66228 2xx, 0 3xx, 0 4xx, 0 5xx
traffic: 8.13MB (8524301) total, 1.20MB (1258370) headers (space savings 80.80%), 6.31MB (6621800) data
                     min         max         mean         sd        +/- sd
time for request:     1.21ms     40.71ms     14.26ms      3.11ms    81.39%
time for connect:       54us       180us       110us        40us    60.00%
`;

test("h2load: clean report, figures come in one unit each", () => {
  expect(parseH2load(report)).toEqual({
    requests: 66_208,
    seconds: 3.01,
    bytes: 8_524_301,
    errors: 0,
    meanTime: 14_260,
  });
});

test("h2load: failures and bad statuses, are added up", () => {
  const failing = report.replace("0 failed", "7 failed").replace("0 4xx, 0 5xx", "20 4xx, 300 5xx");
  expect(parseH2load(failing).errors).toBe(327);
});

test("h2load: something else printed, it throws", () => {
  expect(() => parseH2load("could not connect")).toThrow("not h2load's report");
});

test("ratios: each round, is compared with itself", () => {
  const turn = (requestsPerSecond: number, cpu: number): Turn => ({
    requestsPerSecond,
    cpu,
    busy: 1,
    meanTime: 1,
    megabytesPerSecond: 1,
  });
  const results = {
    millrace: [turn(200, 5), turn(20, 50)],
    nginx: [turn(100, 10), turn(10, 100)],
  };
  const ratios = againstPeers(results, (ours, theirs) => ratiosOfTurns(ours, theirs, compared));
  expect(ratios.nginx?.requestsPerSecond).toEqual({ median: 2, min: 2, max: 2 });
  expect(ratios.nginx?.cpu?.median).toBe(0.5);
  expect(ratios.millrace).toBeUndefined();
});
