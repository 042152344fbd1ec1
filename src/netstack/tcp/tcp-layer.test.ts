import { describe, expect, it } from "vitest";
import { millis, seconds } from "../../core/time.ts";
import type { ConnectHandler } from "../../core/transport.ts";
import { type Seq, seq, seqAdd, seqDiff } from "../../wire/seq.ts";
import { TcpFlag } from "../../wire/tcp.ts";
import { Ip } from "../ip-address.ts";
import type { TcpStream } from "./tcp-stream.ts";
import { Station } from "./testing/station.ts";

const { syn: SYN, ack: ACK, fin: FIN, rst: RST, psh: PSH } = TcpFlag;
const MANY = 500;

const codes: string[] = [];
const NOTING: ConnectHandler = {
  onConnect() {},
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose: (error) => void codes.push(error?.code ?? "none"),
};

/** SYNs from so many ports; answers are counted and forgotten. */
function flood(station: Station, count: number): number {
  let answers = 0;
  for (let i = 0; i < count; i++) {
    station.peerPort = 1_000 + i;
    station.send(SYN, seq(i * 7), seq(0));
    answers += station.sent.splice(0).length;
  }
  return answers;
}

describe("bounds", () => {
  it("a flood of SYNs: half-open connections stop at the backlog, all are answered", () => {
    const station = new Station({}, { synBacklog: 10 });
    station.listen();
    expect(flood(station, MANY)).toBe(MANY);
    expect(station.stack.tcp.connections).toBe(10);
  });

  it("a flood of SYNs, then silence: nothing is left of it", () => {
    const station = new Station({ synAckRetries: 1 }, { synBacklog: 50 });
    station.listen();
    flood(station, MANY);
    station.advance(seconds(20));
    expect(station.stack.tcp.connections).toBe(0);
  });

  it("limits.connections: further SYNs are dropped, connect fails with EMFILE", () => {
    const station = new Station({}, { connections: 5 });
    station.listen();
    expect(flood(station, 20)).toBe(5);
    codes.length = 0;
    station.stack.tcp.connect({ ip: Ip.parse("192.0.2.2")!, port: 9 }, NOTING);
    expect(codes).toEqual([]);
    station.stack.run();
    expect(codes).toEqual(["EMFILE"]);
  });

  it("segments ahead of gaps on all connections: memory ends at the bound, what is next is taken", () => {
    const station = new Station({}, { aheadBytes: 50_000 });
    station.listen();
    for (let i = 0; i < 30; i++) {
      station.peerPort = 2_000 + i;
      station.next = seq(100);
      station.sendNext(SYN);
      station.sendNext(ACK);
      for (let j = 1; j < 20; j++) {
        station.send(ACK, seqAdd(station.next, 2_000 * j), station.ourNext, 1_000);
      }
      expect(station.stack.tcp.bytesAhead).toBeLessThanOrEqual(50_000);
    }
    expect(station.stack.tcp.bytesAhead).toBeGreaterThan(40_000);
    const before = station.stream.info()!.bytesReceived;
    station.sendNext(ACK, 1_000);
    expect(station.stream.info()!.bytesReceived).toBe(before + 1_000);
    for (let i = 0; i < 30; i++) {
      station.peerPort = 2_000 + i;
      station.send(RST, i === 29 ? station.next : seq(101), seq(0));
    }
    expect([station.stack.tcp.connections, station.stack.tcp.bytesAhead]).toEqual([0, 0]);
  });

  it("peers that read nothing: each may queue less than the one before, and all of it is given back", () => {
    const station = new Station({}, { sendBytes: 1 << 20 });
    station.listen();
    const streams: TcpStream[] = [];
    for (let i = 0; i < 60; i++) {
      station.peerPort = 2_000 + i;
      station.next = seq(100);
      station.sendNext(SYN);
      station.sendNext(ACK);
      streams.push(station.stream);
    }
    const queued = streams.map((stream) => {
      while (!stream.write(new Uint8Array(1_024), 0, 1_024));
      return stream.queued;
    });
    expect(queued[0]).toBeGreaterThan(200_000);
    expect(queued).toEqual([...queued].sort((a, b) => b - a));
    expect(queued.at(-1)).toBe(17 * 1_024);
    const sum = queued.reduce((a, b) => a + b);
    expect(sum).toBeLessThan((1 << 20) + 60 * 17 * 1_024);
    expect(station.stack.tcp.bytesQueued).toBe(sum);
    for (let i = 0; i < 60; i++) {
      station.peerPort = 2_000 + i;
      station.send(RST, seq(101), seq(0));
    }
    expect([station.stack.tcp.connections, station.stack.tcp.bytesQueued]).toEqual([0, 0]);
  });

  it("paused readers: windows become smaller as memory fills, none is taken back, all memory is given back", () => {
    const station = new Station({}, { receiveBytes: 400_000 });
    station.listen();
    const unread: number[] = [];
    const ends: Seq[] = [];
    for (let i = 0; i < 60; i++) {
      station.peerPort = 2_000 + i;
      station.next = seq(100);
      station.sendNext(SYN);
      station.sendNext(ACK);
      station.stream.pause();
      let edge = seqAdd(station.next, 60_000);
      for (let taken = 0; ; taken += 1_000) {
        station.sent.length = 0;
        station.sendNext(ACK, 1_000);
        station.advance(millis(100));
        const { acknowledgment, window } = station.sent.at(-1)!;
        expect(seqDiff(seqAdd(acknowledgment, window), edge)).toBeGreaterThanOrEqual(0);
        edge = seqAdd(acknowledgment, window);
        if (acknowledgment === station.next) continue;
        unread.push(taken);
        ends.push(acknowledgment);
        break;
      }
    }
    expect(unread[0]).toBe(60_000);
    expect(unread.at(-1)).toBe(16_000);
    const sum = station.stack.tcp.bytesUnread;
    expect(sum).toBeLessThan(400_000 + 60 * 16_384);
    expect(sum).toBeGreaterThan(60 * 16_000);
    station.stream.resume();
    station.stack.run();
    expect(station.stack.tcp.bytesUnread).toBeLessThan(sum - 16_000);
    for (let i = 0; i < 60; i++) {
      station.peerPort = 2_000 + i;
      station.send(RST, ends[i]!, seq(0));
    }
    expect([station.stack.tcp.connections, station.stack.tcp.bytesUnread]).toEqual([0, 0]);
  });

  it("strangers without end: resets are limited, and come again in the next second", () => {
    const station = new Station({}, { resetsPerSecond: 10 });
    const knock = () => {
      for (let i = 0; i < MANY; i++) station.send(ACK, seq(1), seq(5));
      return station.sent.splice(0).length;
    };
    const first = knock();
    expect(first).toBeGreaterThanOrEqual(5);
    expect(first).toBeLessThanOrEqual(15);
    station.advance(seconds(1));
    expect(knock()).toBeGreaterThanOrEqual(5);
    expect(station.stack.tcp.counters.strangers).toBe(2 * MANY);
  });

  it("orphans in FIN-WAIT-2: the oldest goes, with a reset", () => {
    const station = new Station({}, { orphans: 3 });
    station.listen();
    for (let i = 0; i < 6; i++) {
      station.peerPort = 2_000 + i;
      station.next = seq(100);
      station.sendNext(SYN);
      station.sendNext(ACK);
      station.stream.close();
      station.stack.run();
      station.sendNext(ACK);
    }
    expect(station.stack.tcp.list().map(({ state }) => state)).toEqual(Array(3).fill("FinWait2"));
    const resets = station.sent.filter(({ flags }) => (flags & RST) !== 0);
    expect(resets.map(({ destinationPort }) => destinationPort)).toEqual([2_000, 2_001, 2_002]);
  });
});

