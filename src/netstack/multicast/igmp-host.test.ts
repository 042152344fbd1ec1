import fc from "fast-check";
import { expect, test } from "vitest";
import { emitIgmp, type IgmpRepr, IgmpView, parseIgmp } from "../../wire/igmp.ts";
import { TestHost } from "../autoconf/testing/host.ts";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { IgmpHost } from "./igmp-host.ts";
import type { SourceFilter } from "./source-filter.ts";

const GROUP = Ip.parse("239.1.2.3")!;
const G = GROUP.w3 >>> 0;
const sources = (...last: number[]): Ip[] => last.map((n) => Ip.v4(0x0a00_0000 + n));
const include = (...last: number[]): SourceFilter => ({
  mode: "include",
  sources: sources(...last),
});
const exclude = (...last: number[]): SourceFilter => ({
  mode: "exclude",
  sources: sources(...last),
});
const TYPES = ["", "is-in", "is-ex", "to-in", "to-ex", "allow", "block"];

class IgmpTest extends TestHost {
  readonly igmp: IgmpHost;

  constructor(limits = {}) {
    super({ ipv6: false, conflictDetection: "off" }, limits);
    this.igmp = new IgmpHost(this.context, this.ip);
    this.igmp.attach(this.iface);
    this.iface.setUp(true);
    this.iface.addresses.add(Prefix.parse("10.0.0.7/24")!, "static", "preferred");
    this.frames.length = 0;
  }

  /** What was said, in short, since the last call; each within its rules. */
  said(): string[] {
    return this.sent(2).map((packet) => {
      expect(packet).toMatchObject({ source: "10.0.0.7", hopLimit: 1, routerAlert: true });
      const view = new IgmpView();
      expect(view.wrap(packet.view, packet.start, packet.end)).toBe("ok");
      const repr = parseIgmp(view)!;
      const text = describe(repr);
      expect(packet.destination).toBe(destinationOf(repr));
      return text;
    });
  }

  hear(repr: IgmpRepr, hopLimit = 1, destination = "224.0.0.1"): void {
    this.receive({
      source: "10.0.0.1",
      destination,
      protocol: 2,
      hopLimit,
      emit: (view, start) => emitIgmp(repr, view, start),
    });
  }

  query(group: number, tenths: number, ...last: number[]): void {
    const list = sources(...last).map(({ w3 }) => w3 >>> 0);
    const about = { group, maxResponse: tenths, sources: list };
    this.hear({ kind: "query-v3", suppress: false, robustness: 2, interval: 125, ...about });
  }
}

function describe(repr: IgmpRepr): string {
  if (repr.kind !== "report-v3") return repr.kind;
  return repr.records
    .map(({ type, sources }) => [TYPES[type], ...sources.map((one) => one & 0xff).sort()].join(" "))
    .join(", ");
}

function destinationOf(repr: IgmpRepr): string {
  if (repr.kind === "report-v3") return "224.0.0.22";
  return repr.kind === "leave" ? "224.0.0.2" : GROUP.toString();
}

function joined(filter?: SourceFilter): IgmpTest {
  const host = new IgmpTest();
  host.iface.groups.join(GROUP, filter);
  host.pass(5);
  host.said();
  return host;
}

test("join: told twice; leave: told twice", () => {
  const host = new IgmpTest();
  host.iface.groups.join(GROUP);
  host.pass(0.01);
  expect(host.said()).toEqual(["to-ex"]);
  host.pass(1.01);
  expect(host.said()).toEqual(["to-ex"]);
  host.pass(60);
  expect(host.said()).toEqual([]);
  host.iface.groups.leave(GROUP);
  host.pass(60);
  expect(host.said()).toEqual(["to-in", "to-in"]);
  expect(host.igmp.of(host.iface)!.pending).toBe(0);
});

test("sources added and dropped: allow and block; a change of mode: the whole list", () => {
  const host = new IgmpTest();
  const membership = host.iface.groups.join(GROUP, include(1, 2))!;
  host.pass(5);
  expect(host.said()).toEqual(["to-in 1 2", "to-in 1 2"]);
  membership.setFilter(include(2, 3));
  host.pass(5);
  expect(host.said()).toEqual(["allow 3, block 1", "allow 3, block 1"]);
  membership.setFilter(exclude(4));
  host.pass(5);
  expect(host.said()).toEqual(["to-ex 4", "to-ex 4"]);
  membership.setFilter(exclude(4, 5));
  host.pass(5);
  expect(host.said()).toEqual(["block 5", "block 5"]);
});

test("general query: everything within the time given", () => {
  const host = joined();
  host.iface.groups.join(Ip.parse("239.9.9.9")!, include(1));
  host.pass(5);
  host.said();
  host.query(0, 100);
  expect(host.said()).toEqual([]);
  host.pass(10);
  expect(host.said().map((text) => text.split(", ").sort())).toEqual([["is-ex", "is-in 1"]]);
});

test.each([
  ["include", include(1, 2), [2, 3], ["is-in 2"]],
  ["include, none of them", include(1), [2, 3], []],
  ["exclude", exclude(1, 2), [2, 3], ["is-in 3"]],
  ["any source, group query", undefined, [], ["is-ex"]],
  ["include, group query", include(1), [], ["is-in 1"]],
])("query about sources, %s: the state of those", (_name, filter, asked, answer) => {
  const host = joined(filter);
  host.query(G, 10, ...asked);
  host.pass(2);
  expect(host.said()).toEqual(answer);
});

