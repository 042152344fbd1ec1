import { copyBytes, latin1 } from "../core/bytes.ts";

/** What a ClientHello tells before anything is agreed. */
export interface ClientHello {
  /** The host name in SNI, in lower case without a final dot; null where there is none. */
  readonly serverName: string | null;
  /** Protocols offered by ALPN, as latin-1 text. */
  readonly alpn: readonly string[];
  /** Offers TLS 1.3. */
  readonly tls13: boolean;
  /** The first 16 bytes of the first ticket it shows, which name the key; null where there is none. */
  readonly ticketName: Uint8Array | null;
}

/** A prefix of a hello · no TLS · TLS records with something else in them than a well-formed hello. */
export type HelloFault = "incomplete" | "not-tls" | "malformed";

/** The longest hello that is taken. With hybrid key exchange they have some 2 KiB. */
export const LONGEST_HELLO = 32 * 1024;
/** Records over which it may be spread, so that a trickle of tiny ones costs no more than its bytes. */
const MOST_RECORDS = 64;

const HANDSHAKE = 22;
const RECORD_HEADER = 5;
/** RFC 8446 §5.1: 2^14 bytes of plaintext. */
const LONGEST_RECORD = 16 * 1024;
const CLIENT_HELLO = 1;
const MESSAGE_HEADER = 4;

const SERVER_NAME = 0;
const ALPN = 16;
const SESSION_TICKET = 35;
const PRE_SHARED_KEY = 41;
const SUPPORTED_VERSIONS = 43;
const TICKET_NAME = 16;

/** Parses the hello at the start of what a client sent, however it is cut into records. */
export function parseClientHello(
  bytes: Uint8Array,
  start: number,
  end: number,
): ClientHello | HelloFault {
  const message = gather(bytes, start, end);
  if (typeof message === "string") return message;
  return new HelloReader(message.bytes, message.start, message.end).read() ?? "malformed";
}

interface Message {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
}

/** The first handshake message, without its header: in place where one record holds it. */
function gather(bytes: Uint8Array, start: number, end: number): Message | HelloFault {
  let joined: Uint8Array | null = null;
  let have = 0;
  let at = start;
  for (let records = 0; records < MOST_RECORDS; records++) {
    // RFC 8446 §5.1: handshake (22), legacy version 3.x.
    if (at < end && bytes[at] !== HANDSHAKE) return at === start ? "not-tls" : "malformed";
    if (at + 1 < end && bytes[at + 1] !== 3) return at === start ? "not-tls" : "malformed";
    if (end - at < RECORD_HEADER) return "incomplete";
    const length = u16(bytes, at + 3);
    if (length === 0 || length > LONGEST_RECORD) return "malformed";
    const from = at + RECORD_HEADER;
    const to = Math.min(from + length, end);
    if (joined === null && to - from >= MESSAGE_HEADER) {
      const message = messageLength(bytes, from);
      if (message === null) return "malformed";
      const whole = from + MESSAGE_HEADER + message;
      if (whole <= to) return { bytes, start: from + MESSAGE_HEADER, end: whole };
    }
    if (to < from + length) return "incomplete";
    joined ??= new Uint8Array(end - start);
    copyBytes(bytes, from, to, joined, have);
    have += to - from;
    at = to;
    if (have < MESSAGE_HEADER) continue;
    const message = messageLength(joined, 0);
    if (message === null) return "malformed";
    if (have >= MESSAGE_HEADER + message) {
      return { bytes: joined, start: MESSAGE_HEADER, end: MESSAGE_HEADER + message };
    }
  }
  return "malformed";
}

/** The length of the message at `at`, null where it is no ClientHello that we wait for. */
function messageLength(bytes: Uint8Array, at: number): number | null {
  const length = (bytes[at + 1]! << 16) | u16(bytes, at + 2);
  return bytes[at] === CLIENT_HELLO && length <= LONGEST_HELLO ? length : null;
}

/** RFC 8446 §4.1.2, and of the extensions those that decide what the handshake begins with. */
class HelloReader {
  readonly #bytes: Uint8Array;
  #at: number;
  readonly #end: number;
  #serverName: string | null = null;
  #alpn: readonly string[] = [];
  #tls13 = false;
  #ticketName: Uint8Array | null = null;

