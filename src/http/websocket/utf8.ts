/** Checks UTF-8 (RFC 3629) piece by piece: no overlong forms, no surrogates, nothing above U+10FFFF. */
export class Utf8Check {
  /** Octets that the character under way still needs. */
  #due: number;
  /** Bounds of the next of them. */
  #low: number;
  #high: number;

  constructor() {
    this.#due = 0;
    this.#low = 0x80;
    this.#high = 0xbf;
  }

  /** No character is under way. */
  get complete(): boolean {
    return this.#due === 0;
  }

  /** False as soon as no continuation could make it valid. */
  takes(buf: Uint8Array, start: number, end: number): boolean {
    let at = start;
    for (;;) {
      if (this.#due === 0) {
        while (at < end && buf[at]! < 0x80) at++;
        if (at === end) return true;
        if (!this.#lead(buf[at++]!)) return false;
      } else {
        if (at === end) return true;
        const octet = buf[at++]!;
        if (octet < this.#low || octet > this.#high) return false;
        this.#low = 0x80;
        this.#high = 0xbf;
        this.#due--;
      }
    }
  }

  #lead(octet: number): boolean {
    if (octet < 0xc2 || octet > 0xf4) return false;
    if (octet < 0xe0) {
      this.#due = 1;
    } else if (octet < 0xf0) {
      this.#due = 2;
      if (octet === 0xe0) this.#low = 0xa0;
      else if (octet === 0xed) this.#high = 0x9f;
    } else {
      this.#due = 3;
      if (octet === 0xf0) this.#low = 0x90;
      else if (octet === 0xf4) this.#high = 0x8f;
    }
    return true;
  }
}
