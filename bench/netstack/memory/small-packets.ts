import { NetError } from "../../../src/core/errors.ts";
import type { ConnectHandler, Stream } from "../../../src/core/transport.ts";
import { IPV6_ANY, Ip } from "../../../src/netstack/ip-address.ts";
import type { UdpHandler, UdpOptions } from "../../../src/netstack/udp/endpoint.ts";
import { Pair, SERVER } from "./pair.ts";
import type { Scenario, Work } from "./scenario.ts";

const PORT = 7;
const BURST = 32;
const STEPS = 500;
const MESSAGE = new Uint8Array(64);
const PLAIN = { mtu: 1_500, offload: false };

/** Datagrams of 64 bytes, one way, 32 at a time. */
class Datagrams implements Work, UdpHandler {
  readonly #pair = new Pair(PLAIN);
  readonly #socket;
  #received = 0;

  constructor() {
    const { client, server } = this.#pair;
    const open = (stack: typeof client, options: UdpOptions) => {
      const socket = stack.udp.open(options, this);
      if (socket instanceof NetError) throw socket;
      return socket;
    };
    open(server, { local: { port: PORT } });
    this.#socket = open(client, { remote: { ip: Ip.parse(SERVER)!, port: PORT } });
    this.#socket.send(MESSAGE, 0, MESSAGE.length);
    this.#pair.settle(1);
  }

  get frames(): number {
    return this.#pair.frames;
  }

  onMessage(): void {
    this.#received++;
  }

  onError(error: NetError): void {
    throw error;
  }

  run(): number {
    const before = this.#received;
    for (let i = 0; i < STEPS; i++) {
      for (let k = 0; k < BURST; k++) this.#socket.send(MESSAGE, 0, MESSAGE.length);
      this.#pair.step();
    }
    return this.#received - before;
  }
}

/** One byte there and back: each way a packet, which carries the acknowledgement, too. */
class PingPong implements Work {
  readonly #pair = new Pair(PLAIN);

  constructor() {
    const { client, server } = this.#pair;
    const settings = { noDelay: true };
    server.tcp.listen({ ip: IPV6_ANY, port: PORT, settings }, (stream) => {
      const answer = new Answer();
      answer.stream = stream;
      return answer;
    });
    const answer = new Answer();
    answer.stream = client.tcp.connect({ ip: Ip.parse(SERVER)!, port: PORT, settings }, answer);
  }

  get frames(): number {
    return this.#pair.frames;
  }

  run(): number {
    const before = this.#pair.frames;
    for (let i = 0; i < STEPS; i++) this.#pair.step();
    return this.#pair.frames - before;
  }
}

class Answer implements ConnectHandler {
  stream: Stream | null = null;

  onConnect(): void {
    this.onData();
  }

  onData(): void {
    this.stream?.write(MESSAGE, 0, 1);
  }

  onWritable(): void {}
  onEnd(): void {}

  onClose(): void {
    throw new Error("the connection has ended");
  }
}

export const SMALL_PACKETS: readonly Scenario[] = [
  {
    name: "udp-64",
    describes: "UDP datagrams of 64 bytes, bursts of 32, one way, offloads off",
    unit: "packets/s",
    start: () => new Datagrams(),
  },
  {
    name: "tcp-ping-pong",
    describes: "1 byte over TCP, there and back, offloads off",
    unit: "packets/s",
    start: () => new PingPong(),
  },
];
