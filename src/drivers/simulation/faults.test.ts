import { expect, test } from "vitest";
import { NetError } from "../../core/errors.ts";
import { SeededRng } from "../../core/random.ts";
import { instant, millis } from "../../core/time.ts";
import type { ConnectHandler } from "../../core/transport.ts";
import { Ip } from "../../netstack/ip-address.ts";
import { PacketSocket } from "../../netstack/raw/packet-socket.ts";
import { Stack } from "../../netstack/stack.ts";
import type { TcpStream } from "../../netstack/tcp/tcp-stream.ts";
import { Network } from "./network.ts";

const THERE = Ip.v4(0x0a00_0002);
const QUIET: ConnectHandler = {
  onConnect() {},
  onData() {},
  onWritable() {},
  onEnd() {},
  onClose() {},
};
const failing = (what: string) => (): never => {
  throw new Error(what);
};

/** Two hosts; what either end's handlers throw is in `faults`. */
function world() {
  const faults: string[] = [];
  const onFault = (error: unknown) => void faults.push((error as Error).message);
  const network = new Network({ seed: 1, onFault });
  const near = network.host("near");
  const far = network.host("far");
  network.link(
    { host: near, addresses: ["10.0.0.1/24"], settings: { conflictDetection: "off" } },
    { host: far, addresses: ["10.0.0.2/24"], settings: { conflictDetection: "off" } },
    { latency: millis(1) },
  );
  return { network, near, far, faults };
}

/** A connection that goes on while something else fails, with an echo at its far end. */
function bystander({ network, near, far }: ReturnType<typeof world>) {
  let heard = 0;
  far.stack.tcp.listen({ ip: THERE, port: 7 }, (stream) => ({
    ...QUIET,
    onData: (bytes, start, end) => void stream.write(bytes, start, end),
  }));
  const stream = near.stack.tcp.connect(
    { ip: THERE, port: 7 },
    { ...QUIET, onData: (_bytes, start, end) => void (heard += end - start) },
  );
  const works = (): boolean => {
    heard = 0;
    stream.write(new Uint8Array(10), 0, 10);
    network.run(() => heard === 10 || stream.closed);
    return heard === 10;
  };
  return works;
}

test.each(["onConnect", "onData", "onWritable", "onEnd", "onClose"] as const)(
  "a handler's %s throws: its connection ends, the driver is told, others go on",
  (which) => {
    const w = world();
    const works = bystander(w);
    expect(works()).toBe(true);
    w.far.stack.tcp.listen({ ip: THERE, port: 9 }, (stream) => {
      stream.write(new Uint8Array(10), 0, 10);
      stream.end();
      return { ...QUIET, onEnd: () => stream.close() };
    });
    const stream: TcpStream = w.near.stack.tcp.connect(
      { ip: THERE, port: 9, settings: { sendHighWater: 100, sendLowWater: 10 } },
      {
        ...QUIET,
        onConnect: () => void stream.write(new Uint8Array(1_000), 0, 1_000),
        onEnd: () => stream.close(),
        [which]: failing(which),
      },
    );
    w.network.run(() => stream.closed);
    expect(w.faults).toEqual([which]);
    expect(works()).toBe(true);
    expect(w.faults).toEqual([which]);
  },
);

test("an acceptor throws: the connection is reset, the listener goes on", () => {
  const w = world();
  let calls = 0;
  w.far.stack.tcp.listen({ ip: THERE, port: 9 }, () => {
    if (calls++ === 0) throw new Error("acceptor");
    return QUIET;
  });
  const codes: (string | undefined)[] = [];
  const handler = { ...QUIET, onClose: (error: NetError | null) => void codes.push(error?.code) };
  const first = w.near.stack.tcp.connect({ ip: THERE, port: 9 }, handler);
  w.network.run(() => first.closed);
  expect([w.faults, codes]).toEqual([["acceptor"], ["ECONNRESET"]]);
  w.near.stack.tcp.connect({ ip: THERE, port: 9 }, QUIET);
  w.network.run(() => calls === 2);
  expect(w.faults.length).toBe(1);
});

test("sockets, taps, watchers and timers throw: the driver is told, the stack goes on", () => {
  const w = world();
  const works = bystander(w);
  expect(works()).toBe(true);
  const { stack } = w.far;
  const iface = w.far.interface();
  stack.watch(failing("watcher"));
  stack.udp.open({ local: { port: 5 } }, { onMessage: failing("udp"), onError() {} });
  stack.raw.open({ version: 4, protocol: 17 }, { onPacket: failing("raw") });
  const tap = new PacketSocket(iface, { onFrame: failing("tap") });
  stack.context.schedule({ onTimer: failing("timer") }, stack.context.now());
  stack.configuration.addAddress("eth0", "10.9.0.1/24");
  expect(works()).toBe(true);
  tap.close();
  const sender = w.near.stack.udp.open({}, { onMessage() {}, onError() {} });
  if (sender instanceof NetError) throw sender;
  sender.send(new Uint8Array(4), 0, 4, { ip: THERE, port: 5 });
  w.network.run(() => w.faults.includes("udp"));
  expect([...new Set(w.faults)].sort()).toEqual(["raw", "tap", "timer", "udp", "watcher"]);
  expect(works()).toBe(true);
});

test("nobody listens for faults: the run throws them when it is through", () => {
  const stack = new Stack({ clock: { now: () => instant(1) }, rng: new SeededRng(1), wake() {} });
  const loopback = Ip.v4(0x7f00_0001);
  stack.tcp.listen({ ip: loopback, port: 9 }, failing("acceptor"));
  let closed = 0;
  const handler = { ...QUIET, onClose: () => void closed++, onConnect: failing("connect") };
  for (const port of [9, 9]) stack.tcp.connect({ ip: loopback, port }, handler);
  expect(() => stack.run()).toThrow(AggregateError);
  expect(closed).toBe(2);
  expect(() => stack.run()).not.toThrow();
  let deviceClosed = false;
  stack.loopback.device.close = () => void (deviceClosed = true);
  stack.tcp.connect({ ip: loopback, port: 9 }, { ...QUIET, onClose: failing("closed") });
  expect(() => stack.close()).toThrow("closed");
  expect(deviceClosed).toBe(true);
});
