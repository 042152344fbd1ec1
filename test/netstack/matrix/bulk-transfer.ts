import { after, type Duration, millis, seconds } from "../../../src/core/time.ts";
import { Network } from "../../../src/drivers/simulation/public.ts";
import { type CongestionName, Ip, type TcpStream } from "../../../src/netstack/public.ts";

export interface Cell {
  readonly congestion: CongestionName;
  /** Round trip in milliseconds. */
  readonly rtt: number;
  /** Share of the data segments that the link loses, 0 to 1. */
  readonly loss: number;
}

export interface Outcome extends Cell {
  /** Goodput in bit/s, once the connection has found its pace. */
  readonly rate: number;
  /** Share of the segments that were sent again, 0 to 1. */
  readonly repeated: number;
  /** Share of the segments that were lost, on the way or as the queue was full. */
  readonly lost: number;
}

/** 100 Mbit/s, in bytes a second. */
export const BANDWIDTH = 12.5e6;
const ETHERNET_FRAME = 1514;
/** A queue of less is none: a sender's bursts overflow it. */
const LEAST_QUEUE = 32 * ETHERNET_FRAME;
const CHUNK = new Uint8Array(65_536);

/**
 * One connection that always has something to send, over a link with a queue of the product of bandwidth
 * and round trip. The first quarter of `duration` is not counted.
 */
export function bulkTransfer(cell: Cell, seed: number, duration: Duration): Outcome {
  const network = new Network({ seed });
  const settings = { dadTransmits: 0, conflictDetection: "off" } as const;
  const tcp = { congestion: cell.congestion, sendHighWater: 8 << 20, sendLowWater: 4 << 20 };
  const sender = network.host("sender", { settings, tcp });
  const receiver = network.host("receiver", { settings, tcp });
  const latency = millis(cell.rtt / 2);
  const queueBytes = Math.max(LEAST_QUEUE, (BANDWIDTH * cell.rtt) / 1000);
  const link = network.link(
    { host: sender, addresses: ["10.0.0.1/24"] },
    { host: receiver, addresses: ["10.0.0.2/24"] },
    { latency, bandwidth: BANDWIDTH, queueBytes, loss: cell.loss },
    { loss: 0 },
  );
  network.run(after(network.now, seconds(1)));
  let received = 0;
  const address = Ip.parse("10.0.0.2")!;
  receiver.stack.tcp.listen({ ip: address, port: 5001 }, () => ({
    onData: (_bytes, start, end) => void (received += end - start),
    onWritable() {},
    onEnd() {},
    onClose() {},
  }));
  const fill = (stream: TcpStream): void => {
    while (!stream.write(CHUNK, 0, CHUNK.length)) {}
  };
  const stream: TcpStream = sender.stack.tcp.connect(
    { ip: address, port: 5001 },
    {
      onConnect: () => fill(stream),
      onWritable: () => fill(stream),
      onData() {},
      onEnd() {},
      onClose(error) {
        throw error ?? new Error("closed");
      },
    },
  );
  const begin = network.now;
  network.run(after(begin, Math.trunc(duration / 4) as Duration));
  const before = received;
  const from = network.now;
  network.run(after(begin, duration));
  const info = stream.info()!;
  const { lost, overflowed } = link.forward.counters;
  return {
    ...cell,
    rate: ((received - before) * 8e6) / (network.now - from),
    repeated: info.segmentsRetransmitted / info.segmentsSent,
    lost: (lost + overflowed) / info.segmentsSent,
  };
}
