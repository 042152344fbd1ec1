import type { Instant } from "../../core/time.ts";
import { type Seq, seq } from "../../wire/seq.ts";
import type { Ip } from "../ip-address.ts";
import { type SipKey, siphash } from "../siphash.ts";

/** RFC 9293 §3.4.1: the clock of initial sequence numbers ticks every 4 microseconds. */
const TICK = 4;
/** Told apart in the hash, so that no number gives another away. */
const Purpose = { sequence: 1, timestamp: 2, cookie: 3, port: 4 } as const;

/** Numbers that nobody without the stack's secret can predict, as functions of a connection. */
export class SecretNumbers {
  readonly #key: SipKey;
  readonly #words = new Int32Array(12);

  constructor(key: SipKey) {
    this.#key = key;
  }

  /** RFC 6528 §3: ISN = M + F(4-tuple, secret). */
  initialSequence(now: Instant, local: Ip, localPort: number, remote: Ip, remotePort: number): Seq {
    const hash = this.#hash(Purpose.sequence, local, remote, (localPort << 16) | remotePort, 0, 0);
    return seq(hash + (Math.floor(now / TICK) % 0x1_0000_0000));
  }

  /**
   * What a connection adds to its timestamps (RFC 7323 §5.4): the same for all between two
   * addresses, so that the next incarnation of a 4-tuple goes on where the last one was (RFC 6191).
   */
  timestampOffset(local: Ip, remote: Ip): number {
    return this.#hash(Purpose.timestamp, local, remote, 0, 0, 0);
  }

  cookie(local: Ip, remote: Ip, ports: number, irs: Seq, minute: number): number {
    return this.#hash(Purpose.cookie, local, remote, ports, irs, minute);
  }

  /** RFC 6056 §3.3.4: `which` is 0 for F, 1 for G. */
  portOffset(local: Ip, remote: Ip, remotePort: number, which: 0 | 1): number {
    return this.#hash(Purpose.port, local, remote, remotePort, which, 0);
  }

  #hash(purpose: number, local: Ip, remote: Ip, a: number, b: number, c: number): number {
    const words = this.#words;
    words[0] = purpose;
    words[1] = local.w0;
    words[2] = local.w1;
    words[3] = local.w2;
    words[4] = local.w3;
    words[5] = remote.w0;
    words[6] = remote.w1;
    words[7] = remote.w2;
    words[8] = remote.w3;
    words[9] = a;
    words[10] = b;
    words[11] = c;
    return siphash(this.#key, words, 12);
  }
}
