import { allocBytes } from "../../core/bytes.ts";

const PAD = 0x3d;
/** By octet: its six bits, or 255. */
const BITS = new Uint8Array(256).fill(255);
for (const [i, c] of [
  ..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
].entries()) {
  BITS[c.charCodeAt(0)] = i;
}

/**
 * Base64 from pieces cut anywhere. Padding may stand wherever four characters end: clients and servers
 * of gRPC-Web code each chunk on its own and send the texts one after another.
 */
export class Base64Reader {
  /** The bits of the group under way, how many characters it has, and how many of these are padding. */
  private bits = 0;
  private count = 0;
  private padding = 0;
  private broken = false;

  /** What buf[start, end) decodes to, or null for what is no base64. */
  read(buf: Uint8Array, start: number, end: number): Uint8Array | null {
    const out = allocBytes((((this.count + end - start) / 4) | 0) * 3);
    let length = 0;
    for (let i = start; i < end && !this.broken; i++) {
      this.take(buf[i]!);
      if (this.count < 4) continue;
      const octets = 3 - this.padding;
      out[length] = this.bits >>> 16;
      if (octets > 1) out[length + 1] = this.bits >>> 8;
      if (octets > 2) out[length + 2] = this.bits;
      length += octets;
      this.bits = 0;
      this.count = 0;
      this.padding = 0;
    }
    return this.broken ? null : out.subarray(0, length);
  }

  private take(octet: number): void {
    const six = BITS[octet]!;
    if (octet === PAD && this.count >= 2) {
      this.padding++;
      this.bits <<= 6;
    } else if (six !== 255 && this.padding === 0) this.bits = (this.bits << 6) | six;
    else this.broken = true;
    this.count++;
  }

  /** Ends the text; false when it ends within a group of four. */
  end(): boolean {
    return this.count === 0 && !this.broken;
  }
}
