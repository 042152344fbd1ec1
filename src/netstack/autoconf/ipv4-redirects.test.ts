import { expect, test } from "vitest";
import { emitIcmpv4, icmpv4Length } from "../../wire/icmpv4.ts";
import { packetBytes } from "../ip/testing/packets.ts";
import { Ip } from "../ip-address.ts";
import { Prefix } from "../prefix.ts";
import { ConfiguredHost } from "./testing/configured-host.ts";

const OWN = "10.0.0.5";
const ROUTER = "10.0.0.1";
const BETTER = "10.0.0.2";
const FAR = "192.0.2.7";

/** A host at 10.0.0.5/24 whose default router is 10.0.0.1. */
function routed(settings = {}, limits = {}): ConfiguredHost {
  const host = new ConfiguredHost({ ipv6: false, conflictDetection: "off", ...settings }, limits);
  host.iface.addresses.add(Prefix.parse(`${OWN}/24`)!, "static", "preferred");
  const destination = Prefix.parse("0.0.0.0/0")!;
  host.ip.routes.add({ destination, via: Ip.parse(ROUTER)!, interface: host.iface });
  return host;
}

interface Told {
  readonly gateway?: string;
  readonly destination?: string;
  readonly source?: string;
  readonly from?: string;
  readonly quoted?: number;
}

function redirect(host: ConfiguredHost, told: Told = {}): void {
  const { gateway = BETTER, destination = FAR, source = OWN, from = ROUTER } = told;
  const data = packetBytes({ source, destination }).subarray(0, told.quoted ?? 28);
  const repr = { kind: "redirect", code: 1, gateway: Ip.parse(gateway)!.w3 >>> 0, data } as const;
  host.receive({
    source: from,
    destination: OWN,
    protocol: 1,
    hopLimit: 64,
    emit: (view, start) => {
      emitIcmpv4(repr, view, start);
      return start + icmpv4Length(repr);
    },
  });
}

const learnt = (host: ConfiguredHost): string[] => host.routes().slice(1);

test("redirect to a better router: a host route, and what is sent takes it", () => {
  const host = routed();
  redirect(host);
  expect(learnt(host)).toEqual([`${FAR}/32 ${BETTER}`]);
  expect(host.ip.resolve(Ip.parse(FAR)!)).toMatchObject({ nextHop: Ip.parse(BETTER)! });
});

test("redirected again by the new router: the route follows", () => {
  const host = routed();
  redirect(host);
  redirect(host, { from: BETTER, gateway: "10.0.0.3" });
  expect(learnt(host)).toEqual([`${FAR}/32 10.0.0.3`]);
});

// RFC 1122 §3.2.2.2
test.each<[string, Told]>([
  ["from who is not the first hop", { from: "10.0.0.9" }],
  ["to an address beyond the link", { gateway: "10.0.1.2" }],
  ["to ourselves", { gateway: OWN }],
  ["to the broadcast address", { gateway: "10.0.0.255" }],
  ["to a group", { gateway: "224.0.0.1" }],
  ["to the router itself", { gateway: ROUTER }],
  ["for a neighbour", { destination: "10.0.0.77" }],
  ["for a group", { destination: "224.0.0.5" }],
  ["about a packet of somebody else", { source: "10.0.0.6" }],
  ["that quotes too little", { quoted: 27 }],
])("redirect %s: ignored", (_name, told) => {
  const host = routed();
  redirect(host, told);
  expect(learnt(host)).toEqual([]);
});

test.each([{ forwarding: true }, { acceptRedirects: false }])("with %o: ignored", (settings) => {
  const host = routed(settings);
  redirect(host);
  expect(learnt(host)).toEqual([]);
});

test("the better router does not answer: the first one is taken again", () => {
  const host = routed();
  redirect(host);
  const path = host.ip.resolve(Ip.parse(FAR)!);
  if (typeof path === "string") throw new Error(path);
  const packet = host.ip.scratch();
  packet.end = packet.start + 8;
  host.ip.send(path, packet, 17, 0, 0, "never");
  host.pass(5);
  expect(learnt(host)).toEqual([]);
});

test("five minutes, or the end of the link: the route goes", () => {
  const host = routed();
  redirect(host);
  host.pass(200);
  redirect(host, { destination: "192.0.2.8" });
  host.pass(101);
  expect(learnt(host)).toEqual([`192.0.2.8/32 ${BETTER}`]);
  host.iface.linkChanged(false);
  expect(learnt(host)).toEqual([]);
});

test("many redirects: the oldest go", () => {
  const host = routed({}, { redirectsPerInterface: 3 });
  for (let i = 1; i <= 50; i++) redirect(host, { destination: `192.0.2.${i}` });
  const wanted = [48, 49, 50].map((i) => `192.0.2.${i}/32 ${BETTER}`);
  expect(learnt(host)).toEqual(wanted);
});
