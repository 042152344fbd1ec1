import fc from "fast-check";
import { expect, test } from "vitest";
import { Icmpv6View } from "../../wire/icmpv6.ts";
import { emitMld, type MldRepr, MldView, parseMld } from "../../wire/mld.ts";
import { TestHost, words } from "../autoconf/testing/host.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { MldHost } from "./mld-host.ts";

const GROUP = "ff05::1234";
const OWN = "fe80::7";
const QUERIER = "fe80::1";
const TYPES = ["", "is-in", "is-ex", "to-in", "to-ex", "allow", "block"];

class MldTest extends TestHost {
  readonly mld: MldHost;

  constructor(limits = {}) {
    super({ ipv4: false }, limits);
    this.mld = new MldHost(this.context, this.ip);
    this.mld.attach(this.iface);
    this.iface.setUp(true);
  }

  /** `source: what` of each message about GROUP, since the last call. */
  said(): string[] {
    const told: string[] = [];
    for (const packet of this.sent(58)) {
      const view = new MldView();
      if (view.wrap(packet.view, packet.start, packet.end) !== "ok") continue;
      expect(packet).toMatchObject({ hopLimit: 1, routerAlert: true });
      const repr = parseMld(view, words(packet.source), words(packet.destination))!;
      if (repr.kind === "report-v2") expect(packet.destination).toBe("ff02::16");
      const what = describe(repr);
      if (what !== "") told.push(`${packet.source} ${what}`);
    }
    return told;
  }

  hear(repr: MldRepr, from = QUERIER): void {
    this.receive({
      source: from,
      destination: "ff02::1",
      protocol: 58,
      hopLimit: 1,
      emit: (view, start) => emitMld(repr, view, start, words(from), words("ff02::1")),
    });
  }

  /** A message whose checksum alone is right. */
  tear(type: number, bytes: Uint8Array): void {
    const [from, to] = [Ip.parse(QUERIER)!, Ip.parse("ff02::1")!];
    this.receive({
      source: QUERIER,
      destination: "ff02::1",
      protocol: 58,
      hopLimit: 1,
      emit: (view, start) => {
        view.setUint32(start, type << 24);
        for (const [i, byte] of bytes.entries()) view.setUint8(start + 4 + i, byte);
        const end = start + 4 + bytes.length;
        const message = new Icmpv6View();
        if (message.wrap(view, start, end) === "ok") {
          message.fillChecksum(pseudoSumOf(from, to, 58, end - start));
        }
        return end;
      },
    });
  }

  query(version: 1 | 2, maxResponse: number, group = "::", from = QUERIER, hopLimit = 1): void {
    const about = { group: words(group), maxResponse };
    const repr: MldRepr =
      version === 1
        ? { kind: "query", ...about }
        : { kind: "query-v2", ...about, suppress: false, robustness: 0, interval: 0, sources: [] };
    this.receive({
      source: from,
      destination: "ff02::1",
      protocol: 58,
      hopLimit,
      emit: (view, start) => emitMld(repr, view, start, words(from), words("ff02::1")),
    });
  }
}

function describe(repr: MldRepr): string {
  const isGroup = (group: readonly number[]): boolean => String(group) === String(words(GROUP));
  if (repr.kind !== "report-v2") return isGroup(repr.group) ? repr.kind : "";
  return repr.records
    .filter(({ group }) => isGroup(group))
    .map(({ type }) => TYPES[type])
    .join();
}

function joined(): MldTest {
  const host = new MldTest();
  host.iface.addresses.add(Prefix.parse(`${OWN}/64`)!, "static", "preferred");
  host.iface.groups.join(Ip.parse(GROUP)!);
  host.pass(5);
  host.said();
  return host;
}

test("joined before there is an address: told from ::, and again once there is one", () => {
  const host = new MldTest();
  host.iface.groups.join(Ip.parse(GROUP)!);
  host.pass(5);
  expect(host.said()).toEqual([":: to-ex", ":: to-ex"]);
  host.iface.addresses.add(Prefix.parse(`${OWN}/64`)!, "link-local", "tentative");
  host.pass(5);
  expect(host.said()).toEqual([`${OWN} to-ex`, `${OWN} to-ex`]);
});

