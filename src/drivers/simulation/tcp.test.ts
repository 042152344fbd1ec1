import { expect, test } from "vitest";
import type { IpAddress } from "../../core/address.ts";
import { after, millis, seconds } from "../../core/time.ts";
import type { ConnectHandler, Stream, StreamHandler } from "../../core/transport.ts";
import { DEFAULT_LIMITS } from "../../netstack/limits.ts";
import type { LinkConditions } from "./conditions.ts";
import { FULL_OFFLOAD } from "./device.ts";
import { Network } from "./network.ts";

const SERVER = { kind: "ip", ip: "10.0.0.2" as IpAddress, port: 80 } as const;
const NOTHING: StreamHandler = { onData() {}, onWritable() {}, onEnd() {}, onClose() {} };

interface Outcome {
  readonly trace: string;
  readonly received: number;
  readonly intact: boolean;
  readonly micros: number;
}

/** Sends `bytes` from one host to another over a link, and says how that went. */
async function transfer(
  seed: number,
  bytes: number,
  conditions: Partial<LinkConditions>,
  offload = false,
  sendBytes = DEFAULT_LIMITS.sendBytes,
): Promise<Outcome> {
  const lines: string[] = [];
  const network = new Network({ seed, trace: (line) => lines.push(line) });
  const card = offload ? { offload: FULL_OFFLOAD } : {};
  const client = network.host("client", { limits: { sendBytes } });
  const server = network.host("server");
  network.link(
    { host: client, addresses: ["10.0.0.1/24"], ...card },
    { host: server, addresses: ["10.0.0.2/24"], ...card },
    conditions,
  );
  let received = 0;
  let intact = true;
  let ended = false;
  await network.transport(server).listen(SERVER, {}, (stream) => ({
    ...NOTHING,
    onData(buf, start, end) {
      for (let i = start; i < end; i++) intact &&= buf[i] === ((received + i - start) * 31) % 251;
      received += end - start;
    },
    onEnd() {
      ended = true;
      stream.end();
    },
  }));
  const sent = Uint8Array.from({ length: bytes }, (_, i) => (i * 31) % 251);
  let at = 0;
  const begin = network.now;
  const push = (stream: Stream): void => {
    while (at < bytes) {
      const end = Math.min(at + 16_384, bytes);
      const full = stream.write(sent, at, end);
      at = end;
      if (full) return;
    }
    stream.end();
  };
  const handler: ConnectHandler = {
    ...NOTHING,
    onConnect: () => push(stream),
    onWritable: () => push(stream),
  };
  const stream = network.transport(client).connect(SERVER, {}, handler);
  await network.settle(() => ended || network.now > after(begin, seconds(300)));
  return { trace: lines.join("\n"), received, intact, micros: network.now - begin };
}

const ROUGH: Partial<LinkConditions> = {
  latency: millis(10),
  jitter: millis(2),
  bandwidth: 2.5e6,
  queueBytes: 50_000,
  loss: 0.01,
  duplication: 0.01,
  reordering: 0.02,
  corruption: 0.005,
};

test("tcp, nobody has the address: EHOSTUNREACH as soon as neighbour discovery has given up, however often SYNs go", () => {
  for (const initialRto of [millis(400), millis(1_000), millis(1_500), millis(2_900)]) {
    const network = new Network({ seed: 3 });
    const client = network.host("client", { tcp: { initialRto } });
    const other = network.host("other");
    network.link({ host: client, addresses: ["10.0.0.1/24"] }, { host: other });
    const closed: unknown[] = [];
    const handler: ConnectHandler = {
      onConnect() {},
      onData() {},
      onWritable() {},
      onEnd() {},
      onClose: (error) => void closed.push(error?.code),
    };
    const ip = "10.0.0.99" as IpAddress;
    network.transport(client).connect({ kind: "ip", ip, port: 1 }, {}, handler);
    network.run(after(network.now, millis(3_500)));
    expect(closed).toEqual(["EHOSTUNREACH"]);
  }
});

test("tcp with hardly any memory to send from: the writer waits, hears of room, and all arrives", async () => {
  const { received, intact } = await transfer(9, 400_000, { latency: millis(10) }, false, 1_000);
  expect([received, intact]).toEqual([400_000, true]);
});

test("tcp over a rough link: all arrives, in order, and a run repeats exactly", async () => {
  const first = await transfer(9, 400_000, ROUGH);
  expect(first).toMatchObject({ received: 400_000, intact: true });
  const again = await transfer(9, 400_000, ROUGH);
  expect(again.trace === first.trace).toBe(true);
  const other = await transfer(10, 400_000, ROUGH);
  expect(other).toMatchObject({ received: 400_000, intact: true });
  expect(other.trace === first.trace).toBe(false);
});

test("tcp over a link with a bandwidth: takes the time that the bytes need, and little more", async () => {
  const slow = { latency: millis(5), bandwidth: 1.25e6, queueBytes: 30_000 };
  const { received, micros } = await transfer(1, 1_000_000, slow);
  expect(received).toBe(1_000_000);
  expect(micros).toBeGreaterThan(800_000);
  expect(micros).toBeLessThan(1_200_000);
});

test("tcp with long segments, whole or cut by the link: the same bytes in about the same time", async () => {
  const fast = { latency: millis(1), bandwidth: 12.5e6, queueBytes: 200_000 };
  const whole = await transfer(2, 1_000_000, fast, true);
  const cut = await transfer(2, 1_000_000, { ...fast, cutSegments: true }, true);
  expect(whole).toMatchObject({ received: 1_000_000, intact: true });
  expect(cut).toMatchObject({ received: 1_000_000, intact: true });
  expect(Math.max(whole.micros, cut.micros)).toBeLessThan(200_000);
  expect(whole.trace.split("\n").length).toBeLessThan(cut.trace.split("\n").length);
});
