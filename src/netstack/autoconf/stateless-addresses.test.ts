import { expect, test } from "vitest";
import { Ip } from "../ip-address.ts";
import { ConfiguredHost } from "./testing/configured-host.ts";
import { advertise, prefixOption, sendNdp } from "./testing/router.ts";

const DAY = 86_400;
const PREFIX = "2001:db8::";

/** A host that has an address of the prefix. */
function addressed(preferred: number, valid: number, settings = {}): ConfiguredHost {
  const host = new ConfiguredHost(settings);
  host.settle();
  advertise(host, { options: [prefixOption(PREFIX, preferred, valid)] });
  host.settle();
  return host;
}

/** Somebody else probes for the last tentative address. */
function contradict(host: ConfiguredHost): void {
  const { ip } = host.iface.addresses.all.findLast(({ state }) => state === "tentative")!;
  const target = [ip.w0 >>> 0, ip.w1 >>> 0, ip.w2 >>> 0, ip.w3 >>> 0] as const;
  const group = Ip.v6(0xff02_0000, 0, 1, 0xff00_0000 | (ip.w3 & 0xff_ffff)).toString();
  sendNdp(host, { kind: "neighbor-solicitation", target, options: [] }, "::", group);
}

const states = (host: ConfiguredHost, origin: string): string[] =>
  host.addresses(origin).map((text) => text.split(" ")[1]!);

test("up: a link-local address is checked, then preferred", () => {
  const host = new ConfiguredHost();
  expect(states(host, "link-local")).toEqual(["tentative"]);
  host.settle();
  expect(host.addresses()).toEqual([expect.stringMatching(/^fe80::[\da-f:]+\/64 preferred$/)]);
});

test("up without linkLocal: no address is made", () => {
  const host = new ConfiguredHost({ linkLocal: false });
  host.settle();
  expect(host.addresses()).toEqual([]);
});

test("prefix: an address is made, deprecated and removed as its lifetimes end", () => {
  const host = addressed(1800, 3600);
  expect(states(host, "stable")).toEqual(["preferred"]);
  host.pass(1790);
  expect(states(host, "stable")).toEqual(["preferred"]);
  host.pass(10);
  expect(states(host, "stable")).toEqual(["deprecated"]);
  host.pass(1800);
  expect(states(host, "stable")).toEqual([]);
});

test("deprecated: an advertisement that prefers it again makes it preferred", () => {
  const host = addressed(100, 36_000);
  host.pass(200);
  expect(states(host, "stable")).toEqual(["deprecated"]);
  advertise(host, { options: [prefixOption(PREFIX, 1800, 36_000)] });
  expect(states(host, "stable")).toEqual(["preferred"]);
});

// RFC 4862 §5.5.3 (e): remaining, received and resulting valid lifetime in seconds.
test.each([
  ["longer", 3600, 7300, 7300],
  ["short but longer than what remains", 100, 500, 500],
  ["short, with less than two hours left", 3600, 10, 3600],
  ["zero, with more than two hours left", 30_000, 0, 7200],
  ["short, with more than two hours left", 30_000, 60, 7200],
  ["above two hours, with more left", 30_000, 8000, 8000],
])("valid lifetime %s: %d left, %d received, %d after", (_name, left, received, result) => {
  const host = addressed(left, left);
  advertise(host, {
    options: [prefixOption(PREFIX, left, left), prefixOption(PREFIX, 0, received)],
  });
  const [address] = host.iface.addresses.all.filter(({ origin }) => origin === "stable");
  expect(address!.state).toBe("deprecated");
  expect((address!.validUntil - host.context.now()) / 1_000_000).toBeCloseTo(result, 5);
});

test.each([
  ["preferred beyond valid", prefixOption(PREFIX, 3600, 1800)],
  ["no lifetime", prefixOption(PREFIX, 0, 0)],
  ["a length of 56", prefixOption(PREFIX, 1800, 3600, { length: 56 })],
  ["no A flag", prefixOption(PREFIX, 1800, 3600, { autonomous: false })],
  ["link-local", prefixOption("fe80::", 1800, 3600)],
  ["multicast", prefixOption("ff0e::", 1800, 3600)],
])("prefix with %s: no address", (_name, option) => {
  const host = new ConfiguredHost();
  host.settle();
  advertise(host, { options: [option] });
  host.settle();
  expect(host.addresses("stable")).toEqual([]);
});

