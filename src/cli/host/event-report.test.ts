import { expect, test } from "vitest";
import { parseIp } from "../../core/address.ts";
import { Report } from "../report.ts";
import { EventReport } from "./event-report.ts";

function setUp() {
  const lines: string[] = [];
  let now = 0;
  const report = new Report((text) => lines.push(text), "info");
  const events = new EventReport(report, () => now);
  const router = (n: number) =>
    events.tell({
      kind: "router-added",
      interface: "tap0",
      address: parseIp(`fe80::${n.toString(16)}`)!,
    });
  return { lines, events, router, advance: (millis: number) => void (now += millis) };
}

test("a conflict is a warning, what is of no interest is not said", () => {
  const { lines, events } = setUp();
  events.tell({ kind: "interface-up", interface: "lo" });
  events.tell({ kind: "name-servers", interface: "tap0", servers: [], domains: [] });
  events.tell({ kind: "address-conflict", interface: "tap0", address: "10.7.0.2", mac: 2 });
  const [address, origin] = ["10.7.0.2/24", "static"] as const;
  events.tell({ kind: "address-changed", interface: "tap0", address, state: "duplicated", origin });
  expect(lines).toEqual([
    "millrace: warn: 10.7.0.2 on tap0 is claimed by another host, too: 00:00:00:00:00:02\n",
    "millrace: warn: 10.7.0.2/24 on tap0 is not used here, since another host has it: choose another address\n",
  ]);
});

test("routers announced without end: the first are told, then a few a second, and how many were not", () => {
  const { lines, router, advance } = setUp();
  for (let i = 0; i < 10_000; i++) router(i + 1);
  expect(lines).toHaveLength(50);
  advance(1_000);
  for (let i = 0; i < 10_000; i++) router(i + 1);
  expect(lines.slice(50)).toEqual([
    "millrace: warn: 9950 more events, left out\n",
    ...Array.from({ length: 5 }, (_, i) => `millrace: fe80::${i + 1} on tap0 is a router\n`),
  ]);
});
