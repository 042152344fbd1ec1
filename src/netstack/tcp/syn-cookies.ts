import { elapsed, type Instant, seconds } from "../../core/time.ts";
import { type Seq, seq } from "../../wire/seq.ts";
import type { Ip } from "../ip-address.ts";
import type { SecretNumbers } from "./initial-sequence.ts";

/** A cookie is good in the period in which it was made and in the next one. */
const PERIOD = seconds(64);
/** How long after the last cookie an ACK is looked at as one that brings a cookie back. */
const BELIEVED = (2 * PERIOD) as typeof PERIOD;
const LOW = 0x00ff_ffff;
/**
 * Segment sizes that a cookie can name: the one at or below the peer's is taken. After RFC 4987 §3.6's
 * advice the usual ones: 536 (RFC 9293), 1,220 (IPv6's least), 1,440 and 1,460 (Ethernet).
 */
const MSS_V4 = [536, 1_300, 1_440, 1_460] as const;
const MSS_V6 = [1_220, 1_340, 1_420, 1_440] as const;
/** Low bits of the timestamp beside a cookie: the peer's shift (15: none), SACK, ECN. */
const OPTION_BITS = 6;
const OPTION_MASK = (1 << OPTION_BITS) - 1;
const NO_SCALE = 15;
const SACK_BIT = 0x10;
const ECN_BIT = 0x20;

/** What the timestamp of a SYN+ACK keeps of the options of its SYN. */
export interface CookieOptions {
  /** -1: none was offered. */
  readonly windowScale: number;
  readonly sack: boolean;
  readonly ecn: boolean;
}

/**
 * SYN cookies (RFC 4987 §3.6): the sequence number of the SYN+ACK holds all that has to be known of
 * the SYN, so that nothing is kept until its ACK comes. Its high octet counts periods, offset by a
 * secret; the rest is a keyed hash of the 4-tuple, the peer's number and the period, plus the index
 * of the segment size. With timestamps, the other options travel in ours and come back as the echo.
 */
export class SynCookies {
  readonly #secret: SecretNumbers;

  constructor(secret: SecretNumbers) {
    this.#secret = secret;
  }

  /** The number of the SYN+ACK that answers a SYN with number `irs`. */
  make(now: Instant, local: Ip, remote: Ip, ports: number, irs: Seq, mss: number): Seq {
    const period = periodOf(now);
    const sizes = local.version === 4 ? MSS_V4 : MSS_V6;
    let index = sizes.length - 1;
    while (index > 0 && sizes[index]! > mss) index--;
    return this.#cookie(local, remote, ports, irs, period, index);
  }

  /** The segment size that a cookie names, or -1 when it is none of ours, or too old. */
  read(now: Instant, local: Ip, remote: Ip, ports: number, irs: Seq, cookie: Seq): number {
    const sizes = local.version === 4 ? MSS_V4 : MSS_V6;
    const period = periodOf(now);
    for (let age = 0; age < 2; age++) {
      const base = this.#cookie(local, remote, ports, irs, period - age, 0);
      if ((base ^ cookie) >>> 24 !== 0) continue;
      const index = (cookie - base) & LOW;
      if (index < sizes.length) return sizes[index]!;
    }
    return -1;
  }

  /** Whether ACKs to a listener that sent its last cookie then may bring one back. */
  believed(now: Instant, lastCookieAt: Instant | null): boolean {
    return lastCookieAt !== null && elapsed(lastCookieAt, now) <= BELIEVED;
  }

  #cookie(local: Ip, remote: Ip, ports: number, irs: Seq, period: number, index: number): Seq {
    const hash = this.#secret.cookie(local, remote, ports, irs, period);
    const high = this.#secret.cookie(local, remote, ports, 0 as Seq, 0) >>> 24;
    return seq((((period + high) & 0xff) << 24) | ((hash + index) & LOW));
  }
}

/**
 * Our timestamp that holds the options: the last clock reading whose low bits are theirs, so that the
 * connection's later ones do not go back.
 */
export function timestampWithOptions(now: Instant, offset: number, options: CookieOptions): number {
  const clock = Math.floor(now / 1_000);
  const bits =
    (options.windowScale < 0 ? NO_SCALE : options.windowScale) |
    (options.sack ? SACK_BIT : 0) |
    (options.ecn ? ECN_BIT : 0);
  const base = clock - (clock % (OPTION_MASK + 1)) + bits;
  return ((base > clock ? base - OPTION_MASK - 1 : base) + offset) >>> 0;
}

export function optionsInTimestamp(echo: number, offset: number): CookieOptions {
  const bits = (echo - offset) & OPTION_MASK;
  const scale = bits & 0xf;
  return {
    windowScale: scale === NO_SCALE ? -1 : scale,
    sack: (bits & SACK_BIT) !== 0,
    ecn: (bits & ECN_BIT) !== 0,
  };
}

const periodOf = (now: Instant): number => Math.floor(now / PERIOD);
