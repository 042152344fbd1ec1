import { copyOctets, NO_DATA, writeOctets, zeroOctets } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** Options of IPv4 (RFC 791 §3.1): one octet, or type, length (of all of it) and data. */
const TYPE = 0;
const LENGTH = 1;
const DATA = 2;
const MAX_OPTIONS_LENGTH = 40;

/** Those of IANA's "IP Option Numbers" that matter to a host; others stay numbers. */
export const Ipv4OptionType = {
  end: 0,
  noOperation: 1,
  recordRoute: 7,
  timestamp: 68,
  /** Packets with a source route are to be dropped (RFC 7126 §4.3, §4.4). */
  looseSourceRoute: 131,
  strictSourceRoute: 137,
  /** RFC 2113. */
  routerAlert: 148,
} as const;

/** Walks options one by one; reused. */
export class Ipv4Options {
  dv: DataView = NO_DATA;
  next = 0;
  end = 0;
  type = 0;
  dataStart = 0;
  dataEnd = 0;

  /** On the octets between the fixed header and the payload. */
  reset(dv: DataView, start: number, end: number): void {
    this.dv = dv;
    this.next = start;
    this.end = end;
  }

  /** Steps to the next option but padding. After anything but `ok` the walk is over. */
  step(): WireStatus | "end" {
    while (this.next < this.end) {
      const at = this.next;
      const type = this.dv.getUint8(at + TYPE);
      if (type === Ipv4OptionType.end) break;
      if (type === Ipv4OptionType.noOperation) {
        this.next = at + 1;
        continue;
      }
      if (this.end - at < DATA) return "truncated";
      const length = this.dv.getUint8(at + LENGTH);
      if (length < DATA) return "malformed";
      if (length > this.end - at) return "truncated";
      this.type = type;
      this.dataStart = at + DATA;
      this.dataEnd = at + length;
      this.next = at + length;
      return "ok";
    }
    return "end";
  }

  /** Whether every fragment carries it (RFC 791 §3.1, the copied flag). */
  get copied(): boolean {
    return (this.type & 0x80) !== 0;
  }
}

/** An option with a length; those of one octet are padding and not told. */
export interface Ipv4Option {
  /** Neither 0 nor 1. */
  readonly type: number;
  readonly data: Uint8Array;
}

/** The options at dv[start, end), or null when one of them is malformed. */
export function parseIpv4Options(dv: DataView, start: number, end: number): Ipv4Option[] | null {
  const found: Ipv4Option[] = [];
  const walk = new Ipv4Options();
  walk.reset(dv, start, end);
  let status = walk.step();
  for (; status === "ok"; status = walk.step()) {
    found.push({ type: walk.type, data: copyOctets(dv, walk.dataStart, walk.dataEnd) });
  }
  return status === "end" ? found : null;
}

/** With the padding to a multiple of 4; the options that are past 40 octets are not counted. */
export function ipv4OptionsLength(options: readonly Ipv4Option[]): number {
  let length = 0;
  for (const { data } of options) {
    if (length + DATA + data.length > MAX_OPTIONS_LENGTH) break;
    length += DATA + data.length;
  }
  return (length + 3) & ~3;
}

/** Writes the options that 40 octets hold and pads with end-of-list; there must be room. */
export function emitIpv4Options(
  options: readonly Ipv4Option[],
  dv: DataView,
  start: number,
): number {
  const end = start + ipv4OptionsLength(options);
  let at = start;
  for (const { type, data } of options) {
    if (at + DATA + data.length > end) break;
    dv.setUint8(at + TYPE, type);
    dv.setUint8(at + LENGTH, DATA + data.length);
    at = writeOctets(dv, at + DATA, data);
  }
  return zeroOctets(dv, at, end);
}
