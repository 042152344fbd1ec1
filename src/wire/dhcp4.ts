import { bytesOf, latin1 } from "../core/bytes.ts";
import { Dhcp4Option, type Dhcp4Options, parseDhcp4Options } from "./dhcp4-options.ts";
import { dhcp4OptionBytes } from "./dhcp4-options-emit.ts";
import { MAC_LENGTH, type Mac, readMac, writeMac } from "./mac.ts";
import { copyOctets, hasRoom, NO_DATA, writeOctets, zeroOctets } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** RFC 2131 §2, figure 1. */
const OPERATION = 0;
const HARDWARE_TYPE = 1;
const HARDWARE_LENGTH = 2;
const HOPS = 3;
const TRANSACTION_ID = 4;
const SECONDS = 8;
const FLAGS = 10;
const CLIENT_ADDRESS = 12;
const YOUR_ADDRESS = 16;
const NEXT_SERVER = 20;
const RELAY = 24;
const HARDWARE_ADDRESS = 28;
const SERVER_NAME = 44;
const BOOT_FILE = 108;
const MAGIC_COOKIE = 236;
const OPTIONS = 240;

const ETHERNET = 1;
const BROADCAST = 0x8000;
const COOKIE = 0x6382_5363;
/** RFC 1542 §2.1: a message with a vendor area of 64 octets; some relays drop what is shorter. */
const MIN_LENGTH = 300;

export const DHCP4_SERVER_PORT = 67;
export const DHCP4_CLIENT_PORT = 68;

export const Dhcp4Operation = { request: 1, reply: 2 } as const;

/** RFC 2132 §9.6; forceRenew: RFC 3203. Others stay numbers. */
export const Dhcp4MessageType = {
  discover: 1,
  offer: 2,
  request: 3,
  decline: 4,
  ack: 5,
  nak: 6,
  release: 7,
  inform: 8,
  forceRenew: 9,
} as const;

/** A DHCPv4 message for Ethernet in somebody else's bytes. */
export class Dhcp4View {
  dv: DataView = NO_DATA;
  start = 0;
  end = 0;
  /** See `Dhcp4MessageType`. */
  messageType = 0;
  /** RFC 2132 §9.3: 1 the boot file's field holds options, 2 the server name's, 3 both. */
  overload = 0;

  /** Other hardware, and BOOTP without a message type, are `unsupported`. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < OPTIONS) return "truncated";
    if (
      dv.getUint8(start + HARDWARE_TYPE) !== ETHERNET ||
      dv.getUint8(start + HARDWARE_LENGTH) !== MAC_LENGTH ||
      dv.getUint32(start + MAGIC_COOKIE) !== COOKIE
    ) {
      return "unsupported";
    }
    this.dv = dv;
    this.start = start;
    this.end = end;
    this.messageType = 0;
    this.overload = 0;
    if (!this.#walk(start + OPTIONS, end, null)) return "truncated";
    const { overload } = this;
    if (overload & 1 && !this.#walk(start + BOOT_FILE, start + MAGIC_COOKIE, null)) {
      return "malformed";
    }
    if (overload & 2 && !this.#walk(start + SERVER_NAME, start + BOOT_FILE, null)) {
      return "malformed";
    }
    return this.messageType === 0 ? "unsupported" : "ok";
  }

  get operation(): number {
    return this.dv.getUint8(this.start + OPERATION);
  }

  get hops(): number {
    return this.dv.getUint8(this.start + HOPS);
  }

  get transactionId(): number {
    return this.dv.getUint32(this.start + TRANSACTION_ID);
  }

  /** Since the client began, in seconds. */
  get seconds(): number {
    return this.dv.getUint16(this.start + SECONDS);
  }

  /** Whether the client can only hear broadcasts (RFC 2131 §4.1). */
  get broadcast(): boolean {
    return (this.dv.getUint16(this.start + FLAGS) & BROADCAST) !== 0;
  }

  /** ciaddr */
  get clientAddress(): number {
    return this.dv.getUint32(this.start + CLIENT_ADDRESS);
  }

  /** yiaddr */
  get yourAddress(): number {
    return this.dv.getUint32(this.start + YOUR_ADDRESS);
  }

  /** siaddr */
  get nextServer(): number {
    return this.dv.getUint32(this.start + NEXT_SERVER);
  }

  /** giaddr */
  get relay(): number {
    return this.dv.getUint32(this.start + RELAY);
  }

  /** chaddr */
  get clientMac(): Mac {
    return readMac(this.dv, this.start + HARDWARE_ADDRESS);
  }

  /** sname up to its NUL; nothing where it holds options. */
  get serverName(): string {
    return this.overload & 2 ? "" : this.#text(SERVER_NAME, BOOT_FILE);
  }

  /** file up to its NUL; nothing where it holds options. */
  get bootFile(): string {
    return this.overload & 1 ? "" : this.#text(BOOT_FILE, MAGIC_COOKIE);
  }

  /**
   * The values of all options by code, copied. Parts of one option are joined in the order of RFC 3396
   * §5: options, boot file, server name. RFC 2131 §4.1 asks the same for one that came twice.
   */
  optionValues(): Map<number, Uint8Array> {
    const parts = new Map<number, Uint8Array[]>();
    this.#walk(this.start + OPTIONS, this.end, parts);
    if (this.overload & 1) {
      this.#walk(this.start + BOOT_FILE, this.start + MAGIC_COOKIE, parts);
    }
    if (this.overload & 2) this.#walk(this.start + SERVER_NAME, this.start + BOOT_FILE, parts);
    const values = new Map<number, Uint8Array>();
    for (const [code, pieces] of parts) {
      values.set(code, pieces.length === 1 ? pieces[0]! : joined(pieces));
    }
    return values;
  }

