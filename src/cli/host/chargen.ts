import { below, type Rng } from "../../core/random.ts";
import type { Stream, StreamHandler } from "../../core/transport.ts";
import type { UdpHandler, UdpSender } from "../../netstack/udp/endpoint.ts";
import type { UdpSocket } from "../../netstack/udp/udp-socket.ts";
import { mayAnswer, type Service, ServiceConnection, ServiceCounters } from "./service.ts";

const FIRST = 0x20;
/** The printing characters of ASCII, space included. */
const CHARACTERS = 95;
const LINE = 72;
const PERIOD = CHARACTERS * (LINE + 2);
/** Whole periods, so that blocks joined are the pattern again; more than a 64 KiB segment. */
const BLOCK_PERIODS = 20;

/** RFC 864's pattern: lines of 72 characters, each beginning one character later than the last. */
export const CHARGEN_BLOCK: Uint8Array = makePattern();

/** RFC 864 asks for 0 to 512 characters in the answer to a datagram. */
const MOST_IN_DATAGRAM = 512;

/** RFC 864: sends characters until the peer ends; answers each datagram with some. */
export class ChargenService implements Service {
  readonly name = "chargen";
  readonly counters = new ServiceCounters();
  readonly #rng: Rng;

  constructor(rng: Rng) {
    this.#rng = rng;
  }

  accept(stream: Stream): StreamHandler {
    const connection = new ChargenConnection(stream, this.counters);
    connection.onWritable();
    return connection;
  }

  datagrams(socket: () => UdpSocket): UdpHandler {
    const { counters } = this;
    return {
      onMessage: (_bytes: Uint8Array, start: number, end: number, from: UdpSender): void => {
        counters.datagramsIn++;
        counters.bytesIn += end - start;
        if (!mayAnswer(from)) return;
        const length = below(this.#rng, MOST_IN_DATAGRAM + 1);
        const to = { ip: from.ip, port: from.port };
        if (socket().send(CHARGEN_BLOCK, 0, length, to) !== "sent") return;
        counters.datagramsOut++;
        counters.bytesOut += length;
      },
      onError(): void {},
    };
  }
}

class ChargenConnection extends ServiceConnection {
  #ended = false;

  /** What comes is thrown away. */
  onData(_buf: Uint8Array, start: number, end: number): void {
    this.counters.bytesIn += end - start;
  }

  /** Writes blocks up to the high-water mark. */
  override onWritable(): void {
    while (!this.#ended && !this.stream.closed) {
      this.counters.bytesOut += CHARGEN_BLOCK.length;
      if (this.stream.write(CHARGEN_BLOCK, 0, CHARGEN_BLOCK.length)) return;
    }
  }

  override onEnd(): void {
    this.#ended = true;
    this.stream.close();
  }
}

function makePattern(): Uint8Array {
  const block = new Uint8Array(PERIOD * BLOCK_PERIODS);
  let at = 0;
  for (let line = 0; line < CHARACTERS * BLOCK_PERIODS; line++) {
    for (let i = 0; i < LINE; i++) block[at++] = FIRST + ((line + i) % CHARACTERS);
    block[at++] = 0x0d;
    block[at++] = 0x0a;
  }
  return block;
}
