import { copyOctets, hasRoom, NO_DATA, writeOctets, zeroOctets } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/**
 * Hop-by-hop and destination options (RFC 8200 §4.2 – §4.6): next header, length in 8 octets after
 * the first 8, then options of type, length and data.
 */
const NEXT_HEADER = 0;
const HEADER_LENGTH = 1;
const FIRST_OPTION = 2;

const PAD1 = 0;
const PAD_N = 1;
/** RFC 8504 §5.3: more than 7 octets of padding in a row, and more than 8 options, may be refused. */
const MAX_PADDING = 7;
const MAX_OPTIONS = 8;
const MAX_HEADER_LENGTH = 2048;

export const Ipv6OptionType = { routerAlert: 5, jumboPayload: 0xc2 } as const;

/** What to do with an option that is not known (RFC 8200 §4.2). */
export type UnknownOptionAction = "skip" | "discard" | "report" | "report-unless-multicast";

const ACTIONS = ["skip", "discard", "report", "report-unless-multicast"] as const;

/** Walks the options of one header, padding left out; reused. */
export class Ipv6Options {
  dv: DataView = NO_DATA;
  next = 0;
  end = 0;
  seen = 0;
  type = 0;
  /** Where the option's type is: an ICMPv6 error points at it. */
  typeAt = 0;
  dataStart = 0;
  dataEnd = 0;

  /** On a header that `Ipv6Walker` has found at `headerAt`. */
  reset(dv: DataView, headerAt: number): void {
    this.dv = dv;
    this.next = headerAt + FIRST_OPTION;
    this.end = headerAt + (dv.getUint8(headerAt + HEADER_LENGTH) + 1) * 8;
    this.seen = 0;
  }

  /** Steps to the next option. After anything but `ok` the walk is over. */
  step(): WireStatus | "end" {
    const { dv, end } = this;
    let padding = 0;
    while (this.next < end) {
      const at = this.next;
      const type = dv.getUint8(at);
      if (type !== PAD1 && end - at < 2) return "truncated";
      const length = type === PAD1 ? 1 : 2 + dv.getUint8(at + 1);
      if (length > end - at) return "truncated";
      this.next = at + length;
      if (type === PAD1 || type === PAD_N) {
        padding += length;
        if (padding > MAX_PADDING) return "limit";
        continue;
      }
      if (this.seen++ === MAX_OPTIONS) return "limit";
      this.type = type;
      this.typeAt = at;
      this.dataStart = at + 2;
      this.dataEnd = at + length;
      return "ok";
    }
    return "end";
  }

  get unknownAction(): UnknownOptionAction {
    return ACTIONS[this.type >>> 6]!;
  }
}

export interface Ipv6Option {
  /** Neither 0 nor 1, which are padding. */
  readonly type: number;
  /** At most 255 octets. */
  readonly data: Uint8Array;
}

/** A header of hop-by-hop or destination options: which of them, the header before it says. */
export interface Ipv6OptionsRepr {
  readonly nextHeader: number;
  /** At most 8, with at most 2,048 octets altogether. */
  readonly options: readonly Ipv6Option[];
}

/** The header at `headerAt`, or null when an option of it is malformed or over a limit. */
export function parseIpv6Options(dv: DataView, headerAt: number): Ipv6OptionsRepr | null {
  const walk = new Ipv6Options();
  walk.reset(dv, headerAt);
  const options: Ipv6Option[] = [];
  let status = walk.step();
  for (; status === "ok"; status = walk.step()) {
    options.push({ type: walk.type, data: copyOctets(dv, walk.dataStart, walk.dataEnd) });
  }
  return status === "end" ? { nextHeader: dv.getUint8(headerAt + NEXT_HEADER), options } : null;
}

/** Of the whole header, a multiple of 8. */
export function ipv6OptionsLength(repr: Ipv6OptionsRepr): number {
  let length = FIRST_OPTION;
  for (const { data } of repr.options) length += 2 + data.length;
  return (length + 7) & ~7;
}

/** Returns the end of the header, or -1 without room or for more octets than a header holds. */
export function emitIpv6Options(repr: Ipv6OptionsRepr, dv: DataView, start: number): number {
  const length = ipv6OptionsLength(repr);
  if (length > MAX_HEADER_LENGTH || !hasRoom(dv, start, length)) return -1;
  dv.setUint8(start + NEXT_HEADER, repr.nextHeader);
  dv.setUint8(start + HEADER_LENGTH, length / 8 - 1);
  let at = start + FIRST_OPTION;
  for (const { type, data } of repr.options) {
    dv.setUint8(at, type);
    dv.setUint8(at + 1, data.length);
    at = writeOctets(dv, at + 2, data);
  }
  const padding = start + length - at;
  zeroOctets(dv, at, start + length);
  if (padding > 1) {
    dv.setUint8(at, PAD_N);
    dv.setUint8(at + 1, padding - 2);
  }
  return start + length;
}