test("queries of version 2: answered in time", () => {
  const host = joined();
  host.query(2, 10_000);
  host.pass(10);
  expect(host.said()).toEqual([`${OWN} is-ex`]);
  host.query(2, 1000, GROUP);
  host.pass(1);
  expect(host.said()).toEqual([`${OWN} is-ex`]);
});

test("the longest response time that can be said: answered some time", () => {
  const host = joined();
  host.query(2, 0xffff);
  host.pass(8400);
  expect(host.said()).toEqual([`${OWN} is-ex`]);
});

test.each([
  ["from a global address", ["2001:db8::1", 1]],
  ["with more hops", [QUERIER, 2]],
])("query %s: ignored", (_name, [from, hopLimit]) => {
  const host = joined();
  host.query(2, 1000, "::", from as string, hopLimit as number);
  host.pass(5);
  expect(host.said()).toEqual([]);
});

test("querier of version 1: report and done, and back after its time", () => {
  const host = joined();
  host.query(1, 5000);
  host.pass(5);
  expect(host.said()).toEqual([`${OWN} report`]);
  host.iface.groups.leave(Ip.parse(GROUP)!);
  host.pass(20);
  expect(host.said()).toEqual([`${OWN} done`]);
  host.pass(260);
  expect(host.mld.of(host.iface)!.version).toBe(2);
});

test("groups that stay within the node or are everybody's: never told", () => {
  const host = joined();
  for (const group of ["ff01::5", "ff02::1"]) host.iface.groups.join(Ip.parse(group)!);
  host.pass(5);
  expect(host.sent(58)).toEqual([]);
});

test("fuzz: whatever queriers and users do, nothing throws and little is remembered", () => {
  const group = fc.nat(6);
  const sources = fc.array(fc.nat(9), { maxLength: 20 });
  const step = fc.oneof(
    fc.record({
      kind: fc.constant("query" as const),
      group,
      maxResponse: fc.nat(0xffff),
      robustness: fc.nat(7),
      interval: fc.nat(10_000),
      sources,
    }),
    fc.record({ kind: fc.constant("old" as const), group, maxResponse: fc.nat(0xffff) }),
    fc.record({ kind: fc.constant("report" as const), group }),
    fc.record({ kind: fc.constant("join" as const), group, sources }),
    fc.record({ kind: fc.constant("leave" as const), group }),
    fc.record({ kind: fc.constant("wait" as const), seconds: fc.constantFrom(0.01, 1, 30, 400) }),
    fc.record({
      kind: fc.constant("torn" as const),
      type: fc.constantFrom(130, 131, 132, 143),
      bytes: fc.uint8Array({ maxLength: 60 }),
    }),
  );
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const groupOf = (number: number): string => (number === 0 ? "::" : `ff05::${number}`);
  const sourceOf = (number: number): string => `2001:db8::${number}`;
  const law = (steps: readonly Step[]): void => {
    const host = new MldTest({ groupsPerInterface: 4, sourcesPerFilter: 4 });
    host.iface.addresses.add(Prefix.parse(`${OWN}/64`)!, "static", "preferred");
    for (const one of steps) {
      if (one.kind === "query") {
        const told = { group: words(groupOf(one.group)), suppress: false };
        const list = one.sources.map((number) => words(sourceOf(number)));
        const { maxResponse, robustness, interval } = one;
        host.hear({ kind: "query-v2", ...told, maxResponse, robustness, interval, sources: list });
      } else if (one.kind === "old") {
        const { maxResponse } = one;
        host.hear({ kind: "query", group: words(groupOf(one.group)), maxResponse });
      } else if (one.kind === "report") {
        host.hear({ kind: "report", group: words(groupOf(one.group)) });
      } else if (one.kind === "join") {
        const list = one.sources.map((number) => Ip.parse(sourceOf(number))!);
        host.iface.groups.join(Ip.parse(groupOf(one.group))!, { mode: "include", sources: list });
      } else if (one.kind === "leave") host.iface.groups.leave(Ip.parse(groupOf(one.group))!);
      else if (one.kind === "wait") host.pass(one.seconds);
      else host.tear(one.type, one.bytes);
      expect(host.mld.of(host.iface)!.pending).toBeLessThanOrEqual(12);
    }
    host.pass(40_000);
    expect(host.mld.of(host.iface)!.pending).toBe(0);
    expect(host.context.timers).toBeLessThan(4);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 40 }), law), { seed: 8, numRuns: 60 });
});