  /** Steps over dv[at, end), noting type and overload or collecting; false when an option leads out. */
  #walk(start: number, end: number, parts: Map<number, Uint8Array[]> | null): boolean {
    let at = start;
    while (at < end) {
      const code = this.dv.getUint8(at++);
      if (code === Dhcp4Option.pad) continue;
      // RFC 2131 §4.1: the last option is `end`; a message that only ends is taken all the same.
      if (code === Dhcp4Option.end) return true;
      const after = at < end ? at + 1 + this.dv.getUint8(at) : end + 1;
      if (after > end) return false;
      if (parts !== null) collect(parts, code, copyOctets(this.dv, at + 1, after));
      else if (after - at === 2) this.#note(code, this.dv.getUint8(at + 1));
      at = after;
    }
    return true;
  }

  /** Notes an option of one octet. The first counts: what an overloaded field adds changes neither. */
  #note(code: number, value: number): void {
    if (code === Dhcp4Option.messageType && this.messageType === 0) this.messageType = value;
    if (code === Dhcp4Option.overload && this.overload === 0 && value <= 3) this.overload = value;
  }

  #text(from: number, to: number): string {
    const bytes = copyOctets(this.dv, this.start + from, this.start + to);
    const nul = bytes.indexOf(0);
    return latin1(bytes, 0, nul < 0 ? bytes.length : nul);
  }
}

/** A DHCPv4 message (RFC 2131 §2) for Ethernet; addresses are 32-bit numbers. */
export interface Dhcp4Repr {
  readonly operation: number;
  /** 1 to 255, see `Dhcp4MessageType`. */
  readonly messageType: number;
  readonly hops: number;
  readonly transactionId: number;
  readonly seconds: number;
  readonly broadcast: boolean;
  readonly clientAddress: number;
  readonly yourAddress: number;
  readonly nextServer: number;
  readonly relay: number;
  readonly clientMac: Mac;
  /** At most 64 characters, one an octet. */
  readonly serverName: string;
  /** At most 128 characters, one an octet. */
  readonly bootFile: string;
  readonly options: Dhcp4Options;
}

export const parseDhcp4 = (view: Dhcp4View): Dhcp4Repr => ({
  operation: view.operation,
  messageType: view.messageType,
  hops: view.hops,
  transactionId: view.transactionId,
  seconds: view.seconds,
  broadcast: view.broadcast,
  clientAddress: view.clientAddress,
  yourAddress: view.yourAddress,
  nextServer: view.nextServer,
  relay: view.relay,
  clientMac: view.clientMac,
  serverName: view.serverName,
  bootFile: view.bootFile,
  options: parseDhcp4Options(view.optionValues()),
});

/** In octets, padding included. */
export const dhcp4Length = (repr: Dhcp4Repr): number =>
  lengthWith(dhcp4OptionBytes(repr.messageType, repr.options));

/** Writes the message, padded to 300 octets, and returns its end, or -1 for want of room. */
export function emitDhcp4(repr: Dhcp4Repr, dv: DataView, start: number): number {
  const options = dhcp4OptionBytes(repr.messageType, repr.options);
  const end = start + lengthWith(options);
  if (!hasRoom(dv, start, end - start)) return -1;
  zeroOctets(dv, start, end);
  dv.setUint8(start + OPERATION, repr.operation);
  dv.setUint8(start + HARDWARE_TYPE, ETHERNET);
  dv.setUint8(start + HARDWARE_LENGTH, MAC_LENGTH);
  dv.setUint8(start + HOPS, repr.hops);
  dv.setUint32(start + TRANSACTION_ID, repr.transactionId);
  dv.setUint16(start + SECONDS, repr.seconds);
  dv.setUint16(start + FLAGS, repr.broadcast ? BROADCAST : 0);
  dv.setUint32(start + CLIENT_ADDRESS, repr.clientAddress);
  dv.setUint32(start + YOUR_ADDRESS, repr.yourAddress);
  dv.setUint32(start + NEXT_SERVER, repr.nextServer);
  dv.setUint32(start + RELAY, repr.relay);
  writeMac(dv, start + HARDWARE_ADDRESS, repr.clientMac);
  writeOctets(dv, start + SERVER_NAME, bytesOf(repr.serverName.slice(0, BOOT_FILE - SERVER_NAME)));
  writeOctets(dv, start + BOOT_FILE, bytesOf(repr.bootFile.slice(0, MAGIC_COOKIE - BOOT_FILE)));
  dv.setUint32(start + MAGIC_COOKIE, COOKIE);
  writeOctets(dv, start + OPTIONS, options);
  return end;
}

const lengthWith = (options: Uint8Array): number => Math.max(MIN_LENGTH, OPTIONS + options.length);

function collect(parts: Map<number, Uint8Array[]>, code: number, value: Uint8Array): void {
  const pieces = parts.get(code);
  if (pieces === undefined) parts.set(code, [value]);
  else pieces.push(value);
}

function joined(pieces: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
