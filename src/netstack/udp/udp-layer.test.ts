import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { NetError } from "../../core/errors.ts";
import { GsoType } from "../../wire/virtio-net.ts";
import type { UdpHandler } from "./endpoint.ts";
import { icmpError } from "./testing/datagrams.ts";
import { silentInterface } from "./testing/recording-ip.ts";
import {
  arrive,
  below,
  codeOf,
  context,
  datagramOf,
  Ear,
  eth,
  GROUP,
  give,
  hello,
  ip,
  OURS,
  OURS6,
  open,
  PEER,
  PEER6,
  setUp,
  udp,
} from "./testing/udp-fixture.ts";

const seed = 768;

beforeEach(() => setUp());

describe("a bound socket", () => {
  test("not connected, sent to, hears it with its sender; nobody there: port unreachable", () => {
    let from = "";
    const handler: UdpHandler = {
      onMessage(_bytes, _start, _end, sender) {
        from = `${sender.ip} ${sender.port} ${sender.destination} ${sender.interface.name}`;
      },
      onError() {},
    };
    open({ local: { port: 53 } }, handler);
    expect(give("x", OURS, 53)).toBe("taken");
    expect(from).toBe("10.7.0.9 4000 10.7.0.2 eth1");
    expect(give("x", OURS, 54)).toBe("port-unreachable");
  });

  test("to ::, given IPv4, hears it unless it wants IPv6 alone", () => {
    const both = new Ear();
    const only = new Ear();
    open({ local: { ip: ip("::"), port: 53 } }, both);
    open({ local: { ip: ip("::"), port: 54 }, ipv6Only: true }, only);
    for (const port of [53, 54]) for (const to of [OURS, OURS6]) give(`${to.version}`, to, port);
    expect([both.heard, only.heard]).toEqual([["4", "6"], ["6"]]);
  });

  test("on a port in use, opened, is refused unless address, version, interface or consent differ", () => {
    expect(codeOf({ local: { port: 53 } })).toBe("open");
    expect(codeOf({ local: { port: 53 } })).toBe("EADDRINUSE");
    expect(codeOf({ local: { ip: OURS, port: 53 } })).toBe("EADDRINUSE");
    expect(codeOf({ local: { ip: OURS, port: 54 } })).toBe("open");
    expect(codeOf({ local: { ip: ip("::"), port: 54 }, ipv6Only: true })).toBe("open");
    expect(codeOf({ local: { ip: ip("0.0.0.0"), port: 54 }, reusePort: true })).toBe("EADDRINUSE");
    expect(codeOf({ local: { port: 55 }, reusePort: true })).toBe("open");
    expect(codeOf({ local: { port: 55 }, reusePort: true })).toBe("open");
    expect(codeOf({ local: { port: 55 }, reuseAddress: true })).toBe("EADDRINUSE");
    expect(codeOf({ local: { ip: ip("192.0.2.1"), port: 56 } })).toBe("EADDRNOTAVAIL");
    expect(codeOf({ local: { ip: ip("192.0.2.1"), port: 56 }, transparent: true })).toBe("open");
    expect(codeOf({ local: { port: 70_000 } })).toBe("EINVAL");
  });

  test("closed, sent to, is gone; its port is free again", () => {
    const socket = open({ local: { port: 53 } });
    socket.close();
    socket.close();
    expect(give("x", OURS, 53)).toBe("port-unreachable");
    expect(socket.send(hello, 0, 5, { ip: PEER, port: 1 })).toBe("closed");
    expect([udp.size, codeOf({ local: { port: 53 } })]).toEqual([0, "open"]);
  });

  test("beyond the bound of sockets, opened, is refused", () => {
    setUp({ sockets: 2 });
    const codes = [1, 2, 3].map((port) => codeOf({ local: { port } }));
    expect(codes).toEqual(["open", "open", "EMFILE"]);
  });

  test("among others with reusePort, has flows of its own, each always the same one", () => {
    const ears = [0, 1, 2, 3].map(() => new Ear());
    for (const ear of ears) open({ local: { port: 53 }, reusePort: true }, ear);
    for (let round = 0; round < 2; round++) {
      for (let port = 1; port <= 400; port++) give(`${port}`, OURS, 53, { sourcePort: port });
    }
    for (const { heard } of ears) {
      expect(heard.length).toBeGreaterThan(100);
      const half = heard.length / 2;
      expect(heard.slice(half)).toEqual(heard.slice(0, half));
    }
  });
});

/** Which of these sockets a datagram belongs to, said plainly. */
test("any set of sockets, sent to, has it delivered to the one that says most about it", () => {
  const addresses = [null, OURS, OURS6, ip("::"), ip("0.0.0.0")] as const;
  const options = fc.record({
    local: fc.constantFrom(...addresses),
    remote: fc.constantFrom(null, PEER, PEER6),
    bound: fc.boolean(),
    ipv6Only: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(options, { maxLength: 8 }),
      fc.boolean(),
      fc.boolean(),
      (list, v6, near) => {
        setUp();
        const other = silentInterface(context, 2);
        const opened: { ear: Ear; score: number }[] = [];
        for (const { local, remote, bound, ipv6Only } of list) {
          const ear = new Ear();
          const socket = udp.open(
            {
              local: { port: 53, ...(local === null ? {} : { ip: local }) },
              ...(remote === null ? {} : { remote: { ip: remote, port: 4_000 } }),
              ...(bound ? { interface: eth } : {}),
              ipv6Only,
            },
            ear,
          );
          if (socket instanceof NetError) continue;
          const version = v6 ? 6 : 4;
          const specific = local !== null && !local.isUnspecified;
          const families = new Set(
            remote !== null
              ? [remote.version]
              : specific
                ? [local.version]
                : local?.version === 4
                  ? [4]
                  : ipv6Only
                    ? [6]
                    : [4, 6],
          );
          const fits = families.has(version) && (!bound || near);
          const rank = [remote !== null, specific, bound, families.size === 1];
          opened.push({
            ear,
            score: fits ? rank.reduce((sum, yes, i) => sum + (yes ? 8 >> i : 0), 0) : -1,
          });
        }
        const verdict = give("x", v6 ? OURS6 : OURS, 53, { on: near ? eth : other });
        const best = Math.max(-1, ...opened.map(({ score }) => score));
        expect(verdict).toBe(best < 0 ? "port-unreachable" : "taken");
        const hearers = opened.filter(({ ear }) => ear.heard.length > 0);
        expect(hearers.map(({ score }) => score)).toEqual(best < 0 ? [] : [best]);
      },
    ),
    { seed, numRuns: 500 },
  );
});

