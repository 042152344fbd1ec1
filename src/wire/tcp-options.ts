import { copyOctets, NO_DATA } from "./octets.ts";
import { type Seq, seq } from "./seq.ts";

/** Kinds of TCP options: RFC 9293 §3.1 and the IANA registry. */
export const TcpOption = {
  end: 0,
  noOperation: 1,
  maximumSegmentSize: 2,
  windowScale: 3,
  sackPermitted: 4,
  sack: 5,
  timestamps: 8,
  md5Signature: 19,
  userTimeout: 28,
  authentication: 29,
  fastOpen: 34,
} as const;

/** RFC 9293 §3.1: the data offset counts up to 15 words, 5 of which are the fixed header. */
export const TCP_MAX_OPTIONS = 40;

/** RFC 7323 §2.3: a larger shift is to be taken as this. */
export const TCP_MAX_WINDOW_SCALE = 14;

/** Received and not yet acknowledged: [start, end) (RFC 2018 §3). */
export interface SackBlock {
  readonly start: Seq;
  readonly end: Seq;
}

/** RFC 5482 §3.1. */
export interface TcpUserTimeout {
  readonly unit: "seconds" | "minutes";
  /** 0 to 32,767 of the unit. */
  readonly value: number;
}

/** The options that a segment can carry and that are understood; null or false where absent. */
export interface TcpOptions {
  readonly maximumSegmentSize: number | null;
  /** 0 to 14. */
  readonly windowScale: number | null;
  readonly sackPermitted: boolean;
  readonly timestamps: { readonly value: number; readonly echo: number } | null;
  /** RFC 7413 §4.1.1: 4 to 16 bytes, an even number; none of them asks for a cookie. */
  readonly fastOpen: Uint8Array | null;
  readonly userTimeout: TcpUserTimeout | null;
  /** At most four. What does not fit beside the other options is left out from the end. */
  readonly sack: readonly SackBlock[];
}

export const NO_TCP_OPTIONS: TcpOptions = Object.freeze({
  maximumSegmentSize: null,
  windowScale: null,
  sackPermitted: false,
  timestamps: null,
  fastOpen: null,
  userTimeout: null,
  sack: Object.freeze([]),
});

/** Where the options of a segment lie: offsets into the view, -1 (or 0 for a count) where absent. */
export class TcpOptionIndex {
  #dv: DataView = NO_DATA;
  #mssAt = -1;
  #scaleAt = -1;
  #timestampsAt = -1;
  #userTimeoutAt = -1;
  #sackAt = -1;
  sackCount = 0;
  sackPermitted = false;
  /** Where the fast-open cookie lies, or -1; its length may be 0. */
  fastOpenAt = -1;
  fastOpenLength = 0;
  /** RFC 2385: the segment carries an MD5 digest, which nothing here verifies. */
  hasMd5Signature = false;
  /** RFC 5925: the segment carries TCP-AO, which nothing here verifies. */
  hasAuthentication = false;

  /**
   * Reads dv[at, end). False when an option's length is less than 2 or leads past the end
   * (RFC 9293 §3.2, MUST-7). Unknown kinds, and known ones of a wrong length, are skipped.
   */
  read(dv: DataView, start: number, end: number): boolean {
    this.#clear(dv);
    // RFC 7323 appendix A: what nearly every segment of a running connection carries.
    if (end - start === 12 && dv.getInt32(start) === ALIGNED_TIMESTAMPS) {
      this.#timestampsAt = start + 4;
      return true;
    }
    let at = start;
    while (at < end) {
      const kind = dv.getUint8(at);
      if (kind === TcpOption.end) return true;
      if (kind === TcpOption.noOperation) {
        at++;
        continue;
      }
      if (at + 1 >= end) return false;
      const length = dv.getUint8(at + 1);
      if (length < 2 || length > end - at) return false;
      this.#note(kind, at + 2, length - 2);
      at += length;
    }
    return true;
  }

  /** The option's value, or -1. */
  get maximumSegmentSize(): number {
    return this.#mssAt < 0 ? -1 : this.#dv.getUint16(this.#mssAt);
  }

