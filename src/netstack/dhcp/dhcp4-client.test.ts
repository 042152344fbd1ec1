import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Dhcp4MessageType } from "../../wire/dhcp4.ts";
import { NO_DHCP4_OPTIONS } from "../../wire/dhcp4-options.ts";
import { dnsName } from "../../wire/dns-name.ts";
import { emitUdp } from "../../wire/udp.ts";
import { HOST_MAC } from "../autoconf/testing/host.ts";
import { Ip } from "../ip-address.ts";
import { Dhcp4Test, OFFERED, SERVER } from "./testing/dhcp4-server.ts";

const { discover, request, decline, release, offer, ack, nak } = Dhcp4MessageType;

function bound(settings = {}): Dhcp4Test {
  const host = new Dhcp4Test(settings);
  host.serve(20);
  expect(host.client.state.kind).toBe("bound");
  host.asked.length = 0;
  return host;
}

test("init: discover, request, bound; address and routes are there", () => {
  const host = new Dhcp4Test();
  host.serve(2);
  expect(host.types).toEqual([discover, request]);
  const [first, second] = host.asked;
  expect(first).toMatchObject({
    source: "0.0.0.0",
    destination: "255.255.255.255",
    broadcast: true,
  });
  expect(second).toMatchObject({ clientAddress: 0, destination: "255.255.255.255" });
  expect(second!.options).toMatchObject({ requestedAddress: OFFERED, serverIdentifier: SERVER });
  expect(second!.transactionId).toBe(first!.transactionId);
  expect(host.addresses()).toEqual(["10.0.0.100/24 preferred"]);
  expect(host.routes()).toEqual(["0.0.0.0/0 10.0.0.1"]);
  expect(host.client.state.kind).toBe("bound");
});

test("selecting without an answer: asked at 4, 8, 16, 32 and each 64 seconds", () => {
  const host = new Dhcp4Test();
  host.answers = false;
  host.serve(1);
  const times: number[] = [];
  for (let second = 0; second < 300; second++) {
    const before = host.asked.length;
    host.serve(1);
    if (host.asked.length > before) times.push(second);
  }
  const gaps = times.map((time, i) => time - (times[i - 1] ?? 0));
  for (const [i, expected] of [4, 8, 16, 32, 64, 64, 64].entries()) {
    expect(Math.abs(gaps[i]! - expected)).toBeLessThanOrEqual(2);
  }
});

test("requesting without an answer: begun anew", () => {
  const host = new Dhcp4Test();
  host.answers = false;
  host.serve(1);
  const granted = { leaseTime: 60, serverIdentifier: SERVER };
  host.reply(host.asked[0]!, offer, granted);
  host.serve(64);
  expect(host.types).toEqual([discover, request, request, request, request, discover]);
});

describe("bound", () => {
  test("at T1: renewed with its server; nothing changes", () => {
    const host = bound();
    const events = host.context.events.length;
    host.serve(1800);
    expect(host.asked).toMatchObject([
      { messageType: request, source: "10.0.0.100", clientAddress: OFFERED, broadcast: false },
    ]);
    expect(host.asked[0]!.options).toMatchObject({
      requestedAddress: null,
      serverIdentifier: null,
    });
    expect(host.client.state.kind).toBe("bound");
    const changes = host.context.events.slice(events).map(({ kind }) => kind);
    expect(changes.filter((kind) => !kind.startsWith("neighbor")).join()).toBe(
      "dhcp-state,dhcp-state",
    );
  });

  test("no answer: renewing, at T2 rebinding by broadcast, at the end without an address", () => {
    const host = bound();
    host.answers = false;
    host.serve(3100);
    expect(host.client.state.kind).toBe("renewing");
    expect(host.asked.every(({ destination }) => destination !== "255.255.255.255")).toBe(true);
    host.asked.length = 0;
    host.serve(100);
    expect(host.client.state.kind).toBe("rebinding");
    expect(host.asked.at(-1)).toMatchObject({
      source: "10.0.0.100",
      destination: "255.255.255.255",
    });
    host.serve(300);
    expect(host.addresses()).toEqual(["10.0.0.100/24 preferred"]);
    host.serve(101);
    expect(host.addresses()).toEqual([]);
    expect(host.routes()).toEqual([]);
    expect(host.types.at(-1)).toBe(discover);
  });

  test("refused: without the address at once, and begun anew", () => {
    const host = bound();
    host.refuses = true;
    host.serve(1800);
    expect(host.addresses()).toEqual([]);
    const told = host.context.events.findLast((event) => event.kind === "dhcp-state");
    expect(told).toMatchObject({ address: null });
    host.refuses = false;
    host.serve(20);
    expect(host.client.state.kind).toBe("bound");
  });

  test("stopped: released, nothing stays", () => {
    const host = bound();
    host.client.stop();
    host.serve(60);
    expect(host.addresses()).toEqual([]);
    expect(host.routes()).toEqual([]);
    expect(host.client.state.kind).toBe("stopped");
    expect(host.asked).toMatchObject([
      { messageType: release, source: "10.0.0.100", destination: "10.0.0.1" },
    ]);
  });

  test("stopped, the server's link address not known: released to all, before the address goes", () => {
    const host = bound();
    host.iface.link.neighbors!.remove(Ip.v4(SERVER));
    host.client.stop();
    host.serve(0);
    expect(host.asked).toMatchObject([
      { messageType: release, source: "10.0.0.100", destination: "255.255.255.255" },
    ]);
    expect(host.asked[0]).toMatchObject({ clientAddress: OFFERED, broadcast: false });
    expect(host.asked[0]!.options.serverIdentifier).toBe(SERVER);
  });

  test("link lost and back: the same address is asked for", () => {
    const host = bound();
    host.iface.linkChanged(false);
    expect(host.addresses()).toEqual([]);
    host.serve(60);
    expect(host.asked).toEqual([]);
    host.iface.linkChanged(true);
    host.serve(2);
    expect(host.types).toEqual([request]);
    expect(host.asked[0]!.options).toMatchObject({
      requestedAddress: OFFERED,
      serverIdentifier: null,
    });
    expect(host.client.state.kind).toBe("bound");
  });

  test("link back on another network: refused, begun anew", () => {
    const host = bound();
    host.iface.linkChanged(false);
    host.iface.linkChanged(true);
    host.refuses = true;
    host.serve(2);
    host.refuses = false;
    host.serve(5);
    expect(host.types).toEqual([request, discover, request]);
  });

  test("link back, nobody answers: the lease is used while it lasts", () => {
    const host = bound();
    host.answers = false;
    host.iface.linkChanged(false);
    host.iface.linkChanged(true);
    host.serve(30);
    expect(host.addresses()).toEqual(["10.0.0.100/24 preferred"]);
    host.serve(3600);
    expect(host.addresses()).toEqual([]);
  });
});

