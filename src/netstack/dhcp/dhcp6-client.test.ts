import fc from "fast-check";
import { expect, test } from "vitest";
import { pseudoSumWords } from "../../wire/checksum.ts";
import {
  Dhcp6MessageType,
  type Dhcp6Repr,
  Dhcp6View,
  dhcp6Length,
  emitDhcp6,
  parseDhcp6,
} from "../../wire/dhcp6.ts";
import { type Dhcp6Options, NO_DHCP6_OPTIONS } from "../../wire/dhcp6-options.ts";
import { dnsName } from "../../wire/dns-name.ts";
import { emitUdp, fillUdpChecksum, UdpView } from "../../wire/udp.ts";
import { ConfiguredHost } from "../autoconf/testing/configured-host.ts";
import { words } from "../autoconf/testing/host.ts";
import { advertise } from "../autoconf/testing/router.ts";

const SERVER = "fe80::547";
const GRANTED: Partial<Dhcp6Options> = {
  serverIdentifier: new Uint8Array([0, 3, 0, 1, 2, 0, 0, 0, 0, 9]),
  nameServers: [words("2001:db8::53")],
  domainSearch: [dnsName("example.org")!],
};

/** The requests since the last call. */
function requests(host: ConfiguredHost): Dhcp6Repr[] {
  return host.sent(17).map((packet) => {
    const udp = new UdpView();
    const view = new Dhcp6View();
    expect(packet.destination).toBe("ff02::1:2");
    expect(udp.wrap(packet.view, packet.start, packet.end)).toBe("ok");
    expect([udp.sourcePort, udp.destinationPort]).toEqual([546, 547]);
    expect(view.wrap(packet.view, udp.payloadStart, udp.payloadEnd)).toBe("ok");
    return parseDhcp6(view);
  });
}

function reply(
  host: ConfiguredHost,
  to: Dhcp6Repr,
  options: Partial<Dhcp6Options>,
  changed = {},
): void {
  const own = host.iface.addresses.all[0]!.ip.toString();
  const { transactionId } = to;
  const all = { ...NO_DHCP6_OPTIONS, clientIdentifier: to.options.clientIdentifier, ...options };
  const repr = { messageType: Dhcp6MessageType.reply, transactionId, options: all, ...changed };
  host.receive({
    source: SERVER,
    destination: own,
    protocol: 17,
    hopLimit: 64,
    emit(view, start) {
      const header = { sourcePort: 547, destinationPort: 546, payloadLength: dhcp6Length(repr) };
      const end = emitDhcp6(repr, view, emitUdp(header, view, start));
      fillUdpChecksum(view, start, end, pseudoSumWords(words(SERVER), words(own), 17, end - start));
      return end;
    },
  });
}

/** A datagram of nothing in particular. */
function tear(host: ConfiguredHost, bytes: Uint8Array): void {
  const own = host.iface.addresses.all[0]!.ip.toString();
  host.receive({
    source: SERVER,
    destination: own,
    protocol: 17,
    hopLimit: 64,
    emit(view, start) {
      const header = { sourcePort: 547, destinationPort: 546, payloadLength: bytes.length };
      const at = emitUdp(header, view, start);
      for (const [i, byte] of bytes.entries()) view.setUint8(at + i, byte);
      const end = at + bytes.length;
      fillUdpChecksum(view, start, end, pseudoSumWords(words(SERVER), words(own), 17, end - start));
      return end;
    },
  });
}

function told(): ConfiguredHost {
  const host = new ConfiguredHost();
  host.settle();
  advertise(host, { other: true, lifetime: 9000 });
  host.pass(1);
  return host;
}

test("advertisement without the O flag: nobody is asked", () => {
  const host = new ConfiguredHost();
  host.settle();
  advertise(host);
  host.pass(60);
  expect(requests(host)).toEqual([]);
});