  constructor(bytes: Uint8Array, start: number, end: number) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
  }

  /** Null where a length points outside of the message. */
  read(): ClientHello | null {
    const bytes = this.#bytes;
    let at = this.#at + 2 + 32; // legacy_version, random
    if (at >= this.#end) return null;
    at += 1 + bytes[at]!; // legacy_session_id
    if (at + 2 > this.#end) return null;
    at += 2 + u16(bytes, at); // cipher_suites
    if (at >= this.#end) return null;
    at += 1 + bytes[at]!; // legacy_compression_methods
    if (at > this.#end) return null;
    if (at < this.#end && !this.#readExtensions(at)) return null;
    return {
      serverName: this.#serverName,
      alpn: this.#alpn,
      tls13: this.#tls13,
      ticketName: this.#ticketName,
    };
  }

  #readExtensions(from: number): boolean {
    const bytes = this.#bytes;
    if (from + 2 > this.#end || from + 2 + u16(bytes, from) !== this.#end) return false;
    let at = from + 2;
    while (at < this.#end) {
      if (at + 4 > this.#end) return false;
      const type = u16(bytes, at);
      const start = at + 4;
      at = start + u16(bytes, at + 2);
      if (at > this.#end || !this.#readExtension(type, start, at)) return false;
    }
    return true;
  }

  #readExtension(type: number, start: number, end: number): boolean {
    switch (type) {
      case SERVER_NAME:
        return this.#readServerName(start, end);
      case ALPN:
        return this.#readAlpn(start, end);
      case SESSION_TICKET:
        // RFC 5077 §3.2: the ticket is all there is. A PSK (§2.2 of RFC 8446) counts more.
        this.#ticketName ??= this.#ticketAt(start, end);
        return true;
      case PRE_SHARED_KEY:
        return this.#readPreSharedKey(start, end);
      case SUPPORTED_VERSIONS:
        return this.#readVersions(start, end);
      default:
        return true;
    }
  }

  /** RFC 6066 §3: a list, in which only host names (0) were ever defined. */
  #readServerName(start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - start < 2 || u16(bytes, start) !== end - start - 2) return false;
    if (end - start < 5) return end - start === 2;
    const length = u16(bytes, start + 3);
    const from = start + 5;
    if (from + length > end) return false;
    if (bytes[start + 2] !== 0 || this.#serverName !== null) return true;
    this.#serverName = hostName(latin1(bytes, from, from + length));
    return true;
  }

  /** RFC 7301 §3.1. */
  #readAlpn(start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (end - start < 2 || u16(bytes, start) !== end - start - 2) return false;
    const names: string[] = [];
    for (let at = start + 2; at < end; ) {
      const from = at + 1;
      at = from + bytes[at]!;
      if (at > end || at === from) return false;
      names.push(latin1(bytes, from, at));
    }
    this.#alpn = names;
    return true;
  }

  /** RFC 8446 §4.2.11: identities first, each with its length. */
  #readPreSharedKey(start: number, end: number): boolean {
    if (end - start < 4) return false;
    const length = u16(this.#bytes, start + 2);
    const from = start + 4;
    if (from + length > end) return false;
    this.#ticketName = this.#ticketAt(from, from + length) ?? this.#ticketName;
    return true;
  }

  #readVersions(start: number, end: number): boolean {
    const bytes = this.#bytes;
    if (start >= end || bytes[start] !== end - start - 1) return false;
    for (let at = start + 1; at + 1 < end; at += 2) {
      if (u16(bytes, at) === 0x0304) this.#tls13 = true;
    }
    return true;
  }

  #ticketAt(start: number, end: number): Uint8Array | null {
    if (end - start < TICKET_NAME) return null;
    return Uint8Array.from(this.#bytes.subarray(start, start + TICKET_NAME));
  }
}

/** As in DNS: case and a final dot say nothing (RFC 6066 §3 wants none). Null for what is no name. */
function hostName(text: string): string | null {
  const name = text.toLowerCase().replace(/\.$/, "");
  return name !== "" && name.length <= 255 && /^[!-~]+$/.test(name) ? name : null;
}

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