describe("conflict", () => {
  /** Somebody answers ARP for the address. */
  function claim(host: Dhcp4Test): void {
    const packet = host.ip.scratch();
    const { view, start } = packet;
    const fields = [0xffff, 0xffff, 0xffff, 0x0200, 0, 0x55, 0x0806, 1, 0x0800, 0x0604, 2];
    const rest = [0x0200, 0, 0x55, OFFERED >>> 16, OFFERED & 0xffff, 0x0200, 0, 1, 0, 0];
    for (const [i, field] of [...fields, ...rest].entries()) view.setUint16(start + 2 * i, field);
    packet.end = start + 42;
    host.iface.receive(packet);
  }

  test("nobody has the address: used after the probes", () => {
    const host = new Dhcp4Test({ conflictDetection: "probe" });
    host.serve(2);
    expect(host.client.state.kind).toBe("checking");
    expect(host.addresses()).toEqual([]);
    host.serve(8);
    expect(host.addresses()).toEqual(["10.0.0.100/24 preferred"]);
  });

  test("somebody has the address: declined, asked for another after ten seconds", () => {
    const host = new Dhcp4Test({ conflictDetection: "probe" });
    host.serve(3);
    claim(host);
    host.serve(9);
    expect(host.types).toEqual([discover, request, decline]);
    const conflicts = host.context.events.filter(({ kind }) => kind === "address-conflict");
    expect(conflicts).toMatchObject([{ address: "10.0.0.100", mac: 0x0200_0000_0055 }]);
    expect(host.asked[2]!.options).toMatchObject({
      requestedAddress: OFFERED,
      serverIdentifier: SERVER,
    });
    host.serve(5);
    expect(host.types.at(-1)).toBe(request);
  });
});

describe("options", () => {
  test("classless routes: in place of routers; name servers, domains, MTU", () => {
    const host = new Dhcp4Test();
    host.options = {
      ...host.options,
      classlessRoutes: [
        { destination: 0, prefixLength: 0, router: SERVER + 1 },
        { destination: 0x0a09_0000, prefixLength: 16, router: 0 },
      ],
      nameServers: [0x0808_0808],
      domainName: "example.org",
      domainSearch: [dnsName("a.example")!, dnsName("b.example")!],
      interfaceMtu: 1400,
    };
    host.serve(5);
    expect(host.routes()).toEqual(["0.0.0.0/0 10.0.0.2", "10.9.0.0/16 on-link"]);
    expect(host.nameServers.addresses).toEqual(["8.8.8.8"]);
    expect(host.nameServers.domains).toEqual(["a.example", "b.example"]);
    expect(host.iface.mtu).toBe(1400);
    host.client.stop();
    expect(host.nameServers.addresses).toEqual([]);
    expect(host.iface.mtu).toBe(1500);
  });

  test("a router outside of the subnet: a neighbour all the same", () => {
    const host = new Dhcp4Test();
    host.options = { subnetMask: 0xffff_ffff, routers: [SERVER] };
    host.serve(5);
    expect(host.routes()).toEqual(["10.0.0.1/32 on-link", "0.0.0.0/0 10.0.0.1"]);
  });

  test("renewed with other options: only what differs is replaced", () => {
    const host = bound();
    host.options = { ...host.options, routers: [SERVER + 4], nameServers: [1] };
    host.serve(1801);
    expect(host.routes()).toEqual(["0.0.0.0/0 10.0.0.5"]);
    expect(host.addresses()).toEqual(["10.0.0.100/24 preferred"]);
  });

  test("a lease for ever: never renewed", () => {
    const host = new Dhcp4Test();
    host.leaseTime = 0xffff_ffff;
    host.serve(400 * 86_400);
    expect(host.types).toEqual([discover, request]);
    expect(host.addresses().length).toBe(1);
  });
});

