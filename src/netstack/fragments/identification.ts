import type { StackContext } from "../context.ts";
import type { Ip } from "../ip-address.ts";
import { drawSipKey, type SipKey, siphash, siphashHigh } from "../siphash.ts";

const COUNTERS = 1024;

/**
 * Identifications of IPv4 packets and IPv6 fragments: a counter of the flow's bucket on top of a keyed
 * hash of the flow (RFC 7739 §5.3), so that one peer's numbers tell nothing of another's. The counter
 * goes on, so a number does not come again soon (RFC 6864 §4.2, RFC 8200 §4.5).
 */
export class Identifications {
  readonly #key: SipKey;
  readonly #counters = new Int32Array(COUNTERS);
  readonly #words = new Int32Array(9);

  constructor(context: StackContext) {
    const { rng } = context;
    this.#key = drawSipKey(rng);
    for (let i = 0; i < COUNTERS; i++) this.#counters[i] = rng.u32();
  }

  /** 32 bits, unsigned, of which IPv4 takes the low 16. */
  next(source: Ip, destination: Ip, protocol: number): number {
    const words = this.#words;
    words[0] = source.w0;
    words[1] = source.w1;
    words[2] = source.w2;
    words[3] = source.w3;
    words[4] = destination.w0;
    words[5] = destination.w1;
    words[6] = destination.w2;
    words[7] = destination.w3;
    words[8] = protocol;
    // RFC 7739 §5.3 asks for two functions: the halves of one hash know nothing of each other.
    const offset = siphash(this.#key, words, 9);
    const bucket = siphashHigh() & (COUNTERS - 1);
    const count = this.#counters[bucket]!;
    this.#counters[bucket] = count + 1;
    return (offset + count) >>> 0;
  }
}
