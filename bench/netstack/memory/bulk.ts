import type { ConnectHandler, Stream, StreamHandler } from "../../../src/core/transport.ts";
import { IPV6_ANY, Ip } from "../../../src/netstack/ip-address.ts";
import { Pair, SERVER } from "./pair.ts";
import type { Scenario, Work } from "./scenario.ts";

const PORT = 9;
const BLOCK = new Uint8Array(128 * 1024).fill(0x61);
const STEPS = 200;
const BITS = 8e-9;

/** One flow of TCP from one stack to the other. */
class Bulk implements Work {
  readonly #pair: Pair;
  #received = 0;

  constructor(mtu: number, offload: boolean) {
    this.#pair = new Pair({ mtu, offload });
    const { client, server } = this.#pair;
    server.tcp.listen({ ip: IPV6_ANY, port: PORT }, (stream) => this.#sink(stream));
    const source = new Source();
    source.stream = client.tcp.connect({ ip: Ip.parse(SERVER)!, port: PORT }, source);
  }

  get frames(): number {
    return this.#pair.frames;
  }

  run(): number {
    const before = this.#received;
    for (let i = 0; i < STEPS; i++) this.#pair.step();
    return (this.#received - before) * BITS;
  }

  #sink(stream: Stream): StreamHandler {
    return {
      onData: (_buf: Uint8Array, start: number, end: number): void => {
        this.#received += end - start;
      },
      onWritable(): void {},
      onEnd: () => stream.end(),
      onClose(): void {},
    };
  }
}

class Source implements ConnectHandler {
  stream: Stream | null = null;

  onConnect(): void {
    this.onWritable();
  }

  onWritable(): void {
    while (this.stream?.write(BLOCK, 0, BLOCK.length) === false);
  }

  onData(): void {}
  onEnd(): void {}

  onClose(): void {
    throw new Error("the flow has ended");
  }
}

const bulk = (name: string, mtu: number, offload: boolean): Scenario => ({
  name,
  describes: `one TCP flow, MTU ${mtu}, offloads ${offload ? "on" : "off"}`,
  unit: "Gbit/s",
  start: () => new Bulk(mtu, offload),
});

export const BULK: readonly Scenario[] = [
  bulk("tcp-65520", 65_520, true),
  bulk("tcp-1500", 1_500, true),
  bulk("tcp-1500-plain", 1_500, false),
];