test("queries about other groups, with more hops, or with a bad checksum: silence", () => {
  const host = joined();
  host.query(G + 1, 10);
  host.hear({ kind: "query", group: 0, maxResponse: 10 }, 2);
  host.receive({
    source: "10.0.0.1",
    destination: "224.0.0.1",
    protocol: 2,
    hopLimit: 1,
    emit(view, start) {
      const end = emitIgmp({ kind: "query", group: 0, maxResponse: 10 }, view, start);
      view.setUint8(start + 1, 11);
      return end;
    },
  });
  host.pass(20);
  expect(host.said()).toEqual([]);
  expect(host.igmp.of(host.iface)!.version).toBe(3);
});

test("all hosts: never reported", () => {
  const host = new IgmpTest();
  host.iface.groups.join(Ip.parse("224.0.0.1")!);
  host.query(0, 10);
  host.pass(20);
  expect(host.said()).toEqual([]);
});

test("querier of version 2: reports and leaves of version 2, and back after its time", () => {
  const host = joined();
  host.hear({ kind: "query", group: 0, maxResponse: 100 });
  host.pass(10);
  expect(host.said()).toEqual(["report-v2"]);
  host.iface.groups.leave(GROUP);
  host.pass(20);
  expect(host.said()).toEqual(["leave"]);
  host.iface.groups.join(GROUP);
  host.pass(20);
  expect(host.said()).toEqual(["report-v2", "report-v2"]);
  // RFC 3376 §8.12: 2 × 125 + 10 seconds.
  host.pass(210);
  expect(host.igmp.of(host.iface)!.version).toBe(3);
  host.query(0, 10);
  host.pass(2);
  expect(host.said()).toEqual(["is-ex"]);
});

test("querier of version 1: reports of version 1, leaves without a word", () => {
  const host = joined();
  host.hear({ kind: "query", group: 0, maxResponse: 0 });
  host.pass(10);
  expect(host.said()).toEqual(["report-v1"]);
  host.iface.groups.leave(GROUP);
  host.pass(20);
  expect(host.said()).toEqual([]);
});

test("version 2, somebody else has answered: no report", () => {
  const host = joined();
  host.hear({ kind: "query", group: 0, maxResponse: 100 });
  host.hear({ kind: "report-v2", group: G }, 1, GROUP.toString());
  host.pass(30);
  expect(host.said()).toEqual([]);
});

test("version 3, somebody else has answered: reported all the same", () => {
  const host = joined();
  host.query(0, 100);
  host.hear({ kind: "report-v2", group: G }, 1, GROUP.toString());
  host.pass(30);
  expect(host.said()).toEqual(["is-ex"]);
});

test("link back: everything is told anew", () => {
  const host = joined();
  host.iface.linkChanged(false);
  host.pass(10);
  host.iface.linkChanged(true);
  host.pass(10);
  expect(host.said()).toEqual(["to-ex", "to-ex"]);
});

test("many groups and sources: several reports, none longer than the MTU", () => {
  const host = new IgmpTest();
  const list = Array.from({ length: 60 }, (_, i) => i);
  for (let i = 1; i <= 100; i++) host.iface.groups.join(Ip.v4(G + i), include(...list));
  host.pass(5);
  expect(host.frames.every((frame) => frame.length <= 1514)).toBe(true);
  host.frames.length = 0;
  host.query(0, 10);
  host.pass(2);
  const records = host.said().flatMap((text) => text.split(", "));
  expect(records.length).toBe(100);
});

test("fuzz: whatever queriers and users do, nothing throws and little is remembered", () => {
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("query" as const),
      group: fc.nat(6),
      tenths: fc.nat(255),
      from: fc.nat(9),
    }),
    fc.record({ kind: fc.constant("join" as const), group: fc.nat(6), from: fc.nat(9) }),
    fc.record({ kind: fc.constant("leave" as const), group: fc.nat(6) }),
    fc.record({ kind: fc.constant("old" as const), group: fc.nat(6), tenths: fc.nat(255) }),
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(0.01, 1, 30, 400) }),
    fc.record({ kind: fc.constant("torn" as const), bytes: fc.uint8Array({ maxLength: 40 }) }),
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const law = (steps: readonly Step[]): void => {
    const host = new IgmpTest({ groupsPerInterface: 4, sourcesPerFilter: 4 });
    for (const one of steps) {
      if (one.kind === "query")
        host.query(one.group === 0 ? 0 : G + one.group, one.tenths, one.from, one.from + 1);
      else if (one.kind === "join") host.iface.groups.join(Ip.v4(G + one.group), include(one.from));
      else if (one.kind === "leave") host.iface.groups.leave(Ip.v4(G + one.group));
      else if (one.kind === "old")
        host.hear({ kind: "query", group: G + one.group, maxResponse: one.tenths });
      else if (one.kind === "wait") host.pass(one.seconds);
      else {
        const emit = (view: DataView, start: number): number => {
          for (const [i, byte] of one.bytes.entries()) view.setUint8(start + i, byte);
          return start + one.bytes.length;
        };
        host.receive({
          source: "10.0.0.1",
          destination: "224.0.0.1",
          protocol: 2,
          hopLimit: 1,
          emit,
        });
      }
      expect(host.igmp.of(host.iface)!.pending).toBeLessThanOrEqual(8);
    }
    host.pass(4000);
    expect(host.igmp.of(host.iface)!.pending).toBe(0);
    expect(host.context.timers).toBeLessThan(4);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), law), { seed: 3, numRuns: 100 });
});