// In requesting: what is no answer to the request.
test.each([
  ["another transaction", ack, { serverIdentifier: SERVER }, { transactionId: 1 }],
  ["another client", ack, { serverIdentifier: SERVER }, { clientMac: HOST_MAC + 1 }],
  ["a request", ack, { serverIdentifier: SERVER }, { operation: 1 }],
  ["another server", ack, { serverIdentifier: SERVER + 1 }, {}],
  ["no server", ack, {}, {}],
  ["another address", ack, { serverIdentifier: SERVER }, { yourAddress: OFFERED + 1 }],
  ["a refusal by another server", nak, { serverIdentifier: SERVER + 1 }, {}],
])("requesting, %s: ignored", (_name, type, options, changed) => {
  const host = new Dhcp4Test();
  host.answers = false;
  host.serve(1);
  host.reply(host.asked[0]!, offer, { leaseTime: 60, serverIdentifier: SERVER });
  host.reply(host.asked[0]!, type, { leaseTime: 60, ...options }, changed);
  expect(host.client.state).toMatchObject({ kind: "requesting", address: Ip.v4(OFFERED) });
  expect(host.addresses()).toEqual([]);
});

test("fuzz: whatever servers say, nothing throws and what is there comes from one lease", () => {
  const address = fc.constantFrom(0, OFFERED, SERVER, 0x7f00_0001, 0xe000_0001, 0xffff_ffff);
  const option = fc.record({
    serverIdentifier: fc.option(address),
    leaseTime: fc.option(fc.constantFrom(0, 1, 100, 0xffff_ffff)),
    renewalTime: fc.option(fc.nat(200)),
    rebindingTime: fc.option(fc.nat(200)),
    subnetMask: fc.option(fc.constantFrom(0, 0xffff_ff00, 0xff00_ff00, 0xffff_ffff)),
    routers: fc.array(address, { maxLength: 4 }),
    nameServers: fc.array(fc.nat(), { maxLength: 40 }),
    classlessRoutes: fc.array(
      fc.record({ destination: fc.nat(), prefixLength: fc.nat(32), router: address }),
      { maxLength: 100 },
    ),
    interfaceMtu: fc.option(fc.nat(0xffff)),
  });
  const step = fc.record({
    type: fc.constantFrom(offer, ack, ack, nak, 9, 77),
    yourAddress: address,
    options: option,
    wait: fc.constantFrom(0, 1, 20, 1000),
    link: fc.boolean(),
  });
  type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;
  const law = (steps: readonly Step[]): void => {
    const host = new Dhcp4Test({ conflictDetection: "probe" });
    for (const { type, yourAddress, options, wait, link } of steps) {
      host.answers = wait > 1;
      host.iface.linkChanged(link || wait > 0);
      host.serve(wait);
      const last = host.asked.at(-1);
      if (last !== undefined)
        host.reply(last, type, { ...NO_DHCP4_OPTIONS, ...options }, { yourAddress });
      host.asked.splice(0, host.asked.length - 1);
      expect(host.addresses("dhcp").length).toBeLessThanOrEqual(1);
      expect(host.routes().length).toBeLessThanOrEqual(host.context.limits.dhcpRoutes);
      expect(host.nameServers.servers.length).toBeLessThanOrEqual(host.context.limits.nameServers);
      if (host.client.lease === null) expect(host.routes()).toEqual([]);
    }
    host.client.stop();
    host.serve(1);
    expect(host.addresses("dhcp")).toEqual([]);
    expect(host.routes()).toEqual([]);
  };
  fc.assert(fc.property(fc.array(step, { maxLength: 25 }), law), { seed: 6, numRuns: 80 });
});

test("torn datagrams to port 68: ignored", () => {
  const host = bound();
  const law = (bytes: Uint8Array): void => {
    host.receive({
      source: "10.0.0.1",
      destination: "255.255.255.255",
      protocol: 17,
      hopLimit: 64,
      emit(view, start) {
        const at = emitUdp(
          { sourcePort: 67, destinationPort: 68, payloadLength: bytes.length },
          view,
          start,
        );
        for (const [i, byte] of bytes.entries()) view.setUint8(at + i, byte);
        return at + bytes.length;
      },
    });
  };
  fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), law), { seed: 7 });
  expect(host.client.state.kind).toBe("bound");
});
