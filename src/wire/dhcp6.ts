import {
  type Dhcp6Options,
  dhcp6OptionEnd,
  emitDhcp6Options,
  parseDhcp6Options,
} from "./dhcp6-options.ts";
import { hasRoom, NO_DATA } from "./octets.ts";
import type { WireStatus } from "./status.ts";

/** RFC 8415 §8: the first octet is the type, the other three of the word the transaction. */
const TYPE_AND_TRANSACTION = 0;
const OPTIONS = 4;
/** RFC 8415 §7.2 */
export const DHCP6_CLIENT_PORT = 546;
export const DHCP6_SERVER_PORT = 547;

/** RFC 8415 §7.3; others stay numbers. */
export const Dhcp6MessageType = {
  solicit: 1,
  advertise: 2,
  request: 3,
  confirm: 4,
  renew: 5,
  rebind: 6,
  reply: 7,
  release: 8,
  decline: 9,
  reconfigure: 10,
  informationRequest: 11,
  relayForward: 12,
  relayReply: 13,
} as const;

/** A DHCPv6 message between client and server in somebody else's bytes. */
export class Dhcp6View {
  dv: DataView = NO_DATA;
  start = 0;
  end = 0;

  /** The messages of relays, which have another header, are `unsupported`. */
  wrap(dv: DataView, start: number, end: number): WireStatus {
    if (end - start < OPTIONS) return "truncated";
    const type = dv.getUint8(start + TYPE_AND_TRANSACTION);
    if (type === Dhcp6MessageType.relayForward || type === Dhcp6MessageType.relayReply) {
      return "unsupported";
    }
    for (let at = start + OPTIONS; at < end; ) {
      at = dhcp6OptionEnd(dv, at, end);
      if (at < 0) return "truncated";
    }
    this.dv = dv;
    this.start = start;
    this.end = end;
    return "ok";
  }

  get messageType(): number {
    return this.dv.getUint8(this.start + TYPE_AND_TRANSACTION);
  }

  /** 24 bits. */
  get transactionId(): number {
    return this.dv.getUint32(this.start + TYPE_AND_TRANSACTION) & 0xff_ffff;
  }

  get optionsStart(): number {
    return this.start + OPTIONS;
  }
}

export interface Dhcp6Repr {
  /** See `Dhcp6MessageType`; not one of a relay. */
  readonly messageType: number;
  /** 24 bits. */
  readonly transactionId: number;
  readonly options: Dhcp6Options;
}

export const parseDhcp6 = (view: Dhcp6View): Dhcp6Repr => ({
  messageType: view.messageType,
  transactionId: view.transactionId,
  options: parseDhcp6Options(view.dv, view.optionsStart, view.end),
});

/** In octets. */
export const dhcp6Length = (repr: Dhcp6Repr): number =>
  emitDhcp6Options(repr.options, null, OPTIONS);

/** Writes the message and returns its end; -1 for want of room or above what UDP carries. */
export function emitDhcp6(repr: Dhcp6Repr, dv: DataView, start: number): number {
  const length = dhcp6Length(repr);
  if (length > 0xffff || !hasRoom(dv, start, length)) return -1;
  dv.setUint32(
    start + TYPE_AND_TRANSACTION,
    (repr.messageType << 24) | (repr.transactionId & 0xff_ffff),
  );
  return emitDhcp6Options(repr.options, dv, start + OPTIONS);
}
