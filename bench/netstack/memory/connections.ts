import type { ConnectHandler, Stream, StreamHandler } from "../../../src/core/transport.ts";
import { IPV6_ANY, Ip } from "../../../src/netstack/ip-address.ts";
import { Pair, SERVER } from "./pair.ts";
import type { Scenario, Work } from "./scenario.ts";

const PORT = 80;
const AT_ONCE = 16;
const STEPS = 200;

/** Connections that are opened, closed by both ends, and leave their TIME_WAIT behind. */
class Churn implements Work {
  readonly #pair = new Pair({ mtu: 1_500, offload: false });
  readonly #target = { ip: Ip.parse(SERVER)!, port: PORT };
  #closed = 0;
  #missing = AT_ONCE;

  constructor() {
    this.#pair.server.tcp.listen({ ip: IPV6_ANY, port: PORT }, (stream) => new Served(stream));
  }

  get frames(): number {
    return this.#pair.frames;
  }

  run(): number {
    const before = this.#closed;
    for (let i = 0; i < STEPS; i++) {
      for (; this.#missing > 0; this.#missing--) this.#open();
      this.#pair.step();
    }
    return this.#closed - before;
  }

  #open(): void {
    const visit = new Visit(() => {
      this.#closed++;
      this.#missing++;
    });
    visit.stream = this.#pair.client.tcp.connect(this.#target, visit);
  }
}

class Visit implements ConnectHandler {
  stream: Stream | null = null;
  readonly #done: () => void;

  constructor(done: () => void) {
    this.#done = done;
  }

  onConnect(): void {
    this.stream?.end();
  }

  onClose(error: Error | null): void {
    if (error !== null) throw error;
    this.#done();
  }

  onData(): void {}
  onWritable(): void {}
  onEnd(): void {}
}

class Served implements StreamHandler {
  readonly #stream: Stream;

  constructor(stream: Stream) {
    this.#stream = stream;
  }

  onEnd(): void {
    this.#stream.end();
  }

  onData(): void {}
  onWritable(): void {}
  onClose(): void {}
}

export const CONNECTIONS: Scenario = {
  name: "connections",
  describes: "connections opened and closed by both ends, 16 at once, without data",
  unit: "connections/s",
  start: () => new Churn(),
};
