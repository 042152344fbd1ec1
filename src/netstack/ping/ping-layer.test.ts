import { beforeEach, describe, expect, test } from "vitest";
import { NetError } from "../../core/errors.ts";
import { Icmpv4View } from "../../wire/icmpv4.ts";
import { Icmpv6View } from "../../wire/icmpv6.ts";
import { VirtualContext } from "../fragments/testing/virtual-context.ts";
import { pseudoSumOf } from "../icmp/pseudo-sum.ts";
import { Ip } from "../ip-address.ts";
import { icmpError, inboundDatagram } from "../udp/testing/datagrams.ts";
import { RecordingIp, type Submitted, silentInterface } from "../udp/testing/recording-ip.ts";
import { PingLayer } from "./ping-layer.ts";
import type { PingHandler, PingOptions, PingSocket } from "./ping-socket.ts";

const ip = (text: string): Ip => Ip.parse(text)!;
const PEER = ip("10.7.0.9");
const PEER6 = ip("fd07::9");
const data = Uint8Array.of(1, 2, 3);

class Ear implements PingHandler {
  readonly heard: string[] = [];
  onReply(
    sequence: number,
    from: Parameters<PingHandler["onReply"]>[1],
    start: number,
    end: number,
  ) {
    this.heard.push(
      `${sequence}: ${from.packet.bytes.slice(start, end).join()} of ${from.source()}`,
    );
  }
  onError(sequence: number, error: { kind: string }) {
    this.heard.push(`${sequence}: ${error.kind}`);
  }
}

let below: RecordingIp;
let ping: PingLayer;

beforeEach(() => {
  const context = new VirtualContext({ sockets: 4 });
  below = new RecordingIp(silentInterface(context));
  ping = new PingLayer(context, below);
});

function open(options: PingOptions, ear: PingHandler = new Ear()): PingSocket {
  const socket = ping.open(options, ear);
  if (socket instanceof NetError) throw socket;
  return socket;
}

/** The request that was sent, given back as its reply. */
function reply({ packet, source, destination }: Submitted, from = destination) {
  const inbound = inboundDatagram({
    source: from,
    destination: source,
    sourcePort: 0,
    destinationPort: 0,
    payload: new Uint8Array(packet.length),
    from: below.out,
  });
  inbound.packet = packet;
  inbound.payloadStart = packet.start;
  inbound.payloadEnd = packet.end;
  below.takers.get(from.version === 4 ? "4/0" : "6/129")!(inbound);
}

const quoted = ({ packet }: Submitted) => packet.bytes.slice(packet.start, packet.start + 8);

describe.each([
  ["IPv4", PEER, ip("10.7.0.8"), 1],
  ["IPv6", PEER6, ip("fd07::8"), 58],
])("an echo socket of %s", (_, peer, other, protocol) => {
  test("asked to send bytes that are not there, throws and sends nothing", () => {
    const socket = open({ remote: PEER });
    expect(() => socket.send(1, data, 0, 4)).toThrow(RangeError);
    expect(() => socket.send(1, data, 2, 1)).toThrow(RangeError);
    expect(below.sent).toEqual([]);
  });

  test.each([65_536, -1, 1.5, Number.NaN])(
    "asked with the sequence number %s, throws and sends nothing",
    (sequence) => {
      const socket = open({ remote: peer });
      expect(() => socket.send(sequence, data, 0, 3)).toThrow(RangeError);
      expect(below.sent).toEqual([]);
      expect(socket.send(65_535, data, 0, 3)).toBe("sent");
    },
  );

  test("that asks, sends a request that holds, and hears the peer's reply alone", () => {
    const ear = new Ear();
    const socket = open({ remote: peer, identifier: 77 }, ear);
    expect(socket.send(5, data, 0, 3)).toBe("sent");
    const sent = below.sent[0]!;
    const { view, start, end } = sent.packet;
    if (peer.version === 4) {
      const icmp = new Icmpv4View();
      icmp.wrap(view, start, end);
      expect([icmp.type, icmp.identifier, icmp.sequence]).toEqual([8, 77, 5]);
      expect(icmp.checksumVerifies).toBe(true);
    } else {
      const icmp = new Icmpv6View();
      icmp.wrap(view, start, end);
      expect([icmp.type, icmp.identifier, icmp.sequence]).toEqual([128, 77, 5]);
      expect(icmp.checksumVerifies(pseudoSumOf(sent.source, peer, 58, end - start))).toBe(true);
    }
    reply(sent, other);
    reply(sent);
    socket.close();
    reply(sent);
    expect(ear.heard).toEqual([`5: 1,2,3 of ${peer}`]);
  });

  test("whose request meets an error, is told; an error about another request is not believed", () => {
    const ear = new Ear();
    const socket = open({}, ear);
    socket.send(9, data, 0, 3, peer);
    const about = quoted(below.sent[0]!);
    const taker = below.errorTakers.get(protocol)!;
    const source = below.sent[0]!.source;
    expect(taker(icmpError("time-exceeded", source, peer, about, protocol))).toBe(true);
    expect(taker(icmpError("time-exceeded", source, other, about, protocol))).toBe(false);
    expect(taker(icmpError("time-exceeded", source, peer, about.subarray(0, 7), protocol))).toBe(
      false,
    );
    about[4]! ^= 1;
    expect(taker(icmpError("time-exceeded", source, peer, about, protocol))).toBe(false);
    expect(ear.heard).toEqual(["9: time-exceeded"]);
  });
});

test("sockets, opened, have identifiers of their own, and there are no more than may be", () => {
  const codes = [{ identifier: 7 }, { identifier: 7 }, { identifier: 65_536 }, {}, {}, {}, {}].map(
    (one) => {
      const socket = ping.open(one, new Ear());
      return socket instanceof NetError ? socket.code : "open";
    },
  );
  expect(codes).toEqual(["open", "EADDRINUSE", "EINVAL", "open", "open", "open", "EMFILE"]);
});

test("a socket without a path, closed, or asked for too much, says so", () => {
  const socket = open({});
  expect(socket.send(1, data, 0, 3)).toBe("no-destination");
  expect(socket.send(1, new Uint8Array(65_508), 0, 65_508, PEER)).toBe("too-big");
  expect(socket.send(1, new Uint8Array(65_507), 0, 65_507, PEER)).toBe("sent");
  below.noPath = "no-route";
  expect(socket.send(1, data, 0, 3, PEER6)).toBe("no-route");
  socket.close();
  expect(socket.send(1, data, 0, 3, PEER)).toBe("closed");
});