  /** The shift, at most 14 whatever was sent, or -1. */
  get windowScale(): number {
    if (this.#scaleAt < 0) return -1;
    const shift = this.#dv.getUint8(this.#scaleAt);
    return shift > TCP_MAX_WINDOW_SCALE ? TCP_MAX_WINDOW_SCALE : shift;
  }

  get hasTimestamps(): boolean {
    return this.#timestampsAt >= 0;
  }

  /** TSval, where `hasTimestamps`. */
  get timestampValue(): number {
    return this.#dv.getUint32(this.#timestampsAt);
  }

  /** TSecr, where `hasTimestamps`. */
  get timestampEcho(): number {
    return this.#dv.getUint32(this.#timestampsAt + 4);
  }

  /** The user timeout in seconds, or -1 (RFC 5482 §3.1: the top bit says minutes). */
  get userTimeoutSeconds(): number {
    const raw = this.userTimeoutField;
    return raw < 0 ? -1 : (raw & 0x7fff) * (raw > 0x7fff ? 60 : 1);
  }

  /** Granularity bit and value as they are on the wire, or -1. */
  get userTimeoutField(): number {
    return this.#userTimeoutAt < 0 ? -1 : this.#dv.getUint16(this.#userTimeoutAt);
  }

  /** The left edge of SACK block i, i < sackCount. */
  sackStart(i: number): Seq {
    return seq(this.#dv.getUint32(this.#sackAt + 8 * i));
  }

  /** The right edge of SACK block i: the number after its last. */
  sackEnd(i: number): Seq {
    return seq(this.#dv.getUint32(this.#sackAt + 8 * i + 4));
  }

  /** The options as plain data, SACK blocks and cookie copied. */
  toOptions(): TcpOptions {
    const mss = this.maximumSegmentSize;
    const scale = this.windowScale;
    const timeout = this.userTimeoutField;
    const sack: SackBlock[] = [];
    for (let i = 0; i < this.sackCount; i++) {
      sack.push({ start: this.sackStart(i), end: this.sackEnd(i) });
    }
    return {
      maximumSegmentSize: mss < 0 ? null : mss,
      windowScale: scale < 0 ? null : scale,
      sackPermitted: this.sackPermitted,
      timestamps: this.hasTimestamps
        ? { value: this.timestampValue, echo: this.timestampEcho }
        : null,
      fastOpen: this.fastOpenAt < 0 ? null : this.#cookie(),
      userTimeout:
        timeout < 0
          ? null
          : { unit: timeout > 0x7fff ? "minutes" : "seconds", value: timeout & 0x7fff },
      sack,
    };
  }

  #cookie(): Uint8Array {
    return copyOctets(this.#dv, this.fastOpenAt, this.fastOpenAt + this.fastOpenLength);
  }

  #clear(dv: DataView): void {
    this.#dv = dv;
    this.#mssAt = -1;
    this.#scaleAt = -1;
    this.#timestampsAt = -1;
    this.#userTimeoutAt = -1;
    this.#sackAt = -1;
    this.sackCount = 0;
    this.sackPermitted = false;
    this.fastOpenAt = -1;
    this.fastOpenLength = 0;
    this.hasMd5Signature = false;
    this.hasAuthentication = false;
  }

  /** An option of `length` bytes after its kind and length. The last of a kind counts. */
  #note(kind: number, at: number, length: number): void {
    switch (kind) {
      case TcpOption.maximumSegmentSize:
        if (length === 2) this.#mssAt = at;
        break;
      case TcpOption.windowScale:
        if (length === 1) this.#scaleAt = at;
        break;
      case TcpOption.sackPermitted:
        if (length === 0) this.sackPermitted = true;
        break;
      case TcpOption.sack:
        if (length === 0 || length % 8 !== 0) break;
        this.#sackAt = at;
        this.sackCount = length / 8;
        break;
      case TcpOption.timestamps:
        if (length === 8) this.#timestampsAt = at;
        break;
      case TcpOption.userTimeout:
        if (length === 2) this.#userTimeoutAt = at;
        break;
      case TcpOption.fastOpen:
        if (!isCookieLength(length)) break;
        this.fastOpenAt = at;
        this.fastOpenLength = length;
        break;
      case TcpOption.md5Signature:
        if (length === 16) this.hasMd5Signature = true;
        break;
      case TcpOption.authentication:
        if (length >= 2) this.hasAuthentication = true;
        break;
    }
  }
}

/** RFC 7413 §4.1.1. */
export const isCookieLength = (length: number): boolean =>
  length === 0 || (length >= 4 && length <= 16 && length % 2 === 0);

/** No-operation twice, then kind 8 of length 10. */
const ALIGNED_TIMESTAMPS = 0x0101_080a;
