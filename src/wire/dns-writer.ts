import { DNS_ROOT, type DnsName, labelEnd, labelOctets } from "./dns-name.ts";
import { writeOctets } from "./octets.ts";

/** RFC 1035 §4.1.4: what a compression pointer can reach. */
const MAX_OFFSET = 0x3fff;

/**
 * Writes a DNS message and remembers where names are, to point at them. Without a view it writes
 * nothing and only measures. It does not check for room: measure first.
 */
export class DnsWriter {
  readonly #dv: DataView | null;
  readonly #start: number;
  readonly #names = new Map<string, number>();
  at: number;
  /** Whether something had to be written that the format cannot say. */
  refused = false;

  constructor(dv: DataView | null, start: number) {
    this.#dv = dv;
    this.#start = start;
    this.at = start;
  }

  u8(value: number): void {
    this.#dv?.setUint8(this.at, value);
    this.at += 1;
  }

  u16(value: number): void {
    this.#dv?.setUint16(this.at, value);
    this.at += 2;
  }

  u32(value: number): void {
    this.#dv?.setUint32(this.at, value);
    this.at += 4;
  }

  octets(bytes: Uint8Array): void {
    if (this.#dv !== null) writeOctets(this.#dv, this.at, bytes);
    this.at += bytes.length;
  }

  /** A character string (RFC 1035 §3.3): a length octet, then at most 255 others. */
  characterString(bytes: Uint8Array): void {
    if (bytes.length > 0xff) this.refused = true;
    this.u8(bytes.length);
    this.octets(bytes);
  }

  /** Leaves two octets for a length that `closeLength` fills in; returns what that wants. */
  openLength(): number {
    this.u16(0);
    return this.at;
  }

  closeLength(opened: number): void {
    const length = this.at - opened;
    if (length > 0xffff) this.refused = true;
    this.#dv?.setUint16(opened - 2, length);
  }

  /** A name, its end replaced by a pointer where the same letters were written before. */
  compressedName(name: DnsName): void {
    this.#name(name, true);
  }

  /** A name in full: in data of types younger than RFC 1035 (RFC 3597 §4). */
  plainName(name: DnsName): void {
    this.#name(name, false);
  }

  #name(name: DnsName, compress: boolean): void {
    for (let start = 0; name !== DNS_ROOT && start < name.length; ) {
      // Letters must agree in case too, or a reader would see another spelling than was meant.
      const rest = name.slice(start);
      const known = this.#names.get(rest);
      if (known !== undefined && compress) {
        this.u16(0xc000 | known);
        return;
      }
      const offset = this.at - this.#start;
      if (known === undefined && offset <= MAX_OFFSET) this.#names.set(rest, offset);
      const end = labelEnd(name, start);
      const octets = labelOctets(name, start, end);
      this.u8(octets.length);
      for (const octet of octets) this.u8(octet);
      start = end + 1;
    }
    this.u8(0);
  }
}