describe("what is sent to many", () => {
  test("to a group, is heard by its members on that interface, as their filters have it", () => {
    const other = silentInterface(context, 2);
    const ears = Array.from({ length: 5 }, () => new Ear());
    const sockets = ears.map((ear) => open({ local: { port: 9 }, reuseAddress: true }, ear));
    sockets[0]!.joinGroup(GROUP, eth);
    sockets[1]!.joinGroup(GROUP, eth, { mode: "include", sources: [PEER] });
    sockets[2]!.joinGroup(GROUP, eth, { mode: "exclude", sources: [PEER] });
    sockets[3]!.joinGroup(GROUP, other);
    give("peer", GROUP, 9);
    give("else", GROUP, 9, { from: ip("10.7.0.8") });
    expect(ears.map(({ heard }) => heard)).toEqual([["peer", "else"], ["peer"], ["else"], [], []]);
    expect(sockets[1]!.setGroupFilter(GROUP, eth, { mode: "include", sources: [] })).toBe(true);
    sockets[0]!.close();
    expect(eth.groups.filterOf(GROUP)).toEqual({ mode: "exclude", sources: [PEER] });
    sockets[2]!.leaveGroup(GROUP, eth);
    expect([eth.groups.has(GROUP), give("x", GROUP, 9)]).toEqual([false, "taken"]);
  });

  test("to all, is heard by those that are bound to no other address; one may close in the middle", () => {
    const ears = Array.from({ length: 3 }, () => new Ear());
    const options = { local: { port: 9 }, reuseAddress: true };
    const sockets = ears.map((ear) => open(options, ear));
    const specific = new Ear();
    open({ local: { ip: OURS, port: 9 }, reuseAddress: true }, specific);
    ears[0]!.onMessage = () => {
      sockets[0]!.close();
      sockets[1]!.close();
    };
    give("x", ip("255.255.255.255"), 9, { cast: "broadcast" });
    expect([...ears, specific].map(({ heard }) => heard)).toEqual([[], [], ["x"], []]);
  });

  test("to a group of which every node is a member, needs no joining", () => {
    const ear = new Ear();
    open({ local: { port: 9 } }, ear);
    give("4", ip("224.0.0.1"), 9);
    give("6", ip("ff02::1"), 9);
    give("none", ip("ff02::2"), 9);
    expect(ear.heard).toEqual(["4", "6"]);
  });
});

test("a merged datagram, arrived, is handed up in its parts", () => {
  const ear = new Ear();
  open({ local: { port: 53 } }, ear);
  const { inbound, deliver } = arrive("aaaabbbbcc", OURS, 53);
  inbound.packet.gsoType = GsoType.udpSegments;
  inbound.packet.gsoSize = 4;
  deliver();
  expect(ear.heard).toEqual(["aaaa", "bbbb", "cc"]);
});

test("a system port, sent to on its interface, has it before any socket, ours or not", () => {
  const ear = new Ear();
  open({ local: { port: 68 } }, ear);
  const got: string[] = [];
  const release = udp.bindSystemPort(eth, 68, ({ packet }, sourcePort, start, end) => {
    got.push(`${sourcePort} ${Buffer.from(packet.bytes.subarray(start, end))}`);
  });
  give("offer", ip("255.255.255.255"), 68, { cast: "broadcast", sourcePort: 67 });
  const offered = arrive("ack", ip("10.7.0.77"), 68, { sourcePort: 67 }).inbound;
  expect(udp.takeUnassigned(offered)).toBe(true);
  expect(udp.takeUnassigned(arrive("x", ip("10.7.0.77"), 69).inbound)).toBe(false);
  give("elsewhere", OURS, 68, { on: silentInterface(context, 2) });
  release();
  give("late", OURS, 68);
  expect(udp.takeUnassigned(offered)).toBe(false);
  expect([got, ear.heard]).toEqual([
    ["67 offer", "67 ack"],
    ["elsewhere", "late"],
  ]);
  udp.sendOn(eth, ip("0.0.0.0"), 68, ip("255.255.255.255"), 67, hello, 0, 5);
  const { view, sums, text } = datagramOf(below.sent[0]!);
  expect([view.sourcePort, view.destinationPort, sums, text]).toEqual([68, 67, true, "hello"]);
});

test("any bytes as a datagram or an error, given, never throw", () => {
  open({ local: { port: 53 } });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.boolean(), (bytes, trusted) => {
      const { inbound, deliver } = arrive("x", OURS, 53);
      inbound.packet.bytes.set(bytes, inbound.payloadStart);
      inbound.payloadEnd = inbound.payloadStart + bytes.length;
      if (trusted) inbound.packet.checksum = "partial";
      deliver();
      udp.handleIcmpError(icmpError("port-unreachable", OURS, PEER, bytes));
    }),
    { seed, numRuns: 2_000 },
  );
});