test("advertisement with the O flag: asked until answered, ever more slowly", () => {
  const host = told();
  const [first] = requests(host);
  expect(first).toMatchObject({ messageType: Dhcp6MessageType.informationRequest });
  expect(first!.options.clientIdentifier!.length).toBe(10);
  host.pass(60);
  const more = requests(host);
  expect(more.length).toBeGreaterThanOrEqual(5);
  expect(more.length).toBeLessThanOrEqual(6);
  expect(new Set(more.map(({ transactionId }) => transactionId)).size).toBe(1);
  expect(more.at(-1)!.options.elapsedTime).toBeGreaterThan(2000);
  reply(host, more[0]!, GRANTED);
  expect(host.nameServers.addresses).toEqual(["2001:db8::53"]);
  expect(host.nameServers.domains).toEqual(["example.org"]);
  host.pass(3600);
  expect(requests(host)).toEqual([]);
});

test("refresh time: asked again then, not before ten minutes", () => {
  const host = told();
  reply(host, requests(host)[0]!, { ...GRANTED, informationRefreshTime: 60 });
  host.pass(590);
  expect(requests(host)).toEqual([]);
  host.pass(12);
  const [again] = requests(host);
  reply(host, again!, { ...GRANTED, nameServers: [words("2001:db8::54")] });
  expect(host.nameServers.addresses).toEqual(["2001:db8::54"]);
});

test.each([
  ["without a server", { serverIdentifier: null }, {}],
  ["for another client", { clientIdentifier: new Uint8Array([1]) }, {}],
  ["of another transaction", {}, { transactionId: 1 }],
  ["that is none", {}, { messageType: Dhcp6MessageType.advertise }],
  ["of failure", { status: { code: 1, message: new Uint8Array(0) } }, {}],
])("reply %s: ignored", (_name, options, changed) => {
  const host = told();
  reply(host, requests(host)[0]!, { ...GRANTED, ...options }, changed);
  expect(host.nameServers.addresses).toEqual([]);
});

test("interface down: forgotten", () => {
  const host = told();
  reply(host, requests(host)[0]!, GRANTED);
  host.iface.setUp(false);
  expect(host.nameServers.addresses).toEqual([]);
  host.pass(86_400);
  expect(requests(host)).toEqual([]);
});

test("fuzz: whatever servers say, nothing throws, nothing grows, and it is asked again", () => {
  const number = fc.option(fc.constantFrom(0, 1, 59, 60, 600, 86_400, 86_401, 0xffff_ffff));
  const server = fc.nat(200).map((last) => words(`2001:db8::${last.toString(16)}`));
  const step = fc.record({
    options: fc.record({
      serverIdentifier: fc.option(fc.uint8Array({ maxLength: 130 })),
      nameServers: fc.array(server, { maxLength: 60 }),
      informationRefreshTime: number,
      informationMaxRt: number,
      status: fc.option(fc.record({ code: fc.nat(7), message: fc.constant(new Uint8Array(3)) })),
    }),
    messageType: fc.constantFrom(Dhcp6MessageType.reply, Dhcp6MessageType.reply, 0, 2, 10, 255),
    wait: fc.constantFrom(0, 1, 700, 90_000),
    other: fc.boolean(),
    torn: fc.uint8Array({ maxLength: 80 }),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const law = (steps: readonly Step[]): void => {
    const host = told();
    const { nameServers } = host.context.limits;
    let last = requests(host).at(-1)!;
    for (const { options, messageType, wait, other, torn } of steps) {
      advertise(host, { other, lifetime: 9000 });
      reply(host, last, options, { messageType });
      tear(host, torn);
      expect(host.nameServers.servers.length).toBeLessThanOrEqual(nameServers);
      host.pass(wait);
      last = requests(host).at(-1) ?? last;
    }
    advertise(host, { other: false, lifetime: 9000 });
    expect(host.nameServers.servers).toEqual([]);
    advertise(host, { other: true, lifetime: 9000 });
    host.pass(5);
    reply(host, requests(host).at(-1)!, GRANTED);
    expect(host.nameServers.addresses).toEqual(["2001:db8::53"]);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 15 }), law), { seed: 9, numRuns: 50 });
});