describe("input", () => {
  it("a bad checksum: dropped and counted; from a device that vouches for it, taken", () => {
    const station = new Station();
    station.listen();
    station.send(SYN, seq(1), seq(0), 0, { damage: true });
    expect(station.sent).toEqual([]);
    expect(station.stack.tcp.counters.inErrors).toBe(1);
    station.send(SYN, seq(1), seq(0), 0, { damage: true, checksum: "verified" });
    expect(station.sent).toHaveLength(1);
  });

  it("SYN with FIN: opens nothing", () => {
    const station = new Station();
    station.listen();
    station.send(SYN | FIN, seq(1), seq(0));
    expect(station.sent).toEqual([]);
    expect(station.stack.tcp.connections).toBe(0);
  });

  it("a listener closed: its half-open connections are reset, its address is free", () => {
    const station = new Station();
    const listener = station.listen();
    station.sendNext(SYN);
    station.sent.length = 0;
    listener.close();
    station.stack.run();
    expect(station.sent.map(({ flags }) => flags & RST)).toEqual([RST]);
    expect(station.stack.tcp.connections).toBe(0);
    station.listen();
  });
});

describe("output", () => {
  it("a connect to nowhere: ENETUNREACH after connect has returned", () => {
    const station = new Station();
    codes.length = 0;
    const stream = station.stack.tcp.connect({ ip: Ip.parse("203.0.113.1")!, port: 9 }, NOTING);
    expect([stream.closed, codes.length, stream.queued, stream.info()]).toEqual([
      false,
      0,
      0,
      null,
    ]);
    station.stack.run();
    expect([stream.closed, codes]).toEqual([true, ["ENETUNREACH"]]);
  });

  it("a local port that is taken: EADDRINUSE; an address of another: EADDRNOTAVAIL", () => {
    const station = new Station();
    const ip = Ip.parse("192.0.2.2")!;
    codes.length = 0;
    station.stack.tcp.connect({ ip, port: 9, localPort: 7_777 }, NOTING);
    station.stack.tcp.connect({ ip, port: 9, localPort: 7_777 }, NOTING);
    station.stack.tcp.connect({ ip, port: 9, localIp: Ip.parse("192.0.2.77")! }, NOTING);
    station.stack.run();
    expect(codes).toEqual(["EADDRINUSE", "EADDRNOTAVAIL"]);
    expect(station.sent.map(({ sourcePort }) => sourcePort)).toEqual([7_777]);
  });

  it.each(["224.0.0.1", "255.255.255.255", "192.0.2.255", "ff02::1"])(
    "a connect to all or many, %s: ENETUNREACH",
    (text) => {
      const station = new Station();
      codes.length = 0;
      station.stack.tcp.connect({ ip: Ip.parse(text)!, port: 9 }, NOTING);
      station.stack.run();
      expect([codes, station.sent]).toEqual([["ENETUNREACH"], []]);
    },
  );

  it("the port of a listener of ours, or an absurd one: EADDRINUSE, EINVAL", () => {
    const station = new Station();
    station.listen();
    const ip = Ip.parse("192.0.2.2")!;
    codes.length = 0;
    station.stack.tcp.connect({ ip, port: 9, localPort: 80 }, NOTING);
    station.stack.tcp.connect({ ip, port: 70_000 }, NOTING);
    station.stack.tcp.connect({ ip, port: 9, localPort: 1.5 }, NOTING);
    station.stack.run();
    expect(codes).toEqual(["EADDRINUSE", "EINVAL", "EINVAL"]);
  });

  it("every ephemeral port to a peer is taken: EADDRNOTAVAIL there, not to another port", () => {
    const station = new Station({}, { connections: 40_000 });
    const ip = Ip.parse("192.0.2.2")!;
    codes.length = 0;
    for (let i = 0; i < 32_769; i++) station.stack.tcp.connect({ ip, port: 9 }, NOTING);
    station.stack.tcp.connect({ ip, port: 10 }, NOTING);
    station.stack.run();
    expect(codes).toEqual(["EADDRNOTAVAIL"]);
    expect(station.stack.tcp.connections).toBe(32_769);
  });

  it("the address goes while connected: nothing is sent; it comes back: what was lost is resent", () => {
    const station = new Station();
    station.listen();
    station.sendNext(SYN);
    station.sendNext(ACK);
    station.sent.length = 0;
    station.stack.configuration.removeAddress("tun0", "192.0.2.1");
    station.stream.write(new Uint8Array(10), 0, 10);
    station.advance(seconds(2));
    expect(station.sent).toEqual([]);
    expect(station.stream.closed).toBe(false);
    station.stack.configuration.addAddress("tun0", "192.0.2.1/24");
    station.advance(seconds(10));
    expect(station.sent.length).toBeGreaterThan(0);
    expect(station.sent[0]).toMatchObject({ payloadLength: 10, sequence: seqAdd(station.iss, 1) });
  });

  it("a stack closed: its connections are reset and its listeners gone", () => {
    const station = new Station();
    station.listen();
    station.sendNext(SYN);
    station.sendNext(ACK);
    station.sendNext(PSH | ACK, 10);
    station.sent.length = 0;
    station.stack.close();
    expect(station.sent.map(({ flags }) => flags & RST)).toEqual([RST]);
    expect(station.stream.closed).toBe(true);
  });
});