test("stable addresses: the same after the link was away, others for other prefixes and hosts", () => {
  const host = addressed(DAY, DAY);
  const before = host.addresses();
  host.iface.linkChanged(false);
  expect(host.addresses()).toEqual([]);
  expect(host.routes()).toEqual([]);
  host.iface.linkChanged(true);
  host.settle();
  advertise(host, {
    options: [prefixOption(PREFIX, DAY, DAY), prefixOption("2001:db8:1::", DAY, DAY)],
  });
  host.settle();
  expect(host.addresses().slice(0, 2)).toEqual(before);
  const identifiers = host.iface.addresses.all.map(({ ip }) => `${ip.w2} ${ip.w3}`);
  expect(new Set(identifiers).size).toBe(3);
  const other = new ConfiguredHost({}, {}, 2);
  other.settle();
  expect(other.addresses()[0]).not.toBe(before[0]);
});

test("duplicate: another identifier is tried three times, then none", () => {
  const host = new ConfiguredHost();
  const tried = new Set<string>();
  for (let i = 0; i < 4; i++) {
    host.pass(1);
    while (states(host, "link-local")[0] !== "tentative") host.pass(0.1);
    tried.add(host.addresses("link-local")[0]!);
    host.pass(0.5);
    contradict(host);
    expect(states(host, "link-local")).toEqual(["duplicated"]);
  }
  host.pass(60);
  expect(tried.size).toBe(4);
  expect(states(host, "link-local")).toEqual(["duplicated"]);
});

test("temporary addresses: beside the stable one, at most a day preferred, each followed by another", () => {
  const host = addressed(30 * DAY, 30 * DAY, { temporaryAddresses: true });
  expect(states(host, "temporary")).toEqual(["preferred"]);
  const seen = new Set(host.addresses("temporary").map((text) => text.split("/")[0]));
  let most = 0;
  for (let hour = 0; hour < 10 * 24; hour++) {
    host.pass(3600);
    const temporary = host.iface.addresses.all.filter(({ origin }) => origin === "temporary");
    for (const { ip } of temporary) seen.add(ip.toString());
    most = Math.max(most, temporary.length);
    expect(temporary.some(({ state }) => state === "preferred")).toBe(true);
  }
  expect(most).toBeLessThanOrEqual(4);
  // A new one each 14.4 to 24 hours.
  expect(seen.size).toBeGreaterThanOrEqual(10);
  expect(seen.size).toBeLessThanOrEqual(18);
  host.pass(30 * DAY);
  expect(host.addresses("temporary")).toEqual([]);
});

test("temporary address: made only where it would be preferred for longer than its replacement takes", () => {
  const host = addressed(4, 3600, { temporaryAddresses: true });
  expect(host.addresses("temporary")).toEqual([]);
});

test("temporary addresses that are all duplicates: three are tried", () => {
  const host = new ConfiguredHost({ temporaryAddresses: true });
  host.settle();
  advertise(host, { options: [prefixOption(PREFIX, DAY, DAY)] });
  const tried = new Set<string>();
  for (let i = 0; i < 50; i++) {
    host.pass(0.2);
    const all = host.iface.addresses.all.filter(({ origin }) => origin === "temporary");
    for (const { ip } of all) tried.add(ip.toString());
    if (all.some(({ state }) => state === "tentative")) contradict(host);
  }
  expect(tried.size).toBe(3);
  expect(host.addresses("temporary")).toEqual([]);
});

test("flood of prefixes: those beyond the limit are ignored", () => {
  const host = new ConfiguredHost({ temporaryAddresses: true }, { prefixesPerInterface: 3 });
  host.settle();
  for (let i = 0; i < 100; i++) {
    advertise(host, { options: [prefixOption(`2001:db8:${i}::`, 1800, 3600)] });
  }
  host.settle();
  expect(host.addresses("stable").length).toBe(3);
  expect(host.addresses("temporary").length).toBe(3);
  expect(host.routes().length).toBe(4);
});
